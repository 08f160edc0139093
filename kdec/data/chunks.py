"""Samples some megabytes at a time, for figures of all of them."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from kdec.data.shards import Shards

_VALUES = 2**21  # at once, 8 MiB of float32


def in_chunks(x: Any) -> Iterator[np.ndarray]:
    """Yield the rows of `x`, an array (n, ...) or samples on the disk, some megabytes at a time.

    Example:
    >>> import numpy as np
    >>> from kdec.data import in_chunks
    >>> sum(len(chunk) for chunk in in_chunks(np.zeros((5_000_000, 3), "int8")))
    5000000
    """
    x = Shards.of(x) or x
    size = max(1, _VALUES // max(1, prod(x.shape[1:])))
    for start in range(0, len(x), size):
        yield x[start : start + size]


def least_and_greatest(x: Any) -> tuple[float, float]:
    """Return the least and the greatest value of samples; both are NaN if one is.

    Example:
    >>> import numpy as np
    >>> from kdec.data import least_and_greatest
    >>> least_and_greatest(np.array([[3, 1], [2, 5]]))
    (1.0, 5.0)
    """
    ends = [(chunk.min(), chunk.max()) for chunk in in_chunks(x)]
    return float(np.min([low for low, _ in ends])), float(np.max([high for _, high in ends]))
