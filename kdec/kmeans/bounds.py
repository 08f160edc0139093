"""The nearest of many centers for narrow points, without a product for most of the points.

Each point keeps an upper bound of the distance to its own center and a lower bound of the distance
to all others. When centers move, the bounds give way by as much. Where they do not overlap the
label stays; the other points are searched anew. Mostly a few centers move far and the rest little,
so those few, the *movers*, are measured anew for all points, and lower bounds fall only by the way
of the fastest of the rest.

The bounds leave room for the rounding of the scores (those of `kdec.kmeans.nearest`), so a label
stays only where a search would find it too.

Shapes: n points, c points of a piece, d features, k clusters, m movers.

Reference:
    Hamerly 2010, "Making k-means even faster", for the two bounds. Measuring the movers is ours.
"""

import numpy as np

from kdec.kmeans.cores import in_pieces

_TILE = 2**17  # scores; 512 KiB in float32, which stay in a core's cache
_FEWEST_ROWS = 64
_SAMPLE = 4096  # points that tell how many will be open
_FEWEST_MOVERS = 8
# What work on a point costs, in scores of a search.
_COST_OF_BOUNDS = 30
_COST_OF_OPEN = 100


class BoundedSearch:
    """The labels of the same points under centers that move.

    Args:
        x: Points, (n, d), float32 or float64.

    Attributes:
        n_searched: Int, points of the last call that were compared with all centers.
    """

    def __init__(self, x: np.ndarray):
        self._x = x
        self._squares = np.einsum("ij,ij->i", x, x)
        self._longest = np.sqrt(self._squares.max())
        self._upper, self._lower = np.empty((2, len(x)), x.dtype)
        # Twice the bound of the error of a score, relative to (|x| + |center|)^2.
        self._rounding = (x.shape[1] + 8) * np.finfo(x.dtype).eps
        self._labels, self._centers = None, None
        self.n_searched = 0

    def label(self, centers: np.ndarray) -> np.ndarray:
        """Return the label of the nearest of the centers (k, d) for each point: (n,) int32."""
        new = _Centers(centers, self._rounding, self._longest)
        if self._labels is None:
            self._labels, movers = np.zeros(len(self._x), np.int32), None
        else:
            new.come_from(self._centers)
            movers = self._movers(new)
            self._labels = self._labels.copy()

        def of_piece(rows):
            is_open = None if movers is None else self._open(new, rows, movers)
            return self._search(new, rows, is_open)

        self.n_searched = sum(in_pieces(of_piece, len(self._x)))
        self._centers = centers
        return self._labels

    def _movers(self, centers):
        """Return the centers to measure for all points, or None to search for all."""
        k = len(centers.factors)
        some = slice(None, None, -(-len(self._x) // _SAMPLE))
        gap = self._lower[some] - self._upper[some] - centers.way[self._labels[some]]
        gap.sort()
        order = np.argsort(-centers.way)
        counts = _FEWEST_MOVERS * 2 ** np.arange(max(1, (k // _FEWEST_MOVERS).bit_length() - 1))
        counts = np.append(0, counts[counts < k])
        share = np.searchsorted(gap, centers.way[order[counts]], side="right") / len(gap)
        cost = _COST_OF_BOUNDS + counts + share * (k + _COST_OF_OPEN)
        cheapest = cost.argmin()
        return _Movers(centers, order, counts[cheapest]) if cost[cheapest] < k else None

    def _open(self, centers, rows, movers):
        """Move the bounds of a piece; return which of its points they leave open: (c,) bool."""
        is_open = np.empty(rows.stop - rows.start, bool)
        size = max(_FEWEST_ROWS, min(len(is_open), _TILE // max(1, len(movers.clusters))))
        table = np.empty((len(movers.clusters), size), self._x.dtype)
        for start in range(rows.start, rows.stop, size):
            part = slice(start, min(start + size, rows.stop))
            own = table[:, : part.stop - start]
            is_open[start - rows.start :][:size] = self._open_tile(centers, part, movers, own)
        return is_open

    def _open_tile(self, centers, rows, movers, table):
        x, own, squares = self._x[rows], self._labels[rows], self._squares[rows]
        upper, lower = self._upper[rows], self._lower[rows]
        error = centers.error(squares)
        upper += centers.way.take(own)
        lower -= movers.way_of_rest
        if len(table):
            np.matmul(movers.factors, x.T, out=table)
            table += movers.bias
            place = movers.place.take(own)
            (moved,) = np.nonzero(place >= 0)
            place = place[moved]
            upper[moved] = _distance(table[place, moved], squares[moved], error[moved])
            table[place, moved] = np.inf
            np.minimum(lower, _distance(table.min(axis=0), squares, -error), out=lower)
        is_open = ~_is_closed(upper, lower, error)
        (rows,) = np.nonzero(is_open)
        difference = x[rows] - centers.values[own[rows]]
        exact = np.einsum("ij,ij->i", difference, difference)
        upper[rows] = exact = _distance(exact, 0, error[rows])
        is_open[rows] = ~_is_closed(exact, lower[rows], error[rows])
        return is_open

    def _search(self, centers, rows, chosen):
        """Label a piece, or the chosen ones (c,) bool of its points; return their number."""
        x, squares = self._x[rows], self._squares[rows]
        labels, upper, lower = self._labels[rows], self._upper[rows], self._lower[rows]
        k, d = centers.values.shape
        size = max(_FEWEST_ROWS, _TILE // k)
        # With a column of ones, the product adds the bias.
        tile, table = np.ones((size, d + 1), x.dtype), np.empty((size, k), x.dtype)
        chosen = None if chosen is None else np.flatnonzero(chosen)
        n = len(x) if chosen is None else len(chosen)
        for start in range(0, n, size):
            part = slice(start, min(start + size, n))
            part = part if chosen is None else chosen[part]
            values = x[part]
            tile[: len(values), :d] = values
            scores = np.matmul(tile[: len(values)], centers.with_bias, out=table[: len(values)])
            labels[part] = lowest = scores.argmin(axis=1)
            places = lowest + np.arange(0, scores.size, k)
            flat = scores.reshape(-1)
            best = flat[places]
            flat[places] = np.inf
            # NumPy finds the place of the lowest in half of the time for the lowest itself.
            second = flat[scores.argmin(axis=1) + places - lowest]
            own = squares[part]
            error = centers.error(own)
            upper[part], lower[part] = _distance(best, own, error), _distance(second, own, -error)
        return n


class _Centers:
    """Centers as a search needs them, and how far they have come."""

    def __init__(self, values, rounding, longest_point):
        self.values = values
        self.factors = -2 * values
        self.bias = np.square(values).sum(axis=1)
        self.with_bias = np.column_stack([self.factors, self.bias]).T
        self._rounding, self._longest_point = rounding, longest_point
        self._longest = self.bias.max()
        self.way = None  # (k,), upper bound of what the distance to a point may have changed by

    def come_from(self, old):
        """Set how far each center is from where it was."""
        way = np.linalg.norm(self.values.astype(np.float64) - old, axis=1)
        # A bound that gives way is rounded, by its own size at most.
        largest = self._longest_point + np.sqrt(self._longest)
        self.way = ((1 + self._rounding) * way + self._rounding * largest).astype(old.dtype)

    def error(self, squares):
        """Return twice the largest error of a score for points of squared lengths (c,)."""
        return (2 * self._rounding) * (squares + self._longest)


class _Movers:
    """The centers that moved farthest.

    Args:
        centers: All.
        order: Clusters, (k,), the farthest first.
        m: How many move.
    """

    def __init__(self, centers, order, m):
        self.clusters, rest = order[:m], order[m:]
        self.factors, self.bias = centers.factors[self.clusters], centers.bias[self.clusters, None]
        self.place = np.full(len(order), -1)  # (k,), of each cluster among the movers
        self.place[self.clusters] = np.arange(m)
        self.way_of_rest = centers.way[rest].max(initial=0)


def _distance(scores, squares, error):
    """Return bounds of distances, from scores of points and their squared lengths (c,)."""
    return np.sqrt(np.maximum(scores + squares + error, 0))


def _is_closed(upper, lower, error):
    """Tell whether the score of the own center is the lowest, however scores are rounded."""
    return lower > np.sqrt(upper * upper + 2 * error)
