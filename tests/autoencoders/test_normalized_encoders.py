"""Encoders with batch normalisation: shapes for any image, seeds, precision of the last layer."""

import keras
import numpy as np
import pytest

from kdec.autoencoders import conv_encoder, dense_encoder

BUILDERS = {
    "conv": lambda **options: conv_encoder((8, 8, 1), 5, **options),
    "dense": lambda **options: dense_encoder((64, 20, 20, 5), **options),
}


@pytest.mark.parametrize("shape", [(4, 4, 1), (8, 8, 1), (21, 30, 3), (28, 28, 1), (64, 33, 2)])
def test_images_of_any_size_have_codes(shape):
    encoder = conv_encoder(shape, 7)
    assert encoder.output_shape == (None, 7)
    assert np.isfinite(encoder(np.ones((2, *shape), "float32"))).all()


@pytest.mark.parametrize(
    ("side", "stride"), [(20, 1), (21, 2), (47, 2), (48, 3), (64, 4), (128, 8)]
)
def test_large_images_are_made_small_at_once(side, stride):
    first = conv_encoder((side, side + 9, 3)).layers[1]
    assert (first.kernel_size, first.strides) == ((2 * stride + 1,) * 2, (stride,) * 2)


def test_convolutions_are_those_of_the_record():
    kernels = [
        (layer.kernel_size, layer.strides, layer.filters)
        for layer in conv_encoder().layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert kernels == [
        ((5, 5), (2, 2), 32),
        ((3, 3), (2, 2), 64),
        ((3, 3), (1, 1), 128),
        ((3, 3), (1, 1), 128),
    ]


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_moving_statistics_have_momentum_0_9(build):
    layers = [
        layer for layer in build().layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(layers) >= 2
    assert {layer.momentum for layer in layers} == {0.9}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_seed_fixes_the_weights(build):
    one, same, other = (build(seed=seed).get_weights() for seed in (3, 3, 4))
    for array, equal in zip(one, same, strict=True):
        np.testing.assert_array_equal(array, equal)
    assert any(np.any(array != another) for array, another in zip(one, other, strict=True))


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
@pytest.mark.parametrize(
    ("dtype", "inner", "last"),
    [
        ("mixed_bfloat16", "bfloat16", "float32"),
        ("bfloat16", "bfloat16", "float32"),
        ("float64", "float64", "float64"),
        (None, "float32", "float32"),
    ],
)
def test_last_layer_has_full_precision(build, dtype, inner, last):
    layers = build(dtype=dtype, dropout=0.5).layers
    assert {layer.compute_dtype for layer in layers[1:-1]} == {inner}
    assert layers[-1].compute_dtype == last


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_dropout_acts_in_training_alone(build):
    encoder = build(dropout=0.5, seed=0)
    x = np.random.default_rng(0).random((3, *encoder.input_shape[1:]), dtype="float32")
    np.testing.assert_array_equal(encoder(x), encoder(x))
    assert np.any(encoder(x, training=True) != encoder(x, training=True))


@pytest.mark.parametrize("dims", [(64, 10), (64, 0, 3), 64, (64, 2.5, 3)])
def test_wrong_dims_are_an_error(dims):
    with pytest.raises(ValueError, match="Expected `dims` to be at least three positive ints"):
        dense_encoder(dims)


@pytest.mark.parametrize("shape", [(3, 8, 1), (28, 28), (28, 28, 0)])
def test_wrong_image_shape_is_an_error(shape):
    with pytest.raises(ValueError, match="Expected `image_shape` to be"):
        conv_encoder(shape)
