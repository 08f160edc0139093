"""Images as small ones: one by one, and many in one sheet."""

import base64
import io
import math
from typing import NamedTuple

import numpy as np
from PIL import Image

_SMALL = 128 * 128  # pixels
_CHUNK = 256  # images at a time, so that no copy of all of them is made


class Sheet(NamedTuple):
    """Thumbnails side by side in one image, row by row from the top left.

    Attributes:
        image: All of them.
        width: Of one thumbnail, in pixels.
        height: Of one thumbnail, in pixels.
        columns: How many stand in a row.
    """

    image: Image.Image
    width: int
    height: int
    columns: int


def value_range(images: np.ndarray) -> tuple[float, float]:
    """Return the values to draw black and white: 0 and 1, unless there are values beyond."""
    return min(0.0, float(images.min())), max(1.0, float(images.max()))


def thumbnails(
    images: np.ndarray, side: int, black_and_white: tuple[float, float], rows: np.ndarray
) -> np.ndarray:
    """Return images as bytes, made smaller where they have more than `side` pixels a side.

    Args:
        images: Shape (n, height, width) or (n, height, width, channels). Of 1 or 3 channels they
            are grey or colour, of another number the mean of the channels is drawn.
        side: Largest height and width.
        black_and_white: Values to draw black and white.
        rows: Which of the images to return, shape (m,).

    Returns:
        uint8, shape (m, height, width) or (m, height, width, 3).
    """
    return np.concatenate(
        [
            _shrink(_to_bytes(images[rows[start : start + _CHUNK]], *black_and_white), side)
            for start in range(0, len(rows), _CHUNK)
        ]
    )


def _to_bytes(images, black, white):
    images = images.astype(np.float32)
    if images.ndim == 4 and images.shape[-1] != 3:
        images = images.mean(axis=-1)
    return (np.clip((images - black) / (white - black), 0, 1) * 255).round().astype(np.uint8)


def _shrink(images, side):
    height, width = images.shape[1:3]
    scale = side / max(height, width)
    if scale >= 1:
        return images
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    resized = [Image.fromarray(image).resize(size, Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(image) for image in resized])


def make_sheet(tiles: np.ndarray) -> Sheet:
    """Put thumbnails into one image with as many in a row as there are rows, as far as it goes.

    Args:
        tiles: uint8, shape (n, height, width) or (n, height, width, 3).
    """
    n, height, width = tiles.shape[:3]
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    filled = np.zeros((rows * columns, *tiles.shape[1:]), np.uint8)
    filled[:n] = tiles
    grid = filled.reshape(rows, columns, *tiles.shape[1:]).swapaxes(1, 2)
    pixels = grid.reshape(rows * height, columns * width, *tiles.shape[3:])
    return Sheet(Image.fromarray(pixels), width, height, columns)


def data_uri(image: Image.Image, max_bytes: int | None = None) -> str:
    """Return an image as an address that holds all of it.

    Grey images are PNG, if that is not larger than `max_bytes`. All others lose what it takes to be
    no larger, down to the last quality there is.
    """
    # The tables of a JPEG are larger than a small image, and WebP is slow where there are many.
    lossy = "JPEG" if image.width * image.height > _SMALL else "WEBP"
    formats = [{"format": "PNG"}] if image.mode == "L" else []
    formats += [{"format": lossy, "quality": quality} for quality in (85, 70, 50, 30, 15)]
    for options in formats:
        stored = io.BytesIO()
        image.save(stored, **options)
        if max_bytes is None or stored.tell() <= max_bytes:
            break
    return encode(stored.getvalue(), options["format"].lower())


def encode(image: bytes, subtype: str) -> str:
    """Return the bytes of an image file as an address that holds them."""
    return f"data:image/{subtype};base64,{base64.b64encode(image).decode()}"
