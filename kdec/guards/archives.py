"""Archives from elsewhere: looked at before they are unpacked."""

import os
import zipfile

_HARMLESS = 2**30  # bytes
_MOST_TIMES = 200  # the size of the file; models and images stay below 20


def refuse_bomb(path: str | os.PathLike) -> None:
    """Raise a ValueError if a file is a zip archive that would fill the memory.

    Those are archives whose members are to be more than 1 GiB in all, and more than 200 times the
    file. Other files pass, to be refused by who reads them.

    Args:
        path: The file, such as an `.npz` or a `.keras`.

    Example:
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kdec.guards import refuse_bomb
    >>> path = pathlib.Path(tempfile.mkdtemp(), "zeros.npz")
    >>> np.savez_compressed(path, x=np.zeros(1000))
    >>> refuse_bomb(path)
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return
    packed = os.path.getsize(path)
    if unpacked > max(_HARMLESS, _MOST_TIMES * packed):
        raise ValueError(
            f"Expected {path} to unpack to at most {_MOST_TIMES} times its size, or 1 GiB. "
            f"Received: {packed:,} bytes that unpack to {unpacked:,}; unpack it by hand if you "
            "trust it"
        )
