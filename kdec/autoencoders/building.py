"""What the builders of autoencoders share: seeded initial weights, and checks of sizes."""

from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from kdec.guards import is_positive_int, non_negative_int, positive_int

# That of all images here, whatever `keras.config.image_data_format()` says: a layer that is not
# told so would take it from there.
CHANNELS_LAST = "channels_last"


def uniform_initializers(scale: float, mode: str, seed: int | None):
    """Return a function that makes a uniform initialiser of its own seed for each layer.

    Layers of one seed would start as copies of each other: Keras draws the same numbers for each.
    """
    seed = None if seed is None else non_negative_int("seed", seed)
    root = ops.convert_to_numpy(keras.random.SeedGenerator(seed).next())[0]
    seeds = np.random.default_rng(int(root))

    def next_initializer():
        # The seed as an int, so that the layer's config can be saved.
        return keras.initializers.VarianceScaling(
            scale=scale,
            mode=mode,
            distribution="uniform",
            seed=int(seeds.integers(2**31)),
        )

    return next_initializer


def code_dtype(dtype: str | None = None) -> str:
    """Return the dtype of a layer that gives codes: of its model's policy, float32 at least.

    Codes are compared by their digits, of which bfloat16 has three.
    """
    policy = keras.config.dtype_policy() if dtype is None else keras.dtype_policies.get(dtype)
    return keras.backend.result_type(policy.variable_dtype, "float32")


def positive_ints(values) -> tuple[int, ...]:
    """Return `values` as a tuple of ints, which is empty if they are not all positive ints."""
    values = tuple(values) if isinstance(values, Iterable) else ()
    return tuple(map(int, values)) if all(map(is_positive_int, values)) else ()


def image_sizes(image_shape, embedding_units, least_side, multiple=1):
    """Return shape and units as ints; raise a ValueError if such images cannot be so reduced."""
    sizes = positive_ints(image_shape)
    if len(sizes) != 3 or min(sizes[:2]) < least_side or any(side % multiple for side in sizes[:2]):
        sides = f"sides of at least {least_side}"
        if multiple > 1:
            sides += f" and multiples of {multiple}"
        raise ValueError(
            f"Expected `image_shape` to be (height, width, channels), {sides}. "
            f"Received: image_shape={image_shape!r}"
        )
    return sizes, positive_int("embedding_units", embedding_units)
