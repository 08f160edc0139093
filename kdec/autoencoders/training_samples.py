"""What the samples of a training are like, so that a model can say when others are not."""

from dataclasses import dataclass
from math import prod

import numpy as np

from kdec.data import Shards, in_chunks

_FEW = 10  # samples, fewer than which may have any mean
_SMALL = 64  # numbers a sample, as of the smallest image


@dataclass(frozen=True)
class TrainingSamples:
    """The range and the mean of all numbers in the samples of a training.

    Args:
        low: Float, the least number.
        high: Float, the greatest.
        mean: Float, their mean.

    Example:
    >>> import numpy as np
    >>> from kdec.autoencoders.training_samples import TrainingSamples
    >>> images = np.linspace(0, 1, 20 * 64).reshape(20, 8, 8) ** 3
    >>> expected = TrainingSamples.of(images)
    >>> print(expected)
    0 to 1 with a mean of 0.25
    >>> [expected.are_unlike(x) for x in (images[5:], 255 * images, 1 - images)]
    [False, True, True]
    """

    low: float
    high: float
    mean: float

    @classmethod
    def of(cls, x) -> "TrainingSamples | None":
        """Return what the samples `x`, (n, ...), are like; None if no array of finite numbers."""
        if not hasattr(x, "__array__"):
            return None  # A dataset may give its samples only once.
        x = Shards.of(x) or np.asarray(x)
        if x.dtype.kind not in "biuf" or x.ndim == 0 or prod(x.shape) == 0:
            return None
        figures = [(part.min(), part.max(), part.sum(dtype="float64")) for part in in_chunks(x)]
        lows, highs, sums = np.transpose(np.array(figures, "float64"))
        low, high = float(lows.min()), float(highs.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            return None
        return cls(low, high, float(sums.sum() / prod(x.shape)))

    def are_unlike(self, x) -> bool:
        """Return whether samples `x`, (n, ...), look scaled otherwise than these, or inverted.

        They are if a number is outside the range by more than its width; or if at least ten
        samples, of at least 64 numbers each, have a mean that is a third of the range away, or a
        range of less than a tenth.
        """
        received = TrainingSamples.of(x)
        if received is None:
            return False
        width = self.high - self.low
        if max(self.low - received.low, received.high - self.high) > width:
            return True
        # The rows of one cluster in a table may well lie together.
        if x.shape[0] < _FEW or np.prod(x.shape[1:]) < _SMALL:
            return False
        is_narrow = received.high - received.low < width / 10
        return is_narrow or abs(received.mean - self.mean) > width / 3

    def __str__(self):
        """Return the figures for a sentence."""
        return f"{self.low:.4g} to {self.high:.4g} with a mean of {self.mean:.3g}"
