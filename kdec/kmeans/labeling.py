"""Labels and distances of points under given centers, chunk by chunk.

Shapes: n points, c points of a chunk, d features, k clusters, R restarts.
"""

import tensorflow as tf

from kdec.kmeans import nearest
from kdec.kmeans.points import read
from kdec.kmeans.tracing import for_any_size, without_autograph


@for_any_size
def label(points, n, centers, rows, *, metric):
    """Return the nearest of the centers (k, d) for each of the n points, (n,) int32."""
    n_chunks = (n + rows - 1) // rows
    labels = tf.TensorArray(tf.int32, n_chunks, infer_shape=False, element_shape=[None])
    for chunk in tf.range(n_chunks):
        x = read(points, chunk * rows, tf.minimum(rows, n - chunk * rows))
        table = nearest.scores(x, centers[:, tf.newaxis], metric)
        labels = labels.write(chunk, tf.argmin(table, axis=0, output_type=tf.int32)[0])
    return labels.concat()


@for_any_size
def inertias(points, sample_weight, centers, rows, *, metric):
    """Return the inertia of the centers (R, k, d) of each restart, (R,) float64, to rounding."""
    n = tf.size(sample_weight)
    table = tf.transpose(centers, [1, 0, 2])
    total = tf.zeros([tf.shape(centers)[0]], tf.float64)
    for start in tf.range(0, n, rows):
        x = read(points, start, tf.minimum(rows, n - start))
        best = tf.reduce_min(nearest.scores(x, table, metric), axis=0)
        total += tf.cast(tf.linalg.matvec(best, sample_weight[start : start + rows]), tf.float64)
    if metric == "euclidean":
        total += squared_length(points, sample_weight, rows)
    elif metric == "cosine":
        total = total / 2 + tf.cast(tf.reduce_sum(sample_weight), tf.float64)
    return total


@for_any_size
def distances(points, n, centers, rows, *, metric):
    """Return the distance, squared for euclidean, of each point to each center (k, d): (n, k)."""
    n_chunks = (n + rows - 1) // rows
    parts = tf.TensorArray(centers.dtype, n_chunks, infer_shape=False, element_shape=[None, None])
    for chunk in tf.range(n_chunks):
        x = read(points, chunk * rows, tf.minimum(rows, n - chunk * rows))
        if metric == "euclidean":
            part = _squared_differences(x, centers)
        else:
            part = nearest.scores(x, centers[:, tf.newaxis], metric)[:, 0]
        if metric == "cosine":
            part = part / 2 + 1
        parts = parts.write(chunk, tf.transpose(tf.maximum(part, 0)))
    return parts.concat()


@without_autograph
def _squared_differences(x, centers):
    """Return the squared distances (k, c), from differences: a product cancels between far ones."""
    return tf.map_fn(lambda center: tf.reduce_sum(tf.square(x - center), axis=1), centers)


@for_any_size
def own_distances(points, centers, labels, rows, *, metric):
    """Return each point's distance, squared for euclidean, to the center of its label.

    It is formed from differences, so it is exact also where a product would cancel.

    Args:
        points: n points of d features.
        centers: (k, d).
        labels: (n,) int32.
        rows: rows of a chunk.
        metric: name of the metric.

    Returns:
        (n,).
    """
    n = tf.size(labels)
    n_chunks = (n + rows - 1) // rows
    parts = tf.TensorArray(centers.dtype, n_chunks, infer_shape=False, element_shape=[None])
    for chunk in tf.range(n_chunks):
        start = chunk * rows
        x = read(points, start, tf.minimum(rows, n - start))
        parts = parts.write(chunk, _own_distances(x, centers, labels[start : start + rows], metric))
    return parts.concat()


@for_any_size
def inertia(points, sample_weight, centers, labels, rows, *, metric):
    """Return the weighted sum of `own_distances`, float64, without keeping them."""
    n = tf.size(labels)
    total = tf.constant(0.0, tf.float64)
    for start in tf.range(0, n, rows):
        x = read(points, start, tf.minimum(rows, n - start))
        own = _own_distances(x, centers, labels[start : start + rows], metric)
        total += _weighted_sum(own, sample_weight[start : start + rows])
    return total


@without_autograph
def _own_distances(x, centers, labels, metric):
    own = tf.gather(centers, labels)
    if metric == "euclidean":
        return tf.reduce_sum(tf.square(x - own), axis=1)
    if metric == "manhattan":
        return tf.reduce_sum(tf.abs(x - own), axis=1)
    return tf.maximum(1 - tf.reduce_sum(x * own, axis=1), 0)


def squared_length(points, sample_weight, rows):
    """Return the weighted sum of the squared lengths of all points, float64."""
    n = tf.size(sample_weight)
    total = tf.constant(0.0, tf.float64)
    for start in tf.range(0, n, rows):
        x = read(points, start, tf.minimum(rows, n - start))
        squares = tf.reduce_sum(tf.square(x), axis=1)
        total += _weighted_sum(squares, sample_weight[start : start + rows])
    return total


@without_autograph
def _weighted_sum(values, weights):
    """Sum in float64: in float32 many values lose the digits that restarts differ in."""
    return tf.tensordot(tf.cast(values, tf.float64), tf.cast(weights, tf.float64), 1)
