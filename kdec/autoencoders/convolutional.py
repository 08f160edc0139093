"""Builders of convolutional autoencoders, and of an encoder alone."""

import math
from collections.abc import Sequence

import keras

from kdec.autoencoders.building import (
    CHANNELS_LAST,
    code_dtype,
    image_sizes,
    positive_ints,
    uniform_initializers,
)
from kdec.autoencoders.model import Autoencoder


def conv(
    image_shape: Sequence[int] = (28, 28, 1),
    filters: Sequence[int] = (32, 64, 128),
    embedding_units: int = 10,
    *,
    seed: int | None = None,
) -> Autoencoder:
    """Build a convolutional autoencoder: three strided convolutions, and three transposed back.

    Conv 5x5, 5x5, 3x3, each with stride 2 and relu, then the linear embedding; Dense with relu,
    transposed convolutions 3x3, 5x5 with relu, and a linear one 5x5 to the image. Each convolution
    halves height and width, rounded up; the third, on odd sides, rounds down instead.

    Args:
        image_shape: Height and width of at least 4, channels. Defaults to (28, 28, 1).
        filters: Three positive ints, channels of the convolutions. Defaults to (32, 64, 128).
        embedding_units: Positive int. Defaults to 10.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        An `Autoencoder`, `(batch, *image_shape) -> (batch, *image_shape)`, not compiled.

    Raises:
        ValueError: If an argument is not of such sizes.

    Reference:
        Guo, Liu, Zhu, Yin, Deep Clustering with Convolutional Autoencoders (2017), section 3.1.

    Example:
    >>> import kdec
    >>> autoencoder = kdec.autoencoders.conv()
    >>> autoencoder.count_params()
    275979
    >>> kdec.autoencoders.conv((33, 47, 3)).decoder.output_shape
    (None, 33, 47, 3)
    """
    image_shape, embedding_units = image_sizes(image_shape, embedding_units, least_side=4)
    filters = _three_filters(filters)
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    sides = _halvings(image_shape[:2])
    kernels, paddings = (5, 5, 3), ["same", "same", "same"]
    if all(side % 2 and side > 1 for side in sides[2]):
        paddings[2], sides[3] = "valid", tuple(side // 2 for side in sides[2])

    inputs = outputs = keras.Input(image_shape, name="encoder_input")
    for n_filters, kernel, padding in zip(filters, kernels, paddings, strict=True):
        outputs = keras.layers.Conv2D(
            n_filters,
            kernel,
            strides=2,
            padding=padding,
            activation="relu",
            kernel_initializer=initializer(),
            data_format=CHANNELS_LAST,
        )(outputs)
    outputs = keras.layers.Flatten(CHANNELS_LAST)(outputs)
    outputs = keras.layers.Dense(
        embedding_units, kernel_initializer=initializer(), dtype=code_dtype(), name="embedding"
    )(outputs)
    encoder = keras.Model(inputs, outputs, name="encoder")

    inputs, outputs = _unflatten(embedding_units, (*sides[3], filters[2]), initializer())
    channels = (filters[1], filters[0], image_shape[2])
    for step, n_filters in zip((2, 1, 0), channels, strict=True):
        valid = paddings[step] == "valid"
        outputs = keras.layers.Conv2DTranspose(
            n_filters,
            kernels[step],
            strides=2,
            padding=paddings[step],
            output_padding=None if valid else tuple(1 - side % 2 for side in sides[step]),
            activation="relu" if step else "linear",
            kernel_initializer=initializer(),
            data_format=CHANNELS_LAST,
        )(outputs)
    decoder = keras.Model(inputs, outputs, name="decoder")
    return Autoencoder(encoder, decoder, name="conv_autoencoder")


def conv_upsampling(
    image_shape: Sequence[int] = (28, 28, 1),
    filters: Sequence[int] = (16, 8, 8),
    embedding_units: int = 10,
    *,
    seed: int | None = None,
) -> Autoencoder:
    """Build a small convolutional autoencoder whose decoder repeats pixels, then convolves.

    Three convolutions 3x3 with stride 2, and the embedding, all relu; in the decoder Dense, then
    three times a convolution 3x3 with relu and an upsampling by 2, cropped to the side on the way
    in, and a convolution 3x3 with sigmoid. Upsampling avoids the checkerboards that transposed
    convolutions can leave.

    Args:
        image_shape: Height and width of at least 4, channels. Defaults to (28, 28, 1).
        filters: Three positive ints, channels of the convolutions. Defaults to (16, 8, 8).
        embedding_units: Positive int. Defaults to 10.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        An `Autoencoder`, `(batch, *image_shape) in [0, 1] -> (batch, *image_shape)`, not compiled.

    Raises:
        ValueError: If an argument is not of such sizes.

    Reference:
        Odena, Dumoulin, Olah, Deconvolution and Checkerboard Artifacts (2016).

    Example:
    >>> import kdec
    >>> kdec.autoencoders.conv_upsampling((30, 21, 1)).decoder.output_shape
    (None, 30, 21, 1)
    """
    image_shape, embedding_units = image_sizes(image_shape, embedding_units, least_side=4)
    filters = _three_filters(filters)
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    sides = _halvings(image_shape[:2])

    def convolution(n_filters, activation, strides=1):
        return keras.layers.Conv2D(
            n_filters,
            3,
            strides=strides,
            padding="same",
            activation=activation,
            kernel_initializer=initializer(),
            data_format=CHANNELS_LAST,
        )

    inputs = outputs = keras.Input(image_shape, name="encoder_input")
    for n_filters in filters:
        outputs = convolution(n_filters, "relu", strides=2)(outputs)
    outputs = keras.layers.Flatten(CHANNELS_LAST)(outputs)
    outputs = keras.layers.Dense(
        embedding_units,
        activation="relu",
        kernel_initializer=initializer(),
        dtype=code_dtype(),
        name="embedding",
    )(outputs)
    encoder = keras.Model(inputs, outputs, name="encoder")

    inputs, outputs = _unflatten(embedding_units, (*sides[3], filters[2]), initializer())
    for step in (2, 1, 0):
        outputs = convolution(filters[step], "relu")(outputs)
        outputs = keras.layers.UpSampling2D(2, CHANNELS_LAST)(outputs)
        surplus = [
            (0, 2 * small - side) for small, side in zip(sides[step + 1], sides[step], strict=True)
        ]
        if any(last for _, last in surplus):
            outputs = keras.layers.Cropping2D(surplus, CHANNELS_LAST)(outputs)
    outputs = convolution(image_shape[2], "sigmoid")(outputs)
    decoder = keras.Model(inputs, outputs, name="decoder")
    return Autoencoder(encoder, decoder, name="conv_upsampling_autoencoder")


def conv_pooling_encoder(
    image_shape: Sequence[int] = (28, 28, 1), embedding_units: int = 3, *, seed: int | None = None
) -> keras.Model:
    """Build a small convolutional encoder: two convolutions, each max-pooled, two dense layers.

    Conv 32 3x3, pool 2, Conv 16 5x5, pool 2, Dense 12, all relu, then the linear embedding.

    Args:
        image_shape: Height and width of at least 16, channels. Defaults to (28, 28, 1).
        embedding_units: Positive int. Defaults to 3.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        A Keras model, `(batch, *image_shape) -> (batch, embedding_units)`, not compiled.

    Raises:
        ValueError: If `image_shape` is not three ints of such sizes, or `embedding_units` is not a
            positive int.

    Example:
    >>> import kdec
    >>> kdec.autoencoders.conv_pooling_encoder().output_shape
    (None, 3)
    """
    image_shape, embedding_units = image_sizes(image_shape, embedding_units, least_side=16)
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    inputs = outputs = keras.Input(image_shape, name="encoder_input")
    for filters, kernel in ((32, 3), (16, 5)):
        outputs = keras.layers.Conv2D(
            filters, kernel, data_format=CHANNELS_LAST, kernel_initializer=initializer()
        )(outputs)
        # The maximum first: the values are the same, and relu passes over a quarter of them.
        outputs = keras.layers.MaxPooling2D(2, data_format=CHANNELS_LAST)(outputs)
        outputs = keras.layers.ReLU()(outputs)
    outputs = keras.layers.Flatten(CHANNELS_LAST)(outputs)
    outputs = keras.layers.Dense(12, activation="relu", kernel_initializer=initializer())(outputs)
    outputs = keras.layers.Dense(
        embedding_units, kernel_initializer=initializer(), dtype=code_dtype(), name="embedding"
    )(outputs)
    return keras.Model(inputs, outputs, name="encoder")


def conv_pooling(
    image_shape: Sequence[int] = (28, 28, 1), embedding_units: int = 3, *, seed: int | None = None
) -> Autoencoder:
    """Build an autoencoder around `conv_pooling_encoder`, with transposed convolutions back.

    Args:
        image_shape: Height and width of at least 16 and multiples of 4, channels. Defaults to
            (28, 28, 1).
        embedding_units: Positive int. Defaults to 3.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        An `Autoencoder`, `(batch, *image_shape) -> (batch, *image_shape)`, with sigmoid output, not
        compiled.

    Raises:
        ValueError: If `image_shape` is not three ints of such sizes, or `embedding_units` is not a
            positive int.

    Example:
    >>> import kdec
    >>> kdec.autoencoders.conv_pooling((16, 20, 3), embedding_units=10).decoder.output_shape
    (None, 16, 20, 3)
    """
    image_shape, embedding_units = image_sizes(
        image_shape, embedding_units, least_side=16, multiple=4
    )
    encoder = conv_pooling_encoder(image_shape, embedding_units, seed=seed)
    # Other seeds than the encoder's, but fixed by the same one.
    initializer = uniform_initializers(1.0, "fan_avg", None if seed is None else seed + 2**16)
    height, width, channels = image_shape
    small = (height // 4, width // 4, 16)
    inputs = outputs = keras.Input((embedding_units,), name="decoder_input")
    for units in (12, math.prod(small)):
        outputs = keras.layers.Dense(units, activation="relu", kernel_initializer=initializer())(
            outputs
        )
    outputs = keras.layers.Reshape(small)(outputs)
    for filters, kernel, activation in ((32, 5, "relu"), (channels, 3, "sigmoid")):
        outputs = keras.layers.Conv2DTranspose(
            filters,
            kernel,
            strides=2,
            padding="same",
            activation=activation,
            kernel_initializer=initializer(),
            data_format=CHANNELS_LAST,
        )(outputs)
    decoder = keras.Model(inputs, outputs, name="decoder")
    return Autoencoder(encoder, decoder, name="conv_pooling_autoencoder")


def _halvings(sides):
    """Height and width before and after each of three convolutions of stride 2, rounded up."""
    halvings = [tuple(sides)]
    for _ in range(3):
        halvings.append(tuple(-(-side // 2) for side in halvings[-1]))
    return halvings


def _unflatten(embedding_units, shape, initializer):
    """Input and output of a decoder's beginning: an embedding, as feature maps of `shape`."""
    inputs = keras.Input((embedding_units,), name="decoder_input")
    outputs = keras.layers.Dense(
        math.prod(shape), activation="relu", kernel_initializer=initializer
    )(inputs)
    return inputs, keras.layers.Reshape(shape)(outputs)


def _three_filters(filters):
    checked = positive_ints(filters)
    if len(checked) != 3:
        raise ValueError(
            f"Expected `filters` to be three positive ints. Received: filters={filters!r}"
        )
    return checked
