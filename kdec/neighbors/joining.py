"""Many small clusters of learned codes, joined along the neighbours among them."""

import numpy as np
from numpy.typing import ArrayLike

from kdec.guards import positive_int
from kdec.neighbors.diffusion import as_shares, check_that_all_live, diffuse, mean_of_neighbors


def join_clusters(
    codes: ArrayLike,
    assignments: ArrayLike,
    n_clusters: int,
    n_neighbors: int = 10,
    n_passes: int = 3,
    *,
    verbose: bool | str = "auto",
) -> np.ndarray:
    """Join small clusters, such as k-means', until `n_clusters` are left, of any size and shape.

    k-means itself makes clusters of like size: among classes of unequal size it cuts the largest in
    two, and leaves no cluster for the smallest. Here it only makes the parts, many more than there
    are clusters. They diffuse over a few neighbours, which evens out where it cut. Each sample has
    a link to each of its neighbours. Again and again two parts are joined: those of which the
    smaller one has the largest share of its links with the other.

    Args:
        codes: Real array (n, ...), such as `NeighborContrast.predict` gives.
        assignments: The parts: labels, int array (n,) with values from 0 on, or soft assignments,
            float array (n, n_parts), non-negative.
        n_clusters: Positive int, at most the number of parts.
        n_neighbors: Positive int below n. Defaults to 10.
        n_passes: Positive int, passes of the diffusion. Defaults to 3.
        verbose: As in `kdec.nearest_neighbors`. Defaults to "auto".

    Returns:
        Soft assignments, float32 array (n, n_clusters), rows sum to 1. Their `argmax(axis=1)` are
        labels; every cluster has some.

    Raises:
        ValueError: If `assignments` are neither, do not fit `codes`, have fewer parts than
            `n_clusters`, or leave a part without a sample; if in the end a cluster has none; if
            `codes` do not hold finite real numbers, or a number is not a positive int.

    Reference:
        Karypis, Han, Kumar, Chameleon: hierarchical clustering using dynamic modeling (1999), for
        parts that are joined along a graph of neighbours. The measure is ours, the conductance of
        the smaller part towards the larger one.

    Example:
    >>> import kdec, numpy as np
    >>> codes = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [5.1]])
    >>> parts = [0, 0, 1, 1, 2, 2]
    >>> kdec.join_clusters(codes, parts, 2, n_neighbors=1).argmax(axis=1).tolist()
    [0, 0, 0, 0, 1, 1]
    """
    n_clusters = positive_int("n_clusters", n_clusters)
    n_neighbors = positive_int("n_neighbors", n_neighbors)
    n_passes = positive_int("n_passes", n_passes)
    codes, shares = as_shares(codes, assignments)
    if shares.shape[1] < n_clusters:
        raise ValueError(
            f"Expected `assignments` to have at least {n_clusters} parts. "
            f"Received: {shares.shape[1]}"
        )
    means = mean_of_neighbors(codes, n_neighbors, verbose)
    shares = diffuse(means, shares, n_passes)
    links = (shares.T @ (means @ shares)).astype(np.float64)
    shares = shares @ np.eye(n_clusters, dtype=np.float32)[_join(links + links.T, n_clusters)]
    check_that_all_live(
        shares,
        f"Clusters died out as {n_clusters} were made of {len(links)} parts: take other parts, or "
        "fewer passes. Expected a sample in each cluster",
    )
    return shares


def _join(links, n_clusters):
    """Return in which cluster each part is, (n_parts,), given the links between parts."""
    links, cluster_of = links.copy(), np.arange(len(links))
    left = list(cluster_of)
    while len(left) > n_clusters:
        between = links[np.ix_(left, left)]
        sizes = between.sum(axis=1)
        smaller = np.minimum.outer(sizes, sizes)
        # A part that the diffusion has emptied has no links, and goes to any other.
        share = np.divide(between, smaller, out=np.ones_like(between), where=smaller > 0)
        np.fill_diagonal(share, -1)
        first, second = (left[i] for i in np.unravel_index(share.argmax(), share.shape))
        links[first] += links[second]
        links[:, first] += links[:, second]
        cluster_of[cluster_of == second] = first
        left.remove(second)
    return np.unique(cluster_of, return_inverse=True)[1]
