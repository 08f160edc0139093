"""Between samples as they come and what a network takes: columns of one scale, images, vectors."""

import math

import keras
import numpy as np

from kdec.clustering.standardization import Standardization
from kdec.data import Shards, change_rows, in_chunks


class NetworkInput:
    """Brings samples to the shape and scale of a network, and builds models that do so themselves.

    Args:
        sample_shape: Shape of a sample as it comes.
        network_shape: Shape of a sample for the network: (d,), or (height, width, channels).
        scale: Mean and deviation of each column, two arrays (d,), which are brought to 0 and 1; or
            None.
    """

    def __init__(self, sample_shape: tuple[int, ...], network_shape: tuple[int, ...], scale=None):
        self.sample_shape = sample_shape
        self.network_shape = network_shape
        self.scale = scale

    def flat(self) -> "NetworkInput":
        """Return the same for a network that takes vectors."""
        return NetworkInput(self.sample_shape, (math.prod(self.sample_shape),), self.scale)

    def apply(self, x: np.ndarray | Shards) -> np.ndarray | Shards:
        """Return samples (n, ...) as the network takes them, float32; on the disk, as they come."""
        return change_rows(x, self._apply)

    def _apply(self, x):
        if self.scale is not None:
            mean, deviation = self.scale
            x = ((x - mean) / deviation).astype(np.float32)
        return x.reshape(len(x), *self.network_shape)

    def before(self, network: keras.Model, last: keras.Layer | None = None) -> keras.Model:
        """Return a model from samples as they come to what `network`, and then `last`, gives."""
        inputs = outputs = keras.Input(self.sample_shape, name="samples")
        if self.scale is not None:
            outputs = self._standardization(invert=False)(outputs)
        if self.network_shape != self.sample_shape:
            outputs = keras.layers.Reshape(self.network_shape)(outputs)
        outputs = network(outputs)
        return keras.Model(inputs, outputs if last is None else last(outputs))

    def after(self, decoder: keras.Model) -> keras.Model:
        """Return a model from what `decoder` takes to samples as they come."""
        inputs = keras.Input(decoder.input_shape[1:], name="codes")
        outputs = decoder(inputs)
        if self.sample_shape != tuple(decoder.output_shape[1:]):
            outputs = keras.layers.Reshape(self.sample_shape)(outputs)
        if self.scale is not None:
            outputs = self._standardization(invert=True)(outputs)
        return keras.Model(inputs, outputs)

    def _standardization(self, invert):
        return Standardization(*self.scale, invert, dtype="float32")


def as_vectors(x: np.ndarray | Shards) -> np.ndarray | Shards:
    """Return samples (n, ...) as (n, d)."""
    return change_rows(x, lambda rows: rows.reshape(len(rows), -1))


def column_scale(x: np.ndarray | Shards) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each column of `x` (n, d); 1 for that of a constant column."""
    mean = sum(rows.sum(axis=0, dtype=np.float64) for rows in in_chunks(x)) / len(x)
    deviation = np.sqrt(sum(np.square(rows - mean).sum(axis=0) for rows in in_chunks(x)) / len(x))
    # Rounding may leave a constant column some.
    rounding = np.finfo(np.float32).eps * np.abs(mean)
    return mean, np.where(deviation > rounding, deviation, 1.0)
