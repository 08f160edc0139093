"""Batch normalisation of images by TensorFlow's fused kernel."""

import keras
from keras import ops

_DTYPES = ("float32", "bfloat16", "float16")  # of the kernel


@keras.saving.register_keras_serializable(package="kdec")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, in training on TensorFlow by one kernel for images.

    Keras takes some ten operations, each a pass over the images. The values are the same but for
    rounding, and the sums are in float32 in either case. All else is Keras' own: prediction,
    vectors, float64, masks, other axes, and other backends.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Input shape:
        (batch, height, width, channels), float, to be fused.

    Output shape:
        That of the input.

    Reference:
        Ioffe, Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
        Covariate Shift (2015).
    """

    def call(self, inputs, training=None, mask=None):
        """Return `inputs` normalised: by their own statistics if `training`, else the moving."""
        if training and mask is None and self._can_be_fused(inputs):
            return self._fused(inputs)
        return super().call(inputs, training=training, mask=mask)

    def _can_be_fused(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.compute_dtype in _DTYPES
            and self.trainable
            and self.scale
            and self.center
            and not self.renorm
            and not self.synchronized
        )

    def _fused(self, inputs):
        import tensorflow as tf

        inputs = ops.cast(inputs, self.compute_dtype)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            ops.cast(self.gamma, "float32"),
            ops.cast(self.beta, "float32"),
            epsilon=self.epsilon,
        )
        # The kernel's variance is that of a sample, n - 1 in its divisor; Keras has n.
        n = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        variance = variance * (n - 1) / n
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs
