"""The points of a k-means run, read in chunks as tensors near the origin.

Data of moderate size is copied once: shifted to its mean, in aligned memory, without its constant
columns, so that a chunk is a view. Larger data is not copied at all: TensorFlow reads the NumPy
buffer itself, and each chunk is shifted as it is read. Sparse data keeps its zeros: it is not
shifted, and its chunks are `tf.SparseTensor`. Data on the disk is read, and shifted, as it is
needed.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse
import tensorflow as tf
from sklearn.preprocessing import normalize
from sklearn.utils.sparsefuncs import mean_variance_axis

from kdec.kmeans.disk import DiskRows, read_chunk, reading

_LARGEST_COPY = 512 * 2**20  # bytes
_ALIGNMENT = 64  # bytes; TensorFlow reads only buffers that start on such an address
_STATISTICS_ROWS = 8192
_CHUNK_VALUES = 2**21


class Copied(NamedTuple):
    """Points as a copy near the origin."""

    body: tf.Tensor  # (n, d)

    @property
    def width(self) -> int:
        """Number of values that reading a row takes."""
        return self.body.shape[1]


class InPlace(NamedTuple):
    """Points as they lie in memory: the values of the head, then of the body, less the origin."""

    body: tf.Tensor  # flat, from the first aligned address on
    head: tf.Tensor  # flat, the values before it
    origin: tf.Tensor  # (d,)

    @property
    def width(self) -> int:
        """Number of values that reading a row takes."""
        return self.origin.shape[0]


class Sparse(NamedTuple):
    """Points as the rows of a sparse matrix in compressed rows."""

    body: tf.Tensor  # (m,), the values that are stored, row by row
    columns: tf.Tensor  # (m,) int64, where in its row each value is
    starts: tf.Tensor  # (n + 1,) int64, the first value of each row
    d: tf.Tensor  # int64

    @property
    def width(self) -> int:
        """Number of values that reading a row takes, on average; each comes with two indices."""
        return 3 * (1 + self.body.shape[0] // (self.starts.shape[0] - 1))


class OnDisk(NamedTuple):
    """Points that are read from the disk, less the origin."""

    key: tf.Tensor  # int64, by which `disk.reading` knows the rows
    origin: tf.Tensor  # (d,)

    @property
    def width(self) -> int:
        """Number of values that reading a row takes."""
        return self.origin.shape[0]


Points = Copied | InPlace | Sparse | OnDisk


class Plain(NamedTuple):
    """Points as the array itself, for loops outside of TensorFlow: its values less the origin."""

    body: np.ndarray  # (n, d)
    origin: np.ndarray  # (d,)


class Statistics(NamedTuple):
    """What the preparation of a run needs to know about the data."""

    mean: np.ndarray  # (d,)
    variance: np.ndarray  # (d,) float64
    varies: np.ndarray  # (d,) bool, False for a constant column


def statistics(data: np.ndarray | scipy.sparse.csr_matrix) -> Statistics:
    """Return mean and variance of each column, exact to rounding also far from the origin."""
    if scipy.sparse.issparse(data):
        mean, variance = mean_variance_axis(data, axis=0)
        return Statistics(mean.astype(data.dtype), variance.astype(np.float64), variance > 0)
    n, d = data.shape
    first = data[:1][0].copy()
    total, squares, varies = np.zeros(d), np.zeros(d), np.zeros(d, bool)
    ones = np.ones(_STATISTICS_ROWS, data.dtype)
    for chunk in chunks(data):
        shifted = chunk - first
        weights = ones[: len(shifted)]
        total += weights @ shifted
        np.square(shifted, out=shifted)
        chunk_squares = weights @ shifted
        varies |= chunk_squares > 0
        squares += chunk_squares
    shift = total / n
    variance = np.maximum(squares / n - shift**2, 0)
    return Statistics((first + shift).astype(data.dtype), variance, varies)


def finite_statistics(data):
    """Return the columns' statistics; raise a ValueError if their squares overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        about = statistics(data)
    if not np.isfinite(about.variance).all():
        raise ValueError(
            "Expected values whose squared distances to their mean sum to a finite number in "
            f"{data.dtype}, at most {np.finfo(data.dtype).max:.1e}. "
            f"Received: values up to {max(abs(rows).max() for rows in chunks(data)):g}."
        )
    return about


def chunks(data: np.ndarray | scipy.sparse.csr_matrix | DiskRows) -> Iterable:
    """Return the rows of a matrix some thousand at a time."""
    if isinstance(data, DiskRows):
        return data.chunks(_STATISTICS_ROWS)
    starts = range(0, data.shape[0], _STATISTICS_ROWS)
    return (data[start : start + _STATISTICS_ROWS] for start in starts)


def unit_rows(data):
    """Return the rows of a matrix scaled to length one; rows of zeros stay."""
    if isinstance(data, DiskRows):
        return data.scaled(unit_rows)
    if scipy.sparse.issparse(data):
        return normalize(data)
    # scikit-learn leaves rows below 1e-6 as they are: first, without rounding, all come near one.
    largest = np.maximum(data.max(axis=1), -data.min(axis=1))[:, np.newaxis]
    return normalize(np.ldexp(data, -np.frexp(largest)[1]), copy=False)


def fits_copy(data) -> bool:
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
    working = aligned_empty((len(data), int(np.count_nonzero(columns))), data.dtype)
    ends = np.flatnonzero(np.diff(columns, prepend=False, append=False)).reshape(-1, 2)
    for start in range(0, len(data), _STATISTICS_ROWS):
        rows = slice(start, start + _STATISTICS_ROWS)
        to = 0
        for first, last in ends:  # of columns side by side; all at once is several times slower
            own = slice(to, to + last - first)
            np.subtract(data[rows, first:last], origin[first:last], out=working[rows, own])
            to = own.stop
    return Copied(shared(working))


def sparse(data: scipy.sparse.csr_matrix) -> Sparse:
    """Return the rows of a sparse matrix."""
    if not data.has_canonical_format:
        data = data.copy()
        data.sum_duplicates()
    indices = (tf.constant(each, tf.int64) for each in (data.indices, data.indptr))
    return Sparse(tf.constant(data.data), *indices, tf.constant(data.shape[1], tf.int64))


@contextlib.contextmanager
def opened(
    data: np.ndarray | scipy.sparse.csr_matrix | DiskRows, origin: np.ndarray
) -> Iterator[Points]:
    """Yield the data as points for the block, with the origin to subtract on reading."""
    if scipy.sparse.issparse(data):
        yield sparse(data)
    elif isinstance(data, DiskRows):
        with reading(data) as key:
            yield OnDisk(key, tf.constant(origin))
    else:
        yield in_place(data, origin)


def in_place(data: np.ndarray, origin: np.ndarray) -> InPlace:
    """Return the data itself, with the origin to subtract on reading."""
    flat = data.reshape(-1)
    n_head = min(-flat.ctypes.data % _ALIGNMENT // flat.itemsize, flat.size)
    # NumPy shares only writeable buffers, and misaligned values never reach an aligned address.
    if not (flat.flags.writeable and flat.flags.aligned):
        return InPlace(tf.constant(flat), tf.zeros([0], data.dtype), tf.constant(origin))
    return InPlace(shared(flat[n_head:]), tf.constant(flat[:n_head]), tf.constant(origin))


def chunk_rows(width, n_columns):
    """Return a power of two such that the values and scores of that many rows stay near caches."""
    rows = 256
    while 2 * rows * max(n_columns, width // 4) <= _CHUNK_VALUES:
        rows *= 2
    return rows


def read(points: Points, start, rows):
    """Return `rows` rows from `start` on, near the origin: (rows, d); a view of a copy.

    For sparse points it is a `tf.SparseTensor`, which the functions below take too.
    """
    if isinstance(points, Copied):
        return points.body[start : start + rows]
    if isinstance(points, Sparse):
        return _sparse_rows(points, start, rows)
    if isinstance(points, OnDisk):
        return read_chunk(points.key, start, rows, points.origin.dtype) - points.origin
    d = tf.size(points.origin, tf.int64)
    n_head = tf.size(points.head, tf.int64)
    begin = tf.cast(start, tf.int64) * d
    end = begin + tf.cast(rows, tf.int64) * d
    body = points.body[tf.maximum(begin - n_head, 0) : tf.maximum(end - n_head, 0)]
    values = tf.concat([points.head[begin:end], body], 0)
    return tf.reshape(values, tf.stack([-1, d])) - points.origin


def rows_at(points: Points, indices):
    """Return the points at the indices (m,), near the origin: (m, d)."""
    values = points.origin if isinstance(points, OnDisk) else points.body
    return tf.map_fn(
        lambda index: dense(read(points, index, 1))[0], indices, fn_output_signature=values.dtype
    )


def dense(x):
    """Return a chunk (c, d) as a dense tensor."""
    return tf.sparse.to_dense(x) if isinstance(x, tf.SparseTensor) else x


def products(factors, x):
    """Return the products of factors (m, d) with the rows of a chunk (c, d): (m, c)."""
    if isinstance(x, tf.SparseTensor):
        return tf.transpose(tf.sparse.sparse_dense_matmul(x, factors, adjoint_b=True))
    return tf.matmul(factors, x, transpose_b=True)


def own_products(x, centers, labels):
    """Return the products of the rows of a chunk (c, d) with their own centers (k, d): (c,)."""
    if isinstance(x, tf.SparseTensor):
        row, column = x.indices[:, 0], x.indices[:, 1]
        label = tf.cast(tf.gather(labels, row), tf.int64)
        own = tf.gather_nd(centers, tf.stack([label, column], axis=1))
        return tf.math.unsorted_segment_sum(x.values * own, row, x.dense_shape[0])
    return tf.reduce_sum(x * tf.gather(centers, labels), axis=1)


def weighted_sums(weights, x):
    """Return the sums of the rows of a chunk (c, d) with weights (m, c): (m, d)."""
    if isinstance(x, tf.SparseTensor):
        sums = tf.sparse.sparse_dense_matmul(x, weights, adjoint_a=True, adjoint_b=True)
        return tf.transpose(sums)
    return tf.matmul(weights, x)


def squared_lengths(x):
    """Return the squared length of each row of a chunk (c, d): (c,)."""
    if isinstance(x, tf.SparseTensor):
        return tf.math.unsorted_segment_sum(tf.square(x.values), x.indices[:, 0], x.dense_shape[0])
    return tf.reduce_sum(tf.square(x), axis=1)


def _sparse_rows(points, start, rows):
    starts = points.starts[start : start + rows + 1]
    n_rows = tf.size(starts, tf.int64) - 1
    own = slice(starts[0], starts[-1])
    row_of_value = tf.repeat(tf.range(n_rows), starts[1:] - starts[:-1])
    places = tf.stack([row_of_value, points.columns[own]], axis=1)
    return tf.SparseTensor(places, points.body[own], tf.stack([n_rows, points.d]))


def aligned(values: np.ndarray) -> np.ndarray:
    """Return an array that starts on an aligned address: itself, or a copy."""
    if (
        values.ctypes.data % _ALIGNMENT == 0
        and values.flags.writeable
        and values.flags.c_contiguous
    ):
        return values
    copy = aligned_empty(values.shape, values.dtype)
    copy[:] = values
    return copy


def shared(values: np.ndarray) -> tf.Tensor:
    """Return a tensor on the memory of an aligned array."""
    if values.size == 0:
        return tf.zeros(values.shape, values.dtype)
    return tf.experimental.dlpack.from_dlpack(values.__dlpack__())


def aligned_empty(shape, dtype) -> np.ndarray:
    """Return an uninitialised array that starts on an aligned address."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(n_bytes + _ALIGNMENT, np.uint8)
    offset = -buffer.ctypes.data % _ALIGNMENT
    return buffer[offset : offset + n_bytes].view(dtype).reshape(shape)
