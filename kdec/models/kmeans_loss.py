"""k-means as a loss: an encoder trained to put its embedding close to Lloyd's centroids.

One batch's way through a training step: samples -> encoder -> embedding -> Lloyd's algorithm, from
the centroids of the batch before -> the loss of the embedding and the new centroids -> gradient.
"""

import contextlib
import logging
import math
import re
from numbers import Real

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kdec.autoencoders import Autoencoder
from kdec.guards import positive_int
from kdec.models.backend import require_tensorflow
from kdec.models.encoders import check_embedding, check_encoder
from kdec.models.lloyd_loss import are_left_behind, kmeans_loss, nearest
from kdec.models.own_loss import OwnLossModel, add_losses_of

logger = logging.getLogger("kdec")

_SMALL_FIRST_BATCH = "Expected a first batch of at least `n_clusters` samples. Received:"
_KERAS_BATCH_SIZE = 32  # that of `fit` for arrays where none is given


@keras.saving.register_keras_serializable(package="kdec")
class KMeansLoss(OwnLossModel):
    """An encoder trained by the k-means loss of each batch, on its own embedding.

    For the embedding z of a batch of n samples, and the centroids that Lloyd's algorithm finds in
    it, with `d_own` the summed squared distance of the samples to the nearest centroid and
    `d_other` that to all the other centroids of clusters that are not empty, the loss is

    `d_own / n + 1 / (d_other / n)`, plus `reconstruction_weight` times the decoder's mean squared
    error. The k-means terms alone do not make clusters that mean something: any embedding that
    falls into tight lumps satisfies them, whatever the lumps hold.

    Lloyd's algorithm starts from the centroids of the batch before, in the very first batch from
    the embedding's first `n_clusters` rows; they are a weight, saved with the model. It starts from
    the rows anew where a training step has moved the embedding so far that all of a batch is
    nearest to one centroid, which it has left behind. A cluster that is empty in a batch keeps its
    centroid and has no part in the loss. A batch whose loss or gradient is not finite is skipped,
    as is one that falls into one cluster, whose loss is infinite: it changes no trained weight and
    no centroid, `skipped_batches` in the logs counts it, and the log `kdec` says so. So does
    `evaluate` with a batch whose loss is not finite, as in data sorted by class: its figures, as
    those of validation in `fit`, are means over the others. The figures of an epoch without any
    other batch are NaN. Losses that the encoder or decoder has of its own, as of regularizers, are
    added. `fit` takes the samples alone and ignores targets. Encoder and decoder are shared with
    the caller, not copied.

    Args:
        encoder: Built `keras.Model`, (batch, ...) -> (batch, n_features).
        n_clusters: Int of at least 2, number of clusters.
        decoder: Built `keras.Model`, (batch, n_features) -> the encoder's input shape; needed if
            `reconstruction_weight` is positive. Defaults to None.
        reconstruction_weight: Finite, non-negative float. Defaults to 0.0: the decoder does not
            train.
        stop_gradient: If True, the loss takes the centroids for constants. Defaults to False: its
            gradient also goes through the centroids, which are means of the embedding.
        max_iterations: Positive int, most iterations of Lloyd's algorithm in a batch; it ends
            before that when the centroids no longer change at all. Defaults to 50.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `encoder` or `decoder` is not a `keras.Model`.
        ValueError: If an argument is out of its range, the encoder is not built or its output not
            a single one of two dimensions, or a decoder is missing or does not fit.

    Reference:
        Lloyd, Least squares quantization in PCM (1982), for the centroids. As a loss: source 000 of
        this project, which shows that it fails.

    Example:
    >>> import kdec
    >>> data = kdec.load_data("iris")
    >>> encoder = kdec.autoencoders.dense((4, 8, 3), seed=0).encoder
    >>> model = kdec.KMeansLoss(encoder, n_clusters=3)
    >>> model.compile(optimizer="adam")
    >>> history = model.fit(data.x, epochs=2, batch_size=50, verbose=0)
    >>> sorted(history.history)
    ['attraction', 'loss', 'repulsion', 'skipped_batches', 'spread']
    >>> model.predict(data.x, verbose=0).shape, model.clusters.shape
    ((150, 3), (3, 3))
    """

    parts = ("encoder", "decoder")

    def __init__(
        self,
        encoder: keras.Model,
        n_clusters: int,
        decoder: keras.Model | None = None,
        reconstruction_weight: float = 0.0,
        stop_gradient: bool = False,
        max_iterations: int = 50,
        **kwargs,
    ):
        n_clusters = positive_int("n_clusters", n_clusters, least=2)
        max_iterations = positive_int("max_iterations", max_iterations)
        _check_models(encoder, decoder, reconstruction_weight)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.n_clusters = n_clusters
        self.reconstruction_weight = float(reconstruction_weight)
        self.stop_gradient = bool(stop_gradient)
        self.max_iterations = max_iterations
        self._centroids = self.add_weight(
            name="clusters",
            shape=(n_clusters, encoder.output_shape[-1]),
            initializer="zeros",
            trainable=False,
        )
        self._has_centroids = self.add_weight(
            name="has_clusters", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        names = ["loss", "attraction", "repulsion", "spread"]
        if self.reconstruction_weight:
            names.append("reconstruction_loss")
        self._means = {name: keras.metrics.Mean(name=name) for name in names}
        self._skipped_batches = keras.metrics.Sum(name="skipped_batches")
        self.supports_jit = False  # XLA has no warning of a skipped batch.
        self.call_once(encoder)

    @property
    def clusters(self) -> np.ndarray:
        """The centroids, a NumPy array of shape (n_clusters, n_features)."""
        return ops.convert_to_numpy(self._centroids)

    @property
    def metrics(self):
        """The figures in the logs, which Keras resets at the start of each epoch.

        `attraction` and `repulsion` are the two terms of the k-means loss, `d_own / n` and
        `1 / (d_other / n)`; `spread` is the root mean square distance of the embedding to its mean.
        """
        return [*self._means.values(), self._skipped_batches]

    def get_metrics_result(self):
        """Return the figures for the logs; NaN, not 0, where no batch gave one."""
        result = super().get_metrics_result()
        for name, mean in self._means.items():
            result[name] = tf.where(mean.count > 0, result[name], float("nan"))
        return result

    def call(self, inputs, training=None):
        """Return the embedding of `inputs`, shape (batch, n_features)."""
        return self.encoder(inputs, training=training)

    def predict_clusters(self, x, batch_size: int = 2048) -> np.ndarray:
        """Return the nearest centroid of each sample.

        Args:
            x: Samples, (n, ...), as the encoder takes them.
            batch_size: Positive int, samples that go through the encoder at once. Defaults to
                2048.

        Returns:
            int32 array (n,).

        Raises:
            ValueError: If there are no centroids, since no batch has trained the model, if an
                embedding is not finite, or `batch_size` is not a positive int.
        """
        batch_size = positive_int("batch_size", batch_size)
        if not int(self._has_centroids):
            raise ValueError(
                "Expected a trained model. Received: one without centroids, which the first batch "
                "that is not skipped gives"
            )
        clusters = self.clusters
        z = np.asarray(self.predict(x, batch_size=batch_size, verbose=0), clusters.dtype)
        check_embedding(z)
        # Not that of the samples, which one outlier would move so far that no digits are left.
        origin = clusters.mean(axis=0)
        return nearest(z - origin, clusters - origin).numpy()

    def fit(self, x=None, y=None, batch_size: int | None = None, *args, **kwargs):
        """Train as `keras.Model.fit` does, whose arguments it takes.

        Raises:
            ValueError: If the first batch of an untrained model, which gives the first centroids,
                has fewer than `n_clusters` samples.
            RuntimeError: If Keras runs on another backend than TensorFlow.
        """
        require_tensorflow("the training of KMeansLoss")
        self.check_samples(x)
        self.check_options({"batch_size": batch_size})
        if hasattr(x, "shape") and not int(self._has_centroids):
            first_batch = min(batch_size or _KERAS_BATCH_SIZE, x.shape[0])
            if first_batch < self.n_clusters:
                raise ValueError(
                    f"Expected a first batch of at least n_clusters={self.n_clusters} samples. "
                    f"Received: {x.shape[0]} samples, in batches of {first_batch}"
                )
        with _small_first_batch_named(self.n_clusters):
            return super().fit(x, y, batch_size, *args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """Evaluate as `keras.Model.evaluate` does, whose arguments it takes.

        Raises:
            ValueError: If the first batch of an untrained model, which gives the centroids, has
                fewer than `n_clusters` samples.
        """
        with _small_first_batch_named(self.n_clusters):
            return super().evaluate(*args, **kwargs)

    def train_step(self, data):
        """Train on one batch of samples; return the figures for the logs."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        variables = self.trained_variables
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        with tf.GradientTape() as tape:
            figures, centroids = self._evaluate(x, training=True)
            loss = self.optimizer.scale_loss(figures["loss"])
        gradients = tape.gradient(loss, variables)

        def accept():
            self.optimizer.apply(gradients, variables)
            self._centroids.assign(centroids)
            self._has_centroids.assign(1)
            self._update_means(figures)
            return tf.constant(0.0)

        def lower_scale():
            self.optimizer.apply(gradients, variables)

        def skip():
            tf.py_function(_warn_of_skip, [], [])
            if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
                # In half precision it is the scaled loss that overflows. The optimizer finds the
                # gradients not finite: it leaves the weights alone, and lowers the scale.
                tf.cond(tf.math.is_finite(figures["loss"]), lower_scale, lambda: None)
            return tf.constant(1.0)

        is_skipped = tf.cond(_are_finite([loss, *gradients]), accept, skip)
        self._skipped_batches.update_state(is_skipped)
        return self.get_metrics_result()

    def test_step(self, data):
        """Evaluate one batch of samples, with centroids found in it; train nothing.

        A batch whose loss is not finite is left out of the means, and counted, as in training.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        figures, _ = self._evaluate(x, training=False)

        def accept():
            self._update_means(figures)
            return tf.constant(0.0)

        def skip():
            tf.py_function(_warn_of_skip, [], [])
            return tf.constant(1.0)

        is_skipped = tf.cond(tf.math.is_finite(figures["loss"]), accept, skip)
        self._skipped_batches.update_state(is_skipped)
        return self.get_metrics_result()

    def _evaluate(self, x, training):
        """The figures of a batch by name, and its centroids."""
        x = self._check_first_batch(x)
        z = tf.cast(self.encoder(x, training=training), self._centroids.dtype)
        has_start = self._has_centroids > 0
        if training:
            is_enough = tf.shape(z)[0] >= self.n_clusters
            has_start &= ~(is_enough & are_left_behind(self._centroids, z))
        start = tf.cond(
            has_start,
            lambda: tf.convert_to_tensor(self._centroids),
            lambda: tf.gather(z, tf.range(self.n_clusters)),
        )
        figures, centroids = kmeans_loss(
            z, start, max_iterations=self.max_iterations, stop_gradient=self.stop_gradient
        )
        if self.reconstruction_weight:
            x_hat = self.decoder(z, training=training)
            target = tf.cast(tf.reshape(x, tf.shape(x_hat)), z.dtype)
            error = tf.reduce_mean(tf.square(tf.cast(x_hat, z.dtype) - target))
            figures["reconstruction_loss"] = error
            figures["loss"] += self.reconstruction_weight * error
            figures["loss"] = add_losses_of(figures["loss"], self.decoder)
        figures["loss"] = add_losses_of(figures["loss"], self.encoder)
        return figures, centroids

    def _check_first_batch(self, x):
        """Return `x`, which in a first batch has enough samples."""
        # Checked as it runs: a later batch, for which this is traced too, may well be smaller.
        # Before the encoder, whose batch normalisation would count the batch.
        n = tf.shape(x)[0]
        is_enough = (self._has_centroids > 0) | (n >= self.n_clusters)
        check = tf.debugging.Assert(is_enough, [_SMALL_FIRST_BATCH, n])
        with tf.control_dependencies([] if check is None else [check]):
            return tf.identity(x)

    @property
    def trained_variables(self) -> list:
        """What the loss depends on: without a reconstruction term, the encoder's alone."""
        if self.reconstruction_weight:
            return self.trainable_variables
        return self.encoder.trainable_variables

    def _update_means(self, figures):
        for name, value in figures.items():
            self._means[name].update_state(value)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "reconstruction_weight": self.reconstruction_weight,
            "stop_gradient": self.stop_gradient,
            "max_iterations": self.max_iterations,
        }


@contextlib.contextmanager
def _small_first_batch_named(n_clusters):
    """Raise a ValueError of one sentence for TensorFlow's report of a first batch too small."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(re.escape(_SMALL_FIRST_BATCH) + r"\D*(\d+)", error.message)
        if found is None:
            raise
        raise ValueError(
            f"Expected a first batch of at least n_clusters={n_clusters} samples. "
            f"Received: a batch of {found[1]}"
        ) from None


def _are_finite(tensors):
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in tensors])


def _warn_of_skip():
    logger.warning("Skipped a batch: its loss or gradient is not finite.")


def _check_models(encoder, decoder, reconstruction_weight):
    check_encoder(encoder)
    if decoder is not None and not isinstance(decoder, keras.Model):
        raise TypeError(f"Expected `decoder` to be a keras.Model. Received: {type(decoder)}")
    if not isinstance(reconstruction_weight, Real) or not 0 <= reconstruction_weight < math.inf:
        raise ValueError(
            "Expected `reconstruction_weight` to be finite, at least 0. "
            f"Received: reconstruction_weight={reconstruction_weight!r}"
        )
    if reconstruction_weight and decoder is None:
        raise ValueError(
            "Expected a `decoder` for the reconstruction term. "
            f"Received: decoder=None with reconstruction_weight={reconstruction_weight!r}"
        )
    if decoder is not None:
        Autoencoder(encoder, decoder)  # Raises a ValueError if the shapes do not fit together.
