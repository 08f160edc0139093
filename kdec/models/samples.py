"""Checks of samples and labels that a model takes whole, before any work is done."""

import keras
import numpy as np

from kdec import metrics
from kdec.guards import as_array, refuse_forked_process
from kdec.models.arrays import check_array


def check_samples(x, encoder: keras.Model) -> np.ndarray:
    """Return `x` as an array (n, ...) of the dtype that `encoder` takes.

    Images without the axis of their one channel get it.

    Raises:
        TypeError: If `x` is no array, such as a dataset, a generator or a sparse matrix.
        ValueError: If its shape does not fit the encoder, or it does not hold finite real numbers.
        RuntimeError: In a process that was forked after TensorFlow had started.
    """
    refuse_forked_process()
    check_array(x)
    x = as_array("x", x)
    expected = encoder.input_shape[1:]
    if x.ndim == len(expected) and expected[-1] == 1:
        x = x[..., np.newaxis]
    fits = x.ndim == len(expected) + 1 and all(
        size is None or size == received
        for size, received in zip(expected, x.shape[1:], strict=True)
    )
    if not fits or len(x) == 0:
        raise ValueError(
            f"Expected `x` of shape (n, {', '.join(map(str, expected))}) with n > 0. "
            f"Received: shape {x.shape}"
        )
    if x.dtype.kind not in "biuf":
        raise ValueError(f"Expected real numbers in `x`. Received: dtype {x.dtype}")
    x = np.asarray(x, encoder.inputs[0].dtype)
    if not np.isfinite(x).all():
        raise ValueError("Expected finite values in `x`. Received: NaN or infinity among them.")
    return x


def check_labels(y, n: int) -> np.ndarray:
    """Return the labels `y` of n samples as an array; a ValueError if they are none."""
    y = as_array("y", y)
    if y.shape != (n,):
        raise ValueError(f"Expected `y` of shape ({n},), one label a sample. Received: {y.shape}")
    metrics.accuracy(y, y)  # An error now, for labels that are none, rather than at a renewal.
    return y
