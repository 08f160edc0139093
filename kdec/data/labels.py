"""Labels as whole numbers, whatever they were in the file."""

from numbers import Integral

import numpy as np


def encode_labels(values, origin: str) -> tuple[np.ndarray, dict[int, str]]:
    """Turn labels into whole numbers.

    Whole numbers stay what they are. Other labels are numbered in sorted order.

    Args:
        values: Labels, none of them missing, shape (n,).
        origin: What has them, for messages.

    Returns:
        The labels, int64, shape (n,), and what each number is called.

    Raises:
        ValueError: If the labels are numbers that are not whole, or not of shape (n,).
    """
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"Expected {origin} to be of shape (n,). Received: shape {values.shape}")
    if values.dtype.kind == "O" and all(_is_whole(value) for value in values):
        values = values.astype(np.int64)
    if values.dtype.kind == "f":
        if not np.array_equal(values, np.trunc(values)):
            example = values[values != np.trunc(values)][0]
            raise ValueError(
                f"Expected whole numbers or text as {origin}. Received: numbers such as {example}"
            )
        values = values.astype(np.int64)
    if values.dtype.kind in "iu":
        y = values.astype(np.int64)
        return y, {int(label): str(label) for label in np.unique(y)}
    names, y = np.unique([str(value) for value in values], return_inverse=True)
    return y.astype(np.int64), dict(enumerate(names.tolist()))


def _is_whole(value):
    return isinstance(value, Integral) and not isinstance(value, bool)
