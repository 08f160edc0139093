"""The trainings of one fit, each of which can go on after an interruption."""

import csv
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

logger = logging.getLogger("kdec")


class Stages:
    """Trains models one after the other; given a folder, does not train again what is there.

    Args:
        folder: Folder for what an interrupted fit needs to go on, or None.
        callbacks: Keras callbacks for each training.

    Attributes:
        curves: The learning curve of each stage, a list for each logged name.
    """

    def __init__(self, folder: Path | None, callbacks: Sequence[keras.callbacks.Callback] | None):
        self.folder = folder
        self.callbacks = keras.tree.flatten(callbacks or [])
        self.curves: dict[str, dict[str, list[float]]] = {}

    def train(
        self,
        stage: str,
        build: Callable[[], keras.Model],
        fit: Callable[[keras.Model, list], Any],
        filename: str,
    ) -> keras.Model:
        """Train a model, or go on where an interrupted fit left it, or load the finished one.

        Args:
            stage: Name of the stage.
            build: Makes the model as it is before training, the same one each time.
            fit: Called with the model and callbacks; trains the one with the others.
            filename: Where the trained model goes in the folder.

        Returns:
            The trained model.
        """
        if self.folder is None:
            model, history = build(), keras.callbacks.History()
            fit(model, [history, *self.callbacks])
            self.curves[stage] = history.history
            return model
        path, backup = self.folder / filename, self.folder / f"backup_{stage}"
        curve = self.folder / f"curve_{stage}.csv"
        if path.exists():
            logger.info("%s: finished before; loaded from %s.", stage, path)
            model = keras.saving.load_model(path)
        else:
            model = build()
            fit(model, [*_resuming(backup, curve), *self.callbacks])
            save_whole(model, path)
            shutil.rmtree(backup, ignore_errors=True)
        self.curves[stage] = read_curve(curve)
        return model


def _resuming(backup, curve):
    """Callbacks that keep the learning curve and a checkpoint of each epoch."""
    return [
        keras.callbacks.CSVLogger(str(curve), append=True),
        # Its end of training is too early to delete it: the model has not been saved yet.
        keras.callbacks.BackupAndRestore(
            str(backup), double_checkpoint=True, delete_checkpoint=False
        ),
    ]


def save_whole(model: keras.Model, path: Path) -> None:
    """Save under another name first, so that a kill leaves no half-written model behind."""
    partial = path.with_name(f"partial_{path.name}")
    model.save(partial)
    partial.replace(path)


def read_curve(path: Path) -> dict[str, list[float]]:
    """Return the learning curve that Keras' CSVLogger wrote, a list for each logged name.

    A training that was killed and resumed may have logged an epoch twice; the last row counts.
    CSVLogger adds a column of "NA" for each validation loss that there is not; it is left out.
    """
    with open(path, newline="") as file:
        row_of_epoch = {int(row["epoch"]): row for row in csv.DictReader(file)}
    rows = [row_of_epoch[epoch] for epoch in sorted(row_of_epoch)]
    names = [name for name, value in rows[0].items() if name != "epoch" and value != "NA"]
    return {name: [float(row[name]) for row in rows] for name in names}
