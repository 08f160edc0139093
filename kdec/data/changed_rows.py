"""Samples that are scaled or shaped: those on the disk when they are read."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kdec.data.shards import Shards


def change_rows(x: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Return `change(x)`; of samples on the disk, `Shards` that are changed as they are read.

    Args:
        x: Array (n, ...), or samples on the disk.
        change: From some rows (m, ...) to the same rows changed, (m, ...), each by itself.

    Example:
    >>> import numpy as np
    >>> from kdec.data import Shards, change_rows
    >>> rows = Shards([np.array([[0.0, 1.0], [2.0, 3.0]])])
    >>> halves = change_rows(rows, lambda rows: (rows / 2).astype("float32"))
    >>> halves.shape, halves.dtype.name, halves[1:].tolist()
    ((2, 2), 'float32', [[1.0, 1.5]])
    """
    rows = Shards.of(x)
    return change(x) if rows is None else _ChangedRows(rows, change)


class _ChangedRows(Shards):
    """Samples on the disk, changed when they are read."""

    def __init__(self, rows: Shards, change: Callable[[np.ndarray], np.ndarray]):
        self._rows, self._change = rows, change
        first = change(rows[:1])
        self.shape, self.dtype = (len(rows), *first.shape[1:]), first.dtype

    def __getitem__(self, rows) -> np.ndarray:
        """Read rows as `Shards` does, and change them."""
        if isinstance(rows, slice) or np.ndim(rows):
            return self._change(self._rows[rows])
        return self._change(self._rows[[rows]])[0]

    def part(self, start: int, stop: int) -> "_ChangedRows":
        """Return the rows from `start` to `stop` without reading them, 0 <= start < stop <= n."""
        return _ChangedRows(self._rows.part(start, stop), self._change)
