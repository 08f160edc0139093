"""The convolutional autoencoders: the source's shapes, any image size, training and saving."""

import itertools

import keras
import numpy as np
import pytest

import kdec
from kdec.autoencoders import (
    conv,
    conv_encoder,
    conv_pooling,
    conv_pooling_encoder,
    conv_upsampling,
)

SIZES = [(28, 28, 1), (32, 32, 3), (64, 64, 1), (96, 96, 3), (29, 29, 1), (31, 31, 2)]
SIZES += [(4, 4, 1), (5, 5, 1), (7, 7, 1), (8, 8, 1), (9, 12, 1), (20, 33, 3), (47, 18, 1)]


def output_shapes(model):
    return [layer.output.shape[1:] for layer in model.layers[1:]]


def test_conv_has_the_layers_and_parameters_of_the_source():
    autoencoder = conv()
    assert autoencoder.count_params() == 275_979
    assert output_shapes(autoencoder.encoder) == [
        (14, 14, 32),
        (7, 7, 64),
        (3, 3, 128),
        (1152,),
        (10,),
    ]
    assert output_shapes(autoencoder.decoder) == [
        (1152,),
        (3, 3, 128),
        (7, 7, 64),
        (14, 14, 32),
        (28, 28, 1),
    ]
    activations = [
        [layer.activation.__name__ for layer in part.layers if hasattr(layer, "activation")]
        for part in (autoencoder.encoder, autoencoder.decoder)
    ]
    assert activations == [["relu"] * 3 + ["linear"], ["relu"] * 3 + ["linear"]]


def test_conv_upsampling_has_the_layers_of_the_source():
    autoencoder = conv_upsampling()
    encoder, decoder = output_shapes(autoencoder.encoder), output_shapes(autoencoder.decoder)
    assert encoder == [(14, 14, 16), (7, 7, 8), (4, 4, 8), (128,), (10,)]
    assert decoder[:2] == [(128,), (4, 4, 8)]
    assert decoder[-1] == (28, 28, 1)
    assert sum(isinstance(layer, keras.layers.UpSampling2D) for layer in decoder_layers()) == 3
    assert autoencoder.encoder.layers[-1].activation.__name__ == "relu"
    assert autoencoder.decoder.layers[-1].activation.__name__ == "sigmoid"


def decoder_layers():
    return conv_upsampling().decoder.layers


@pytest.mark.parametrize("build", [conv, conv_upsampling])
@pytest.mark.parametrize("image_shape", SIZES, ids=str)
def test_output_size_equals_input_size(build, image_shape):
    autoencoder = build(image_shape, embedding_units=4, seed=0)
    x = np.random.default_rng(0).random((2, *image_shape), dtype="float32")
    assert keras.ops.shape(autoencoder(x)) == x.shape
    assert keras.ops.shape(autoencoder.encoder(x)) == (2, 4)


@pytest.mark.parametrize("build", [conv, conv_upsampling])
@pytest.mark.parametrize(
    "image_shape", [(3, 28, 1), (28, 28), (28, 28, 0), (28.0, 28, 1), 28, None], ids=str
)
def test_size_that_cannot_work_is_an_error(build, image_shape):
    with pytest.raises(ValueError, match=r"Expected `image_shape`.*at least 4.*Received"):
        build(image_shape)


@pytest.mark.parametrize("build", [conv, conv_upsampling])
def test_other_bad_arguments_are_errors(build):
    with pytest.raises(ValueError, match="Expected `filters` to be three positive ints"):
        build(filters=(8, 8))
    with pytest.raises(ValueError, match=r"Expected `filters` .* Received: filters=8"):
        build(filters=8)
    with pytest.raises(ValueError, match="Expected `embedding_units`"):
        build(embedding_units=0)


@pytest.mark.parametrize("build", [conv, conv_upsampling])
def test_trains_and_comes_back_whole(build, tmp_path):
    x = kdec.load_data("mnist-5k").x[::50]
    autoencoder = build(filters=(4, 4, 4), seed=0)
    autoencoder.compile(keras.optimizers.Adam(0.01), loss="mse")
    loss = autoencoder.fit(x, epochs=4, batch_size=20, verbose=0).history["loss"]
    assert loss[-1] < loss[0]
    autoencoder.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), autoencoder.predict(x, verbose=0))


@pytest.mark.parametrize("seed", [0, 3, None])
@pytest.mark.parametrize(
    "build",
    [
        lambda seed: kdec.autoencoders.dense((50, 40, 40, 30), seed=seed),
        lambda seed: kdec.autoencoders.sigmoid((50, 40, 40, 30), seed=seed),
        lambda seed: conv((8, 8, 1), filters=(16, 16, 16), embedding_units=30, seed=seed),
        lambda seed: conv_upsampling((8, 8, 1), filters=(16, 16, 16), seed=seed),
        lambda seed: kdec.autoencoders.conv_pooling((16, 16, 1), seed=seed),
    ],
    ids=["dense", "sigmoid", "conv", "conv_upsampling", "conv_pooling"],
)
def test_layers_start_independent_of_each_other(build, seed):
    weights = build(seed).get_weights()
    kernels = [weight.ravel() for weight in weights if weight.ndim > 1 and weight.size > 200]
    assert len(kernels) > 3
    for one, other in itertools.combinations(kernels, 2):
        n = min(one.size, other.size)
        # Five standard deviations of what chance gives.
        assert abs(np.corrcoef(one[:n], other[:n])[0, 1]) < 5 / np.sqrt(n)


def test_numpy_sizes_count_as_ints():
    sizes = np.array([8, 8, 1]), np.array([2, 2, 2]), np.int64(3)
    assert conv(*sizes).encoder.output_shape == conv_upsampling(*sizes).encoder.output_shape
    assert kdec.autoencoders.sigmoid(np.array([8, 8, 3])).encoder.output_shape == (None, 3)


def test_seed_decides_the_weights():
    same, other = (conv(filters=(2, 2, 2), seed=seed).get_weights() for seed in (0, 1))
    again = conv(filters=(2, 2, 2), seed=0).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(same, again, strict=True))
    assert not np.array_equal(same[0], other[0])


@pytest.fixture
def channels_first():
    """Keras set to images of shape (channels, height, width)."""
    data_format = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(data_format)


@pytest.mark.parametrize(
    "build", [conv, conv_upsampling, conv_pooling, conv_pooling_encoder, conv_encoder]
)
def test_images_are_channels_last_whatever_keras_is_set_to(build, channels_first):
    x = np.random.default_rng(0).random((2, 20, 16, 3), dtype="float32")
    model = build((20, 16, 3), embedding_units=4, seed=0)
    found = np.asarray(model(x))
    keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(found, build((20, 16, 3), embedding_units=4, seed=0)(x))


def test_views_of_images_are_channels_last_whatever_keras_is_set_to(channels_first):
    x = np.random.default_rng(0).random((2, 20, 16, 3), dtype="float32")
    found = np.asarray(kdec.views.RandomAffine(seed=0)(x, training=True))
    keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(found, kdec.views.RandomAffine(seed=0)(x, training=True))
