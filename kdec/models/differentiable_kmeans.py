"""Differentiable k-means: soft assignments at a temperature, centroids trained by gradient descent.

One batch's way through `DifferentiableKMeans.fit`: rows of `x` -> encoder, if there is one ->
squared distances to all centroids of all runs, by one matrix product -> assignments, their softmax
-> the assignment-weighted squared distance, which `DifferentiableKMeansLayer` adds to the losses.
"""

import logging
import math
from numbers import Real

import keras
import numpy as np
from keras import ops

from kdec.integers import positive_int
from kdec.layers import spec_of_rows
from kdec.models.encoders import check_encoder, check_spread
from kdec.models.own_loss import OwnLossModel
from kdec.models.placement import Placement
from kdec.real_arrays import as_array

logger = logging.getLogger("kdec")


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

    Args:
        n_clusters: Positive int, number of clusters.
        temperature: Positive float, in squared units of the input; the lower, the harder the
            assignments. Defaults to 1.0.
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
        self, n_clusters: int, temperature: float = 1.0, n_runs: int | None = None, **kwargs
    ):
        n_clusters = positive_int("n_clusters", n_clusters)
        n_runs = None if n_runs is None else positive_int("n_runs", n_runs)
        _check_temperature("temperature", temperature)
        super().__init__(**kwargs)
        self.n_clusters = n_clusters
        self.n_runs = n_runs
        self._initial_temperature = float(temperature)

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
            # Not `Constant`, which rounds to float32 first.
            initializer=lambda _, dtype: ops.convert_to_tensor(self._initial_temperature, dtype),
            trainable=False,
            autocast=False,
            name="temperature",
        )

    def call(self, inputs):
        """Return the assignments of `inputs`, and add their weighted squared distance as loss."""
        distances = self.squared_distances(inputs)
        temperature = ops.cast(self.temperature, distances.dtype)
        assignments = ops.softmax(-distances / temperature, axis=-1)
        loss_of_run = ops.mean(ops.sum(assignments * distances, axis=-1), axis=0)
        self.add_loss(ops.sum(loss_of_run))
        return ops.cast(assignments, self.compute_dtype)

    def squared_distances(self, inputs):
        """Return the squared distances of `inputs` to the centroids, shaped as the output."""
        # Half precision overflows at a distance of 256.
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        centroids = ops.reshape(ops.cast(self.clusters, dtype), (-1, self.clusters.shape[-1]))
        # |x|^2 - 2xc + |c|^2 holds from any origin. From one amidst the centroids it keeps its
        # digits for data far from 0. The result does not depend on it, so no gradient need pass.
        origin = ops.stop_gradient(ops.mean(centroids, axis=0))
        inputs, centroids = ops.cast(inputs, dtype) - origin, centroids - origin
        distances = (
            ops.sum(ops.square(inputs), axis=-1, keepdims=True)
            - 2.0 * ops.matmul(inputs, ops.transpose(centroids))
            + ops.sum(ops.square(centroids), axis=-1)
        )
        distances = ops.maximum(distances, 0.0)
        return ops.reshape(distances, (-1, *self._sets, self.n_clusters))

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
    def _sets(self):
        """The axis of the runs, if there is one, as part of a shape."""
        return () if self.n_runs is None else (self.n_runs,)


@keras.saving.register_keras_serializable(package="kdec")
class DifferentiableKMeans(OwnLossModel):
    """K-means by gradient descent, on the samples themselves or behind an encoder.

    `initialize(x)` places the centroids on random samples, `fit(x)` trains them, and the encoder
    with them, `predict(x)` gives the soft assignments. All centroids are 0 until they are placed,
    by `initialize` or, by hand, `clustering.clusters.assign`. The loss is the assignment-weighted
    squared distance of `DifferentiableKMeansLayer`, the sum over the runs if there are several;
    compile without one.

    An encoder that trains on this loss alone can lower it by shrinking its embedding: train it with
    a reconstruction loss beside, in a model of your own around the layer, or set
    `encoder.trainable = False`.

    Args:
        n_clusters: Positive int, number of clusters.
        encoder: Built `keras.Model`, (batch, ...) -> (batch, n_features), or None to cluster the
            samples themselves. Shared, not copied. Defaults to None.
        temperature: Positive float, temperature of the assignments at the start, in squared units
            of the embedding. `TemperatureDecay` lowers it over the epochs. Defaults to 1.0.
        n_runs: Positive int, number of sets of centroids that train side by side on one encoder,
            or None for one set without an axis of its own. Defaults to None.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `encoder` is neither None nor a `keras.Model`.
        ValueError: If `encoder` is not built or its output not a single one of two dimensions, or
            a number is not positive.

    Reference:
        Peng, Zhou, Zhu, k-meansNet: When k-means Meets Differentiable Programming (2018),
        arXiv:1808.07292; behind an encoder: Fard, Thonet, Gaussier, Deep k-Means: Jointly
        clustering with k-Means and learning representations (2018), arXiv:1806.10069.

    Example:
    >>> import kdec
    >>> data = kdec.load_data("iris")
    >>> model = kdec.DifferentiableKMeans(n_clusters=3, temperature=0.5)
    >>> model.initialize(data.x, random_state=0)
    >>> model.compile(optimizer="adam")
    >>> history = model.fit(data.x, epochs=5, verbose=0)
    >>> history.history["loss"][-1] < history.history["loss"][0]
    True
    >>> model.predict(data.x, verbose=0).shape, model.clusters.shape
    ((150, 3), (3, 4))
    """

    parts = ("encoder",)

    def __init__(
        self,
        n_clusters: int,
        encoder: keras.Model | None = None,
        temperature: float = 1.0,
        n_runs: int | None = None,
        **kwargs,
    ):
        if encoder is not None:
            check_encoder(encoder)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.clustering = DifferentiableKMeansLayer(
            n_clusters, temperature=temperature, n_runs=n_runs, name="clustering"
        )
        self.placement = Placement(name="placement")
        if encoder is not None:
            self.build(encoder.input_shape)

    def build(self, input_shape):
        """Create the centroids for samples of `input_shape` (batch, ...)."""
        self.clustering.build(
            input_shape if self.encoder is None else self.encoder.compute_output_shape(input_shape)
        )
        self.placement.clear(self.clustering.clusters)
        self.sample_shape = tuple(input_shape[1:])
        self.built = True

    def export(self, filepath, *args, **kwargs):
        """Export as `keras.Model.export` does; a ValueError for a model without centroids."""
        _check_built(self)
        self(keras.KerasTensor((None, *self.sample_shape)))  # Keras asks for a first call.
        return super().export(filepath, *args, **kwargs)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self.clustering.n_clusters

    @property
    def n_runs(self) -> int | None:
        """Number of sets of centroids, or None for one set without an axis of its own."""
        return self.clustering.n_runs

    @property
    def clusters(self) -> np.ndarray:
        """The centroids, NumPy, (n_clusters, n_features) or (n_runs, n_clusters, n_features).

        Raises:
            ValueError: If the model is not built.
        """
        _check_built(self)
        return ops.convert_to_numpy(self.clustering.clusters)

    def call(self, inputs, training=None):
        """Return the soft assignments of `inputs`, shaped as those of the layer."""
        if self.encoder is not None:
            inputs = self.encoder(inputs, training=training)
        return self.clustering(inputs)

    def initialize(self, x, *, random_state: int | None = None, batch_size: int = 2048) -> None:
        """Place the centroids on random samples, in each run on others.

        Args:
            x: Float array (n, ...), all samples.
            random_state: Int that fixes the choice, or None. Defaults to None.
            batch_size: Positive int, rows encoded at once. Defaults to 2048.

        Raises:
            ValueError: If `x` has fewer than `n_clusters` samples or does not hold real numbers, or
                what is drawn does not fit the model, is not finite, or has one code for all.
        """
        x = as_array("x", x)
        batch_size = positive_int("batch_size", batch_size)
        if x.ndim < 2 or len(x) < self.n_clusters:
            raise ValueError(
                f"Expected at least {self.n_clusters} samples, one a cluster, along the first of "
                f"two axes or more. Received: shape {x.shape}"
            )
        if x.dtype.kind not in "biuf":
            raise ValueError(f"Expected real numbers in `x`. Received: dtype {x.dtype}")
        if not self.built:
            self.build((None, *x.shape[1:]))
        generator = np.random.default_rng(random_state)
        draws = range(self.n_runs or 1)
        chosen = np.concatenate([generator.permutation(len(x))[: self.n_clusters] for _ in draws])
        samples = x[chosen]
        if self.encoder is not None:
            samples = self.encoder.predict(samples, batch_size=batch_size, verbose=0)
        n_features = self.clustering.clusters.shape[-1]
        if samples.shape[1:] != (n_features,) or not np.isfinite(samples).all():
            raise ValueError(
                f"Expected finite samples of {n_features} features. Received: shape "
                f"{samples.shape[1:]} a sample, or NaN or infinity among them"
            )
        # Samples that differ and codes that do not are the encoder's fault.
        if self.encoder and (x[chosen] != x[chosen[0]]).any():
            check_spread(samples)
        self.placement.make(self.clustering.clusters, samples)

    def fit(self, x=None, *args, **kwargs):
        """Train as `keras.Model.fit` does, whose arguments it takes, without targets.

        If the centroids have been placed neither by `initialize` nor by hand, `initialize(x)` does
        so first, with a seed of NumPy's global generator, which `keras.utils.set_random_seed` sets.

        Raises:
            ValueError: If the centroids have not been placed, and `x` is not an array.
        """
        self.check_optimizer()
        if not self.built or not self.placement.is_made(self.clustering.clusters):
            if not hasattr(x, "shape"):
                expected = (
                    "Expected placed centroids: call `initialize` on an array of samples first."
                )
                received = f"Received: a model without, and samples in a {type(x).__name__}"
                raise ValueError(f"{expected} {received}")
            logger.info("The centroids have not been placed: placing them on random samples.")
            self.initialize(x, random_state=np.random.randint(2**31))
        return super().fit(x, *args, **kwargs)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "temperature": self.clustering.get_config()["temperature"],
            "n_runs": self.n_runs,
        }


class TemperatureDecay(keras.callbacks.Callback):
    """Lowers the temperature by the same factor each epoch, from `initial` to `final`.

    The temperature depends on the epoch alone, so a resumed training goes on with the right one. It
    is in the logs as `temperature`.

    Args:
        initial: Positive float, temperature of the first epoch.
        final: Positive float, temperature from epoch number `n_epochs` on.
        n_epochs: Positive int, epochs over which it falls, including the first and the last.

    Raises:
        ValueError: If a number is not positive; in `fit`, if the model has no
            `DifferentiableKMeansLayer` among its layers, or one without centroids yet.

    Example:
    >>> import kdec
    >>> decay = kdec.differentiable_kmeans.TemperatureDecay(8.0, 0.5, n_epochs=5)
    >>> [decay.temperature(epoch) for epoch in range(7)]
    [8.0, 4.0, 2.0, 1.0, 0.5, 0.5, 0.5]
    """

    def __init__(self, initial: float, final: float, n_epochs: int):
        _check_temperature("initial", initial)
        _check_temperature("final", final)
        n_epochs = positive_int("n_epochs", n_epochs)
        super().__init__()
        self.initial = float(initial)
        self.final = float(final)
        self.n_epochs = n_epochs

    def temperature(self, epoch: int) -> float:
        """Return the temperature of an epoch, counted from 0."""
        return self.initial * (self.final / self.initial) ** min(
            epoch / max(self.n_epochs - 1, 1), 1
        )

    def on_train_begin(self, logs=None):
        """Raise a ValueError if there is no temperature to lower."""
        if not self._layers():
            raise ValueError(
                "Expected a model with a DifferentiableKMeansLayer among its layers. "
                f"Received: layers {[type(layer).__name__ for layer in self.model.layers]}"
            )
        for layer in self._layers():
            _check_built(layer)

    def on_epoch_begin(self, epoch, logs=None):
        """Set the temperature of `epoch`."""
        for layer in self._layers():
            layer.temperature.assign(self.temperature(epoch))

    def on_epoch_end(self, epoch, logs=None):
        """Add the temperature of `epoch` to the logs."""
        logs["temperature"] = self.temperature(epoch)

    def _layers(self):
        layers = self.model.layers
        return [layer for layer in layers if isinstance(layer, DifferentiableKMeansLayer)]


def _check_built(layer):
    if not layer.built:
        expected = "Expected a model with centroids: call its `initialize(x)` first, or `build` it."
        raise ValueError(f"{expected} Received: one that is not built.")


def _check_temperature(name, value):
    if not isinstance(value, Real) or not 0 < value < math.inf:
        raise ValueError(f"Expected `{name}` to be positive and finite. Received: {name}={value!r}")
