"""Clusters against known labels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kdec import metrics

_MAX_ANNOTATED = 20


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many samples of each label are in each cluster.

    The clusters are put in the order of the labels that `kdec.metrics.match_labels` gives them, so
    that the matched counts lie on the diagonal; clusters without a label come last. The numbers are
    counts, the colour is the share of the row.

    Args:
        y_true: True labels, shape (n,), integers or strings.
        y_pred: Clusters, shape (n,), integers or strings.
        title: Title of the axes. Defaults to None: the accuracy.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the labels are empty, not 1-D, of different lengths, NaN or fractional.

    Example:
        >>> ax = confusion_matrix(["cat", "cat", "dog", "dog"], [7, 7, 7, 3])
        >>> [label.get_text() for label in ax.get_xticklabels()]
        ['7', '3']
        >>> plt.close(ax.figure)
    """
    import seaborn

    counts = metrics.contingency_matrix(y_true, y_pred, as_dataframe=True)
    # Not by [], for which booleans are a mask.
    order = _order_of_clusters(counts, metrics.match_labels(y_true, y_pred))
    counts = counts.reindex(columns=order)
    n_rows, n_columns = counts.shape
    if ax is None:
        size = (min(2.4 + 0.56 * n_columns, 14), min(1.8 + 0.48 * n_rows, 12))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    annotated = max(n_rows, n_columns) <= _MAX_ANNOTATED
    seaborn.heatmap(
        counts.div(counts.sum(axis=1), axis=0),
        vmin=0,
        vmax=1,
        cmap="Blues",
        annot=np.where(counts == 0, "", counts.astype(str)) if annotated else None,
        fmt="",
        annot_kws={"fontsize": 8},
        linewidths=0.5 if annotated else 0,
        cbar_kws={"label": "share of the label's samples"},
        ax=ax,
    )
    ax.set(xlabel="cluster, in the order of matched labels", ylabel="true label")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", labelrotation=0)
    ax.set_title(f"ACC {metrics.accuracy(y_true, y_pred):.4f}" if title is None else title)
    return ax


def _order_of_clusters(counts, label_of_cluster):
    """Return the clusters sorted by matched label, then those without a label."""
    cluster_of_label = {label: cluster for cluster, label in label_of_cluster.items()}
    matched = [cluster_of_label[label] for label in counts.index if label in cluster_of_label]
    return matched + [cluster for cluster in counts.columns if cluster not in label_of_cluster]
