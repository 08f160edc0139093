"""Lloyd's algorithm on a copy in memory, one restart after another, by NumPy with bounds.

Nothing is traced or compiled. Sums, means, and what becomes of empty clusters are those of
`kdec.kmeans.lloyd`.

Shapes: n points, d features, k clusters, R restarts.
"""

import logging
from typing import NamedTuple

import numpy as np

from kdec.kmeans import centroids, lloyd, tiles
from kdec.kmeans.bounds import BoundedSearch
from kdec.kmeans.centroids import Sums
from kdec.kmeans.cores import in_pieces
from kdec.kmeans.points import Copied
from kdec.kmeans.restarts import ROUNDING
from kdec.workers import Workers

_LOGGER = logging.getLogger("kdec")


def serves(points, n, starts, metric, checkpoint, workers) -> bool:
    """Tell whether a run from the starts (R, k, d) is for this module: else it is for `lloyd`."""
    n_init, k, _ = np.shape(starts)
    options, *_ = lloyd.choose_options(points, n, k, n_init, metric)
    alone = workers.count == 1 and not checkpoint.is_kept
    return alone and options.has_tiles and isinstance(points, Copied) and metric == "euclidean"


class Run(NamedTuple):
    """Where a restart has ended."""

    centers: np.ndarray  # (k, d)
    labels: np.ndarray  # (n,) int32, under these centers
    inertia: float
    history: np.ndarray  # (iterations,) float64, inertia after each assignment


def fit(
    points: Copied, sample_weight, starts, max_iter: int, tol: float, verbose: int, workers: Workers
) -> Run:
    """Return the restart with the lowest inertia; of those that agree to rounding, the first.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        starts: initial centers, (R, k, d).
        max_iter: most iterations of a restart.
        tol: a restart stops when the summed squared shift of its centers is at most this.
        verbose: above 0, the inertia of each restart goes to the log.
        workers: this one alone.
    """
    best = None
    for restart, centers in enumerate(starts):
        run = _run(points, sample_weight, centers, max_iter, tol, workers)
        if verbose:
            _LOGGER.info("restart %d: inertia %g", restart, run.inertia)
        if best is None or run.inertia < best.inertia * (1 - ROUNDING):
            best = run
    return best


def _run(points, sample_weight, centers, max_iter, tol, workers):
    x = np.asarray(points.body)
    n, (k, d) = len(x), centers.shape
    search, history = BoundedSearch(x), []
    scale = (np.einsum("ij,ij->i", x, x).astype(np.float64) * sample_weight).sum()
    labels, centers = np.full(n, -1, np.int32), np.asarray(centers, x.dtype)
    sums = Sums(np.zeros((k, d)), np.zeros(k), np.zeros(k, np.int32))
    for _ in range(max_iter):
        old, labels = labels, search.label(centers)
        change = tiles.change(x, sample_weight, old[np.newaxis], labels[np.newaxis], k)
        sums = centroids.add(sums, change)
        history.append(_inertia_of(sums, centers, scale))
        old, centers = centers, _moved(points, sample_weight, labels, sums, centers, workers)
        if np.square(centers - old).sum() <= x.dtype.type(tol):
            break
    labels = search.label(centers)
    return Run(centers, labels, _inertia(x, sample_weight, centers, labels), np.array(history))


def _inertia_of(sums, centers, scale):
    """Do what `centroids.inertia_of` does."""
    centers = centers.astype(np.float64)
    squares = np.square(centers).sum(axis=1)
    # Not as products of BLAS, whose idle threads go on waiting busily.
    products = (sums.vectors * centers).sum()
    return max(scale - 2 * products + (sums.weights * squares).sum(), 0.0)


def _moved(points, sample_weight, labels, sums, centers, workers):
    """Do what `centroids.update` does, without TensorFlow where no cluster is empty."""
    if sums.counts.all():
        return (sums.vectors / sums.weights[:, np.newaxis]).astype(centers.dtype)
    labels, centers = labels[np.newaxis, np.newaxis], centers[np.newaxis]
    return centroids.update(
        points, sample_weight, labels, sums, centers, "euclidean", labels.size, workers
    ).numpy()[0]


def _inertia(x, sample_weight, centers, labels):
    """Return the weighted sum of the squared distances, each from differences."""

    def of_piece(rows):
        difference = x[rows] - centers[labels[rows]]
        own = np.einsum("ij,ij->i", difference, difference).astype(np.float64)
        return np.dot(own, sample_weight[rows])

    return float(sum(in_pieces(of_piece, len(x))))
