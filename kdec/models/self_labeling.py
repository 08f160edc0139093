"""Self-labelling: a classifier trained over views on labels that it then makes anew, in rounds.

One batch's way through `SelfLabeling.fit`: rows of `x` -> a random view of each -> classifier ->
cross-entropy with the present labels. After each round the labels become those of the classifier's
mean over several views of all samples. A round is one Keras epoch and one `tf.function` call.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from kdec.guards import as_array, non_negative_int, positive_int
from kdec.models.encoders import check_encoder, check_views
from kdec.models.label_renewal import LabeledSamples, LabelRenewal, Selection, check_share
from kdec.models.own_loss import add_losses_of
from kdec.models.samples import check_labels
from kdec.models.whole_set import WholeSetModel

_LEARNING_RATE = 1e-3
_RATE_OF_NEXT_ROUND = 0.8  # of the round's before
_LAST_SHARE = 0.05  # of a round's learning rate, at the end of its cosine


@keras.saving.register_keras_serializable(package="kdec")
class SelfLabeling(WholeSetModel):
    """A classifier that starts from the labels of any clustering and makes them better.

    `fit(x, labels)` trains it, `predict(x)` gives soft assignments, (n, n_clusters). What a network
    learns from many labels over views of the samples overrules single labels that are wrong; so it
    renews the labels, and trains on. Whole groups of samples that are wrong stay so.

    The classifier is shared, not copied: training changes it. It trains on TensorFlow; a saved
    model also loads and predicts on Keras' other backends.

    Args:
        classifier: Built `keras.Model`, (batch, ...) -> logits (batch, n_clusters), such as
            `kdec.autoencoders.conv_encoder(embedding_units=n_clusters, dropout=0.3)`.
        views: Keras layer that gives random views of samples when called with `training=True`, such
            as `kdec.views.RandomAffine`; or None for the samples as they are. Defaults to None.
        label_smoothing: Float in [0, 1), share of the target that all clusters have alike. Defaults
            to 0.1.
        n_views: Positive int, views of a sample that its new label is the mean of; the first is the
            sample itself. Defaults to 3.
        seed: Int of at least 0. Order, views and dropout in `fit` depend on it and on the number of
            the step alone; seeds of the layers do not count there. Defaults to 0.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        TypeError: If `classifier` is not a `keras.Model`, or `views` not a Keras layer.
        ValueError: If the classifier is not built or does not give logits of at least two clusters,
            or a number is out of its range.

    Reference:
        Van Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool, SCAN: Learning to Classify
        Images without Labels (2020), section 2.3. There only confident samples are kept; here all
        are, since the least confident can be a whole style of a class.

    Example:
    >>> import kdec
    >>> data = kdec.load_data("digits")
    >>> labels = kdec.KMeans(10, n_init=5, random_state=0).fit_predict(data.flat)
    >>> classifier = kdec.autoencoders.dense_encoder((64, 100, 10), dropout=0.3, seed=0)
    >>> model = kdec.SelfLabeling(classifier, kdec.views.RandomNoise(0.1))
    >>> history = model.fit(data.flat, labels, rounds=2, passes=3, verbose=0)
    >>> sorted(history.history)
    ['delta_label', 'kept', 'largest_cluster', 'loss', 'smallest_cluster']
    >>> model.predict(data.flat, verbose=0).shape
    (1797, 10)
    """

    parts = ("classifier", "views")
    instead_of_epochs = "Expected `rounds`, of `passes` through the samples, in place of `epochs`."
    instead_of_evaluation = (
        "Expected `predict`, and `kdec.metrics` on its labels: there is no loss on new samples, "
        "which have no labels to learn."
    )

    def __init__(
        self,
        classifier: keras.Model,
        views: keras.Layer | None = None,
        label_smoothing: float = 0.1,
        n_views: int = 3,
        seed: int = 0,
        **kwargs,
    ):
        check_encoder(classifier)
        if classifier.output_shape[1] < 2:
            raise ValueError("Expected `classifier` to give logits of at least 2 clusters.")
        check_views(views)
        check_share("label_smoothing", label_smoothing, below_one=True)
        n_views, seed = positive_int("n_views", n_views), non_negative_int("seed", seed)
        super().__init__(**kwargs)
        self.classifier = classifier
        self.views = views
        self.label_smoothing = float(label_smoothing)
        self.n_views = n_views
        self.seed = seed
        self._loss_mean = keras.metrics.Mean(name="loss")
        self.call_once(classifier)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self.classifier.output_shape[1]

    @property
    def metrics(self):
        """The running mean of the loss, which Keras resets at the start of each round."""
        return [self._loss_mean]

    def call(self, inputs, training=None):
        """Return the soft assignments of `inputs`, shape (batch, n_clusters)."""
        return ops.softmax(_in_full_precision(self.classifier(inputs, training=training)))

    def fit(
        self,
        x,
        labels,
        y=None,
        batch_size: int = 256,
        rounds: int = 6,
        passes: int = 6,
        *,
        keep: float = 1.0,
        groups=None,
        confidences=None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        verbose="auto",
        initial_epoch: int = 0,
        **other_options,
    ) -> keras.callbacks.History:
        """Train on `labels` for a round, then in each further round on the labels made anew.

        A model that has not been compiled trains by Adam with a learning rate that falls by a
        cosine in each round, from 1e-3 in the first and from 0.8 times that of the round before in
        the others, each time to a twentieth of it.

        Args:
            x: Float array (n, ...), all samples, in the classifier's input shape; or samples on the
                disk: a `np.memmap`, `kdec.data.Shards`, or a `tf.data.Dataset` of batches. Those
                are read a few batches ahead, with the same result.
            labels: Int array (n,) from 0 to n_clusters - 1, with some of each; or soft assignments
                (n, n_clusters), whose largest share is the label, and its confidence.
            y: True labels (n,), ints or strings, for `acc`, `nmi` and `ari` in the logs; training
                never sees them. Defaults to None.
            batch_size: Positive int, samples a step; at most as many as are kept. Defaults to 256.
            rounds: Positive int, number of the last round. Defaults to 6.
            passes: Positive int, how often a round goes through all samples. Defaults to 6.
            keep: Float in (0, 1], share of each group that trains, its most confident. Defaults to
                1.0: all samples train, whatever their confidence.
            groups: Int array (n,), small groups of samples that are alike, such as those of
                `kdec.KMeans` with many clusters on the codes. A `keep` below 1 needs it: the least
                confident of a cluster can be a whole style, which must not be lost; a style that
                has a group of its own keeps its share. Defaults to None.
            confidences: Float array (n,), how sure each of `labels` is, for `keep` in the first
                round. Defaults to None: those of soft assignments, else all alike.
            callbacks: Keras callbacks. Defaults to None.
            verbose: "auto", 0, 1 or 2, as in `keras.Model.fit`.
            initial_epoch: Int, rounds already done, by this model; the labels are then made anew
                first. Defaults to 0.
            **other_options: Refused: arguments that `keras.Model.fit` has and this one has not.

        Returns:
            `keras.callbacks.History` with one entry for each round: `loss`, and of the labels made
            after it `delta_label` (share that changed), `kept` (share that goes on to train),
            `smallest_cluster` and `largest_cluster` (samples), given `y` `acc`, `nmi` and `ari`.

        Raises:
            TypeError: If `x` is neither array nor on the disk, or an argument is not known.
            ValueError: If `x` does not fit the classifier, an array does not fit `x`, a number is
                out of its range, or a cluster has no sample, be it before training or after a
                round; the model then has the weights of the round before.
            FloatingPointError: If the assignments are not finite, likewise.
            RuntimeError: If Keras runs on another backend than TensorFlow.
        """
        self.check_fit(other_options, callbacks, initial_epoch)
        x = self.check_whole_set(x, self.classifier)
        labels, found_confidences = _check_assignments(labels, len(x), self.n_clusters)
        if confidences is None:
            confidences = found_confidences
        confidences = _check_confidences(confidences, len(x))
        y = None if y is None else check_labels(y, len(x))
        selection = Selection(keep, groups, len(x))
        labeled = LabeledSamples(
            self, x, positive_int("batch_size", batch_size), positive_int("passes", passes)
        )
        rounds = positive_int("rounds", rounds)
        if not self.compiled:
            decay = keras.optimizers.schedules.CosineDecayRestarts(
                _LEARNING_RATE,
                labeled.n_steps,
                t_mul=1.0,
                m_mul=_RATE_OF_NEXT_ROUND,
                alpha=_LAST_SHARE,
            )
            self.compile(keras.optimizers.Adam(decay))
        renewal = LabelRenewal(labeled, selection, labels, confidences, y)
        return self.fit_by_epochs(
            labeled.run_round,
            x,
            epochs=rounds,
            initial_epoch=initial_epoch,
            callbacks=[renewal, *keras.tree.flatten(callbacks or [])],
            verbose=verbose,
        )

    def train_on_rows(self, x, labels):
        """Take one optimizer step on the samples `x` (batch, ...) with `labels` (batch,)."""
        self.minimize(lambda: {"loss": self.loss_on_rows(x, labels)}, self.trainable_variables, 1)

    def loss_on_rows(self, x, labels):
        """Return the mean cross-entropy of a view of each of `x` (batch, ...) with `labels`."""
        if self.views is not None:
            x = self.views(x, training=True)
        logits = _in_full_precision(self.classifier(x, training=True))
        cross_entropies = keras.losses.categorical_crossentropy(
            ops.one_hot(labels, self.n_clusters, dtype=logits.dtype),
            logits,
            from_logits=True,
            label_smoothing=self.label_smoothing,
        )
        return add_losses_of(ops.mean(cross_entropies), self.classifier)

    def get_config(self):
        """Return the arguments that rebuild this model."""
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "n_views": self.n_views,
            "seed": self.seed,
        }


def _in_full_precision(logits):
    return ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))


def _check_assignments(labels, n, n_clusters):
    """Labels (n,) and confidences (n,) out of labels or soft assignments, or an error."""
    labels = as_array("labels", labels)
    if labels.shape == (n, n_clusters) and labels.dtype.kind == "f" and np.isfinite(labels).all():
        labels, confidences = labels.argmax(axis=1), labels.max(axis=1)
    elif labels.shape == (n,) and labels.dtype.kind in "iu":
        confidences = np.ones(n)
    else:
        raise ValueError(
            f"Expected `labels` to be ints of shape ({n},), or soft assignments, finite floats of "
            f"shape ({n}, {n_clusters}). Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    missing = sorted(set(range(n_clusters)) - set(labels.tolist()))
    if labels.min() < 0 or labels.max() >= n_clusters or missing:
        raise ValueError(
            f"Expected `labels` from 0 to {n_clusters - 1}, with some of each. "
            f"Received: {labels.min()} to {labels.max()}, none of {missing}"
        )
    return labels, confidences


def _check_confidences(confidences, n):
    confidences = np.asarray(confidences)
    if confidences.shape != (n,) or confidences.dtype.kind not in "biuf":
        raise ValueError(
            f"Expected `confidences` to be numbers of shape ({n},). "
            f"Received: shape {confidences.shape}, dtype {confidences.dtype}"
        )
    if not np.isfinite(confidences).all():
        raise ValueError("Expected finite `confidences`. Received: NaN or infinity among them.")
    return confidences
