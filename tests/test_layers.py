"""ClusteringLayer against the formula of the paper in NumPy, float64."""

import keras
import numpy as np
import pytest

from kdec.layers import ClusteringLayer


def student_t(z, mu, alpha):
    """Equation 1 of the DEC paper, as it stands there."""
    squared = ((z[:, None, :].astype(np.float64) - mu[None].astype(np.float64)) ** 2).sum(-1)
    similarity = (1 + squared / alpha) ** (-(alpha + 1) / 2)
    return similarity / similarity.sum(axis=1, keepdims=True)


def layer_with(centroids, **arguments):
    layer = ClusteringLayer(len(centroids), **arguments)
    layer.build((None, centroids.shape[1]))
    layer.clusters.assign(centroids)
    return layer


def output(layer, z):
    return keras.ops.convert_to_numpy(layer(z))


@pytest.fixture
def points():
    generator = np.random.default_rng(0)
    return generator.normal(size=(40, 6)) * 3, generator.normal(size=(4, 6))


@pytest.mark.parametrize("alpha", [0.5, 1, 3])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-12), ("float32", 1e-5)])
def test_assignments_are_those_of_the_formula(points, alpha, dtype, rtol):
    z, mu = (array.astype(dtype) for array in points)
    q = output(layer_with(mu, alpha=alpha, dtype=dtype), z)
    assert q.dtype == dtype
    np.testing.assert_allclose(q, student_t(z, mu, alpha), rtol=rtol)


def test_hand_worked_assignment():
    # Squared distances 0 and 3 give similarities 1 and 1/4 at alpha 1.
    q = output(layer_with(np.array([[0.0, 0, 0], [1, 1, 1]])), np.zeros((1, 3)))
    np.testing.assert_allclose(q, [[0.8, 0.2]], rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 1, 3, 100])
@pytest.mark.parametrize("distance", [1e3, 1e8, 1e15])
def test_rows_far_from_every_centroid_still_sum_to_one(alpha, distance):
    mu = np.array([[0.0, 1], [1, 0], [1, 1]])
    q = output(layer_with(mu, alpha=alpha), np.full((2, 2), distance, "float32"))
    np.testing.assert_allclose(q, np.full((2, 3), 1 / 3), rtol=0.05)
    np.testing.assert_allclose(q.sum(axis=1), 1, rtol=1e-6)


def test_cluster_far_from_the_origin_loses_no_digits():
    mu = np.array([[4096.0, 0], [4097, 0]])
    q = output(layer_with(mu), np.array([[4096.25, 0]], "float32"))
    np.testing.assert_allclose(q, student_t(np.array([[0.25, 0]]), mu - [4096, 0], 1), rtol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_neither_overflows_nor_changes_the_weights_type(policy):
    mu = np.array([[0.0, 0], [1000, 0]])
    layer = layer_with(mu, dtype=policy)
    q = np.asarray(layer(np.array([[400.0, 0]], "float32")), "float32")
    assert keras.backend.standardize_dtype(layer.clusters.dtype) == "float32"
    assert layer.compute_dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(q, student_t(np.array([[400.0, 0]]), mu, 1), rtol=1e-2)


@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_one_cluster_takes_everything(points):
    q = output(layer_with(points[1][:1]), points[0])
    np.testing.assert_allclose(q, np.ones((40, 1)), rtol=1e-6)


def test_config_rebuilds_the_layer_with_its_alpha():
    layer = ClusteringLayer(3, alpha=0.5, name="soft", dtype="float64")
    copy = ClusteringLayer.from_config(layer.get_config())
    assert (copy.n_clusters, copy.alpha, copy.name) == (3, 0.5, "soft")
    assert copy.dtype_policy == layer.dtype_policy


def test_layer_in_a_saved_model_keeps_alpha_and_centroids(tmp_path, points):
    z, mu = (array.astype("float32") for array in points)
    model = keras.Sequential([keras.Input((6,)), ClusteringLayer(4, alpha=3)])
    model.layers[0].clusters.assign(mu)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [weight.name for weight in loaded.weights] == ["clusters"]
    np.testing.assert_allclose(loaded.predict(z, verbose=0), student_t(z, mu, 3), rtol=1e-5)


@pytest.mark.parametrize("n_clusters", [0, -1, 2.0, True, "2", None])
def test_number_of_clusters_that_is_no_positive_int_is_rejected(n_clusters):
    with pytest.raises(ValueError, match=r"`n_clusters` to be a positive int\. Received: n_cl"):
        ClusteringLayer(n_clusters)


def test_number_of_clusters_may_be_a_numpy_int():
    config = ClusteringLayer(np.int64(3)).get_config()
    assert type(config["n_clusters"]) is int


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), float("inf"), None, "1"])
def test_alpha_that_is_not_positive_and_finite_is_rejected(alpha):
    with pytest.raises(ValueError, match=r"`alpha` to be positive and finite\. Received: alpha="):
        ClusteringLayer(2, alpha=alpha)


@pytest.mark.parametrize("shape", [(None, 2, 3), (None,), (None, None)])
def test_input_that_is_not_a_matrix_of_known_width_is_rejected(shape):
    with pytest.raises(ValueError, match=r"\(batch, n_features\).*Received: input_shape=\(None,"):
        ClusteringLayer(2).build(shape)


def test_input_of_another_width_is_rejected(points):
    with pytest.raises(ValueError, match="incompatible with the layer"):
        layer_with(points[1])(np.zeros((2, 5)))
