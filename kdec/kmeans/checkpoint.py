"""The iterations of a k-means run, and what is kept of them: written by the first worker."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from kdec.guards import refuse_other_work
from kdec.kmeans import lloyd
from kdec.kmeans.lloyd import Progress
from kdec.kmeans.points import shared
from kdec.whole_files import written_whole
from kdec.workers import Workers

_EVERY = 10  # iterations; the one after a checkpoint sums all points anew, not only what changed


class Checkpoint:
    """Where a run is kept, if it is.

    Args:
        folder: Folder of this one run, made if absent; or None, and nothing is kept.
        identity: What two runs must have in common to be the same one, by name.
        workers: All workers; the folder is the first one's.
    """

    def __init__(self, folder, identity: Mapping[str, str], workers: Workers):
        self._path = None if folder is None else Path(folder) / "kmeans.npz"
        self._identity, self._workers = dict(identity), workers

    @property
    def is_kept(self) -> bool:
        """Whether anything is kept of the run."""
        return self._path is not None

    def restore(self) -> Progress | None:
        """Return what an interrupted run has left, the same on all workers.

        Raises:
            ValueError: If it is of another run.
        """
        if self._path is None:
            return None
        here = self._workers.index == 0 and self._path.exists()
        content = self._workers.of_first(self._path.read_bytes() if here else b"")
        if not content:
            return None
        with np.load(io.BytesIO(content)) as file:
            identity = json.loads(str(file["identity"]))
            refuse_other_work(self._path, identity, self._identity, place="file", work="fit")
            return Progress(*(file[name] for name in Progress._fields))

    def run(self, points, sample_weight, progress, max_iter, tol, metric, workers):
        """Run Lloyd's algorithm to its end, with a checkpoint every few iterations."""
        n_init, n_clusters, _ = np.shape(progress.ended_at)
        weights = shared(sample_weight)
        options, rows, n_directions = lloyd.choose_options(
            points, len(sample_weight), n_clusters, n_init, metric
        )
        while len(progress.active) and progress.iteration < max_iter:
            self._save(progress)
            stop = max_iter if self._path is None else int(progress.iteration) + _EVERY
            progress = lloyd.fit(
                points,
                weights,
                progress,
                tf.constant(min(stop, max_iter), tf.int32),
                tf.constant(max_iter, tf.int32),
                tf.constant(tol, progress.centers.dtype),
                tf.constant(rows, tf.int32),
                tf.constant(n_directions, tf.int32),
                options=options,
                workers=workers,
            )
        return progress

    def _save(self, progress):
        if self._path is None or self._workers.index > 0:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self._path) as partial, open(partial, "wb") as file:
            arrays = {name: np.asarray(value) for name, value in progress._asdict().items()}
            np.savez(file, identity=json.dumps(self._identity), **arrays)

    def remove(self) -> None:
        """Remove what was kept: the run has ended."""
        if self._path is not None and self._workers.index == 0:
            self._path.unlink(missing_ok=True)
            if not any(os.scandir(self._path.parent)):
                self._path.parent.rmdir()
