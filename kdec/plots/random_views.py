"""Random views of images under the images themselves."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kdec.integers import positive_int
from kdec.plots.images import image_rows


def views(
    images: ArrayLike, layer: Callable, n_views: int = 4, *, title: str | None = None
) -> Figure:
    """Draw images, and below each some random views of it.

    Args:
        images: As `layer` takes them: floats in [0, 1], shape (k, height, width) or (k, height,
            width, channels) with 1 or 3 channels; or vectors (k, d) with a square number d of
            pixels.
        layer: Keras layer or model that gives views when called with `training=True`, such as
            `kdec.views.RandomAffine`.
        n_views: Positive int, views of each image. Defaults to 4.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        ValueError: If `images` has another shape, or `n_views` is not a positive int.

    Example:
        >>> import kdec
        >>> import matplotlib.pyplot as plt
        >>> images = kdec.load_data("mnist-5k").x[:6]
        >>> figure = views(images, kdec.views.RandomAffine(seed=0), n_views=2)
        >>> len(figure.axes)
        18
        >>> plt.close(figure)
    """
    import keras  # The only picture that needs it: the layer is a Keras object.

    n_views = positive_int("n_views", n_views)
    images = np.asarray(images, "float32")
    rows = {"image": images}
    for number in range(1, n_views + 1):
        view = layer(images, training=True)
        rows[f"view {number}"] = keras.ops.convert_to_numpy(view).astype("float32")
    return image_rows(rows, title=title)
