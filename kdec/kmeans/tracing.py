"""How the functions of k-means become TensorFlow graphs: once for tensors of any size.

Loops and branches are TensorFlow's own, `tf.while_loop` and `tf.cond`. Autograph, which makes them
out of Python's, takes twice as long to rewrite the code as all the tracing takes.
"""

import functools
from collections.abc import Callable

import tensorflow as tf
from joblib import cpu_count

_MOST_TRACES = 32  # kept of one function
_MOST_AT_A_TIME = 10  # chunks; what TensorFlow takes by itself


def for_any_size(function: Callable) -> Callable:
    """Turn `function` into a `tf.function` that new sizes of its tensors do not trace again.

    Args:
        function: Its positional arguments are tensors, numbers, or named tuples of tensors; its
            keyword arguments are hashable, and each combination of them is traced by itself.

    Returns:
        A function of the same arguments.
    """

    @functools.lru_cache(maxsize=_MOST_TRACES)
    def traced(signature, options):
        return tf.function(
            functools.partial(function, **dict(options)),
            input_signature=list(signature),
            autograph=False,
        )

    @functools.wraps(function)
    def call(*tensors, **options):
        tensors = tf.nest.map_structure(tf.convert_to_tensor, tensors)
        signature = tf.nest.map_structure(_of_any_size, tensors)
        return traced(signature, tuple(options.items()))(*tensors)

    return call


def _of_any_size(tensor):
    return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)


def fold_chunks(step: Callable, state, n, rows):
    """Return the state after a step for each chunk, one after another.

    Args:
        step: Called with the first row of a chunk, its number of rows, and the state; returns the
            next state.
        state: The first state, a tensor or a nested structure of tensors.
        n: Number of rows of all chunks, int32.
        rows: Number of rows of a chunk, int32; the last one may have fewer.
    """

    def body(start, state):
        return start + rows, step(start, tf.minimum(rows, n - start), state)

    # More chunks at a time than cores take room, of several tables each, and save no time.
    return tf.while_loop(
        lambda start, _: start < n,
        body,
        (0, state),
        parallel_iterations=min(cpu_count(), _MOST_AT_A_TIME),
    )[1]


def map_chunks(function: Callable, n, rows, dtype, rank: int):
    """Return what a function gives for each chunk, concatenated along the first axis.

    Args:
        function: Called with the first row of a chunk and its number of rows; returns a tensor.
        n: Number of rows of all chunks, int32.
        rows: Number of rows of a chunk, int32; the last one may have fewer.
        dtype: Of the tensors.
        rank: Of the tensors.
    """

    def step(start, size, parts):
        return parts.write(start // rows, function(start, size))

    parts = tf.TensorArray(
        dtype, (n + rows - 1) // rows, infer_shape=False, element_shape=[None] * rank
    )
    return fold_chunks(step, parts, n, rows).concat()
