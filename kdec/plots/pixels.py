"""From images as they are given, of any type, range and layout, to what is drawn."""

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

# A pixel without a value: no image of greys has this colour.
MISSING = (0.96, 0.70, 0.70)
_GREYS = matplotlib.colormaps["gray"].with_extremes(bad=MISSING)


def to_pixels(
    images,
    name: str,
    image_shape: Sequence[int] | None = None,
    value_range: Sequence[float] | None = None,
) -> np.ndarray:
    """Return images as Matplotlib draws them, or raise; `centroid_images` states the rules.

    Returns:
        Floats in [0, 1], shape (k, height, width) or (k, height, width, 3). A NaN stays where a
        grey image has it; in colour it becomes the colour `MISSING`.
    """
    if value_range is not None:
        value_range = _check_range(value_range)
    images = _to_layout(_to_floats(images, name), name, image_shape)
    black, white = value_range or choose_range(images)
    # By halves, since the difference of the largest floats is infinite.
    pixels = np.clip((images / 2 - black / 2) / (white / 2 - black / 2), 0, 1)
    if pixels.ndim == 4:
        pixels[np.isnan(pixels).any(axis=-1)] = MISSING
    return pixels


def choose_range(images: np.ndarray) -> tuple[float, float]:
    """Return the values to draw black and white, from all images together."""
    values = np.asarray(images, "float64")
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    smallest, largest = float(values.min()), float(values.max())
    if -largest / 2 <= smallest and largest <= 1.5:  # Decoders may overshoot [0, 1] a little.
        return 0.0, 1.0
    if smallest >= 0 and 64 <= largest <= 255:
        return 0.0, 255.0
    if smallest == largest:
        return tuple(sorted((largest / 2, 1.5 * largest)))
    return smallest, largest


def draw_pixels(ax: Axes, image: np.ndarray, **kwargs) -> AxesImage:
    """Draw one image out of `to_pixels`."""
    return ax.imshow(image, cmap=_GREYS, vmin=0, vmax=1, interpolation="nearest", **kwargs)


def _check_range(value_range):
    try:
        black, white = (float(value) for value in value_range)
        if math.isfinite(black) and math.isfinite(white) and black < white:
            return black, white
    except (TypeError, ValueError):
        pass
    raise ValueError(
        "Expected `value_range` to be two numbers, those of black and of a larger white. "
        f"Received: {value_range!r}"
    )


def _to_floats(images, name):
    try:
        array = np.asarray(images)
    except ValueError:  # NumPy makes no array of lists of different lengths.
        raise ValueError(
            f"Expected `{name}` to hold images of one shape. Received: images of different shapes"
        ) from None
    # A layer that computes in bfloat16 gives a type that NumPy does not know as a float.
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(
            f"Expected `{name}` to hold real numbers or booleans. Received: dtype {array.dtype}"
        )
    return array.astype("float64")


def _to_layout(images, name, image_shape):
    """Return images of shape (k, height, width) or (k, height, width, 3)."""
    given = images.shape
    shape = _shape_of_vector(given) if image_shape is None else _check_shape(image_shape)
    if images.ndim == 2 and shape is not None and math.prod(shape) == given[1]:
        images = images.reshape(-1, *shape)
    elif image_shape is not None and given[1:] != shape:
        raise ValueError(
            f"Expected `{name}` to have the shape (k, {math.prod(shape)}) or "
            f"{('k', *shape)} with `image_shape` {shape}. Received: shape {given}".replace("'", "")
        )
    if images.ndim == 4 and images.shape[-1] not in (1, 3) and images.shape[1] in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.size == 0 or not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise ValueError(
            f"Expected `{name}` to have the shape (k, height, width), (k, height, width, 1 or 3), "
            "(k, 1 or 3, height, width) or (k, d), where d is a square number of pixels or three "
            f"times one, or `image_shape` is given, and k > 0. Received: shape {given}"
        )
    return images


def _shape_of_vector(shape):
    """Return the shape of a square image as long as vectors of `shape` (k, d), or None."""
    length = shape[1] if len(shape) == 2 else 0
    for channels in (1, 3):
        side = math.isqrt(length // channels)
        if length and side**2 * channels == length:
            return (side, side, channels)
    return None


def _check_shape(image_shape):
    try:
        shape = tuple(int(size) for size in image_shape)
        is_image = len(shape) == 2 or (len(shape) == 3 and {shape[0], shape[2]} & {1, 3})
        if is_image and min(shape) > 0 and shape == tuple(image_shape):
            return shape
    except (TypeError, ValueError):
        pass
    raise ValueError(
        "Expected `image_shape` to be (height, width), (height, width, 1 or 3) or "
        f"(1 or 3, height, width). Received: {image_shape!r}"
    )
