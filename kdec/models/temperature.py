"""The temperature of soft k-means: what it may be, and the one that follows from the samples."""

import math
from numbers import Real

from keras import ops

from kdec.distances import expanded_squared_distances

_SHARE = 0.1  # of the mean gap; Iris, wine and digits lose clusters above 0.25


def check_temperature(name: str, value) -> None:
    """Raise a ValueError unless `value`, given as the argument `name`, is positive and finite."""
    if not isinstance(value, Real) or not 0 < value < math.inf:
        raise ValueError(f"Expected `{name}` to be positive and finite. Received: {name}={value!r}")


def temperature_of(z, n_clusters: int):
    """Return a temperature that suits samples, in their squared units.

    It is a tenth of the mean gap: of how much further, in squared distance, a sample is from the
    second nearest of the first `n_clusters` samples than from the nearest. Unlike the distances
    themselves, the gap does not grow with noise that all samples have, and it shrinks as more
    clusters share the same space.

    Args:
        z: Float tensor (n, n_features), samples in random order.
        n_clusters: Positive int.

    Returns:
        Positive scalar tensor of the same dtype. Samples without any gap, as with one cluster or
        many equal samples, have a tenth of their variance instead, and equal ones 1.

    Example:
    >>> import numpy as np
    >>> from kdec.models.temperature import temperature_of
    >>> gaps = [100 - 0, 100 - 0, 64 - 4]
    >>> float(temperature_of(np.array([[0.0], [10.0], [2.0]]), n_clusters=2)), sum(gaps) / 30
    (8.666666666666668, 8.666666666666666)
    """
    z = ops.convert_to_tensor(z)
    distances = expanded_squared_distances(z, z[:n_clusters])
    two_nearest = ops.sort(distances, axis=1)[:, :2]
    gap = ops.mean(two_nearest[:, -1] - two_nearest[:, 0])
    gap = ops.where(gap > 0, gap, ops.sum(ops.var(z, axis=0)))
    return ops.where(gap > 0, _SHARE * gap, ops.ones_like(gap))
