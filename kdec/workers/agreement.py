"""Whether all workers work on the same: compared before any work is done."""

from collections.abc import Mapping, Sequence
from typing import Any

_MOST_NAMES = 3


def check_agreement(facts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Raise a ValueError if the workers are not alike; it names the fewest first.

    Args:
        facts: What each worker says of itself, the same keys for all.
        names: What to call each worker.

    Example:
    >>> from kdec.workers.agreement import check_agreement
    >>> check_agreement([{"columns": 3}] * 2, ["worker 0", "worker 1"])
    >>> check_agreement([{"columns": 3}, {"columns": 4}], ["worker 0", "worker 1"])
    Traceback (most recent call last):
    ValueError: Expected the same on all workers. Received: columns=3 on worker 0; columns=4 on \
worker 1
    """
    common = max(facts, key=facts.count)
    differing = [key for key in common if any(own.get(key) != common[key] for own in facts)]
    if not differing:
        return
    groups = {}
    for own, name in zip(facts, names, strict=True):
        groups.setdefault(", ".join(f"{key}={own.get(key)}" for key in differing), []).append(name)
    received = sorted(groups.items(), key=lambda group: len(group[1]))
    raise ValueError(
        "Expected the same on all workers. Received: "
        + "; ".join(f"{values} on {_listed(who)}" for values, who in received)
    )


def _listed(names):
    more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return " and ".join([*names[:_MOST_NAMES], *more])
