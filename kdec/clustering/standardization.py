"""Columns of mean 0 and deviation 1, and back, as a Keras layer."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kdec")
class Standardization(keras.layers.Layer):
    """Subtracts from each column its mean, and divides by its deviation; or the way back.

    Unlike `keras.layers.Normalization` it leaves no deviation out because it is small.

    Args:
        mean: Sequence of d floats.
        deviation: Sequence of d positive floats.
        invert: Whether to multiply by the deviation and add the mean. Defaults to False.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, d), float.

    Output shape:
        That of the input.

    Example:
    >>> import numpy as np
    >>> from kdec.clustering.standardization import Standardization
    >>> layer = Standardization(mean=[1.0, 0.0], deviation=[2.0, 1e-9])
    >>> np.asarray(layer(np.array([[5.0, 1e-9]]))).round(3).tolist()
    [[2.0, 1.0]]
    """

    def __init__(self, mean, deviation, invert=False, **kwargs):
        super().__init__(**kwargs)
        self.mean = list(map(float, mean))
        self.deviation = list(map(float, deviation))
        self.invert = bool(invert)

    def call(self, inputs):
        """Return the standardised columns of `inputs`, or the columns as they were."""
        mean = ops.convert_to_tensor(self.mean, self.compute_dtype)
        deviation = ops.convert_to_tensor(self.deviation, self.compute_dtype)
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def compute_output_shape(self, input_shape):
        """Return `input_shape`."""
        return input_shape

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "mean": self.mean,
            "deviation": self.deviation,
            "invert": self.invert,
        }
