"""Autoencoder: what it computes, that it trains and comes back as any Keras model."""

import keras
import numpy as np
import pytest
from small_models import convolutional

from kdec import autoencoders
from kdec.autoencoders import Autoencoder, dense


@pytest.fixture
def x():
    return np.random.default_rng(0).random((50, 6), dtype="float32")


def relu(values):
    return np.maximum(values, 0)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def forward(x, model, activations):
    """Dense layers by NumPy in float64."""
    arrays = [np.asarray(weight, "float64") for weight in model.weights]
    for kernel, bias, activation in zip(arrays[::2], arrays[1::2], activations, strict=True):
        x = activation(x @ kernel + bias)
    return x


def identity(values):
    return values


def test_default_is_the_network_of_the_paper():
    autoencoder = dense()
    units = [layer.units for layer in autoencoder.encoder.layers[1:]]
    assert units == [500, 500, 2000, 10]
    units = [layer.units for layer in autoencoder.decoder.layers[1:]]
    assert units == [2000, 500, 500, 784]
    # (784 + 1) * 500 + (500 + 1) * 500 + (500 + 1) * 2000 + (2000 + 1) * 10, and mirrored.
    assert autoencoder.encoder.count_params() == 1_665_010
    assert autoencoder.decoder.count_params() == 1_665_784
    kernel = np.asarray(autoencoder.encoder.layers[1].kernel)
    assert np.abs(kernel).max() <= np.sqrt(1 / 784)
    assert kernel.var() == pytest.approx(1 / (3 * 784), rel=0.01)


def test_each_part_has_its_activation(x):
    autoencoder = dense(
        (6, 5, 4, 2),
        "relu",
        decoder_activation="sigmoid",
        embedding_activation="tanh",
        output_activation="sigmoid",
    )
    z = forward(x, autoencoder.encoder, [relu, relu, np.tanh])
    x_hat = forward(z, autoencoder.decoder, [sigmoid, sigmoid, sigmoid])
    np.testing.assert_allclose(autoencoder.encoder(x), z, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(autoencoder(x), x_hat, rtol=1e-4, atol=1e-6)


def test_decoder_has_the_encoders_activation_by_default_and_the_ends_are_linear(x):
    autoencoder = dense((6, 5, 2), "tanh")
    z = forward(x, autoencoder.encoder, [np.tanh, identity])
    x_hat = forward(z, autoencoder.decoder, [np.tanh, identity])
    np.testing.assert_allclose(autoencoder(x), x_hat, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dims", [(6, 2), (6, 5, 2), (6, 9, 8, 7, 5, 4, 3, 2)])
def test_any_depth(dims, x):
    autoencoder = dense(dims, seed=0)
    assert len(autoencoder.encoder.weights) == len(autoencoder.decoder.weights)
    assert len(autoencoder.encoder.weights) == 2 * (len(dims) - 1)
    assert autoencoder(x).shape == x.shape
    assert autoencoder.encoder(x).shape == (50, dims[-1])


def test_seed_decides_the_weights():
    one, same, other = dense((6, 3), seed=1), dense((6, 3), seed=1), dense((6, 3), seed=2)
    for a, b, c in zip(one.weights, same.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.any(np.asarray(a)) or not np.array_equal(a, c)


def test_global_seed_decides_the_weights_where_none_is_given():
    keras.utils.set_random_seed(5)
    first = dense((6, 3)).get_weights()
    second = dense((6, 3)).get_weights()
    keras.utils.set_random_seed(5)
    again = dense((6, 3)).get_weights()
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize(
    "dims", [(), (6,), (6, 0), (6, -1), (6, 2.0), (6, None), ("6", 2), 784, None]
)
def test_dims_that_are_no_two_positive_ints_are_rejected(dims):
    with pytest.raises(ValueError, match=r"`dims` to be at least two positive ints.*Received: di"):
        dense(dims)


def test_dims_may_be_numpy_ints(tmp_path):
    dense(np.array([6, 3])).save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").encoder.output_shape == (None, 3)


@pytest.mark.parametrize("build", ["dense", "sigmoid", "conv", "conv_upsampling", "conv_pooling"])
def test_codes_are_in_float32_where_the_layers_compute_in_bfloat16(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = getattr(autoencoders, build)(seed=0).encoder
    finally:
        keras.config.set_dtype_policy(policy)
    assert encoder.layers[1].compute_dtype == "bfloat16"
    assert encoder.outputs[0].dtype == "float32"
    assert {weight.dtype for weight in encoder.weights} == {"float32"}


def test_fit_reproduces_the_input_and_reports_loss_and_metrics(x):
    autoencoder = dense((6, 5, 2), seed=0)
    autoencoder.compile("sgd", loss="mse", metrics=["mae"])
    before = np.mean((np.asarray(autoencoder(x)) - x) ** 2, dtype="float64")
    error = np.mean(np.abs(np.asarray(autoencoder(x)) - x), dtype="float64")
    # One batch: the loss is that of the weights before the step.
    history = autoencoder.fit(x, batch_size=50, validation_data=(x[:20], None), verbose=0).history
    assert sorted(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert history["loss"] == [pytest.approx(before, rel=1e-5)]
    assert history["mae"] == [pytest.approx(error, rel=1e-5)]
    after = np.mean((np.asarray(autoencoder(x[:20])) - x[:20]) ** 2)
    assert history["val_loss"] == [pytest.approx(after, rel=1e-5)]
    assert autoencoder.evaluate(x[:20], verbose=0)[0] == pytest.approx(after, rel=1e-5)


def test_target_other_than_the_input_counts(x):
    autoencoder = dense((6, 2), seed=0)
    autoencoder.compile("sgd", loss="mse")
    expected = np.mean((np.asarray(autoencoder(x)) - 1) ** 2)
    loss = autoencoder.evaluate(x, np.ones_like(x), verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_validation_may_be_a_split(x):
    autoencoder = dense((6, 2))
    autoencoder.compile("adam", loss="mse")
    history = autoencoder.fit(x, validation_split=0.2, epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2


@pytest.mark.parametrize("channel_axis", [False, True])
def test_images_are_compared_pixel_by_pixel(channel_axis):
    images = np.random.default_rng(0).random((10, 8, 8), dtype="float32")
    autoencoder = convolutional()
    autoencoder.compile("sgd", loss="mse", metrics=["mae"])
    x_hat = np.asarray(autoencoder(images))
    assert x_hat.shape == (10, 8, 8, 1)
    expected = np.mean((x_hat[..., 0] - images) ** 2)
    x = images[..., None] if channel_axis else images
    assert autoencoder.evaluate(x, verbose=0)[0] == pytest.approx(expected, rel=1e-5)
    history = autoencoder.fit(x, batch_size=10, verbose=0).history
    assert history["loss"] == [pytest.approx(expected, rel=1e-5)]


def test_sequential_parts_fit_too(x):
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])
    assert Autoencoder(encoder, decoder)(x).shape == x.shape


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD(1.0, momentum=0.9)])
def test_saved_model_comes_back_whole_and_trains_on(optimizer, tmp_path, x):
    autoencoder = dense((6, 5, 2), seed=0)
    autoencoder.compile(keras.optimizers.get(optimizer), loss="mse")
    autoencoder.fit(x, epochs=2, shuffle=False, verbose=0)
    autoencoder.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, Autoencoder)
    np.testing.assert_array_equal(loaded(x), autoencoder(x))
    np.testing.assert_array_equal(loaded.encoder(x), autoencoder.encoder(x))
    for model in (autoencoder, loaded):
        model.fit(x, epochs=2, shuffle=False, verbose=0)
    for weight, same in zip(autoencoder.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_uncompiled_model_saves_too(tmp_path, x):
    autoencoder = convolutional()
    autoencoder.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = np.ones((2, 8, 8, 1), "float32")
    np.testing.assert_array_equal(loaded(images), autoencoder(images))


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5", "a.hdf5"])
def test_weights_come_back_from(name, tmp_path, x):
    autoencoder, other = dense((6, 5, 2), seed=0), dense((6, 5, 2), seed=1)
    autoencoder.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other(x), autoencoder(x))


@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5"])
def test_weights_of_other_shapes_are_rejected(name, tmp_path):
    dense((6, 5, 2)).save_weights(tmp_path / name)
    with pytest.raises(ValueError):
        dense((6, 4, 2)).load_weights(tmp_path / name)


def test_parts_that_are_no_models_are_rejected():
    with pytest.raises(TypeError, match=r"Expected `encoder` to be a keras\.Model\. Received: "):
        Autoencoder(keras.layers.Dense(2), dense((6, 2)).decoder)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("part", [keras.Sequential([keras.layers.Dense(6)]), Subclassed()])
def test_parts_without_known_shapes_are_rejected(part):
    with pytest.raises(ValueError, match="Expected `decoder` to be a functional or a built Seq"):
        Autoencoder(dense((6, 2)).encoder, part)


@pytest.mark.parametrize("dims", [(6, 3), (5, 2)])
def test_parts_that_do_not_fit_are_rejected(dims):
    expected = r"Expected a decoder \(None, 2\) -> \(None, 6\).*Received: decoder \(None, "
    with pytest.raises(ValueError, match=expected):
        Autoencoder(dense((6, 2)).encoder, dense(dims).decoder)


def test_labels_as_a_target_are_refused(x):
    autoencoder = dense((6, 3), seed=0)
    autoencoder.compile("sgd", "mse")
    before = autoencoder.get_weights()
    with pytest.raises(ValueError, match=r"Expected a target of the reconstruction's shape"):
        autoencoder.fit(x, np.arange(50) % 3, verbose=0)
    np.testing.assert_array_equal(before[0], autoencoder.get_weights()[0])


def test_seed_may_be_a_numpy_int():
    one, same = dense((6, 3), seed=1), dense((6, 3), seed=np.int64(1))
    np.testing.assert_array_equal(one.get_weights()[0], same.get_weights()[0])


@pytest.mark.parametrize("seed", [-1, True, 1.0, "1"])
def test_seed_that_is_no_non_negative_int_is_rejected(seed):
    with pytest.raises(ValueError, match=r"Expected `seed` to be an int of at least 0.*Received"):
        dense((6, 3), seed=seed)


def test_model_exports_without_a_signature(tmp_path, x):
    import tensorflow as tf

    autoencoder = dense((6, 3), seed=0)
    autoencoder.export(tmp_path / "folder", verbose=False)
    expected = autoencoder.predict(x, verbose=0)
    loaded = tf.saved_model.load(str(tmp_path / "folder"))
    x_hat = loaded.serve(x)
    np.testing.assert_allclose(x_hat, expected, rtol=1e-5, atol=1e-6)
