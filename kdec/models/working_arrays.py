"""Arrays to work on: in memory, or in a temporary file when they are large."""

import math
import os
import tempfile

import numpy as np

MOST_IN_MEMORY = 2**28  # bytes


def working_array(shape: tuple[int, ...], dtype) -> np.ndarray:
    """Return an array without values, in memory up to 256 MiB, above as a map of a file.

    The file has no name, and goes with the last reference to it; `tempfile` says in
    which folder. Its pages in memory go to the disk whenever the system needs the room.

    Raises:
        OSError: If the disk has no room for it.

    Example:
    >>> from kdec.models.working_arrays import working_array
    >>> type(working_array((3, 2), "float32")).__name__
    'ndarray'
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= MOST_IN_MEMORY:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            # Else the process would end where a full disk has no room for a page.
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return np.memmap(file, dtype, "r+", shape=shape)
