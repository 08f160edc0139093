"""NumPy's work on a chunk of points, in pieces on all cores."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from joblib import cpu_count
from threadpoolctl import ThreadpoolController

_MOST_ROWS = 8192
_FEWEST_ROWS = 1024  # a thread costs more than fewer
_PIECES = 16

_alone = threading.Lock()


def in_pieces(function: Callable, n: int) -> list:
    """Return what a function gives for each piece of n rows, in order.

    It is called with a slice. NumPy lets go of Python's lock in its loops, so the pieces run at the
    same time. Their sizes do not depend on the number of cores, so neither do sums over them.
    """
    rows = max(_FEWEST_ROWS, min(_MOST_ROWS, -(-n // _PIECES)))
    pieces = [slice(start, min(start + rows, n)) for start in range(0, n, rows)]
    n_threads = min(len(pieces), cpu_count())
    if n_threads <= 1:
        return [function(piece) for piece in pieces]
    # Alone, for the limit is that of the whole process.
    with (
        _alone,
        _controller().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(n_threads, "kdec-kmeans") as threads,
    ):
        return list(threads.map(function, pieces))


@functools.cache
def _controller():
    return ThreadpoolController()
