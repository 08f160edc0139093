"""Whole numbers as arguments: NumPy's count like Python's, True and 2.0 do not."""

from numbers import Integral


def is_positive_int(value) -> bool:
    """Tell whether `value` is an int above 0."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


def non_negative_int(name: str, value) -> int:
    """Return the argument `name` as an int.

    Raises:
        ValueError: If `value` is not an int of at least 0.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
        raise ValueError(
            f"Expected `{name}` to be an int of at least 0. Received: {name}={value!r}"
        )
    return int(value)


def positive_int(name: str, value, least: int = 1) -> int:
    """Return the argument `name` as an int.

    Raises:
        ValueError: If `value` is not an int of at least `least`.

    Example:
    >>> import numpy as np
    >>> from kdec.guards import positive_int
    >>> positive_int("n_clusters", np.int64(3))
    3
    """
    if not is_positive_int(value) or value < least:
        wanted = "a positive int" if least == 1 else f"an int of at least {least}"
        raise ValueError(f"Expected `{name}` to be {wanted}. Received: {name}={value!r}")
    return int(value)
