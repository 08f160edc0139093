"""Images side by side: what centroids decode to, and reconstructions."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kdec.guards import as_array, positive_int
from kdec.plots.image_grid import MAX_AXES, draw_grid
from kdec.plots.pixels import to_pixels


def centroid_images(
    images: ArrayLike,
    titles: Sequence[object] | None = None,
    *,
    n_columns: int | None = None,
    image_shape: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the images that centroids stand for, in a grid.

    The values of all images together say which value is drawn black and which white, whatever
    their dtype:

    =====================================================  ========  =======
    values                                                 black     white
    =====================================================  ========  =======
    in [0, 1]; or up to 1.5, and at least minus half the   0         1
    largest
    in [0, 255], the largest at least 64                   0         255
    others, such as [0, 16], [-1, 1] and 16 bits           smallest  largest
    =====================================================  ========  =======

    Values beyond black and white are clipped. Equal values out of the last row are grey. NaN is
    drawn light red. Infinities do not count for the range.

    Args:
        images: Booleans, integers or floats of shape (k, height, width), (k, height, width,
            channels) or (k, channels, height, width) with 1 or 3 channels; the last axis is taken
            for the channels where both could be. Or vectors (k, d), where d is a square number of
            pixels, or three times one: colours last, as in (height, width, 3).
        titles: A title for each image. Defaults to None.
        n_columns: Positive int, images in a row. Defaults to None: 5, and beyond 25 images as many
            as rows.
        image_shape: Shape of an image: (height, width), (height, width, channels) or (channels,
            height, width). Needed for vectors of images that are not square, and of channels
            first, such as (3, 32, 32) for the rows of CIFAR's files. Defaults to None.
        value_range: The values to draw black and white. Defaults to None: by the table.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure. Up to 100 images have Axes each; more share one.

    Raises:
        TypeError: If `images` holds no real numbers.
        ValueError: If `images` has another shape, the number of titles differs, `n_columns` is
            not a positive int, or `image_shape` or `value_range` is none.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> figure = centroid_images(np.zeros((7, 64)), titles=range(7))
        >>> len(figure.axes)
        7
        >>> plt.close(figure)

        Vectors of 6 x 4 pixels with values up to 255:

        >>> figure = centroid_images(np.full((2, 24), 255.0), image_shape=(6, 4))
        >>> figure.axes[0].images[0].get_array()[0].tolist()
        [1.0, 1.0, 1.0, 1.0]
        >>> plt.close(figure)
    """
    images = to_pixels(images, "images", image_shape, value_range)
    # A list, since a pandas Series takes an index for a label of its own.
    titles = _check_titles(titles, len(images))
    if n_columns is None:
        n_columns = max(5, math.ceil(math.sqrt(len(images))))
    n_columns = min(positive_int("n_columns", n_columns), len(images))
    parts = [slice(start, start + n_columns) for start in range(0, len(images), n_columns)]
    return draw_grid(
        [images[part] for part in parts],
        [None if titles is None else titles[part] for part in parts],
        title=title,
    )


def image_rows(
    rows: Mapping[str, ArrayLike],
    titles: Sequence[object] | None = None,
    *,
    image_shape: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw rows of images under each other, such as centroid images before and after training.

    More than 100 images are broken into blocks, each of all rows.

    Args:
        rows: ``{name: images}``, images as in `centroid_images`, the same number in each row. Each
            row has a range of its own, so that integers up to 255 and floats up to 1 go together.
        titles: A title for each column. Defaults to None.
        image_shape: As in `centroid_images`, for all rows. Defaults to None.
        value_range: The values to draw black and white in all rows. Defaults to None: for each row
            by the table in `centroid_images`.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure. Up to 100 images have Axes each; more share one.

    Raises:
        TypeError: If a row holds no real numbers.
        ValueError: If there is no row, the rows differ in length, images have another shape, the
            number of titles differs, or `image_shape` or `value_range` is none.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> figure = image_rows({"before": np.zeros((4, 8, 8)), "after": np.ones((4, 8, 8))})
        >>> len(figure.axes)
        8
        >>> plt.close(figure)
    """
    if not isinstance(rows, Mapping):
        raise TypeError(f"Expected `rows` to be a mapping of names to images. Received: {rows!r}")
    rows = {
        name: to_pixels(images, f"rows[{name!r}]", image_shape, value_range)
        for name, images in rows.items()
    }
    lengths = {name: len(images) for name, images in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(
            f"Expected `rows` to hold the same number of images each. Received: {lengths}"
        )
    n_images = next(iter(lengths.values()))
    titles = _check_titles(titles, n_images)
    n_total = n_images * len(rows)
    n_columns = n_images if n_total <= MAX_AXES else math.ceil(math.sqrt(n_total))
    parts = [slice(start, start + n_columns) for start in range(0, n_images, n_columns)]
    no_titles = [None] * (len(rows) - 1)
    return draw_grid(
        [images[part] for part in parts for images in rows.values()],
        [t for part in parts for t in (None if titles is None else titles[part], *no_titles)],
        row_names=list(rows) * len(parts),
        title=title,
    )


def reconstructions(
    x: ArrayLike,
    x_hat: ArrayLike,
    n: int = 10,
    *,
    image_shape: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the first n images above their reconstructions.

    Args:
        x: Images, as in `centroid_images`.
        x_hat: Reconstructions, the same number.
        n: Positive int, images to draw at most. Defaults to 10.
        image_shape: As in `centroid_images`. Defaults to None.
        value_range: The values to draw black and white in both. Defaults to None: for each of both
            by the table in `centroid_images`.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        TypeError: If `x` or `x_hat` holds no real numbers.
        ValueError: If the numbers or sizes of images differ, images have another shape, `n` is not
            a positive int, or `image_shape` or `value_range` is none.

    Example:
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> figure = reconstructions(np.zeros((12, 64)), np.ones((12, 64)), n=3)
        >>> len(figure.axes)
        6
        >>> plt.close(figure)
    """
    n = positive_int("n", n)
    x, x_hat = np.atleast_1d(as_array("x", x), as_array("x_hat", x_hat))
    if len(x) != len(x_hat):
        raise ValueError(
            "Expected `x` and `x_hat` to hold the same number of images. "
            f"Received: {len(x)} and {len(x_hat)}"
        )
    if math.prod(x.shape[1:]) != math.prod(x_hat.shape[1:]):
        raise ValueError(
            "Expected `x` and `x_hat` to hold images of one size. "
            f"Received: shapes {x.shape} and {x_hat.shape}"
        )
    rows = {"original": x[:n], "reconstruction": x_hat[:n]}
    return image_rows(rows, image_shape=image_shape, value_range=value_range, title=title)


def _check_titles(titles, n_images):
    if titles is None:
        return None
    if not isinstance(titles, Iterable):
        raise TypeError(f"Expected {n_images} titles. Received: {titles!r}")
    titles = list(titles)
    if len(titles) != n_images:
        raise ValueError(f"Expected {n_images} titles. Received: {len(titles)}")
    return titles
