"""What several workers have to have in common to find clusters together."""

import hashlib
from numbers import Integral

import numpy as np
from scipy.sparse import issparse


def facts_of(X, parameters: dict) -> dict:
    """Return what has to be the same on all workers.

    Args:
        X: The points of this worker.
        parameters: Those of the estimator.

    Raises:
        ValueError: If a parameter would not be the same on all workers.
    """
    facts = {"columns": X.shape[1], "dtype": str(X.dtype), "sparse": issparse(X), **parameters}
    if not isinstance(facts["random_state"], Integral):
        raise ValueError(
            "Expected random_state to be an int on several workers, the same on all. "
            f"Received: random_state={facts['random_state']!r}."
        )
    if callable(facts["init"]):
        raise ValueError(
            "Expected init to be a name or an array on several workers, since a function has only "
            f"the points of one. Received: init={facts['init']!r}."
        )
    if not isinstance(facts["init"], str):
        values = np.ascontiguousarray(facts["init"], np.float64)
        facts["init"] = f"array {hashlib.sha256(values).hexdigest()[:16]}"
    del facts["verbose"]
    return {name: str(value) for name, value in facts.items()}
