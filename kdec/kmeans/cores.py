"""Compiled loops over the points, in pieces on all cores."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count

_FEWEST_ROWS = 1024  # a thread costs more than fewer
_PIECES = 32


def in_pieces(function: Callable, n: int) -> list:
    """Return what a function gives for each piece of n rows, in order.

    It is called with the first row and the one behind the last. Compiled loops and those of NumPy
    let go of Python's lock, so the pieces run at the same time. Their sizes do not depend on the
    number of cores, so neither do sums over them.
    """
    rows = max(_FEWEST_ROWS, -(-n // _PIECES))
    pieces = [(start, min(start + rows, n)) for start in range(0, n, rows)]
    found, left = [None] * len(pieces), iter(range(len(pieces)))

    def work():
        for piece in left:
            found[piece] = function(*pieces[piece])

    others = [_threads().submit(work) for _ in range(min(len(pieces), _count()) - 1)]
    try:
        work()
    finally:
        for other in others:
            other.result()
    return found


@functools.cache
def _count():
    return cpu_count()


@functools.cache
def _threads():
    return ThreadPoolExecutor(_count(), "kdec-kmeans")
