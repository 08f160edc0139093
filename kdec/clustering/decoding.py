"""A decoder of codes that stay as they are: what a centroid stands for."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from kdec.autoencoders import dense
from kdec.models import ShuffledBatches


def train_decoder(
    train: Callable[..., keras.Model],
    codes: np.ndarray,
    x: np.ndarray,
    units: Sequence[int] = (256, 256),
    batch_size: int = 256,
    epochs: int = 10,
    seed: int = 0,
    verbose="auto",
) -> keras.Model:
    """Train a decoder from codes to flat samples.

    Args:
        train: What trains, such as `Stages.train`.
        codes: Float array (n, n_features).
        x: Float array (n, d).
        units: Hidden units, from the samples' side on. Defaults to (256, 256).
        batch_size: Samples a step. Defaults to 256.
        epochs: Passes through the samples. Defaults to 10.
        seed: Int. Defaults to 0.
        verbose: As in Keras' `fit`. Defaults to "auto".

    Returns:
        A Keras model, (batch, n_features) -> (batch, d).
    """
    batches = ShuffledBatches((codes, x), batch_size, seed=seed)

    def build():
        decoder = dense((x.shape[1], *units, codes.shape[1]), seed=seed).decoder
        decoder.compile("adam", "mse", steps_per_execution=batches.n_batches)
        return decoder

    def fit(decoder, callbacks):
        decoder.fit(
            batches.dataset,
            epochs=epochs,
            callbacks=[batches, *callbacks],
            shuffle=False,
            verbose=verbose,
        )

    return train("decoder", build, fit, "decoder.keras")
