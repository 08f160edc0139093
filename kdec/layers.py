"""Layers that assign samples to clusters."""

import math
from numbers import Real

import keras
from keras import ops

from kdec.distances import squared_distances
from kdec.guards import positive_int


@keras.saving.register_keras_serializable(package="kdec")
class ClusteringLayer(keras.layers.Layer):
    """Soft assignment of samples to clusters by Student's t-distribution.

    The similarity of embedding `z_i` and centroid `mu_j` is

    `q_ij = (1 + ||z_i - mu_j||^2 / alpha)^(-(alpha + 1) / 2)`, divided by its sum over `j`.

    Its one weight, `clusters`, float of shape (n_clusters, n_features), holds the centroids.

    Args:
        n_clusters: Positive int, number of clusters.
        alpha: Positive float, degrees of freedom of the t-distribution. Defaults to 1.0.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, n_features), float.

    Output shape:
        (batch, n_clusters), float; each row sums to 1.

    Raises:
        ValueError: If `n_clusters` is not a positive int, `alpha` is not positive and finite, or
            the input is not two-dimensional with a known number of features.

    Reference:
        Xie, Girshick, Farhadi, Unsupervised Deep Embedding for Clustering Analysis (2016), eq. 1.

    Example:
    >>> import kdec, numpy as np
    >>> layer = kdec.ClusteringLayer(2)
    >>> layer.build((None, 1))
    >>> layer.clusters.assign([[0.0], [3.0]]) is not None
    True
    >>> np.array(layer(np.array([[0.0], [1.5]])), "float64").round(3).tolist()
    [[0.909, 0.091], [0.5, 0.5]]
    """

    def __init__(self, n_clusters: int, alpha: float = 1.0, **kwargs):
        n_clusters = positive_int("n_clusters", n_clusters)
        if not isinstance(alpha, Real) or not 0 < alpha < math.inf:
            raise ValueError(
                f"Expected `alpha` to be positive and finite. Received: alpha={alpha!r}"
            )
        super().__init__(**kwargs)
        self.n_clusters = n_clusters
        self.alpha = float(alpha)

    def build(self, input_shape):
        """Create the weight `clusters` for inputs of `input_shape` (batch, n_features)."""
        self.input_spec = spec_of_rows(input_shape)
        self.clusters = self.add_weight(
            shape=(self.n_clusters, input_shape[-1]),
            initializer="glorot_uniform",
            name="clusters",
        )

    def call(self, inputs):
        """Return the soft assignments q of `inputs`, shape (batch, n_clusters)."""
        # Half precision overflows at a distance of 256.
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        distances = squared_distances(ops.cast(inputs, dtype), ops.cast(self.clusters, dtype))
        # In logarithms a point far from every centroid keeps its row's sum: no 0 / 0.
        log_similarity = -0.5 * (self.alpha + 1.0) * ops.log1p(distances / self.alpha)
        return ops.cast(ops.softmax(log_similarity, axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape (batch, n_clusters) of the assignments."""
        return (input_shape[0], self.n_clusters)

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {**super().get_config(), "n_clusters": self.n_clusters, "alpha": self.alpha}


def spec_of_rows(input_shape) -> keras.layers.InputSpec:
    """Return the spec of inputs of `input_shape` (batch, n_features); a ValueError for others."""
    if len(input_shape) != 2 or input_shape[-1] is None:
        raise ValueError(
            "Expected input of shape (batch, n_features) with a known number of features. "
            f"Received: input_shape={tuple(input_shape)}"
        )
    return keras.layers.InputSpec(ndim=2, axes={-1: input_shape[-1]})
