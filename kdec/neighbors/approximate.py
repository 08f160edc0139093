"""The nearest neighbours of very many samples by an index that finds almost all of them."""

import importlib
import logging

import numpy as np

_LOGGER = logging.getLogger("kdec")


def index_library(is_required: bool):
    """Return the module pynndescent; without it None, or an ImportError if it is required."""
    try:
        return importlib.import_module("pynndescent")
    except ImportError as error:
        if not is_required:
            return None
        raise ImportError(
            f"Expected pynndescent, for approximate neighbours. Received: {error}. "
            "Install it by `pip install 'kdec[approximate]'`"
        ) from error


def candidates(library, points: np.ndarray, n_candidates: int, seed: int) -> np.ndarray:
    """Find candidates for the nearest neighbours of each point, itself most often among them.

    Args:
        library: From `index_library`.
        points: (n, d).
        n_candidates: Positive int.
        seed: Of the index.

    Returns:
        Int32 array (n, n_candidates), the nearest first; -1 where too few were found.

    Reference:
        Dong, Moses and Li 2011, "Efficient k-nearest neighbor graph construction for generic
        similarity measures".
    """
    index = library.NNDescent(points, n_neighbors=n_candidates, random_state=seed)
    return np.array(index.neighbor_graph[0], np.int32)


def log_recall(found: np.ndarray, exact: np.ndarray, n: int):
    """Log which share of the exact neighbours of some rows is among those found."""
    shares = [np.isin(own, right).mean() for own, right in zip(exact, found, strict=True)]
    _LOGGER.info(
        "Approximate neighbours of %d samples: recall %.3f, measured on %d of them.",
        n,
        np.mean(shares),
        len(found),
    )
