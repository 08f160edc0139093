"""Which samples a report shows: those drawn as points, and the examples of each cluster."""

from typing import NamedTuple

import numpy as np

MAX_POINTS = 20_000
_MAX_EXAMPLES = 1_000  # on the page
_LEAST_EXAMPLES = 2  # of each kind


class Examples(NamedTuple):
    """Rows of the samples of a cluster that stand for it, and of those that hardly belong to it.

    Attributes:
        typical: The surest first.
        doubtful: The least sure first. No sample is in both.
    """

    typical: np.ndarray
    doubtful: np.ndarray


def choose_examples(
    labels: np.ndarray, confidence: np.ndarray, codes: np.ndarray, n_clusters: int, most: int
) -> list[Examples]:
    """Return typical and doubtful samples of each cluster, of each kind at most `most`.

    Many clusters have fewer each. Where samples are equally sure, the nearer to the mean code of
    their cluster is more typical.
    """
    distances = np.linalg.norm(codes - _means(labels, codes, n_clusters)[labels], axis=1)
    # By cluster, in it the surest first.
    order = np.lexsort((distances, -confidence, labels))
    ends = np.searchsorted(labels[order], np.arange(1, n_clusters))
    n_each = int(np.clip(_MAX_EXAMPLES // (2 * n_clusters), _LEAST_EXAMPLES, most))
    examples = []
    for members in np.split(order, ends):
        n_typical = min(n_each, (len(members) + 1) // 2)
        n_doubtful = min(n_each, len(members) - n_typical)
        examples.append(Examples(members[:n_typical], members[len(members) - n_doubtful :][::-1]))
    return examples


def _means(labels, codes, n_clusters):
    sums = np.stack(
        [np.bincount(labels, weights=column, minlength=n_clusters) for column in codes.T], axis=1
    )
    return sums / np.maximum(np.bincount(labels, minlength=n_clusters), 1)[:, None]


def choose_points(labels: np.ndarray, n_clusters: int, most: int) -> np.ndarray:
    """Return the sorted rows of the samples to draw, at most `most` of them.

    Small clusters are drawn whole, and the rest of the room is shared out evenly among the others.
    Within a cluster the choice is random, the same every time.

    Example:
        >>> import numpy as np
        >>> from kdec.report.choosing import choose_points
        >>> labels = np.repeat([0, 1, 2], [1000, 100, 10])
        >>> np.bincount(labels[choose_points(labels, 3, most=110)]).tolist()
        [50, 50, 10]
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    shuffled = np.random.default_rng(0).permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    sizes = np.bincount(labels, minlength=n_clusters)
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # The first of every cluster, then the second of every cluster, and so on.
    return np.sort(order[np.argsort(ranks, kind="stable")[:most]])
