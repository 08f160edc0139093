"""Lloyd's algorithm on an array in memory, by compiled loops: nothing is traced.

The restarts go on side by side. Sums, means, and what becomes of empty clusters are those of
`kdec.kmeans.lloyd`.

Shapes: n points, d features, k clusters, R restarts, A restarts of them that are active.
"""

import logging
from typing import NamedTuple

import numpy as np

from kdec.kmeans import centroids, lloyd, restarts
from kdec.kmeans.assignment import assign
from kdec.kmeans.centroids import Sums
from kdec.kmeans.cores import in_pieces
from kdec.kmeans.points import Plain
from kdec.kmeans.restarts import ROUNDING
from kdec.workers import Workers

_LOGGER = logging.getLogger("kdec")
_ROWS = 1024  # whose differences are in memory at once
_MOST_LABELS = 2**26  # of the restarts that go on side by side
_MOST_SUMS = 2**20  # likewise: k * d each


def serves(X, n_columns: int, metric: str, workers: Workers) -> bool:
    """Tell whether points are for this module, with centers of all restarts: else for `lloyd`."""
    if workers.count > 1 or metric != "euclidean" or not isinstance(X, np.ndarray):
        return False
    return lloyd.is_for_loops(*X.shape, n_columns)


class Run(NamedTuple):
    """Where a restart has ended."""

    centers: np.ndarray  # (k, d)
    labels: np.ndarray  # (n,) int32, under these centers
    inertia: float
    history: np.ndarray  # (iterations,) float64, inertia after each assignment


def fit(points: Plain, sample_weight, starts, max_iter: int, tol: float, verbose: int) -> Run:
    """Return the restart with the lowest inertia; of those that agree to rounding, the first.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        starts: initial centers, (R, k, d).
        max_iter: most iterations of a restart.
        tol: a restart stops when the summed squared shift of its centers is at most this.
        verbose: above 0, the inertia of each restart goes to the log.
    """
    n_init, k, d = starts.shape
    at_once = max(1, min(_MOST_LABELS // len(sample_weight), _MOST_SUMS // (k * d)))
    best = None
    for first in range(0, n_init, at_once):
        batch = _Batch(points, sample_weight, starts[first : first + at_once])
        batch.run(max_iter, tol)
        run = batch.best(first if verbose else None)
        if best is None or run.inertia < best.inertia * (1 - ROUNDING):
            best = run
    return best


def _weighted_squares(points, sample_weight, subtracted) -> float:
    """Return the sum of `_squares`, each from differences, with weights (n,)."""
    squares = _squares(points, subtracted)
    return float(np.einsum("i,i->", squares, sample_weight, dtype=np.float64))


def _squares(points, subtracted):
    """Return the squared lengths of the points less what a function gives for a slice: (n,)."""
    squares = np.empty(len(points.body), points.body.dtype)

    def of_piece(first, last):
        for start in range(first, last, _ROWS):
            rows = slice(start, min(start + _ROWS, last))
            difference = points.body[rows] - points.origin
            difference -= subtracted(rows)
            np.einsum("ij,ij->i", difference, difference, out=squares[rows])

    in_pieces(of_piece, len(squares))
    return squares


class _Batch:
    """Restarts that go on side by side.

    Args:
        points: As in `fit`.
        sample_weight: As in `fit`.
        starts: Initial centers, (R, k, d).
    """

    def __init__(self, points, sample_weight, starts):
        n_init, k, d = starts.shape
        self._points, self._weight = points, sample_weight
        self._scale = _weighted_squares(points, sample_weight, lambda rows: 0)
        self._centers = np.array(starts, points.body.dtype)
        self._labels = np.full((n_init, len(sample_weight)), -1, np.int32)
        self._sums = Sums(
            np.zeros((n_init, k, d)), np.zeros((n_init, k)), np.zeros((n_init, k), np.int32)
        )
        self._histories = [[] for _ in range(n_init)]

    def run(self, max_iter, tol):
        """Iterate until each restart has converged, or `max_iter` times."""
        active, tol = np.arange(len(self._centers)), self._centers.dtype.type(tol)
        for _ in range(max_iter):
            inertias, old = self._assigned(active), self._centers[active]
            for restart, value in zip(active, inertias, strict=True):
                self._histories[restart].append(value)
            self._centers[active] = new = self._moved(active, old)
            active = active[np.square(new - old).sum(axis=(1, 2)) > tol]
            if not active.size:
                return

    def _assigned(self, active):
        """Label all points under the centers of the active restarts; return their inertia: (A,)."""
        centers = self._centers[active]
        change = assign(self._points, self._weight, centers, active, self._labels)
        for total, part in zip(self._sums, change, strict=True):
            total[active] += part.reshape(len(active), *total.shape[1:])
        centers, sums = centers.astype(np.float64), self._sums
        products = (sums.vectors[active] * centers).sum(axis=(1, 2))
        squares = (sums.weights[active] * np.square(centers).sum(axis=2)).sum(axis=1)
        return np.maximum(self._scale - 2 * products + squares, 0)

    def _moved(self, active, old):
        """Return the new centers of the active restarts, (A, k, d)."""
        vectors, weights, counts = (each[active] for each in self._sums)
        for place in np.flatnonzero((counts == 0).any(axis=1)):
            is_empty = counts[place] == 0
            vectors[place, is_empty] = weights[place, is_empty] = 0  # but for rounding they are
            self._relocate(old[place], vectors[place], weights[place], self._labels[active[place]])
        centers = vectors / np.where(weights > 0, weights, 1)[..., np.newaxis]
        for place, cluster in np.argwhere(weights <= 0):
            centers[place, cluster] = centers[place, weights[place].argmax()]
        return centers.astype(old.dtype)

    def _relocate(self, centers, vectors, weights, labels):
        """Give each empty cluster a point far from its center: the sums change, in place."""
        (empty,) = np.nonzero(weights == 0)
        # A point without a weight would leave the cluster empty.
        distances = np.where(
            self._weight > 0, _squares(self._points, lambda rows: centers[labels[rows]]), 0
        )
        far = centroids.farthest(distances, len(empty))
        if not distances[far].any():
            return
        moved = self._weight[far].astype(np.float64)
        values = (self._points.body[far] - self._points.origin) * moved[:, np.newaxis]
        np.subtract.at(vectors, labels[far], values)
        np.subtract.at(weights, labels[far], moved)
        vectors[empty], weights[empty] = values, moved

    def best(self, first):
        """Return the best restart, with labels under its last centers.

        Args:
            first: number of the first restart, for the log, or None.
        """
        inertias = self._assigned(np.arange(len(self._centers)))
        if first is not None:
            for restart, value in enumerate(inertias, first):
                _LOGGER.info("restart %d: inertia %g", restart, value)

        def exact(restart):
            centers, labels = self._centers[restart], self._labels[restart]
            return _weighted_squares(self._points, self._weight, lambda rows: centers[labels[rows]])

        weight = self._weight.sum(dtype=np.float64)
        best, value = restarts.lowest(self._centers, inertias, self._scale, weight, exact)
        return Run(self._centers[best], self._labels[best], value, np.array(self._histories[best]))
