"""Points that stay on the disk: checked and scaled as they are read, and read ahead."""

import contextlib
import ctypes
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from sklearn.utils import assert_all_finite

from kdec.data import Shards

_FLOATS = (np.float32, np.float64)
_MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD
_LARGE_BLOCK, _LARGEST_BLOCK = 2**22, 2**25  # bytes; the second is where glibc ends by itself


class DiskRows:
    """Rows of `Shards` as k-means takes them: float32 or float64, finite, each read anew.

    Args:
        shards: (n, d), real.
        scale: Makes of rows what k-means works on, such as rows of length one.
    """

    def __init__(self, shards: Shards, scale: Callable[[np.ndarray], np.ndarray] | None = None):
        if shards.ndim != 2 or shards.dtype.kind not in "biuf":
            raise ValueError(
                "Expected real numbers of shape (n, n_features). "
                f"Received: shape {shards.shape} and dtype {shards.dtype}"
            )
        self._shards, self._scale = shards, scale
        self.shape, self.ndim = shards.shape, 2
        self.dtype = shards.dtype if shards.dtype in _FLOATS else np.dtype(np.float64)
        self.itemsize = self.dtype.itemsize
        self.nbytes = shards.shape[0] * shards.shape[1] * self.itemsize

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows) -> np.ndarray:
        """Read rows; raise ValueError for NaN and infinite values."""
        values = self._shards[rows].astype(self.dtype, copy=False)
        assert_all_finite(values, estimator_name="KMeans", input_name="X")
        return values if self._scale is None else self._scale(values)

    def scaled(self, scale: Callable[[np.ndarray], np.ndarray]) -> "DiskRows":
        """Return the rows as `scale` makes them."""
        return DiskRows(self._shards, scale)

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """Read all rows, that many at a time, each time one ahead."""
        with _reading_ahead(self) as reader:
            for start in range(0, len(self), rows):
                yield reader.read(start, min(rows, len(self) - start))


class _Reader:
    """Reads chunks, and the next one ahead, in a thread, while the last one is worked on."""

    def __init__(self, rows, thread):
        self._rows, self._thread = rows, thread
        self._ahead, self._start, self._lock = None, None, threading.Lock()
        self.error = None

    def read(self, start, size):
        with self._lock:
            try:
                return self._read(int(start), int(size))
            except Exception as error:
                self.error = error
                raise

    def _read(self, start, size):
        if size == 1:  # A row by itself, between the chunks.
            return self._rows[start : start + 1]
        chunk = self._ahead.result() if self._start == start else None
        if chunk is None or len(chunk) < size:
            chunk = self._rows[start : start + size]
        # After the last chunk the next pass begins, with chunks of the same size.
        self._start = start + size if start + size < len(self._rows) else 0
        self._size = size if start == 0 else self._size
        self._ahead = self._thread.submit(
            self._rows.__getitem__, slice(self._start, self._start + self._size)
        )
        return chunk[:size]


@contextlib.contextmanager
def _reading_ahead(rows):
    with ThreadPoolExecutor(1, "kdec-reading-ahead") as thread:
        yield _Reader(rows, thread)


@contextlib.contextmanager
def _large_blocks_returned():
    """Have glibc give large blocks back to the system as they are freed, within the block.

    Else the labels of a chunk, kept until all have been labelled, settle in the gap that its scores
    leave, the next scores need new room, and in the end that of all chunks is taken.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another library, or system
        yield
        return
    mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)


_readers, _keys = {}, itertools.count()


@contextlib.contextmanager
def reading(rows: DiskRows) -> Iterator[tf.Tensor]:
    """Yield a key by which `read_chunk` reads the rows in graphs, within the block.

    What goes wrong in reading is raised as it was, not as an error of TensorFlow's.
    """
    key = next(_keys)
    with _large_blocks_returned(), _reading_ahead(rows) as reader:
        _readers[key] = reader
        try:
            yield tf.constant(key, tf.int64)
        except tf.errors.OpError:
            if reader.error is not None:
                raise reader.error from None
            raise
        finally:
            del _readers[key]


def read_chunk(key, start, rows, dtype):
    """Read rows in a graph: (rows, d)."""
    chunk = tf.numpy_function(_read_by_key, [key, start, rows], dtype)
    return tf.ensure_shape(chunk, [None, None])


def _read_by_key(key, start, rows):
    return _readers[int(key)].read(start, rows)
