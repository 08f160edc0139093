"""The targets of DEC's self-training."""

import keras
import numpy as np
from keras import ops

from kdec.guards import real_array
from kdec.workers import Workers

_ROWS_SUMMED = 2**20
_ROWS_SHARPENED = 2**14


def target_distribution(q):
    """Return the targets p that sharpen the soft assignments q.

    `p_ij = (q_ij^2 / f_j) / sum_j' (q_ij'^2 / f_j')`, with `f_j = sum_i q_ij`: confident
    assignments gain weight, and large clusters lose it.

    Args:
        q: Float array or tensor, (n, n_clusters), non-negative, rows summing to 1; all samples of
            the data set, since f is a sum over all of them.

    Returns:
        p, of the same shape, dtype and kind (NumPy array or backend tensor) as `q`.

    Raises:
        ValueError: If `q` is not two-dimensional, or an array of others than finite numbers of at
            least 0.

    Reference:
        Xie, Girshick, Farhadi, Unsupervised Deep Embedding for Clustering Analysis (2016), eq. 3.

    Example:
    >>> import kdec, numpy as np
    >>> q = np.array([[0.5, 0.5], [0.75, 0.25]])
    >>> kdec.target_distribution(q).round(3).tolist()
    [[0.375, 0.625], [0.844, 0.156]]
    """
    on_tensors = ops.is_tensor(q)
    if not on_tensors:
        q = real_array("q", q)
        q = q.astype("float64") if q.dtype.kind in "biu" else q
        if not (np.isfinite(q).all() and (q >= 0).all()):
            raise ValueError("Expected `q` to be finite, at least 0. Received: others among them.")
    if len(q.shape) != 2:
        raise ValueError(f"Expected `q` of shape (n, n_clusters). Received: shape {tuple(q.shape)}")
    backend, cast = (ops, ops.cast) if on_tensors else (np, np.ndarray.astype)
    dtype = q.dtype
    # Half precision does not hold sums over many samples.
    q = cast(q, keras.backend.result_type(dtype, "float32"))
    frequency = ops.sum(q, axis=0, keepdims=True) if on_tensors else frequencies(q)
    return cast(_sharpened(q, frequency, backend), dtype)


def sharpen(q: np.ndarray, workers: Workers) -> None:
    """Put the targets p in the place of the soft assignments q, part by part.

    Args:
        q: Float array (n, n_clusters) of at least single precision, in memory or mapped.
        workers: Each with assignments of its own samples; the targets follow from those of all.
    """
    frequency = workers.sum(frequencies(q))
    for start in range(0, len(q), _ROWS_SHARPENED):
        rows = slice(start, start + _ROWS_SHARPENED)
        q[rows] = _sharpened(q[rows], frequency, np)


def frequencies(q: np.ndarray) -> np.ndarray:
    """Return f, the sums (1, n_clusters) of the soft assignments q (n, n_clusters)."""
    # Single precision holds the sum of a million shares: of many more, each new one is lost.
    starts = range(0, len(q), _ROWS_SUMMED)
    sums = [q[start : start + _ROWS_SUMMED].sum(axis=0, keepdims=True) for start in starts]
    return np.sum(sums, axis=0, dtype="float64").astype(q.dtype)


def _sharpened(q, frequency, backend):
    # A cluster that no sample has any share in would divide 0 by 0.
    weight = q * (q / backend.maximum(frequency, np.finfo("float32").tiny))
    return weight / backend.sum(weight, axis=1, keepdims=True)
