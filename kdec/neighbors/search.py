"""The nearest neighbours of all samples among themselves, by blocks of matrix products."""

import logging
from math import prod

import keras
import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from kdec.data import Shards, change_rows, in_chunks
from kdec.guards import as_array, non_negative_int, positive_int, refuse_forked_process
from kdec.neighbors import approximate as index
from kdec.neighbors.table import Table, without_self

_LOGGER = logging.getLogger("kdec")
_MOST_FEATURES = 64  # that are searched as they are; of more, the principal components are
_BAR_FROM = 20_000  # samples, from where the search takes more than a second or two
_MOST_EXACT = 200_000  # samples; the time grows with their square
_MEASURED = 1000  # samples whose approximate neighbours are compared with the exact ones


def nearest_neighbors(
    x: ArrayLike,
    n_neighbors: int = 10,
    *,
    n_components: int = 50,
    approximate: bool | None = None,
    seed: int = 0,
    verbose: bool | str = "auto",
) -> np.ndarray:
    """Find the nearest neighbours of each sample among the others, by Euclidean distance.

    Samples of more than 64 features are compared by their first principal components: several
    times faster, and what is left out is mostly noise. The search itself is exact up to 200,000
    samples. It works in float64 if `x` is of float64, else in float32, and on TensorFlow. Above,
    an index of pynndescent finds almost all neighbours (``pip install 'kdec[approximate]'``); the
    share is measured on 1,000 samples, and logged. Without pynndescent a warning is logged, and the
    search is exact.

    Args:
        x: Real array (n, ...), flattened to (n, d); data far from the origin lose nothing. Of
            samples on the disk, what is searched lies in memory: at most 64 values of each, or
            `n_components`.
        n_neighbors: Positive int below n. Defaults to 10.
        n_components: Positive int, principal components of samples with more than 64 features.
            Defaults to 50.
        approximate: Whether to use the index. Defaults to None: above 200,000 samples.
        seed: Non-negative int, of the index. Defaults to 0.
        verbose: Whether to show a progress bar; "auto" shows it from 20,000 samples on. Defaults to
            "auto".

    Returns:
        Int32 array (n, n_neighbors), rows of `x`, the nearest first. No sample is its own
        neighbour; a copy of it is.

    Raises:
        ValueError: If `x` does not hold finite real numbers, there are not more samples than
            `n_neighbors`, or a number is not a positive int.
        ImportError: If `approximate` is True, and pynndescent is not installed.
        RuntimeError: In a process that was forked after TensorFlow had started.

    Example:
    >>> import kdec, numpy as np
    >>> kdec.nearest_neighbors(np.array([[0.0], [1.0], [3.0], [3.5]]), n_neighbors=2).tolist()
    [[1, 2], [0, 2], [3, 1], [2, 1]]
    """
    refuse_forked_process()
    n_neighbors = positive_int("n_neighbors", n_neighbors)
    n_components = positive_int("n_components", n_components)
    seed = non_negative_int("seed", seed)
    library = index.index_library(is_required=True) if approximate else None
    points = _reduced(centred(x)[0], n_components)
    if isinstance(points, Shards):  # What is searched lies in memory.
        points = np.concatenate(list(in_chunks(points)))
    n = len(points)
    if n_neighbors >= n:
        raise ValueError(f"Expected `n_neighbors` below {n}, the samples. Received: {n_neighbors}")
    if approximate is None and n > _MOST_EXACT:
        library = index.index_library(is_required=False)
        if library is None:
            _LOGGER.warning(
                "The exact search among %d samples takes %.0f times as long as among %d. "
                "`pip install 'kdec[approximate]'` adds a faster one.",
                *(n, (n / _MOST_EXACT) ** 2, _MOST_EXACT),
            )
    show = n >= _BAR_FROM if verbose == "auto" else bool(verbose)
    if library is not None:
        return _by_index(library, points, n_neighbors, seed)
    found = np.empty((n, n_neighbors), np.int32)
    bar = keras.utils.Progbar(n, unit_name="sample", verbose=int(show))
    for rows, neighbors in _exact(points, np.arange(n), n_neighbors):
        found[rows] = neighbors
        bar.update(rows[-1] + 1)
    return found


def _exact(points, rows, n_neighbors):
    """Yield the exact neighbours (m, n_neighbors) of some of the rows at a time, with the rows."""
    # One more than asked for, since the sample itself is most often among them.
    table = Table(points, n_neighbors + 1)
    for start in range(0, len(rows), table.n_queries):
        own = rows[start : start + table.n_queries]
        yield own, without_self(table.nearest(points[own]), own)


def _by_index(library, points, n_neighbors, seed):
    """The neighbours that the index finds; its recall goes to the log."""
    candidates = index.candidates(library, points, n_neighbors + 1, seed)
    found = without_self(candidates, np.arange(len(points)))
    few = np.flatnonzero((found < 0).any(axis=1))
    for rows, neighbors in _exact(points, few, n_neighbors):
        found[rows] = neighbors
    sample = np.sort(np.random.default_rng(seed).permutation(len(points))[:_MEASURED])
    exact = np.concatenate([neighbors for _, neighbors in _exact(points, sample, n_neighbors)])
    index.log_recall(found[sample], exact, len(points))
    return found


def centred(x: ArrayLike) -> tuple[np.ndarray | Shards, np.ndarray]:
    """Return `x` as floats (n, d) around its mean, on the disk as `Shards`, and the mean (d,).

    Raises:
        ValueError: If `x` does not hold finite real numbers, shape (n, ...) with n > 0.
    """
    x = Shards.of(x) or as_array("x", x)
    if x.ndim < 2 or prod(x.shape) == 0 or x.dtype.kind not in "biuf":
        raise ValueError(
            "Expected `x` to hold real numbers, shape (n, ...) with n > 0. "
            f"Received: shape {x.shape}, dtype {x.dtype}"
        )
    x = change_rows(x, lambda rows: rows.reshape(len(rows), -1))
    dtype = np.float64 if x.dtype == np.float64 else np.float32
    mean = sum(rows.sum(axis=0, dtype=np.float64) for rows in in_chunks(x)) / len(x)
    if not np.isfinite(mean).all():
        raise ValueError("Expected finite values in `x`. Received: NaN or infinity among them.")
    # The difference in float64, which large integers need; it is then small.
    points = change_rows(x, lambda rows: np.subtract(rows, mean, dtype=np.float64).astype(dtype))
    return points, mean


def _reduced(points, n_components):
    if points.shape[1] <= _MOST_FEATURES:
        return points
    n_components = min(n_components, *points.shape)
    if not isinstance(points, Shards):
        return PCA(n_components, random_state=0).fit_transform(points)
    # As scikit-learn has it for many samples, of points around 0: by their products (d, d).
    products = sum(rows.T.astype(np.float64) @ rows for rows in in_chunks(points))
    axes = np.linalg.eigh(products)[1][:, : -n_components - 1 : -1].astype(points.dtype)
    return change_rows(points, lambda rows: rows @ axes)
