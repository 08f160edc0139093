"""Labels that diffuse over the neighbours of learned codes."""

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from kdec.guards import as_array, positive_int
from kdec.neighbors.search import nearest_neighbors


def diffuse_labels(
    codes: ArrayLike,
    assignments: ArrayLike,
    n_neighbors: int = 20,
    n_passes: int = 30,
    *,
    verbose: bool | str = "auto",
) -> np.ndarray:
    """Replace the assignments of each sample by the mean of its neighbours', again and again.

    A pass is `F <- A F`, where row i of A has 1 / n_neighbors at the nearest neighbours of code i.
    Labels move along the shape of the data, where k-means cuts it by straight lines. Unlike in the
    reference the first assignments do not come in again at each pass (its alpha is 1), so they may
    be wrong, and A is not symmetric.

    Args:
        codes: Real array (n, ...), such as `NeighborContrast.predict` gives.
        assignments: Labels, int array (n,) with values from 0 on, or soft assignments, float array
            (n, n_clusters), non-negative.
        n_neighbors: Positive int below n. Defaults to 20.
        n_passes: Positive int. Defaults to 30.
        verbose: As in `kdec.nearest_neighbors`. Defaults to "auto".

    Returns:
        Soft assignments, float32 array (n, n_clusters), rows sum to 1. Their `argmax(axis=1)` are
        labels; every cluster has some.

    Raises:
        ValueError: If `assignments` are neither, do not fit `codes`, or leave a cluster without a
            sample, before or after the diffusion; if `codes` do not hold finite real numbers, or a
            number is not a positive int.

    Reference:
        Zhou, Bousquet, Lal, Weston, Schölkopf, Learning with Local and Global Consistency (2003),
        section 2.

    Example:
    >>> import kdec, numpy as np
    >>> codes = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> labels = [0, 0, 1, 1, 1, 1]
    >>> kdec.diffuse_labels(codes, labels, n_neighbors=2, n_passes=9).argmax(axis=1).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    n_neighbors = positive_int("n_neighbors", n_neighbors)
    n_passes = positive_int("n_passes", n_passes)
    codes, shares = as_shares(codes, assignments)
    shares = diffuse(mean_of_neighbors(codes, n_neighbors, verbose), shares, n_passes)
    check_that_all_live(
        shares,
        f"Clusters died out within {n_passes} passes over {n_neighbors} neighbours: take fewer of "
        "either. Expected a sample in each cluster",
    )
    return shares


def mean_of_neighbors(codes: np.ndarray, n_neighbors: int, verbose) -> scipy.sparse.csr_array:
    """Return A (n, n): row i has 1 / n_neighbors at the nearest neighbours of code i."""
    neighbors = nearest_neighbors(codes, n_neighbors, verbose=verbose)
    values = np.full(neighbors.size, 1 / n_neighbors, np.float32)
    starts = np.arange(0, neighbors.size + 1, n_neighbors)
    n = len(neighbors)
    return scipy.sparse.csr_array((values, neighbors.ravel(), starts), shape=(n, n))


def diffuse(means: scipy.sparse.csr_array, shares: np.ndarray, n_passes: int) -> np.ndarray:
    """Return soft assignments (n, n_clusters) after some passes of F <- A F, with A the `means`."""
    for _ in range(n_passes):
        shares = means @ shares
    return shares


def as_shares(codes: ArrayLike, assignments: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return codes as an array, and their assignments as float32 rows that sum to 1.

    Raises:
        ValueError: If these are neither labels nor soft assignments, do not fit `codes`, or leave a
            cluster without a sample.
    """
    codes = as_array("codes", codes)
    shares = _as_shares(assignments, len(codes) if codes.ndim else 0)
    check_that_all_live(shares, "Expected a sample in each cluster")
    return codes, shares


def _as_shares(assignments, n):
    """Assignments of either kind as a float32 array (n, n_clusters) of rows that sum to 1."""
    assignments = np.asarray(assignments)
    are_labels = assignments.ndim == 1 and assignments.dtype.kind in "iu"
    are_soft = assignments.ndim == 2 and assignments.dtype.kind == "f"
    if not (are_labels or are_soft) or len(assignments) != n or n == 0:
        raise ValueError(
            f"Expected `assignments` to be labels, ints of shape ({n},), or soft assignments, "
            f"floats of shape ({n}, n_clusters). "
            f"Received: shape {assignments.shape}, dtype {assignments.dtype}"
        )
    if are_labels:
        if assignments.min() < 0:
            raise ValueError(f"Expected labels from 0 on. Received: {assignments.min()}")
        return np.eye(assignments.max() + 1, dtype=np.float32)[assignments]
    sums = assignments.sum(axis=1, dtype=np.float64, keepdims=True)
    if not (np.isfinite(sums).all() and (assignments >= 0).all() and (sums > 0).all()):
        raise ValueError(
            "Expected soft assignments to be finite and at least 0, and no row all 0. "
            "Received: others among them."
        )
    return (assignments / sums).astype(np.float32)


def check_that_all_live(shares: np.ndarray, expected: str) -> None:
    """Raise a ValueError that begins with `expected` if a cluster is nobody's largest share."""
    n_clusters = shares.shape[1]
    sizes = np.bincount(shares.argmax(axis=1), minlength=n_clusters)
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        raise ValueError(f"{expected}. Received: none in {empty.tolist()} of {n_clusters} clusters")
