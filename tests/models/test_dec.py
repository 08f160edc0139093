"""DEC as a Keras model: its stop rule, what it logs, that it goes on exactly, what it refuses."""

import csv
from contextlib import nullcontext

import keras
import numpy as np
import pytest
import sklearn.cluster
import sklearn.metrics
import tensorflow as tf
from interrupts import Kill
from small_models import convolutional

from kdec import metrics
from kdec.autoencoders import Autoencoder, dense
from kdec.models.dec import DEC
from kdec.views import RandomNoise


@pytest.fixture
def data():
    """Sixty points in 5-D around three centres, and the names of these."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    x = generator.normal(size=(60, 5)) + 2.5 * generator.normal(size=(3, 5))[labels]
    return x.astype("float32"), np.array(["red", "green", "blue"])[labels]


def new_dec(**arguments):
    return DEC(dense((5, 8, 2), seed=0), 3, **arguments)


def placed_dec(x, optimizer=None, **arguments):
    """A DEC with a sample of each group as centroids, which takes no time to place."""
    dec = new_dec(**arguments)
    dec.clustering.clusters.assign(dec.encoder(x[:3]))
    dec.compile(optimizer)
    return dec


def fit(dec, x, y=None, **options):
    options = {"batch_size": 16, "update_interval": 5, "tol": -1, "verbose": 0, **options}
    return dec.fit(x, y, **options)


def state(dec):
    """All that training changes: weights, step, optimizer."""
    variables = [*dec.weights, *dec.optimizer.variables]
    return [np.asarray(variable) for variable in variables]


def assert_same_state(dec, other):
    for array, same in zip(state(dec), state(other), strict=True):
        np.testing.assert_array_equal(array, same)


def test_initialize_places_the_centroids_of_kmeans_on_the_embedding(data):
    x, _ = data
    dec = new_dec()
    labels = dec.initialize(x, random_state=0)
    embedding = dec.encoder.predict(x, verbose=0)
    reference = sklearn.cluster.KMeans(3, n_init=20, random_state=0).fit(embedding)
    assert metrics.accuracy(reference.labels_, labels) == 1
    order = np.argsort(reference.cluster_centers_[:, 0])
    expected = reference.cluster_centers_[order]
    np.testing.assert_allclose(dec.clusters[np.argsort(dec.clusters[:, 0])], expected, rtol=1e-4)
    np.testing.assert_array_equal(dec.predict(x, verbose=0).argmax(axis=1), labels)


def test_predict_gives_soft_assignments(data):
    x, _ = data
    dec = placed_dec(x, alpha=2.0)
    z = dec.encoder.predict(x, verbose=0).astype("float64")
    squared = ((z[:, None] - dec.clusters[None]) ** 2).sum(-1)
    q = (1 + squared / 2) ** -1.5
    np.testing.assert_allclose(dec.predict(x, verbose=0), q / q.sum(1, keepdims=True), rtol=1e-4)
    np.testing.assert_allclose(dec(x), dec.predict(x, verbose=0), rtol=1e-5)


def test_attributes(data):
    dec = new_dec(alpha=2)
    assert dec.encoder is dec.autoencoder.encoder
    assert dec.decoder is dec.autoencoder.decoder
    assert (dec.n_clusters, dec.alpha) == (3, 2.0)
    assert dec.clusters.shape == (3, 2)


def test_history_has_one_entry_a_renewal_with_figures_that_scikit_learn_confirms(data):
    x, y = data
    dec = placed_dec(x)
    before = dec.predict(x, verbose=0).argmax(axis=1)
    history = fit(dec, x, y, max_steps=5).history
    after = dec.predict(x, verbose=0).argmax(axis=1)
    assert sorted(history) == ["acc", "ari", "delta_label", "loss", "nmi"]
    assert history["delta_label"] == [np.mean(before != after)]
    nmi = sklearn.metrics.normalized_mutual_info_score(y, after)
    ari = sklearn.metrics.adjusted_rand_score(y, after)
    assert history["nmi"] == [pytest.approx(nmi)]
    assert history["ari"] == [pytest.approx(ari)]
    assert history["acc"] == [metrics.accuracy(y, after)]


def test_history_without_labels_and_with_reconstruction(data):
    x, _ = data
    assert sorted(fit(placed_dec(x), x, max_steps=1).history) == ["delta_label", "loss"]
    dec = placed_dec(x, reconstruction_weight=1.0)
    history = fit(dec, x, max_steps=1).history
    expected = ["clustering_loss", "delta_label", "loss", "reconstruction_loss"]
    assert sorted(history) == expected


def test_labels_that_change_show_in_delta_label(data):
    x, _ = data

    class MoveCentroid(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            # Nearer than any other centroid to every sample.
            self.model.clustering.clusters.assign([[0.0, 0], [1e6, 0], [1e6, 1]])

    dec = placed_dec(x, keras.optimizers.SGD(0.0))
    labels = dec.predict(x, verbose=0).argmax(axis=1)
    history = fit(dec, x, max_steps=10, callbacks=[MoveCentroid()]).history
    assert history["delta_label"] == [np.mean(labels != 0), 0.0]


def test_training_takes_views_and_the_targets_of_the_samples_as_they_are(data):
    x, _ = data
    seen = []

    class Recorded(keras.layers.Layer):
        def call(self, inputs, training=False):
            tf.py_function(lambda rows: seen.append(rows.numpy()), [inputs], [])
            return inputs if training else 0 * inputs

    plain, viewed = placed_dec(x), placed_dec(x, views=Recorded())
    before = viewed.predict(x, verbose=0)
    np.testing.assert_array_equal(before, plain.predict(x, verbose=0))
    assert not seen
    histories = [fit(dec, x, max_steps=8).history for dec in (plain, viewed)]
    assert histories[0] == histories[1]
    assert_same_state(plain, viewed)
    # 60 samples in batches of 16: two passes, each of all of them.
    np.testing.assert_array_equal(np.sort(np.concatenate(seen[:4]), axis=0), np.sort(x, axis=0))


def test_reconstruction_is_of_the_view(data):
    x, _ = data
    dec = placed_dec(x, views=RandomNoise(0.5, seed=0), reconstruction_weight=1.0)
    losses = dec.losses_on_rows(tf.constant(x), dec(x))
    view = RandomNoise(0.5, seed=0)(x, training=True)
    expected = np.mean((np.asarray(dec.autoencoder(view)) - np.asarray(view)) ** 2)
    np.testing.assert_allclose(losses["reconstruction_loss"], expected, rtol=1e-5)


def test_views_that_are_no_layer_are_an_error():
    with pytest.raises(TypeError, match="Expected `views` to be a Keras layer or None"):
        new_dec(views=np.flip)


def test_training_on_views_resumed_after_kills_ends_as_one_that_never_stopped(data, tmp_path):
    x, _ = data
    whole = placed_dec(x, views=RandomNoise(0.2, seed=3))
    fit(whole, x, max_steps=18)
    for kill in ([Kill(1)], [Kill(3)], []):
        resumed = placed_dec(x, views=RandomNoise(0.2, seed=3))
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        with pytest.raises(KeyboardInterrupt) if kill else nullcontext():
            fit(resumed, x, max_steps=18, callbacks=[*kill, backup])
    assert_same_state(whole, resumed)
    other = placed_dec(x, views=RandomNoise(0.2, seed=4))
    fit(other, x, max_steps=18)
    assert any(np.any(a != b) for a, b in zip(state(whole), state(other), strict=True))


def test_saved_model_goes_on_with_the_same_views(data, tmp_path):
    x, _ = data
    dec = placed_dec(x, views=RandomNoise(0.2))
    fit(dec, x, max_steps=5)
    dec.save(tmp_path / "dec.keras")
    loaded = keras.models.load_model(tmp_path / "dec.keras")
    for model in (dec, loaded):
        fit(model, x, max_steps=5)
    assert_same_state(dec, loaded)


def test_training_stops_when_the_labels_have_settled(data):
    x, _ = data
    dec = placed_dec(x, keras.optimizers.SGD(0.0))
    assert len(fit(dec, x, max_steps=20, tol=1e-9).epoch) == 1
    assert int(dec.step) == 5


def test_tol_zero_never_stops_before_the_last_step(data):
    x, _ = data
    dec = placed_dec(x, keras.optimizers.SGD(0.0))
    assert len(fit(dec, x, max_steps=20, tol=0).epoch) == 4
    assert int(dec.step) == 20


@pytest.mark.parametrize(
    ("max_steps", "interval", "n_entries"), [(12, 5, 3), (3, 100, 1), (10, 5, 2), (1, 1, 1)]
)
def test_step_count_is_exact(max_steps, interval, n_entries, data):
    x, _ = data
    dec = placed_dec(x)
    history = fit(dec, x, max_steps=max_steps, update_interval=interval)
    assert int(dec.step) == int(dec.optimizer.iterations) == max_steps
    assert len(history.history["loss"]) == n_entries


def test_fit_places_the_centroids_where_that_has_not_been_done(data):
    x, _ = data
    dec = new_dec()
    fit(dec, x, max_steps=5)
    assert int(dec.step) == 5
    assert len(np.unique(dec.predict(x, verbose=0).argmax(axis=1))) == 3


def test_all_assignments_are_equal_before_the_centroids_are_placed(data):
    q = new_dec().predict(data[0], verbose=0)
    np.testing.assert_array_equal(q, np.full_like(q, q[0, 0]))


def test_fit_keeps_centroids_that_were_placed_by_hand(data, tmp_path):
    x, _ = data
    dec = new_dec()
    centroids = dec.encoder.predict(x[:3], verbose=0)
    dec.clustering.clusters.assign(centroids)
    dec.save(tmp_path / "dec.keras")
    for model in (dec, keras.models.load_model(tmp_path / "dec.keras")):
        model.compile(keras.optimizers.SGD(0.0))
        fit(model, x, max_steps=5)
        np.testing.assert_array_equal(model.clusters, centroids)
        assert int(model.step) == 5


def collapse(dec):
    """Give every sample the code 0, as dead units do."""
    dec.encoder.set_weights([np.zeros_like(weight) for weight in dec.encoder.get_weights()])


def test_collapsed_embedding_is_no_start(data):
    dec = new_dec()
    collapse(dec)
    for start in (dec.initialize, dec.fit):
        with pytest.raises(
            ValueError, match=r"embeddings that differ\. Received: 60 equal ones\. E"
        ):
            start(data[0])
    assert not dec.placement.is_made(dec.clustering.clusters) and not dec.compiled


def test_collapse_before_and_in_training_is_named_and_undone(data, caplog):
    x, _ = data
    dec, twin = (placed_dec(x, keras.optimizers.SGD(0.01, momentum=0.9)) for _ in range(2))
    fit(twin, x, max_steps=10)

    class Collapse(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.step) == 15:
                collapse(self.model)

    with pytest.raises(ValueError, match="The embedding has collapsed: the codes of all samples"):
        fit(dec, x, max_steps=20, callbacks=[Collapse()])
    for array, same in zip(dec.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(array, same)
    collapse(dec)
    dec.placement.make(dec.clustering.clusters, np.zeros((3, 2)))
    with (
        caplog.at_level("INFO", "kdec"),
        pytest.raises(ValueError, match="The embedding has collapsed before any training"),
    ):
        fit(dec, x, max_steps=5)
    # Nothing has been logged of centroids that are not placed.
    assert not [record for record in caplog.records if record.name == "kdec"]
    assert int(dec.step) == 10


def test_small_codes_are_no_collapse(data, caplog):
    x, _ = data
    dec = placed_dec(x)
    dec.encoder.set_weights([1e-6 * weight for weight in dec.encoder.get_weights()])
    dec.clustering.clusters.assign(dec.encoder(x[:3]))
    fit(dec, x, max_steps=10)
    messages = [record.message for record in caplog.records if record.name == "kdec"]
    assert messages == ["All samples have the same soft assignments: nothing to train on."]


def test_flag_of_placed_centroids_is_saved(data, tmp_path):
    dec = new_dec()
    dec.placement.make(dec.clustering.clusters, np.zeros((3, 2)))
    dec.save(tmp_path / "dec.keras")
    dec.save_weights(tmp_path / "dec.weights.h5")
    loaded, other = keras.models.load_model(tmp_path / "dec.keras"), new_dec()
    other.load_weights(tmp_path / "dec.weights.h5")
    for model in (dec, loaded, other):
        assert model.placement.is_made(model.clustering.clusters)
    new_dec().save_weights(tmp_path / "new.weights.h5")
    other.load_weights(tmp_path / "new.weights.h5")
    assert not other.placement.is_made(other.clustering.clusters)


def test_default_optimizer_is_that_of_the_paper(data):
    x, _ = data
    dec = new_dec()
    dec.initialize(x, random_state=0, n_init=1)
    fit(dec, x, max_steps=1)
    config = dec.optimizer.get_config()
    assert isinstance(dec.optimizer, keras.optimizers.SGD)
    assert config["learning_rate"] == pytest.approx(0.01)
    assert config["momentum"] == 0.9


def test_step_is_not_compiled_by_xla_even_where_there_is_a_gpu(monkeypatch):
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *kind: [gpu])
    dec, autoencoder = new_dec(), dense((5, 8, 2))
    dec.compile("sgd")
    autoencoder.compile("sgd", "mse")
    assert (dec.jit_compile, autoencoder.jit_compile) == (False, True)


@pytest.mark.parametrize("reconstruction_weight", [0.0, 1.0])
def test_moving_averages_take_the_place_of_their_own_weights(reconstruction_weight, data):
    x, _ = data

    def weights_after(max_steps, **options):
        optimizer = keras.optimizers.SGD(0.1, **options)
        dec = placed_dec(x, optimizer, reconstruction_weight=reconstruction_weight)
        fit(dec, x, max_steps=max_steps)
        return dec.get_weights()

    averages = weights_after(2, use_ema=True, ema_momentum=0.5)
    for average, *steps in zip(averages, weights_after(1), weights_after(2), strict=True):
        if average.ndim:  # not the number of steps
            np.testing.assert_allclose(average, np.mean(steps, axis=0), rtol=1e-5, atol=1e-7)


def test_any_optimizer_lowers_the_loss(data):
    x, _ = data
    fixed = placed_dec(x, keras.optimizers.SGD(0.0))
    before = fit(fixed, x, max_steps=4, update_interval=4).history["loss"][0]
    for optimizer in ("sgd", "adam", "rmsprop", "adadelta"):
        dec = placed_dec(x, keras.optimizers.get(optimizer))
        dec.optimizer.learning_rate = 0.001
        history = fit(dec, x, max_steps=8, update_interval=4, shuffle=False).history
        assert history["loss"][0] < before


def test_same_seed_twice_gives_the_same_labels(data):
    x, y = data
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        dec = DEC(dense((5, 8, 2)), 3)
        dec.initialize(x, random_state=7)
        history = fit(dec, x, y, max_steps=10)
        runs.append((history.history, dec.predict(x, verbose=0)))
    assert runs[0][0] == runs[1][0]
    np.testing.assert_array_equal(runs[0][1], runs[1][1])


def test_second_fit_goes_on_exactly_where_the_first_stopped(data):
    x, _ = data
    one, two = placed_dec(x), placed_dec(x)
    whole = fit(one, x, max_steps=20).history
    parts = [fit(two, x, max_steps=10).history for _ in range(2)]
    assert_same_state(one, two)
    assert whole == {name: parts[0][name] + parts[1][name] for name in whole}


def test_saved_model_keeps_all_its_arguments(tmp_path):
    arguments = {"alpha": 3.0, "clustering_weight": 0.1, "reconstruction_weight": 2.0}
    new_dec(**arguments, name="digits").save(tmp_path / "dec.keras")
    loaded = keras.models.load_model(tmp_path / "dec.keras")
    assert (loaded.name, loaded.n_clusters, int(loaded.step)) == ("digits", 3, 0)
    assert {name: getattr(loaded, name) for name in arguments} == arguments
    assert isinstance(loaded.autoencoder, Autoencoder)


def test_weights_file_holds_centroids_step_and_optimizer(data, tmp_path):
    x, _ = data
    one, other = placed_dec(x), placed_dec(x)
    fit(one, x, max_steps=5)
    fit(other, x, max_steps=1)
    one.save_weights(tmp_path / "dec.weights.h5")
    other.load_weights(tmp_path / "dec.weights.h5")
    assert_same_state(one, other)


def test_training_resumed_after_kills_ends_as_one_that_never_stopped(data, tmp_path):
    x, y = data
    whole = placed_dec(x)
    history = fit(whole, x, y, max_steps=18).history
    for kill in ([Kill(0)], [Kill(1)], [Kill(3)], []):
        resumed = placed_dec(x)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        with pytest.raises(KeyboardInterrupt) if kill else nullcontext():
            rest = fit(resumed, x, y, max_steps=18, callbacks=[*kill, backup]).history
    assert_same_state(whole, resumed)
    assert rest == {name: values[3:] for name, values in history.items()}


def test_keras_callbacks_find_the_figures(data, tmp_path):
    x, y = data
    dec = placed_dec(x)
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", monitor="acc", mode="max", save_best_only=True
        ),
        keras.callbacks.EarlyStopping(monitor="acc", mode="max", patience=2, min_delta=2.0),
    ]
    history = fit(dec, x, y, max_steps=50, callbacks=callbacks).history
    assert len(history["acc"]) == 3  # No gain of 2.0 is possible: stopped at the end of patience.
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["acc"]) for row in rows] == history["acc"]
    assert [float(row["delta_label"]) for row in rows] == history["delta_label"]
    best = keras.models.load_model(tmp_path / "best.keras")
    assert metrics.accuracy(y, best.predict(x, verbose=0).argmax(1)) == max(history["acc"])


def test_one_callback_need_not_be_in_a_list(data):
    x, _ = data
    history = keras.callbacks.History()
    fit(placed_dec(x), x, max_steps=1, callbacks=history)
    assert len(history.epoch) == 1


def test_decoder_neither_runs_nor_changes_without_reconstruction_loss(data, monkeypatch):
    x, _ = data
    dec = placed_dec(x)
    before = dec.decoder.get_weights()
    encoder_before = dec.encoder.get_weights()

    def fail(*args, **kwargs):
        raise AssertionError("The decoder was called.")

    monkeypatch.setattr(dec.decoder, "call", fail)
    fit(dec, x, max_steps=5)
    for weight, same in zip(before, dec.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)
    assert not np.array_equal(encoder_before[0], dec.encoder.get_weights()[0])


def test_loss_with_reconstruction_is_the_weighted_sum(data):
    x, _ = data
    arguments = {"clustering_weight": 0.1, "reconstruction_weight": 2.0}
    dec = placed_dec(x, keras.optimizers.SGD(0.0), **arguments)
    q = dec.predict(x, verbose=0).astype("float64")
    p = q**2 / q.sum(0)
    p /= p.sum(1, keepdims=True)
    divergence = (p * np.log(p / q)).sum(1).mean()
    error = np.mean((dec.autoencoder.predict(x, verbose=0) - x).astype("float64") ** 2)
    # Four batches of 16, 16, 16 and 12: one pass.
    history = fit(dec, x, max_steps=4).history
    assert history["clustering_loss"] == [pytest.approx(divergence, rel=1e-4)]
    assert history["reconstruction_loss"] == [pytest.approx(error, rel=1e-4)]
    assert history["loss"] == [pytest.approx(0.1 * divergence + 2.0 * error, rel=1e-4)]


def test_reconstruction_loss_trains_the_decoder(data):
    x, _ = data
    dec = placed_dec(x, reconstruction_weight=1.0)
    before = dec.decoder.get_weights()
    loss = fit(dec, x, max_steps=40).history["reconstruction_loss"]
    assert loss[-1] < loss[0]
    assert not np.array_equal(before[0], dec.decoder.get_weights()[0])


@pytest.mark.parametrize("channel_axis", [False, True])
@pytest.mark.parametrize("reconstruction_weight", [0.0, 1.0])
def test_images_with_and_without_a_channel_axis(channel_axis, reconstruction_weight):
    images = np.random.default_rng(0).random((30, 8, 8), dtype="float32")
    x = images[..., None] if channel_axis else images
    dec = DEC(convolutional(), 2, reconstruction_weight=reconstruction_weight)
    dec.initialize(x, random_state=0, n_init=1)
    dec.compile("adam")
    history = fit(dec, x, max_steps=4, update_interval=2).history
    assert np.isfinite(history["loss"]).all()
    assert dec.predict(x, verbose=0).shape == (30, 2)


def test_samples_may_be_of_any_kind(data):
    whole_numbers = np.round(data[0])
    dec = placed_dec(whole_numbers)
    fit(dec, whole_numbers, max_steps=5)
    for same in (
        whole_numbers.tolist(),
        tf.constant(whole_numbers),
        whole_numbers.astype("float64"),
        np.asfortranarray(whole_numbers),
        whole_numbers.astype("int64"),
    ):
        other = placed_dec(whole_numbers)
        fit(other, same, max_steps=5)
        assert_same_state(dec, other)


def test_labels_may_be_of_any_kind(data):
    x, names = data
    dec = placed_dec(x, keras.optimizers.SGD(0.0))
    expected = metrics.accuracy(names, dec.predict(x, verbose=0).argmax(axis=1))
    numbers = np.unique(names, return_inverse=True)[1]
    for y in (names, names.tolist(), numbers - 7, tf.constant(numbers), numbers.astype("float32")):
        assert fit(dec, x, y, max_steps=1).history["acc"] == [expected]


def test_sequential_parts(data):
    x, _ = data
    encoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(5)])
    dec = DEC(Autoencoder(encoder, decoder), 3, reconstruction_weight=1.0)
    assert np.isfinite(fit(dec, x, max_steps=5).history["loss"]).all()


@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_one_cluster(data):
    x, _ = data
    dec = DEC(dense((5, 2), seed=0), 1)
    history = fit(dec, x, max_steps=10, tol=1e-3).history
    assert history["delta_label"] == [0.0]
    np.testing.assert_allclose(dec.predict(x, verbose=0), np.ones((60, 1)), rtol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_the_targets_in_float32(policy, data):
    x, _ = data
    default = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        dec = placed_dec(x, "adam", reconstruction_weight=1.0)
        history = fit(dec, x, max_steps=10).history
    finally:
        keras.config.set_dtype_policy(default)
    assert np.isfinite(history["loss"]).all()
    assert int(dec.step) == 10
    q = dec.predict(x, verbose=0)
    assert q.dtype == "float32"
    np.testing.assert_allclose(q.sum(axis=1), 1, rtol=1e-6)


BAD_SAMPLES = {
    "NaN": (lambda x: np.where(x == x[3, 2], np.nan, x), "finite values in `x`"),
    "infinity": (lambda x: np.where(x == x[3, 2], np.inf, x), "finite values in `x`"),
    "too narrow": (lambda x: x[:, :4], r"`x` of shape \(n, 5\).*Received: shape \(60, 4\)"),
    "one sample": (lambda x: x[0], r"`x` of shape \(n, 5\).*Received: shape \(5,\)"),
    "empty": (lambda x: x[:0], r"n > 0\. Received: shape \(0, 5\)"),
    "strings": (lambda x: x.astype(str), "real numbers in `x`. Received: dtype <U"),
    "complex": (lambda x: x + 1j, "real numbers in `x`. Received: dtype complex"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_bad_samples_are_rejected(spoil, message, data):
    dec = new_dec()
    with pytest.raises(ValueError, match=message):
        dec.initialize(spoil(data[0]))
    with pytest.raises(ValueError, match=message):
        dec.fit(spoil(data[0]))
    assert not dec.clusters.any()


def test_generator_is_refused_by_name(data):
    dec = new_dec()
    for take in (dec.initialize, dec.fit):
        with pytest.raises(
            TypeError, match=r"`x` to be a dense array of all samples.*Received: .*generator"
        ):
            take(batch for batch in [data[0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": np.zeros(59, int)}, r"`y` of shape \(60,\), one label a sample\. Received: \(59,\)"),
        ({"y": np.zeros((60, 3))}, r"`y` of shape \(60,\).*Received: \(60, 3\)"),
        ({"y": np.full(60, np.nan)}, "integers or strings"),
        ({"y": np.linspace(0, 1, 60)}, "integers or strings"),
        ({"batch_size": 0}, "`batch_size` to be a positive int. Received: batch_size=0"),
        ({"max_steps": -1}, "`max_steps` to be a positive int. Received: max_steps=-1"),
        ({"update_interval": 2.5}, "`update_interval` to be a positive int. Received: update"),
        ({"max_steps": True}, "`max_steps` to be a positive int"),
        ({"tol": "small"}, "`tol` to be a number. Received: tol='small'"),
    ],
)
def test_bad_options_are_rejected_before_any_work(options, message, data):
    dec = new_dec()
    with pytest.raises(ValueError, match=message):
        dec.fit(data[0], **options)
    assert not dec.clusters.any()


def test_fewer_samples_than_clusters_are_rejected(data):
    with pytest.raises(ValueError, match=r"3"):
        new_dec().initialize(data[0][:2])


@pytest.mark.parametrize("options", [{"n_init": 0}, {"batch_size": 2.5}])
def test_bad_options_of_initialize_are_rejected(options, data):
    (name,) = options
    with pytest.raises(ValueError, match=f"Expected `{name}` to be a positive int"):
        new_dec().initialize(data[0], **options)


def test_initialize_starts_the_optimizer_anew(data):
    dec = new_dec()
    dec.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    dec.initialize(data[0], random_state=0)
    dec.fit(data[0], max_steps=7, verbose=0)
    weights = dec.encoder.get_weights()
    dec.initialize(data[0], random_state=0)
    assert int(dec.step) == 0 and int(dec.optimizer.iterations) == 0
    np.testing.assert_allclose(dec.optimizer.learning_rate, 0.05)
    again = new_dec()
    again.encoder.set_weights(weights)
    again.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    again.initialize(data[0], random_state=0)
    losses = [model.fit(data[0], max_steps=5, verbose=0).history["loss"] for model in (dec, again)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize(
    "weights",
    [
        {"clustering_weight": -1.0},
        {"reconstruction_weight": -0.1},
        {"clustering_weight": float("nan")},
        {"reconstruction_weight": float("inf")},
        {"clustering_weight": 0.0},
        {"clustering_weight": "1"},
        {"reconstruction_weight": None},
    ],
)
def test_weights_that_make_no_loss_are_rejected(weights):
    with pytest.raises(ValueError, match=r"Expected .*`clustering_weight` and `reconstruction_w"):
        new_dec(**weights)


def pooled_features():
    """An encoder as pretrained networks are: frozen convolutions, and their means."""
    convolution = keras.layers.Conv2D(4, 3, activation="relu", trainable=False)
    layers = [keras.Input((8, 8, 3)), convolution, keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([*layers, keras.layers.Dense(2)])


def test_encoder_alone_is_clustered_and_comes_back(tmp_path):
    x = np.random.default_rng(0).random((30, 8, 8, 3), dtype="float32")
    dec = DEC(pooled_features(), 2, alpha=2.0, name="features")
    labels = dec.initialize(x, random_state=0, n_init=1)
    q = dec.predict(x, verbose=0)
    np.testing.assert_array_equal(q.argmax(axis=1), labels)
    dec.save(tmp_path / "dec.keras")
    loaded = keras.models.load_model(tmp_path / "dec.keras")
    assert (loaded.name, loaded.alpha) == ("features", 2.0)
    loaded.save_weights(tmp_path / "dec.weights.h5")
    other = DEC(pooled_features(), 2, alpha=2.0)
    other.load_weights(tmp_path / "dec.weights.h5")
    for same in (loaded, other):
        np.testing.assert_array_equal(same.predict(x, verbose=0), q)


def test_encoder_alone_trains_as_that_of_an_autoencoder_and_goes_on_after_a_kill(data, tmp_path):
    x, _ = data
    whole = placed_dec(x)
    fit(whole, x, max_steps=4, update_interval=2)
    for kill in ([Kill(0)], []):
        resumed = DEC(dense((5, 8, 2), seed=0).encoder, 3)
        resumed.clustering.clusters.assign(resumed.encoder(x[:3]))
        callbacks = [*kill, keras.callbacks.BackupAndRestore(tmp_path / "backup")]
        with pytest.raises(KeyboardInterrupt) if kill else nullcontext():
            fit(resumed, x, max_steps=4, update_interval=2, callbacks=callbacks)
    for part in ("encoder", "clustering"):
        weights = [getattr(dec, part).get_weights() for dec in (whole, resumed)]
        for array, same in zip(*weights, strict=True):
            np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("name", ["autoencoder", "decoder"])
def test_encoder_alone_says_that_there_is_no_decoder(name):
    dec = DEC(pooled_features(), 2)
    message = f"Expected a DEC of a kdec.Autoencoder for its `{name}`. Received: a DEC of an enc"
    with pytest.raises(AttributeError, match=message):
        getattr(dec, name)
    assert not hasattr(dec, name)
    with pytest.raises(AttributeError, match="no attribute 'centroids'"):
        _ = dec.centroids


def test_reconstruction_without_a_decoder_is_rejected():
    with pytest.raises(
        ValueError, match=r"Received: an encoder alone, with reconstruction_w.*0\.1"
    ):
        DEC(pooled_features(), 2, reconstruction_weight=0.1)


@pytest.mark.parametrize("autoencoder", [None, "encoder", keras.layers.Dense(2)])
def test_autoencoder_that_is_no_model_is_rejected(autoencoder):
    with pytest.raises(TypeError, match=r"`autoencoder` to be a kdec\.Autoencoder.*Received: "):
        DEC(autoencoder, 3)


def test_autoencoder_whose_embedding_is_no_vector_is_rejected():
    encoder = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    decoder = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    with pytest.raises(
        ValueError, match=r"\(batch, n_features\).*Received: output shape \(None, 8"
    ):
        DEC(Autoencoder(encoder, decoder), 3)


def test_encoder_of_two_outputs_is_rejected():
    x, first, second = keras.Input((5,)), keras.Input((3,)), keras.Input((3,))
    encoder = keras.Model(x, [keras.layers.Dense(3)(x), keras.layers.Dense(3)(x)])
    decoder = keras.Model([first, second], keras.layers.Dense(5)(first + second))
    with pytest.raises(ValueError, match="one embedding of shape"):
        DEC(Autoencoder(encoder, decoder), 3)


@pytest.mark.parametrize("name", ["loss", "metrics", "loss_weights"])
def test_loss_and_metrics_are_the_models_own(name):
    with pytest.raises(ValueError, match=f"Expected no `{name}`.*Received: {name}="):
        new_dec().compile("sgd", **{name: ["mse"]})


def test_loss_by_position_is_refused():
    with pytest.raises(ValueError, match="Expected no `loss`"):
        new_dec().compile("sgd", "mse")


def test_steps_outside_fit_are_refused(data):
    x, _ = data
    dec = placed_dec(x)
    with pytest.raises(ValueError, match="Expected training through `fit`"):
        dec.train_on_batch(x)
    with pytest.raises(NotImplementedError, match="Expected `predict`"):
        dec.evaluate(x, verbose=0)


def test_divergence_is_an_error_and_no_settled_training(data):
    dec = placed_dec(data[0], keras.optimizers.SGD(1e30), reconstruction_weight=1.0)
    with pytest.raises(FloatingPointError, match="the training has diverged"):
        fit(dec, *data, max_steps=40)


def test_divergence_leaves_the_last_sound_weights_and_training_can_go_on(data):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.optimizer.learning_rate = 1e30

    x, _ = data
    dec, twin = (placed_dec(x, keras.optimizers.SGD(0.01, momentum=0.9)) for _ in range(2))
    fit(twin, x, max_steps=10)
    with pytest.raises(FloatingPointError, match="weights of the last renewal"):
        fit(dec, x, max_steps=40, callbacks=[Spoil()])
    for array, same in zip(dec.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(array, same)
    assert int(dec.step) == 10
    dec.optimizer.learning_rate = 0.01
    fit(dec, x, max_steps=10)
    assert np.isfinite(dec.predict(x, verbose=0)).all()


def test_autoencoder_that_has_diverged_is_named(data):
    x, _ = data
    autoencoder = dense((5, 8, 2), seed=0)
    dec = placed_dec(x)
    for model in (autoencoder, dec.autoencoder):
        model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(ValueError, match=r"finite embeddings.*60 of 60.*encoder's weights"):
        DEC(autoencoder, 3).fit(x, verbose=0)
    with pytest.raises(FloatingPointError, match="not finite before any training"):
        fit(dec, x)


@pytest.mark.parametrize("reconstruction_weight", [0.0, 1.0])
def test_losses_of_encoder_and_decoder_themselves_count(reconstruction_weight, data):
    dec = placed_dec(data[0], reconstruction_weight=reconstruction_weight)
    x, p = data[0][:8], np.full((8, 3), 1 / 3, "float32")
    plain = dec.losses_on_rows(x, p)["loss"]
    own = 0.0
    for model in (dec.encoder, dec.decoder):
        kernel = model.layers[1].kernel
        kernel.regularizer = keras.regularizers.L2(0.5)
        if model is dec.encoder or reconstruction_weight:
            own += 0.5 * np.square(np.asarray(kernel)).sum()
    assert float(dec.losses_on_rows(x, p)["loss"]) == pytest.approx(float(plain) + own, rel=1e-5)


def test_regularizer_holds_the_weights_down(data):
    def norm_after_training(regularizer):
        dec = placed_dec(data[0])
        dec.encoder.layers[1].kernel.regularizer = regularizer
        fit(dec, data[0], max_steps=40)
        return np.linalg.norm(np.asarray(dec.encoder.layers[1].kernel))

    assert norm_after_training(keras.regularizers.L2(1.0)) < 0.8 * norm_after_training(None)


def test_model_exports_without_a_signature(data, tmp_path):
    dec = placed_dec(data[0])
    dec.export(tmp_path / "folder", verbose=False)
    expected = dec.predict(data[0], verbose=0)
    loaded = tf.saved_model.load(str(tmp_path / "folder"))
    q = loaded.serve(data[0])
    np.testing.assert_allclose(q, expected, rtol=1e-5, atol=1e-6)
