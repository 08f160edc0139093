"""A backup of a training that a kill at any moment leaves whole."""

import json
import os
from pathlib import Path

import keras

from kdec.whole_files import written_whole


class AtomicBackup(keras.callbacks.BackupAndRestore):
    """Keras' BackupAndRestore whose backup is whole and of one epoch, whenever the process ends.

    Keras' own writes weights and epoch one after the other over the last ones. A kill between
    them trains an epoch twice, a kill within one leaves a backup that does not load. Here one
    file, replaced in one step, names the epoch and its weights. It also says whether another
    callback had ended the training, as DEC does when its labels settle: `fit` then restores the
    weights and trains no further.

    Give it last in `callbacks`, behind those that may stop the training. A training ends as one
    never killed if what else it depends on follows from weights and epoch, as in the `fit` of
    kdec's models; for others see `kdec.models.ShuffledBatches`.

    Args:
        backup_dir: Folder of the backup, of this one training; made if absent.
        delete_checkpoint: If True, the folder is removed at the end of `fit`. With False, a kill
            before the trained model is saved loses nothing either; remove the folder after that.
            Defaults to True, as in Keras.

    Example:
    >>> import kdec, numpy as np, tempfile
    >>> x = np.random.default_rng(0).random((30, 4), "float32")
    >>> dec = kdec.DEC(kdec.autoencoders.dense((4, 8, 2), seed=0), n_clusters=3)
    >>> _ = dec.initialize(x, random_state=0)
    >>> backup = kdec.models.AtomicBackup(tempfile.mkdtemp())
    >>> history = dec.fit(x, max_steps=4, update_interval=2, tol=0, callbacks=[backup], verbose=0)
    """

    def __init__(self, backup_dir: str | os.PathLike, delete_checkpoint: bool = True):
        super().__init__(str(backup_dir), delete_checkpoint=delete_checkpoint)
        self._folder = Path(backup_dir)
        self._state_path = self._folder / "state.json"

    def on_train_begin(self, logs=None):
        """Restore the weights of the last epoch of an interrupted training, if there was one."""
        if not self._state_path.exists():
            return
        state = json.loads(self._state_path.read_text())
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self.model.load_weights(self._folder / state["weights"])
        # As Keras' own does; `fit` forgets it at the start of the next one.
        self.model._initial_epoch = self.params["epochs"] if state["stopped"] else state["epoch"]

    def on_epoch_end(self, epoch, logs=None):
        """Back up the weights, under a name of their own, and then the state that names them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        weights = self._folder / f"epoch_{epoch + 1}.weights.h5"
        with written_whole(weights) as partial:
            self.model.save_weights(partial)
        state = {
            "epoch": epoch + 1,
            "weights": weights.name,
            "stopped": bool(self.model.stop_training),
        }
        with written_whole(self._state_path) as partial:
            partial.write_text(json.dumps(state))
        for path in self._folder.glob("*.weights.h5"):
            if path != weights:
                path.unlink()

    def on_train_end(self, logs=None):
        """Remove the backup, unless it is to stay."""
        if self.delete_checkpoint:
            # First, since it names a file that a kill may find removed.
            self._state_path.unlink(missing_ok=True)
        super().on_train_end(logs)
