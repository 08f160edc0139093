"""The loops over points and centers, which Numba compiles for the processor at hand.

A tile of points lies in a core's nearest cache, one feature after another, and each center is
compared with all of them at once, in registers. No table of scores is written, and none is read.

What is compiled is kept on the disk by Numba, so a second process does not wait for it.

Shapes: n points, d features, k clusters, A restarts, T candidates, b points of a tile; w features
of a group that a loop takes at once, D the next multiple of w from d on.
"""

import functools
from typing import NamedTuple

import numpy as np

from kdec.kmeans.points import aligned_empty

TILE = 128  # points: b
_MOST_AT_ONCE = 24  # features whose factors the registers hold
_GROUP = 8  # features
_ROWS = 16  # points whose features are read side by side


class Groups(NamedTuple):
    """Features in groups of equal size, of which a loop takes one at a time."""

    width: int  # w
    count: int

    @property
    def padded(self) -> int:
        """Return the number of features with padding: D."""
        return self.width * self.count


def groups(d: int, most: int) -> Groups:
    """Return d features in groups of at most so many."""
    count = -(-d // most)
    return Groups(-(-d // count), count)


def groups_to_assign(d: int) -> Groups:
    """Return d features as `assignment` takes them."""
    return groups(d, d if d <= _MOST_AT_ONCE else _GROUP)


def groups_to_approach(d: int) -> Groups:
    """Return d features as `approach` takes them."""
    return groups(d, _GROUP)


def scratch(n_padded: int, dtype) -> np.ndarray:
    """Return rows of zeros for a tile, and three more: (D + 3, b)."""
    rows = aligned_empty((n_padded + 3, TILE), dtype)
    rows[:] = 0  # what is left of an earlier array might be slow numbers
    return rows


@functools.cache
def assignment(w: int, is_narrow: bool, dtype: str):
    """Return the function that labels points and sums up what that changes.

    Its arguments: points (n, d), origin (d,) to subtract, weights (n,); factors (A, k, D) and bias
    (A, k), whose products with a point and sum are its scores, with k even unless narrow; active
    (A,) int64, rows of the labels (R, n) int32, which are changed in place; first and last point; a
    tile (D, b) of zeros, rows (2, b) for scores, one (b,) for the best, and one int32 for labels;
    sums (A, k, d), weights (A, k) and counts (A, k), changed by the points that changed cluster.

    Args:
        w: of `groups_to_assign`.
        is_narrow: whether there is one group.
        dtype: of the points, "float32" or "float64".
    """
    from numba import types

    value, label = getattr(types, dtype), types.int32
    fill, find = _filling(value), _search(w, is_narrow, value)

    def assign(
        x, origin, weight, factors, bias, active, labels, first, last,
        tile, scores, best, nearest, sums, weights, counts,
    ):  # fmt: skip
        d = x.shape[1]
        n_restarts = bias.shape[0]
        for start in range(first, last, TILE):
            size = min(TILE, last - start)
            fill(x, origin, start, last, tile)
            for a in range(n_restarts):
                for p in range(TILE):
                    best[p] = np.inf
                    nearest[p] = 0
                find(factors[a], bias[a], tile, scores, best, nearest)
                row = active[a]
                for p in range(size):
                    i, new = start + p, nearest[p]
                    old = labels[row, i]
                    if new != old:
                        labels[row, i] = new
                        own = np.float64(weight[i])
                        counted = own != 0
                        weights[a, new] += own
                        counts[a, new] += counted
                        for f in range(d):
                            sums[a, new, f] += own * np.float64(x[i, f] - origin[f])
                        if old >= 0:
                            weights[a, old] -= own
                            counts[a, old] -= counted
                            for f in range(d):
                                sums[a, old, f] -= own * np.float64(x[i, f] - origin[f])

    count = types.int64
    return _compiled(
        assign,
        *(_read(value, 2), _read(value, 1), _read(value, 1), _read(value, 3), _read(value, 2)),
        *(_read(count, 1), label[:, ::1], count, count),
        *(value[:, ::1], value[:, ::1], value[::1], label[::1]),
        *(types.float64[:, :, ::1], types.float64[:, ::1], types.int32[:, ::1]),
    )


def _filling(value):
    """Return the function that fills a tile with points from one on, the last one repeated."""

    def fill(x, origin, start, last, tile):
        for left in range(0, TILE, _ROWS):
            for f in range(x.shape[1]):
                for p in range(left, left + _ROWS):
                    tile[f, p] = x[min(start + p, last - 1), f] - origin[f]

    from numba import types

    count = types.int64
    return _compiled(fill, _read(value, 2), _read(value, 1), count, count, value[:, ::1])


def _search(w, is_narrow, value):
    """Return the function that finds the lowest of the scores of a tile.

    It is one by itself, for within a longer one LLVM fails to see that the arrays are apart.
    """

    def at_once(factors, bias, tile, scores, best, nearest):
        for j in range(len(bias)):
            cluster = np.int32(j)
            for p in range(TILE):
                score = bias[j]
                for f in range(w):
                    score += factors[j, f] * tile[f, p]
                is_lower = score < best[p]
                nearest[p] = cluster if is_lower else nearest[p]
                best[p] = score if is_lower else best[p]

    def in_groups(factors, bias, tile, scores, best, nearest):
        for j in range(0, len(bias), 2):  # two at once, so a feature is read half as often
            for p in range(TILE):
                scores[0, p], scores[1, p] = bias[j], bias[j + 1]
            for group in range(tile.shape[0] // w):
                for p in range(TILE):
                    score, other = scores[0, p], scores[1, p]
                    for f in range(w):
                        value = tile[group * w + f, p]
                        score += factors[j, group * w + f] * value
                        other += factors[j + 1, group * w + f] * value
                    scores[0, p], scores[1, p] = score, other
            first, second = np.int32(j), np.int32(j + 1)
            for p in range(TILE):
                score, other = scores[0, p], scores[1, p]
                is_lower = score < best[p]
                lowest = score if is_lower else best[p]
                cluster = first if is_lower else nearest[p]
                is_lower = other < lowest
                best[p] = other if is_lower else lowest
                nearest[p] = second if is_lower else cluster

    from numba import types

    return _compiled(
        at_once if is_narrow else in_groups,
        *(_read(value, 2), _read(value, 1), value[:, ::1], value[:, ::1]),
        *(value[::1], types.int32[::1]),
    )


@functools.cache
def approach(w: int, dtype: str):
    """Return the function that measures how much nearer centers come to the points.

    Its arguments: points (n, d), origin (d,) to subtract, weights (n,); candidates (R, T, D); the
    squared distances (R, n) to the closest center so far; first and last point; a tile (D, b) of
    zeros and a row (b,); totals (R, T, b) float64, to which the weighted squared distances are
    added, were a candidate a center too; and whether it is one from now on: then the distances
    (R, n) are changed in place, by the first candidate.

    Args:
        w: of `groups_to_approach`.
        dtype: of the points, "float32" or "float64".
    """
    from numba import types

    value = getattr(types, dtype)
    fill = _filling(value)

    def come(
        x, origin, weight, candidates, closest, first, last, tile, distances, totals, is_chosen
    ):
        n_groups = tile.shape[0] // w
        n_restarts, n_candidates, _ = candidates.shape
        for start in range(first, last, TILE):
            size = min(TILE, last - start)
            fill(x, origin, start, last, tile)
            for r in range(n_restarts):
                for t in range(n_candidates):
                    for p in range(TILE):
                        distances[p] = 0
                    for group in range(n_groups):
                        for p in range(TILE):
                            distance = distances[p]
                            for f in range(w):
                                at = group * w + f
                                way = tile[at, p] - candidates[r, t, at]
                                distance += way * way
                            distances[p] = distance
                    if is_chosen:
                        for p in range(size):
                            closest[r, start + p] = min(closest[r, start + p], distances[p])
                    else:
                        for p in range(size):
                            i = start + p
                            totals[r, t, p] += weight[i] * min(closest[r, i], distances[p])

    count = types.int64
    return _compiled(
        come,
        *(_read(value, 2), _read(value, 1), _read(value, 1), _read(value, 3)),
        *(value[:, ::1], count, count, value[:, ::1], value[::1]),
        *(types.float64[:, :, ::1], types.boolean),
    )


def _read(value, rank):
    """Return the type of an array that is only read: any array will do."""
    from numba import types

    return types.Array(value, rank, "C", readonly=True)


def _compiled(function, *arguments):
    # Only who fits waits for the import.
    import numba
    from numba import types

    # Products and sums in one step, without which a loop takes twice as long.
    options = {"fastmath": {"contract", "nnan", "nsz"}, "error_model": "numpy", "nogil": True}
    signature = types.void(*arguments)
    try:
        return numba.njit(signature, cache=True, **options)(function)
    except RuntimeError:  # There is no folder to keep it in.
        return numba.njit(signature, **options)(function)
