"""Builders of encoders with batch normalisation, for training without a decoder."""

from collections.abc import Sequence
from numbers import Real

import keras

from kdec.autoencoders.building import (
    CHANNELS_LAST,
    code_dtype,
    image_sizes,
    positive_ints,
    uniform_initializers,
)
from kdec.autoencoders.fused_normalization import FusedBatchNormalization

# Keras' 0.99 lags hundreds of steps behind the weights: a network that is right in training then
# predicts nonsense.
_MOMENTUM = 0.9
_LARGE_SIDE = 20  # from above which the first convolution makes the image smaller
_SIDE_AFTER_FIRST = 16  # about that of an image of 32 pixels, whatever comes in


def conv_encoder(
    image_shape: Sequence[int] = (28, 28, 1),
    embedding_units: int = 32,
    *,
    dropout: float = 0.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Build a convolutional encoder with batch normalisation.

    Conv 32 5x5 stride 2, Conv 64 3x3 stride 2, Conv 128 3x3, max-pool 2, Conv 128 3x3, each with
    batch normalisation and relu; then the linear embedding. Images of up to 20 pixels keep their
    size in the first convolution, which is then 3x3. From 48 pixels on its stride s grows to
    a sixteenth of the shorter side, and its kernel to 2 s + 1: large images train about as fast as
    small ones. With `embedding_units` the number of clusters it is a classifier that gives logits.

    Args:
        image_shape: Height and width of at least 4, channels. Defaults to (28, 28, 1).
        embedding_units: Positive int. Defaults to 32.
        dropout: Float in [0, 1), share of the features before the embedding that are dropped in
            training. Defaults to 0.0.
        dtype: Keras dtype policy of all layers but the last, which is float32 at least, such as
            "mixed_bfloat16". Defaults to None: Keras' global policy.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        A Keras model, `(batch, *image_shape)` -> (batch, embedding_units), not compiled.

    Raises:
        ValueError: If an argument is not of such sizes.

    Example:
    >>> import kdec
    >>> encoder = kdec.autoencoders.conv_encoder(seed=0)
    >>> encoder.output_shape, encoder.count_params()
    ((None, 32), 278720)
    >>> kdec.autoencoders.conv_encoder((8, 8, 3), 10).output_shape
    (None, 10)
    """
    image_shape, embedding_units = image_sizes(image_shape, embedding_units, least_side=4)
    _check_dropout(dropout)
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    side = min(image_shape[:2])
    stride = max(2, side // _SIDE_AFTER_FIRST) if side > _LARGE_SIDE else 1

    def convolution(inputs, filters, kernel_size, strides=1):
        outputs = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer(),
            data_format=CHANNELS_LAST,
            dtype=dtype,
        )(inputs)
        return _normalized(outputs, FusedBatchNormalization, dtype)

    inputs = keras.Input(image_shape, name="encoder_input")
    outputs = convolution(inputs, 32, 2 * stride + 1, strides=stride)
    outputs = convolution(outputs, 64, 3, strides=2)
    outputs = convolution(outputs, 128, 3)
    outputs = keras.layers.MaxPooling2D(2, data_format=CHANNELS_LAST, dtype=dtype)(outputs)
    outputs = convolution(outputs, 128, 3)
    outputs = keras.layers.Flatten(CHANNELS_LAST, dtype=dtype)(outputs)
    outputs = _embedding(outputs, embedding_units, dropout, dtype, initializer(), seed)
    return keras.Model(inputs, outputs, name="encoder")


def dense_encoder(
    dims: Sequence[int],
    *,
    dropout: float = 0.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Build a fully connected encoder with batch normalisation.

    Each hidden layer is linear, normalised, relu; the embedding is linear. With as many units as
    clusters it is a classifier that gives logits.

    Args:
        dims: At least three positive ints: features of a sample, hidden units, embedding units,
            such as (64, 500, 500, 32).
        dropout: Float in [0, 1), share of the features before the embedding that are dropped in
            training. Defaults to 0.0.
        dtype: Keras dtype policy of all layers but the last, which is float32 at least, such as
            "mixed_bfloat16". Defaults to None: Keras' global policy.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        A Keras model, (batch, dims[0]) -> (batch, dims[-1]), not compiled.

    Raises:
        ValueError: If an argument is not of such sizes.

    Example:
    >>> import kdec
    >>> kdec.autoencoders.dense_encoder((64, 500, 500, 32), seed=0).output_shape
    (None, 32)
    """
    checked = positive_ints(dims)
    if len(checked) < 3:
        raise ValueError(
            "Expected `dims` to be at least three positive ints: inputs, hidden units, embedding. "
            f"Received: dims={dims!r}"
        )
    _check_dropout(dropout)
    n_features, *hidden_units, embedding_units = checked
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    inputs = outputs = keras.Input((n_features,), name="encoder_input")
    for units in hidden_units:
        outputs = keras.layers.Dense(
            units, use_bias=False, kernel_initializer=initializer(), dtype=dtype
        )(outputs)
        outputs = _normalized(outputs, keras.layers.BatchNormalization, dtype)
    outputs = _embedding(outputs, embedding_units, dropout, dtype, initializer(), seed)
    return keras.Model(inputs, outputs, name="encoder")


def _check_dropout(dropout):
    if not isinstance(dropout, Real) or not 0 <= dropout < 1:
        raise ValueError(f"Expected `dropout` to be in [0, 1). Received: dropout={dropout!r}")


def _normalized(inputs, normalization, dtype):
    outputs = normalization(momentum=_MOMENTUM, dtype=dtype)(inputs)
    return keras.layers.ReLU(dtype=dtype)(outputs)


def _embedding(inputs, units, dropout, dtype, initializer, seed):
    """The linear last layer."""
    if dropout:
        inputs = keras.layers.Dropout(dropout, seed=seed, dtype=dtype)(inputs)
    return keras.layers.Dense(
        units, kernel_initializer=initializer, dtype=code_dtype(dtype), name="embedding"
    )(inputs)
