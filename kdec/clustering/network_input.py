"""Between samples as they come and what a network takes: columns of one scale, images, vectors."""

import keras
import numpy as np

from kdec.clustering.standardization import Standardization


class NetworkInput:
    """Brings samples to the shape and scale of a network, and builds models that do so themselves.

    Args:
        x: Float32 array (n, ...), the samples to learn from.
        network_shape: Shape of a sample for the network: (d,), or (height, width, channels).
        standardize: Whether columns are brought to mean 0 and deviation 1. Images never are.

    Attributes:
        sample_shape: Shape of a sample as it comes.
        network_shape: As given.
    """

    def __init__(self, x: np.ndarray, network_shape: tuple[int, ...], standardize: bool):
        self.sample_shape = x.shape[1:]
        self.network_shape = network_shape
        self.mean = self.deviation = None
        if standardize and x.ndim == 2:
            self.mean = x.mean(axis=0, dtype=np.float64)
            deviation = x.std(axis=0, dtype=np.float64)
            # Of a constant column rounding may leave some.
            rounding = np.finfo(np.float32).eps * np.abs(self.mean)
            self.deviation = np.where(deviation > rounding, deviation, 1.0)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return samples (n, ...) as the network takes them, float32."""
        if self.mean is not None:
            x = ((x - self.mean) / self.deviation).astype(np.float32)
        return x.reshape(len(x), *self.network_shape)

    def before(self, network: keras.Model, last: keras.Layer | None = None) -> keras.Model:
        """Return a model from samples as they come to what `network`, and then `last`, gives."""
        inputs = outputs = keras.Input(self.sample_shape, name="samples")
        if self.mean is not None:
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
        if self.mean is not None:
            outputs = self._standardization(invert=True)(outputs)
        return keras.Model(inputs, outputs)

    def _standardization(self, invert):
        return Standardization(self.mean, self.deviation, invert, dtype="float32")
