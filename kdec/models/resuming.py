"""What lets a training go on after an interruption: its curve on disk, checkpoints, whole files."""

import csv
from pathlib import Path

import keras

from kdec.models.backup import AtomicBackup
from kdec.whole_files import written_whole


def resuming_callbacks(backup: Path, curve: Path) -> list[keras.callbacks.Callback]:
    """Return callbacks with which the same `fit` on the same model goes on where it was left.

    Args:
        backup: Folder for a checkpoint of each epoch. Remove it when the trained model is saved:
            the end of training would be too early.
        curve: CSV file for what is logged of each epoch; `read_curve` reads it.
    """
    return [_CurveLog(curve), AtomicBackup(backup, delete_checkpoint=False)]


def save_whole(model: keras.Model, path: Path) -> None:
    """Save a model so that a kill or a full disk leaves no half-written file behind."""
    with written_whole(path) as partial:
        model.save(partial)


def read_curve(path: Path) -> dict[str, list[float]]:
    """Return the learning curve that `resuming_callbacks` kept, a list for each logged name."""
    with open(path, newline="") as file:
        names, *rows = csv.reader(file)
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return {name: [float(value) for value in columns[name]] for name in names if name != "epoch"}


def _write_curve(path, curve):
    """Write a learning curve as CSV, one row an epoch."""
    with written_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *curve])
        writer.writerows(
            [epoch, *values] for epoch, values in enumerate(zip(*curve.values(), strict=True))
        )


class _CurveLog(keras.callbacks.Callback):
    """Keeps the learning curve on disk, also that of the epochs before a kill.

    Keras' CSVLogger would append to a line that a full disk cut short.
    """

    def __init__(self, path):
        super().__init__()
        self._path = path

    def on_train_begin(self, logs=None):
        self._curve = read_curve(self._path) if self._path.exists() else {}

    def on_epoch_end(self, epoch, logs=None):
        # A kill between curve and backup has the epoch done, and logged, once more.
        self._curve = {
            name: [*self._curve.get(name, [])[:epoch], float(value)] for name, value in logs.items()
        }
        _write_curve(self._path, self._curve)
