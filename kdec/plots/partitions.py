"""What k-means does: clusters in the plane, and the choice of their number."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from kdec.guards import real_array
from kdec.plots.legend import add_legend, make_room
from kdec.plots.names import set_heading
from kdec.plots.points import (
    PALETTE,
    SINGLE_COLOR,
    centroid_style,
    check_axes,
    check_labels,
    check_points,
    marker_size_and_alpha,
    point_colors,
)


def clusters_2d(
    x: ArrayLike,
    labels: ArrayLike | None = None,
    centroids: ArrayLike | None = None,
    paths: ArrayLike | None = None,
    *,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw points in the plane, coloured by cluster, with centroids and the way they came.

    Both axes have the same scale, so that distances look as k-means sees them. The legend holds up
    to 100 names, and on given axes up to 30. A figure of its own is widened for it.

    Args:
        x: Points, shape (n, 2).
        labels: Clusters, shape (n,), integers or strings. Defaults to None: one colour.
        centroids: Shape (k, 2). Defaults to None: the ends of the paths, if given.
        paths: Centroids from the first to the last iteration, shape (n_iterations + 1, k, 2). The
            start is drawn as a ring. Defaults to None.
        xlabel: Label of the x axis. Defaults to None.
        ylabel: Label of the y axis. Defaults to None.
        title: Title of the axes. Defaults to None.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit together or values are not finite.

    Example:
        >>> ax = clusters_2d([[1, 2], [1, 4], [10, 2]], [0, 0, 1], centroids=[[1, 3], [10, 2]])
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['0', '1', 'centroid']
        >>> plt.close(ax.figure)
    """
    check_axes(ax)
    x = check_points(x, "x", n_features=2)
    labels = check_labels(labels, len(x), "labels")
    if paths is not None:
        paths = _check_paths(paths)
        centroids = paths[-1] if centroids is None else centroids
    if centroids is not None:
        centroids = check_points(centroids, "centroids", n_features=2)
    own_figure = ax is None
    if own_figure:
        _, ax = plt.subplots(figsize=(7, 5.5), layout="constrained")

    colors, names = point_colors(labels)
    size, alpha = marker_size_and_alpha(len(x))
    ax.scatter(*x.T, c=colors, s=size, alpha=alpha, linewidths=0)
    if paths is not None:
        _draw_paths(ax, paths)
    if centroids is not None:
        ax.scatter(*centroids.T, zorder=4, **centroid_style(len(centroids)))
    ax.set_aspect("equal", adjustable="datalim")
    _set_headings(ax, xlabel, ylabel, title)
    legend = add_legend(
        ax,
        names,
        title=None if labels is None else "cluster",
        centroids=centroids is not None,
        own_figure=own_figure,
    )
    if own_figure:
        make_room(ax, legend)
    return ax


def elbow(
    n_clusters: ArrayLike,
    inertias: ArrayLike,
    silhouettes: ArrayLike | None = None,
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the inertia over the number of clusters and, on a second scale, the silhouette.

    Args:
        n_clusters: Numbers of clusters, shape (m,).
        inertias: Inertia of each, shape (m,).
        silhouettes: Mean silhouette of each, shape (m,), NaN where there is none, as for one
            cluster. Defaults to None.
        title: Title of the axes. Defaults to None.
        ax: Axes to draw on, whose ticks stay as they are. Defaults to None: a new figure, with
            ticks at whole numbers.

    Returns:
        The axes of the inertia.

    Raises:
        ValueError: If the shapes differ or are not 1-D.

    Example:
        >>> ax = elbow([1, 2, 3], [90.0, 16.0, 12.0], silhouettes=[np.nan, 0.7, 0.5])
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('number of clusters', 'inertia')
        >>> plt.close(ax.figure)
    """
    check_axes(ax)
    n_clusters, inertias = (
        _as_values(name, values)
        for name, values in (("n_clusters", n_clusters), ("inertias", inertias))
    )
    silhouettes = None if silhouettes is None else _as_values("silhouettes", silhouettes)
    shapes = [a.shape for a in (n_clusters, inertias, silhouettes) if a is not None]
    if n_clusters.ndim != 1 or n_clusters.size == 0 or len(set(shapes)) > 1:
        raise ValueError(
            "Expected `n_clusters`, `inertias` and `silhouettes` to have the same shape (m,), "
            f"m > 0. Received: shapes {', '.join(map(str, shapes))}"
        )
    if n_clusters.min() < 1 or np.any(n_clusters % 1):
        raise ValueError(f"Expected `n_clusters` to be positive ints. Received: {n_clusters}")
    if ax is None:
        _, ax = plt.subplots(figsize=(6, 4), layout="constrained")
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.plot(n_clusters, inertias, marker="o", color=SINGLE_COLOR)
    _set_headings(ax, "number of clusters", "inertia", title)
    ax.set_ylim(bottom=0)
    ax.grid(alpha=0.3)
    if silhouettes is not None:
        ax.yaxis.label.set_color(SINGLE_COLOR)
        twin = ax.twinx()
        twin.plot(n_clusters, silhouettes, marker="s", linestyle="--", color=PALETTE[1])
        twin.set_ylabel("silhouette", color=PALETTE[1])
    return ax


def _as_values(name, values):
    if not isinstance(values, Iterable):
        raise TypeError(f"Expected `{name}` to be numbers of shape (m,). Received: {values!r}")
    # A list first: NumPy would take a dict's keys and values for single objects.
    return real_array(name, list(values))


def _draw_paths(ax, paths):
    scale = centroid_style(paths.shape[1])["linewidths"]
    ax.plot(
        *paths.transpose(2, 0, 1),
        color="black",
        linewidth=1.5 * scale,
        marker=".",
        markersize=5 * scale,
    )
    ax.scatter(*paths[0].T, s=60 * scale**2, facecolors="white", edgecolors="black", zorder=3)


def _set_headings(ax, xlabel, ylabel, title):
    set_heading(ax.set_xlabel(xlabel or ""))
    set_heading(ax.set_ylabel(ylabel or ""))
    set_heading(ax.set_title(title or ""))


def _check_paths(paths):
    paths = real_array("paths", paths)
    if paths.ndim != 3 or paths.shape[2] != 2 or paths.size == 0:
        raise ValueError(
            "Expected `paths` to have the shape (n_iterations + 1, k, 2). "
            f"Received: shape {paths.shape}"
        )
    return paths
