"""Which network, and how long it trains, by the kind and the amount of data."""

import math
from dataclasses import dataclass

_LEAST_SIDE = 20  # of images that convolutions and affine views suit; smaller ones are vectors
_LEAST_VECTORS = 1000  # for which an encoder is trained
_LEAST_IMAGES = 200
_LEAST_FEATURES = 4  # on noise of three, an encoder makes clusters
_LEAST_STEPS = 400
_MOST_SAMPLES_SEEN = 1_000_000
_LEAST_STEPS_OF_A_ROUND = 100  # after fewer, clusters died out
_MOST_SAMPLES_OF_A_ROUND = 420_000
_MOST_CLUSTERS = 20  # that are expected where their number is not known


@dataclass(frozen=True)
class Recipe:
    """How an encoder trains.

    Attributes:
        batch_size: Samples a step.
        epochs: Passes through the samples.
        n_neighbors: Of how many nearest neighbours a sample's partner is one.
        diffusion_neighbors: Over how many of them labels diffuse.
        n_init: Restarts of k-means.
        passes: Passes through the samples in each round of self-labelling.
    """

    batch_size: int
    epochs: int
    n_neighbors: int
    diffusion_neighbors: int
    n_init: int
    passes: int


def choose_network(sample_shape: tuple[int, ...]) -> str:
    """Return "conv" for images of more than 20 pixels a side, else "dense"."""
    is_large_image = len(sample_shape) > 1 and min(sample_shape[:2]) > _LEAST_SIDE
    return "conv" if is_large_image else "dense"


def choose_recipe(n: int, n_clusters: int | None = None, epochs: int | None = None) -> Recipe:
    """Return the recipe for `n` samples in `n_clusters`, or in an unknown number of clusters.

    60 epochs in batches of 256, from 20,000 samples on in batches of 512; more epochs until 400
    steps are done, fewer where more than a million samples would be seen, two at least. 10
    neighbours, or a third of a mean cluster if that is less.
    """
    batch_size = min(n, 256 if n < 20_000 else 512)
    if epochs is None:
        fewest = max(2, math.ceil(_LEAST_STEPS / (n // batch_size)))
        epochs = max(fewest, min(60, round(_MOST_SAMPLES_SEEN / n)))
    third = max(1, n // (3 * (n_clusters or _MOST_CLUSTERS)))
    return Recipe(
        batch_size=batch_size,
        epochs=epochs,
        n_neighbors=min(10, third),
        diffusion_neighbors=min(20, third),
        n_init=100 if n < 100_000 else 10,
        passes=max(
            1,
            math.ceil(_LEAST_STEPS_OF_A_ROUND / (n // batch_size)),
            min(6, _MOST_SAMPLES_OF_A_ROUND // n),
        ),
    )


def why_not_deep(n: int, sample_shape: tuple[int, ...]) -> str | None:
    """Say why an encoder is not worth its training on such data, or return None if it is."""
    if len(sample_shape) == 1 and sample_shape[0] < _LEAST_FEATURES:
        return f"samples of {sample_shape[0]} features have no structure that an encoder could find"
    least = _LEAST_VECTORS if len(sample_shape) == 1 else _LEAST_IMAGES
    if n < least:
        kind = "rows" if len(sample_shape) == 1 else "images"
        return f"{n} {kind} are few: from {least} on an encoder is trained"
    return None
