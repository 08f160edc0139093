"""Random views of images under the images themselves."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from kdec.guards import positive_int
from kdec.plots.images import image_rows
from kdec.plots.pixels import choose_range, to_pixels


def views(
    images: ArrayLike,
    layer: Callable,
    n_views: int = 4,
    *,
    image_shape: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw images, and below each some random views of it.

    Args:
        images: Images as in `centroid_images` and as `layer` takes them, which gets them as
            float32 and otherwise as they are.
        layer: Keras layer or model that gives views when called with `training=True`, such as
            `kdec.views.RandomAffine`.
        n_views: Positive int, views of each image. Defaults to 4.
        image_shape: As in `centroid_images`. Defaults to None.
        value_range: The values to draw black and white in all rows. Defaults to None: by the table
            in `centroid_images`, from `images`.
        title: Title of the figure. Defaults to None.

    Returns:
        The figure.

    Raises:
        TypeError: If `images` holds no real numbers.
        ValueError: If `images` has another shape, `n_views` is not a positive int, or
            `image_shape` or `value_range` is none.

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
    if not callable(layer):
        raise TypeError(f"Expected `layer` to be a Keras layer or model. Received: {layer!r}")
    to_pixels(images, "images", image_shape, value_range)  # Raises before the layer is called.
    images = np.asarray(images, "float32")
    if value_range is None:  # One range, so that a change of brightness is seen.
        value_range = choose_range(images)
    rows = {"image": images}
    for number in range(1, n_views + 1):
        view = layer(images, training=True)
        rows[f"view {number}"] = keras.ops.convert_to_numpy(view).astype("float32")
    return image_rows(rows, image_shape=image_shape, value_range=value_range, title=title)
