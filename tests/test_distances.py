"""Squared distances against SciPy, whole and in blocks, with their gradients and their memory."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from kdec.distances import squared_distances

# (points, centroids, features): whole, in blocks that fit, in blocks with a rest, one by one.
SHAPES = {"whole": (9, 64, 256), "even": (9, 128, 256), "rest": (9, 67, 300), "wide": (3, 5, 4000)}


def arrays(shape, dtype="float32", offset=0.0):
    n, k, d = shape
    generator = np.random.default_rng(0)
    points, centroids = generator.normal(size=(n, d)), generator.normal(size=(k, d))
    return (points + offset).astype(dtype), (centroids + offset).astype(dtype)


@pytest.mark.parametrize("offset", [0.0, 4096.0])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_distances_are_those_of_scipy_however_far_from_the_origin(shape, offset):
    points, centroids = arrays(shape, offset=offset)
    expected = cdist(points.astype("float64"), centroids.astype("float64"), "sqeuclidean")
    np.testing.assert_allclose(squared_distances(points, centroids), expected, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 4096.0])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradients_are_those_of_the_formula_however_far_from_the_origin(shape, offset):
    points, centroids = map(tf.constant, arrays(shape, offset=offset))
    weights = np.random.default_rng(1).normal(size=shape[:2]).astype("float32")

    @tf.function
    def gradients(points, centroids):
        with tf.GradientTape() as tape:
            tape.watch([points, centroids])
            total = tf.reduce_sum(weights * squared_distances(points, centroids))
        return tape.gradient(total, [points, centroids])

    differences = points.numpy().astype("float64")[:, None] - centroids.numpy().astype("float64")
    weighted = 2 * weights[..., None].astype("float64") * differences
    by_points, by_centroids = gradients(points, centroids)
    np.testing.assert_allclose(by_points, weighted.sum(axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_centroids, -weighted.sum(axis=0), rtol=1e-4, atol=1e-4)


def test_few_centroids_are_computed_as_before():
    points, centroids = map(tf.constant, arrays(SHAPES["whole"]))
    before = tf.reduce_sum(tf.square(tf.expand_dims(points, 1) - centroids), axis=-1)
    np.testing.assert_array_equal(squared_distances(points, centroids), before)


MEMORY = """
import keras, kdec, numpy as np
def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
x = np.random.default_rng(0).normal(size=(4096, 256)).astype("float32")
encoder = keras.Sequential([keras.Input((256,)), keras.layers.Dense(256)])
dec = kdec.DEC(encoder, 500)
dec.initialize(x, n_init=1, random_state=0)
start = peak()
dec.fit(x, max_steps=4, update_interval=2, tol=0.0, verbose=0)
print("MiB:", peak() - start)
"""


@pytest.mark.slow
def test_dec_of_many_wide_clusters_takes_little_memory(run_python):
    # Made whole, the differences of 2048 samples and 500 centroids alone take 1000 MiB.
    assert int(run_python(MEMORY).rpartition("MiB:")[2]) < 400
