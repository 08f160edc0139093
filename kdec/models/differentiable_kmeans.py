"""Differentiable k-means: soft assignments at a temperature, centroids trained by gradient descent.

One batch's way through `DifferentiableKMeans.fit`: rows of `x` -> encoder, if there is one ->
squared distances to all centroids of all runs, by one matrix product -> assignments, their softmax
-> the assignment-weighted squared distance, which `DifferentiableKMeansLayer` adds to the losses.
"""

import logging

import keras
import numpy as np
from keras import ops

from kdec.guards import as_array, positive_int
from kdec.models.arrays import check_array
from kdec.models.differentiable_kmeans_layer import DifferentiableKMeansLayer, check_built
from kdec.models.encoders import check_encoder, check_spread
from kdec.models.own_loss import OwnLossModel
from kdec.models.placement import Placement

logger = logging.getLogger("kdec")

_TEMPERATURE_SAMPLES = 2048


@keras.saving.register_keras_serializable(package="kdec")
class DifferentiableKMeans(OwnLossModel):
    """K-means by gradient descent, on the samples themselves or behind an encoder.

    `initialize(x)` places the centroids on random samples, `fit(x)` trains them, and the encoder
    with them, `predict(x)` gives the soft assignments. All centroids are 0 until they are placed,
    by `initialize` or, by hand, `clustering.clusters.assign`. The loss is the assignment-weighted
    squared distance of `DifferentiableKMeansLayer`, the sum over the runs if there are several;
    compile without one.

    The same data in other units have the same assignments, by SGD with the same learning rate. That
    of Adam and its like has the unit of the embedding: in a thousandth of the unit take it a
    thousand times as large. Centroids that have all become equal are warned of after `fit`.

    An encoder that trains on this loss alone can lower it by shrinking its embedding: train it with
    a reconstruction loss beside, in a model of your own around the layer, or set
    `encoder.trainable = False`.

    Args:
        n_clusters: Positive int, number of clusters.
        encoder: Built `keras.Model`, (batch, ...) -> (batch, n_features), or None to cluster the
            samples themselves. Shared, not copied. Defaults to None.
        temperature: Positive float, temperature of the assignments at the start, in squared units
            of the embedding. `TemperatureDecay` lowers it over the epochs. Defaults to None: a
            tenth of the mean gap between the squared distances of a sample to the second nearest
            and to the nearest centroid, when `initialize` has placed them. It is saved with the
            model.
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
        temperature: float | None = None,
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
        check_built(self)
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
        check_built(self)
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
            TypeError: If `x` is no array, such as a dataset or a sparse matrix.
            ValueError: If `x` has fewer than `n_clusters` samples or does not hold real numbers, or
                what is drawn does not fit the model, is not finite, or has one code for all.
        """
        check_array(x)
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
        # Behind them those that the temperature follows from.
        more = generator.permutation(len(x))[:_TEMPERATURE_SAMPLES]
        samples = x[np.concatenate([chosen, more])] if self.clustering.is_automatic else x[chosen]
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
            check_spread(samples[: len(chosen)])
        self.placement.make(self.clustering.clusters, samples[: len(chosen)])
        self.clustering.fix_temperature(samples)

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
        history = super().fit(x, *args, **kwargs)
        self._warn_of_collapse()
        return history

    def _warn_of_collapse(self):
        n_collapsed = self.clustering.n_collapsed()
        if n_collapsed:
            logger.warning(
                "The centroids have collapsed%s: they are equal, and so are all assignments. A "
                "`temperature` below %.3g keeps them apart; where an encoder has shrunk its "
                "embedding, a reconstruction loss beside does. Call `initialize` before `fit`.",
                f" in {n_collapsed} of {self.n_runs} runs" if self.n_runs else "",
                float(ops.convert_to_numpy(self.clustering.temperature)),
            )

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "temperature": self.clustering.get_config()["temperature"],
            "n_runs": self.n_runs,
        }
