"""How well clusters agree with known labels.

Every function takes ``y_true`` and ``y_pred`` of shape (n,), integers or strings of any values. The
numbers of a cluster mean nothing by themselves, there may be more clusters than classes or fewer,
and only clusters that hold a sample count.
"""

from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from kdec.guards import as_array

if TYPE_CHECKING:
    import pandas


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of samples that are right under the best one-to-one matching of clusters to labels.

    The matching is that of `match_labels`. With more clusters than classes, the samples of the
    clusters left without a label count as wrong.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.

    Returns:
        Clustering accuracy (ACC) in [0, 1].

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Reference:
        Xie et al., Unsupervised Deep Embedding for Clustering Analysis, 2016, equation 10.

    Example:
        >>> accuracy(["cat", "cat", "dog", "dog"], [7, 7, 7, 3])
        0.75
    """
    matrix = contingency_matrix(y_true, y_pred)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    return float(matrix[rows, columns].sum() / matrix.sum())


def match_labels(y_true: ArrayLike, y_pred: ArrayLike) -> dict:
    """Match clusters to true labels one to one, so that as many samples as possible agree.

    No label is given twice: with more clusters than classes the clusters left over are absent from
    the result, with fewer the labels left over are. The share of samples with
    ``matching.get(cluster) == label`` is therefore exactly `accuracy`.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.

    Returns:
        ``{cluster: label}`` in the order of the clusters, with Python integers or strings; it has
        min(number of clusters, number of classes) entries.

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Example:
        >>> match_labels(["cat", "cat", "dog", "dog"], [7, 7, 7, 3])
        {3: 'dog', 7: 'cat'}
    """
    classes, clusters, matrix = _count_pairs(y_true, y_pred)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    classes, clusters = classes.tolist(), clusters.tolist()
    return {
        clusters[column]: classes[row]
        for column, row in sorted(zip(columns.tolist(), rows.tolist(), strict=True))
    }


def nmi(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Normalised mutual information of labels and clusters.

    Normalised by the arithmetic mean of the two entropies, scikit-learn's default since 0.22.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.

    Returns:
        NMI in [0, 1].

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Example:
        >>> nmi([0, 0, 1, 1], [5, 5, 2, 2])
        1.0
    """
    _, true_codes, _, cluster_codes = _encode_pair(y_true, y_pred)
    return float(normalized_mutual_info_score(true_codes, cluster_codes))


def ari(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Rand index of labels and clusters, adjusted for chance.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.

    Returns:
        ARI, at most 1; near 0 for random clusters, below 0 for worse ones.

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Example:
        >>> ari([0, 0, 1, 1], [5, 5, 2, 2])
        1.0
    """
    _, true_codes, _, cluster_codes = _encode_pair(y_true, y_pred)
    return float(adjusted_rand_score(true_codes, cluster_codes))


def contingency_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, *, as_dataframe: bool = False
) -> "np.ndarray | pandas.DataFrame":
    """Count the samples of each true label in each cluster.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.
        as_dataframe: Return a pandas DataFrame with the labels as index and the clusters as
            columns. Defaults to False.

    Returns:
        Counts, int64, shape (number of classes, number of clusters): a row for each true label that
        occurs, a column for each cluster that occurs, both sorted.

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Example:
        >>> contingency_matrix(["cat", "cat", "dog", "dog"], [7, 7, 7, 3])
        array([[0, 2],
               [1, 1]])
    """
    classes, clusters, matrix = _count_pairs(y_true, y_pred)
    if not as_dataframe:
        return matrix
    import pandas

    return pandas.DataFrame(
        matrix,
        index=pandas.Index(classes, name="true label"),
        columns=pandas.Index(clusters, name="cluster"),
    )


def purity(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    average: Literal["micro", "macro"] | None = "micro",
) -> "float | np.ndarray":
    """Share of a cluster's samples that bear its most frequent label.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.
        average: "micro" for the share over all samples, in which large clusters weigh more;
            "macro" for the unweighted mean over the non-empty clusters; None for the share of each
            cluster. Defaults to "micro".

    Returns:
        Purity in (0, 1]; for ``average=None`` a float64 array of shape (number of clusters,), in
        the order of the sorted clusters.

    Raises:
        ValueError: If `average` is unknown, or the labels are empty, not 1-D, of different lengths,
            NaN or fractional.

    Example:
        >>> y_true, y_pred = [0, 0, 0, 1, 1, 1], [4, 4, 4, 4, 4, 9]
        >>> purity(y_true, y_pred, average=None)
        array([0.6, 1. ])
        >>> purity(y_true, y_pred, average="macro")
        0.8
        >>> round(purity(y_true, y_pred), 3)
        0.667
    """
    if average not in ("micro", "macro", None):
        raise ValueError(
            f"Expected `average` to be 'micro', 'macro' or None. Received: {average!r}"
        )
    matrix = contingency_matrix(y_true, y_pred)
    majorities = matrix.max(axis=0)
    if average == "micro":
        return float(majorities.sum() / matrix.sum())
    shares = majorities / matrix.sum(axis=0)
    return shares if average is None else float(shares.mean())


def _count_pairs(y_true, y_pred):
    """Return the sorted classes, the sorted clusters, and how often each pair of them occurs."""
    classes, true_codes, clusters, cluster_codes = _encode_pair(y_true, y_pred)
    shape = (len(classes), len(clusters))
    pair_codes = np.ravel_multi_index((true_codes, cluster_codes), shape)
    counts = np.bincount(pair_codes, minlength=shape[0] * shape[1])
    return classes, clusters, counts.reshape(shape)


def _encode_pair(y_true, y_pred):
    """Return both label vectors as their sorted distinct values and indices into these."""
    y_true = _check_labels(y_true, "y_true")
    y_pred = _check_labels(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(
            "Expected `y_true` and `y_pred` of the same length. "
            f"Received: {len(y_true)} and {len(y_pred)} labels"
        )
    return *np.unique(y_true, return_inverse=True), *np.unique(y_pred, return_inverse=True)


def _check_labels(labels, name):
    labels = as_array(name, labels)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            f"Expected `{name}` to have the shape (n,) with n > 0. Received: shape {labels.shape}"
        )
    if labels.dtype.kind in "biuUT":
        return labels
    if labels.dtype.kind == "O":
        return _check_objects(labels, name)
    if labels.dtype.kind == "f" and np.all(np.isfinite(labels)) and np.all(labels % 1 == 0):
        return labels.astype(np.int64)
    raise ValueError(
        f"Expected `{name}` to hold integers or strings, none missing. "
        f"Received: dtype {labels.dtype}, values {_abbreviate(labels)}"
    )


def _check_objects(labels, name):
    """Return labels of object dtype, as a pandas column may have, by the type of its values."""
    if all(isinstance(label, str) for label in labels):
        return labels.astype(str)
    if all(isinstance(label, Integral) and not isinstance(label, bool) for label in labels):
        # Still objects: Python's integers have no largest one.
        return np.array([int(label) for label in labels], dtype=object)
    types = sorted({type(label).__name__ for label in labels})
    raise ValueError(
        f"Expected `{name}` to hold integers or strings, all of one kind, none missing. "
        f"Received: values {_abbreviate(labels)} of types {', '.join(types)}"
    )


def _abbreviate(labels):
    unusual = labels
    if labels.dtype.kind == "f":
        unusual = labels[~np.isfinite(labels) | (labels % 1 != 0)]
    return f"{unusual[:5].tolist()}"[:80]
