"""One image file, PNG or JPEG, as an array of a given size."""

import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg")

_FORMATS = ("PNG", "JPEG")  # no decoder of another format, whatever a file pretends to be
_GREY_MODES = ("1", "L", "LA", "F")
_MAX_16_BIT = 65535
_SIDEWAYS = (5, 6, 7, 8)  # values of the EXIF orientation that swap height and width


def read_header(path: Path) -> tuple[tuple[int, int], bool]:
    """Return height and width of an image as it is to be seen, and whether it is grey.

    Raises:
        ValueError: If the image has more pixels than Pillow's ``Image.MAX_IMAGE_PIXELS``, which
            protects from small files that fill the memory.
        Exception: What Pillow raises on a broken file, of many kinds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=_FORMATS)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise ImageBombError(
                f"Expected {path} to have at most {Image.MAX_IMAGE_PIXELS} pixels. "
                f"Received: {str(error).partition(',')[0]}"
            ) from error
    with image:
        return _turned_size(image), _is_grey(image)


class ImageBombError(ValueError):
    """An image is larger than Pillow takes for harmless."""


def _turned_size(image):
    width, height = image.size
    # A PNG with EXIF behind its pixels would have to be decoded here.
    if image.format == "PNG" and "exif" not in image.info:
        return height, width
    is_sideways = image.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
    return (width, height) if is_sideways else (height, width)


def _is_grey(image):
    if image.mode == "P":
        return bool(np.ptp(np.reshape(image.getpalette(), (-1, 3)), axis=1).max() == 0)
    return image.mode in _GREY_MODES or image.mode.startswith("I")


def read_image(path: Path, size: tuple[int, int], color: bool) -> np.ndarray:
    """Read an image, turn it as EXIF says, scale it to cover `size`, and crop what juts out.

    Args:
        path: The file.
        size: Height and width.
        color: Whether to return colours or grey.

    Returns:
        Values in [0, 1], float32, shape (height, width), or (height, width, 3) for colours.

    Raises:
        Exception: What Pillow raises on a broken file, of many kinds.
    """
    height, width = size
    with Image.open(path, formats=_FORMATS) as image:
        # JPEG: decoded at a half, a quarter or an eighth, if that is still twice as large.
        image.draft(None, (2 * max(size), 2 * max(size)))
        image = _to_plain_mode(ImageOps.exif_transpose(image), color)
        image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        pixels = np.asarray(image, np.float32)
    # 16-bit images are floats by now, and bicubic interpolation overshoots at edges.
    pixels = pixels.clip(0, 1) if image.mode == "F" else pixels / np.float32(255)
    return np.stack([pixels] * 3, axis=-1) if color and pixels.ndim == 2 else pixels


def _to_plain_mode(image, color):
    """Turn an image into mode L, RGB, or F with values in [0, 1]; what is transparent is white."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow would cut it off at 255.
        return Image.fromarray(np.asarray(image, np.float32) / _MAX_16_BIT)
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image)
    if image.mode == "P":
        image = image.convert("RGB")
    return image.convert("RGB" if color else "L")
