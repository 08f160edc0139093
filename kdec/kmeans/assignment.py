"""Points to the nearest centers, by compiled loops on all cores: labels, and sums of the clusters.

Shapes: n points, c points of a chunk, d features, k clusters, R restarts, A restarts of them that
are active. Scores are those of `kdec.kmeans.nearest`.
"""

import functools

import numpy as np
import tensorflow as tf

from kdec.kmeans import compiled
from kdec.kmeans.centroids import Sums
from kdec.kmeans.cores import in_pieces
from kdec.kmeans.points import Plain, aligned_empty


def assign(points: Plain, sample_weight, centers, active, labels, metric="euclidean") -> Sums:
    """Label all points anew, in place.

    Args:
        points: n points of d features.
        sample_weight: (n,), of their dtype.
        centers: (A, k, d), of their dtype.
        active: which of the labels the A restarts are, (A,) int64.
        labels: (R, n) int32, -1 before the first time.
        metric: "euclidean" or "cosine".

    Returns:
        What entered the sums, and left them, of A * k clusters, as arrays.
    """
    x, origin = points
    n_active, k, d = centers.shape
    groups = compiled.groups_to_assign(d)
    loop = compiled.assignment(groups.width, groups.count == 1, x.dtype.name)
    # One more where k is odd, which no point is nearest to.
    factors = np.zeros((n_active, k + k % 2 * (groups.count > 1), groups.padded), x.dtype)
    bias = np.full(factors.shape[:2], np.inf, x.dtype)
    np.multiply(centers, -2, out=factors[:, :k, :d])
    bias[:, :k] = np.square(centers).sum(axis=2) * x.dtype.type(metric == "euclidean")

    def of_piece(first, last):
        rows = compiled.scratch(groups.padded, x.dtype)
        nearest = aligned_empty((compiled.TILE,), np.int32)
        change = (np.zeros((n_active, k, d)), np.zeros((n_active, k)), _no_counts(n_active, k))
        loop(
            *(x, origin, sample_weight, factors, bias, active, labels, first, last),
            *(rows[:-3], rows[-3:-1], rows[-1], nearest),
            *change,
        )
        return change

    total = np.zeros((n_active, k, d)), np.zeros((n_active, k)), _no_counts(n_active, k)
    for change in in_pieces(of_piece, len(x)):
        for each, part in zip(total, change, strict=True):
            each += part
    return Sums(total[0].reshape(-1, d), *(each.ravel() for each in total[1:]))


def _no_counts(n_active, k):
    return np.zeros((n_active, k), np.int32)


def assign_chunk(x, weight, old, centers, metric):
    """Label a chunk in a graph.

    Args:
        x: (c, d).
        weight: (c,).
        old: labels (A, c) int32, before the first iteration all -1.
        centers: (A, k, d).
        metric: "euclidean" or "cosine".

    Returns:
        New labels (A, c) int32, and the change of the sums of A * k clusters.
    """
    types = [tf.int32, tf.float64, tf.float64, tf.int32]
    function = functools.partial(_assign_chunk, metric=metric)
    found = tf.numpy_function(function, [x, weight, old, centers], types)
    ranks = (2, 2, 1, 1)
    labels, *change = (
        tf.ensure_shape(part, [None] * rank) for part, rank in zip(found, ranks, strict=True)
    )
    return labels, Sums(*change)


def _assign_chunk(x, weight, old, centers, metric):
    labels, active = old.copy(), np.arange(len(old))
    points = Plain(np.require(x, requirements="CA"), np.zeros(x.shape[1], x.dtype))
    change = assign(points, weight, centers, active, labels, metric)
    return labels, *change
