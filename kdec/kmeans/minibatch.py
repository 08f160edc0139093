"""Minibatch k-means: centers that follow a stream of batches.

Shapes: n points of a batch, d features, k clusters.
"""

import tensorflow as tf

from kdec.kmeans.centroids import change_of_sums
from kdec.kmeans.labeling import label_part
from kdec.kmeans.points import read
from kdec.kmeans.tracing import for_any_size


@for_any_size
def follow(points, sample_weight, centers, weights, rows, *, metric):
    """Move each center towards the mean of its points, by their share of all it has seen.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        centers: (k, d).
        weights: (k,) float64, of the points that each center has seen.
        rows: rows of a chunk.
        metric: name of the metric.

    Returns:
        New centers and weights.

    Reference:
        Sculley 2010, "Web-scale k-means clustering", algorithm 1, where a center's learning rate is
        one over the number of its points; its steps for all points of a batch are one mean.
    """
    n, k = tf.shape(sample_weight)[0], tf.shape(centers)[0]
    labels = label_part(points, 0, n, centers, rows, metric=metric)[tf.newaxis]
    batch = change_of_sums(read(points, 0, n), sample_weight, -tf.ones_like(labels), labels, k)
    seen = weights + batch.weights
    vectors = tf.cast(centers, tf.float64) * weights[:, tf.newaxis] + batch.vectors
    means = vectors / tf.where(seen > 0, seen, tf.ones_like(seen))[:, tf.newaxis]
    if metric == "cosine":
        means = tf.math.l2_normalize(means, axis=1, epsilon=1e-60)
    moved = (batch.weights > 0)[:, tf.newaxis]
    return tf.where(moved, tf.cast(means, centers.dtype), centers), seen
