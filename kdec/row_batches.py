"""Batches of rows as tensors, out of arrays in memory or on the disk.

Those on the disk are read a few batches ahead, so that the training waits little for them.
"""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from kdec.data import Shards

AHEAD = 4  # batches that are read while another one trains


def take_rows(array: Any, rows: tf.Tensor) -> tf.Tensor:
    """Return the rows of `array` whose numbers are `rows`, (m,), as a tensor (m, ...).

    Args:
        array: A tensor or `tf.Variable` (n, ...); or `Shards` or a NumPy array, which is read when
            the graph runs, and which the caller must keep for as long.
        rows: Int tensor.
    """
    if tf.is_tensor(array) or isinstance(array, tf.Variable):
        return tf.gather(array, rows)
    # Weak, since TensorFlow keeps all functions of its graphs until the process ends.
    source = weakref.ref(array)
    batch = tf.numpy_function(lambda rows: source()[rows], [rows], tf.as_dtype(array.dtype))
    batch.set_shape((*rows.shape, *array.shape[1:]))
    return batch


def put_rows(array: Any, start: tf.Tensor, values: tf.Tensor) -> None:
    """Write `values` (m, ...) to a NumPy array from row `start` on, when the graph runs."""
    target = weakref.ref(array)

    def put(start, values):
        target()[start : start + len(values)] = values

    tf.numpy_function(put, [start, values], [])


def read_ahead(x: Any, take: Callable, first: tf.Tensor, n_steps: tf.Tensor) -> Callable:
    """Return `take`, or what gives the same batches sooner if the samples `x` are on the disk.

    Args:
        x: The samples, a tensor or `Shards`.
        take: From the number of a step, an int32 scalar, to its batch, tensors.
        first: Number of the first step.
        n_steps: How many there are. They must be asked for one after another.
    """
    if not isinstance(x, Shards):
        return take
    steps = tf.data.Dataset.range(tf.cast(first, tf.int64), tf.cast(first + n_steps, tf.int64))
    batches = steps.map(lambda step: take(tf.cast(step, tf.int32)), num_parallel_calls=AHEAD)
    iterator = iter(without_tuner(batches))
    return lambda step: next(iterator)


def batches_of(
    arrays: Sequence[Any], batch_size: int, shuffle: bool | str = False
) -> tf.data.Dataset:
    """Return the dataset of the batches that Keras would make of arrays, in the same order.

    Args:
        arrays: NumPy arrays or `Shards` of n rows each, which the caller must keep.
        batch_size: Rows of a batch; the last one may be smaller.
        shuffle: As in `keras.Model.fit`. Defaults to False.

    Returns:
        Dataset of tuples of tensors (batch, ...).
    """
    n = len(arrays[0])

    def order(_):
        rows = tf.range(n, dtype=tf.int64)
        # The first random number of a graph, as in Keras: the global seed gives the same one.
        return tf.random.shuffle(rows) if shuffle and shuffle != "batch" else rows

    def in_batches(rows):
        return tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)

    rows = tf.data.Dataset.range(1).map(order).flat_map(in_batches)
    if shuffle == "batch":
        rows = rows.map(tf.random.shuffle)
    batches = rows.map(
        lambda rows: tuple(take_rows(array, rows) for array in arrays), num_parallel_calls=AHEAD
    )
    n_batches = -(-n // batch_size)
    return without_tuner(batches.apply(tf.data.experimental.assert_cardinality(n_batches)))


def without_tuner(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return `dataset` without tf.data's tuner.

    Here it has nothing to tune, and its thread holds up the end of some epochs by seconds.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
