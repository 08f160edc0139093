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

import functools
from typing import NamedTuple

import tensorflow as tf

from kdec.kmeans.points import dense, products

_MOST_HALVINGS = 5
_SWEEP = 16  # scores that one loop of a compiled search compares
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
        x = dense(x)
        values = tf.map_fn(lambda center: tf.reduce_sum(tf.abs(x - center), axis=1), flat)
    else:
        values = products(-2 * flat, x)
        if metric == "euclidean":
            values += tf.reduce_sum(flat * flat, axis=1, keepdims=True)
    return tf.reshape(values, [k, n_active, -1])


def nearest(table):
    """Return the label and the score of the nearest centers, (A, c), from scores (k, A, c)."""
    return tf.argmin(table, axis=0, output_type=tf.int32), tf.reduce_min(table, axis=0)


def padded(centers, n_init):
    """Return the centers (k, A, d) as (k, A', d), padded to a size that searches are compiled for.

    The last restart is repeated up to one of the sizes R, R/2, R/4, ... of the R restarts.
    """
    n_active, size = tf.shape(centers)[1], n_init
    for _ in range(_MOST_HALVINGS):
        half = (size + 1) // 2
        size = tf.where(half >= n_active, half, size)
    return tf.gather(centers, tf.minimum(tf.range(size), n_active - 1), axis=1)


def nearest_compiled(x, centers, metric):
    """Return the labels (A', c) of the nearest of the centers (k, A', d).

    XLA compiles the search for each shape of its arguments, without a new trace.
    """
    flat = tf.reshape(centers, [-1, tf.shape(centers)[2]])
    squared = tf.reduce_sum(flat * flat, axis=1)
    if metric == "cosine":
        squared = tf.zeros_like(squared)
    return _wide(x, -2 * flat, tf.reshape(squared, tf.shape(centers)[:2]))


_compiled = functools.partial(tf.function, jit_compile=True, autograph=False)


@_compiled
def _wide(x, factors, bias):
    """Label (A', c) of the lowest of x (c, d) times factors (k * A', d), plus bias (k, A')."""
    return _two_nearest_in_one_sweep(tf.matmul(factors, x, transpose_b=True), bias)[0]


def _two_nearest_in_one_sweep(products, bias):
    """Label, best and second best score, each (A, c), in one sweep over the products.

    Args:
        products: (k * A, c).
        bias: (k, A), to add to them.
    """
    k = tf.shape(bias)[0]
    table = tf.reshape(products, tf.concat([tf.shape(bias), [-1]], 0))
    infinite = tf.fill(tf.shape(table)[1:], tf.constant(float("inf"), table.dtype))

    def sweep(first, label, best, second):
        for cluster in (first + j for j in range(_SWEEP)):
            row = tf.minimum(cluster, k - 1)  # The last sweep may go beyond the clusters.
            score = tf.where(cluster < k, table[row] + bias[row][:, tf.newaxis], infinite)
            label = tf.where(score < best, cluster, label)
            second = tf.minimum(second, tf.maximum(best, score))
            best = tf.minimum(best, score)
        return first + _SWEEP, label, best, second

    state = (0, tf.zeros(tf.shape(infinite), tf.int32), infinite, infinite)
    return tf.while_loop(lambda first, *_: first < k, sweep, state)[1:]


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


def settle(projection, subspace):
    """Labels from the subspace alone, and the points whose error bound leaves one of them open.

    Args:
        projection: centers of A restarts.
        subspace: with c points.

    Returns:
        labels (A, c) int32, open (c,) bool.
    """
    # By TensorFlow, on all cores; XLA's own product of these shapes takes twice as long.
    products = tf.matmul(projection.centers, subspace.points, transpose_b=True)
    return _settle(products, projection, subspace)


@_compiled
def _settle(products, projection, subspace):
    """Do the work of `settle` from the products on."""
    n_active = tf.shape(projection.residual)[0]
    bias = tf.zeros([tf.shape(products)[0] // n_active, n_active], products.dtype)
    found = _two_nearest_in_one_sweep(products, bias)
    return _without_open(*found, projection, subspace)


def _without_open(labels, best, second, projection, subspace):
    """Labels, and where in any restart the gap to the second best is within the error bound."""
    bound = (
        projection.residual * subspace.residual
        + projection.rounding * subspace.length
        + projection.floor
    )
    return labels, tf.reduce_any(second - best <= bound, axis=0)


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
    basis = _leading_directions(tf.reshape(offsets, [-1, tf.shape(x)[1]]), n_directions)
    points = tf.matmul(x, basis)
    squared_lengths = tf.reduce_sum(x * x, axis=1)
    outside = squared_lengths - tf.reduce_sum(points * points, axis=1)
    outside = tf.maximum(outside, 0) + _ROUNDING * squared_lengths
    points = tf.concat([points, tf.ones_like(points[:, :1])], axis=1)
    return Subspace(basis, points, tf.sqrt(outside), tf.sqrt(squared_lengths))


def _leading_directions(offsets, n_directions):
    """Return an orthonormal basis (d, m) of where the offsets (A * k, d) are longest."""

    def from_rows():
        _, directions = tf.linalg.eigh(tf.matmul(offsets, offsets, transpose_b=True))
        leading = tf.matmul(offsets, directions[:, -n_directions:], transpose_a=True)
        return tf.linalg.qr(leading)[0]

    def from_columns():
        return tf.linalg.eigh(tf.matmul(offsets, offsets, transpose_a=True))[1][:, -n_directions:]

    # The time grows with the cube of the side of the matrix: the smaller one of the two.
    n_offsets, d = tf.unstack(tf.shape(offsets))
    return tf.cond(n_offsets > d, from_columns, from_rows)
