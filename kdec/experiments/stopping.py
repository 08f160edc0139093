"""Early stopping that goes on where an interrupted training left it."""

import json
import os
from pathlib import Path

import keras
import numpy as np

from kdec.whole_files import written_whole


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' EarlyStopping with the best weights restored, which survives a kill.

    Keras' own forgets the best loss, the best weights and the epochs waited when the process ends;
    a training that `AtomicBackup` resumes would then stop elsewhere than one never stopped.

    Args:
        folder: Where the state goes; made if absent.
        monitor: Name of the figure in the logs. Defaults to "loss".
        patience: Positive int, epochs without improvement after which to stop. Defaults to 10.
        min_delta: Non-negative float, least change that counts. Defaults to 0.0.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        monitor: str = "loss",
        patience: int = 10,
        min_delta: float = 0.0,
    ):
        super().__init__(
            monitor=monitor,
            patience=patience,
            min_delta=min_delta,
            mode="min",
            restore_best_weights=True,
        )
        self.folder = Path(folder)
        self.last_epoch = -1

    def on_train_begin(self, logs=None):
        """Start anew, or from the state that an interrupted training left."""
        super().on_train_begin(logs)
        self.last_epoch = -1
        if self._state_path.exists():
            state = json.loads(self._state_path.read_text())
            self.last_epoch, self.wait = state["last_epoch"], state["wait"]
            self.best_epoch, self.best = state["best_epoch"], state["best"]
            with np.load(self._weights_path) as arrays:
                self.best_weights = list(arrays.values())

    def on_epoch_end(self, epoch, logs=None):
        """Count the epoch, unless it or the end of the training was counted before a kill."""
        if self.wait >= self.patience:
            self.model.stop_training = True
        elif epoch > self.last_epoch:
            super().on_epoch_end(epoch, logs)
            self.last_epoch = epoch
            self._save()

    def _save(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.wait == 0:
            with written_whole(self._weights_path) as partial:
                np.savez(partial, *self.best_weights)
        state = {name: getattr(self, name) for name in ("last_epoch", "wait", "best_epoch", "best")}
        with written_whole(self._state_path) as partial:
            partial.write_text(json.dumps(state))
        for path in self.folder.glob("best_*.npz"):
            if path != self._weights_path:
                path.unlink()

    @property
    def _state_path(self):
        return self.folder / "state.json"

    @property
    def _weights_path(self):
        # One file for each best epoch: the state on disk always finds its own, whole.
        return self.folder / f"best_{self.best_epoch}.npz"
