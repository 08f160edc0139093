"""Whether the centroids of a model have been placed: a flag of its own, saved with the model."""

import keras
import numpy as np
from keras import ops


class Placement(keras.layers.Layer):
    """Says whether centroids are placed. Until then they are 0, but 0 can be their place, too.

    Part of a model beside the layer with the centroids; it has one weight, the flag, and no `call`.

    Args:
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Example:
    >>> import kdec, numpy as np
    >>> from kdec.models.placement import Placement
    >>> layer, placement = kdec.ClusteringLayer(2), Placement()
    >>> layer.build((None, 1))
    >>> placement.clear(layer.clusters)
    >>> placement.is_made(layer.clusters)
    False
    >>> placement.make(layer.clusters, np.zeros((2, 1)))
    >>> placement.is_made(layer.clusters)
    True
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.is_flagged = self.add_weight(
            name="is_flagged", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self.built = True

    def make(self, clusters: keras.Variable, centroids: np.ndarray) -> None:
        """Set the weight `clusters` to `centroids`, of as many rows in the same order."""
        clusters.assign(np.reshape(centroids, clusters.shape))
        self.is_flagged.assign(1)

    def clear(self, clusters: keras.Variable) -> None:
        """Set the weight `clusters` to 0: nothing is placed.

        Training looks for it, and the equal assignments that zeros give do not look like clusters,
        as those of a layer's random centroids would.
        """
        clusters.assign(np.zeros(clusters.shape))
        self.is_flagged.assign(0)

    def is_made(self, clusters: keras.Variable) -> bool:
        """Return whether the weight `clusters` holds centroids that somebody has placed."""
        # Of those that were assigned by hand, or come from an earlier version, the flag knows not.
        return bool(ops.convert_to_numpy(self.is_flagged)) or bool(
            ops.convert_to_numpy(clusters).any()
        )

    def load_own_variables(self, store):
        """Load the flag; files of earlier versions have none, and the centroids tell."""
        is_in_file = "0" in store
        self.is_flagged.assign(store["0"] if is_in_file else 0)
