"""Labels, and the change of the sums, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kdec.kmeans.assignment import assign_chunk
from kdec.kmeans.centroids import Sums, add


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("n_init", [1, 2])
def test_nearest_centers_and_the_sums_of_their_points(metric, n_init):
    rng = np.random.default_rng(0)
    n, d, k = 2500, 9, 60
    x, weight = rng.normal(size=(n, d)), rng.integers(0, 3, n).astype(float)

    def expected(centers):
        squares = (centers**2).sum(axis=2)[:, np.newaxis] * (metric == "euclidean")
        labels = (squares - 2 * x @ centers.swapaxes(1, 2)).argmin(axis=2)
        own = (labels[:, np.newaxis] == np.arange(k)[:, np.newaxis]).reshape(-1, n).astype(float)
        return labels, (own * weight @ x, own @ weight, own @ (weight > 0))

    labels = tf.fill([n_init, n], -1)
    sums = Sums(np.zeros((n_init * k, d)), np.zeros(n_init * k), np.zeros(n_init * k, np.int32))
    for _ in range(3):
        centers = rng.normal(size=(n_init, k, d))
        labels, change = assign_chunk(x, weight, labels, tf.constant(centers), metric)
        sums = add(sums, change)
        own, own_sums = expected(centers)
        np.testing.assert_array_equal(labels, own)
        for found, each in zip(sums, own_sums, strict=True):
            np.testing.assert_allclose(found, each, atol=1e-9)
