"""What Keras' `fit`, `evaluate` and `predict` are given for samples on the disk."""

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from kdec.data import Shards, change_rows

_BATCH = 32  # samples, where none is said, as in Keras


@contextlib.contextmanager
def in_batches(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Replace samples on the disk by a dataset of the batches that Keras would make of an array.

    Args:
        options: Arguments of `fit`, `evaluate` or `predict` by name, `x` among them, and those of
            `fit` with `shuffle`. Those with other samples pass as they are.

    Yields:
        The arguments to call Keras with.

    Raises:
        ValueError: If targets or weights are not as many as samples, or a share of the samples on
            the disk is to be split off.
    """
    x = options.get("x")
    # A dataset is none of them here: Keras takes its batches as they come.
    x = Shards.of(x) if hasattr(x, "shape") else None
    if x is None:
        yield options
        return
    if options.get("validation_split"):
        raise ValueError(
            "Expected `validation_data` for samples on the disk. "
            f"Received: validation_split={options['validation_split']}"
        )
    from kdec.row_batches import batches_of  # It loads TensorFlow.

    arrays = [_as_keras_reads(array) for array in _arrays(x, options)]
    if any(len(array) != len(x) for array in arrays):
        raise ValueError(
            f"Expected {len(x)} targets and weights, one a sample. "
            f"Received: {[len(array) for array in arrays[1:]]}"
        )
    steps = options.get("steps_per_epoch") or options.get("steps")
    batch_size = options.get("batch_size") or (math.ceil(len(x) / steps) if steps else _BATCH)
    given = {"x": batches_of(arrays, batch_size, options.get("shuffle", False))}
    if "shuffle" in options:
        given["shuffle"] = False  # The dataset is.
    replaced = ("x", "y", "sample_weight", "batch_size", "shuffle")
    yield {**{name: value for name, value in options.items() if name not in replaced}, **given}


def _arrays(x, options):
    """The samples, and their targets and weights if there are some."""
    y, weights = options.get("y"), options.get("sample_weight")
    if weights is not None:
        return [x, x if y is None else y, weights]
    return [x] if y is None else [x, y]


def _as_keras_reads(array):
    """An array whose floats are of Keras' type."""
    array = Shards.of(array) or np.asarray(array)
    if array.dtype.kind != "f" or array.dtype == keras.config.floatx():
        return array
    return change_rows(array, lambda rows: rows.astype(keras.config.floatx()))
