"""Soft assignments of codes by a vote of the nearest of some labelled codes."""

import keras
from keras import ops

from kdec.guards import positive_int


@keras.saving.register_keras_serializable(package="kdec")
class NeighborVote(keras.layers.Layer):
    """Gives each code the mean assignment of its nearest prototypes.

    So labels that follow the shape of the data go on to new samples, where the nearest centroid
    would cut the data by straight lines. The weights `prototypes`, (n_prototypes, n_features), and
    `shares`, (n_prototypes, n_clusters), are set by hand.

    Args:
        n_prototypes: Positive int.
        n_clusters: Positive int.
        n_neighbors: Positive int, how many vote; at most `n_prototypes`. Defaults to 10.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, n_features), float.

    Output shape:
        (batch, n_clusters); rows sum to 1 if those of `shares` do.

    Reference:
        Cover, Hart, Nearest Neighbor Pattern Classification (1967).

    Example:
    >>> import numpy as np
    >>> from kdec.clustering.neighbor_vote import NeighborVote
    >>> layer = NeighborVote(n_prototypes=3, n_clusters=2, n_neighbors=2)
    >>> layer.build((None, 1))
    >>> _ = layer.prototypes.assign(np.array([[0.0], [1.0], [9.0]]))
    >>> _ = layer.shares.assign(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    >>> np.asarray(layer(np.array([[0.2], [8.0]]))).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """

    def __init__(self, n_prototypes, n_clusters, n_neighbors=10, **kwargs):
        super().__init__(**kwargs)
        self.n_prototypes = positive_int("n_prototypes", n_prototypes)
        self.n_clusters = positive_int("n_clusters", n_clusters)
        self.n_neighbors = min(positive_int("n_neighbors", n_neighbors), self.n_prototypes)

    def build(self, input_shape):
        """Create the weights for inputs of `input_shape` (batch, n_features)."""
        for name, width in (("prototypes", input_shape[-1]), ("shares", self.n_clusters)):
            shape = (self.n_prototypes, width)
            weight = self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)
            setattr(self, name, weight)

    def call(self, inputs):
        """Return the soft assignments of `inputs`, shape (batch, n_clusters)."""
        # About the mean of the prototypes, so that codes far from the origin lose nothing.
        mean = ops.mean(self.prototypes, axis=0)
        codes, prototypes = inputs - mean, self.prototypes - mean
        scores = ops.matmul(codes, ops.transpose(prototypes))
        scores = scores - ops.sum(ops.square(prototypes), axis=1) / 2
        nearest = ops.top_k(scores, self.n_neighbors)[1]
        return ops.mean(ops.take(self.shares, nearest, axis=0), axis=1)

    def compute_output_shape(self, input_shape):
        """Return the shape (batch, n_clusters) of the assignments."""
        return (input_shape[0], self.n_clusters)

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "n_prototypes": self.n_prototypes,
            "n_clusters": self.n_clusters,
            "n_neighbors": self.n_neighbors,
        }
