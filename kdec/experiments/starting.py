"""Starting a run from trained weights instead of from a training."""

import os
from collections.abc import Callable
from pathlib import Path

import keras

from kdec.autoencoders import Autoencoder
from kdec.guards import refuse_bomb


def load_autoencoder(
    path: str | os.PathLike, build: Callable[[], Autoencoder], input_shape: tuple[int, ...]
) -> Autoencoder:
    """Return the autoencoder of a `.keras` file, or the one built, with the weights of an `.h5`.

    Args:
        path: The file.
        build: Makes the autoencoder that the weights are for.
        input_shape: Shape of a sample.

    Raises:
        ValueError: If the file holds something else than an `Autoencoder` of such samples, with
            layers like those of the one built, in the same precision: the record would name
            others.
    """
    path = Path(path)
    autoencoder = built = build()
    if path.suffix == ".keras":
        refuse_bomb(path)
        autoencoder = keras.saving.load_model(path)
    else:
        autoencoder.load_weights(path)
    if (
        not isinstance(autoencoder, Autoencoder)
        or autoencoder.encoder.input_shape[1:] != input_shape
    ):
        raise ValueError(
            f"Expected {path} to hold an Autoencoder for samples of shape {input_shape}. "
            f"Received: {type(autoencoder).__name__}"
        )
    expected, received = _weight_shapes(built), _weight_shapes(autoencoder)
    if received != expected:
        raise ValueError(
            f"Expected {path} to hold an Autoencoder of the configuration's layers, weights of "
            f"shapes {expected}. Received: {received}"
        )
    expected, received = _policies(built), _policies(autoencoder)
    if received != expected:
        raise ValueError(
            f"Expected {path} to hold layers of the run's precision, {', '.join(expected)}. "
            f"Received: {', '.join(received)}"
        )
    return autoencoder


def _policies(autoencoder):
    """The dtype policies of the layers with weights, each once."""
    layers = [*autoencoder.encoder.layers, *autoencoder.decoder.layers]
    return sorted({layer.dtype_policy.name for layer in layers if layer.weights})


def _weight_shapes(model):
    return [tuple(weight.shape) for weight in model.get_weights()]
