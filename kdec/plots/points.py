"""Points as they look in every scatter plot here: checks, colours, sizes and the legend."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

# Chosen by search for the largest smallest distance, in CIELAB, between any two of the first ten
# and white as seen with normal vision, protanopia, deuteranopia and tritanopia; the second ten
# were added one by one, each as far as possible from all before.
PALETTE = (
    *("#3084fc", "#d80c54", "#f0cc3c", "#541890", "#54e484"),
    *("#907800", "#f084a8", "#004818", "#b49ce4", "#903078"),
    *("#6c60b4", "#78c048", "#008460", "#546018", "#c06ca8"),
    *("#840c48", "#3cb478", "#0054cc", "#789c48", "#f0c0fc"),
)
SINGLE_COLOR = PALETTE[0]
CENTROID_STYLE = {"marker": "X", "s": 110, "c": "black", "edgecolors": "white", "linewidths": 1.0}
_MAX_LEGEND_ROWS = 15


def label_colors(n_labels: int) -> np.ndarray:
    """Return colours of labels, shape (n_labels, 4): the palette, or a colormap beyond its size."""
    if n_labels <= len(PALETTE):
        return to_rgba_array(PALETTE[:n_labels])
    return matplotlib.colormaps["turbo"](np.linspace(0, 1, n_labels))


def marker_size_and_alpha(n_points: int) -> tuple[float, float]:
    """Return area (points squared) and opacity with which n points keep their density visible."""
    size = float(np.clip(90 / n_points**0.3, 2, 24))
    alpha = float(np.clip(18 / n_points**0.38, 0.15, 0.85))
    return size, alpha


def check_points(points, name: str, n_features: int | None = None) -> np.ndarray:
    """Return points as an array of shape (n, d), all finite, or raise."""
    points = np.asarray(points)
    expected = f"(n, {'d' if n_features is None else n_features})"
    if points.ndim != 2 or points.size == 0 or n_features not in (None, points.shape[1]):
        raise ValueError(
            f"Expected `{name}` to have the shape {expected} with n > 0. "
            f"Received: shape {points.shape}"
        )
    if not np.all(np.isfinite(points)):
        n_bad = np.count_nonzero(~np.isfinite(points).all(axis=1))
        raise ValueError(
            f"Expected `{name}` to be finite. Received: NaN or infinity in {n_bad} of {len(points)}"
        )
    return points


def check_labels(labels, n_points: int, name: str = "y") -> np.ndarray | None:
    """Return labels as an array of shape (n_points,), or None as it came, or raise."""
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (n_points,):
        raise ValueError(
            f"Expected `{name}` to have the shape ({n_points},), one label a point. "
            f"Received: shape {labels.shape}"
        )
    return labels


def point_colors(labels: np.ndarray | None) -> tuple[np.ndarray | str, list[Line2D]]:
    """Return a colour for each point and the legend's handle for each label."""
    if labels is None:
        return SINGLE_COLOR, []
    try:
        distinct, codes = np.unique(labels, return_inverse=True)
    except TypeError:  # Labels without an order, as where some are None.
        distinct, codes = np.unique(labels.astype(str), return_inverse=True)
    colors = label_colors(len(distinct))
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=7, color=color, label=str(label))
        for label, color in zip(distinct, colors, strict=True)
    ]
    return colors[codes], handles


def centroid_handle() -> Line2D:
    """Return the legend's handle for centroids."""
    return Line2D(
        [],
        [],
        linestyle="",
        marker=CENTROID_STYLE["marker"],
        markersize=10,
        color=CENTROID_STYLE["c"],
        markeredgecolor=CENTROID_STYLE["edgecolors"],
        label="centroid",
    )


def add_legend(ax: Axes, handles: Sequence[Line2D], title: str | None) -> Legend | None:
    """Put the legend to the right of the axes, in as many columns as its length needs."""
    if not handles:
        return None
    return ax.legend(
        handles=handles,
        title=title,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        ncols=-(-len(handles) // _MAX_LEGEND_ROWS),
        frameon=False,
    )
