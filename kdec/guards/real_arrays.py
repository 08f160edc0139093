"""Arrays as arguments: what NumPy cannot make one of, or not of real numbers, is named."""

import numpy as np
from numpy.typing import ArrayLike


def as_array(name: str, value: ArrayLike) -> np.ndarray:
    """Return the argument `name` as a NumPy array.

    Raises:
        ValueError: If NumPy makes no array of it, as of lists of different lengths.

    Example:
    >>> from kdec.guards import as_array
    >>> as_array("x", [[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: Expected `x` to be an array. Received: lists of different lengths
    """
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"Expected `{name}` to be an array. Received: {type(value).__name__}s of different "
            "lengths"
        ) from None


def real_array(name: str, value: ArrayLike) -> np.ndarray:
    """Return the argument `name` as a NumPy array of bools, ints or floats of any precision.

    Raises:
        ValueError: If it is no array, or one of complex numbers, strings or objects.
    """
    array = as_array(name, value)
    # NumPy does not know bfloat16 as a float, but that it can become one.
    if array.dtype.kind not in "biuf" and not np.can_cast(array.dtype, float):
        received = f"dtype {array.dtype}" if array.ndim else type(value).__name__
        raise ValueError(f"Expected `{name}` to be an array of real numbers. Received: {received}")
    return array
