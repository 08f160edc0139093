"""Checks of samples and labels that a model takes whole, before any work is done."""

import keras
import numpy as np

from kdec import metrics
from kdec.data import Shards, change_rows, least_and_greatest
from kdec.guards import as_array, refuse_forked_process
from kdec.models.arrays import check_array
from kdec.models.working_arrays import working_array

_PIECE = 2**26  # bytes of samples that are encoded at once


def check_samples(x, encoder: keras.Model) -> np.ndarray | Shards:
    """Return `x` as an array (n, ...) of the dtype that `encoder` takes.

    Images without the axis of their one channel get it. Samples on the disk stay there.

    Raises:
        TypeError: If `x` is no array, such as a generator or a sparse matrix.
        ValueError: If its shape does not fit the encoder, or it does not hold finite real numbers.
        RuntimeError: In a process that was forked after TensorFlow had started.
    """
    refuse_forked_process()
    x = Shards.of(x) or _in_memory(x)
    expected = encoder.input_shape[1:]
    shape = x.shape
    if x.ndim == len(expected) and expected[-1] == 1:
        shape = (*shape, 1)
    fits = len(shape) == len(expected) + 1 and all(
        size is None or size == received for size, received in zip(expected, shape[1:], strict=True)
    )
    if not fits or len(x) == 0:
        raise ValueError(
            f"Expected `x` of shape (n, {', '.join(map(str, expected))}) with n > 0. "
            f"Received: shape {x.shape}"
        )
    if x.dtype.kind not in "biuf":
        raise ValueError(f"Expected real numbers in `x`. Received: dtype {x.dtype}")
    dtype = encoder.inputs[0].dtype

    def as_taken(rows):
        return np.asarray(rows, dtype).reshape(len(rows), *shape[1:])

    x = change_rows(x, as_taken)
    if not np.isfinite(least_and_greatest(x)).all():
        raise ValueError("Expected finite values in `x`. Received: NaN or infinity among them.")
    return x


def encode(encoder: keras.Model, x: np.ndarray | Shards, batch_size: int) -> np.ndarray:
    """Return the codes of samples as an array (n, n_features), the same wherever they are.

    Of samples on the disk, codes of more than 256 MiB are a `np.memmap` of a temporary file.
    """
    if not isinstance(x, Shards):
        return encoder.predict(x, batch_size=batch_size, verbose=0)
    output = encoder.outputs[0]
    codes = working_array((len(x), output.shape[1]), output.dtype)
    # Whole batches, as those of all samples at once.
    rows = batch_size * max(1, _PIECE * len(x) // (x.nbytes * batch_size))
    for start in range(0, len(x), rows):
        piece = slice(start, start + rows)
        codes[piece] = encoder.predict(x[piece], batch_size=batch_size, verbose=0)
    return codes


def _in_memory(x):
    check_array(x)
    return as_array("x", x)


def check_labels(y, n: int) -> np.ndarray:
    """Return the labels `y` of n samples as an array; a ValueError if they are none."""
    y = as_array("y", y)
    if y.shape != (n,):
        raise ValueError(f"Expected `y` of shape ({n},), one label a sample. Received: {y.shape}")
    metrics.accuracy(y, y)  # An error now, for labels that are none, rather than at a renewal.
    return y
