"""A backup of a training that a kill at any moment leaves whole."""

import io
import os
from pathlib import Path

import keras
import numpy as np

from kdec.whole_files import written_whole
from kdec.workers import present


class AtomicBackup(keras.callbacks.BackupAndRestore):
    """Keras' BackupAndRestore whose backup is whole and of one epoch, whenever the process ends.

    Keras' own writes the weights and then the epoch, each over the last one. A kill between them
    trains an epoch twice, a kill within one leaves a backup that does not load. Here one file,
    replaced in one step, holds both. It also says whether another callback had ended the training,
    as DEC does when its labels settle: `fit` then restores the weights and trains no further.

    Of several workers the first one writes it, and all go on from it.

    Give it last in `callbacks`, behind those that may stop the training. A training ends as one
    never killed if what else it depends on follows from weights and epoch, as in the `fit` of
    kdec's models; for the order of batches in others see `kdec.models.ShuffledBatches`.

    Args:
        backup_dir: Folder of the backup, of this one training; made if absent.
        delete_checkpoint: If True, the folder is removed at the end of `fit`. With False, a kill
            before the trained model is saved loses nothing either; remove the folder after that.
            Defaults to True, as in Keras.

    Raises:
        ValueError: At the start of `fit`, if the folder holds a backup of another model.
        OSError: At the end of an epoch, if the backup cannot be written; the one before stays.

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
        self._path = Path(backup_dir) / "backup.npz"

    def on_train_begin(self, logs=None):
        """Restore the state after the last epoch of an interrupted training, if there was one."""
        # Of several workers the first one writes, and others may not see its disk.
        here = present().index == 0 and self._path.exists()
        content = present().of_first(self._path.read_bytes() if here else b"")
        if not content:
            return
        with np.load(io.BytesIO(content)) as backup:
            arrays = [backup[f"arr_{i}"] for i in range(len(backup) - 2)]
            epoch, has_stopped = int(backup["epoch"]), bool(backup["has_stopped"])
        variables = self._variables()
        expected, received = ([tuple(v.shape) for v in each] for each in (variables, arrays))
        if received != expected:
            raise ValueError(
                f"Expected {self._path} to be a backup of this model, of variables of shapes "
                f"{expected}. Received: shapes {received}"
            )
        for variable, array in zip(variables, arrays, strict=True):
            # NumPy's files do not know bfloat16.
            variable.assign(array.view(keras.ops.convert_to_numpy(variable).dtype))
        # As Keras' own does; `fit` forgets it at the start of the next one.
        self.model._initial_epoch = self.params["epochs"] if has_stopped else epoch

    def on_epoch_end(self, epoch, logs=None):
        """Back up the weights, the optimizer's state, the epoch, and whether training ends."""
        if present().index > 0:
            return
        # Not as HDF5: a full disk makes its library crash the process.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self._path) as partial:
            np.savez(
                partial,
                *map(keras.ops.convert_to_numpy, self._variables()),
                epoch=epoch + 1,
                has_stopped=self.model.stop_training,
            )

    def on_train_end(self, logs=None):
        """Remove the folder, if that was asked for."""
        if present().index == 0:
            super().on_train_end(logs)

    def _variables(self):
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        # Random seeds, too. Metrics start anew in each epoch, and some are made in the first one.
        metrics = {id(variable) for variable in self.model.metrics_variables}
        kept = (variable for variable in self.model.variables if id(variable) not in metrics)
        return [*kept, *optimizer.variables]
