"""The walk through the samples in batches: of one worker, or of several, each with its own samples.

Several workers walk together through one order of the samples of all. Of each batch a worker has
those that are its own; what they find is summed, so that a step is that of one worker.
"""

import hashlib

import keras
import numpy as np
import tensorflow as tf

from kdec.workers import Workers, present


class Walk:
    """Which samples a step trains on.

    Args:
        workers: All workers.
        n_own: Samples of this one.
        batch_size: Samples a step, of all workers; the last batch of a pass may be smaller.
        shuffle: Walk through a permutation that depends on the number of samples alone.

    Attributes:
        n: Int, samples of all workers.
    """

    def __init__(self, workers: Workers, n_own: int, batch_size: int, shuffle: bool):
        sizes = np.array(workers.gather(np.array([n_own])))
        start, self.n = int(sizes[: workers.index].sum()), int(sizes.sum())
        order = np.random.default_rng(0).permutation(self.n) if shuffle else np.arange(self.n)
        own = np.flatnonzero((order >= start) & (order < start + n_own))
        ends = np.append(np.arange(0, self.n, batch_size), self.n)
        self._rows = tf.constant(order[own] - start, tf.int32)
        self._ends = tf.constant(ends, tf.int32)
        self._own_ends = tf.constant(np.searchsorted(own, ends), tf.int32)
        self._has_several = workers.count > 1

    def rows(self, step):
        """Return the own samples of a step, int32; if none, one of which no share counts."""
        first, end = self._span(self._own_ends, step)
        # The mean of none would not be a number.
        return self._rows[tf.minimum(first, tf.size(self._rows) - 1) : tf.maximum(end, first + 1)]

    def batch_size(self, step):
        """Return how many samples a step has, of all workers."""
        first, end = self._span(self._ends, step)
        return end - first

    def share(self, step):
        """Return which share of them is this worker's; None without others."""
        if not self._has_several:
            return None
        first, end = self._span(self._own_ends, step)
        return (end - first) / self.batch_size(step)

    def _span(self, ends, step):
        batch = step % (tf.size(ends) - 1)
        return ends[batch], ends[batch + 1]


def average_over_workers(model: keras.Model, workers: Workers) -> None:
    """Give all workers the same weights, the means of theirs.

    They differ where the samples of a worker enter, as in the moving means of a
    BatchNormalization, and by rounding.
    """
    if workers.count == 1:
        return
    variables = [each for each in model.variables if "float" in str(each.dtype)]
    sums = workers.sum([keras.ops.convert_to_numpy(each).astype("float64") for each in variables])
    for variable, total in zip(variables, sums, strict=True):
        variable.assign(total / workers.count)


def check_workers(model: keras.Model, y: np.ndarray | None) -> None:
    """Raise a ValueError if several workers do not train the same model, or have unlike labels.

    Args:
        model: The model, in the state in which it is trained.
        y: Labels (n,), or None.
    """
    workers = present()
    if workers.count == 1:
        return
    if y is not None and y.dtype not in (np.int32, np.int64):
        raise ValueError(
            f"Expected `y` to be int32 or int64 on several workers. Received: dtype {y.dtype}"
        )
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight))
    weights = digest.hexdigest()[:16]
    workers.agree({"model": model.count_params(), "weights": weights, "labels": y is not None})
