"""Fused batch normalisation: what Keras' own computes, in one kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kdec.autoencoders.fused_normalization import FusedBatchNormalization


def train(layer, x):
    """Return outputs, gradients and moving statistics of one training step of a layer."""
    x = tf.constant(x)
    layer.build(x.shape)
    layer.gamma.assign(np.linspace(0.5, 2, x.shape[-1]))
    layer.beta.assign(np.linspace(-1, 1, x.shape[-1]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=True)
        loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 3)
    variables = [x, layer.gamma.value, layer.beta.value]
    gradients = tape.gradient(loss, variables)
    return [outputs, *gradients, layer.moving_mean.value, layer.moving_variance.value]


def assert_alike(x, dtype, rtol, **options):
    own, keras_own = (
        train(make(momentum=0.9, dtype=dtype, **options), x)
        for make in (FusedBatchNormalization, keras.layers.BatchNormalization)
    )
    for value, expected in zip(own, keras_own, strict=True):
        assert value.dtype == expected.dtype
        expected = np.asarray(tf.cast(expected, "float64"))
        scale = max(1.0, abs(expected).max())
        np.testing.assert_allclose(
            np.asarray(tf.cast(value, "float64")), expected, atol=rtol * scale
        )


@pytest.mark.parametrize(
    ("dtype", "rtol"), [("float32", 1e-5), ("float64", 1e-12), ("mixed_bfloat16", 2e-2)]
)
def test_step_is_that_of_keras(dtype, rtol):
    x = np.random.default_rng(0).normal(1, 2, (5, 4, 3, 2)).astype(np.float32)
    assert_alike(x, dtype, rtol)


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (7, 2)])
def test_one_pixel_and_vectors_are_normalised_as_keras_does(shape):
    x = np.random.default_rng(0).normal(1, 2, shape).astype(np.float32)
    assert_alike(x, "float32", 1e-5)


@pytest.mark.parametrize("options", [{"axis": 1}, {"scale": False}, {"renorm": True}])
def test_options_that_no_kernel_has_are_keras_own(options):
    x = np.random.default_rng(0).normal(1, 2, (5, 2, 2, 2)).astype(np.float32)
    layers = [
        make(momentum=0.9, **options)
        for make in (FusedBatchNormalization, keras.layers.BatchNormalization)
    ]
    own, expected = (np.asarray(layer(x, training=True)) for layer in layers)
    np.testing.assert_array_equal(own, expected)


def test_images_take_one_operation():
    layer = FusedBatchNormalization()
    step = tf.function(lambda x: layer(x, training=True))
    concrete = step.get_concrete_function(tf.TensorSpec((None, 4, 4, 2)))
    names = [operation.type for operation in concrete.graph.get_operations()]
    assert names.count("FusedBatchNormV3") == 1
    assert not {"Mean", "SquaredDifference", "Rsqrt"} & set(names)


def test_frozen_layer_and_prediction_use_the_moving_statistics():
    x = np.random.default_rng(0).normal(3, 2, (5, 4, 4, 2)).astype(np.float32)
    layer = FusedBatchNormalization()
    expected = x / np.sqrt(1 + 1e-3)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)
    layer.trainable = False
    np.testing.assert_allclose(layer(x, training=True), expected, rtol=1e-5)
