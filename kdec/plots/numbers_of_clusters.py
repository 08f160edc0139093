"""How many clusters: what was measured for each number, and the suggestion."""

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from kdec.plots.names import set_heading
from kdec.plots.points import PALETTE, SINGLE_COLOR

_CURVES = ("inertia", "silhouette", "stability")
_COLUMNS = ("n_clusters", *_CURVES, "votes")


def choice_of_k(choice: Any, *, title: str | None = None) -> Figure:
    """Draw inertia, silhouette and stability over the number of clusters, and the votes for each.

    A dashed line marks the suggestion. Votes are the share of the resamples that lead to a number,
    or found no clusters: "none".

    Args:
        choice: A `kdec.ChoiceOfK`, as `kdec.choose_n_clusters` returns.
        title: Title of the figure. Defaults to None: the reason of the suggestion.

    Returns:
        The figure, with four panels.

    Raises:
        TypeError: If `choice` has no table with these columns.

    Example:
        >>> import pandas
        >>> from types import SimpleNamespace
        >>> table = pandas.DataFrame(
        ...     {
        ...         "n_clusters": [2, 3],
        ...         "inertia": [9.0, 4.0],
        ...         "silhouette": [0.5, 0.7],
        ...         "stability": [0.8, 1.0],
        ...         "votes": [0.1, 0.9],
        ...     }
        ... )
        >>> figure = choice_of_k(SimpleNamespace(table=table, n_clusters=3, reason="3 clusters."))
        >>> [ax.get_title() for ax in figure.axes]
        ['inertia', 'silhouette', 'stability', 'votes']
        >>> plt.close(figure)
    """
    table = getattr(choice, "table", None)
    missing = [name for name in _COLUMNS if name not in getattr(table, "columns", ())]
    if missing:
        raise TypeError(
            f"Expected `choice` to be a kdec.ChoiceOfK. Received: a {type(choice).__name__} "
            f"without {missing} in its table"
        )
    figure, axes = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained")
    numbers, axes = table["n_clusters"].to_numpy(), axes.ravel()
    for name, ax in zip(_CURVES, axes, strict=False):
        ax.plot(numbers, table[name], marker="o", markersize=4, color=SINGLE_COLOR)
        ax.xaxis.get_major_locator().set_params(integer=True)
        if choice.n_clusters is not None:
            ax.axvline(choice.n_clusters, color=PALETTE[1], linestyle="--")
    axes[0].set_ylim(bottom=0)
    _draw_votes(axes[3], numbers, table["votes"].to_numpy(), choice.n_clusters)
    for name, ax in zip((*_CURVES, "votes"), axes, strict=True):
        ax.set_title(name)
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[2:]:
        ax.set_xlabel("number of clusters")
    set_heading(figure.suptitle(choice.reason if title is None else title, fontsize="medium"))
    return figure


def _draw_votes(ax, numbers, votes, suggestion):
    """Draw the share of the resamples for each number, and in front of them that for none."""
    nowhere = numbers.min() - 2
    colors = [PALETTE[1] if k == suggestion else SINGLE_COLOR for k in numbers]
    ax.bar(numbers, votes, color=colors)
    ax.bar(nowhere, 1 - votes.sum(), color=PALETTE[1] if suggestion is None else SINGLE_COLOR)
    ticks = numbers[:: -(-len(numbers) // 8)]
    ax.set_xticks([nowhere, *ticks], ["none", *map(str, ticks)])
    ax.set_ylim(0, 1)
