"""What can only be read from front to back, written once to a temporary file."""

import tempfile
from collections.abc import Iterable

import numpy as np


def spooled(dataset) -> np.memmap:
    """Return the samples of a `tf.data.Dataset` of batches, x or (x, ...), as a memory map.

    Raises:
        ValueError: If the dataset is empty or endless, or its elements are no batches of one shape.
    """
    spec = dataset.element_spec
    is_tuple = isinstance(spec, tuple)
    spec = spec[0] if is_tuple else spec
    shape = getattr(spec, "shape", None)
    if shape is None or shape.rank is None or shape.rank < 2 or None in shape.as_list()[1:]:
        raise ValueError(
            "Expected a tf.data.Dataset of batches of shape (batch, ...), x or (x, ...); "
            f"`.batch(1024)` makes them. Received: elements {dataset.element_spec}"
        )
    if dataset.cardinality() == -1:  # tf.data.INFINITE_CARDINALITY
        raise ValueError("Expected a tf.data.Dataset that ends. Received: an endless one")
    batches = (batch[0] if is_tuple else batch for batch in dataset.as_numpy_iterator())
    return _as_memory_map(batches, shape.as_list()[1:], spec.dtype.as_numpy_dtype)


def _as_memory_map(batches: Iterable[np.ndarray], sample: list[int], dtype) -> np.memmap:
    """Write arrays (m, *sample) one after another, and return all as one memory map.

    The file has no name, so nothing is left of it once the map is gone, however the process ends.
    """
    n = 0
    with tempfile.TemporaryFile() as file:
        for batch in batches:
            file.write(np.ascontiguousarray(batch, dtype).reshape(-1).view(np.uint8))
            n += len(batch)
        if not n:
            raise ValueError("Expected samples in the tf.data.Dataset. Received: none")
        file.flush()
        return np.memmap(file, dtype, "r", shape=(n, *sample))
