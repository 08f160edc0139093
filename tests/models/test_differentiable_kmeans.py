"""Differentiable k-means against NumPy, scikit-learn, finite differences and single runs."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import minmax_scale

import kdec
from kdec import DifferentiableKMeans, DifferentiableKMeansLayer
from kdec.models import TemperatureDecay
from kdec.models.temperature import temperature_of


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def blobs(rng):
    """Four well separated clusters in 3-D, 100 points each."""
    centers = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [0, 0, 6]])
    return (np.repeat(centers, 100, axis=0) + rng.normal(size=(400, 3))).astype("float32")


def layer_at(clusters, temperature=1.0, dtype="float64"):
    clusters = np.asarray(clusters)
    n_runs = len(clusters) if clusters.ndim == 3 else None
    layer = DifferentiableKMeansLayer(clusters.shape[-2], temperature, n_runs, dtype=dtype)
    layer.build((None, clusters.shape[-1]))
    layer.clusters.assign(clusters)
    return layer


def loss_at(clusters, x, temperature=1.0, dtype="float64"):
    layer = layer_at(clusters, temperature, dtype)
    layer(np.asarray(x, dtype))
    return float(layer.losses[0])


def reference(x, clusters, temperature):
    """Assignments and loss by the formulas, float64."""
    distances = ((x[:, None] - clusters) ** 2).sum(-1)
    weights = np.exp(-(distances - distances.min(1, keepdims=True)) / temperature)
    assignments = weights / weights.sum(1, keepdims=True)
    return assignments, (assignments * distances).sum(1).mean()


def test_assignments_and_loss_follow_the_formulas(rng):
    x, clusters = rng.normal(size=(7, 5)), rng.normal(size=(3, 5))
    layer = layer_at(clusters, temperature=0.7)
    assignments, loss = reference(x, clusters, 0.7)
    assert_allclose(layer(x), assignments, rtol=1e-12)
    assert_allclose(float(layer.losses[0]), loss, rtol=1e-12)


def test_loss_worked_by_hand():
    # Distances 1 and 4, exp(-1) : exp(-4) = 0.952574 : 0.047426; 0.952574 + 4 * 0.047426.
    assert loss_at([[0.0], [3.0]], [[1.0]]) == pytest.approx(1.142278, abs=1e-6)


def test_gradient_agrees_with_finite_differences(rng):
    import tensorflow as tf

    x, clusters = rng.normal(size=(6, 4)), rng.normal(size=(3, 4))
    layer = layer_at(clusters, temperature=0.8)
    inputs = tf.Variable(x)
    with tf.GradientTape() as tape:
        layer(inputs)
        loss = layer.losses[0]
    by_clusters, by_inputs = tape.gradient(loss, [layer.clusters.value, inputs])

    def differences(function, point, step=1e-6):
        result = np.empty_like(point)
        for index in np.ndindex(*point.shape):
            shift = np.zeros_like(point)
            shift[index] = step
            result[index] = (function(point + shift) - function(point - shift)) / (2 * step)
        return result

    expected = differences(lambda c: reference(x, c, 0.8)[1], clusters)
    assert_allclose(by_clusters, expected, rtol=1e-6, atol=1e-9)
    expected = differences(lambda points: reference(points, clusters, 0.8)[1], x)
    assert_allclose(by_inputs, expected, rtol=1e-6, atol=1e-9)


def test_loss_tends_to_the_inertia_of_kmeans_per_sample(rng):
    x = rng.normal(size=(500, 4))
    kmeans = KMeans(6, n_init=3, random_state=0).fit(x)
    inertia = kmeans.inertia_ / len(x)
    excess = [
        loss_at(kmeans.cluster_centers_, x, temperature) - inertia for temperature in (1, 0.1, 0.01)
    ]
    assert excess[0] > excess[1] > excess[2] > 0
    assert_allclose(loss_at(kmeans.cluster_centers_, x, 1e-5), inertia, rtol=1e-6)


def test_low_temperature_assigns_to_the_nearest_centroid(blobs):
    kmeans = KMeans(4, n_init=1, random_state=0).fit(blobs)
    assignments = layer_at(kmeans.cluster_centers_, 1e-6, "float32")(blobs)
    assert_array_equal(np.argmax(assignments, axis=1), kmeans.predict(blobs))


def test_distances_keep_their_digits_far_from_the_origin(rng):
    x, clusters = rng.normal(size=(50, 8)), rng.normal(size=(3, 8))
    x, clusters = (x + 1e3).astype("float32"), (clusters + 1e3).astype("float32")
    distances = layer_at(clusters, dtype="float32").squared_distances(x)
    expected = euclidean_distances(x.astype("float64"), clusters.astype("float64"), squared=True)
    assert_allclose(distances, expected, rtol=1e-5)


def test_half_precision_does_not_overflow(blobs):
    policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    layer = DifferentiableKMeansLayer(2, temperature=1e-8, dtype=policy)
    layer.build(blobs.shape)
    layer.clusters.assign(1000 * blobs[:2])
    assignments = layer(1000 * blobs)
    assert assignments.dtype == "float16"
    np.testing.assert_allclose(np.sum(assignments, axis=-1), 1)
    assert np.isfinite(layer.losses[0])


def test_runs_side_by_side_are_single_runs(rng):
    x, clusters = rng.normal(size=(9, 5)), rng.normal(size=(4, 3, 5))
    layer = layer_at(clusters, temperature=0.5)
    assignments = np.array(layer(x))
    assert assignments.shape == layer.compute_output_shape(x.shape) == (9, 4, 3)
    for run, single in enumerate(clusters):
        assert_allclose(assignments[:, run], reference(x, single, 0.5)[0], rtol=1e-12)
    losses = [reference(x, single, 0.5)[1] for single in clusters]
    assert_allclose(float(layer.losses[0]), sum(losses), rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_runs_together_gives_what_each_gives_alone(blobs, optimizer):
    starts = np.stack([blobs[[0, 100, 200, 300]], blobs[[0, 1, 2, 3]], blobs[[5, 150, 160, 390]]])

    def train(start, n_runs):
        model = DifferentiableKMeans(4, temperature=0.5, n_runs=n_runs)
        model.build((None, 3))
        model.clustering.clusters.assign(start)
        model.compile(optimizer)
        model.fit(blobs, epochs=3, shuffle=False, verbose=0)
        return model.clusters

    together = train(starts, 3)
    alone = np.stack([train(start, None) for start in starts])
    assert np.abs(together - starts).max() > 0.01
    assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


def test_training_finds_the_centers_of_separate_clusters(blobs):
    model = DifferentiableKMeans(4, temperature=0.5)
    model.build((None, 3))
    model.clustering.clusters.assign(blobs[[0, 100, 200, 300]])
    model.compile(keras.optimizers.SGD(0.5))
    model.fit(blobs, epochs=60, batch_size=400, verbose=0)
    expected = KMeans(4, init=blobs[[0, 100, 200, 300]], n_init=1).fit(blobs).cluster_centers_
    assert_allclose(model.clusters, expected, atol=0.05)


def test_initialize_takes_distinct_samples_for_each_run(blobs):
    model = DifferentiableKMeans(4, n_runs=5)
    model.initialize(blobs, random_state=0)
    first = model.clusters
    distances = euclidean_distances(first.reshape(-1, 3), blobs)
    chosen = distances.argmin(axis=1).reshape(5, 4)
    assert_allclose(blobs[chosen], first)
    assert all(len(set(run)) == 4 for run in chosen)
    assert len({tuple(run) for run in chosen}) == 5
    model.initialize(blobs, random_state=0)
    assert_array_equal(model.clusters, first)


def test_encoder_trains_with_the_centroids(blobs):
    encoder = kdec.autoencoders.dense((3, 8, 2), seed=0).encoder
    model = DifferentiableKMeans(4, encoder, temperature=0.1)
    model.initialize(blobs, random_state=0)
    start = [*encoder.get_weights(), model.clusters]
    model.compile("adam")
    losses = model.fit(blobs, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    end = [*encoder.get_weights(), model.clusters]
    assert all(np.any(before != after) for before, after in zip(start, end, strict=True))
    assert model.predict(blobs, verbose=0).shape == (400, 4)


def test_layer_adds_its_loss_to_that_of_a_larger_model(blobs):
    autoencoder = kdec.autoencoders.dense((3, 8, 2), seed=0)
    inputs = keras.Input((3,))
    embedding = autoencoder.encoder(inputs)
    layer = DifferentiableKMeansLayer(4, temperature=0.1)
    model = keras.Model(inputs, [autoencoder.decoder(embedding), layer(embedding)])
    model.compile("adam", loss=["mse", None])
    reconstructions, _ = model.predict(blobs, verbose=0)
    total = model.evaluate(blobs, [blobs, None], batch_size=400, verbose=0, return_dict=True)
    mse = np.mean((reconstructions - blobs) ** 2)
    clustering = loss_at(layer.clusters.numpy(), autoencoder.encoder(blobs), 0.1, "float32")
    assert clustering > 0.01 * mse
    assert total["loss"] == pytest.approx(mse + clustering, rel=1e-4)


@pytest.mark.parametrize("n_runs", [None, 3])
def test_saved_model_predicts_the_same_and_trains_on(blobs, tmp_path, n_runs):
    encoder = kdec.autoencoders.dense((3, 4, 2), seed=0).encoder
    for part in (None, encoder):
        model = DifferentiableKMeans(4, part, temperature=2.0, n_runs=n_runs)
        model.initialize(blobs, random_state=0)
        model.compile("adam")
        model.fit(blobs, epochs=1, callbacks=[TemperatureDecay(0.5, 0.5, 1)], verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert float(loaded.clustering.temperature) == 0.5
        assert loaded.n_runs == n_runs
        assert loaded.get_config()["temperature"] == 2.0
        assert_array_equal(loaded.predict(blobs, verbose=0), model.predict(blobs, verbose=0))
        loaded.fit(blobs, epochs=1, verbose=0)


def test_temperature_falls_by_the_same_factor_each_epoch(blobs):
    model = DifferentiableKMeans(4)
    model.initialize(blobs, random_state=0)
    model.compile("sgd")
    seen = []
    spy = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(float(model.clustering.temperature))
    )
    history = model.fit(blobs, epochs=4, callbacks=[TemperatureDecay(8, 1, 4), spy], verbose=0)
    assert_allclose(seen, [8, 4, 2, 1])
    assert_allclose(history.history["temperature"], [8, 4, 2, 1])


def test_resumed_training_goes_on_with_the_temperature_of_its_epoch(blobs):
    model = DifferentiableKMeans(4)
    model.initialize(blobs, random_state=0)
    model.compile("sgd")
    decay = TemperatureDecay(8, 1, 4)
    history = model.fit(blobs, epochs=4, initial_epoch=2, callbacks=[decay], verbose=0)
    assert_allclose(history.history["temperature"], [2, 1])


def test_temperature_decay_needs_a_layer_with_a_temperature(blobs):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match=r"Expected a model with a Diff.*Received.*Dense"):
        model.fit(blobs, blobs[:, :1], callbacks=[TemperatureDecay(1, 0.1, 2)], verbose=0)


def test_temperature_decay_needs_centroids(blobs):
    class OwnModel(keras.Model):
        def __init__(self):
            super().__init__()
            self.clustering = DifferentiableKMeansLayer(3)

        def call(self, inputs):
            return self.clustering(inputs)

    model = OwnModel()
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"Expected a model with centroids: call its `initialize"):
        model.fit(blobs, callbacks=[TemperatureDecay(1, 0.1, 2)], verbose=0)


def train(x, n_clusters, optimizer, epochs, **options):
    model = DifferentiableKMeans(n_clusters, **options)
    model.initialize(x, random_state=0)
    model.compile(optimizer)
    model.fit(x, epochs=epochs, batch_size=max(32, len(x) // 8), shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits])
def test_default_temperature_is_as_good_as_kmeans_on_data_of_0_to_1(load):
    x, y = load(return_X_y=True)
    x, k = minmax_scale(x).astype("float32"), len(set(y))
    generator = np.random.default_rng(0)
    x = x[generator.permutation(len(x))]
    model = train(x, k, keras.optimizers.Adam(0.02), epochs=25, n_runs=8)
    found = []
    for labels in model.predict(x, batch_size=2000, verbose=0).argmax(axis=-1).T:
        means = [x[labels == label].mean(axis=0) for label in range(k)]
        found.append(np.square(x - np.stack(means)[labels]).sum())
    starts = [x[generator.permutation(len(x))[:k]] for _ in range(16)]
    expected = [KMeans(k, init=start, n_init=1).fit(x).inertia_ for start in starts]
    assert min(found) < 1.01 * min(expected)
    assert max(found) < 1.1 * max(expected)


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_other_units_change_no_assignment(scale, blobs):
    model = train(blobs, 4, keras.optimizers.SGD(0.5), epochs=3)
    assert model.predict(blobs, verbose=0).max(axis=1).mean() > 0.9
    scaled = train(scale * blobs, 4, keras.optimizers.SGD(0.5), epochs=3)
    assert_allclose(
        scaled.clustering.temperature, scale**2 * float(model.clustering.temperature), rtol=1e-5
    )
    assert_allclose(scaled.clusters, scale * model.clusters, rtol=1e-3, atol=1e-3 * scale)
    expected = model.predict(blobs, verbose=0)
    assert_allclose(scaled.predict(scale * blobs, verbose=0), expected, atol=1e-3)


def test_default_temperature_is_a_tenth_of_the_gap_to_the_second_nearest_centroid(blobs):
    model = DifferentiableKMeans(4)
    model.initialize(blobs, random_state=0)
    distances = np.sort(euclidean_distances(blobs, model.clusters, squared=True), axis=1)
    gap = (distances[:, 1] - distances[:, 0]).mean()
    # The four samples that are centroids are in it twice.
    assert_allclose(model.clustering.temperature, gap / 10, rtol=0.02)


def test_default_temperature_is_saved_and_stays(blobs, tmp_path):
    model = train(blobs, 4, "sgd", epochs=1)
    temperature = float(model.clustering.temperature)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config()["temperature"] is None
    loaded.fit(100 * blobs, verbose=0)
    assert float(loaded.clustering.temperature) == temperature > 0


def test_first_training_batch_fixes_the_temperature_of_a_layer(blobs):
    layer = DifferentiableKMeansLayer(4)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd")
    layer.clusters.assign(blobs[:4])
    before = model.predict(blobs, batch_size=400, verbose=0)
    assert float(layer.temperature) == 0
    model.fit(blobs, batch_size=400, shuffle=False, verbose=0)
    expected = float(temperature_of(blobs, 4))
    assert_allclose(layer.temperature, expected, rtol=1e-6)
    assert_allclose(before, reference(blobs, blobs[:4], expected)[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "n_clusters", "expected"),
    [
        ([[1.0], [3.0]], 1, 0.1),  # a tenth of the variance
        ([[1.0], [1.0], [3.0], [3.0]], 2, 0.1),
        ([[2.0], [2.0]], 2, 1.0),
        ([[1.0]], 3, 1.0),
    ],
    ids=["one cluster", "equal first samples", "equal samples", "one sample"],
)
def test_temperature_without_a_gap(x, n_clusters, expected):
    assert float(temperature_of(np.array(x), n_clusters)) == pytest.approx(expected)


@pytest.mark.parametrize("n_runs", [None, 2])
def test_collapse_is_warned_of(n_runs, blobs, caplog):
    model = train(blobs, 4, keras.optimizers.SGD(0.5), epochs=40, temperature=1e4, n_runs=n_runs)
    assert_allclose(model.predict(blobs, verbose=0), 0.25, atol=1e-3)
    runs = r" in 2 of 2 runs" if n_runs else ""
    (warning,) = caplog.messages
    assert warning.startswith(f"The centroids have collapsed{runs}: they are equal")
    assert "A `temperature` below 1e+04 keeps them apart" in warning


def test_one_cluster_is_no_collapse(blobs, caplog):
    train(blobs, 1, "sgd", epochs=1)
    assert not caplog.messages


@pytest.mark.parametrize("is_built", [False, True])
def test_fit_places_the_centroids_where_that_has_not_been_done(is_built, blobs):
    models = [DifferentiableKMeans(4), DifferentiableKMeans(4)]
    for model in models:
        if is_built:
            model.build((None, 3))
            assert_array_equal(model.clusters, 0)
        model.compile(keras.optimizers.Adam(0.1))
        keras.utils.set_random_seed(3)
        model.fit(blobs + 100, verbose=0)
        assert_allclose(model.clusters, 100, atol=12)
    assert_array_equal(models[0].clusters, models[1].clusters)


def test_fit_keeps_centroids_that_were_placed_by_hand(blobs):
    model = DifferentiableKMeans(2)
    model.build((None, 3))
    model.clustering.clusters.assign([[50, 0, 0], [90, 0, 0]])
    model.compile(keras.optimizers.SGD(1e-9))
    model.fit(blobs, verbose=0)
    assert_allclose(model.clusters, [[50, 0, 0], [90, 0, 0]], atol=1e-3)


def test_centroids_placed_at_zero_stay_through_saving(tmp_path):
    model = DifferentiableKMeans(2)
    model.initialize(np.zeros((4, 3)), random_state=0)
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    model.compile("sgd")
    batches = [(np.ones((2, 3), "float32"),)]
    model.fit((batch for batch in batches), verbose=0)  # no word that none are placed
    assert model.placement.is_made(model.clustering.clusters)


def test_encoder_that_has_collapsed_is_named(blobs):
    encoder = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="zeros")]
    )
    model = DifferentiableKMeans(4, encoder)
    with pytest.raises(
        ValueError, match=r"embeddings that differ\. Received: 4 equal ones\. Either"
    ):
        model.initialize(blobs, random_state=0)
    assert not model.placement.is_made(model.clustering.clusters)


def test_dataset_needs_placed_centroids(blobs):
    import tensorflow as tf

    model = DifferentiableKMeans(4)
    model.compile("adam")
    batches = tf.data.Dataset.from_tensor_slices(blobs).batch(32)
    with pytest.raises(ValueError, match="call `initialize` on an array of samples first"):
        model.fit(batches, verbose=0)
    model.initialize(blobs, random_state=0)
    assert len(model.fit(batches, verbose=0).history["loss"]) == 1


def test_clusters_of_a_model_that_is_not_built_are_an_error():
    with pytest.raises(ValueError, match="Expected a model with centroids"):
        _ = DifferentiableKMeans(3).clusters


@pytest.mark.parametrize("options", [{"loss": "mse"}, {"metrics": ["mse"]}])
def test_another_loss_or_metric_is_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"Expected no `{name}`: the loss is the model's own"):
        DifferentiableKMeans(3).compile("adam", **options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_clusters": 0}, r"Expected `n_clusters` to be a positive int.*Received: n_clusters=0"),
        ({"n_clusters": True}, "Expected `n_clusters`"),
        ({"n_clusters": 2.0}, "Expected `n_clusters`"),
        ({"n_clusters": 2, "temperature": 0}, "Expected `temperature` to be positive"),
        ({"n_clusters": 2, "temperature": float("inf")}, "positive and finite"),
        ({"n_clusters": 2, "temperature": float("nan")}, "Expected `temperature`"),
        ({"n_clusters": 2, "temperature": "1"}, "Expected `temperature`"),
        ({"n_clusters": 2, "n_runs": 0}, "Expected `n_runs` to be a positive int"),
    ],
)
@pytest.mark.parametrize("made", [DifferentiableKMeansLayer, DifferentiableKMeans])
def test_wrong_arguments_are_refused(made, arguments, message):
    with pytest.raises(ValueError, match=message):
        made(**arguments)


def test_wrong_encoder_is_refused():
    with pytest.raises(TypeError, match="Expected `encoder` to be a keras"):
        DifferentiableKMeans(2, encoder=lambda x: x)
    with pytest.raises(ValueError, match="Expected `encoder` to be built"):
        DifferentiableKMeans(2, encoder=keras.Sequential([keras.layers.Dense(2)]))
    images = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"embedding of shape.*\(None, 2, 2, 2\)"):
        DifferentiableKMeans(2, encoder=images)


def test_wrong_input_is_refused(blobs):
    with pytest.raises(ValueError, match=r"Expected input of shape \(batch, n_features\)"):
        DifferentiableKMeansLayer(2).build((None, 3, 3))
    with pytest.raises(ValueError, match=r"Expected at least 4 samples.*Received: shape \(3, "):
        DifferentiableKMeans(4).initialize(blobs[:3])
    model = DifferentiableKMeans(2)
    model.initialize(blobs, random_state=0)
    for wrong in (np.full_like(blobs, np.nan), blobs[:, :1]):
        with pytest.raises(ValueError, match=rf"finite samples of {blobs.shape[1]} features"):
            model.initialize(wrong)
    for dtype in (object, str, complex):
        with pytest.raises(ValueError, match=r"Expected real numbers in `x`\. Received: dtype"):
            model.initialize(blobs.astype(dtype))
    with pytest.raises(ValueError, match="Expected `n_epochs` to be a positive int"):
        TemperatureDecay(1.0, 0.1, n_epochs=0)
    with pytest.raises(ValueError, match="Expected `final` to be positive"):
        TemperatureDecay(1.0, 0.0, n_epochs=3)
