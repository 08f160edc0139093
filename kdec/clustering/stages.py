"""The trainings of one fit, each of which can go on after an interruption."""

import hashlib
import json
import logging
import numbers
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kdec
from kdec.data import Shards, in_chunks
from kdec.guards import refuse_other_work
from kdec.models import read_curve, resuming_callbacks, save_whole
from kdec.whole_files import written_whole

logger = logging.getLogger("kdec")


class Stages:
    """Trains models one after the other; given a folder, does not train again what is there.

    Args:
        folder: Folder for what an interrupted fit needs to go on, or None.
        callbacks: Keras callbacks for each training, or None.

    Attributes:
        curves: The learning curve of each stage, a list for each logged name.
    """

    def __init__(
        self,
        folder: Path | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
    ):
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
            fit(model, [*self.callbacks, *resuming_callbacks(backup, curve)])
            save_whole(model, path)
            shutil.rmtree(backup, ignore_errors=True)
        self.curves[stage] = read_curve(curve)
        return model


def open_backup(
    folder: str | os.PathLike, parameters: dict[str, Any], x: np.ndarray | Shards
) -> Path:
    """Return the folder of a fit, made if absent, which says what it is a fit of.

    Args:
        folder: The folder.
        parameters: Parameters of the fit.
        x: Its samples.

    Raises:
        ValueError: If the folder holds another fit, or `random_state` is not an int, so that this
            one could not be done again.
    """
    if not isinstance(parameters["random_state"], numbers.Integral):
        raise ValueError(
            "Expected an int random_state with backup_dir, so that an interrupted fit can go on. "
            f"Received: random_state={parameters['random_state']!r}"
        )
    digest = hashlib.sha256()
    for rows in in_chunks(x):
        digest.update(np.ascontiguousarray(rows))
    identity = {
        "kdec version": kdec.__version__,
        "data": digest.hexdigest(),
        **{name: _description(value) for name, value in parameters.items() if name != "verbose"},
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fit.json"
    if not path.exists():
        with written_whole(path) as partial:
            partial.write_text(json.dumps(identity, indent=1))
    found = json.loads(path.read_text())
    refuse_other_work(folder, found, identity, place="backup_dir", work="fit")
    return folder


def _description(value):
    """A parameter as what JSON can hold: of a Keras object, a digest of all but its names."""
    if not isinstance(value, keras.layers.Layer):
        return value.item() if isinstance(value, np.generic) else value
    digest = hashlib.sha256()
    for layer in _layers_of(value):
        config = {key: what for key, what in layer.get_config().items() if key != "name"}
        digest.update(json.dumps([type(layer).__name__, config], default=str).encode())
    for weight in value.get_weights():
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()


def _layers_of(layer):
    """The layers that a layer or a model is made of."""
    if not isinstance(layer, keras.Model):
        return [layer]
    return [part for child in layer.layers for part in _layers_of(child)]
