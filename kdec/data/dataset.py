"""`Dataset`: samples, and all that is known about them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kdec.data.changed_rows import change_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their labels, as `load_data` and `data.read` return them.

    `load_data` fills the first four attributes, `data.read` the others too.

    Attributes:
        name: The name that `load_data` was given, or that of the file or folder.
        x: Samples, float32, shape (n, height, width) or (n, height, width, 3) for images, with
            values in [0, 1], and (n, d) for the others. `Shards` for what stays on the disk.
        y: Labels, int64, shape (n,), or None if there are none.
        sha256: Hexadecimal digest of the stored arrays, the bytes of x followed by those of y, for
            records of runs. In the sets of `load_data` images are stored as uint8, other samples as
            float32, and labels as uint8, wherever the file came from. Data of your own are digested
            as `x` and `y` are; of shards, size and both ends of each file.
        classes: What each value of `y` is called, or None without labels.
        columns: What each column of `x` is called, d strings, or None where they have no names.
        samples: What each sample is called, shape (n,): a file's path inside its folder, or a row's
            number in the file, from 0, or its index in the DataFrame.
        table: The rows of a table as they were read, n of them, with the columns that were left
            out, and without the labels. None for what is no table.
        left_out: Why each column or file that is not in `x` was left out, by its name.
        preparation: What makes the same columns of new rows, see `data.read`.
    """

    name: str
    x: np.ndarray
    y: np.ndarray | None
    sha256: str
    classes: Mapping[int, str] | None = None
    columns: tuple[str, ...] | None = None
    samples: np.ndarray | None = None
    table: "pd.DataFrame | None" = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    preparation: Any = None

    @property
    def flat(self) -> np.ndarray:
        """Samples as vectors: a view of `x` of shape (n, d), or `Shards` of it."""
        return change_rows(self.x, lambda rows: rows.reshape(len(rows), -1))

    @property
    def n_classes(self) -> int | None:
        """Number of distinct labels, or None without labels."""
        return None if self.y is None else len(np.unique(self.y))


def digest(x: np.ndarray, y: np.ndarray | None = None) -> str:
    """Return the sha256 of the bytes of x, followed by those of y."""
    sha256 = hashlib.sha256(np.ascontiguousarray(x))
    if y is not None:
        sha256.update(np.ascontiguousarray(y))
    return sha256.hexdigest()
