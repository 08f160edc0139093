"""Autoencoders: an encoder and a decoder that train as one Keras model, and builders for them."""

import math
from collections.abc import Sequence
from numbers import Integral

import keras
from keras import ops

from kdec import legacy_h5


@keras.saving.register_keras_serializable(package="kdec")
class Autoencoder(keras.Model):
    """An encoder and a decoder, trained together to reproduce their input.

    `fit(x)` needs no target: the input is its own. Compile it as any Keras model, with a loss such
    as `"mse"`.

    Args:
        encoder: Built `keras.Model`, (batch, ...) -> (batch, n_features).
        decoder: Built `keras.Model`, (batch, n_features) -> the encoder's input shape.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `encoder` or `decoder` is not a `keras.Model`.
        ValueError: If one is not built, or their shapes do not fit together.

    Example:
    >>> import kdec, numpy as np
    >>> x = np.random.default_rng(0).random((32, 8), dtype="float32")
    >>> autoencoder = kdec.autoencoders.dense((8, 4, 2))
    >>> autoencoder.compile(optimizer="adam", loss="mse")
    >>> history = autoencoder.fit(x, verbose=0)
    >>> autoencoder.encoder.predict(x, verbose=0).shape
    (32, 2)
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **kwargs):
        _check_parts(encoder, decoder)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.built = True

    def call(self, inputs, training=None):
        """Return the reconstructions of `inputs`, of the same shape."""
        return self.decoder(self.encoder(inputs, training=training), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the compiled loss of the reconstructions `y_pred` against `y`, by default `x`."""
        y = _as_target(x, y, y_pred)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the compiled metrics of `y_pred` against `y`, by default `x`."""
        return super().compute_metrics(x, _as_target(x, y, y_pred), y_pred, sample_weight)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Save the weights as `.weights.h5` (Keras 3) or, by another `.h5` name, as legacy HDF5."""
        if legacy_h5.is_legacy_path(filepath):
            legacy_h5.save_weights(self, filepath, overwrite=overwrite, **kwargs)
        else:
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath, **kwargs):
        """Load weights that `save_weights` saved, or a legacy `.h5` file of the same layers."""
        if legacy_h5.is_legacy_path(filepath):
            legacy_h5.load_weights(self, filepath, **kwargs)
        else:
            super().load_weights(filepath, **kwargs)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Rebuild a model from what `get_config` returned."""
        config = dict(config)
        for part in ("encoder", "decoder"):
            config[part] = keras.saving.deserialize_keras_object(config[part], custom_objects)
        return cls(**config)


def dense(
    dims: Sequence[int] = (784, 500, 500, 2000, 10),
    activation: str = "relu",
    *,
    decoder_activation: str | None = None,
    embedding_activation: str = "linear",
    output_activation: str = "linear",
    seed: int | None = None,
) -> Autoencoder:
    """Build a fully connected autoencoder: `dims` on the way in, mirrored on the way out.

    The defaults are the autoencoder of DEC: relu, linear embedding and output, weights drawn
    uniformly with variance 1 / (3 * fan_in).

    Args:
        dims: At least two positive ints: the number of inputs, the hidden layers' units, and last
            the embedding's. Defaults to (784, 500, 500, 2000, 10).
        activation: Activation of the encoder's hidden layers. Defaults to "relu".
        decoder_activation: Activation of the decoder's hidden layers. Defaults to `activation`.
        embedding_activation: Activation of the embedding. Defaults to "linear".
        output_activation: Activation of the output. Defaults to "linear".
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        An `Autoencoder`, (batch, dims[0]) -> (batch, dims[0]), not compiled.

    Raises:
        ValueError: If `dims` has fewer than two entries or one that is not a positive int.

    Reference:
        Xie, Girshick, Farhadi, Unsupervised Deep Embedding for Clustering Analysis (2016), 4.3.

    Example:
    >>> import kdec
    >>> autoencoder = kdec.autoencoders.dense((784, 128, 10), activation="selu")
    >>> autoencoder.encoder.output_shape, autoencoder.decoder.output_shape
    ((None, 10), (None, 784))
    """
    dims = tuple(dims)
    if len(dims) < 2 or not all(_is_positive_int(units) for units in dims):
        raise ValueError(
            "Expected `dims` to be at least two positive ints: inputs, hidden units, embedding. "
            f"Received: dims={dims}"
        )
    dims = tuple(map(int, dims))
    initializer = _initializers(scale=1 / 3, mode="fan_in", seed=seed)
    encoder = _dense_stack(dims, activation, embedding_activation, "encoder", initializer)
    decoder = _dense_stack(
        dims[::-1], decoder_activation or activation, output_activation, "decoder", initializer
    )
    return Autoencoder(encoder, decoder, name="dense_autoencoder")


def sigmoid(dims: Sequence[int] = (784, 784, 64, 32, 3), *, seed: int | None = None) -> Autoencoder:
    """Build a fully connected autoencoder of sigmoid units alone, the code and the images too.

    Unlike that of `dense`, the decoder leaves out the first, widest hidden layer. The weights start
    four times as large as for tanh, to make up for the sigmoid's slope of 1/4 at most; with smaller
    ones, training stays for long at the mean image.

    Args:
        dims: At least three positive ints: the number of inputs, the hidden layers' units, and last
            the embedding's. Defaults to (784, 784, 64, 32, 3); the decoder is then 32-64-784.
        seed: Int that fixes the initial weights; None draws them from Keras' global seed.

    Returns:
        An `Autoencoder`, (batch, dims[0]) in [0, 1] -> (batch, dims[0]), not compiled.

    Raises:
        ValueError: If `dims` has fewer than three entries or one that is not a positive int.

    Reference:
        Glorot, Bengio, Understanding the difficulty of training deep feedforward neural networks
        (2010), eq. 16, the initialisation for tanh.

    Example:
    >>> import kdec
    >>> autoencoder = kdec.autoencoders.sigmoid()
    >>> [layer.units for layer in autoencoder.decoder.layers[1:]]
    [32, 64, 784]
    """
    dims = tuple(dims)
    if len(dims) < 3 or not all(_is_positive_int(d) for d in dims):
        raise ValueError(
            "Expected `dims` to be at least three positive ints: inputs, hidden units, embedding. "
            f"Received: dims={dims}"
        )
    initializer = _initializers(scale=16.0, mode="fan_avg", seed=seed)
    encoder = _dense_stack(dims, "sigmoid", "sigmoid", "encoder", initializer)
    decoder_dims = (*dims[:1:-1], dims[0])
    decoder = _dense_stack(decoder_dims, "sigmoid", "sigmoid", "decoder", initializer)
    return Autoencoder(encoder, decoder, name="sigmoid_autoencoder")


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
        A Keras model, (batch, *image_shape) -> (batch, embedding_units), not compiled.

    Raises:
        ValueError: If `image_shape` is not three ints of such sizes, or `embedding_units` is not a
            positive int.

    Example:
    >>> import kdec
    >>> kdec.autoencoders.conv_pooling_encoder().output_shape
    (None, 3)
    """
    image_shape = tuple(image_shape)
    _check_image_shape(image_shape, embedding_units, least_side=16, multiple=1)
    initializer = _initializers(scale=1.0, mode="fan_avg", seed=seed)
    inputs = outputs = keras.Input(image_shape, name="encoder_input")
    for filters, kernel in ((32, 3), (16, 5)):
        outputs = keras.layers.Conv2D(filters, kernel, kernel_initializer=initializer())(outputs)
        # The maximum first: the values are the same, and relu passes over a quarter of them.
        outputs = keras.layers.MaxPooling2D(2)(outputs)
        outputs = keras.layers.ReLU()(outputs)
    outputs = keras.layers.Flatten()(outputs)
    outputs = keras.layers.Dense(12, activation="relu", kernel_initializer=initializer())(outputs)
    outputs = keras.layers.Dense(
        embedding_units, kernel_initializer=initializer(), name="embedding"
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
        An `Autoencoder`, (batch, *image_shape) -> (batch, *image_shape), with sigmoid output, not
        compiled.

    Raises:
        ValueError: If `image_shape` is not three ints of such sizes, or `embedding_units` is not a
            positive int.

    Example:
    >>> import kdec
    >>> kdec.autoencoders.conv_pooling((16, 20, 3), embedding_units=10).decoder.output_shape
    (None, 16, 20, 3)
    """
    image_shape = tuple(image_shape)
    _check_image_shape(image_shape, embedding_units, least_side=16, multiple=4)
    encoder = conv_pooling_encoder(image_shape, embedding_units, seed=seed)
    # Other seeds than the encoder's, but fixed by the same one.
    initializer = _initializers(1.0, "fan_avg", None if seed is None else seed + 2**16)
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
        )(outputs)
    decoder = keras.Model(inputs, outputs, name="decoder")
    return Autoencoder(encoder, decoder, name="conv_pooling_autoencoder")


def _dense_stack(dims, hidden_activation, last_activation, name, initializer):
    """Dense layers dims[0] -> dims[1] -> ... as a model of its own."""
    activations = [hidden_activation] * (len(dims) - 2) + [last_activation]
    inputs = outputs = keras.Input((dims[0],), name=f"{name}_input")
    for i, (units, activation) in enumerate(zip(dims[1:], activations, strict=True)):
        outputs = keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=initializer(),
            name=f"{name}_{i}",
        )(outputs)
    return keras.Model(inputs, outputs, name=name)


def _initializers(scale, mode, seed):
    """A function that makes a uniform initialiser for the next layer, each with its own seed."""
    seeds = keras.random.SeedGenerator(seed)

    def next_initializer():
        # The seed as an int, so that the layer's config can be saved.
        return keras.initializers.VarianceScaling(
            scale=scale,
            mode=mode,
            distribution="uniform",
            seed=int(ops.convert_to_numpy(seeds.next())[0]),
        )

    return next_initializer


def _is_positive_int(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


def _check_image_shape(image_shape, embedding_units, least_side, multiple):
    if (
        len(image_shape) != 3
        or not all(_is_positive_int(size) for size in image_shape)
        or min(image_shape[:2]) < least_side
        or any(side % multiple for side in image_shape[:2])
    ):
        raise ValueError(
            f"Expected `image_shape` to be (height, width, channels), sides of at least "
            f"{least_side} and multiples of {multiple}. Received: image_shape={image_shape}"
        )
    if not _is_positive_int(embedding_units):
        raise ValueError(
            "Expected `embedding_units` to be a positive int. "
            f"Received: embedding_units={embedding_units!r}"
        )


def _as_target(x, y, y_pred):
    """The reconstruction's target, with the channel axis that Keras added to `x` for the model."""
    target = x if y is None else y
    if len(target.shape) + 1 == len(y_pred.shape):
        target = ops.expand_dims(target, -1)
    return target


def _check_parts(encoder, decoder):
    for name, part in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(part, keras.Model):
            raise TypeError(f"Expected `{name}` to be a keras.Model. Received: {type(part)}")
        if not part.built or not hasattr(part, "output_shape"):
            raise ValueError(
                f"Expected `{name}` to be a functional or a built Sequential model, whose shapes "
                f"are known. Received: {part!r}"
            )
    code, image = encoder.output_shape, encoder.input_shape
    if decoder.input_shape[1:] != code[1:] or decoder.output_shape[1:] != image[1:]:
        raise ValueError(
            f"Expected a decoder {code} -> {image} for an encoder {image} -> {code}. "
            f"Received: decoder {decoder.input_shape} -> {decoder.output_shape}"
        )
