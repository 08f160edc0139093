"""Arrays of numbers, and the files that NumPy makes: .npy and .npz."""

import contextlib
import logging
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from kdec.guards import refuse_bomb

_LOGGER = logging.getLogger("kdec")
_NOT_READABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, MemoryError)


def read_npy(path: Path) -> np.ndarray:
    """Read the one array of an .npy file, which may not need pickle.

    Raises:
        ValueError: If the file has no such array.
    """
    with path.open("rb") as file, reading(path):
        array = np.load(file, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("an archive of arrays; call it .npz")
        return array


def read_npz(path: Path, labels: str | None = None) -> tuple[Any, np.ndarray | None]:
    """Read samples and labels of an .npz file.

    Args:
        path: A file of `numpy.savez`, with the samples as ``x``, or alone, and labels as ``y`` if
            it has some; or one of `scipy.sparse.save_npz`.
        labels: Name of the array of labels. Defaults to ``y``, if there is one.

    Returns:
        The samples, an array or a sparse matrix, and the labels, or None.

    Raises:
        ValueError: If the file has no such arrays.
    """
    refuse_bomb(path)
    with path.open("rb") as file:
        with reading(path):
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("one array, no archive; call it .npy")
        if {"format", "shape", "data"} <= {*archive.files}:
            with reading(path):
                return _read_sparse(path), None
        x_name, y_name = _choose_arrays(archive.files, path.name, labels)
        with reading(path):
            return archive[x_name], None if y_name is None else archive[y_name]


@contextlib.contextmanager
def reading(path):
    """Turn what NumPy raises on a file that it cannot read into one ValueError that names it."""
    try:
        yield
    except _NOT_READABLE as error:
        what = str(error).strip().partition("\n")[0] or type(error).__name__
        if "pickle" in what:  # NumPy takes all that it does not know for that.
            what = "Python objects, or another kind of file"
        raise ValueError(
            f"Expected {path.name} to hold arrays of numbers that NumPy loads without pickle. "
            f"Received: {what}"
        ) from error


def _choose_arrays(names, origin, labels):
    if labels is not None and labels not in names:
        raise ValueError(
            f"Expected `labels` to be an array of {origin}: {', '.join(names)}. "
            f"Received: labels={labels!r}"
        )
    y_name = labels or ("y" if "y" in names and len(names) > 1 else None)
    others = [name for name in names if name != y_name]
    if "x" not in others and len(others) != 1:
        raise ValueError(
            f"Expected {origin} to hold one array, or the samples as x. "
            f"Received: arrays {', '.join(names) or 'none'}"
        )
    return "x" if "x" in others else others[0], y_name


def _read_sparse(path):
    import scipy.sparse

    matrix = scipy.sparse.load_npz(path)
    # SciPy's own code trusts the indices, and would read beyond the arrays.
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)
    return matrix


@dataclass(frozen=True)
class ArrayPreparation:
    """What `data.read` does to an array, fitted to the first one it saw.

    Attributes:
        shape: Shape of one sample, (d,), (height, width) or (height, width, channels).
        low: What becomes 0.
        high: What becomes 1.
        missing: What becomes of missing values, "median", "drop", or None for an error.
        filling: Medians of the values of a sample, or None where nothing is filled.
    """

    kind: ClassVar[str] = "array"
    columns: ClassVar[None] = None
    shape: tuple[int, ...]
    low: float
    high: float
    missing: str | None
    filling: tuple[float, ...] | None

    @classmethod
    def fit(cls, array: np.ndarray, origin: str, missing: str | None = None):
        """Fit to an array of shape (n, d) or (n, height, width[, channels]).

        Returns:
            The preparation, and an empty dict: nothing is left out.
        """
        _check_numbers(array, origin)
        low, high = _find_range(array, origin)
        filling = None
        if missing == "median":
            flat = array.reshape(len(array), -1)
            empty = np.flatnonzero(np.isnan(flat).all(axis=0))
            if len(empty):
                raise ValueError(
                    f"Expected a value in every column of {origin}. "
                    f"Received: none in column {empty[0]}"
                )
            filling = tuple(np.nanmedian(flat, axis=0).tolist())
        return cls(array.shape[1:], low, high, missing, filling), {}

    def apply(self, array: np.ndarray, origin: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the samples as float32, and which of the array they are, int64, (n,)."""
        _check_numbers(array, origin)
        if array.shape[1:] != self.shape:
            raise ValueError(
                f"Expected samples of shape {self.shape} in {origin}. Received: {array.shape[1:]}"
            )
        absent = np.isnan(array).reshape(len(array), -1)
        rows = np.arange(len(array))
        if absent.any():
            array, rows = self._without_gaps(array, absent, origin)
        if (self.low, self.high) != (0, 1):
            array = np.subtract(array, np.float32(self.low), dtype=np.float32)
            array /= np.float32(self.high - self.low)
        return np.asarray(array, np.float32), rows

    def _without_gaps(self, array, absent, origin):
        if self.missing is None:
            columns = np.flatnonzero(absent.any(axis=0))
            raise ValueError(
                f"Expected a value everywhere in {origin}. Received: {absent.sum()} missing, in "
                f"{len(columns)} columns, the first of them {columns[0]}; "
                'missing="median" fills them, missing="drop" leaves the rows out'
            )
        if self.missing == "median":
            if self.filling is None:
                raise ValueError(
                    f'Expected missing="drop" for {origin}, or a preparation of missing="median". '
                    'Received: missing="median", and a preparation without medians'
                )
            filling = np.reshape(self.filling, self.shape)
            return np.where(np.isnan(array), filling, array), np.arange(len(array))
        rows = np.flatnonzero(~absent.any(axis=1))
        if not len(rows):
            raise ValueError(f"Expected rows of {origin} without missing values. Received: none")
        return array[rows], rows

    def get_config(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold, for `data.preparation_from_config`."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ArrayPreparation":
        """Make it again from `get_config`."""
        filling = config["filling"] and tuple(config["filling"])
        return cls(**{**config, "shape": tuple(config["shape"]), "filling": filling})


def _check_numbers(array, origin):
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Expected {origin} to hold real numbers. Received: values of dtype {array.dtype}"
        )
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        raise ValueError(
            f"Expected {origin} to be of shape (n, d) or (n, height, width[, channels]). "
            f"Received: shape {array.shape}"
        )
    with np.errstate(over="ignore"):
        too_large = np.isinf(array.astype(np.float32, copy=False))
    if too_large.any():
        place = np.argwhere(too_large)[0]
        raise ValueError(
            f"Expected finite numbers within float32 in {origin}. "
            f"Received: {array[tuple(place)]} at {tuple(place.tolist())}"
        )


def _find_range(array, origin):
    """Return what becomes 0 and what becomes 1."""
    if array.dtype in (np.uint8, np.uint16):
        return 0.0, float(np.iinfo(array.dtype).max)
    if array.ndim == 2 or array.dtype == bool:
        return 0.0, 1.0
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    if (low >= 0 and high <= 1) or low == high:
        return 0.0, 1.0
    low = min(low, 0.0)
    _LOGGER.info("The images of %s are brought from [%g, %g] to [0, 1].", origin, low, high)
    return low, high
