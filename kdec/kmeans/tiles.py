"""A chunk of narrow points under many centers, by NumPy.

The scores of a tile of points stay in a core's cache until the lowest are found. Nothing is
compiled: NumPy and its BLAS find out themselves what the processor can do.

Shapes: c points of a chunk, d features, k clusters, A restarts. Scores are those of
`kdec.kmeans.nearest`.
"""

import functools

import numpy as np
import tensorflow as tf
from scipy.sparse import csc_array

from kdec.kmeans.centroids import Sums
from kdec.kmeans.cores import in_pieces

_TILE = 2**17  # scores; 512 KiB in float32
_FEWEST_ROWS = 64


def label(x, centers, metric):
    """Return the labels (A, c) int32 of the points (c, d) under the centers (A, k, d)."""
    labels = tf.numpy_function(functools.partial(_label, metric=metric), [x, centers], tf.int32)
    return tf.ensure_shape(labels, [None, None])


def _label(x, centers, metric):
    n_active, k, d = centers.shape
    flat = centers.reshape(-1, d)
    bias = np.square(flat).sum(axis=1) * (metric == "euclidean")
    factors = np.column_stack([-2 * flat, bias]).T
    labels = np.empty((n_active, len(x)), np.int32)

    def label_piece(rows):
        # With a column of ones, the product adds the bias.
        part = np.column_stack([x[rows], np.ones(len(x[rows]), x.dtype)])
        size = max(_FEWEST_ROWS, _TILE // len(flat))
        table = np.empty((size, len(flat)), x.dtype)
        for start in range(0, len(part), size):
            tile = part[start : start + size]
            scores = np.matmul(tile, factors, out=table[: len(tile)])
            lowest = scores.reshape(-1, k).argmin(axis=1).reshape(-1, n_active)
            labels[:, rows][:, start : start + size] = lowest.T

    in_pieces(label_piece, len(x))
    return labels


def change_of_sums(x, weight, old, new, k) -> Sums:
    """Do what `centroids.change_of_sums` does, for a dense chunk.

    Args:
        x: (c, d).
        weight: (c,).
        old: labels (A, c), before the first iteration all -1.
        new: labels (A, c).
        k: number of clusters.
    """
    types = [tf.float64, tf.float64, tf.int32]
    found = tf.numpy_function(change, [x, weight, old, new, k], types)
    ranks = (2, 1, 1)
    return Sums(
        *(tf.ensure_shape(part, [None] * rank) for part, rank in zip(found, ranks, strict=True))
    )


def change(x, weight, old, new, k):
    """Do what `change_of_sums` does, with arrays."""

    def of_piece(rows):
        return _change_of_piece(x[rows], weight[rows], old[:, rows], new[:, rows], k)

    total, *others = in_pieces(of_piece, len(x))
    for part in others:
        total = [each + more for each, more in zip(total, part, strict=True)]
    return total


def _change_of_piece(x, weight, old, new, k):
    """Do the work of `change`: a sparse matrix, clusters by changes, times the changed points."""
    n_clusters = len(new) * k
    restart, row = np.nonzero(new != old)
    clusters, values = restart * k + new[restart, row], weight[row]
    starts = np.arange(len(row) + 1)
    if old[0, 0] >= 0:
        clusters = np.stack([clusters, restart * k + old[restart, row]], axis=1).ravel()
        values = np.stack([values, -values], axis=1).ravel()
        starts *= 2
    entries = csc_array((values, clusters, starts), shape=(n_clusters, len(row)))
    vectors = (entries @ x[row]).astype(np.float64)
    # Of nothing, NumPy counts in integers.
    weights = np.bincount(clusters, values, n_clusters).astype(np.float64)
    counts = np.bincount(clusters, np.sign(values), n_clusters).astype(np.int32)
    return vectors, weights, counts
