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


def best(points, sample_weight, centers, metric, verbose, workers) -> Best:
    """Return the restart, of centers (R, k, d), with the lowest inertia.

    Above 0, `verbose` writes the inertia of each to the log.
    """
    weight = float(workers.sum(sample_weight.sum(dtype=np.float64)))
    n_init, k, _ = centers.shape
    weights, rows, labels_of = shared(sample_weight), chunk_rows(points.width, k), {}
    inertias, scale = np.zeros(n_init), 0.0
    if n_init > 1 or verbose:
        at_once = chunk_rows(points.width, n_init * k)
        inertias = labeling.inertias(points, weights, centers, at_once, metric=metric)
        scale = labeling.squared_length(points, weights, at_once)
        inertias, scale = map(np.asarray, workers.sum((inertias, scale)))
    if verbose:
        for restart, value in enumerate(inertias):
            _LOGGER.info("restart %d: inertia %g", restart, value)

    def exact(restart):
        own = centers[restart]
        labels = labeling.label(points, len(sample_weight), own, rows, metric=metric)
        labels_of[restart] = labels
        total = labeling.inertia(points, weights, own, shared(labels), rows, metric=metric)
        return float(workers.sum(total))

    restart, inertia = lowest(centers.numpy(), inertias, scale, weight, exact)
    return Best(restart, inertia, labels_of[restart])


def lowest(centers, inertias, scale, weight, exact) -> tuple[int, float]:
    """Return the restart with the lowest inertia, and that.

    Restarts that agree to rounding are compared by differences, and the first one wins.

    Args:
        centers: (R, k, d).
        inertias: of each restart from products, to rounding: (R,).
        scale: what they are rounded by, relative to `ROUNDING`, beside themselves.
        weight: of all points.
        exact: gives the inertia of a restart from differences.
    """
    ordered, found, inertia_of = _in_one_order(centers), None, {}
    tolerance = ROUNDING * (inertias.min() + scale)
    for restart in np.flatnonzero(inertias <= inertias.min() + tolerance):
        if _is_known(restart, inertia_of, ordered, weight):
            continue
        inertia_of[restart] = exact(restart)
        if found is None or inertia_of[restart] < inertia_of[found] * (1 - ROUNDING):
            found = restart
    return int(found), inertia_of[found]


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
