"""Clusters against known labels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kdec import metrics
from kdec.plots.names import PLAIN, printable, set_heading
from kdec.plots.points import check_axes

_MAX_ANNOTATED = 20
_MAX_LETTERS = 30
# Longer names get more room than the figure has for short ones.
_SHORT_LETTERS = 12
_INCHES_PER_LETTER = 0.08


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
    counts, the colour is the share of the row. Beyond 20 labels or clusters there are no numbers,
    and names stand where there is room for them.

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
    labels, clusters = (
        [printable(name, _MAX_LETTERS) for name in names] for names in (counts.index, counts)
    )
    check_axes(ax)
    if ax is None:
        width = min(2.4 + 0.56 * n_columns, 14) + _room_for(labels)
        height = min(1.8 + 0.48 * n_rows, 12) + _room_for(clusters)
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    annotated = max(n_rows, n_columns) <= _MAX_ANNOTATED
    shares = counts.div(counts.sum(axis=1), axis=0)
    # seaborn draws the names to see whether they overlap. It must find no formula in them.
    shares.index, shares.columns = (
        [name.replace("$", r"\$") for name in names] for names in (labels, clusters)
    )
    seaborn.heatmap(
        shares,
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
    for axis, names in ((ax.xaxis, clusters), (ax.yaxis, labels)):
        axis.set_ticklabels([names[int(tick)] for tick in axis.get_ticklocs()], **PLAIN)
    ax.set(xlabel="cluster, in the order of matched labels", ylabel="true label")
    ax.tick_params(length=0)
    ax.tick_params(axis="y", labelrotation=0)
    if title is None:
        title = f"ACC {metrics.accuracy(y_true, y_pred):.4f}"
    # The axes lie to the right of the middle of the figure by half the room of the names.
    width = ax.figure.bbox.width / ax.figure.dpi
    set_heading(ax.set_title(title), width - 2 * _room_for(labels))
    return ax


def _room_for(names):
    """Return the inches that the longest name takes beyond a short one."""
    return max(0, max(map(len, names)) - _SHORT_LETTERS) * _INCHES_PER_LETTER


def _order_of_clusters(counts, label_of_cluster):
    """Return the clusters sorted by matched label, then those without a label."""
    cluster_of_label = {label: cluster for cluster, label in label_of_cluster.items()}
    matched = [cluster_of_label[label] for label in counts.index if label in cluster_of_label]
    return matched + [cluster for cluster in counts.columns if cluster not in label_of_cluster]
