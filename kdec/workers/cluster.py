"""Which processes work together, and which of them this one is: read from `TF_CONFIG`."""

import json
import os
from typing import NamedTuple

_EXPECTED = (
    'Expected TF_CONFIG to be JSON such as {"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


class Cluster(NamedTuple):
    """The workers, in the order in which TensorFlow numbers them."""

    tasks: tuple[tuple[str, int], ...]  # type and index of each
    addresses: tuple[str, ...]
    index: int  # of this process

    def name(self, index: int) -> str:
        """Return what to call a worker in a message."""
        return f"worker {index} ({self.addresses[index]})"


def cluster_from_environment() -> Cluster | None:
    """Return the cluster that `TF_CONFIG` describes, or None without one of several workers.

    Raises:
        ValueError: If `TF_CONFIG` is not of workers and at most one chief, or this process is none
            of them.

    Example:
    >>> import os
    >>> from kdec.workers.cluster import cluster_from_environment
    >>> cluster_from_environment() is None
    True
    >>> os.environ["TF_CONFIG"] = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": \
"worker", "index": 1}}'
    >>> cluster_from_environment().name(1)
    'worker 1 (b:1)'
    >>> del os.environ["TF_CONFIG"]
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return None
    try:
        config = json.loads(text)
        jobs = dict(config.get("cluster", {}))
        task = config.get("task", {})
        task = (task.get("type", "worker"), task.get("index", 0))
    except (ValueError, TypeError, AttributeError):
        jobs = task = None
    if jobs == {}:
        return None
    if jobs is None or not set(jobs) <= {"chief", "worker"} or len(jobs.get("chief", ())) > 1:
        raise ValueError(f"{_EXPECTED}, with jobs chief and worker only. Received: {text}")
    tasks = tuple((job, i) for job in ("chief", "worker") for i in range(len(jobs.get(job, ()))))
    if task not in tasks:
        raise ValueError(f"{_EXPECTED}, with a task of the cluster. Received: {text}")
    if len(tasks) == 1:
        return None
    return Cluster(tasks, tuple(jobs[job][i] for job, i in tasks), tasks.index(task))
