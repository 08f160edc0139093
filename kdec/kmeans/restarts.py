"""Which of several restarts of k-means is the best."""

import logging
from typing import NamedTuple

import numpy as np

from kdec.kmeans import labeling
from kdec.kmeans.points import chunk_rows, shared

_LOGGER = logging.getLogger("kdec")
ROUNDING = 1e-6  # of two inertias, relative


class Best(NamedTuple):
    """The restart with the lowest inertia."""

    restart: int
    inertia: float
    labels: np.ndarray  # (n,) int32


def best(points, sample_weight, centers, metric, *, verbose, workers) -> Best:
    """Return the restart, of centers (R, k, d), with the lowest inertia.

    Restarts that agree to rounding are compared by differences, and the first one wins. Above 0,
    `verbose` writes the inertia of each to the log.
    """
    ordered = _in_one_order(centers.numpy())
    weight = float(workers.sum(sample_weight.sum(dtype=np.float64)))
    found, inertia_of, weights = None, {}, shared(sample_weight)
    rows = chunk_rows(points.width, centers.shape[1])
    for restart in _candidates(points, weights, centers, metric, verbose, workers):
        if _is_known(restart, inertia_of, ordered, weight):
            continue
        own = centers[restart]
        labels = labeling.label(points, len(sample_weight), own, rows, metric=metric)
        inertia = labeling.inertia(points, weights, own, shared(labels), rows, metric=metric)
        inertia = float(workers.sum(inertia))
        inertia_of[restart] = inertia
        if found is None or inertia < found.inertia * (1 - ROUNDING):
            found = Best(restart, inertia, labels)
    return found


def _candidates(points, weights, centers, metric, verbose, workers):
    """Return the restarts whose inertia may be the lowest, given its rounding."""
    if len(centers) == 1 and not verbose:
        return [0]
    rows = chunk_rows(points.width, centers.shape[0] * centers.shape[1])
    inertia = labeling.inertias(points, weights, centers, rows, metric=metric)
    scale = labeling.squared_length(points, weights, rows)
    inertia, scale = map(np.asarray, workers.sum((inertia, scale)))
    if verbose:
        for restart, value in enumerate(inertia):
            _LOGGER.info("restart %d: inertia %g", restart, value)
    tolerance = ROUNDING * (inertia.min() + scale)
    return np.flatnonzero(inertia <= inertia.min() + tolerance)


def _in_one_order(centers):
    """Sort the centers of each restart, (R, k, d), by the sum of their coordinates."""
    order = np.argsort(centers.sum(axis=2), axis=1)
    return np.take_along_axis(centers, order[..., np.newaxis], axis=1)


def _is_known(restart, inertia_of, centers, weight):
    """Tell whether an earlier restart of known inertia has put its centers in the same places.

    Near a minimum, inertia grows with the square of the way of the centers, times the points'
    weight: where that is below its rounding, the two inertias are the same.
    """
    return any(
        weight * np.square(centers[restart] - centers[earlier]).sum(axis=1).max()
        <= ROUNDING * inertia
        for earlier, inertia in inertia_of.items()
    )
