"""Several processes that work as one: sums over all, rows of all, and agreement."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kdec.workers.agreement import check_agreement
from kdec.workers.cluster import Cluster, cluster_from_environment
from kdec.workers.watch import watched


class Workers:
    """The workers of a cluster, seen from one of them; without a cluster, the only one.

    All workers call the same methods in the same order.

    Attributes:
        count: Int, number of workers.
        index: Int, number of this one. The first, 0, writes what is written once.

    Example:
    >>> import numpy as np
    >>> from kdec.workers import join
    >>> with join() as workers:
    ...     workers.count, workers.index, workers.share(10)
    (1, 0, slice(0, 10, None))
    """

    def __init__(self, cluster: Cluster | None = None, strategy=None):
        self._cluster, self._strategy = cluster, strategy
        self.count = 1 if cluster is None else len(cluster.tasks)
        self.index = 0 if cluster is None else cluster.index

    def share(self, n: int) -> slice:
        """Return which of n rows are this worker's: all workers' shares differ by one at most.

        Args:
            n: Int, number of rows of all workers.
        """
        return slice(n * self.index // self.count, n * (self.index + 1) // self.count)

    def sum(self, values):
        """Return the sums over all workers, in a graph too.

        Args:
            values: Tensor or array, or a nested structure of such; of the same shapes and dtypes
                on all workers.

        Returns:
            Tensors of the same structure, the same to the last bit on all workers.
        """
        if self._strategy is None:
            return values
        return self._strategy.run(_summed, args=(tf.nest.map_structure(tf.convert_to_tensor, values),))

    def gather(self, rows):
        """Return the rows of all workers, in the order of the workers, in a graph too.

        Args:
            rows: Tensor or array (n, ...); n may differ between workers.
        """
        if self._strategy is None:
            return rows
        return self._strategy.run(_gathered, args=(tf.convert_to_tensor(rows),))

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Raise the same ValueError on all workers if they do not say the same of themselves.

        Args:
            facts: What has to be alike, such as the number of columns; numbers and strings by name.
        """
        if self._strategy is None:
            return
        text = np.frombuffer(json.dumps(dict(facts)).encode(), np.uint8).astype(np.int32)
        sizes = self.gather([len(text)]).numpy()
        texts = np.split(self.gather(text).numpy().astype(np.uint8), np.cumsum(sizes)[:-1])
        names = [self._cluster.name(i) for i in range(self.count)]
        check_agreement([json.loads(text.tobytes()) for text in texts], names)


def _summed(values):
    context = tf.distribute.get_replica_context()
    # In a graph, TensorFlow asks the tensor for its device, which an argument has not.
    return context.all_reduce("SUM", tf.nest.map_structure(tf.identity, values))


def _gathered(rows):
    return tf.distribute.get_replica_context().all_gather(tf.identity(rows), axis=0)


_ALONE = Workers()
_present: Workers = _ALONE
_strategy = None


def present() -> Workers:
    """Return the workers that this process has joined, or itself alone."""
    return _present


@contextlib.contextmanager
def join() -> Iterator[Workers]:
    """Work as one of the workers of `TF_CONFIG` within the block; without it, alone.

    Within the block `KMeans.fit` takes this worker's own rows and finds the clusters of the rows
    of all. A worker that is lost ends the block on the others, within a minute. Join before all
    else that uses TensorFlow.

    Yields:
        `Workers`.

    Raises:
        ValueError: If `TF_CONFIG` is not good.
        RuntimeError: If TensorFlow has been used before, or this process has several GPUs.
        ConnectionError: If another worker was lost.
    """
    global _present
    cluster = cluster_from_environment()
    if cluster is None:
        yield _ALONE
        return
    strategy = _strategy_of_process()
    with watched(cluster):
        _present = Workers(cluster, strategy)
        try:
            yield _present
            # None leaves, and gives no more signs of life, before all are done.
            _present.sum(0)
        finally:
            _present = _ALONE


def _strategy_of_process():
    """Return the strategy, of which TensorFlow starts one a process."""
    global _strategy
    if _strategy is None:
        _strategy = tf.distribute.MultiWorkerMirroredStrategy()
    return _strategy
