"""Sparse matrices, such as word counts or TF-IDF, as few dense columns."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
from sklearn.decomposition import TruncatedSVD

_LOGGER = logging.getLogger("kdec")
_N_COMPONENTS = 100  # what scikit-learn recommends for latent semantic analysis


@dataclass(frozen=True, eq=False)
class SparsePreparation:
    """What `data.read` does to a sparse matrix, fitted to the first one it saw.

    Attributes:
        components: Right singular vectors, float64, (k, d).
    """

    kind: ClassVar[str] = "sparse"
    components: np.ndarray

    @classmethod
    def fit(cls, matrix, origin: str, seed: int = 0):
        """Fit to a sparse matrix of shape (n, d).

        Returns:
            The preparation, and an empty dict: nothing is left out.
        """
        matrix = _checked(matrix, origin)
        n_components = min(_N_COMPONENTS, *matrix.shape)
        svd = TruncatedSVD(n_components, random_state=seed).fit(matrix)
        _LOGGER.info(
            "%s: %d sparse columns reduced to %d by TruncatedSVD, with %.0f %% of the variance.",
            *(origin, matrix.shape[1], n_components, 100 * svd.explained_variance_ratio_.sum()),
        )
        return cls(svd.components_), {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of x."""
        return tuple(f"component {index}" for index in range(len(self.components)))

    def apply(self, matrix, origin: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows as float32, (n, k), and which of the matrix they are, int64, (n,)."""
        matrix = _checked(matrix, origin)
        if matrix.shape[1] != self.components.shape[1]:
            raise ValueError(
                f"Expected {origin} to have {self.components.shape[1]} columns. "
                f"Received: {matrix.shape[1]}"
            )
        return (matrix @ self.components.T).astype(np.float32), np.arange(matrix.shape[0])

    def get_config(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold, for `data.preparation_from_config`."""
        return {"kind": self.kind, "components": self.components.tolist()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SparsePreparation":
        """Make it again from `get_config`."""
        return cls(np.array(config["components"]))


def _checked(matrix, origin):
    """Return the matrix by rows, in float64."""
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"Expected {origin} to hold real numbers. Received: dtype {matrix.dtype}")
    matrix = scipy.sparse.csr_array(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.nnz == 0:
        raise ValueError(
            f"Expected {origin} to be of shape (n, d), with values. "
            f"Received: shape {matrix.shape}, {matrix.nnz} values"
        )
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"Expected finite numbers in {origin}. Received: infinite or missing ones")
    return matrix
