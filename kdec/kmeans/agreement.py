"""What several workers have to have in common to find clusters together."""

import hashlib
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse

from kdec.workers import Workers


def facts_of(X, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what has to be the same on all workers, and when an interrupted fit goes on.

    Args:
        X: The points of this worker.
        parameters: Those of the estimator.
    """
    facts = {"columns": X.shape[1], "dtype": X.dtype, "sparse": issparse(X), **parameters}
    if not isinstance(facts["init"], str) and not callable(facts["init"]):
        facts["init"] = f"array {digest(np.asarray(facts['init'], np.float64))}"
    del facts["verbose"]
    return {name: str(value) for name, value in facts.items()}


def check_alike(workers: Workers, X, parameters: Mapping[str, Any]) -> None:
    """Raise a ValueError if several workers have unlike points or parameters."""
    if workers.count == 1:
        return
    if not isinstance(parameters["random_state"], Integral):
        raise ValueError(
            "Expected random_state to be an int on several workers, the same on all. "
            f"Received: random_state={parameters['random_state']!r}."
        )
    if callable(parameters["init"]):
        raise ValueError(
            "Expected init to be a name or an array on several workers, since a function has only "
            f"the points of one. Received: init={parameters['init']!r}."
        )
    workers.agree(facts_of(X, parameters))


def digest(values: np.ndarray) -> str:
    """Return a short name for the values of an array."""
    return hashlib.sha256(np.ascontiguousarray(values)).hexdigest()[:16]
