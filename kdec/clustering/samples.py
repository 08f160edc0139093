"""Checks of samples, vectors or images, before any work is done."""

import numpy as np
from sklearn.utils import check_array

from kdec.data import Shards, change_rows, least_and_greatest

_ROUNDING = 1e-3


def check_images_or_vectors(x) -> np.ndarray | Shards:
    """Return samples as float32, images with values in [0, 1]; those on the disk stay there.

    Args:
        x: Array, or samples on the disk, (n, d) of numbers; or (n, height, width[, channels]) of
            floats in [0, 1], bool, or unsigned ints, which are divided by the largest of their
            type.

    Raises:
        ValueError: If it is none of these.
    """
    dtype = getattr(x, "dtype", None)
    x = _check_on_disk(x) or check_array(x, dtype=np.float32, allow_nd=True, input_name="X")
    if x.ndim > 4:
        raise ValueError(
            "Expected X of shape (n, d) or (n, height, width[, channels]). "
            f"Received: shape {x.shape}"
        )
    return x if x.ndim == 2 else _check_images(x, dtype)


def _check_images(x, dtype):
    if 0 in x.shape:
        raise ValueError(f"Expected images of at least one pixel. Received: shape {x.shape}")
    if dtype is not None and np.dtype(dtype).kind == "u":
        return change_rows(x, lambda rows: rows / np.float32(np.iinfo(dtype).max))
    low, high = least_and_greatest(x)
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ValueError(
            "Expected images with values in [0, 1], or of unsigned ints such as uint8. "
            f"Received: {low:g} to {high:g}, dtype {dtype}"
        )
    return x


def _check_on_disk(x):
    """Samples on the disk as float32, None if they are in memory, or an error."""
    x = Shards.of(x)
    if x is None:
        return None
    if x.ndim < 2 or x.dtype.kind not in "biuf":
        raise ValueError(
            "Expected X of real numbers, shape (n, d) or (n, height, width[, channels]). "
            f"Received: shape {x.shape}, dtype {x.dtype}"
        )
    x = change_rows(x, lambda rows: rows.astype(np.float32, copy=False))
    if not np.isfinite(least_and_greatest(x)).all():
        raise ValueError("Expected finite values in X. Received: NaN or infinity among them.")
    return x
