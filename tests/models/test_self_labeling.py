"""SelfLabeling: whom it trains on, how labels are made anew, that it goes on exactly."""

import csv
import logging

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from interrupts import Kill

import kdec
from kdec.autoencoders import conv_encoder, dense_encoder
from kdec.models.label_renewal import LabeledSamples, Selection
from kdec.views import RandomAffine, RandomNoise


@pytest.fixture
def data():
    """Sixty points in 5-D around three centres, which of these, and labels with some wrong."""
    generator = np.random.default_rng(0)
    centres, y = 2.5 * generator.normal(size=(3, 5)), np.arange(60) % 3
    x = (generator.normal(size=(60, 5)) + centres[y]).astype("float32")
    return x, y, np.where(np.arange(60) < 9, (y + 1) % 3, y)


def new_model(optimizer="adam", views="noise", dropout=0.2, **arguments):
    views = RandomNoise(0.1) if views == "noise" else views
    classifier = dense_encoder((5, 8, 3), dropout=dropout, seed=0)
    model = kdec.SelfLabeling(classifier, views, **arguments)
    if optimizer:
        model.compile(optimizer)
    return model


def fit(model, x, labels, y=None, **options):
    options = {"batch_size": 16, "rounds": 3, "passes": 2, "verbose": 0, **options}
    return model.fit(x, labels, y, **options)


def state(model):
    return [np.asarray(variable) for variable in (*model.weights, *model.optimizer.variables)]


def assert_same_state(model, other):
    for array, same in zip(state(model), state(other), strict=True):
        np.testing.assert_array_equal(array, same)


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_predict_gives_shares_of_the_clusters(data):
    x, *_ = data
    model = new_model()
    logits = model.classifier.predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), softmax(logits), rtol=1e-5)
    assert model.n_clusters == 3


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_the_cross_entropy_with_smoothed_labels(data, smoothing):
    x, y, _ = data
    model = new_model(views=None, dropout=0.0, label_smoothing=smoothing)
    target = np.eye(3)[y] * (1 - smoothing) + smoothing / 3
    logits = np.asarray(model.classifier(x, training=True))
    expected = -(target * np.log(softmax(logits))).sum(axis=1).mean()
    np.testing.assert_allclose(model.loss_on_rows(x, y), expected, rtol=1e-5)


def test_new_labels_are_those_of_the_mean_over_the_sample_and_its_views(data):
    x, *_ = data
    model = new_model(n_views=4, views=RandomNoise(1.0))
    labeled = LabeledSamples(model, x, 16, 1)
    found = labeled.assignments()
    labeled.renewal_seeds.set_step(0)
    views = [x, *(model.views(x, training=True) for _ in range(3))]
    expected = np.mean([softmax(np.asarray(model.classifier(view))) for view in views], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("n", [2047, 2048, 2049])
def test_assignments_are_of_all_samples_whatever_their_number(n):
    x = np.random.default_rng(0).normal(size=(n, 5)).astype("float32")
    model = new_model(views=None)
    found = LabeledSamples(model, x, 16, 1).assignments()
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-4)


def test_history_has_figures_that_scikit_learn_confirms(data):
    x, y, labels = data
    model = new_model(views=None, dropout=0.0)
    history = fit(model, x, labels, y, rounds=2).history
    after = model.predict(x, verbose=0).argmax(axis=1)
    sizes = np.bincount(after, minlength=3)
    assert history["kept"] == [1.0, 1.0]
    assert history["smallest_cluster"][-1] == sizes.min()
    assert history["largest_cluster"][-1] == sizes.max()
    assert history["acc"][-1] == kdec.metrics.accuracy(y, after)
    assert history["nmi"][-1] == pytest.approx(
        sklearn.metrics.normalized_mutual_info_score(y, after)
    )
    assert history["ari"][-1] == pytest.approx(sklearn.metrics.adjusted_rand_score(y, after))
    assert set(history) == {
        *("loss", "delta_label", "kept", "smallest_cluster", "largest_cluster"),
        *("acc", "nmi", "ari"),
    }


def test_share_of_changed_labels(data):
    x, _, labels = data
    model = new_model(keras.optimizers.SGD(0.0), views=None, dropout=0.0)
    own = LabeledSamples(model, x, 16, 1).assignments().argmax(axis=1)
    # Batch normalisation has its moving statistics from one round; at rate 0 they alone move.
    for layer in model.classifier.layers:
        layer.trainable = False
    history = fit(model, x, labels, rounds=2).history
    assert history["delta_label"] == [np.mean(own != labels), 0.0]


def test_wrong_labels_are_overruled(data):
    x, y, labels = data
    model = new_model(keras.optimizers.Adam(0.01), dropout=0.0)
    history = fit(model, x, labels, y, rounds=4, passes=8).history
    assert kdec.metrics.accuracy(y, labels) == 0.85
    assert history["acc"][-1] > 0.9


def test_sizes_are_logged(data, caplog):
    x, _, labels = data
    with caplog.at_level(logging.INFO, "kdec"):
        fit(new_model(), x, labels, rounds=1)
    assert "Round 1: clusters of [" in caplog.text


def test_pass_goes_through_the_kept_samples_once(data):
    x, _, labels = data
    labeled = LabeledSamples(new_model(), x, 10, passes=2)
    kept = np.arange(3, 60, 2)
    labeled.set_labels(labels, kept[:20])
    for first in (0, 2, 4):
        rows = [np.asarray(labeled._draw(tf.constant(first + step))) for step in (0, 1)]
        np.testing.assert_array_equal(np.sort(np.concatenate(rows)), kept[:20])
    labeled.set_labels(labels, kept[:4])
    np.testing.assert_array_equal(np.sort(labeled._draw(tf.constant(7))), kept[:4])


def test_selection_keeps_the_most_confident_of_each_group():
    confidences = np.array([0.9, 0.1, 0.5, 0.3, 0.2, 0.25, 0.01])
    groups = np.array([5, 5, 5, 5, 8, 8, 2])
    np.testing.assert_array_equal(Selection(0.5, groups, 7).rows(confidences), [0, 2, 5, 6])
    np.testing.assert_array_equal(Selection(1.0, None, 7).rows(confidences), np.arange(7))


def test_selection_loses_no_group_however_doubtful():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), generator.integers(1, 20, 30))
    confidences = np.where(groups == 4, 0.0, 1.0) + 0.1 * generator.random(len(groups))
    kept = Selection(0.2, groups, len(groups)).rows(confidences)
    shares = np.bincount(groups[kept], minlength=30) / np.bincount(groups)
    assert shares.min() >= 0.2


def test_selection_without_groups_is_refused(data):
    x, _, labels = data
    with pytest.raises(ValueError, match="Expected `groups` with a `keep` below 1"):
        fit(new_model(), x, labels, keep=0.7)


def test_confidences_choose_the_samples_of_the_first_round(data):
    x, _, labels = data
    seen = []

    class Recorded(kdec.SelfLabeling):
        def train_on_rows(self, x, labels):
            tf.py_function(lambda rows: seen.append(rows.numpy()), [x], [])

    groups = np.arange(60) % 2
    soft = np.eye(3)[labels] * np.linspace(0.5, 1, 60)[:, None]
    for given in ({"labels": labels, "confidences": np.linspace(0, 1, 60)}, {"labels": soft}):
        seen.clear()
        model = Recorded(dense_encoder((5, 8, 3), seed=0))
        model.compile("adam")
        fit(model, x, keep=0.5, groups=groups, rounds=1, batch_size=15, **given)
        found = {row.tobytes() for rows in seen for row in rows}
        assert found == {row.tobytes() for row in x[30:]}


def test_soft_assignments_count_by_their_largest_share(data):
    x, _, labels = data
    one, two = new_model(), new_model()
    fit(one, x, labels)
    fit(two, x, np.eye(3)[labels] * 0.8 + 0.1)
    assert_same_state(one, two)


@pytest.mark.parametrize(
    ("killed_at", "options"),
    [(0, {}), (1, {"keep": 0.6, "groups": np.arange(60) % 7}), (3, {})],
)
def test_training_resumed_after_a_kill_ends_as_one_that_never_stopped(
    killed_at, options, data, tmp_path
):
    x, y, labels = data
    options = {**options, "rounds": 5}
    whole = new_model(None)
    history = fit(whole, x, labels, y, **options).history
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(new_model(None), x, labels, y, callbacks=[Kill(killed_at), backup], **options)
    keras.utils.set_random_seed(99)
    resumed = new_model(None)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    rest = fit(resumed, x, labels, y, callbacks=[backup], **options).history
    assert_same_state(whole, resumed)
    assert rest == {name: values[killed_at:] for name, values in history.items()}


def test_saved_model_keeps_all_its_arguments(data, tmp_path):
    arguments = {"label_smoothing": 0.2, "n_views": 5, "seed": 9}
    model = new_model(**arguments, name="digits")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.name == "digits"
    assert {name: getattr(loaded, name) for name in arguments} == arguments
    assert loaded.views.get_config() == model.views.get_config()
    np.testing.assert_array_equal(
        loaded.predict(data[0], verbose=0), model.predict(data[0], verbose=0)
    )


def test_keras_callbacks_find_the_figures(data, tmp_path):
    x, y, labels = data
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.EarlyStopping(monitor="acc", mode="max", patience=2, min_delta=2.0),
    ]
    history = fit(new_model(), x, labels, y, rounds=9, callbacks=callbacks).history
    assert len(history["acc"]) == 3
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["delta_label"]) for row in rows] == history["delta_label"]


class Break(keras.callbacks.Callback):
    """Sets the last layer's bias in the second round."""

    def __init__(self, bias):
        super().__init__()
        self.bias = bias

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) > 6:
            self.model.classifier.layers[-1].bias.assign(self.bias)


@pytest.mark.parametrize(
    ("bias", "error", "message"),
    [
        ([0, 0, -1e9], ValueError, r"Clusters \[2\] of 3 died out"),
        ([np.nan, 0, 0], FloatingPointError, "not finite"),
    ],
)
def test_failed_round_leaves_the_weights_of_the_one_before(bias, error, message, data):
    x, _, labels = data
    sound, broken = new_model(), new_model()
    fit(sound, x, labels, rounds=1)
    with pytest.raises(error, match=message):
        fit(broken, x, labels, rounds=3, callbacks=[Break(bias)])
    for array, same in zip(sound.get_weights(), broken.get_weights(), strict=True):
        np.testing.assert_array_equal(array, same)


def test_images_in_half_precision_have_a_loss_and_shares_of_full_precision():
    images = np.random.default_rng(0).random((24, 8, 8, 1), dtype="float32")
    classifier = conv_encoder((8, 8, 1), 2, dtype="mixed_bfloat16", seed=0)
    model = kdec.SelfLabeling(classifier, RandomAffine(dtype="mixed_bfloat16"))
    assert model.loss_on_rows(images, np.arange(24) % 2).dtype == tf.float32
    assert model.predict(images, verbose=0).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"label_smoothing": 1.0}, ValueError, r"Expected `label_smoothing` to be in \[0, 1\)"),
        ({"n_views": 0}, ValueError, "Expected `n_views` to be a positive int"),
        ({"seed": -1}, ValueError, "Expected `seed` to be an int of at least 0"),
        ({"views": np.flip}, TypeError, "Expected `views` to be a Keras layer or None"),
    ],
)
def test_wrong_arguments_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        new_model(**arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": np.zeros(60)}, r"Expected `labels` to be ints of shape \(60,\)"),
        ({"labels": np.zeros(59, int)}, r"Received: shape \(59,\)"),
        ({"labels": np.arange(60) % 2}, r"with some of each. Received: 0 to 1, none of \[2\]"),
        ({"labels": np.arange(60) % 4}, "Expected `labels` from 0 to 2"),
        ({"labels": np.full((60, 3), np.nan)}, "finite floats"),
        ({"y": np.zeros(59)}, r"Expected `y` of shape \(60,\)"),
        ({"keep": 0}, r"Expected `keep` to be in \(0, 1\]. Received: keep=0"),
        ({"keep": 0.5, "groups": np.zeros(60)}, "Expected `groups` to be an int array .* float64"),
        ({"confidences": np.zeros(59)}, r"Expected `confidences` .* shape \(60,\)"),
        ({"confidences": np.full(60, np.nan)}, "Expected finite `confidences`"),
        ({"rounds": 0}, "Expected `rounds` to be a positive int"),
        ({"passes": 0}, "Expected `passes` to be a positive int"),
        ({"batch_size": 0}, "Expected `batch_size` to be a positive int"),
    ],
)
def test_wrong_options_of_fit_are_errors_before_any_work(options, message, data):
    x, _, labels = data
    model = new_model(None)
    with pytest.raises(ValueError, match=message):
        fit(model, x, **{"labels": labels, **options})
    assert not model.compiled


def test_evaluate_says_what_to_do_instead(data):
    with pytest.raises(NotImplementedError, match="predict"):
        new_model().evaluate(data[0], verbose=0)
