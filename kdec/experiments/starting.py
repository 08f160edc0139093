"""Starting a run from trained weights instead of from a training."""

import os
from collections.abc import Callable
from pathlib import Path

import keras

from kdec.autoencoders import Autoencoder


def load_autoencoder(
    path: str | os.PathLike, build: Callable[[], Autoencoder], input_shape: tuple[int, ...]
) -> Autoencoder:
    """Return the autoencoder of a `.keras` file, or the one built, with the weights of an `.h5`.

    Args:
        path: The file.
        build: Makes the autoencoder that the weights are for.
        input_shape: Shape of a sample.

    Raises:
        ValueError: If the file holds something else than an `Autoencoder` of such samples.
    """
    path = Path(path)
    if path.suffix == ".keras":
        autoencoder = keras.saving.load_model(path)
    else:
        autoencoder = build()
        autoencoder.load_weights(path)
    if (
        not isinstance(autoencoder, Autoencoder)
        or autoencoder.encoder.input_shape[1:] != input_shape
    ):
        raise ValueError(
            f"Expected {path} to hold an Autoencoder for samples of shape {input_shape}. "
            f"Received: {type(autoencoder).__name__}"
        )
    return autoencoder
