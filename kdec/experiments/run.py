"""One run of an experiment: its folder, its timed and resumable stages, and what it leaves.

While a run is under way, `state.json` in its folder says which stages are done and how long each
took; the same command run again goes on from there. A run that fails before it has done anything
worth keeping leaves none, and its folder stays free. At the end the folder holds `result.json` (see
`kdec.experiments.record`), the PNG figures and the models.
"""

import contextlib
import copy
import logging
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kdec
from kdec import metrics
from kdec.data import Dataset
from kdec.experiments import record
from kdec.experiments.picture_files import save_picture
from kdec.guards import refuse_other_work
from kdec.models import read_curve, resuming_callbacks, save_whole

logger = logging.getLogger("kdec")

_Fit = Callable[[keras.Model, list[keras.callbacks.Callback]], Any]


class Run:
    """What an experiment works with, and what it writes to.

    Args:
        experiment: Name of the experiment.
        dataset: The data.
        preset: Name of the configuration.
        config: The configuration, JSON-serialisable.
        seed: Int, seed of everything random in the run.
        out: Folder of the run; made if absent.
        precision: Keras dtype policy that was asked for, for the record. Defaults to None: none
            was.

    Raises:
        ValueError: If `out` holds a run of another experiment, configuration, seed or data, or an
            unfinished one of another version of kdec.
        OSError: If `out` cannot be made or written.

    Attributes:
        facts: Further figures for the record, by name; JSON-serialisable.
    """

    def __init__(
        self,
        experiment: str,
        dataset: Dataset,
        preset: str,
        config: dict[str, Any],
        seed: int,
        out: str | os.PathLike,
        precision: str | None = None,
    ):
        self.dataset = dataset
        # A copy: `keras.optimizers.get` writes into the configuration that it is given.
        self.config = copy.deepcopy(config)
        self.seed = seed
        self.out = Path(out)
        self.facts: dict[str, Any] = {}
        self._identity = record.identity(experiment, dataset, preset, config, seed, precision)
        self._rows: dict[str, dict[str, float]] = {}
        self._curves: dict[str, dict[str, list]] = {}
        self._models: list[str] = []
        self._open_folder()

    def _open_folder(self):
        self.out.mkdir(parents=True, exist_ok=True)
        # Another version may train otherwise: a record of both would name only the last one.
        unfinished = {**self._identity, "kdec version": kdec.__version__}
        fresh = {**unfinished, "done": [], "seconds": {}}
        self._state_path = self.out / "state.json"
        self._state = record.read_json(self._state_path) or fresh
        finished = record.read_json(self.out / "result.json")
        found, expected = (finished, self._identity) if finished else (self._state, unfinished)
        refuse_other_work(self.out, found, expected)

    def train(self, stage: str, build: Callable[[], keras.Model], fit: _Fit, filename: str):
        """Train a model, or go on where an interrupted run left it, or load the finished one.

        Args:
            stage: Name of the stage, for its seconds and its learning curve.
            build: Makes the model as it is before training. A resumed stage calls it again, so it
                must give the same model each time.
            fit: Called with the model and callbacks; trains the one with the others.
            filename: Where the trained model goes in the run's folder.

        Returns:
            The trained Keras model.
        """
        path = self.out / filename
        curve_path = self.out / f"curve_{stage}.csv"
        if stage in self._state["done"]:
            logger.info("%s: finished before; loaded from %s.", stage, path)
            model = keras.saving.load_model(path)
        else:
            clock = _Clock(self._state["seconds"].get(stage, 0.0))
            model = build()
            fit(model, self._callbacks(stage, curve_path, clock))
            save_whole(model, path)
            self._state["done"].append(stage)
            self._set_seconds(stage, clock)
        # Here, since a kill may have come between the last line above and this one.
        shutil.rmtree(self.backup(stage), ignore_errors=True)
        self._curves[stage] = read_curve(curve_path)
        self._models.append(filename)
        return model

    def backup(self, stage: str) -> Path:
        """Return the folder for what an unfinished stage needs to go on; `train` removes it."""
        return self.out / f"backup_{stage}"

    def save_model(self, model: keras.Model, filename: str) -> None:
        """Save a model that no stage has trained; the record then has its digest."""
        save_whole(model, self.out / filename)
        self._models.append(filename)

    @contextlib.contextmanager
    def timed(self, stage: str):
        """Record the seconds of the `with` block as those of `stage`."""
        clock = _Clock(0.0)
        yield
        self._set_seconds(stage, clock)

    def score(
        self, system: str, labels, stages: Iterable[str], *, y=None, **figures: float
    ) -> dict[str, float]:
        """Record ACC, NMI, ARI, other figures and seconds of a system, a row of the run's table.

        Args:
            system: Name of the system.
            labels: Its clusters, shape (n,); or those of several runs of it, shape (n_runs, n),
                for the mean of each figure, and `acc_std`, the standard deviation of the ACC.
            stages: The stages that led to them, for the seconds.
            y: True labels, shape (n,). Defaults to None: those of the run's data.
            **figures: Further columns of the row, such as its inertia.

        Returns:
            The row: each figure by name.
        """
        y, runs = self.dataset.y if y is None else y, np.atleast_2d(labels)
        scores = {
            name: [metric(y, own) for own in runs]
            for name, metric in (
                ("acc", metrics.accuracy),
                ("nmi", metrics.nmi),
                ("ari", metrics.ari),
            )
        }
        row = {name: statistics.mean(values) for name, values in scores.items()}
        if len(runs) > 1:
            row["acc_std"] = statistics.stdev(scores["acc"])
        row |= figures
        row["seconds"] = sum(self._state["seconds"][stage] for stage in stages)
        self._rows[system] = row
        return row

    def curve(self, stage: str) -> dict[str, list]:
        """Return the whole learning curve of a trained stage, a list for each logged name."""
        return self._curves[stage]

    def save_figure(self, name: str, picture) -> None:
        """Save a Matplotlib Axes or Figure as `name`.png and close it."""
        save_picture(self.out / f"{name}.png", picture)

    def write_result(self) -> dict[str, Any]:
        """Write `result.json`, which marks the run as finished, and return its content."""
        result = {
            **self._identity,
            "precision": keras.config.dtype_policy().name,
            "metrics": self._rows,
            "facts": self.facts,
            "seconds": self._state["seconds"],
            "curves": {stage: record.thin(curve) for stage, curve in self._curves.items()},
            # So that the record of a run that starts from one of them can be traced to this one.
            "models": {name: record.file_digest(self.out / name) for name in self._models},
            **record.surroundings(),
        }
        record.write_json(self.out / "result.json", result)
        return self.finished()

    def finished(self) -> dict[str, Any] | None:
        """Return the content of `result.json`, or None if the run is not finished."""
        result = record.read_json(self.out / "result.json")
        if result:
            self._state_path.unlink(missing_ok=True)
        return result

    def _callbacks(self, stage, curve_path, clock):
        """What every training gets: its curve on disk, a backup after each epoch, its clock."""
        return [
            # Before the backup, so that no backup lies in a folder that still counts as free.
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: self._set_seconds(stage, clock)
            ),
            *resuming_callbacks(self.backup(stage), curve_path),
        ]

    def _set_seconds(self, stage, clock):
        self._state["seconds"][stage] = clock.seconds()
        self._write_state()

    def _write_state(self):
        record.write_json(self._state_path, self._state)


class _Clock:
    """Seconds since it was made, plus those of earlier attempts."""

    def __init__(self, earlier):
        self._earlier = earlier
        self._start = time.perf_counter()

    def seconds(self):
        return round(self._earlier + time.perf_counter() - self._start, 2)
