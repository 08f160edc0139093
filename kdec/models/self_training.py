"""How DEC trains: the walk over the training set, step by step, and the renewal of its targets."""

import functools
import logging

import keras
import numpy as np
import tensorflow as tf

from kdec import metrics
from kdec.data import Shards
from kdec.models.encoders import is_collapsed
from kdec.models.samples import encode
from kdec.models.stateless_seeds import StatelessSeeds
from kdec.models.targets import sharpen
from kdec.models.walk import Walk, average_over_workers
from kdec.models.working_arrays import working_array
from kdec.row_batches import put_rows, read_ahead, take_rows
from kdec.workers import present

logger = logging.getLogger("kdec")

# Rows that go through the encoder at once when all of x does: large enough for full matrix-product
# speed, small enough that 2000 units a row stay within tens of megabytes.
RENEWAL_BATCH = 2048

# Soft assignments that differ less than this over all samples may come from equal codes.
_LEAST_RANGE = 1e-6

_NOT_FINITE = (
    "The soft assignments are not finite before any training: weights of the encoder or centroids "
    "are not, or they are so large that it overflows."
)
_DIVERGED = (
    "The soft assignments are not finite: the training has diverged. The model has the weights of "
    "the last renewal at which they were, and a fresh optimizer. A smaller learning rate may help, "
    "or samples of a smaller scale."
)
_COLLAPSED_BEFORE = (
    "The embedding has collapsed before any training: the codes of all samples are equal. Either "
    "the encoder gives every sample the same code, or all samples are equal."
)
_COLLAPSED = (
    "The embedding has collapsed: the codes of all samples are equal. The model has the weights of "
    "the last renewal at which they were not, and a fresh optimizer. A smaller learning rate may "
    "help, or a reconstruction weight above 0."
)


class TrainingSet:
    """All samples, their targets, and the step that walks through both in order.

    Args:
        model: The `DEC` to train.
        x: NumPy array (n, ...), or `Shards`.
        batch_size: Samples a step; the last batch of a pass may be smaller.
        update_interval: Steps between renewals.
        max_steps: Steps after which an interval is cut short.
        shuffle: Walk through a permutation that depends on n alone, not through x as it stands.
    """

    def __init__(self, model, x, batch_size, update_interval, max_steps, shuffle):
        self.model = model
        self.x = x if isinstance(x, Shards) else tf.convert_to_tensor(x)
        self.n = len(x)
        self.workers = present()
        self.walk = Walk(self.workers, self.n, batch_size, shuffle)
        self.update_interval = update_interval
        self.max_steps = max_steps
        self.steps_to_run = tf.Variable(0, dtype=tf.int32)
        shape, dtype = (self.n, model.n_clusters), model.clustering.compute_dtype
        self.q = np.asarray(working_array(shape, dtype))
        # Of samples on the disk, the targets take the place of q.
        self.p = self.q if isinstance(x, Shards) else tf.Variable(tf.zeros(shape, dtype))
        # Of the views alone: dropout in an encoder goes on as it did before there were views.
        self.seeds = StatelessSeeds([model.views])
        self._sound_weights = None
        self._has_warned = False
        self.run_interval = tf.function(self._run_interval)
        self._assign_softly = tf.function(self._assign_softly)

    def start_interval(self, epoch: int) -> None:
        """Set how many steps the interval number `epoch` has; the last one may be shorter."""
        steps_left = self.max_steps - epoch * self.update_interval
        self.steps_to_run.assign(min(self.update_interval, steps_left))

    def renew_targets(self) -> np.ndarray:
        """Set the targets p from the present q; return the present labels, int array (n,).

        Raises:
            FloatingPointError: If q is not finite. The model then has the weights of the renewal
                before, if there was one, and a fresh optimizer.
            ValueError: If the codes of all samples are equal, likewise.
        """
        average_over_workers(self.model, self.workers)
        self._assign_softly()
        q = self.q
        # In both cases the labels would all be alike, and look settled.
        if self.workers.sum(int(not np.isfinite([q.min(), q.max()]).all())):
            raise FloatingPointError(_DIVERGED if self._undo_interval() else _NOT_FINITE)
        if self._has_collapsed(q):
            raise ValueError(_COLLAPSED if self._undo_interval() else _COLLAPSED_BEFORE)
        self._sound_weights = self.model.get_weights()
        labels = np.argmax(q, axis=1)
        sharpen(q, self.workers)
        if self.p is not q:
            self.p.assign(q)
        return labels

    def _has_collapsed(self, q):
        """Whether all samples have the same code; a warning if only their assignments are alike."""
        ends = self.workers.gather(np.stack([q.min(axis=0), q.max(axis=0)]))
        has_one = self.walk.n < 2 or self.model.n_clusters < 2
        if has_one or np.ptp(ends, axis=0).max() > _LEAST_RANGE:
            return False
        # Small or far codes give equal assignments, too. They are no collapse: k-means tells them
        # apart, whatever their scale.
        codes = encode(self.model.encoder, self.x, RENEWAL_BATCH)
        codes = codes.astype(np.result_type(codes.dtype, np.float32))
        codes = self.workers.gather(np.stack([codes.min(axis=0), codes.max(axis=0)]))
        if not is_collapsed(codes) and not self._has_warned:
            self._has_warned = True
            logger.warning("All samples have the same soft assignments: nothing to train on.")
        return is_collapsed(codes)

    def _undo_interval(self) -> bool:
        """Restore the weights of the renewal before; return whether there was one."""
        if self._sound_weights is None:
            return False
        self.model.set_weights(self._sound_weights)
        self.model.renew_optimizer()
        return True

    def _run_interval(self):
        read = read_ahead(self.x, self._batch, self.model.step.value, self.steps_to_run)
        for _ in tf.range(self.steps_to_run):
            self.seeds.set_step(self.model.step.value)
            x, p = read(self.model.step.value)
            self.model.minimize(
                functools.partial(self.model.losses_on_rows, x, p),
                self.model.trained_variables,
                self.walk.batch_size(self.model.step.value),
                self.walk.share(self.model.step.value),
            )
            self.model.step.assign_add(1)

    def _batch(self, step):
        """The samples of a step and their targets."""
        rows = self.walk.rows(step)
        return take_rows(self.x, rows), take_rows(self.p, rows)

    def _assign_softly(self):
        """Set the assignments q of all samples."""
        n_chunks = -(-self.n // RENEWAL_BATCH)
        read = read_ahead(self.x, self._chunk, 0, n_chunks)
        for i in tf.range(n_chunks):
            put_rows(self.q, i * RENEWAL_BATCH, self.model(read(i), training=False))

    def _chunk(self, i):
        """The samples of a chunk in their own order."""
        start = i * RENEWAL_BATCH
        return take_rows(self.x, tf.range(start, tf.minimum(start + RENEWAL_BATCH, self.n)))


class TargetRenewal(keras.callbacks.Callback):
    """Renews the targets after each interval, reports, and stops when the labels settle.

    It stands before the user's callbacks, so that they find `delta_label` and the metrics in the
    logs.
    """

    def __init__(self, training_set, y, tol):
        super().__init__()
        self.training_set = training_set
        self.y = y
        self.tol = tol
        self.labels = None

    def on_epoch_begin(self, epoch, logs=None):
        """Renew the targets before the first interval, and set the interval's length."""
        # Not at on_train_begin: a BackupAndRestore behind this callback restores weights there.
        if self.labels is None:
            self.labels = self.training_set.renew_targets()
        self.training_set.start_interval(epoch)

    def on_epoch_end(self, epoch, logs=None):
        """Renew the targets, add the metrics to the logs, and stop when the labels settle."""
        labels = self.training_set.renew_targets()
        workers = self.training_set.workers
        n_changed = workers.sum(np.count_nonzero(labels != self.labels))
        delta_label = float(n_changed / self.training_set.walk.n)
        self.labels = labels
        logs["delta_label"] = delta_label
        if self.y is not None:
            y, labels = workers.gather(self.y), workers.gather(labels)
            logs["acc"] = metrics.accuracy(y, labels)
            logs["nmi"] = metrics.nmi(y, labels)
            logs["ari"] = metrics.ari(y, labels)
        if delta_label < self.tol:
            logger.info("Share of changed labels %.5f below %.5f: done.", delta_label, self.tol)
            self.model.stop_training = True
