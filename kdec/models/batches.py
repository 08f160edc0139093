"""Batches for `fit`: shuffled by the seed and the epoch alone, and free of tf.data's tuner."""

import keras
import numpy as np
import tensorflow as tf

from kdec.data import Shards
from kdec.guards import non_negative_int, positive_int
from kdec.models.encoders import check_views
from kdec.models.stateless_seeds import StatelessSeeds
from kdec.row_batches import AHEAD, take_rows, without_tuner


class ShuffledBatches(keras.callbacks.Callback):
    """Batches of `x` that a resumed training sees in the same order as one that never stopped.

    Keras' own shuffling goes on from wherever its random state is; after a restart that is
    elsewhere. Pass `.dataset` to `fit` as data and this object as a callback, which tells the
    dataset the epoch.

    Args:
        x: Array (n, ...), all samples; or a tuple of such arrays, as inputs and targets. One copy
            of each is kept as a tensor, but of those on the disk: `np.memmap`, `kdec.data.Shards`.
        batch_size: Positive int; the last batch of an epoch may be smaller.
        seed: Int of at least 0. Defaults to 0.
        views: Keras layer that gives random views of samples when called with `training=True`, such
            as `kdec.views.RandomAffine`, or None. With it the batches are of views, drawn by `seed`
            and the number of the step alone; the layer's own seeds do not count. Of a tuple, the
            inputs are views, and the targets stay. Defaults to None.

    Raises:
        TypeError: If `views` is not a Keras layer.
        ValueError: If there are no samples, or not as many in each array, or a number is out of its
            range.

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

    def __init__(self, x, batch_size: int, seed: int = 0, views: keras.Layer | None = None):
        batch_size = positive_int("batch_size", batch_size)
        seed = non_negative_int("seed", seed)
        check_views(views)
        shapes = [np.shape(array) for array in tf.nest.flatten(x)]
        n = shapes[0][0] if shapes and shapes[0] else 0
        if n == 0 or any(shape[:1] != (n,) for shape in shapes):
            raise ValueError(
                f"Expected `x` to be an array of n samples, n > 0, or a tuple of such. "
                f"Received: shapes {shapes}"
            )
        super().__init__()
        # Those on the disk must live as long as their batches.
        x = self._arrays = tf.nest.map_structure(
            lambda array: Shards.of(array) or tf.convert_to_tensor(array), x
        )
        self.n_batches = -(-n // batch_size)
        self.epoch = tf.Variable(0, dtype=tf.int32)
        seeds = StatelessSeeds([views], seed)

        def viewed(inputs, place):
            with seeds.scope(self.epoch * self.n_batches + place):
                return views(inputs, training=True)

        def shuffled(indices):
            shuffled_indices = tf.random.experimental.index_shuffle(
                tf.cast(indices, tf.int32), seed=[seed, self.epoch], max_index=n - 1
            )
            batch = tf.nest.map_structure(lambda array: take_rows(array, shuffled_indices), x)
            if views is None:
                return batch
            place = tf.cast(indices[0] // batch_size, tf.int32)
            if isinstance(batch, tuple):
                return viewed(batch[0], place), *batch[1:]
            return viewed(batch, place)

        on_disk = any(isinstance(array, Shards) for array in tf.nest.flatten(x))
        batches = tf.data.Dataset.range(n).batch(batch_size)
        self.dataset = without_tuner(batches.map(shuffled, AHEAD if on_disk else None))

    def on_epoch_begin(self, epoch, logs=None):
        """Move on to the order of `epoch`."""
        self.epoch.assign(epoch)
