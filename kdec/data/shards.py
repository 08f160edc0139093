"""`Shards`: samples that stay on the disk, as an array that reads the rows it is asked for."""

import bisect
import contextlib
import mmap
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

_MOST_OPEN = 128  # files of one array; systems allow some 1,000 to a process
_BYTES_IN_ORDER = 16 * 2**20  # read before their pages leave the process
_ROWS_APART = 32  # likewise: Linux may map 2 MiB around each, and to take pages away costs time


class Shards:
    """Samples on the disk, one part after another, as an array that is never loaded whole.

    Slices and arrays of row numbers give NumPy arrays of those rows. What was read stays in the
    system's cache of files, but does not count as memory of the process. `KMeans` and the models
    take it in place of an array. `data.read` makes one of files.

    Args:
        parts: Arrays or memory maps of shape (n_i, ...), which agree in all but n_i and in dtype,
            or what has a `shape`, a `dtype`, and an `open()` that returns such an array.
        origin: What messages call it. Defaults to "the shards".

    Attributes:
        shape: (n, ...), of all rows.
        dtype: Of the values, in the byte order of this machine.
        ndim: Number of axes.
        nbytes: Size of all values in bytes.

    Raises:
        ValueError: If there are no rows, or parts differ in the shape or type of their rows.

    Example:
        >>> import kdec, pathlib, tempfile
        >>> import numpy as np
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> np.save(folder / "0.npy", np.zeros((3, 2), np.float32))
        >>> np.save(folder / "1.npy", np.ones((2, 2), np.float32))
        >>> x = kdec.data.read(folder).x
        >>> x.shape, x[2:4].tolist(), x[[4, 0]].tolist()
        ((5, 2), [[0.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 0.0]])
    """

    def __init__(self, parts: Sequence[Any], origin: str = "the shards"):
        self._parts = tuple(part for part in parts if part.shape and part.shape[0])
        if not self._parts:
            raise ValueError(f"Expected rows in {origin}. Received: none")
        first = self._parts[0]
        for number, part in enumerate(self._parts):
            if part.shape[1:] != first.shape[1:] or part.dtype != first.dtype:
                raise ValueError(
                    f"Expected rows of shape {first.shape[1:]} and dtype {first.dtype} in all of "
                    f"{origin}, as in the first. Received: {part.shape[1:]} and {part.dtype} in "
                    f"{getattr(part, 'name', f'number {number}')}"
                )
        self._ends = list(accumulate(part.shape[0] for part in self._parts))
        self.shape = (self._ends[-1], *first.shape[1:])
        self.dtype = first.dtype.newbyteorder("=")
        self._open, self._share_read = {}, 0.0

    @classmethod
    def of(cls, x: Any) -> "Shards | None":
        """Return samples that are on the disk as `Shards`, and None for all others.

        Args:
            x: `Shards`, a `np.memmap` of any mode, or a `tf.data.Dataset` of batches, x or
                (x, ...), whose order is taken as it comes. A dataset is read once, to a temporary
                file, which goes with the last reference to it; `tempfile` says in which folder.

        Returns:
            The same rows, in the same order, or None.

        Raises:
            ValueError: If a dataset is empty or endless, or its elements are no batches.
        """
        if isinstance(x, cls):
            return x
        # What is made of a memory map by NumPy may have its type, but lies in memory.
        if isinstance(x, np.memmap) and x._mmap is not None and x.ndim:
            return cls([x], "the memory map")
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is not None and isinstance(x, tensorflow.data.Dataset):
            from kdec.data.spooled import spooled

            return cls([spooled(x)], "the dataset")
        return None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of all values in bytes."""
        return prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Read rows: one, those of a slice, or those of an int array or a mask of shape (m,)."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._between(start, max(start, stop))
            rows = np.arange(start, stop, step)
        rows = np.asarray(rows)
        if rows.dtype == bool and rows.shape == (len(self),):
            rows = np.flatnonzero(rows)
        if (rows.dtype.kind not in "iu" and rows.size) or rows.ndim > 1:
            raise IndexError(
                "Expected a row number, a slice, or row numbers of shape (m,). "
                f"Received: dtype {rows.dtype} and shape {rows.shape}"
            )
        if rows.size and not -len(self) <= rows.min() <= rows.max() < len(self):
            raise IndexError(
                f"Expected row numbers below {len(self)}. Received: {rows.min()} to {rows.max()}"
            )
        rows = np.where(rows < 0, rows + len(self), rows).astype(np.int64)
        if rows.ndim and len(rows) and (np.diff(rows) == 1).all():
            return self._between(int(rows[0]), int(rows[-1]) + 1)
        return self._at(rows) if rows.ndim else self._at(rows[np.newaxis])[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read one row after another."""
        return (row for start in range(0, len(self), 1024) for row in self[start : start + 1024])

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Read all rows."""
        if copy is False:
            raise ValueError("Expected copy=True or None, for rows on the disk. Received: False")
        return self[:].astype(dtype or self.dtype, copy=False)

    def part(self, start: int, stop: int) -> "Shards":
        """Return the rows from `start` to `stop` without reading them, 0 <= start < stop <= n."""
        cuts = []
        for part, end in zip(self._parts, self._ends, strict=True):
            first = max(start - (end - part.shape[0]), 0)
            last = min(stop - (end - part.shape[0]), part.shape[0])
            if first < last:
                cuts.append(_Cut(part, first, last))
        return Shards(cuts)

    def _between(self, start, stop):
        rows = np.empty((stop - start, *self.shape[1:]), self.dtype)
        number, filled = bisect.bisect_right(self._ends, start), 0
        while filled < len(rows):
            offset = start + filled - (self._ends[number] - self._parts[number].shape[0])
            size = min(len(rows) - filled, self._parts[number].shape[0] - offset)
            here = slice(filled, filled + size)
            self._copy(number, slice(offset, offset + size), rows, here)
            number, filled = number + 1, filled + size
        return rows

    def _at(self, indices):
        rows = np.empty((len(indices), *self.shape[1:]), self.dtype)
        numbers = np.searchsorted(self._ends, indices, side="right")
        for number in np.unique(numbers):
            places = np.flatnonzero(numbers == number)
            for own in np.split(places, range(_ROWS_APART, len(places), _ROWS_APART)):
                offsets = indices[own] - (self._ends[number] - self._parts[number].shape[0])
                self._copy(number, offsets, rows, own)
        return rows

    def _copy(self, number, rows, target, places):
        """Copy rows of a part to places of the target."""
        part = self._open.get(number)
        if part is None:
            if len(self._open) >= _MOST_OPEN:
                self._open.clear()
            self._open[number] = part = _opened(self._parts[number])
        target[places] = values = part[rows]
        is_in_order = isinstance(rows, slice)
        self._share_read += (
            values.nbytes / _BYTES_IN_ORDER if is_in_order else len(rows) / _ROWS_APART
        )
        if self._share_read >= 1:
            self._share_read = 0.0
            for each in list(self._open.values()):
                _release(each)


class _Cut:
    """Some rows of a part."""

    def __init__(self, part, start, stop):
        self._part, self._rows = part, slice(start, stop)
        self.shape, self.dtype = (stop - start, *part.shape[1:]), part.dtype

    def open(self):
        return _opened(self._part)[self._rows]


def _opened(part):
    return part.open() if hasattr(part, "open") else part


def _release(part):
    """Let the pages of a memory map leave the process, of which they count as memory."""
    # Of a private map, pages that were written to would be lost.
    if getattr(part, "_mmap", None) is not None and part.mode != "c":
        with contextlib.suppress(AttributeError):  # not on all systems
            part._mmap.madvise(mmap.MADV_DONTNEED)
