"""What the workers of the tests do; their processes import it, and little else."""

import os
import signal
import time

import numpy as np

import kdec
from kdec.kmeans import checkpoint, lloyd
from kdec.workers import join


def points(n=600):
    """Return points in seven groups, far from the origin: (n, 3) float32."""
    generator = np.random.default_rng(0)
    groups = generator.uniform(-10, 10, (7, 3))
    x = groups[generator.integers(7, size=n)] + generator.normal(size=(n, 3))
    return (x + 100).astype("float32")


def fits(settings):
    """Fit k-means with each of the settings on this worker's share of the points.

    Returns:
        For each the centers, the labels of all points, inertia, iterations and history; and the
        error that workers with unlike data get.
    """
    x = points()
    results = []
    with join() as workers:
        own = x[workers.share(len(x))]
        for setting in settings:
            kmeans = kdec.KMeans(random_state=0, **setting).fit(own)
            labels = workers.gather(kmeans.labels_)
            results.append((kmeans.cluster_centers_, labels, kmeans.inertia_, kmeans.n_iter_))
        try:
            kdec.KMeans(2, random_state=0).fit(own[:, : 3 - workers.index % 2])
        except ValueError as error:
            return results, str(error)
    return results, None


def fit_and_die(folder, dying):
    """Fit with a backup; the worker `dying` is killed when the first ten iterations are kept.

    Returns:
        Centers and labels of this worker, and the iterations at which it has begun.
    """
    begun_at = []
    run, save = lloyd.fit, checkpoint.Checkpoint._save

    def recorded(points, weight, progress, *others, **options):
        begun_at.append(int(progress.iteration))
        return run(points, weight, progress, *others, **options)

    def killed(self, progress):
        save(self, progress)
        if progress.iteration == 10 and self._workers.index == dying:
            os.kill(os.getpid(), signal.SIGKILL)

    lloyd.fit, checkpoint.Checkpoint._save = recorded, killed
    x = np.random.default_rng(0).random((3000, 2), dtype="float32")
    with join() as workers:
        own = x[workers.share(len(x))]
        kmeans = kdec.KMeans(30, random_state=0, tol=0).fit(own, backup_dir=folder)
    return kmeans.cluster_centers_, kmeans.labels_, begun_at


def compute_while_another_dies(death):
    """The last worker leaves the file `death` and is killed; the others wait for none."""
    with join() as workers:
        workers.sum(1)
        if workers.index == workers.count - 1:
            death.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(300)


def train_dec():
    """Train DEC on this worker's share, in batches of which some have none of its rows.

    Returns:
        The labels of all samples, the curve, and the error that workers with unlike models get.
    """
    x = points()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = x[:, 0].astype("int64")
    error = None
    with join() as workers:
        dec = kdec.DEC(kdec.autoencoders.dense((3, 16, 2), seed=0), 5, reconstruction_weight=0.1)
        dec.initialize(workers.own(x), n_init=2, random_state=0)
        history = dec.fit(
            workers.own(x),
            workers.own(y),
            batch_size=8,
            max_steps=200,
            update_interval=100,
            tol=-1,
            shuffle=False,
            verbose=0,
        )
        labels = workers.gather(dec.predict(workers.own(x), verbose=0).argmax(axis=1))
        try:
            unlike = kdec.DEC(kdec.autoencoders.dense((3, 4, 2), seed=workers.index), 5)
            unlike.clustering.clusters.assign(np.ones((5, 2)))
            unlike.fit(workers.own(x), verbose=0, max_steps=1)
        except ValueError as raised:
            error = str(raised)
    return labels, history.history, error


def train_contrast():
    """Train what takes one worker."""
    x = points(40)
    with join() as workers:
        model = kdec.NeighborContrast(kdec.autoencoders.dense_encoder((3, 8, 2), seed=0))
        model.fit(workers.own(x), neighbors=2, epochs=1, verbose=0)
