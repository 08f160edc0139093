"""Whether clusters are apart: fewer samples halfway between two centroids than around each.

Where k-means cuts a cluster, or noise, in two, the samples halfway are about as many as those
around either centroid. They are counted among samples that the centroids have not seen: those seen
lie around the centroids by construction, the more so the fewer they are and the more features they
have.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import binom

_WINDOW = 1 / 3  # of the way between two centroids: around each, and around the middle
_DEPTH = 1 / 2  # samples in the middle to those around either centroid, at most


def chance_of_no_valley(
    points: tuple[np.ndarray, np.ndarray], centers: tuple[np.ndarray, np.ndarray]
) -> float:
    """Return the p-value of the two least separated clusters.

    The null hypothesis is that the middle third of the way between their centroids holds at least
    half as many samples of the two as the third around one of the centroids. Each half of the data
    is counted along the ways between centroids of the other half.

    Args:
        points: Two halves of the data, each (n, d).
        centers: The centroids of each half, (k, d), k > 1, found on it alone; those of one cluster
            have the same row in both.

    Returns:
        The largest p-value among all pairs of clusters, of an exact binomial test.

    Reference:
        Berger, Multiparameter Hypothesis Testing and Acceptance Sampling (1982), for "in each of
        both sides"; Hamerly, Elkan, Learning the k in k-means (2003), for the line between
        centroids; Kalogeratos, Likas, Dip-means (2012), for valleys.

    Example:
    >>> import numpy as np
    >>> from kdec.clustering.separation import chance_of_no_valley
    >>> half = np.repeat([[0.0], [4.0]], 20, axis=0)
    >>> far, near = np.array([[0.0], [4.0]]), np.array([[3.9], [4.1]])
    >>> chance_of_no_valley((half, half), (far, far)) < 1e-6
    True
    >>> chance_of_no_valley((half, half), (near, near)) > 0.5
    True
    """
    first = _count(points[0], centers[1])
    around, halfway = first + _count(points[1], centers[0])
    # By chance alone, at the depth of the null, this share of the samples is around the centroid.
    chance = binom.sf(around - 1, around + halfway, 1 / (1 + _DEPTH))
    return float(chance[~np.eye(len(chance), dtype=bool)].max())


def match_centers(labels: tuple[np.ndarray, np.ndarray], n_clusters: int) -> np.ndarray:
    """Return for each cluster of the first labels that of the second that is most like it.

    Args:
        labels: Two labels of the same samples, int arrays (n,) from 0 on.
        n_clusters: Int k, of both.

    Returns:
        Int array (k,), a permutation.

    Example:
    >>> import numpy as np
    >>> from kdec.clustering.separation import match_centers
    >>> match_centers((np.array([0, 0, 1, 2]), np.array([2, 2, 0, 1])), 3).tolist()
    [2, 0, 1]
    """
    common = np.zeros((n_clusters, n_clusters), int)
    np.add.at(common, labels, 1)
    return linear_sum_assignment(common, maximize=True)[1]


def _count(points, centers):
    """Count samples around centroid i, and halfway to j, on the way from i to j: (2, k, k)."""
    squared = cdist(points, centers, "sqeuclidean")
    own = squared.argmin(axis=1)
    length = cdist(centers, centers, "sqeuclidean")[own]
    nearest = np.take_along_axis(squared, own[:, np.newaxis], axis=1)
    # 0 at the own centroid, 1/2 on the boundary, which no sample is beyond.
    with np.errstate(divide="ignore", invalid="ignore"):
        position = 0.5 + (nearest - squared) / (2 * length)
    member = np.eye(len(centers), dtype=int)[own].T
    around = member @ (abs(position) <= _WINDOW / 2)
    halfway = member @ (position >= 0.5 - _WINDOW / 2)
    return np.stack([around, halfway + halfway.T])
