"""The weights of the points: checked, taken from rows that have no direction, and summed."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _check_sample_weight

from kdec.kmeans.points import chunks

_LABELS = 2**20  # counted at once


def check_weights(sample_weight, X):
    """Return the weights as an array; raise ValueError for negative ones or only zeros."""
    sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
    if sample_weight.min() < 0 or not sample_weight.any():
        raise ValueError(
            "Expected sample_weight without negative values and not all zero. "
            f"Received: values from {sample_weight.min()} to {sample_weight.max()}."
        )
    return sample_weight


def without_zero_rows(X, sample_weight, n_clusters, workers):
    """Take the weight from rows of zeros, lest they become centroids, which serve no other row.

    They keep it if fewer than `n_clusters` other rows have one, of those of all workers.

    Returns:
        The weights, and the inertia of the rows without, of all workers: their weight, as their
        distance is 1.
    """
    # SciPy counts the values of each row from 1.15 on only.
    is_zero = np.concatenate(
        [
            np.ravel(abs(rows).sum(axis=1)) == 0 if issparse(rows) else ~rows.any(axis=1)
            for rows in chunks(X)
        ]
    )
    others = np.where(is_zero, 0, sample_weight)
    if int(workers.sum(np.count_nonzero(others))) < n_clusters:
        return sample_weight, 0.0
    return others, float(workers.sum(sample_weight[is_zero].sum(dtype=np.float64)))


def per_cluster(labels, sample_weight, n_clusters):
    """Return the number of points and their weight, each (k,), of each cluster."""
    counts, weights = np.zeros(n_clusters, np.int64), np.zeros(n_clusters)
    for start in range(0, len(labels), _LABELS):  # NumPy copies all that it counts, as int64
        part = slice(start, start + _LABELS)
        counts += np.bincount(labels[part], minlength=n_clusters)
        weights += np.bincount(labels[part], sample_weight[part], n_clusters)
    return counts, weights
