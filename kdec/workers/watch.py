"""A watch over the other workers: if one is lost, this one ends, with an error that names it.

TensorFlow aborts operations that wait for a lost worker, with an error that does not say what to
do, and lets a process compute on that waits for none. The watch asks each worker for a sign of
life. If one gives none, it is named; a process that has not ended some time later is ended.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.python.eager import context as tensorflow_context

from kdec.workers.cluster import Cluster

_LOGGER = logging.getLogger("kdec")

# Seconds. Their sum, with two attempts, is below a minute.
_INTERVAL = 5.0
_ANSWER_WITHIN = 8.0
_GRACE = 20.0
_ATTEMPTS = 2
_EXIT_CODE = 2


class Watch:
    """Asks the other workers for a sign of life until it is stopped.

    Args:
        cluster: The workers.
    """

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._ask_now, self._has_asked = threading.Event(), threading.Event()
        self._stopped = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="kdec-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more: from now on no worker is expected to answer."""
        self._stopped.set()
        self._ask_now.set()

    def failure(self) -> str | None:
        """Ask all workers now; return what happened if one is lost."""
        for _ in range(2):  # A round that was under way may have asked before.
            if self._failure is None:
                self._has_asked.clear()
                self._ask_now.set()
                self._has_asked.wait(_ATTEMPTS * _ANSWER_WITHIN)
        return self._failure

    def _run(self):
        while not self._stopped.is_set() and self._failure is None:
            self._ask_now.wait(_INTERVAL)
            self._ask_now.clear()
            self._ask_all()
            self._has_asked.set()
        if not self._stopped.wait(_GRACE):
            _LOGGER.error("%s", self._failure)
            os._exit(_EXIT_CODE)

    def _ask_all(self):
        others = (i for i in range(len(self._cluster.tasks)) if i != self._cluster.index)
        lost = next((i for i in others if not self._is_alive(*self._cluster.tasks[i])), None)
        if lost is None or self._stopped.is_set():
            return
        self._failure = (
            f"Expected all {len(self._cluster.tasks)} workers to stay. Received: no sign of life "
            f"from {self._cluster.name(lost)}; its own log may say why. Start the same command on "
            "all workers again"
        )
        tensorflow_context.context().abort_collective_ops(tf.errors.UNAVAILABLE, self._failure)

    def _is_alive(self, job, task):
        for _ in range(_ATTEMPTS):
            if self._stopped.is_set():
                return True
            try:
                tensorflow_context.context().check_collective_ops_peer_health(
                    f"/job:{job}/replica:0/task:{task}", timeout_in_ms=int(_ANSWER_WITHIN * 1000)
                )
                return True
            except tf.errors.OpError as error:
                _LOGGER.debug("%s", error)
        return False


@contextlib.contextmanager
def watched(cluster: Cluster) -> Iterator[None]:
    """Watch the other workers within the block.

    Raises:
        ConnectionError: In place of TensorFlow's error, if a worker was lost.
    """
    watch = Watch(cluster)
    try:
        yield
    except tf.errors.OpError:
        failure = watch.failure()
        if failure is None:
            raise
        raise ConnectionError(failure) from None
    finally:
        watch.stop()
