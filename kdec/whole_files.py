"""Files that are written whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a path beside `path` to write to; at the end of the block it takes the place of `path`.

    A kill, an error or a full disk leaves what `path` held before, never a half-written file.

    Args:
        path: The file to write. Its folder must be there.

    Raises:
        OSError: If the file cannot be written; it names `path`.

    Example:
    >>> import pathlib, tempfile
    >>> from kdec.whole_files import written_whole
    >>> file = pathlib.Path(tempfile.mkdtemp(), "labels.txt")
    >>> with written_whole(file) as partial:
    ...     _ = partial.write_text("0 1 1")
    >>> file.read_text()
    '0 1 1'
    """
    path = Path(path)
    # Under its own suffix: what writes a model or a picture goes by it.
    partial = path.with_name(f"partial_{path.name}")
    try:
        yield partial
        partial.replace(path)
    except BaseException as error:
        # On a full disk the half would take up what little room there is.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:
            raise type(error)(error.errno, os.strerror(error.errno), str(path)) from error
        raise
