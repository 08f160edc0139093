"""Batches for `fit`: shuffled by the seed and the epoch alone, and free of tf.data's tuner."""

import keras
import tensorflow as tf


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of `x` that a resumed training sees in the same order as one that never stopped.

    Keras' own shuffling goes on from wherever its random state is; after a restart that is
    elsewhere. Pass `.dataset` to `fit` as data and this object as a callback, which tells the
    dataset the epoch.

    Args:
        x: Array (n, ...), all samples; or a tuple of such arrays, as inputs and targets. One copy
            of each is kept as a tensor.
        batch_size: Positive int; the last batch of an epoch may be smaller.
        seed: Int. Defaults to 0.

    Attributes:
        dataset: `tf.data.Dataset` of the batches of one epoch, each (batch, ...), or a tuple.
        n_batches: Int, their number. As a model's `steps_per_execution` it makes an epoch one call
            of the training graph: faster for small models, with one progress report an epoch.

    Example:
    >>> import kdec, numpy as np
    >>> from kdec.models.batches import ShuffledBatches
    >>> batches = ShuffledBatches(np.arange(5.0), batch_size=2, seed=0)
    >>> [len(batch) for batch in batches.dataset]
    [2, 2, 1]
    >>> batches.n_batches
    3
    """

    def __init__(self, x, batch_size: int, seed: int = 0):
        super().__init__()
        x = tf.nest.map_structure(tf.convert_to_tensor, x)
        n = len(tf.nest.flatten(x)[0])
        self.n_batches = -(-n // batch_size)
        self.epoch = tf.Variable(0, dtype=tf.int32)

        def shuffled(indices):
            shuffled_indices = tf.random.experimental.index_shuffle(
                tf.cast(indices, tf.int32), seed=[seed, self.epoch], max_index=n - 1
            )
            return tf.nest.map_structure(lambda array: tf.gather(array, shuffled_indices), x)

        self.dataset = without_tuner(tf.data.Dataset.range(n).batch(batch_size).map(shuffled))

    def on_epoch_begin(self, epoch, logs=None):
        """Move on to the order of `epoch`."""
        self.epoch.assign(epoch)


def without_tuner(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return `dataset` without tf.data's tuner.

    Here it has nothing to tune, and its thread holds up the end of some epochs by seconds.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
