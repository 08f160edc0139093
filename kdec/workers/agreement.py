"""Whether all workers work on the same: compared before any work is done."""

from collections.abc import Mapping, Sequence
from typing import Any


def check_agreement(facts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Raise a ValueError that names the workers that differ from the rest.

    The rest is the largest group that is alike, of several the one with the first worker.

    Args:
        facts: What each worker says of itself, the same keys for all.
        names: What to call each worker.

    Example:
    >>> from kdec.workers.agreement import check_agreement
    >>> check_agreement([{"columns": 3}] * 2, ["worker 0", "worker 1"])
    >>> check_agreement([{"columns": 3}, {"columns": 4}], ["worker 0", "worker 1"])
    Traceback (most recent call last):
    ValueError: Expected the same on all workers. Received: columns=4 on worker 1, columns=3 on \
worker 0
    """
    common = max(facts, key=lambda own: facts.count(own))
    for own, name in zip(facts, names, strict=True):
        differing = [key for key in common if own.get(key) != common[key]]
        if differing:
            others = [names[i] for i, other in enumerate(facts) if other == common]
            raise ValueError(
                f"Expected the same on all workers. Received: {_listed(own, differing)} on {name}, "
                f"{_listed(common, differing)} on {' and '.join(others)}"
            )


def _listed(facts, keys):
    return ", ".join(f"{key}={facts.get(key)}" for key in keys)
