"""Random views of samples (augmentation), as Keras layers.

A view is the same sample seen otherwise: an image turned and shifted, a vector with noise. Methods
that train on views learn what stays the same under them.
"""

import math
from numbers import Real

import keras
from keras import ops

from kdec.guards import non_negative_int

__all__ = ["FeatureDropout", "RandomAffine", "RandomNoise"]


class _RandomView(keras.layers.Layer):
    """A layer that gives a random view of each sample in training, else the samples themselves.

    Args:
        seed: Int of at least 0, or None for a random one. It is part of the layer's config.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        seed = None if seed is None else non_negative_int("seed", seed)
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Drawn by Keras if None: a layer rebuilt from its config then gives the same views.
        self.seed = int(ops.convert_to_numpy(self.seed_generator.state.value)[0])

    def call(self, inputs, training=False):
        """Return a view of each sample if `training`, else `inputs` as they are."""
        return self.view(ops.cast(inputs, self.compute_dtype)) if training else inputs

    def compute_output_shape(self, input_shape):
        """Return `input_shape`."""
        return input_shape

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="kdec")
class RandomAffine(_RandomView):
    """Turns, scales, shears, shifts and mirrors each image of a batch, all by one affine map.

    The map flips the image with probability 1/2, if asked to, scales its two axes, shears it along
    its rows, turns it, each about its centre, and shifts it; amounts are uniform in their ranges.
    Pixels are interpolated once, between neighbours; outside the image is `fill_value`.

    Args:
        rotation: Non-negative float, largest angle either way, in radians. Defaults to 0.3.
        scale: Two positive floats, least and largest factor of each axis; above 1 enlarges.
            Defaults to (0.85, 1.2).
        shear: Non-negative float, largest shift of a row by those of its distance to the centre,
            either way. Defaults to 0.3.
        shift: Non-negative float, largest shift along each axis either way, as a share of the
            image's side. Defaults to 0.11, 3 pixels of 28.
        flip: Whether left and right are exchanged in half of the images. Defaults to False.
        fill_value: Float, colour outside the image. Defaults to 0.0.
        seed: Int of at least 0, or None for a random one. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, height, width, channels), channels last, or (batch, height, width); float.

    Output shape:
        That of the input.

    Raises:
        ValueError: If a range is negative or not finite, `scale` is not two ascending positive
            numbers, or the input has another shape.

    Example:
    >>> import kdec, numpy as np
    >>> images = kdec.load_data("mnist-5k").x[:3]
    >>> layer = kdec.views.RandomAffine(seed=0)
    >>> layer(images, training=True).shape
    TensorShape([3, 28, 28])
    >>> bool(np.all(layer(images) == images))
    True
    """

    def __init__(
        self,
        rotation: float = 0.3,
        scale: tuple[float, float] = (0.85, 1.2),
        shear: float = 0.3,
        shift: float = 0.11,
        flip: bool = False,
        fill_value: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        for name, value in (("rotation", rotation), ("shear", shear), ("shift", shift)):
            _check_range(name, value)
        low, high = _check_scale(scale)
        if not isinstance(fill_value, Real) or not math.isfinite(fill_value):
            raise ValueError(
                f"Expected `fill_value` to be a finite number. Received: fill_value={fill_value!r}"
            )
        super().__init__(seed, **kwargs)
        self.rotation = float(rotation)
        self.scale = (low, high)
        self.shear = float(shear)
        self.shift = float(shift)
        self.flip = bool(flip)
        self.fill_value = float(fill_value)

    def view(self, images):
        """Return the images, each mapped by a random map of its own."""
        if len(images.shape) not in (3, 4):
            raise ValueError(
                "Expected images of shape (batch, height, width, channels) or (batch, height, "
                f"width). Received: shape {tuple(images.shape)}"
            )
        has_channels = len(images.shape) == 4
        batch, height, width = ops.shape(images)[:3]
        viewed = ops.image.affine_transform(
            images if has_channels else ops.expand_dims(images, -1),
            self.maps(batch, height, width),
            fill_value=self.fill_value,
            data_format="channels_last",
        )
        return viewed if has_channels else ops.squeeze(viewed, -1)

    def maps(self, batch, height, width):
        """Draw the maps of `batch` images, from pixels of the view back to those of the image.

        Returns:
            Float32 tensor (batch, 8): a map takes column x and row y of a view to column
            `a0 x + a1 y + a2` and row `b0 x + b1 y + b2` of the image, and is
            (a0, a1, a2, b0, b1, b2, 0, 0).
        """
        # In one draw; half precision would jump from pixel to pixel.
        draws = keras.random.uniform((batch, 7), dtype="float32", seed=self.seed_generator)
        angle, shear, shift_x, shift_y, scale_x, scale_y, flip = ops.unstack(draws, 7, axis=1)
        angle = self.rotation * (2.0 * angle - 1.0)
        shear = self.shear * (2.0 * shear - 1.0)
        low, high = self.scale
        scale_x, scale_y = low + (high - low) * scale_x, low + (high - low) * scale_y
        if self.flip:
            scale_x = ops.where(flip < 0.5, -scale_x, scale_x)
        # The inverse of: scale, then shear, then turn.
        sine, cosine = ops.sin(angle), ops.cos(angle)
        a0, a1 = (cosine + shear * sine) / scale_x, (sine - shear * cosine) / scale_x
        b0, b1 = -sine / scale_y, cosine / scale_y
        height, width = ops.cast(height, "float32"), ops.cast(width, "float32")
        x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        shifted_x = x + width * self.shift * (2.0 * shift_x - 1.0)
        shifted_y = y + height * self.shift * (2.0 * shift_y - 1.0)
        a2 = x - a0 * shifted_x - a1 * shifted_y
        b2 = y - b0 * shifted_x - b1 * shifted_y
        zero = ops.zeros_like(angle)
        return ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "rotation": self.rotation,
            "scale": list(self.scale),
            "shear": self.shear,
            "shift": self.shift,
            "flip": self.flip,
            "fill_value": self.fill_value,
        }


@keras.saving.register_keras_serializable(package="kdec")
class RandomNoise(_RandomView):
    """Adds normal noise to each feature of each sample.

    The noise has the unit of the features: bring them to one scale first.

    Args:
        stddev: Non-negative float, standard deviation of the noise. Defaults to 0.1.
        seed: Int of at least 0, or None for a random one. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, ...), float.

    Output shape:
        That of the input.

    Raises:
        ValueError: If `stddev` is negative or not finite.

    Example:
    >>> import kdec, numpy as np
    >>> layer = kdec.views.RandomNoise(stddev=0.5, seed=0)
    >>> noise = np.asarray(layer(np.zeros((100, 100)), training=True))
    >>> round(float(noise.std()), 1)
    0.5
    """

    def __init__(self, stddev: float = 0.1, seed: int | None = None, **kwargs):
        _check_range("stddev", stddev)
        super().__init__(seed, **kwargs)
        self.stddev = float(stddev)

    def view(self, samples):
        """Return the samples with noise."""
        noise = keras.random.normal(
            ops.shape(samples), stddev=self.stddev, dtype=samples.dtype, seed=self.seed_generator
        )
        return samples + noise

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {**super().get_config(), "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="kdec")
class FeatureDropout(_RandomView):
    """Sets some features of each sample to 0, as the input of a denoising autoencoder.

    Unlike `keras.layers.Dropout` it leaves the others as they are. 0 says least of a feature whose
    mean is 0: centre the data first.

    Args:
        rate: Float in [0, 1), probability of a feature to be set to 0. Defaults to 0.2.
        seed: Int of at least 0, or None for a random one. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, ...), float.

    Output shape:
        That of the input.

    Raises:
        ValueError: If `rate` is not in [0, 1).

    Reference:
        Vincent, Larochelle, Bengio, Manzagol, Extracting and Composing Robust Features with
        Denoising Autoencoders (2008), section 2.3.

    Example:
    >>> import kdec, numpy as np
    >>> layer = kdec.views.FeatureDropout(rate=0.25, seed=0)
    >>> kept = np.asarray(layer(np.ones((100, 100)), training=True))
    >>> round(float(kept.mean()), 2), float(kept.max())
    (0.75, 1.0)
    """

    def __init__(self, rate: float = 0.2, seed: int | None = None, **kwargs):
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise ValueError(f"Expected `rate` to be in [0, 1). Received: rate={rate!r}")
        super().__init__(seed, **kwargs)
        self.rate = float(rate)

    def view(self, samples):
        """Return the samples with some features set to 0."""
        draws = keras.random.uniform(ops.shape(samples), dtype="float32", seed=self.seed_generator)
        return ops.where(draws < self.rate, ops.zeros_like(samples), samples)

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {**super().get_config(), "rate": self.rate}


def _check_range(name, value):
    if not isinstance(value, Real) or not 0 <= value < math.inf:
        raise ValueError(
            f"Expected `{name}` to be a finite number of at least 0. Received: {name}={value!r}"
        )


def _check_scale(scale):
    numbers = tuple(scale) if isinstance(scale, (tuple, list)) else ()
    if (
        len(numbers) != 2
        or not all(isinstance(number, Real) for number in numbers)
        or not 0 < numbers[0] <= numbers[1] < math.inf
    ):
        raise ValueError(
            "Expected `scale` to be two positive numbers, least and largest. "
            f"Received: scale={scale!r}"
        )
    return tuple(map(float, numbers))
