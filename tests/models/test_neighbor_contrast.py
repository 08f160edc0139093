"""NeighborContrast: which pairs it trains on, that it goes on exactly, what it refuses."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from interrupts import Kill

import kdec
from kdec.autoencoders import conv_encoder, dense_encoder
from kdec.models.contrastive_loss import nt_xent
from kdec.models.neighbor_contrast import PairedSamples
from kdec.views import RandomAffine, RandomNoise


@pytest.fixture
def x():
    """Sixty points in 5-D around three centres."""
    generator = np.random.default_rng(0)
    centres = 2.5 * generator.normal(size=(3, 5))
    return (generator.normal(size=(60, 5)) + centres[np.arange(60) % 3]).astype("float32")


def new_model(optimizer="adam", views="noise", dropout=0.2, **arguments):
    views = RandomNoise(0.1) if views == "noise" else views
    encoder = dense_encoder((5, 8, 3), dropout=dropout, seed=0)
    model = kdec.NeighborContrast(encoder, views, **arguments)
    if optimizer:
        model.compile(optimizer)
    return model


def fit(model, x, **options):
    return model.fit(x, **{"neighbors": 4, "batch_size": 16, "epochs": 3, "verbose": 0, **options})


def state(model):
    return [np.asarray(variable) for variable in (*model.weights, *model.optimizer.variables)]


def assert_same_state(model, other):
    for array, same in zip(state(model), state(other), strict=True):
        np.testing.assert_array_equal(array, same)


def drawn(model, x, anchors, partners, batch_size, steps):
    pairs = PairedSamples(model, x, anchors, partners, batch_size)
    return [tuple(np.asarray(rows) for rows in pairs._draw(tf.constant(step))) for step in steps]


def test_codes_have_length_one(x):
    model = new_model()
    codes = model.predict(x, verbose=0)
    assert codes.shape == (60, 3)
    embedding = model.encoder.predict(x, verbose=0)
    np.testing.assert_allclose(
        codes, embedding / np.linalg.norm(embedding, axis=1, keepdims=True), rtol=1e-5
    )


def test_epoch_takes_each_sample_once_and_partners_from_its_neighbors(x):
    neighbors = kdec.nearest_neighbors(x, 4)
    batches = drawn(new_model(), x, np.arange(60, dtype=np.int32), neighbors, 20, range(3))
    rows, partners = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(np.sort(rows), np.arange(60))
    assert all(partner in neighbors[row] for row, partner in zip(rows, partners, strict=True))


def test_each_neighbor_is_drawn_as_often_as_any_other(x):
    neighbors = kdec.nearest_neighbors(x, 4)
    batches = drawn(new_model(), x, np.arange(60, dtype=np.int32), neighbors, 60, range(200))
    places = [np.argmax(neighbors[rows] == partners[:, None], axis=1) for rows, partners in batches]
    shares = np.bincount(np.ravel(places)) / np.size(places)
    np.testing.assert_allclose(shares, 0.25, atol=0.02)


def test_draws_depend_on_seed_and_step_alone(x):
    neighbors = kdec.nearest_neighbors(x, 4)
    anchors = np.arange(60, dtype=np.int32)
    one = drawn(new_model(seed=1), x, anchors, neighbors, 16, range(6))
    keras.utils.set_random_seed(99)
    same = drawn(new_model(seed=1), x, anchors, neighbors, 16, range(6))
    other = drawn(new_model(seed=2), x, anchors, neighbors, 16, range(6))
    np.testing.assert_array_equal(one, same)
    assert len({np.stack(batch).tobytes() for batch in one + other}) == 12


def test_first_loss_is_that_of_the_pairs_drawn_and_their_views(x):
    model = new_model(keras.optimizers.SGD(0.0), views=None, dropout=0.0)
    neighbors = kdec.nearest_neighbors(x, 4)
    [(rows, partners)] = drawn(model, x, np.arange(60, dtype=np.int32), neighbors, 60, [0])
    both = model.encoder(np.concatenate([x[rows], x[partners]]), training=True)
    expected = nt_xent(both[:60], both[60:], 0.5)
    history = fit(new_model("sgd", views=None, dropout=0.0), x, batch_size=100, epochs=1).history
    assert history["loss"] == [pytest.approx(float(expected), rel=1e-5)]


def test_neighbors_given_as_an_array_are_those_that_count(x):
    one, two = new_model(), new_model()
    fit(one, x, neighbors=7)
    fit(two, x, neighbors=kdec.nearest_neighbors(x, 7).astype("int64"))
    assert_same_state(one, two)


def test_no_neighbors_means_the_sample_itself(x):
    one, two = new_model(), new_model()
    fit(one, x, neighbors=0)
    fit(two, x, neighbors=np.arange(60)[:, None])
    assert_same_state(one, two)


def test_pairs_of_the_users_own_are_all_that_is_trained_on(x):
    seen = []

    class Recorded(kdec.NeighborContrast):
        def train_on_pairs(self, x, partners):
            tf.py_function(
                lambda *rows: seen.append([row.numpy() for row in rows]), [x, partners], []
            )

    pairs = np.array([[3, 5], [5, 3], [7, 7], [0, 59]])
    model = Recorded(dense_encoder((5, 8, 3)))
    fit(model, x, pairs=pairs, batch_size=2, epochs=1)
    found = {
        (one.tobytes(), two.tobytes())
        for rows, partners in seen
        for one, two in zip(rows, partners, strict=True)
    }
    assert found == {(x[i].tobytes(), x[j].tobytes()) for i, j in pairs}


def test_samples_and_partners_go_through_other_views():
    model = kdec.NeighborContrast(dense_encoder((5, 8, 3), seed=0), RandomNoise(0.5))
    same = np.zeros((6, 5), "float32")
    assert float(model.loss_on_pairs(same, same)) < np.log(11) + 2
    seen = []
    model.encoder.call = lambda samples, **options: seen.append(np.asarray(samples)) or samples
    model.loss_on_pairs(same, same)
    assert len(np.unique(seen[0], axis=0)) == 12


@pytest.mark.parametrize("epochs", [1, 4])
def test_rate_falls_by_a_cosine_over_the_epochs_of_a_model_not_compiled(x, epochs):
    model = new_model(optimizer=None)
    fit(model, x, epochs=epochs, batch_size=20)
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    schedule = keras.optimizers.schedules.deserialize(model.optimizer.get_config()["learning_rate"])
    assert float(schedule(0)) == pytest.approx(1e-3)
    assert float(schedule(3 * epochs)) == pytest.approx(2e-5)
    assert int(model.step) == 3 * epochs


def test_training_lowers_the_loss_and_finds_the_clusters(x):
    model = new_model(keras.optimizers.Adam(0.01), dropout=0.0)
    loss = fit(model, x, epochs=30, batch_size=60).history["loss"]
    assert loss[-1] < loss[0] - 0.2
    labels = kdec.KMeans(3, n_init=5, random_state=0).fit_predict(model.predict(x, verbose=0))
    assert kdec.metrics.accuracy(np.arange(60) % 3, labels) > 0.95


def test_same_seed_twice_gives_the_same_weights_and_another_seed_others(x):
    one, same, other = (new_model(seed=seed) for seed in (7, 7, 8))
    for model in (one, same, other):
        fit(model, x)
    assert_same_state(one, same)
    assert any(np.any(a != b) for a, b in zip(state(one), state(other), strict=True))


@pytest.mark.parametrize(("killed_at", "optimizer"), [(0, None), (1, "adam"), (3, None)])
def test_training_resumed_after_a_kill_ends_as_one_that_never_stopped(
    killed_at, optimizer, x, tmp_path
):
    whole = new_model(optimizer)
    history = fit(whole, x, epochs=5).history
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(new_model(optimizer), x, epochs=5, callbacks=[Kill(killed_at), backup])
    keras.utils.set_random_seed(99)
    resumed = new_model(optimizer)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    rest = fit(resumed, x, epochs=5, callbacks=[backup]).history
    assert_same_state(whole, resumed)
    assert rest["loss"] == history["loss"][killed_at:]


def test_second_fit_goes_on_exactly_where_the_first_stopped(x):
    one, two = new_model(), new_model()
    fit(one, x, epochs=4)
    fit(two, x, epochs=2)
    fit(two, x, epochs=4, initial_epoch=2)
    assert_same_state(one, two)


def test_saved_model_keeps_all_its_arguments_and_its_codes(x, tmp_path):
    views = keras.Sequential([RandomNoise(0.3, seed=4), kdec.views.FeatureDropout(0.1, seed=5)])
    model = new_model(views=views, temperature=0.25, seed=9, name="tables")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.name, loaded.temperature, loaded.seed) == ("tables", 0.25, 9)
    assert [layer.get_config() for layer in loaded.views.layers] == [
        layer.get_config() for layer in views.layers
    ]
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_model_without_views_comes_back_without(tmp_path):
    new_model(views=None).save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").views is None


@pytest.mark.parametrize("channels", [1, 3])
def test_images_in_half_precision_have_a_loss_and_codes_of_full_precision(channels):
    images = np.random.default_rng(0).random((24, 8, 8, channels), dtype="float32")
    encoder = conv_encoder((8, 8, channels), 6, dtype="mixed_bfloat16", seed=0)
    model = kdec.NeighborContrast(encoder, RandomAffine(dtype="mixed_bfloat16"))
    loss = fit(model, images, batch_size=12, epochs=2).history["loss"]
    assert np.isfinite(loss).all()
    assert model.loss_on_pairs(images, images).dtype == tf.float32
    assert model.predict(images, verbose=0).dtype == np.float32


def test_images_without_a_channel_axis_get_one():
    images = np.random.default_rng(0).random((12, 8, 8), dtype="float32")
    fit(kdec.NeighborContrast(conv_encoder((8, 8, 1), 4)), images, epochs=1)


def test_keras_callbacks_find_the_loss(x, tmp_path):
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
        keras.callbacks.EarlyStopping(monitor="loss", patience=2, min_delta=100.0),
    ]
    history = fit(new_model(), x, epochs=9, callbacks=callbacks).history
    assert len(history["loss"]) == 3
    with open(tmp_path / "log.csv", newline="") as file:
        assert [float(row["loss"]) for row in csv.DictReader(file)] == history["loss"]
    assert int(keras.models.load_model(tmp_path / "2.keras").step) == 6


def test_encoder_that_is_not_to_be_trained_stays(x):
    model = new_model()
    model.encoder.layers[1].trainable = False
    kernel = model.encoder.layers[1].get_weights()[0]
    fit(model, x)
    np.testing.assert_array_equal(model.encoder.layers[1].get_weights()[0], kernel)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"temperature": 0}, ValueError, "Expected `temperature` .* Received: temperature=0"),
        ({"temperature": "a"}, ValueError, "Expected `temperature`"),
        ({"seed": -1}, ValueError, "Expected `seed` to be an int of at least 0"),
        ({"views": np.flip}, TypeError, "Expected `views` to be a Keras layer or None"),
    ],
)
def test_wrong_arguments_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        new_model(**arguments)


@pytest.mark.parametrize("encoder", [None, keras.Sequential([keras.layers.Dense(2)])])
def test_encoder_that_is_none_or_not_built_is_an_error(encoder):
    with pytest.raises((TypeError, ValueError), match="Expected `encoder` to be"):
        kdec.NeighborContrast(encoder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbors": -1}, "Expected `neighbors` to be an int of at least 0"),
        ({"neighbors": 60}, "Expected `n_neighbors` below 60"),
        ({"neighbors": 2.5}, "Expected `neighbors` to be an int of at least 0"),
        ({"neighbors": np.ones((60, 2))}, "Expected `neighbors` to be an int array .* float64"),
        ({"neighbors": np.ones((30, 2), int)}, r"shape \(60, k\).* Pairs are given as `pairs`"),
        ({"neighbors": np.full((60, 2), 60)}, "from 0 to 59. Received: 60 to 60"),
        ({"neighbors": np.full((60, 2), -1)}, "from 0 to 59. Received: -1 to -1"),
        ({"pairs": np.ones((5, 3), int)}, r"Expected `pairs` .* shape \(m, 2\)"),
        ({"pairs": [[0, 60]]}, "Expected `pairs` to be rows of `x`, from 0 to 59"),
        ({"pairs": [[0, 1]]}, "Expected at least two pairs. Received: 1"),
        ({"batch_size": 1}, "Expected `batch_size` to be an int of at least 2"),
        ({"epochs": 0}, "Expected `epochs` to be a positive int"),
    ],
)
def test_wrong_options_of_fit_are_errors_before_any_work(options, message, x):
    model = new_model(optimizer=None)
    with pytest.raises(ValueError, match=message):
        fit(model, x, **options)
    assert not model.compiled


@pytest.mark.parametrize("shape", [(60, 4), (0, 5), (60, 5, 1)])
def test_samples_that_do_not_fit_the_encoder_are_an_error(shape):
    with pytest.raises(ValueError, match=r"Expected `x` of shape \(n, 5\)"):
        fit(new_model(), np.ones(shape))


def test_loss_or_metric_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="Expected no `loss`"):
        new_model().compile("adam", "mse")


def test_evaluate_says_what_to_do_instead(x):
    with pytest.raises(NotImplementedError, match=r"kdec.KMeans"):
        new_model().evaluate(x, verbose=0)


@pytest.mark.slow
def test_digits_are_found_by_every_seed():
    data = kdec.load_data("digits")
    for seed in (100, 101):
        encoder = dense_encoder((64, 500, 500, 32), seed=seed)
        model = kdec.NeighborContrast(encoder, RandomNoise(0.1), seed=seed)
        model.fit(data.flat, batch_size=256, epochs=60, verbose=0)
        codes = model.predict(data.flat, verbose=0)
        labels = kdec.KMeans(10, n_init=10, random_state=seed).fit_predict(codes)
        assert kdec.metrics.accuracy(data.y, labels) > 0.93
        diffused = kdec.diffuse_labels(codes, labels).argmax(axis=1)
        assert kdec.metrics.accuracy(data.y, diffused) > 0.94
