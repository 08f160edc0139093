"""New centroids from the weighted sums of the clusters.

The sums are kept from iteration to iteration in float64, and only points that changed cluster
enter them.

Shapes: n points, c points of a chunk, d features, k clusters, A active restarts.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kdec.kmeans.labeling import own_distances
from kdec.kmeans.points import rows_at, weighted_sums

_DENSE_SHARE = 0.01  # of (point, cluster) entries that changed; above, a dense product is faster
_NARROWEST_DENSE = 64  # features


class Sums(NamedTuple):
    """Clusters as weighted sums of their points."""

    vectors: tf.Tensor  # (A * k, d) float64
    weights: tf.Tensor  # (A * k,) float64
    counts: tf.Tensor  # (A * k,) int32, points with a weight other than 0


def empty_sums(n_clusters, d) -> Sums:
    """Return the sums of clusters without points."""
    return Sums(
        tf.zeros([n_clusters, d], tf.float64),
        tf.zeros([n_clusters], tf.float64),
        tf.zeros([n_clusters], tf.int32),
    )


def add(sums, change) -> Sums:
    """Return the sums after a change."""
    return Sums(*(total + part for total, part in zip(sums, change, strict=True)))


def change_of_sums(x, weight, old, new, k):
    """Change of the sums by the points of a chunk that changed cluster: labels (A, c).

    Returns:
        `Sums` of A * k clusters.
    """
    n_active, n_rows = tf.shape(new)[0], tf.shape(new)[1]
    moved = tf.where(new != old)  # (changes, 2): restart, row
    restart, row = tf.cast(moved[:, 0], tf.int32), moved[:, 1]
    joined, left = tf.gather_nd(new, moved), tf.gather_nd(old, moved)
    had_cluster = left >= 0
    clusters = tf.concat(
        [restart * k + joined, tf.boolean_mask(restart * k + left, had_cluster)], 0
    )
    rows = tf.concat([row, tf.boolean_mask(row, had_cluster)], 0)
    sign = tf.where(tf.range(tf.size(rows)) < tf.size(joined), 1, -1)
    values = tf.gather(weight, rows)
    counted = tf.where(values != 0, sign, 0)
    values *= tf.cast(sign, values.dtype)
    entries = tf.stack([tf.cast(clusters, tf.int64), rows], axis=1)
    shape = tf.cast(tf.stack([n_active * k, n_rows]), tf.int64)

    def total(each):
        return tf.math.unsorted_segment_sum(each, clusters, n_active * k)

    vectors = _weighted_sums(entries, values, shape, x)
    return Sums(tf.cast(vectors, tf.float64), total(tf.cast(values, tf.float64)), total(counted))


def _weighted_sums(entries, values, shape, x):
    """Product of a sparse (A * k, c) matrix with x (c, d), as dense product if that is faster."""
    n_entries = tf.cast(tf.size(values), tf.float32)
    share = n_entries / tf.cast(tf.maximum(tf.reduce_prod(shape), 1), tf.float32)

    def by_dense():
        return weighted_sums(tf.scatter_nd(entries, values, shape), x)

    if isinstance(x, tf.SparseTensor):
        return by_dense()

    def by_sparse():
        return tf.raw_ops.SparseTensorDenseMatMul(
            a_indices=entries, a_values=values, a_shape=shape, b=x
        )

    has_many = (share > _DENSE_SHARE) & (tf.shape(x)[1] >= _NARROWEST_DENSE)
    return tf.cond(has_many, by_dense, by_sparse)


def inertia_of(best, sums, centers, scale, metric):
    """Inertia of each active restart right after its assignment, (A,) float64."""
    if metric == "manhattan":
        return best
    centers = tf.cast(centers, tf.float64)
    n_active, k = tf.shape(centers)[0], tf.shape(centers)[1]
    products = tf.reduce_sum(tf.reshape(sums.vectors, tf.shape(centers)) * centers, axis=[1, 2])
    weights = tf.reshape(sums.weights, [n_active, k])
    if metric == "cosine":
        return tf.reduce_sum(weights, axis=1) - products
    squares = tf.reduce_sum(tf.square(centers), axis=2)
    return tf.maximum(scale - 2 * products + tf.reduce_sum(weights * squares, axis=1), 0)


def update(points, sample_weight, labels, sums, centers, metric, rows, workers):
    """New centers (A, k, d): the means of the clusters, empty clusters relocated first."""
    n_active, k = tf.shape(centers)[0], tf.shape(centers)[1]
    populated = tf.reshape(sums.counts > 0, [n_active, k])
    vectors = tf.reshape(sums.vectors, tf.shape(centers))
    vectors = tf.where(populated[..., tf.newaxis], vectors, tf.zeros_like(vectors))
    weights = tf.reshape(sums.weights, [n_active, k])
    weights = tf.where(populated, weights, tf.zeros_like(weights))

    def populate(restart, vectors, weights):
        own = tf.cast(tf.reshape(labels[:, restart], [-1])[: tf.size(sample_weight)], tf.int32)
        distances = own_distances(points, centers[restart], own, rows, metric=metric)
        # A point without a weight would leave the cluster empty.
        distances = tf.where(sample_weight > 0, distances, tf.zeros_like(distances))
        new_vectors, new_weights = _relocate(
            points, sample_weight, own, distances, vectors[restart], weights[restart], workers
        )
        return (
            tf.tensor_scatter_nd_update(vectors, [[restart]], new_vectors[tf.newaxis]),
            tf.tensor_scatter_nd_update(weights, [[restart]], new_weights[tf.newaxis]),
        )

    def step(restart, vectors, weights):
        vectors, weights = tf.cond(
            tf.reduce_all(populated[restart]),
            lambda: (vectors, weights),
            lambda: populate(restart, vectors, weights),
        )
        return restart + 1, vectors, weights

    state = (0, vectors, weights)
    _, vectors, weights = tf.while_loop(lambda restart, *_: restart < n_active, step, state)
    return _means(vectors, weights, centers.dtype, metric)


def _relocate(points, sample_weight, labels, distances, vectors, weights, workers):
    """Give each empty cluster of one restart a point that lies farthest from its own center.

    Args:
        points: all points of this worker.
        sample_weight: (n,).
        labels: (n,).
        distances: (n,), to the own center before the update.
        vectors: (k, d) sums of the clusters, over all workers.
        weights: (k,), likewise.
        workers: each with points of its own.

    Returns:
        New vectors and weights.
    """
    empty = tf.where(weights == 0)
    n_empty, n, count = tf.shape(empty)[0], tf.size(distances), tf.shape(empty)[0]
    if workers.count > 1:
        # Each shows k, as many each time. A worker with fewer points adds some at distance -1.
        count = tf.size(weights)
        distances = tf.pad(distances, [[0, count]], constant_values=-1)
    rows = _farthest(distances, count)
    distances = tf.gather(distances, rows)
    rows = tf.minimum(rows, tf.cast(n, tf.int64) - 1)
    far_weights = tf.cast(tf.gather(sample_weight, rows), tf.float64)
    far = tf.cast(rows_at(points, rows), tf.float64) * far_weights[:, tf.newaxis]
    found = (distances, tf.gather(labels, rows), far, far_weights)
    if workers.count > 1:
        found = [workers.gather(each) for each in found]
        chosen = _farthest(found[0], n_empty)
        found = [tf.gather(each, chosen) for each in found]
    distances, old, far, far_weights = found

    def moved():
        lighter = tf.tensor_scatter_nd_sub(vectors, old[:, tf.newaxis], far)
        lighter_weights = tf.tensor_scatter_nd_sub(weights, old[:, tf.newaxis], far_weights)
        return (
            tf.tensor_scatter_nd_update(lighter, empty, far),
            tf.tensor_scatter_nd_update(lighter_weights, empty, far_weights),
        )

    return tf.cond(tf.reduce_max(distances) > 0, moved, lambda: (vectors, weights))


def _farthest(distances, count):
    found = tf.numpy_function(farthest, [distances, count], tf.int64)
    return tf.ensure_shape(found, [None])


def farthest(distances, count):
    """Return the numbers of the largest distances, in the order in which scikit-learn takes them.

    Args:
        distances: array, (n,).
        count: how many.
    """
    return np.argpartition(distances, -count)[: -count - 1 : -1]


def _means(vectors, weights, dtype, metric):
    """Centers (A, k, d) from sums; a cluster that stays empty joins the heaviest one."""
    divisor = tf.where(weights > 0, weights, tf.ones_like(weights))
    means = vectors / divisor[..., tf.newaxis]
    if metric == "cosine":
        means = tf.math.l2_normalize(means, axis=2, epsilon=1e-60)
    heaviest = tf.gather(means, tf.argmax(weights, axis=1), axis=1, batch_dims=1)
    means = tf.where(weights[..., tf.newaxis] > 0, means, heaviest[:, tf.newaxis])
    return tf.cast(means, dtype)
