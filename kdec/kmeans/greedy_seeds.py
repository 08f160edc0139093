"""The seeds of greedy k-means++ on an array in memory, by compiled loops.

Shapes: n points, d features, k clusters, R restarts, T candidates of a restart.
"""

import numpy as np

from kdec.kmeans import compiled
from kdec.kmeans.cores import in_pieces
from kdec.kmeans.points import Plain

_MOST_DISTANCES = 2**25  # of the restarts that are done side by side


def greedy_seeds(points: Plain, sample_weight, first, uniforms) -> np.ndarray:
    """Return the numbers of the chosen points, (R, k) int64.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        first: numbers of the first points, (R,) int64.
        uniforms: random numbers in [0, 1) for the candidates, (R, k - 1, T).

    Reference:
        Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding", section 5.
    """
    at_once = max(1, _MOST_DISTANCES // len(sample_weight))
    batches = [slice(start, start + at_once) for start in range(0, len(first), at_once)]
    return np.concatenate(
        [_chosen(points, sample_weight, first[rows], uniforms[rows]) for rows in batches]
    )


def _chosen(points, sample_weight, first, uniforms):
    n_init, n_steps, _ = uniforms.shape
    dtype = points.body.dtype
    closest = np.full((n_init, len(sample_weight)), np.inf, dtype)
    chosen = np.empty((n_init, n_steps + 1), np.int64)
    chosen[:, 0] = first
    _approach(points, sample_weight, chosen[:, :1], closest, is_chosen=True)
    for step in range(n_steps):
        candidates = _drawn(closest, sample_weight, uniforms[:, step])
        potential = _approach(points, sample_weight, candidates, closest, is_chosen=False)
        best = potential.argmin(axis=1)[:, np.newaxis]
        chosen[:, step + 1 : step + 2] = seeds = np.take_along_axis(candidates, best, axis=1)
        _approach(points, sample_weight, seeds, closest, is_chosen=True)
    return chosen


def _drawn(closest, sample_weight, uniforms):
    """Return points drawn by their distances to the closest seed, for uniforms (R, T): (R, T)."""
    drawn = np.empty(uniforms.shape, np.int64)
    for restart, distances in enumerate(closest):
        mass = np.cumsum(distances * sample_weight, dtype=np.float64)
        drawn[restart] = np.searchsorted(mass, uniforms[restart] * mass[-1])
    return np.minimum(drawn, len(sample_weight) - 1)


def _approach(points, sample_weight, candidates, closest, is_chosen):
    """Measure the points from candidates (R, T).

    Returns:
        The weighted sums of the distances to the closest seed, were a candidate one: (R, T). With
        `is_chosen` it is one from now on, and `closest` is brought up to date instead.
    """
    x, origin = points
    d = x.shape[1]
    groups = compiled.groups_to_approach(d)
    loop = compiled.approach(groups.width, x.dtype.name)
    centers = np.zeros((*candidates.shape, groups.padded), x.dtype)
    centers[..., :d] = x[candidates] - origin

    def of_piece(first, last):
        rows = compiled.scratch(groups.padded, x.dtype)
        totals = np.zeros((*candidates.shape, compiled.TILE))
        loop(
            *(x, origin, sample_weight, centers, closest, first, last),
            *(rows[:-3], rows[-1], totals, is_chosen),
        )
        return totals.sum(axis=2)

    return np.sum(in_pieces(of_piece, len(x)), axis=0)
