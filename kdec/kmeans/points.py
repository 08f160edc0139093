"""The points of a k-means run, read in chunks as tensors near the origin.

Data of moderate size is copied once: shifted to its mean, in aligned memory, without its constant
columns, so that a chunk is a view. Larger data is not copied at all: TensorFlow reads the NumPy
buffer itself, and each chunk is shifted as it is read.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_LARGEST_COPY = 512 * 2**20  # bytes
_ALIGNMENT = 64  # bytes; TensorFlow reads only buffers that start on such an address
_STATISTICS_ROWS = 8192
_CHUNK_VALUES = 2**21


class Copied(NamedTuple):
    """Points as a copy near the origin."""

    body: tf.Tensor  # (n, d)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.body.shape[1]


class InPlace(NamedTuple):
    """Points as they lie in memory: the values of the head, then of the body, less the origin."""

    body: tf.Tensor  # flat, from the first aligned address on
    head: tf.Tensor  # flat, the values before it
    origin: tf.Tensor  # (d,)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.origin.shape[0]


Points = Copied | InPlace


class Statistics(NamedTuple):
    """What the preparation of a run needs to know about the data."""

    mean: np.ndarray  # (d,)
    variance: np.ndarray  # (d,) float64
    varies: np.ndarray  # (d,) bool, False for a constant column


def statistics(data: np.ndarray) -> Statistics:
    """Return mean and variance of each column, exact to rounding also far from the origin."""
    n, d = data.shape
    first = data[0].copy()
    total, squares, varies = np.zeros(d), np.zeros(d), np.zeros(d, bool)
    ones = np.ones(_STATISTICS_ROWS, data.dtype)
    for start in range(0, n, _STATISTICS_ROWS):
        shifted = data[start : start + _STATISTICS_ROWS] - first
        weights = ones[: len(shifted)]
        total += weights @ shifted
        np.square(shifted, out=shifted)
        chunk_squares = weights @ shifted
        varies |= chunk_squares > 0
        squares += chunk_squares
    shift = total / n
    variance = np.maximum(squares / n - shift**2, 0)
    return Statistics((first + shift).astype(data.dtype), variance, varies)


def fits_copy(data: np.ndarray) -> bool:
    """Tell whether the data is small enough for a working copy."""
    return data.nbytes <= _LARGEST_COPY


def columns_to_copy(varies: np.ndarray, itemsize: int) -> np.ndarray:
    """Return which columns a copy needs: those that vary, and some constant ones as padding.

    TensorFlow takes a chunk as a view only if each row starts on an aligned address.
    """
    constant = np.flatnonzero(~varies)
    columns = varies.copy()
    columns[constant[: -np.count_nonzero(varies) % (_ALIGNMENT // itemsize)]] = True
    return columns


def copied(data: np.ndarray, origin: np.ndarray, columns: np.ndarray) -> Copied:
    """Return the chosen columns of the data less the origin, in a copy."""
    working = _aligned_empty((len(data), int(np.count_nonzero(columns))), data.dtype)
    ends = np.flatnonzero(np.diff(columns, prepend=False, append=False)).reshape(-1, 2)
    for start in range(0, len(data), _STATISTICS_ROWS):
        rows = slice(start, start + _STATISTICS_ROWS)
        to = 0
        for first, last in ends:  # of columns side by side; all at once is several times slower
            own = slice(to, to + last - first)
            np.subtract(data[rows, first:last], origin[first:last], out=working[rows, own])
            to = own.stop
    return Copied(_shared(working))


def in_place(data: np.ndarray, origin: np.ndarray) -> InPlace:
    """Return the data itself, with the origin to subtract on reading."""
    flat = data.reshape(-1)
    n_head = min(-flat.ctypes.data % _ALIGNMENT // flat.itemsize, flat.size)
    # NumPy shares only writeable buffers, and misaligned values never reach an aligned address.
    if not (flat.flags.writeable and flat.flags.aligned):
        return InPlace(tf.constant(flat), tf.zeros([0], data.dtype), tf.constant(origin))
    return InPlace(_shared(flat[n_head:]), tf.constant(flat[:n_head]), tf.constant(origin))


def chunk_rows(d, n_columns):
    """Return a power of two such that the values and scores of that many rows stay near caches."""
    rows = 256
    while 2 * rows * max(n_columns, d // 4) <= _CHUNK_VALUES:
        rows *= 2
    return rows


def read(points: Points, start, rows):
    """Return `rows` rows from `start` on, near the origin: (rows, d); a view of a copy."""
    if isinstance(points, Copied):
        return points.body[start : start + rows]
    d = tf.size(points.origin, tf.int64)
    n_head = tf.size(points.head, tf.int64)
    begin = tf.cast(start, tf.int64) * d
    end = begin + tf.cast(rows, tf.int64) * d
    body = points.body[tf.maximum(begin - n_head, 0) : tf.maximum(end - n_head, 0)]
    values = tf.concat([points.head[begin:end], body], 0)
    return tf.reshape(values, tf.stack([-1, d])) - points.origin


def _shared(values: np.ndarray) -> tf.Tensor:
    """Return a tensor on the memory of an aligned array."""
    if values.size == 0:
        return tf.zeros(values.shape, values.dtype)
    return tf.experimental.dlpack.from_dlpack(values.__dlpack__())


def _aligned_empty(shape, dtype) -> np.ndarray:
    """Return an uninitialised array that starts on an aligned address."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.empty(n_bytes + _ALIGNMENT, np.uint8)
    offset = -buffer.ctypes.data % _ALIGNMENT
    return buffer[offset : offset + n_bytes].view(dtype).reshape(shape)
