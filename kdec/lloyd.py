"""Lloyd's algorithm for many restarts at once, as one TensorFlow function.

Shapes: n points, d features, k clusters, R restarts of which A are still active.
"""

from typing import NamedTuple

import tensorflow as tf

_CHUNK_ELEMENTS = 4_000_000


class Result(NamedTuple):
    """Outcome of all restarts."""

    labels: tf.Tensor  # (R, n) int32
    centers: tf.Tensor  # (R, k, d)
    inertia: tf.Tensor  # (R,) float64
    n_iter: tf.Tensor  # (R,) int32
    history: tf.Tensor  # (max(n_iter), R) float64


def _squared_euclidean(x, centers):
    """Squared distances (c, N) of rows (c, d) to centers (N, d)."""
    return (
        tf.reduce_sum(x * x, axis=1, keepdims=True)
        - 2 * tf.matmul(x, centers, transpose_b=True)
        + tf.reduce_sum(centers * centers, axis=1)
    )


def _manhattan(x, centers):
    """Sums of absolute differences (c, N), one center at a time to bound memory."""
    columns = tf.map_fn(lambda center: tf.reduce_sum(tf.abs(x - center), axis=1), centers)
    return tf.transpose(columns)


def _cosine(x, centers):
    """One minus the cosine, (c, N), for rows and centers of length one."""
    return 1 - tf.matmul(x, centers, transpose_b=True)


DISTANCES = {"euclidean": _squared_euclidean, "manhattan": _manhattan, "cosine": _cosine}


def chunk_rows(n, d, n_columns):
    """Rows of a chunk, so that its rows and distances stay within a few megabytes."""
    return max(256, min(n, _CHUNK_ELEMENTS // (d + n_columns)))


@tf.function(reduce_retracing=True)
def pairwise(x, centers, metric):
    """Distances under the metric, (n, k)."""
    return DISTANCES[metric](x, centers)


@tf.function(reduce_retracing=True)
def assign(x, centers, rows, metric):
    """Nearest center of each row and the distance to it.

    Args:
        x: (n, d).
        centers: (A, k, d).
        rows: rows of a chunk.
        metric: name of the metric.

    Returns:
        labels (n, A) int32, distances (n, A).
    """
    n, d = tf.shape(x)[0], tf.shape(x)[1]
    n_active, k = tf.shape(centers)[0], tf.shape(centers)[1]
    flat_centers = tf.reshape(centers, [-1, d])
    n_chunks = (n + rows - 1) // rows
    labels = tf.TensorArray(tf.int32, n_chunks, infer_shape=False, element_shape=[None, None])
    nearest = tf.TensorArray(x.dtype, n_chunks, infer_shape=False, element_shape=[None, None])
    for chunk in tf.range(n_chunks):
        part = x[chunk * rows : (chunk + 1) * rows]
        distances = DISTANCES[metric](part, flat_centers)
        distances = tf.reshape(distances, [-1, n_active, k])
        labels = labels.write(chunk, tf.argmin(distances, axis=2, output_type=tf.int32))
        nearest = nearest.write(chunk, tf.reduce_min(distances, axis=2))
    return labels.concat(), tf.maximum(nearest.concat(), 0)


def _sums(x, sample_weight, labels, k, rows):
    """Weighted sums (A, k, d) and weights (A, k) of the clusters, by one-hot products."""
    n, d = tf.shape(x)[0], tf.shape(x)[1]
    n_active = tf.shape(labels)[1]
    sums = tf.zeros([n_active * k, d], x.dtype)
    weights = tf.zeros([n_active * k], x.dtype)
    for chunk in tf.range((n + rows - 1) // rows):
        part = slice(chunk * rows, (chunk + 1) * rows)
        one_hot = tf.one_hot(labels[part], k, dtype=x.dtype) * sample_weight[part, None, None]
        one_hot = tf.reshape(one_hot, [-1, n_active * k])
        sums += tf.matmul(one_hot, x[part], transpose_a=True)
        weights += tf.reduce_sum(one_hot, axis=0)
    return tf.reshape(sums, [n_active, k, d]), tf.reshape(weights, [n_active, k])


def _relocate_empty(x, sample_weight, labels, distances, sums, weights):
    """Give each empty cluster of one restart the point that lies farthest from its center.

    Args:
        x: (n, d).
        sample_weight: (n,).
        labels: (n,).
        distances: (n,) to the own old center.
        sums: (k, d).
        weights: (k,).

    Returns:
        New sums and weights.
    """
    empty = tf.cast(tf.where(weights == 0)[:, 0], tf.int32)
    n_empty = tf.shape(empty)[0]
    if n_empty > 0 and tf.reduce_max(distances) > 0:
        _, farthest = tf.math.top_k(distances, n_empty)
        moved_weight = tf.gather(sample_weight, farthest)
        moved = tf.gather(x, farthest) * moved_weight[:, tf.newaxis]
        old = tf.gather(labels, farthest)[:, tf.newaxis]
        sums = tf.tensor_scatter_nd_sub(sums, old, moved)
        weights = tf.tensor_scatter_nd_sub(weights, old, moved_weight)
        sums = tf.tensor_scatter_nd_update(sums, empty[:, tf.newaxis], moved)
        weights = tf.tensor_scatter_nd_update(weights, empty[:, tf.newaxis], moved_weight)
    return sums, weights


def _relocate_all(x, sample_weight, labels, distances, sums, weights):
    return tf.map_fn(
        lambda each: _relocate_empty(x, sample_weight, *each),
        (tf.transpose(labels), tf.transpose(distances), sums, weights),
        fn_output_signature=(x.dtype, x.dtype),
    )


def _means(sums, weights, metric):
    """Centers (A, k, d); a cluster that stays empty joins the heaviest one."""
    heaviest = tf.argmax(weights, axis=1)
    means = sums / tf.where(weights > 0, weights, tf.ones_like(weights))[..., tf.newaxis]
    fallback = tf.gather(means, heaviest, axis=1, batch_dims=1)[:, tf.newaxis]
    means = tf.where(weights[..., tf.newaxis] > 0, means, fallback)
    if metric == "cosine":
        means = tf.math.l2_normalize(means, axis=2, epsilon=1e-30)
    return means


@tf.function(reduce_retracing=True)
def lloyd(x, sample_weight, centers, max_iter, tol, rows, metric):
    """Run Lloyd's algorithm from each of the given sets of centers.

    Args:
        x: points, (n, d).
        sample_weight: (n,).
        centers: initial centers, (R, k, d).
        max_iter: int32 scalar, most iterations of a restart.
        tol: scalar, a restart stops when the summed squared shift of its centers is at most this.
        rows: int32 scalar, rows of a chunk.
        metric: name of the metric.

    Returns:
        A `Result`.
    """
    n, k = tf.shape(x)[0], tf.shape(centers)[1]
    n_init = tf.shape(centers)[0]
    active = tf.range(n_init)
    labels = tf.fill([n, n_init], -1)
    n_iter = tf.zeros([n_init], tf.int32)
    strict = tf.zeros([n_init], tf.bool)
    history = tf.TensorArray(tf.float64, 0, dynamic_size=True, element_shape=[None])
    inertia = tf.zeros([n_init], tf.float64)
    iteration = 0
    while iteration < max_iter and tf.size(active) > 0:
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[
                (active, tf.TensorShape([None])),
                (labels, tf.TensorShape([None, None])),
                (centers, tf.TensorShape([None, None, None])),
            ]
        )
        old_centers = tf.gather(centers, active)
        old_labels = tf.gather(labels, active, axis=1)
        new_labels, distances = assign(x, old_centers, rows, metric)
        sums, weights = _sums(x, sample_weight, new_labels, k, rows)
        if tf.reduce_any(weights == 0):
            sums, weights = _relocate_all(x, sample_weight, new_labels, distances, sums, weights)
        new_centers = _means(sums, weights, metric)
        shift = tf.reduce_sum(tf.square(new_centers - old_centers), axis=[1, 2])
        unchanged = tf.reduce_all(new_labels == old_labels, axis=0)
        slots = active[:, tf.newaxis]
        centers = tf.tensor_scatter_nd_update(centers, slots, new_centers)
        labels = tf.transpose(
            tf.tensor_scatter_nd_update(tf.transpose(labels), slots, tf.transpose(new_labels))
        )
        strict = tf.tensor_scatter_nd_update(strict, slots, unchanged)
        n_iter = tf.tensor_scatter_nd_add(n_iter, slots, tf.ones_like(active))
        step_inertia = tf.linalg.matvec(
            tf.cast(distances, tf.float64),
            tf.cast(sample_weight, tf.float64),
            transpose_a=True,
        )
        inertia = tf.tensor_scatter_nd_update(inertia, slots, step_inertia)
        history = history.write(iteration, inertia)
        active = tf.boolean_mask(active, ~(unchanged | (shift <= tol)))
        iteration += 1
    labels, inertia = _final_labels(x, sample_weight, centers, labels, strict, rows, metric)
    return Result(tf.transpose(labels), centers, inertia, n_iter, history.stack())


def _final_labels(x, sample_weight, centers, labels, strict, rows, metric):
    """Assign again, so that labels and inertia belong to the final centers."""
    new_labels, distances = assign(x, centers, rows, metric)
    labels = tf.where(strict, labels, new_labels)
    inertia = tf.linalg.matvec(
        tf.cast(distances, tf.float64), tf.cast(sample_weight, tf.float64), transpose_a=True
    )
    return labels, inertia
