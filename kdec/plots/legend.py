"""The legend beside a scatter plot: which names it holds, and the room that it takes."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from kdec.plots.names import PLAIN, printable
from kdec.plots.points import CENTROID_STYLE

_MAX_ROWS = 15
_MAX_NAMES = 100
_MAX_LETTERS = 40
_MIN_LETTERS = 8
# Of the names in one row together, so that a legend is no wider than its plot.
_LETTERS_PER_ROW = 72
_INCHES_PER_MARKER = 0.45
_INCHES_PER_LETTER = 0.09


def add_legend(
    ax: Axes,
    names: Sequence[tuple[str, Any]],
    title: str | None,
    *,
    centroids: bool,
    own_figure: bool,
) -> Legend | None:
    """Put the legend to the right of the axes, in as many columns as its length needs.

    The legend holds at most 100 names, and on axes that are given, where no room can be made for
    it, at most 30. Its last line then says how many it leaves out.

    Args:
        ax: Axes of the points.
        names: Name and colour of each label, as from `point_colors`.
        title: Title of the legend, or None.
        centroids: Whether the legend names the centroids, too.
        own_figure: Whether the figure is the plot's own, and has room for a long legend.
    """
    # Small letters, so that twice as many rows fit.
    is_small = own_figure and len(names) > 2 * _MAX_ROWS
    max_names = _MAX_NAMES if own_figure else _max_names_beside(ax, names) - centroids
    shown = names if len(names) <= max_names else names[: max_names - 1]
    more = []
    handles = [_marker("o", 7, color=color) for _, color in shown]
    if len(shown) < len(names):
        handles.append(_marker("", 0))
        more = [f"and {len(names) - len(shown)} more"]
    if centroids:
        edge = CENTROID_STYLE["edgecolors"]
        handles.append(_marker("X", 10, color=CENTROID_STYLE["c"], markeredgecolor=edge))
    if not handles:
        return None
    n_columns = -(-len(handles) // (_MAX_ROWS * (1 + is_small)))
    legend = ax.legend(
        handles=handles,
        # Put in below: Matplotlib before 3.10 leaves out names that start with "_".
        labels=[" "] * len(handles),
        title=title,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        ncols=n_columns,
        frameon=False,
        fontsize="x-small" if is_small else None,
        labelspacing=0.3 if is_small else None,
    )
    letters = _LETTERS_PER_ROW // n_columns if own_figure else _letters_beside(ax, n_columns)
    texts = [printable(name, min(letters, _MAX_LETTERS)) for name, _ in shown]
    texts += [*more, *(["centroid"] * centroids)]
    for drawn, text in zip(legend.get_texts(), texts, strict=True):
        drawn.set(text=text, **PLAIN)
    return legend


def make_room(ax: Axes, legend: Legend | None) -> None:
    """Widen a constrained figure, if its legend would take more than a fifth from the plot."""
    if legend is None:
        return
    figure = ax.figure
    width, height = figure.get_size_inches()
    needed = legend.get_window_extent().width / figure.dpi
    if needed > width / 8:
        # Square axes in the middle of a wider place would push the legend out of the figure: the
        # layout makes room beside the place.
        ax.set_anchor("E")
    figure.set_size_inches(width + max(0.0, needed - width / 5), height)


def _max_names_beside(ax, names):
    """Return how many names one column holds, or two if they leave given axes half their width."""
    longest = min(max((len(name) for name, _ in names), default=0), _letters_beside(ax, 1))
    fits_two = 2 * (_INCHES_PER_MARKER + longest * _INCHES_PER_LETTER) <= _inches_beside(ax)
    return _MAX_ROWS * (1 + fits_two)


def _letters_beside(ax, n_columns):
    letters = (_inches_beside(ax) / n_columns - _INCHES_PER_MARKER) / _INCHES_PER_LETTER
    return max(_MIN_LETTERS, int(letters))


def _inches_beside(ax):
    return ax.get_window_extent().width / ax.figure.dpi / 2


def _marker(marker, size, **kwargs):
    return Line2D([], [], linestyle="", marker=marker, markersize=size, **kwargs)
