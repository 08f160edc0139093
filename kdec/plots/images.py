"""Images side by side: what centroids decode to, and reconstructions."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kdec.integers import positive_int

_INCHES_PER_IMAGE = 1.1
_INCHES_PER_TITLE = 0.3
_INCHES_PER_LETTER = 0.09


def centroid_images(
    images: ArrayLike,
    titles: Sequence[object] | None = None,
    *,
    n_columns: int = 5,
    title: str | None = None,
) -> Figure:
    """Draw the images that centroids stand for, in a grid.

    Args:
        images: Shape (k, height, width), (k, height, width, 1), (k, height, width, 3), or (k, d)
            with a square number d of pixels; integers in [0, 255] or floats in [0, 1]. Values
            beyond are clipped.
        titles: A title for each image. Defaults to None.
        n_columns: Positive int, images in a row. Defaults to 5.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        ValueError: If `images` has another shape, the number of titles differs, or `n_columns` is
            not a positive int.

    Example:
        >>> figure = centroid_images(np.zeros((7, 64)), titles=range(7))
        >>> len(figure.axes)
        7
        >>> plt.close(figure)
    """
    images = _check_images(images, "images")
    # A list, since a pandas Series takes an index for a label of its own.
    titles = None if titles is None else list(titles)
    _check_titles(titles, len(images))
    n_columns = min(positive_int("n_columns", n_columns), len(images))
    n_rows = math.ceil(len(images) / n_columns)
    n_titles = (titles is not None) * n_rows + (title is not None)
    figure, axes = _image_grid(n_rows, n_columns, n_titles)
    for ax in axes.flat[len(images) :]:
        ax.remove()
    for index, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        _draw_image(ax, image)
        if titles is not None:
            ax.set_title(str(titles[index]), fontsize="small")
    if title is not None:
        figure.suptitle(title)
    return figure


def image_rows(
    rows: Mapping[str, ArrayLike],
    titles: Sequence[object] | None = None,
    *,
    title: str | None = None,
) -> Figure:
    """Draw rows of images under each other, such as centroid images before and after training.

    Args:
        rows: ``{name: images}``, images as in `centroid_images`, the same number in each row.
        titles: A title for each column. Defaults to None.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no row, the rows differ in length, images have another shape, or the
            number of titles differs.

    Example:
        >>> figure = image_rows({"before": np.zeros((4, 8, 8)), "after": np.ones((4, 8, 8))})
        >>> len(figure.axes)
        8
        >>> plt.close(figure)
    """
    rows = {name: _check_images(images, f"rows[{name!r}]") for name, images in rows.items()}
    lengths = {name: len(images) for name, images in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(
            f"Expected `rows` to hold the same number of images each. Received: {lengths}"
        )
    n_columns = next(iter(lengths.values()))
    _check_titles(titles, n_columns)
    n_titles = (titles is not None) + (title is not None)
    margin = max(map(len, rows)) * _INCHES_PER_LETTER
    figure, axes = _image_grid(len(rows), n_columns, n_titles, margin)
    for (name, images), axes_of_row in zip(rows.items(), axes, strict=True):
        axes_of_row[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(axes_of_row, images, strict=True):
            _draw_image(ax, image)
    if titles is not None:
        for ax, column_title in zip(axes[0], titles, strict=True):
            ax.set_title(str(column_title), fontsize="small")
    if title is not None:
        figure.suptitle(title)
    return figure


def reconstructions(
    x: ArrayLike, x_hat: ArrayLike, n: int = 10, *, title: str | None = None
) -> Figure:
    """Draw the first n images above their reconstructions.

    Args:
        x: Images, as in `centroid_images`.
        x_hat: Reconstructions, the same number.
        n: Positive int, images to draw at most. Defaults to 10.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        ValueError: If the numbers of images differ, images have another shape, or `n` is not
            a positive int.
    """
    n = positive_int("n", n)
    if len(x) != len(x_hat):
        raise ValueError(
            "Expected `x` and `x_hat` to hold the same number of images. "
            f"Received: {len(x)} and {len(x_hat)}"
        )
    return image_rows({"original": x[:n], "reconstruction": x_hat[:n]}, title=title)


def _check_images(images, name):
    """Return images in [0, 1] of shape (k, height, width) or (k, height, width, 3)."""
    images = np.asarray(images)
    side = math.isqrt(images.shape[1]) if images.ndim == 2 else 0
    if images.ndim == 2 and side**2 == images.shape[1]:
        images = images.reshape(len(images), side, side)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.size == 0 or not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise ValueError(
            f"Expected `{name}` to have the shape (k, height, width), (k, height, width, 1), "
            "(k, height, width, 3) or (k, d) with a square number d, and k > 0. "
            f"Received: shape {images.shape}"
        )
    scale = 255 if np.issubdtype(images.dtype, np.integer) else 1
    return np.clip(images / scale, 0, 1)


def _check_titles(titles, n_images):
    if titles is not None and len(titles) != n_images:
        raise ValueError(f"Expected {n_images} titles. Received: {len(titles)}")


def _image_grid(n_rows, n_columns, n_titles, margin=0.0):
    """Return a figure of as many square places, and the axes; margin is in inches at the left."""
    return plt.subplots(
        n_rows,
        n_columns,
        figsize=(
            margin + n_columns * _INCHES_PER_IMAGE,
            n_rows * _INCHES_PER_IMAGE + n_titles * _INCHES_PER_TITLE,
        ),
        squeeze=False,
        layout="constrained",
    )


def _draw_image(ax, image):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
