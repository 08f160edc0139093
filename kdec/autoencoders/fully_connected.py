"""Builders of fully connected autoencoders."""

from collections.abc import Sequence

import keras

from kdec.autoencoders.building import code_dtype, positive_ints, uniform_initializers
from kdec.autoencoders.model import Autoencoder


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
    dims = _check_dims(dims, 2, "two")
    initializer = uniform_initializers(scale=1 / 3, mode="fan_in", seed=seed)
    encoder = _dense_stack(
        dims, activation, embedding_activation, "encoder", initializer, code_dtype()
    )
    decoder = _dense_stack(
        dims[::-1], decoder_activation or activation, output_activation, "decoder", initializer
    )
    return Autoencoder(encoder, decoder, name="dense_autoencoder")


def sigmoid(dims: Sequence[int] = (784, 784, 64, 32, 3), *, seed: int | None = None) -> Autoencoder:
    """Build a fully connected autoencoder of sigmoid units alone, the code and the images too.

    Unlike that of `dense`, the decoder leaves out the first, widest hidden layer. The weights start
    as Keras' own layers do, by Glorot's uniform distribution.

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
        (2010), eq. 16.

    Example:
    >>> import kdec
    >>> autoencoder = kdec.autoencoders.sigmoid()
    >>> [layer.units for layer in autoencoder.decoder.layers[1:]]
    [32, 64, 784]
    """
    dims = _check_dims(dims, 3, "three")
    initializer = uniform_initializers(scale=1.0, mode="fan_avg", seed=seed)
    encoder = _dense_stack(dims, "sigmoid", "sigmoid", "encoder", initializer, code_dtype())
    decoder_dims = (*dims[:1:-1], dims[0])
    decoder = _dense_stack(decoder_dims, "sigmoid", "sigmoid", "decoder", initializer)
    return Autoencoder(encoder, decoder, name="sigmoid_autoencoder")


def _check_dims(dims, least, least_in_words):
    checked = positive_ints(dims)
    if len(checked) < least:
        raise ValueError(
            f"Expected `dims` to be at least {least_in_words} positive ints: inputs, hidden units, "
            f"embedding. Received: dims={dims!r}"
        )
    return checked


def _dense_stack(dims, hidden_activation, last_activation, name, initializer, last_dtype=None):
    """Dense layers dims[0] -> dims[1] -> ... as a model of its own."""
    n_hidden = len(dims) - 2
    activations = [hidden_activation] * n_hidden + [last_activation]
    dtypes = [None] * n_hidden + [last_dtype]
    inputs = outputs = keras.Input((dims[0],), name=f"{name}_input")
    for i, (units, activation, dtype) in enumerate(zip(dims[1:], activations, dtypes, strict=True)):
        outputs = keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=initializer(),
            dtype=dtype,
            name=f"{name}_{i}",
        )(outputs)
    return keras.Model(inputs, outputs, name=name)
