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

_MOST_PRODUCTS = 256
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


class Kernel(NamedTuple):
    """A search for the nearest centers that XLA compiles for chunks of one size.

    Chunks of another size, as the last one may be, take the same search operation by operation.
    """

    kind: str  # "narrow" or "wide"
    n_features: int
    n_clusters: int
    rows: int


def is_narrow(d, n_clusters):
    """Tell whether all products of a point and its centers fit into the registers of a loop."""
    return d * n_clusters <= _MOST_PRODUCTS


def nearest_compiled(x, centers, n_active, metric, kernel: Kernel):
    """Return the labels (A', c) of the nearest of the centers (k, A', d), of which A are used."""
    flat = tf.reshape(centers, [-1, tf.shape(centers)[2]])
    squared = tf.reduce_sum(flat * flat, axis=1)
    if metric == "cosine":
        squared = tf.zeros_like(squared)

    def compiled():
        if kernel.kind == "narrow":
            bias = tf.reshape(squared, tf.shape(centers)[:2])
            return _compiled(_narrow, kernel)(tf.transpose(x), -2 * centers, bias, n_active)
        return _compiled(_wide, kernel)(x, -2 * flat, squared)

    return tf.cond(
        tf.shape(x)[0] == kernel.rows, compiled, lambda: nearest(scores(x, centers, metric))[0]
    )


@functools.lru_cache(maxsize=64)
def _compiled(search, kernel):
    """Return the compiled search of a kernel; XLA needs one for each shape."""
    return tf.function(functools.partial(search, kernel=kernel), jit_compile=True, autograph=False)


def _narrow(features, factors, bias, n_active, kernel):
    """Label (A', c) of the lowest score, products with few features taken one by one.

    Args:
        features: points, (d, c).
        factors: (k, A', d).
        bias: (k, A').
        n_active: restarts to label, the first ones.
        kernel: of this shape.
    """

    def label(restart):
        label = tf.zeros([kernel.rows], tf.int32)
        best = tf.fill([kernel.rows], tf.constant(float("inf"), features.dtype))
        for j in range(kernel.n_clusters):
            score = tf.fill([kernel.rows], bias[j, restart])
            for feature in range(kernel.n_features):
                score += factors[j, restart, feature] * features[feature]
            label = tf.where(score < best, j, label)
            best = tf.minimum(best, score)
        return label

    def step(restart, labels):
        own = label(restart)[tf.newaxis]
        return restart + 1, tf.tensor_scatter_nd_update(labels, [[restart]], own)

    labels = tf.zeros([tf.shape(factors)[1], kernel.rows], tf.int32)
    return tf.while_loop(lambda restart, _: restart < n_active, step, (0, labels))[1]


def _wide(x, factors, bias, kernel):
    """Label (A', c) of the lowest score, of the products of x (c, d) and factors (k * A', d)."""
    return _two_nearest_in_one_sweep(tf.matmul(factors, x, transpose_b=True), bias, kernel)[0]


def _two_nearest_in_one_sweep(products, bias, kernel):
    """Label, best and second best score, each (A, c), in one sweep over the products.

    Args:
        products: (k * A, c).
        bias: (k * A,), to add to them.
        kernel: of this number of points and clusters.
    """
    k = kernel.n_clusters
    table = tf.reshape(products, [k, -1, kernel.rows])
    bias = tf.reshape(bias, [k, -1, 1])
    infinite = tf.fill(tf.shape(table)[1:], tf.constant(float("inf"), table.dtype))

    def rows_of(tensor, first, size):
        # Unlike the ends of tensor[a:b], the size of a slice is a constant for XLA.
        return tf.slice(tensor, [first, 0, 0], [size, *tf.unstack(tf.shape(tensor)[1:])])

    def sweep(first, state, n_scores):
        part, biases = rows_of(table, first, n_scores), rows_of(bias, first, n_scores)
        label, best, second = state
        for j in range(n_scores):
            score = part[j] + biases[j]
            label = tf.where(score < best, first + j, label)
            second = tf.minimum(second, tf.maximum(best, score))
            best = tf.minimum(best, score)
        return label, best, second

    state = (tf.zeros(tf.shape(infinite), tf.int32), infinite, infinite)
    n_blocks = k // _SWEEP
    if n_blocks > 1:
        _, *state = tf.while_loop(
            lambda block, *_: block < n_blocks,
            lambda block, *state: (block + 1, *sweep(block * _SWEEP, state, _SWEEP)),
            (0, *state),
        )
        return sweep(n_blocks * _SWEEP, state, k % _SWEEP)
    return sweep(0, state, k)


def _two_nearest(table):
    """Label, best and second best along the first axis, one TensorFlow operation after another."""
    label, best = nearest(table)
    own = tf.range(tf.shape(table)[0])[:, tf.newaxis, tf.newaxis] == label
    rest = tf.where(own, tf.constant(float("inf"), table.dtype), table)
    return label, best, tf.reduce_min(rest, axis=0)


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


def settle(projection, subspace, kernel: Kernel | None):
    """Labels from the subspace alone, and the points whose error bound leaves one of them open.

    Args:
        projection: centers of A restarts.
        subspace: with c points.
        kernel: how to find the nearest; None for one operation after another.

    Returns:
        labels (A, c) int32, open (c,) bool.
    """
    # By TensorFlow, on all cores; XLA's own product of these shapes takes twice as long.
    products = tf.matmul(projection.centers, subspace.points, transpose_b=True)

    def by_operations():
        table = tf.reshape(products, [-1, tf.shape(projection.residual)[0], tf.shape(products)[1]])
        return _without_open(*_two_nearest(table), projection, subspace)

    if kernel is None:
        return by_operations()
    return tf.cond(
        tf.shape(products)[1] == kernel.rows,
        lambda: _compiled(_settle, kernel)(products, projection, subspace),
        by_operations,
    )


def _settle(products, projection, subspace, kernel):
    """Do the work of `settle` from the products on, for XLA."""
    bias = tf.zeros_like(projection.centers[:, 0])
    found = _two_nearest_in_one_sweep(products, bias, kernel)
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
