"""Files that are the parts of one array: .npy, and Parquet tables of numbers."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kdec.data.arrays import reading
from kdec.data.shards import Shards

SUFFIXES = (".npy", ".parquet")
_PRINT = 2**16  # bytes at both ends of a file that its digest takes


def shard_files(source: Path | Sequence) -> list[Path]:
    """Return the files of a list of paths, or the .npy and Parquet files of a folder, by name.

    A folder with images has none.

    Raises:
        ValueError: If the files of a list are not all .npy or all Parquet, or those of a folder.
        FileNotFoundError: If one is not there.
    """
    if isinstance(source, Path):
        content = sorted(source.iterdir())
        files = [file for file in content if _is_shard(file)]
        if files:
            from kdec.data.image_files import SUFFIXES as IMAGES

            files = [] if any(file.suffix.lower() in IMAGES for file in content) else files
    else:
        files = [Path(file) for file in source]
        for file in files:
            if not file.is_file():
                raise FileNotFoundError(f"Expected a file. Received: {str(file)!r}, not there")
    kinds = {file.suffix.lower() for file in files}
    if files and (len(kinds) > 1 or not kinds <= {*SUFFIXES}):
        raise ValueError(
            f"Expected shards that are all {' or all '.join(SUFFIXES)}. "
            f"Received: {', '.join(sorted(kinds))}"
        )
    return files


def _is_shard(file):
    """Tell whether it is one; as Spark does, hidden files and those with "_" are passed over."""
    return file.suffix.lower() in SUFFIXES and file.name[0] not in "._" and file.is_file()


def open_shards(files: Sequence[Path], origin: str, labels: str | None):
    """Return the rows of the files, the names of their columns, and their labels.

    Args:
        files: From `shard_files`.
        origin: What messages call them.
        labels: A column of Parquet tables, or None.

    Returns:
        `Shards`, names or None, labels of shape (n,) or None.

    Raises:
        ValueError: If the files do not agree, or hold anything but numbers.
        ImportError: If they are Parquet tables, and pyarrow is not installed.
    """
    if files[0].suffix.lower() == ".npy":
        return Shards([_ArrayFile(file) for file in files], origin), None, None
    from kdec.data.parquet_shards import ParquetRows, read_column

    table = ParquetRows(files, labels)
    y = None if labels is None else read_column(files, labels)
    return Shards([table], origin), table.columns, y


class _ArrayFile:
    """An .npy file."""

    def __init__(self, path):
        self.name, self._path = path.name, path
        array = self.open()
        self.shape, self.dtype = array.shape, array.dtype
        if array.ndim < 2 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"Expected real numbers of shape (n, d) or (n, height, width[, channels]) in "
                f"{path.name}. Received: shape {array.shape} and dtype {array.dtype}"
            )

    def open(self):
        with reading(self._path):
            return np.load(self._path, mmap_mode="r", allow_pickle=False)


def fingerprint(files: Sequence[Path]) -> str:
    """Return the sha256 of size and both ends of each file: none need be read whole."""
    sha256 = hashlib.sha256()
    for path in files:
        size = os.path.getsize(path)
        with path.open("rb") as file:
            sha256.update(b"%d" % size + file.read(_PRINT))
            file.seek(max(size - _PRINT, 0))
            sha256.update(file.read())
    return sha256.hexdigest()
