"""Several processes that work as one: sums over all, rows of all, and agreement."""

import contextlib
import functools
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kdec.data import Shards
from kdec.workers.agreement import check_agreement
from kdec.workers.cluster import Cluster, cluster_from_environment
from kdec.workers.watch import watched

_LOGGER = logging.getLogger("kdec")


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

    def own(self, x):
        """Return this worker's share of the rows of an array that all can read.

        Args:
            x: Array (n, ...), `kdec.data.Shards` or `np.memmap`; what is on the disk stays there,
                and only the own rows are ever read.
        """
        rows = self.share(len(x))
        shards = Shards.of(x)
        return x[rows] if shards is None else shards.part(rows.start, rows.stop)

    @tf.autograph.experimental.do_not_convert
    def sum(self, values):
        """Return the sums over all workers, the same to the last bit on all of them.

        Args:
            values: Array, or a nested structure of arrays, of the same shapes on all workers; in a
                graph tensors, which in a loop have the same shape each time.

        Returns:
            Arrays of the same structure and dtypes, in a graph tensors. Outside a graph, whole
            numbers are exact up to 2^53.
        """
        if self._strategy is None:
            return values
        if not tf.executing_eagerly():
            return self._strategy.run(_summed, args=(values,))
        arrays = [np.asarray(each) for each in tf.nest.flatten(values)]
        flat = np.concatenate([each.astype(np.float64).ravel() for each in arrays])
        sums = np.split(self._sum(flat).numpy(), np.cumsum([each.size for each in arrays])[:-1])
        sums = [
            total.astype(each.dtype).reshape(each.shape)
            for total, each in zip(sums, arrays, strict=True)
        ]
        return tf.nest.pack_sequence_as(values, sums)

    @tf.autograph.experimental.do_not_convert
    def gather(self, rows):
        """Return the rows of all workers, in the order of the workers.

        Args:
            rows: Array (n, ...) of numbers of 4 or 8 bytes, whose n may differ between workers, not
                0 on all; in a graph a tensor, which in a loop has the same shape each time.
        """
        if self._strategy is None:
            return rows
        if not tf.executing_eagerly():
            return self._strategy.run(_gathered, args=(rows,))
        rows = np.ascontiguousarray(rows)
        words = self._gather(rows.reshape(-1).view(np.int32)).numpy()
        return words.view(rows.dtype).reshape(-1, *rows.shape[1:])

    def of_first(self, content: bytes) -> bytes:
        """Return what the first worker gives; what others give counts for nothing."""
        if self._strategy is None:
            return content
        content = content if self.index == 0 else b""
        size = int(self.sum(len(content)))
        if size == 0:  # TensorFlow crashes where there is nothing to gather at all.
            return b""
        padded = content + bytes(-len(content) % 4)
        return self.gather(np.frombuffer(padded, np.int32)).tobytes()[:size]

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Raise the same ValueError on all workers if they do not say the same of themselves.

        Args:
            facts: What has to be alike, such as the number of columns; numbers and strings by name.
        """
        if self._strategy is None:
            return
        letters = np.frombuffer(json.dumps(dict(facts)).encode("ascii"), np.uint8)
        ends = np.cumsum(self.gather(np.array([letters.size])))
        texts = np.split(self.gather(letters.astype(np.int32)).astype(np.uint8), ends[:-1])
        names = [self._cluster.name(i) for i in range(self.count)]
        check_agreement([json.loads(text.tobytes()) for text in texts], names)

    @functools.cached_property
    def _sum(self):
        return self._traced(_summed, tf.float64)

    @functools.cached_property
    def _gather(self):
        return self._traced(_gathered, tf.int32)

    def _traced(self, function, dtype):
        """Return a function of one vector as a graph, traced once for all sizes."""
        return tf.function(
            lambda vector: self._strategy.run(function, args=(vector,)),
            input_signature=[tf.TensorSpec([None], dtype)],
            autograph=False,
        )


def _summed(values):
    context = tf.distribute.get_replica_context()
    # In a graph, TensorFlow asks the tensor for its device, which an argument has not.
    tensors = [tf.identity(each) for each in tf.nest.flatten(values)]
    sums = {}
    for dtype in dict.fromkeys(each.dtype for each in tensors):  # It packs tensors of one dtype.
        places = [place for place, each in enumerate(tensors) if each.dtype == dtype]
        reduced = context.all_reduce("SUM", [tensors[place] for place in places])
        sums.update(zip(places, reduced, strict=True))
    return tf.nest.pack_sequence_as(values, [sums[place] for place in range(len(tensors))])


def _gathered(rows):
    return tf.distribute.get_replica_context().all_gather(tf.identity(rows), axis=0)


_ALONE = Workers()
_present = _ALONE


def present() -> Workers:
    """Return the workers that this process has joined, or itself alone."""
    return _present


def refuse_several(what: str) -> None:
    """Raise a ValueError if several workers have joined, for what takes one.

    Args:
        what: What is refused.
    """
    if _present.count > 1:
        raise ValueError(
            "Expected one worker, or the `fit` of KMeans or DEC, which take several. "
            f"Received: {_present.count} workers for {what}"
        )


@contextlib.contextmanager
def join() -> Iterator[Workers]:
    """Work as one of the workers of `TF_CONFIG` within the block; without it, alone.

    Within the block `KMeans.fit` takes this worker's own rows and finds the clusters of the rows
    of all. A worker that is lost ends the block on the others, within a minute. Join before all
    else that uses TensorFlow: it waits for the others.

    Yields:
        `Workers`.

    Raises:
        ValueError: If `TF_CONFIG` is not good.
        RuntimeError: If TensorFlow has been used before, or a worker has several GPUs.
        ConnectionError: If another worker was lost.

    Example:
    >>> import numpy as np
    >>> import kdec
    >>> from kdec.workers import join
    >>> x = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> with join() as workers:
    ...     kmeans = kdec.KMeans(2, random_state=0).fit(workers.own(x))
    >>> kmeans.inertia_
    16.0
    """
    global _present
    cluster = cluster_from_environment()
    if cluster is None:
        yield _ALONE
        return
    workers = _joined(cluster)
    with watched(cluster):
        _present = workers
        try:
            yield workers
            # None leaves, and gives no more signs of life, before all are done.
            workers.sum(0)
        finally:
            _present = _ALONE


@functools.cache
def _joined(cluster):
    """Return the workers; TensorFlow lets a process join them once."""
    _LOGGER.info("Worker %d waits for %d others.", cluster.index, len(cluster.tasks) - 1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    if strategy.num_replicas_in_sync != len(cluster.tasks):
        raise RuntimeError(
            "Expected one device a worker: start a worker for each GPU, and let it see only that "
            f"one, by CUDA_VISIBLE_DEVICES. Received: {strategy.num_replicas_in_sync} devices of "
            f"{len(cluster.tasks)} workers"
        )
    return Workers(cluster, strategy)
