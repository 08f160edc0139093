"""Points as they look in every scatter plot here: checks, colours and sizes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb, to_rgba_array

from kdec.guards import as_array, real_array

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
# One over each power of the number with g**4 = g + 1. The multiples, modulo one, fill a cube.
_STEPS = 1.2207440846 ** -np.arange(1.0, 4.0)


def label_colors(n_labels: int) -> np.ndarray:
    """Return distinct colours of labels, as in every plot: a palette of 20, and beyond it more.

    The colours beyond the palette are spread over hue, saturation and lightness, so that one more
    label leaves the others theirs.

    Args:
        n_labels: How many.

    Returns:
        Red, green, blue and opacity in [0, 1], shape (n_labels, 4).

    Reference:
        Roberts, The unreasonable effectiveness of quasirandom sequences, 2018.

    Example:
        >>> label_colors(30).shape
        (30, 4)
    """
    n_more = max(0, n_labels - len(PALETTE))
    places = np.arange(1, n_more + 1)[:, None] * _STEPS % 1
    more = hsv_to_rgb([0, 0.4, 0.45] + places * [1, 0.6, 0.5])
    return np.concatenate([to_rgba_array(PALETTE[:n_labels]), to_rgba_array(more)])


def marker_size_and_alpha(n_points: int) -> tuple[float, float]:
    """Return area (points squared) and opacity with which n points keep their density visible."""
    size = float(np.clip(90 / n_points**0.3, 2, 24))
    alpha = float(np.clip(18 / n_points**0.38, 0.15, 0.85))
    return size, alpha


def check_points(points, name: str, n_features: int | None = None) -> np.ndarray:
    """Return points as an array of shape (n, d), all finite, or raise."""
    points = real_array(name, points)
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
    labels = as_array(name, labels)
    if labels.shape != (n_points,):
        raise ValueError(
            f"Expected `{name}` to have the shape ({n_points},), one label a point. "
            f"Received: shape {labels.shape}"
        )
    return labels


def check_axes(ax: Any) -> None:
    """Raise a TypeError unless `ax` is an Axes to draw on, or None for a figure of its own."""
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"Expected `ax` to be a Matplotlib Axes or None. Received: {ax!r}")


def point_colors(labels: np.ndarray | None) -> tuple[np.ndarray | str, list[tuple[str, Any]]]:
    """Return a colour for each point, and for each label its name and colour, for a legend."""
    if labels is None:
        return SINGLE_COLOR, []
    try:
        distinct, codes = np.unique(labels, return_inverse=True)
    except TypeError:  # Labels without an order, as where some are None.
        distinct, codes = np.unique(labels.astype(str), return_inverse=True)
    colors = label_colors(len(distinct))
    return colors[codes], list(zip(map(str, distinct), colors, strict=True))


def centroid_style(n_centroids: int) -> dict[str, Any]:
    """Return how centroids are drawn: smaller where there are so many that they would be all."""
    share = min(1.0, 60 / n_centroids)
    return {**CENTROID_STYLE, "s": 110 * share, "linewidths": share**0.5}
