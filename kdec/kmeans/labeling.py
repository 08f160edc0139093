"""Labels and distances of points under given centers, chunk by chunk.

Shapes: n points, c points of a chunk, d features, k clusters, R restarts.
"""

import numpy as np
import tensorflow as tf

from kdec.kmeans import nearest
from kdec.kmeans.points import aligned_empty, dense, own_products, read, squared_lengths
from kdec.kmeans.tracing import fold_chunks, for_any_size, map_chunks

_CHUNKS = 64  # labelled at once


def label(points, n, centers, rows, *, metric) -> np.ndarray:
    """Return the nearest of the centers (k, d) for each of the n points, (n,) int32.

    They are filled in some chunks at a time: the parts of all at once, beside their whole, would
    take twice the room.
    """
    labels = aligned_empty((n,), np.int32)
    at_once = rows * _CHUNKS
    for start in range(0, n, at_once):
        part = labels[start : start + at_once]
        part[:] = label_part(points, start, len(part), centers, rows, metric=metric)
    return labels


@for_any_size
def label_part(points, first, n, centers, rows, *, metric):
    """Return what `label` returns for the n points from the first on."""

    def of_chunk(start, size):
        x = read(points, first + start, size)
        table = nearest.scores(x, centers[:, tf.newaxis], metric)
        return tf.argmin(table, axis=0, output_type=tf.int32)[0]

    return map_chunks(of_chunk, n, rows, tf.int32, rank=1)


@for_any_size
def inertias(points, sample_weight, centers, rows, *, metric):
    """Return the inertia of the centers (R, k, d) of each restart, (R,) float64, to rounding."""
    table = tf.transpose(centers, [1, 0, 2])

    def step(start, size, total):
        best = tf.reduce_min(nearest.scores(read(points, start, size), table, metric), axis=0)
        weight = sample_weight[start : start + size]
        return total + tf.cast(tf.linalg.matvec(best, weight), tf.float64)

    total = tf.zeros([tf.shape(centers)[0]], tf.float64)
    total = fold_chunks(step, total, tf.size(sample_weight), rows)
    if metric == "euclidean":
        total += squared_length(points, sample_weight, rows)
    elif metric == "cosine":
        total = total / 2 + tf.cast(tf.reduce_sum(sample_weight), tf.float64)
    return total


@for_any_size
def distances(points, n, centers, rows, *, metric):
    """Return the distance, squared for euclidean, of each point to each center (k, d): (n, k)."""

    def of_chunk(start, size):
        x = read(points, start, size)
        if metric == "euclidean" and not isinstance(x, tf.SparseTensor):
            part = _squared_differences(x, centers)
        else:
            part = nearest.scores(x, centers[:, tf.newaxis], metric)[:, 0]
            if metric == "euclidean":
                part += squared_lengths(x)
        if metric == "cosine":
            part = part / 2 + 1
        return tf.transpose(tf.maximum(part, 0))

    return map_chunks(of_chunk, n, rows, centers.dtype, rank=2)


def _squared_differences(x, centers):
    """Return the squared distances (k, c), from differences: a product cancels between far ones."""
    return tf.map_fn(lambda center: tf.reduce_sum(tf.square(x - center), axis=1), centers)


@for_any_size
def own_distances(points, centers, labels, rows, *, metric):
    """Return each point's distance, squared for euclidean, to the center of its label.

    It is formed from differences, so it is exact also where a product would cancel; that of sparse
    points is formed from products.

    Args:
        points: n points of d features.
        centers: (k, d).
        labels: (n,) int32.
        rows: rows of a chunk.
        metric: name of the metric.

    Returns:
        (n,).
    """

    def of_chunk(start, size):
        x = read(points, start, size)
        return _own_distances(x, centers, labels[start : start + size], metric)

    return map_chunks(of_chunk, tf.size(labels), rows, centers.dtype, rank=1)


@for_any_size
def inertia(points, sample_weight, centers, labels, rows, *, metric):
    """Return the weighted sum of `own_distances`, float64, without keeping them."""

    def step(start, size, total):
        own = _own_distances(
            read(points, start, size), centers, labels[start : start + size], metric
        )
        return total + _weighted_sum(own, sample_weight[start : start + size])

    return fold_chunks(step, tf.constant(0.0, tf.float64), tf.size(labels), rows)


def _own_distances(x, centers, labels, metric):
    if metric == "cosine":
        return tf.maximum(1 - own_products(x, centers, labels), 0)
    if metric == "manhattan":
        return tf.reduce_sum(tf.abs(dense(x) - tf.gather(centers, labels)), axis=1)
    if isinstance(x, tf.SparseTensor):
        lengths = tf.gather(tf.reduce_sum(tf.square(centers), axis=1), labels) + squared_lengths(x)
        return tf.maximum(lengths - 2 * own_products(x, centers, labels), 0)
    return tf.reduce_sum(tf.square(x - tf.gather(centers, labels)), axis=1)


def squared_length(points, sample_weight, rows):
    """Return the weighted sum of the squared lengths of all points, float64."""

    def step(start, size, total):
        squares = squared_lengths(read(points, start, size))
        return total + _weighted_sum(squares, sample_weight[start : start + size])

    return fold_chunks(step, tf.constant(0.0, tf.float64), tf.size(sample_weight), rows)


def _weighted_sum(values, weights):
    """Sum in float64: in float32 many values lose the digits that restarts differ in."""
    return tf.tensordot(tf.cast(values, tf.float64), tf.cast(weights, tf.float64), 1)
