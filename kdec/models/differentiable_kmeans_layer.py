"""Differentiable k-means as a layer: soft assignments at a temperature, and their loss."""

import keras
import numpy as np
from keras import ops

from kdec.distances import expanded_squared_distances
from kdec.guards import positive_int
from kdec.layers import spec_of_rows
from kdec.models.temperature import check_temperature, temperature_of


@keras.saving.register_keras_serializable(package="kdec")
class DifferentiableKMeansLayer(keras.layers.Layer):
    """Soft k-means assignment of samples to centroids, with the loss that trains the centroids.

    With the squared distances `d_k = ||x - mu_k||^2` of a sample, its assignments and its loss are

    `a_k = exp(-d_k / temperature) / sum_j exp(-d_j / temperature)` and `sum_k a_k d_k`.

    The layer adds the loss's mean over the batch to those of the model that it is in, so that any
    Keras model trains it, alone or beside other losses. The gradient goes through the assignments
    as well. As the temperature goes to 0 the loss tends to the inertia of k-means per sample.

    With `n_runs`, as many independent sets of centroids stand side by side. They share one matrix
    product, which is much faster than training them one after another. Their losses are added up,
    so that each set gets the gradient that it would get alone.

    Its weights are `clusters`, the centroids, float of shape (n_clusters, n_features), or
    (n_runs, n_clusters, n_features), and the scalar `temperature`, which is not trained.

    At a temperature above the data's own scale all assignments are alike, and all centroids go to
    the mean. The default follows from the data: a tenth of the mean gap between the squared
    distances of a sample to the second nearest and to the nearest of `n_clusters` samples. The
    first training batch fixes it, with its first rows in place of centroids; it is saved with the
    layer. Until then each batch has its own.

    Args:
        n_clusters: Positive int, number of clusters.
        temperature: Positive float, in squared units of the input; the lower, the harder the
            assignments. Defaults to None: it follows from the first training batch.
        n_runs: Positive int, number of sets of centroids, or None for one set without an axis of
            its own. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        (batch, n_features), float.

    Output shape:
        (batch, n_clusters), or (batch, n_runs, n_clusters), float; sums to 1 over the last axis.

    Raises:
        ValueError: If `n_clusters` or `n_runs` is not a positive int, `temperature` is not
            positive, or the input is not two-dimensional with a known number of features.

    Reference:
        Peng, Zhou, Zhu, k-meansNet: When k-means Meets Differentiable Programming (2018),
        arXiv:1808.07292, section 3: tau is the temperature.

    Example:
    >>> import kdec, numpy as np
    >>> layer = kdec.DifferentiableKMeansLayer(2, temperature=3.0)
    >>> layer.build((None, 1))
    >>> layer.clusters.assign([[0.0], [3.0]]) is not None
    True
    >>> np.array(layer(np.array([[0.0], [1.5]])), "float64").round(3).tolist()
    [[0.953, 0.047], [0.5, 0.5]]
    """

    def __init__(
        self,
        n_clusters: int,
        temperature: float | None = None,
        n_runs: int | None = None,
        **kwargs,
    ):
        n_clusters = positive_int("n_clusters", n_clusters)
        n_runs = None if n_runs is None else positive_int("n_runs", n_runs)
        if temperature is not None:
            check_temperature("temperature", temperature)
        super().__init__(**kwargs)
        self.n_clusters = n_clusters
        self.n_runs = n_runs
        self._initial_temperature = None if temperature is None else float(temperature)

    def build(self, input_shape):
        """Create the weights for inputs of `input_shape` (batch, n_features)."""
        self.input_spec = spec_of_rows(input_shape)
        self.clusters = self.add_weight(
            shape=(*self._sets, self.n_clusters, input_shape[-1]),
            initializer="glorot_uniform",
            autocast=False,  # `squared_distances` says in what precision.
            name="clusters",
        )
        self.temperature = self.add_weight(
            shape=(),
            # Not `Constant`, which rounds to float32 first. 0 is none yet.
            initializer=lambda _, dtype: ops.convert_to_tensor(
                self._initial_temperature or 0.0, dtype
            ),
            trainable=False,
            autocast=False,
            aggregation="mean",
            name="temperature",
        )

    def call(self, inputs, training=None):
        """Return the assignments of `inputs`, and add their weighted squared distance as loss."""
        distances = self.squared_distances(inputs)
        temperature = self.temperature
        if self.is_automatic:
            temperature = ops.cond(
                temperature > 0,
                lambda: ops.convert_to_tensor(self.temperature),
                lambda: self._temperature_of(inputs),
            )
            if training:
                self.temperature.assign(temperature)
        temperature = ops.cast(temperature, distances.dtype)
        assignments = ops.softmax(-distances / temperature, axis=-1)
        loss_of_run = ops.mean(ops.sum(assignments * distances, axis=-1), axis=0)
        self.add_loss(ops.sum(loss_of_run))
        return ops.cast(assignments, self.compute_dtype)

    def squared_distances(self, inputs):
        """Return the squared distances of `inputs` to the centroids, shaped as the output."""
        dtype = self._full_dtype
        centroids = ops.reshape(ops.cast(self.clusters, dtype), (-1, self.clusters.shape[-1]))
        distances = expanded_squared_distances(ops.cast(inputs, dtype), centroids)
        return ops.reshape(distances, (-1, *self._sets, self.n_clusters))

    def fix_temperature(self, samples) -> None:
        """Set the temperature to what suits `samples`, (n, n_features), if it was not given."""
        if self.is_automatic:
            self.temperature.assign(self._temperature_of(samples))

    def n_collapsed(self) -> int:
        """Return how many sets of centroids have collapsed to a point.

        Their centroids differ by less than a hundredth of the square root of the temperature, so
        that each assignment is `1 / n_clusters`.
        """
        clusters = ops.convert_to_numpy(self.clusters).astype("float64")
        extents = np.sum(np.ptp(clusters, axis=-2) ** 2, axis=-1)
        has_collapsed = extents <= 1e-4 * float(ops.convert_to_numpy(self.temperature))
        return int(np.sum(has_collapsed)) if self.n_clusters > 1 else 0

    def compute_output_shape(self, input_shape):
        """Return the shape of the assignments."""
        return (input_shape[0], *self._sets, self.n_clusters)

    def get_config(self):
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "temperature": self._initial_temperature,
            "n_runs": self.n_runs,
        }

    @property
    def is_automatic(self) -> bool:
        """Whether the temperature follows from samples, since none was given."""
        return self._initial_temperature is None

    @property
    def _sets(self):
        """The axis of the runs, if there is one, as part of a shape."""
        return () if self.n_runs is None else (self.n_runs,)

    @property
    def _full_dtype(self):
        """The type of distances: half precision overflows at a distance of 256."""
        return keras.backend.result_type(self.compute_dtype, "float32")

    def _temperature_of(self, samples):
        found = temperature_of(ops.cast(samples, self._full_dtype), self.n_clusters)
        return ops.cast(ops.stop_gradient(found), self.temperature.dtype)


def check_built(layer) -> None:
    """Raise a ValueError unless `layer`, or a model around one, has centroids."""
    if not layer.built:
        expected = "Expected a model with centroids: call its `initialize(x)` first, or `build` it."
        raise ValueError(f"{expected} Received: one that is not built.")
