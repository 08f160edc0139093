"""What every model refuses or warns of alike, in one sentence, with its state as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from kdec import DEC, DifferentiableKMeans, KMeansLoss, NeighborContrast, SelfLabeling
from kdec.autoencoders import dense, dense_encoder
from kdec.models.whole_set import WholeSetModel

X = np.random.default_rng(0).random((12, 5), dtype="float32")
LABELS = np.arange(12) % 3


def encoder():
    return dense_encoder((5, 4, 3), seed=0)


def placed_dec():
    dec = DEC(encoder(), 3)
    dec.clustering.clusters.assign(dec.encoder(X[:3]))
    return dec


def placed_soft():
    model = DifferentiableKMeans(3)
    model.initialize(X, random_state=0)
    return model


def wrong_samples():
    return tf.data.Dataset.from_tensors(X[:, :3])


def wrong_targets():
    return tf.data.Dataset.from_tensors((X, LABELS[:, None]))


MAKE = {
    "dec": placed_dec,
    "kmeans-loss": lambda: KMeansLoss(encoder(), 3),
    "differentiable-kmeans": placed_soft,
    "neighbor-contrast": lambda: NeighborContrast(encoder()),
    "self-labeling": lambda: SelfLabeling(encoder()),
    "autoencoder": lambda: dense((5, 4, 3), seed=0),
}
every_model = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
OPTIONS = {
    DEC: {"max_steps": 1},
    NeighborContrast: {"neighbors": 0, "epochs": 1},
    SelfLabeling: {"labels": LABELS, "rounds": 1, "passes": 30},
}


def fit(model, x=X):
    return model.fit(x, **OPTIONS.get(type(model), {}), verbose=0)


def compile_with(model, optimizer):
    model.compile(optimizer, "mse" if "autoencoder" in model.name else None)


@every_model
def test_optimizer_of_another_model_is_refused(make):
    model, optimizer = make(), keras.optimizers.Adam()
    optimizer.build([keras.Variable(np.zeros(2))])
    compile_with(model, optimizer)
    weights = model.get_weights()
    message = "Expected an optimizer of the model's own: `compile` again.*Received: Adam, built for"
    with pytest.raises(ValueError, match=message) as error:
        fit(model)
    assert "\n" not in str(error.value)
    for weight, same in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_optimizer_of_another_model_is_refused_by_one_without_centroids():
    model, optimizer = DifferentiableKMeans(3), keras.optimizers.Adam()
    optimizer.build([keras.Variable(np.zeros(2))])
    model.compile(optimizer)
    with pytest.raises(ValueError, match="Expected an optimizer of the model's own"):
        fit(model)
    assert not model.built


def test_model_goes_on_with_its_own_optimizer_in_half_precision_and_with_frozen_layers():
    model = KMeansLoss(encoder(), 3)
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()))
    fit(model)
    model.encoder.layers[1].trainable = False
    model.check_optimizer()


@every_model
@pytest.mark.parametrize("shape", [(5,), (12, 3), (12, 5, 2)])
def test_samples_of_another_shape_are_refused(make, shape):
    hint = ": one sample without a batch axis, which x\\[None\\] adds" if shape == (5,) else ""
    message = rf"^Expected `x` of shape \(n, 5\)\. Received: shape \({shape[0]},.*\){hint}$"
    with pytest.raises(ValueError, match=message):
        make().predict(np.zeros(shape, "float32"), verbose=0)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1)])
def test_one_image_is_told_from_a_batch(shape):
    model = NeighborContrast(
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    )
    with pytest.raises(
        ValueError, match=r"\(n, 8, 8, 1\)\. Received: shape .*: one sample without"
    ):
        model.predict(np.zeros(shape, "float32"), verbose=0)
    images = np.zeros((1, 8, 8), "float32")
    assert model.predict(images, verbose=0).shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("kmeans-loss", wrong_samples),
        ("autoencoder", wrong_targets),
    ],
)
def test_fit_on_wrong_data_leaves_a_model_that_trains(name, data):
    model, fresh = MAKE[name](), MAKE[name]()
    for each in (model, fresh):
        compile_with(each, "adam")
    with pytest.raises(ValueError, match=r"Expected a target|expected shape"):
        fit(model, data())
    batches = tf.data.Dataset.from_tensors(X)
    histories = [fit(each, batches).history for each in (model, fresh)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("dec", "epochs", "Expected `max_steps`, which ends the training.*in place of `epochs`"),
        ("dec", "validation_data", "Expected `predict`.*DEC has no loss on new samples, since its"),
        (
            "dec",
            "validation_split",
            "Expected `predict`.*DEC has no loss on new samples, since its",
        ),
        (
            "dec",
            "class_weight",
            "Expected arguments of DEC.fit: x, y, batch_size, max_steps.*epoch",
        ),
        ("self-labeling", "epochs", "Expected `rounds`, of `passes` .* in place of `epochs`"),
        ("self-labeling", "validation_data", "there is no loss on new samples, which have no lab"),
        ("self-labeling", "sample_weight", "Expected arguments of SelfLabeling.fit: x, labels, y,"),
        (
            "neighbor-contrast",
            "validation_freq",
            "no loss on new samples, whose neighbours are not",
        ),
        ("neighbor-contrast", "shuffle", "Expected arguments of NeighborContrast.fit: x, neighb"),
    ],
)
def test_arguments_that_only_keras_has_are_refused_with_a_reason(name, option, message):
    model = MAKE[name]()
    arguments = OPTIONS[type(model)] | {option: 2}
    with pytest.raises(TypeError, match=rf"{message}.*\. Received: an argument `{option}`$"):
        model.fit(X, **arguments)
    assert not model.compiled


@pytest.mark.parametrize("name", ["dec", "self-labeling", "neighbor-contrast"])
def test_evaluate_gives_the_same_reason(name):
    model = MAKE[name]()
    model.compile("sgd")
    assert isinstance(model, WholeSetModel)
    with pytest.raises(NotImplementedError, match=model.instead_of_evaluation[:40]):
        model.evaluate(X, verbose=0)


@pytest.mark.parametrize(
    "model",
    [DEC, KMeansLoss, DifferentiableKMeans, NeighborContrast, SelfLabeling],
)
def test_encoder_of_two_inputs_is_refused(model):
    inputs = [keras.Input((5,)), keras.Input((5,))]
    two = keras.Model(inputs, keras.layers.Dense(2)(inputs[0] + inputs[1]))
    arguments = () if model in (NeighborContrast, SelfLabeling) else (3,)
    make = (
        (lambda: model(3, two)) if model is DifferentiableKMeans else lambda: model(two, *arguments)
    )
    message = r"Expected `encoder` to take one input\. Received: 2 of shapes \[\(None, 5\), \(None"
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_first_batch_of_a_dataset_that_is_too_small_is_named(method):
    model = KMeansLoss(encoder(), 3)
    model.compile("adam")
    weights = model.get_weights()
    batches = tf.data.Dataset.from_tensor_slices(X).batch(2)
    message = r"^Expected a first batch of at least n_clusters=3 samples\. Received: a batch of 2$"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(batches, verbose=0)
    for weight, same in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_export_before_a_call(tmp_path):
    message = r"Expected a model with centroids.* Received: one that is not built\."
    with pytest.raises(ValueError, match=message):
        DifferentiableKMeans(3).export(tmp_path / "none", verbose=False)
    model = placed_soft()
    model.export(tmp_path / "placed", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "placed"))
    np.testing.assert_allclose(loaded.serve(X), model.predict(X, verbose=0), rtol=1e-5)


@every_model
@pytest.mark.parametrize("method", ["fit", "predict", "initialize"])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.coo_array])
def test_sparse_matrices_are_refused_by_type(make, method, kind):
    model = make()
    if not hasattr(model, method):
        return
    if method == "fit":
        compile_with(model, "sgd")
    call = (lambda x: fit(model, x)) if method == "fit" else getattr(model, method)
    weights = model.get_weights()
    message = rf"^Expected `x` to be a dense array.*\. Received: .*{kind.__name__}.*x\.toarray\(\)"
    with pytest.raises(TypeError, match=message):
        call(kind(X))
    for weight, same in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        *(("dec", "fit"), ("dec", "initialize"), ("differentiable-kmeans", "initialize")),
        *(("neighbor-contrast", "fit"), ("self-labeling", "fit")),
    ],
)
def test_generators_are_refused_by_type_where_all_samples_are_needed(name, method):
    model = MAKE[name]()
    call = (lambda x: fit(model, x)) if method == "fit" else getattr(model, method)
    message = r"^Expected `x` to be a dense array of all samples, .*Received: <class 'generator'>$"
    with pytest.raises(TypeError, match=message):
        call(row for row in X)


def warnings_of_samples(caplog):
    return [text for text in caplog.messages if text.startswith("Expected samples like those")]


@every_model
def test_samples_of_another_scale_are_warned_of_once(make, caplog, tmp_path):
    model = make()
    compile_with(model, keras.optimizers.Adam(0.05))
    model.predict(255 * X, verbose=0)  # Not known yet.
    fit(model)
    model.predict(X, verbose=0)
    model.predict(X[:1] + 0.5, verbose=0)
    assert not warnings_of_samples(caplog)
    model.save(tmp_path / "model.keras")
    for _ in range(2):
        model.predict(255 * X, verbose=0)
    (warning,) = warnings_of_samples(caplog)
    figures = [f"{s * X.min():.4g} to {s * X.max():.4g} with a mean of" for s in (1, 255)]
    assert f"like those that {model.name} was trained on, {figures[0]}" in warning
    assert f"Received: {figures[1]}" in warning
    caplog.clear()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.predict(255 * X, verbose=0)
    assert len(warnings_of_samples(caplog)) == 1


def test_samples_are_expected_like_those_of_the_last_training():
    model = MAKE["autoencoder"]()
    compile_with(model, "sgd")
    for scale in (1, 255):
        fit(model, scale * X)
        assert model.training_samples.high == pytest.approx(scale * X.max())


def test_dec_expects_the_samples_of_its_autoencoder(caplog):
    autoencoder = MAKE["autoencoder"]()
    compile_with(autoencoder, "sgd")
    fit(autoencoder)
    DEC(autoencoder, 3).initialize(X, n_init=1, random_state=0)
    assert not warnings_of_samples(caplog)
    dec = DEC(autoencoder, 3)
    dec.clustering.clusters.assign(dec.encoder(255 * X[:3]))
    fit(dec, 255 * X)
    assert len(warnings_of_samples(caplog)) == 1


def test_samples_of_a_dataset_are_not_looked_at():
    model = MAKE["kmeans-loss"]()
    compile_with(model, "sgd")
    fit(model, tf.data.Dataset.from_tensors(X))
    assert model.training_samples is None
