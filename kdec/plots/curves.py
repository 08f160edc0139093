"""Curves over epochs and steps: one run, several runs of one system, several systems."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kdec.guards import as_array, positive_int, real_array
from kdec.plots.names import PLAIN, printable, set_heading
from kdec.plots.points import PALETTE, SINGLE_COLOR, check_axes

_VALIDATION = "val_"
_MAX_LETTERS = 32
# Beyond, panels are small, and stand at fixed places: their layout would take minutes.
_MAX_LARGE_PANELS = 100
_MAX_SEARCHED = 5_000


def learning_curves(
    history: Any,
    *,
    steps: ArrayLike | None = None,
    keys: Sequence[str] | None = None,
    xlabel: str = "epoch",
    title: str | None = None,
) -> Figure:
    """Draw each quantity of a training history in a panel of its own.

    The y axis is logarithmic where the values are positive and span more than two decades.

    Args:
        history: ``{name: values}``, or a Keras History. A name that starts with ``val_`` shares the
            panel of the name without it. None and NaN leave a gap.
        steps: Position of each value on the x axis, shape (n,). Defaults to None: 1, 2, 3, ...
        keys: Names to draw, in this order. Defaults to None: all.
        xlabel: Label of the x axis. Defaults to "epoch".
        title: Title of the figure. Defaults to None.

    Returns:
        The figure, with a panel for each name.

    Raises:
        ValueError: If there is nothing to draw, a key is unknown, or `steps` has another length.

    Example:
        >>> figure = learning_curves({"loss": [3, 2, 1], "val_loss": [3, 3, 2], "acc": [0, 1, 1]})
        >>> [ax.get_title() for ax in figure.axes]
        ['loss', 'acc']
        >>> plt.close(figure)
    """
    curves = _check_history(history, keys)
    panels = dict.fromkeys(name.removeprefix(_VALIDATION) for name in curves)
    positions = {name: _positions(len(curve), steps, name) for name, curve in curves.items()}
    figure, axes = _panel_grid(len(panels), _columns(len(panels), least=4))
    for panel, ax in zip(panels, axes, strict=True):
        colors = {panel: SINGLE_COLOR, _VALIDATION + panel: PALETTE[1]}
        names = [name for name in colors if name in curves]
        for name in names:
            _draw_curve(ax, positions[name], curves[name], color=colors[name], label=name)
        _name_panel(ax, panel, "large", len(panels))
        set_heading(ax.set_xlabel(xlabel))
        if _spans_decades(np.concatenate([curves[name] for name in names])):
            ax.set_yscale("log")
        if _VALIDATION + panel in curves:
            # Texts set afterwards: Matplotlib leaves out names that start with "_".
            legend = ax.legend(ax.lines, [" "] * len(names), frameon=False)
            for text, name in zip(legend.get_texts(), names, strict=True):
                text.set(text=printable(name, _MAX_LETTERS), **PLAIN)
    if title is not None:
        set_heading(figure.suptitle(title))
    return figure


def curve_band(
    runs: ArrayLike,
    *,
    steps: ArrayLike | None = None,
    xlabel: str = "epoch",
    ylabel: str | None = None,
    title: str | None = None,
    color: Any = SINGLE_COLOR,
    ax: Axes | None = None,
) -> Axes:
    """Draw the curves of several runs, thin, with their mean and a band of one standard deviation.

    Args:
        runs: Shape (n_runs, n_steps), or (n_steps,) for a single run.
        steps: Position of each value on the x axis, shape (n_steps,). Defaults to None: 1, 2, ...
        xlabel: Label of the x axis. Defaults to "epoch".
        ylabel: Label of the y axis. Defaults to None.
        title: Title of the axes. Defaults to None.
        color: Colour of the curves.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If `runs` is empty or has another shape, or `steps` has another length.

    Example:
        >>> ax = curve_band([[0.2, 0.4, 0.5], [0.1, 0.5, 0.6]], ylabel="ACC")
        >>> ax.get_ylabel()
        'ACC'
        >>> plt.close(ax.figure)
    """
    check_axes(ax)
    runs = _check_runs(runs, "runs")
    positions = _positions(runs.shape[1], steps, "runs")
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    _draw_runs(ax, positions, runs, color)
    set_heading(ax.set_xlabel(xlabel))
    if ylabel is not None:
        set_heading(ax.set_ylabel(ylabel))
    if title is not None:
        set_heading(ax.set_title(title))
    if len(runs) > 1:
        # The best place is slow to find among very many points.
        ax.legend(frameon=False, loc="best" if runs.size <= _MAX_SEARCHED else "upper right")
    return ax


def curve_grid(
    curves: Mapping[str, ArrayLike],
    *,
    steps: ArrayLike | None = None,
    references: Mapping[str, float] | None = None,
    xlabel: str = "epoch",
    ylabel: str | None = None,
    n_columns: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the curves of several systems in small panels with common axes.

    Args:
        curves: ``{name: runs}``, runs as in `curve_band`.
        steps: Position of each value on the x axis, shape (n_steps,). Defaults to None: 1, 2, ...
        references: A value for a name, drawn as a dashed line across its panel, such as a published
            figure. Defaults to None.
        xlabel: Label of the x axis. Defaults to "epoch".
        ylabel: Label of the y axis. Defaults to None.
        n_columns: Positive int, number of panels in a row. Defaults to None: 3, and more beyond 18
            panels.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure, with a panel for each name.

    Raises:
        ValueError: If there is nothing to draw, runs are empty or have another shape, `steps` has
            another length, a reference has no curve, or `n_columns` is not a positive int.

    Example:
        >>> figure = curve_grid({"relu": [0.5, 0.6], "selu": [0.4, 0.7]}, references={"relu": 0.64})
        >>> [ax.get_title() for ax in figure.axes]
        ['relu', 'selu']
        >>> plt.close(figure)
    """
    if not isinstance(curves, Mapping) or not isinstance(references or {}, Mapping):
        raise TypeError(
            "Expected `curves` and `references` to be mappings of names to values. "
            f"Received: {type(curves).__name__} and {type(references).__name__}"
        )
    runs = {name: _check_runs(values, f"curves[{name!r}]") for name, values in curves.items()}
    references = {
        name: _as_floats(value, f"references[{name!r}]").item()
        for name, value in (references or {}).items()
    }
    n_columns = positive_int(
        "n_columns", _columns(len(runs), least=3) if n_columns is None else n_columns
    )
    if not runs:
        raise ValueError("Expected `curves` to hold at least one curve. Received: none")
    if references.keys() - runs.keys():
        raise ValueError(
            f"Expected `references` to name curves out of {list(runs)}. "
            f"Received: {list(references)}"
        )
    positions = {name: _positions(r.shape[1], steps, name) for name, r in runs.items()}
    figure, axes = _panel_grid(len(runs), n_columns, share=True)
    for (name, values), ax in zip(runs.items(), axes, strict=True):
        _draw_runs(ax, positions[name], values, SINGLE_COLOR)
        if name in references:
            ax.axhline(references[name], color="black", linestyle="--", linewidth=1)
            ax.annotate(
                f"{references[name]:g}",
                xy=(1, references[name]),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 3),
                textcoords="offset points",
                ha="right",
                fontsize="small",
            )
        _name_panel(ax, name, "medium", len(runs))
    if len(runs) > _MAX_LARGE_PANELS:
        _share_limits(axes)
    set_heading(figure.supxlabel(xlabel))
    if ylabel is not None:
        set_heading(figure.supylabel(ylabel))
    if title is not None:
        set_heading(figure.suptitle(title))
    return figure


def _check_history(history, keys):
    values = getattr(history, "history", history)
    if not isinstance(values, Mapping) or not values:
        raise ValueError(
            "Expected `history` to be a Keras History or a mapping of names to values, not empty. "
            f"Received: {history!r}"
        )
    unknown = [key for key in keys or () if key not in values]
    if unknown or (keys is not None and not len(keys)):
        raise ValueError(f"Expected `keys` out of {list(values)}. Received: {list(keys)}")
    names = values if keys is None else keys
    curves = {name: _as_floats(values[name], f"history[{name!r}]") for name in names}
    for name, curve in curves.items():
        if curve.ndim != 1:
            raise ValueError(
                f"Expected `history[{name!r}]` to have the shape (n,). Received: {curve.shape}"
            )
    return curves


def _check_runs(runs, name):
    runs = _as_floats(runs, name)
    if runs.size == 0 or runs.ndim not in (1, 2):
        raise ValueError(
            f"Expected `{name}` to have the shape (n_runs, n_steps) or (n_steps,), not empty. "
            f"Received: shape {runs.shape}"
        )
    return np.atleast_2d(runs)


def _as_floats(values, name):
    """Values as floats, None as NaN."""
    values = as_array(name, values)
    if values.dtype.kind == "O" and all(v is None or isinstance(v, Real) for v in values.flat):
        values = values.astype(float)
    return real_array(name, values).astype(float)


def _positions(n_steps, steps, name):
    if steps is None:
        return np.arange(1, n_steps + 1)
    steps = real_array("steps", steps)
    if steps.shape != (n_steps,):
        raise ValueError(
            f"Expected `steps` to have the shape ({n_steps},) of {name!r}. "
            f"Received: shape {steps.shape}"
        )
    return steps


def _columns(n_panels, least):
    """Return the columns of a grid that is about twice as high as wide, as a page of it is."""
    return max(least, math.ceil(math.sqrt(n_panels / 2)))


def _name_panel(ax, name, fontsize, n_panels):
    fontsize = "x-small" if n_panels > _MAX_LARGE_PANELS else fontsize
    ax.set_title(printable(name, _MAX_LETTERS), fontsize=fontsize, **PLAIN)


def _share_limits(axes):
    """Give all panels the same limits, as shared axes do, whose time grows with their square."""
    xlim, ylim = (
        (min(low for low, _ in limits), max(high for _, high in limits))
        for limits in ([ax.get_xlim() for ax in axes], [ax.get_ylim() for ax in axes])
    )
    for ax in axes:
        ax.set(xlim=xlim, ylim=ylim)


def _fix_layout(figure):
    """Place panels beside Matplotlib's places of the figure's headings, with room for ticks."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=0.02 + 0.6 / width,
        right=1 - 0.1 / width,
        bottom=0.01 + 0.6 / height,
        top=0.98 - 0.5 / height,
        wspace=0.3,
        hspace=0.8,
    )


def _panel_grid(n_panels, n_columns, share=False):
    """Return a figure and the axes of its panels in rows of at most n_columns, of even lengths."""
    n_rows = math.ceil(n_panels / n_columns)
    n_columns = math.ceil(n_panels / n_rows)
    is_large = n_panels > _MAX_LARGE_PANELS
    scale = 0.6 if is_large else 1.0
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(3.2 * scale * n_columns, 2.6 * scale * n_rows + 0.2),
        squeeze=False,
        layout=None if is_large else "constrained",
        sharex=share and not is_large,
        sharey=share and not is_large,
    )
    if is_large:
        _fix_layout(figure)
    else:
        figure.get_layout_engine().set(h_pad=0.08)
    for index, ax in enumerate(axes.flat):
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize="x-small" if is_large else None)
        if index >= n_panels - n_columns:
            ax.tick_params(labelbottom=True)
    for ax in axes.flat[n_panels:]:
        ax.remove()
    return figure, axes.flat[:n_panels]


def _spans_decades(values):
    values = values[np.isfinite(values)]
    return values.size > 0 and values.min() > 0 and values.max() > 100 * values.min()


def _draw_curve(ax, positions, curve, **kwargs):
    # A curve of a few points needs markers to be seen, a long one would drown in them.
    ax.plot(positions, curve, marker="o" if len(curve) <= 30 else "", markersize=3, **kwargs)


def _draw_runs(ax, positions, runs, color):
    if len(runs) == 1:
        _draw_curve(ax, positions, runs[0], color=color)
        return
    mean, deviation = runs.mean(axis=0), runs.std(axis=0, ddof=1)
    # Paler where more than 50 lie on each other and would hide the mean.
    ax.plot(positions, runs.T, color=color, linewidth=0.7, alpha=min(0.5, 25 / len(runs)))
    ax.fill_between(
        positions,
        mean - deviation,
        mean + deviation,
        color=color,
        alpha=0.2,
        linewidth=0,
        label="± 1 standard deviation",
    )
    ax.plot(positions, mean, color=color, linewidth=2.5, label=f"mean of {len(runs)} runs")
