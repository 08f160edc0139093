"""A folder of images as one array."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import UnidentifiedImageError

from kdec.data.image_files import SUFFIXES, ImageBombError, read_header, read_image

_LOGGER = logging.getLogger("kdec")
_LARGEST_OWN_SIZE = 128
_COMMON_SIZE = (64, 64)
_NAMED = 5  # files that a message names


@dataclass(frozen=True)
class ImagePreparation:
    """What `data.read` does to images, fitted to the first folder it saw.

    Attributes:
        size: Height and width in pixels.
        color: Whether the images have three channels.
    """

    kind: ClassVar[str] = "images"
    columns: ClassVar[None] = None
    size: tuple[int, int]
    color: bool

    @classmethod
    def fit(
        cls,
        headers: Mapping[str, tuple[tuple[int, int], bool]],
        size: tuple[int, int] | None = None,
        color: bool | None = None,
    ) -> "ImagePreparation":
        """Fit to the size of each image, and whether it is grey."""
        sizes = {own for own, _ in headers.values()}
        if size is None:
            is_small = all(max(own) <= _LARGEST_OWN_SIZE for own in sizes)
            size = sizes.pop() if len(sizes) == 1 and is_small else _COMMON_SIZE
        if color is None:
            color = not all(is_grey for _, is_grey in headers.values())
        return cls(size, color)

    def get_config(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold, for `data.preparation_from_config`."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ImagePreparation":
        """Make it again from `get_config`."""
        return cls(tuple(config["size"]), config["color"])


def read_folder(
    folder: Path,
    size: tuple[int, int] | None = None,
    color: bool | None = None,
    strict: bool = False,
    preparation: ImagePreparation | None = None,
) -> tuple[np.ndarray, list[str], dict[str, str], ImagePreparation]:
    """Read all images of a folder and its sub-folders, sorted by path.

    Args:
        folder: The folder.
        size: Height and width, see `data.read`.
        color: Whether to read colours, see `data.read`.
        strict: Whether a file that cannot be read is an error.
        preparation: That of an earlier folder, instead of `size` and `color`.

    Returns:
        The images, float32, shape (n, height, width) or (n, height, width, 3), their paths inside
        the folder, the reason for each file that is left out, and the preparation.

    Raises:
        ValueError: If there are no images, one is larger than Pillow takes for harmless, or, with
            `strict`, one is broken.
    """
    names, left_out = _find_images(folder)
    if not names and not left_out:
        raise ValueError(
            f"Expected images ({', '.join(SUFFIXES)}) in the folder {folder}. Received: none"
        )
    headers = {}
    for name in names:
        try:
            headers[name] = read_header(folder / name)
        except ImageBombError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds on broken files.
            left_out[name] = _say(error)
    x = []
    if headers:
        preparation = preparation or ImagePreparation.fit(headers, size, color)
        x, broken = _read_images(folder, list(headers), preparation)
        left_out |= broken
    names = [name for name in headers if name not in left_out]
    _report(left_out, len(names), folder, strict)
    return x, names, left_out, preparation


def _find_images(folder):
    """Return the paths of images inside the folder, and the reason for each that is not read."""

    def stop(error):
        raise error

    inside = folder.resolve()
    names, left_out = [], {}
    for root, folders, files in os.walk(folder, onerror=stop):
        for name in folders:
            if Path(root, name).is_symlink():  # os.walk does not follow it either
                left_out[Path(root, name).relative_to(folder).as_posix()] = "a link to a folder"
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(root, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            name = path.relative_to(folder).as_posix()
            if reason := _why_not(path, inside):
                left_out[name] = reason
            else:
                names.append(name)
    return sorted(names), left_out


def _why_not(path, inside):
    """Return why a file is not read, or None."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return "no file"
    if not target.is_relative_to(inside):
        return "a link that leaves the folder"
    return None if target.is_file() else "no file"


def _read_images(folder, names, preparation):
    """Return the images that can be read, and the reason for each that cannot."""
    channels = (3,) if preparation.color else ()
    x = np.empty((len(names), *preparation.size, *channels), np.float32)

    def read(index):
        try:
            x[index] = read_image(folder / names[index], preparation.size, preparation.color)
        except Exception as error:  # as above
            return _say(error)

    # Threads, since Pillow lets others work while it decodes.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        reasons = list(pool.map(read, range(len(names))))
    broken = {name: reason for name, reason in zip(names, reasons, strict=True) if reason}
    return x[[not reason for reason in reasons]] if broken else x, broken


def _say(error):
    """Return what an error says, on one line; some say nothing."""
    if isinstance(error, UnidentifiedImageError):
        return "neither PNG nor JPEG"
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _report(left_out, n_read, folder, strict):
    """Name the files that are left out, in the log, or, if nothing is left or strict, an error."""
    if not left_out:
        return
    some = ", ".join(f"{name!r} ({reason})" for name, reason in list(left_out.items())[:_NAMED])
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    if strict or not n_read:
        raise ValueError(
            f"Expected images that can be read in the folder {folder}. "
            f"Received: {len(left_out)} of {n_read + len(left_out)} that cannot: {some}{more}"
        )
    _LOGGER.warning(
        "Left out %d of %d files of %s: %s%s.",
        *(len(left_out), n_read + len(left_out), folder, some, more),
    )
