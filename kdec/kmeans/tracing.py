"""How the functions of k-means become TensorFlow graphs: once for tensors of any size."""

import functools
from collections.abc import Callable

import tensorflow as tf

_MOST_TRACES = 32  # kept of one function

# For functions without tensors in `if` or loops: tracing takes them as they are, which is faster.
without_autograph = tf.autograph.experimental.do_not_convert


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
            functools.partial(function, **dict(options)), input_signature=list(signature)
        )

    @functools.wraps(function)
    def call(*tensors, **options):
        tensors = tf.nest.map_structure(tf.convert_to_tensor, tensors)
        signature = tf.nest.map_structure(_of_any_size, tensors)
        return traced(signature, tuple(options.items()))(*tensors)

    return call


def _of_any_size(tensor):
    return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)
