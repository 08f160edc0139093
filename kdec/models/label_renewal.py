"""How SelfLabeling trains: which samples, the steps of a round over them, and their new labels."""

import logging
from numbers import Real

import keras
import numpy as np
import tensorflow as tf

from kdec import metrics
from kdec.data import Shards
from kdec.models.stateless_seeds import StatelessSeeds
from kdec.models.working_arrays import working_array
from kdec.row_batches import put_rows, read_ahead, take_rows

logger = logging.getLogger("kdec")

_RENEWAL_BATCH = 2048


class Selection:
    """Which samples train: of each group the most confident, as many as its share.

    Args:
        keep: Float in (0, 1], the share.
        groups: Int array (n,), or None if all are kept.
        n: Number of samples.

    Raises:
        ValueError: If `keep` is not such a share, or below 1 without `groups` that fit.
    """

    def __init__(self, keep, groups, n):
        check_share("keep", keep, below_one=False)
        if keep < 1 and groups is None:
            raise ValueError(
                "Expected `groups` with a `keep` below 1, small groups of samples that are alike: "
                "the least confident of a cluster can be a whole style, which would be lost. "
                "Received: groups=None"
            )
        if groups is not None:
            groups = np.asarray(groups)
            if groups.shape != (n,) or groups.dtype.kind not in "iu":
                raise ValueError(
                    f"Expected `groups` to be an int array of shape ({n},). "
                    f"Received: shape {groups.shape}, dtype {groups.dtype}"
                )
        self.keep, self.groups, self.n = keep, groups, n

    def rows(self, confidences) -> np.ndarray:
        """Return the rows of the samples to train on, ascending, of `confidences` (n,)."""
        if self.keep == 1:
            return np.arange(self.n)
        order = np.lexsort((-confidences, self.groups))
        _, starts, sizes = np.unique(self.groups[order], return_index=True, return_counts=True)
        place = np.arange(self.n) - np.repeat(starts, sizes)
        return np.sort(order[place < np.repeat(np.ceil(self.keep * sizes), sizes)])


class LabeledSamples:
    """All samples, their present labels, and the steps of a round over them.

    Args:
        model: The `SelfLabeling` to train.
        x: NumPy array (n, ...), or `Shards`.
        batch_size: Samples a step; as many as are kept if that is less.
        passes: How often a round goes through all samples; more often through fewer that are kept.
    """

    def __init__(self, model, x, batch_size, passes):
        self.model = model
        self.x = x if isinstance(x, Shards) else tf.convert_to_tensor(x)
        self.n = len(x)
        self.shares = np.asarray(working_array((self.n, model.n_clusters), np.float32))
        self.batch_size = min(batch_size, self.n)
        self.n_steps = passes * (self.n // self.batch_size)
        self.labels = tf.Variable(tf.zeros(self.n, tf.int32))
        self.kept = tf.Variable(tf.range(self.n))  # The first `n_kept` rows of it count.
        self.n_kept = tf.Variable(self.n)
        layers = [model.classifier, model.views]
        self.seeds = StatelessSeeds(layers, [model.seed, 0])
        self.renewal_seeds = StatelessSeeds(layers, [model.seed, 1])
        self._sound_weights = None
        self.run_round = tf.function(self._run_round)
        self._assign = tf.function(self._assign)

    def set_labels(self, labels, rows) -> None:
        """Train on the samples `rows` (m,), with `labels` (n,) of all."""
        self._sound_weights = self.model.get_weights()
        self.labels.assign(labels.astype(np.int32))
        self.kept.assign(np.pad(rows, (0, self.n - len(rows))).astype(np.int32))
        self.n_kept.assign(len(rows))

    def assignments(self) -> np.ndarray:
        """Return the present mean assignments over views, (n, n_clusters).

        Raises:
            FloatingPointError: If they are not finite.
            ValueError: If a cluster has no sample.
        """
        self._assign()
        shares = self.shares
        if not np.isfinite([shares.min(), shares.max()]).all():
            self._undo_round()
            raise FloatingPointError(
                "The assignments are not finite: the training has diverged. The model has the "
                "weights of the round before, and a fresh optimizer. A smaller learning rate may "
                "help."
            )
        sizes = np.bincount(shares.argmax(axis=1), minlength=self.model.n_clusters)
        if not sizes.all():
            self._undo_round()
            raise ValueError(
                f"Clusters {np.flatnonzero(sizes == 0).tolist()} of {len(sizes)} died out: none of "
                "the labels made anew is theirs. The model has the weights of the round before."
            )
        return shares

    def _undo_round(self):
        if self._sound_weights is not None:
            self.model.set_weights(self._sound_weights)
            self.model.renew_optimizer()

    def _run_round(self):
        read = read_ahead(self.x, self._batch, self.model.step.value, self.n_steps)
        for _ in tf.range(self.n_steps):
            self.seeds.set_step(self.model.step.value)
            self.model.train_on_rows(*read(self.model.step.value))
            self.model.step.assign_add(1)

    def _batch(self, step):
        """The samples of a step and their labels."""
        rows = self._draw(step)
        return take_rows(self.x, rows), take_rows(self.labels, rows)

    def _draw(self, step):
        """The rows of a step's samples, (batch,)."""
        batch_size = tf.minimum(self.batch_size, self.n_kept)
        steps_of_pass = self.n_kept // batch_size
        chosen = tf.random.experimental.index_shuffle(
            (step % steps_of_pass) * batch_size + tf.range(batch_size),
            seed=[self.model.seed, step // steps_of_pass],
            max_index=self.n_kept - 1,
        )
        return tf.gather(self.kept, chosen)

    def _assign(self):
        """Set the mean assignments of all samples over the sample itself and views of it."""
        model, n_views = self.model, 1 if self.model.views is None else self.model.n_views
        self.renewal_seeds.set_step(model.step.value)
        n_chunks = -(-self.n // _RENEWAL_BATCH)
        read = read_ahead(self.x, self._chunk, 0, n_chunks)
        for i in tf.range(n_chunks):
            x = read(i)
            shares = model(x, training=False)
            for _ in range(n_views - 1):
                shares += model(model.views(x, training=True), training=False)
            put_rows(self.shares, i * _RENEWAL_BATCH, tf.cast(shares, tf.float32) / n_views)

    def _chunk(self, i):
        """The samples of a chunk in their own order."""
        start = i * _RENEWAL_BATCH
        return take_rows(self.x, tf.range(start, tf.minimum(start + _RENEWAL_BATCH, self.n)))


class LabelRenewal(keras.callbacks.Callback):
    """Makes the labels anew after each round, and reports on them.

    It stands before the user's callbacks, so that they find the figures in the logs.
    """

    def __init__(self, labeled, selection, labels, confidences, y):
        super().__init__()
        self.labeled = labeled
        self.selection = selection
        self.labels = labels
        self.confidences = confidences
        self.y = y
        self.started = False

    def on_epoch_begin(self, epoch, logs=None):
        """Set the labels of the first round, or those of the round at which `fit` goes on."""
        # Not at on_train_begin: a BackupAndRestore behind this callback restores weights there.
        if not self.started:
            if epoch > 0:
                self._renew()
            self.labeled.set_labels(self.labels, self.selection.rows(self.confidences))
            self.started = True

    def on_epoch_end(self, epoch, logs=None):
        """Renew the labels, and add the figures to the logs."""
        before = self.labels
        self._renew()
        rows = self.selection.rows(self.confidences)
        self.labeled.set_labels(self.labels, rows)
        sizes = np.bincount(self.labels, minlength=self.labeled.model.n_clusters)
        logs["delta_label"] = float(np.mean(self.labels != before))
        logs["kept"] = len(rows) / len(self.labels)
        logs["smallest_cluster"], logs["largest_cluster"] = int(sizes.min()), int(sizes.max())
        logger.info("Round %d: clusters of %s samples.", epoch + 1, sizes.tolist())
        if self.y is not None:
            logs["acc"] = metrics.accuracy(self.y, self.labels)
            logs["nmi"] = metrics.nmi(self.y, self.labels)
            logs["ari"] = metrics.ari(self.y, self.labels)

    def _renew(self):
        shares = self.labeled.assignments()
        self.labels, self.confidences = shares.argmax(axis=1), shares.max(axis=1)


def check_share(name: str, value, below_one: bool) -> None:
    """Raise a ValueError unless `value` is in [0, 1), or, not `below_one`, in (0, 1]."""
    in_range = isinstance(value, Real) and (0 <= value < 1 if below_one else 0 < value <= 1)
    if not in_range:
        wanted = "[0, 1)" if below_one else "(0, 1]"
        raise ValueError(f"Expected `{name}` to be in {wanted}. Received: {name}={value!r}")
