"""Deep embedded clustering (DEC): self-training of an encoder and the centroids of its clusters.

One batch's way through `DEC.fit`: rows of `x` -> encoder -> `ClusteringLayer` -> soft assignments
q, compared by KL divergence with the targets p, which are renewed from q over all of `x` after each
update interval. An update interval is one Keras epoch and one `tf.function` call.
"""

import logging
import math
from collections.abc import Sequence
from numbers import Real

import keras
import numpy as np
from keras import ops

from kdec.guards import positive_int
from kdec.kmeans import KMeans
from kdec.layers import ClusteringLayer
from kdec.models.encoders import check_embedding, check_spread, check_views, encoder_of
from kdec.models.own_loss import add_losses_of
from kdec.models.placement import Placement
from kdec.models.samples import check_labels, encode
from kdec.models.self_training import RENEWAL_BATCH, TargetRenewal, TrainingSet
from kdec.models.walk import check_workers
from kdec.models.whole_set import WholeSetModel
from kdec.workers import present

logger = logging.getLogger("kdec")


@keras.saving.register_keras_serializable(package="kdec")
class DEC(WholeSetModel):
    """Deep embedded clustering on a pretrained autoencoder, or on an encoder alone.

    `initialize(x)` places the centroids by k-means on the embedding, `fit(x)` trains encoder and
    centroids together, `predict(x)` gives the soft assignments q, (n, n_clusters). All centroids
    are 0 until they are placed, by `initialize` or, by hand, `clustering.clusters.assign`. The loss
    is `clustering_weight * KL(p || q) + reconstruction_weight * MSE(x, reconstruction)`, each a
    mean over the batch, plus the losses that encoder or decoder have of their own, as of
    regularizers. With `reconstruction_weight=0` the decoder neither runs nor trains.

    The encoder and decoder are shared with `autoencoder`, not copied: training changes both. It
    trains on TensorFlow; a saved model also loads and predicts on Keras' other backends.

    Args:
        autoencoder: `kdec.Autoencoder` whose embedding has shape (batch, n_features). Without a
            reconstruction weight an encoder alone does too: a built `keras.Model`, (batch, ...) ->
            (batch, n_features), such as the features of a pretrained network.
        n_clusters: Positive int, number of clusters.
        alpha: Positive float, degrees of freedom of Student's t. Defaults to 1.0.
        clustering_weight: Non-negative float, weight of the KL divergence. Defaults to 1.0.
        reconstruction_weight: Non-negative float, weight of the mean squared error of the
            reconstruction; above 0 it needs a decoder. Defaults to 0.0.
        views: Keras layer that gives random views of samples when called with `training=True`, such
            as `kdec.views.RandomAffine`, or None. With it `fit` trains on a view of each sample,
            reconstructed as the view is; targets and labels are of the samples as they are. Which
            views depends on the layer's seeds and on the step alone. Defaults to None.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `autoencoder` is not a Keras model, or `views` not a Keras layer.
        ValueError: If the encoder is not built or does not give one embedding, a weight is
            negative, both are zero, that of the reconstruction is positive without a decoder, or
            `n_clusters` or `alpha` is not positive.

    Reference:
        Xie, Girshick, Farhadi, Unsupervised Deep Embedding for Clustering Analysis (2016); with
        reconstruction: Guo et al., Improved Deep Embedded Clustering (2017); with views: Guo, Zhu,
        Liu, Yin, Deep Embedded Clustering with Data Augmentation (2018).

    Example:
    >>> import kdec
    >>> data = kdec.load_data("iris")
    >>> autoencoder = kdec.autoencoders.dense((4, 16, 2), seed=0)
    >>> autoencoder.compile(optimizer="adam", loss="mse")
    >>> _ = autoencoder.fit(data.x, epochs=2, verbose=0)
    >>> dec = kdec.DEC(autoencoder, n_clusters=3)
    >>> _ = dec.initialize(data.x, random_state=0)
    >>> history = dec.fit(data.x, data.y, max_steps=20, update_interval=10, verbose=0)
    >>> sorted(history.history)
    ['acc', 'ari', 'delta_label', 'loss', 'nmi']
    >>> dec.predict(data.x, verbose=0).shape
    (150, 3)
    """

    parts = ("autoencoder", "views")
    takes_several_workers = True
    instead_of_epochs = (
        "Expected `max_steps`, which ends the training, and `update_interval`, the steps of one "
        "epoch, in place of `epochs`."
    )
    instead_of_evaluation = (
        "Expected `predict`, and `kdec.metrics` on its labels: DEC has no loss on new samples, "
        "since its targets are of the training samples."
    )

    def __init__(
        self,
        autoencoder: keras.Model,
        n_clusters: int,
        alpha: float = 1.0,
        clustering_weight: float = 1.0,
        reconstruction_weight: float = 0.0,
        views: keras.Layer | None = None,
        **kwargs,
    ):
        encoder = encoder_of(autoencoder)
        check_views(views)
        _check_weights(clustering_weight, reconstruction_weight, encoder is not autoencoder)
        super().__init__(**kwargs)
        self._encoder_alone = encoder if encoder is autoencoder else None
        if self._encoder_alone is None:
            self.autoencoder = autoencoder
        self.views = views
        # Targets are sums over all samples: half precision would not do, even for half encoders.
        dtype = keras.backend.result_type(encoder.outputs[0].dtype, "float32")
        self.clustering = ClusteringLayer(n_clusters, alpha=alpha, dtype=dtype, name="clustering")
        self.clustering.build(encoder.output_shape)
        self.placement = Placement(name="placement")
        self.placement.clear(self.clustering.clusters)
        self.clustering_weight = float(clustering_weight)
        self.reconstruction_weight = float(reconstruction_weight)
        self._loss_means = {"loss": keras.metrics.Mean(name="loss")}
        if self.reconstruction_weight:
            for name in ("clustering_loss", "reconstruction_loss"):
                self._loss_means[name] = keras.metrics.Mean(name=name)
        self.call_once(encoder)

    def __getattr__(self, name):
        """Say why a DEC of an encoder alone lacks `autoencoder` and `decoder`."""
        if name in ("autoencoder", "decoder") and self._encoder_alone is not None:
            raise AttributeError(
                f"Expected a DEC of a kdec.Autoencoder for its `{name}`. Received: a DEC of an "
                "encoder alone, which has none"
            )
        return super().__getattribute__(name)  # Raises the error that led here.

    def part(self, name):
        """Return what was given as the argument `name`: an encoder alone as `autoencoder` too."""
        is_alone = name == "autoencoder" and self._encoder_alone is not None
        return self._encoder_alone if is_alone else super().part(name)

    @property
    def encoder(self) -> keras.Model:
        """The encoder, x -> embedding of shape (batch, n_features)."""
        return self.autoencoder.encoder if self._encoder_alone is None else self._encoder_alone

    @property
    def decoder(self) -> keras.Model:
        """The decoder, embedding -> x.

        Raises:
            AttributeError: If the model was made of an encoder alone; so does `autoencoder`.
        """
        return self.autoencoder.decoder

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self.clustering.n_clusters

    @property
    def alpha(self) -> float:
        """Degrees of freedom of Student's t-distribution."""
        return self.clustering.alpha

    @property
    def clusters(self) -> np.ndarray:
        """The centroids, a NumPy array of shape (n_clusters, n_features)."""
        return ops.convert_to_numpy(self.clustering.clusters)

    @property
    def metrics(self):
        """The running means of the losses, which Keras resets at the start of each epoch."""
        return list(self._loss_means.values())

    def call(self, inputs, training=None):
        """Return the soft assignments q of `inputs`, shape (batch, n_clusters)."""
        return self.clustering(self.encoder(inputs, training=training))

    def initialize(
        self, x, *, n_init: int = 20, random_state=None, batch_size: int = RENEWAL_BATCH
    ) -> np.ndarray:
        """Place the centroids by k-means on the embedding of `x`, and start training anew.

        Training is then at its first batch, with a fresh optimizer of the same settings; encoder
        and decoder stay as they are.

        Args:
            x: Float array (n, ...), all samples, in the encoder's input shape; or samples on the
                disk: a `np.memmap`, `kdec.data.Shards`, or a `tf.data.Dataset` of batches.
            n_init: Positive int, restarts of k-means; the best one counts. Defaults to 20.
            random_state: Int, `numpy.random.RandomState` or None, as in `kdec.KMeans`.
            batch_size: Positive int, rows encoded at once. Defaults to 2048.

        Returns:
            Labels of k-means, int array (n,).

        Raises:
            TypeError: If `x` is neither, such as a generator.
            ValueError: If `x` does not fit the encoder or has fewer than `n_clusters` samples, its
                embedding is not finite or has collapsed to a point, or a number is not positive.
        """
        x = self.check_whole_set(x, self.encoder)
        if present().count == 1 and len(x) < self.n_clusters:
            raise ValueError(
                f"Expected at least {self.n_clusters} samples, one a cluster. Received: {len(x)}"
            )
        n_init = positive_int("n_init", n_init)
        batch_size = positive_int("batch_size", batch_size)
        embedding = encode(self.encoder, x, batch_size)
        check_embedding(embedding)
        if self.n_clusters > 1:
            check_spread(embedding)
        kmeans = KMeans(self.n_clusters, n_init=n_init, random_state=random_state)
        labels = kmeans.fit_predict(embedding)
        self.placement.make(self.clustering.clusters, kmeans.cluster_centers_)
        self.step.assign(0)
        if self.compiled:
            # Momentum would push the new centroids the way of the old ones.
            self.renew_optimizer()
        return labels

    def compile(self, optimizer=None, loss=None, **kwargs):
        """Set the optimizer of the self-training; the loss is the model's own.

        Args:
            optimizer: Keras optimizer, its name, or None for SGD(0.01, momentum=0.9), as in DEC.
            loss: None. Named here so that a loss is refused by position too.
            **kwargs: Arguments of `keras.Model.compile` but losses and metrics.

        Raises:
            ValueError: If a loss or a metric is given.
        """
        if optimizer is None:
            optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
        super().compile(optimizer, loss, **kwargs)

    def fit(
        self,
        x,
        y=None,
        batch_size: int = 256,
        max_steps: int = 8000,
        update_interval: int = 140,
        tol: float = 1e-3,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        shuffle: bool = True,
        verbose="auto",
        initial_epoch: int = 0,
        **other_options,
    ) -> keras.callbacks.History:
        """Self-train on `x` until the labels settle or `max_steps` steps are done.

        One Keras epoch is one update interval; at its end the targets are renewed over all of `x`.
        Batches follow one fixed order. A second `fit` goes on at the batch, with the centroids and
        the optimizer state, where the first one stopped. If the centroids have been placed neither
        by `initialize` nor by hand, `initialize(x)` does so first.

        Within `kdec.workers.join()` each worker gives its own samples, and they train one model on
        the samples of all; a batch is what all of them take at once. Give `initialize` an int as
        `random_state` there.

        Args:
            x: Float array (n, ...), all samples, or samples on the disk, as in `initialize`, in the
                encoder's input shape, scaled as those that the autoencoder was trained on; images
                of 0 to 255 make the reconstruction diverge. From the disk they are read a few
                batches ahead, with the same result; q lies in memory, above 256 MiB in a temporary
                file.
            y: Labels (n,), ints or strings, for `acc`, `nmi` and `ari` in the logs; training never
                sees them. Defaults to None.
            batch_size: Positive int, samples a step. Defaults to 256.
            max_steps: Positive int, most steps of this call. Defaults to 8000.
            update_interval: Positive int, steps between renewals of the targets. Defaults to 140.
            tol: Float; training stops at a renewal when a smaller share of labels than this changed
                since the one before. Defaults to 1e-3.
            callbacks: Keras callbacks. Defaults to None.
            shuffle: If True, the fixed order is a permutation that depends on n alone, so that data
                sorted by class train as well; if False, the order of `x`. Defaults to True.
            verbose: "auto", 0, 1 or 2, as in `keras.Model.fit`.
            initial_epoch: Int, intervals of `max_steps` already done. Defaults to 0.
            **other_options: Refused: arguments that `keras.Model.fit` has and this one has not.

        Returns:
            `keras.callbacks.History` with one entry for each renewal after an interval: `loss`
            (mean over the interval), `delta_label`, and given `y` `acc`, `nmi` and `ari`.

        Raises:
            TypeError: If `x` is neither array nor on the disk, or an argument is not known.
            ValueError: If `x` does not fit the encoder, `y` does not fit `x`, a number is not
                positive, or the embedding has collapsed: all samples have the same code.
            FloatingPointError: If the soft assignments are not finite. If training has made them
                so, or the codes equal, the model has the weights of the last renewal at which they
                were not, and a fresh optimizer.
            RuntimeError: If Keras runs on another backend than TensorFlow.
        """
        self.check_fit(other_options, callbacks, initial_epoch)
        x = self.check_whole_set(x, self.encoder)
        y = None if y is None else check_labels(y, len(x))
        check_workers(self, y)
        batch_size = positive_int("batch_size", batch_size)
        max_steps = positive_int("max_steps", max_steps)
        update_interval = positive_int("update_interval", update_interval)
        if not isinstance(tol, Real) or math.isnan(tol):
            raise ValueError(f"Expected `tol` to be a number. Received: tol={tol!r}")
        if not self.placement.is_made(self.clustering.clusters):
            logger.info("The centroids have not been placed: running k-means on the embedding.")
            self.initialize(x)
        if not self.compiled:
            self.compile()
        training_set = TrainingSet(self, x, batch_size, update_interval, max_steps, shuffle)
        return self.fit_by_epochs(
            training_set.run_interval,
            x,
            epochs=-(-max_steps // update_interval),
            initial_epoch=initial_epoch,
            callbacks=[
                TargetRenewal(training_set, y, tol),
                *keras.tree.flatten(callbacks or []),
            ],
            verbose=verbose,
        )

    def losses_on_rows(self, x, p) -> dict:
        """Return the mean losses of samples `x` (batch, ...), or views of them, with targets `p`.

        Args:
            x: Tensor (batch, ...).
            p: Tensor (batch, n_clusters).

        Returns:
            Dict of scalar tensors: `loss`, and with a reconstruction weight its two terms, not yet
            weighted, `clustering_loss` and `reconstruction_loss`.
        """
        if self.views is not None:
            x = self.views(x, training=True)
        embedding = self.encoder(x, training=True)
        divergence = keras.losses.kl_divergence(p, self.clustering(embedding))
        clustering_loss = ops.mean(divergence)
        loss = add_losses_of(self.clustering_weight * clustering_loss, self.encoder)
        if not self.reconstruction_weight:
            return {"loss": loss}
        reconstruction = self.decoder(embedding, training=True)
        target = ops.reshape(x, ops.shape(reconstruction))
        reconstruction_loss = ops.mean(ops.square(ops.subtract(reconstruction, target)))
        loss += self.reconstruction_weight * reconstruction_loss
        return {
            "loss": add_losses_of(loss, self.decoder),
            "clustering_loss": clustering_loss,
            "reconstruction_loss": reconstruction_loss,
        }

    @property
    def trained_variables(self) -> list:
        """What the loss depends on: without a reconstruction term, not the decoder's variables."""
        model = self.autoencoder if self.reconstruction_weight else self.encoder
        return [*model.trainable_variables, *self.clustering.trainable_variables]

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "alpha": self.alpha,
            "clustering_weight": self.clustering_weight,
            "reconstruction_weight": self.reconstruction_weight,
        }


def _check_weights(clustering_weight, reconstruction_weight, has_decoder):
    weights = (clustering_weight, reconstruction_weight)
    if not all(isinstance(weight, Real) and 0 <= weight < math.inf for weight in weights):
        raise ValueError(
            "Expected `clustering_weight` and `reconstruction_weight` to be finite, at least 0. "
            f"Received: {clustering_weight!r} and {reconstruction_weight!r}"
        )
    if clustering_weight == 0 and reconstruction_weight == 0:
        raise ValueError(
            "Expected one of `clustering_weight` and `reconstruction_weight` above 0. "
            "Received: 0 for both"
        )
    if reconstruction_weight and not has_decoder:
        raise ValueError(
            "Expected a kdec.Autoencoder, whose decoder reconstructs, or reconstruction_weight=0. "
            f"Received: an encoder alone, with reconstruction_weight={reconstruction_weight!r}"
        )
