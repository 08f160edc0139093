"""The points of this worker among those of all, numbered in the order of the workers."""

import numpy as np
from scipy.sparse import issparse

from kdec.kmeans.points import Statistics
from kdec.workers import Workers

_WEIGHTS = 2**20  # summed at once


class Share:
    """Which of all points are this worker's.

    Args:
        workers: All workers.
        n_own: Number of points of this one.

    Attributes:
        n: Int, points of all workers.
        start: Int, number of the first point of this worker among them.
        n_own: As given.
        workers: As given.
    """

    def __init__(self, workers: Workers, n_own: int):
        sizes = np.array(workers.gather(np.array([n_own])))
        self.workers, self.n_own = workers, n_own
        self.start, self.n = int(sizes[: workers.index].sum()), int(sizes.sum())

    def all(self, is_so: bool) -> bool:
        """Return whether something is so on all workers."""
        return int(self.workers.sum(np.int32(is_so))) == self.workers.count

    def own(self, numbers):
        """Return which of the numbers (m,) are of own points, and which points these are."""
        is_own = (numbers >= self.start) & (numbers < self.start + self.n_own)
        return is_own, np.clip(numbers - self.start, 0, self.n_own - 1)

    def facts(self, sample_weight: np.ndarray, about: Statistics) -> dict[str, str]:
        """Return by what the points of all workers are known again, however they are shared."""
        weight = float(self.workers.sum(sample_weight.sum(dtype=np.float64)))
        # Of few digits: the sums of another number of workers are rounded otherwise.
        variance = about.variance.sum()
        return {"points": f"{self.n} of weight {weight:.6g}, variance {variance:.6g}"}

    def rows(self, X, numbers: np.ndarray) -> np.ndarray:
        """Return points by their numbers (m,), of `X` and of what other workers have: (m, d)."""
        is_own, rows = self.own(numbers)
        values = X[rows]
        values = values.toarray() if issparse(values) else values
        return np.array(self.workers.sum(np.where(is_own[:, np.newaxis], values, 0)))

    def at_quantiles(
        self, weights: np.ndarray, quantiles: np.ndarray, without: np.ndarray | tuple = ()
    ) -> np.ndarray:
        """Return the numbers of the points at quantiles (m,), in [0, 1), of their weights (n_own,).

        With uniform quantiles they are drawn with probabilities in proportion to the weights, as
        `numpy.random.RandomState.choice` draws them. Points whose numbers are in `without` count as
        points without weight.
        """
        is_own, rows = self.own(np.asarray(without, np.int64))
        taken = rows[is_own]
        for mass in _sums_so_far(weights, taken):
            total = mass[-1]
        ends = np.cumsum(self.workers.gather(np.array([total])))
        before = ends[self.workers.index] - total
        draws = quantiles * ends[-1]
        holder = np.minimum(np.searchsorted(ends, draws, side="right"), len(ends) - 1)
        rows = np.zeros(len(draws), np.int64)
        for mass in _sums_so_far(weights, taken):
            rows += np.searchsorted(mass, draws - before, side="right")
        rows = np.minimum(rows, self.n_own - 1)
        own = np.where(holder == self.workers.index, rows + self.start, 0)
        return np.array(self.workers.sum(own.astype(np.int64)))

    def statistics(self, own: Statistics) -> Statistics:
        """Return the statistics of all points, of those of each worker's."""
        if self.workers.count == 1:
            return own
        n = np.array(self.workers.gather(np.array([[self.n_own]], np.float64)))
        mean, variance, varies = (
            np.array(self.workers.gather(each[np.newaxis].astype(np.float64))) for each in own
        )
        origin = mean[0]
        total_mean = origin + (n * (mean - origin)).sum(axis=0) / self.n
        spread = variance + np.square(mean - total_mean)
        return Statistics(
            total_mean.astype(own.mean.dtype),
            (n * spread).sum(axis=0) / self.n,
            varies.any(axis=0) | (mean != origin).any(axis=0),
        )


def _sums_so_far(weights, taken):
    """Yield the cumulative sums of the weights in order, some at a time: all take 8 bytes each."""
    total = 0.0
    for start in range(0, len(weights), _WEIGHTS):
        part = weights[start : start + _WEIGHTS].astype(np.float64)
        part[taken[(taken >= start) & (taken < start + len(part))] - start] = 0
        part[0] += total
        yield np.cumsum(part, out=part)
        total = part[-1]
