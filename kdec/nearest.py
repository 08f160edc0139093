"""Which centroid is nearest, for the centroids of many restarts at once.

Shapes: c points of a chunk, d features, k clusters, A restarts, m directions of a subspace.

A *score* orders the centers of one restart as their distances do, and leaves out what they share:
``|center|^2 - 2 x.center`` for squared distances, ``-2 x.center`` for cosines (two minus twice the
cosine, less two), the distance itself for manhattan.

For wide data the scores of all restarts are first computed in a subspace that nearly contains
their centers. With P the projection on its complement and v a vector common to a restart, the
error of a difference of two scores is at most ``2 |Px| (|P(a - v)| + |P(b - v)|)`` by
Cauchy-Schwarz, so a gap above that bound settles the label. Rows with a gap below it in any
restart are scored again with all features. The labels are those of the full computation; only the
work differs.
"""

from typing import NamedTuple

import tensorflow as tf

_LARGEST_UNROLLED = 16
_ROUNDING = 4e-6


class Subspace(NamedTuple):
    """An orthonormal basis near the centers, and the points in it."""

    basis: tf.Tensor  # (d, m)
    points: tf.Tensor  # (n, m + 1), the last column 1
    residual: tf.Tensor  # (n,) upper bound of the length outside the subspace
    length: tf.Tensor  # (n,) length of each point


def scores(x, centers, metric):
    """Scores of all centers: (c, d), (k, A, d) -> (k, A, c)."""
    k, n_active = tf.shape(centers)[0], tf.shape(centers)[1]
    flat = tf.reshape(centers, [-1, tf.shape(centers)[2]])
    if metric == "manhattan":
        values = tf.map_fn(lambda center: tf.reduce_sum(tf.abs(x - center), axis=1), flat)
    else:
        values = tf.matmul(-2 * flat, x, transpose_b=True)
        if metric == "euclidean":
            values += tf.reduce_sum(flat * flat, axis=1, keepdims=True)
    return tf.reshape(values, [k, n_active, -1])


class Kernel(NamedTuple):
    """Which implementation finds the nearest centers.

    With a number of clusters, chunks of exactly `rows` points go through a kernel that XLA
    compiles for that shape; all else runs operation by operation, for any shape.
    """

    n_clusters: int | None
    rows: int | None


def nearest(table, kernel: Kernel):
    """Return label, best and second best score, each (A, c), for scores (k, A, c)."""
    if kernel.n_clusters is None:
        return _two_nearest(table)

    def compiled():
        found = _two_nearest_compiled(tf.reshape(table, [kernel.n_clusters, -1]))
        return tuple(tf.reshape(each, tf.shape(table)[1:]) for each in found)

    return tf.cond(tf.shape(table)[2] == kernel.rows, compiled, lambda: _two_nearest(table))


def _two_nearest(table):
    """Label, best and second best along the first axis, one TensorFlow operation after another."""
    label = tf.argmin(table, axis=0, output_type=tf.int32)
    own = tf.range(tf.shape(table)[0])[:, tf.newaxis, tf.newaxis] == label
    rest = tf.where(own, tf.constant(float("inf"), table.dtype), table)
    return label, tf.reduce_min(table, axis=0), tf.reduce_min(rest, axis=0)


@tf.function(jit_compile=True)
def _two_nearest_compiled(table):
    """Label, best and second best of (k, M), in one sweep that XLA fuses."""
    k = table.shape[0]

    def update(j, label, best, second):
        score = table[j]
        label = tf.where(score < best, j, label)
        second = tf.minimum(second, tf.maximum(best, score))
        return j + 1, label, tf.minimum(best, score), second

    infinite = tf.fill(tf.shape(table)[1:], tf.constant(float("inf"), table.dtype))
    state = (0, tf.zeros(tf.shape(table)[1:], tf.int32), infinite, infinite)
    if k <= _LARGEST_UNROLLED:
        for _ in range(k):
            state = update(*state)
    else:
        state = tf.while_loop(lambda j, *_: j < k, update, state)
    return state[1:]


class Projection(NamedTuple):
    """The centers of one iteration, seen from the subspace."""

    centers: tf.Tensor  # (k * A, m + 1), so that their product with points gives scores
    residual: tf.Tensor  # (A, 1) factor of a point's residual in the error bound
    rounding: tf.Tensor  # (A, 1) factor of a point's length in the bound on rounding
    floor: tf.Tensor  # (A, 1) part of the bound on rounding that no point changes


def project(centers, basis, metric) -> Projection:
    """Return the centers (k, A, d) in the subspace, with what bounds the error of their scores."""
    d = tf.shape(centers)[2]
    offsets = centers - tf.reduce_mean(centers, axis=0, keepdims=True)
    low = tf.tensordot(offsets, basis, 1)
    outside = tf.norm(offsets - tf.tensordot(low, basis, [[2], [1]]), axis=2)  # (k, A)
    largest = tf.math.top_k(tf.transpose(outside), tf.minimum(2, tf.shape(centers)[0]))[0]
    flat = tf.reshape(centers, [-1, d])
    squared = tf.reduce_sum(flat * flat, axis=1, keepdims=True)
    if metric == "cosine":
        squared = tf.zeros_like(squared)
    by_restart = tf.reshape(squared, tf.shape(outside))
    return Projection(
        tf.concat([tf.reshape(-2 * low, [-1, tf.shape(basis)[1]]), squared], axis=1),
        2 * tf.reduce_sum(largest, axis=1, keepdims=True),
        _ROUNDING * tf.reduce_max(tf.norm(offsets, axis=2), axis=0)[:, tf.newaxis],
        _ROUNDING * tf.reduce_max(by_restart, axis=0)[:, tf.newaxis],
    )


def settle(projection, subspace, kernel: Kernel):
    """Labels from the subspace alone, and which of them its error bound leaves open.

    Args:
        projection: centers of A restarts.
        subspace: with c points.
        kernel: how to find the nearest.

    Returns:
        labels (A, c) int32, open (A, c) bool.
    """
    n_active, n_points = tf.shape(projection.residual)[0], tf.shape(subspace.points)[0]
    values = tf.matmul(projection.centers, subspace.points, transpose_b=True)
    labels, best, second = nearest(tf.reshape(values, [-1, n_active, n_points]), kernel)
    bound = (
        projection.residual * subspace.residual
        + projection.rounding * subspace.length
        + projection.floor
    )
    return labels, second - best <= bound


def part(subspace, start, stop) -> Subspace:
    """Return the subspace with a part of its points."""
    return Subspace(
        subspace.basis,
        subspace.points[start:stop],
        subspace.residual[start:stop],
        subspace.length[start:stop],
    )


def find_subspace(x, centers, n_directions) -> Subspace:
    """Return the leading directions of the centers (A, k, d), and the points x (n, d) in them."""
    offsets = centers - tf.reduce_mean(centers, axis=1, keepdims=True)
    offsets = tf.reshape(offsets, [-1, tf.shape(x)[1]])
    _, directions = tf.linalg.eigh(tf.matmul(offsets, offsets, transpose_b=True))
    leading = tf.matmul(offsets, directions[:, -n_directions:], transpose_a=True)
    basis, _ = tf.linalg.qr(leading)
    points = tf.matmul(x, basis)
    squared_lengths = tf.reduce_sum(x * x, axis=1)
    outside = squared_lengths - tf.reduce_sum(points * points, axis=1)
    outside = tf.maximum(outside, 0) + _ROUNDING * squared_lengths
    points = tf.concat([points, tf.ones_like(points[:, :1])], axis=1)
    return Subspace(basis, points, tf.sqrt(outside), tf.sqrt(squared_lengths))
