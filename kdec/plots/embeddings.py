"""Embeddings in 3-D, still and turning, and in 2-D by t-SNE."""

import os
from numbers import Real
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mpl_toolkits.mplot3d import Axes3D
from numpy.typing import ArrayLike
from PIL import Image

from kdec.guards import non_negative_int, positive_int
from kdec.plots.legend import add_legend, make_room
from kdec.plots.names import set_heading
from kdec.plots.points import (
    centroid_style,
    check_axes,
    check_labels,
    check_points,
    marker_size_and_alpha,
    point_colors,
)

_SIZE_3D = (6.4, 5.3)
_INCHES_PER_LINE = 0.22


def embedding_3d(
    z: ArrayLike,
    y: ArrayLike | None = None,
    centroids: ArrayLike | None = None,
    *,
    elevation: float = 22.0,
    azimuth: float = -60.0,
    title: str | None = None,
    ax: Axes3D | None = None,
) -> Axes3D:
    """Draw an embedding in 3-D, coloured by label, with the centroids in front of the points.

    An embedding of more than three features is projected on its first three principal components,
    and the centroids with it. Marker size and opacity follow from the number of points. The legend
    holds up to 100 names, and on given axes up to 30.

    Args:
        z: Embedding, shape (n, d) with d >= 3.
        y: Labels, shape (n,), integers or strings. Defaults to None: one colour.
        centroids: Shape (k, d). Defaults to None.
        elevation: Height of the eye above the horizontal plane, in degrees. Defaults to 22.
        azimuth: Angle of the eye around the vertical axis, in degrees. Defaults to -60.
        title: Title of the axes. Defaults to None.
        ax: 3-D axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit together, values are not finite, samples of more than
            3 features are fewer than 3, or `ax` is not 3-D.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> ax = embedding_3d(rng.normal(size=(50, 10)), y=np.arange(50) % 3)
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['0', '1', '2']
        >>> plt.close(ax.figure)
    """
    z = check_points(z, "z")
    y = check_labels(y, len(z))
    if z.shape[1] < 3:
        raise ValueError(
            f"Expected `z` to have at least 3 features. Received: shape {z.shape}. "
            "`kdec.plots.clusters_2d` draws 2 features"
        )
    if z.shape[1] > 3 and len(z) < 3:
        raise ValueError(
            "Expected at least 3 samples of more than 3 features, to find three principal "
            f"components. Received: shape {z.shape}"
        )
    if centroids is not None:
        centroids = check_points(centroids, "centroids", n_features=z.shape[1])
    for name, angle in (("elevation", elevation), ("azimuth", azimuth)):
        if not isinstance(angle, Real) or not np.isfinite(angle):
            raise ValueError(f"Expected `{name}` to be a finite number. Received: {name}={angle!r}")
    if ax is not None and not isinstance(ax, Axes3D):
        raise ValueError(f"Expected `ax` to have projection='3d'. Received: {type(ax).__name__}")
    own_figure = ax is None
    if own_figure:
        figure = plt.figure(figsize=_SIZE_3D)
        # Room on the left for the label of the vertical axis, which some angles put there.
        ax = figure.add_axes((0.06, 0.0, 0.94, 0.95), projection="3d")

    z, centroids, axis_names = _project_to_3d(z, centroids)
    colors, names = point_colors(y)
    size, alpha = marker_size_and_alpha(len(z))
    # Matplotlib would order whole collections by their mean depth and hide centroids in the cloud.
    ax.computed_zorder = False
    ax.scatter(*z.T, c=colors, s=size, alpha=alpha, linewidths=0, depthshade=False, zorder=1)
    if centroids is not None:
        ax.scatter(*centroids.T, depthshade=False, zorder=2, **centroid_style(len(centroids)))
    _style_3d(ax, axis_names, elevation, azimuth, title)
    legend = add_legend(
        ax,
        names,
        title=None if y is None else "label",
        centroids=centroids is not None,
        own_figure=own_figure,
    )
    if own_figure:
        _heighten_for_title(ax)
        if legend is not None:
            _widen_for_legend(ax, legend)
    return ax


def _project_to_3d(z, centroids):
    """Return points, centroids and axis names in three dimensions."""
    if z.shape[1] == 3:
        return z, centroids, [f"$z_{axis}$" for axis in (1, 2, 3)]
    from sklearn.decomposition import PCA

    with np.errstate(invalid="ignore"):  # The shares of no variance at all are 0 / 0.
        pca = PCA(n_components=3, random_state=0).fit(z)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [f"PC {axis} ({share:.0%})" for axis, share in enumerate(shares, 1)]
    return pca.transform(z), None if centroids is None else pca.transform(centroids), names


def _style_3d(ax, names, elevation, azimuth, title):
    ax.view_init(elev=elevation, azim=azimuth)
    ax.set_box_aspect(None, zoom=1.05)
    for axis, name in zip((ax.xaxis, ax.yaxis, ax.zaxis), names, strict=True):
        axis.set_label_text(name)
        axis.set_pane_color((0.97, 0.97, 0.97, 1.0))
        axis.set_major_locator(plt.MaxNLocator(5))
    if title is not None:
        set_heading(ax.set_title(title))


def _heighten_for_title(ax):
    """Make room above the axes for all lines of the title but the first, which has its place."""
    figure = ax.figure
    width, height = figure.get_size_inches()
    more = ax.get_title().count("\n") * _INCHES_PER_LINE
    left, bottom, right, top = ax.get_position(original=True).extents
    share = height / (height + more)
    figure.set_size_inches(width, height + more)
    ax.set_position((left, share * bottom, right - left, share * (top - bottom)))


def _widen_for_legend(ax, legend):
    """Widen the figure by the legend; Matplotlib's layout engines misplace it beside 3-D axes."""
    figure = ax.figure
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    widened = width + legend.get_window_extent().width / figure.dpi + 0.2
    figure.set_size_inches(widened, height)
    left, bottom, right, top = ax.get_position(original=True).extents
    narrowed = width / widened
    ax.set_position((narrowed * left, bottom, narrowed * (right - left), top - bottom))
    legend.set_bbox_to_anchor((width / widened, 0.5), transform=figure.transFigure)


def embedding_3d_animation(
    z: ArrayLike,
    y: ArrayLike | None = None,
    centroids: ArrayLike | None = None,
    *,
    path: str | os.PathLike,
    n_frames: int = 60,
    frames_per_second: int = 12,
    elevation: float = 22.0,
    title: str | None = None,
    dpi: int = 80,
) -> Path:
    """Write a GIF in which the picture of `embedding_3d` turns once around the vertical axis.

    Args:
        z: Embedding, shape (n, d) with d >= 3.
        y: Labels, shape (n,), integers or strings. Defaults to None: one colour.
        centroids: Shape (k, d). Defaults to None.
        path: File to write, in a folder that exists.
        n_frames: Positive int, frames in one turn. Defaults to 60.
        frames_per_second: Positive int, speed. Defaults to 12, i.e. a turn in 5 seconds.
        elevation: Height of the eye above the horizontal plane, in degrees. Defaults to 22.
        title: Title of the axes. Defaults to None.
        dpi: Resolution in dots per inch of a figure of about 7 by 6 inches. Defaults to 80.

    Returns:
        The path of the file.

    Raises:
        FileNotFoundError: If the folder of `path` does not exist.
        ValueError: If the shapes do not fit together, values are not finite, or `n_frames` or
            `frames_per_second` is not a positive int.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Expected `path` to be in a folder that exists. Received: {path}")
    n_frames = positive_int("n_frames", n_frames)
    frames_per_second = positive_int("frames_per_second", frames_per_second)
    dpi = positive_int("dpi", dpi)
    ax = embedding_3d(z, y, centroids, elevation=elevation, title=title)
    try:
        ax.figure.set_dpi(dpi)
        frames = _draw_turn(ax, elevation, n_frames)
    finally:
        plt.close(ax.figure)
    frames = _reduce_colors(frames)
    frames[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / frames_per_second),
        loop=0,
    )
    return path


def _draw_turn(ax, elevation, n_frames):
    canvas = FigureCanvasAgg(ax.figure)
    start = ax.azim
    frames = []
    for frame in range(n_frames):
        ax.view_init(elev=elevation, azim=start + 360 * frame / n_frames)
        canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    return frames


def _reduce_colors(frames):
    """Give all frames the same 256 colours: with one palette each, the legend would flicker."""
    width, height = frames[0].size
    chosen = frames[:: max(1, len(frames) // 6)]
    sample = Image.new("RGB", (width, height * len(chosen)))
    for index, frame in enumerate(chosen):
        sample.paste(frame, (0, index * height))
    palette = sample.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def embedding_2d(
    z: ArrayLike,
    y: ArrayLike | None = None,
    *,
    max_samples: int = 3000,
    perplexity: float = 30.0,
    random_state: int = 0,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the t-SNE of an embedding, coloured by label.

    The legend holds up to 100 names, and on given axes up to 30.

    Args:
        z: Embedding, shape (n, d).
        y: Labels, shape (n,), integers or strings. Defaults to None: one colour.
        max_samples: Int of at least 2, number of samples above which as many are chosen at random,
            since the time of t-SNE grows faster than their number. Defaults to 3000.
        perplexity: Effective number of neighbours in t-SNE; (n - 1) / 3 if that is less. Defaults
            to 30.
        random_state: Int of at least 0, seed of the sampling and of t-SNE. Defaults to 0.
        title: Title of the axes. Defaults to None.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If the shapes do not fit together, values are not finite, there is only one
            sample, or a number is out of its range.

    Reference:
        van der Maaten and Hinton, Visualizing Data using t-SNE, 2008.
    """
    from sklearn.manifold import TSNE

    check_axes(ax)
    z = check_points(z, "z")
    y = check_labels(y, len(z))
    max_samples = positive_int("max_samples", max_samples, least=2)
    random_state = non_negative_int("random_state", random_state)
    if not isinstance(perplexity, Real) or not 0 < perplexity < np.inf:
        raise ValueError(
            f"Expected `perplexity` to be positive and finite. Received: perplexity={perplexity!r}"
        )
    if len(z) < 2:
        raise ValueError(f"Expected at least 2 samples. Received: shape {z.shape}")
    if len(z) > max_samples:
        chosen = np.random.default_rng(random_state).choice(len(z), max_samples, replace=False)
        z, y = z[chosen], None if y is None else y[chosen]
    # From principal components, t-SNE divides by their spread, and crashes where there is none, as
    # in an embedding fallen to one point.
    spread = float(np.ptp(z, axis=0).max())
    has_components = z.shape[1] > 1 and spread**2 > np.finfo("float32").tiny
    tsne = TSNE(
        perplexity=min(perplexity, (len(z) - 1) / 3),
        init="pca" if has_components else "random",
        random_state=random_state,
    )
    points = tsne.fit_transform(z)

    own_figure = ax is None
    if own_figure:
        _, ax = plt.subplots(figsize=(7, 6), layout="constrained")
    colors, names = point_colors(y)
    size, alpha = marker_size_and_alpha(len(points))
    # In random order, so that the label that comes last does not cover the others.
    order = np.random.default_rng(random_state).permutation(len(points))
    colors = colors if y is None else colors[order]
    ax.scatter(*points[order].T, c=colors, s=size, alpha=alpha, linewidths=0)
    # The coordinates of t-SNE have no unit and no origin.
    ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2", box_aspect=1)
    if title is not None:
        set_heading(ax.set_title(title))
    legend = add_legend(ax, names, title="label", centroids=False, own_figure=own_figure)
    if own_figure:
        make_room(ax, legend)
    return ax
