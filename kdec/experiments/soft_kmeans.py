"""Source 002, task 2: differentiable k-means on pixels from ten random starts, beside Lloyd's.

All starts train side by side, in one batched computation.
"""

import keras
import numpy as np

from kdec import metrics, plots
from kdec.experiments.run import Run
from kdec.kmeans import KMeans
from kdec.models import DifferentiableKMeans, ShuffledBatches, TemperatureDecay

_FULL = {
    "n_runs": 10,
    "batch_size": 1000,
    "epochs": 30,
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.01}},
    "initial_temperature": 4.0,
    "final_temperature": 0.5,
}

PRESETS = {"full": _FULL, "quick": {**_FULL, "batch_size": 250, "epochs": 30}}


def run(run: Run) -> None:
    """Train all runs together, run Lloyd's algorithm from the same starts, score and draw both."""
    x = run.dataset.flat
    starts = build(run).clusters
    model = run.train(
        "soft_kmeans", lambda: build(run), lambda *args: fit(run, *args), "model.keras"
    )
    labels = hard_labels(model, x)
    run.score("differentiable k-means", labels, ["soft_kmeans"])
    run.facts["soft_inertia"] = [
        inertia(x, own, c) for own, c in zip(labels, model.clusters, strict=True)
    ]

    with run.timed("lloyd"):
        lloyd = [KMeans(len(start), init=start, n_init=1).fit(x) for start in starts]
    run.score("Lloyd from the same starts", [kmeans.labels_ for kmeans in lloyd], ["lloyd"])
    run.facts["lloyd_inertia"] = [kmeans.inertia_ for kmeans in lloyd]
    run.facts["lloyd_acc"] = [metrics.accuracy(run.dataset.y, kmeans.labels_) for kmeans in lloyd]
    draw(run, model)


def build(run: Run) -> DifferentiableKMeans:
    """Build the model with its centroids on random samples."""
    model = DifferentiableKMeans(
        run.dataset.n_classes,
        temperature=run.config["initial_temperature"],
        n_runs=run.config["n_runs"],
    )
    model.initialize(run.dataset.flat, random_state=run.seed)
    model.compile(keras.optimizers.get(run.config["optimizer"]))
    return model


def fit(run: Run, model: DifferentiableKMeans, callbacks: list[keras.callbacks.Callback]) -> None:
    """Train the centroids of all runs, with the temperature falling from epoch to epoch."""
    config = run.config
    batches = ShuffledBatches(run.dataset.flat, config["batch_size"], seed=run.seed)
    decay = TemperatureDecay(
        config["initial_temperature"], config["final_temperature"], config["epochs"]
    )
    scores = RunScores(run.dataset.flat, run.dataset.y)
    model.fit(
        batches.dataset,
        epochs=config["epochs"],
        callbacks=[batches, decay, scores, *callbacks],
        shuffle=False,
    )


class RunScores(keras.callbacks.Callback):
    """Adds the ACC of each run to the logs of each epoch: `acc_0`, `acc_1`, ...

    Args:
        x: Samples, (n, d).
        y: Labels, (n,).
    """

    def __init__(self, x, y):
        super().__init__()
        self.x = x
        self.y = y

    def on_epoch_end(self, epoch, logs=None):
        """Score the assignments of all samples."""
        for i, labels in enumerate(hard_labels(self.model, self.x)):
            logs[f"acc_{i}"] = metrics.accuracy(self.y, labels)


def hard_labels(model: DifferentiableKMeans, x: np.ndarray) -> np.ndarray:
    """Return the cluster of each sample in each run, int array (n_runs, n)."""
    return np.argmax(model.predict(x, batch_size=4096, verbose=0), axis=-1).T


def inertia(x: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> float:
    """Return the summed squared distance of samples (n, d) to the centroids (k, d) of `labels`."""
    return float(np.sum(np.square(x - centroids[labels]), dtype=np.float64))


def draw(run: Run, model: DifferentiableKMeans) -> None:
    """Draw ACC and loss over the epochs, and of images the centroids of the best run."""
    curve, n_runs = run.curve("soft_kmeans"), run.config["n_runs"]
    acc = np.array([curve[f"acc_{i}"] for i in range(n_runs)])
    ax = plots.curve_band(acc, ylabel="ACC", title=f"Differentiable k-means, {n_runs} runs")
    lloyd = np.mean(run.facts["lloyd_acc"])
    ax.axhline(lloyd, color="black", linestyle="--", linewidth=1, label=f"Lloyd, mean {lloyd:.4f}")
    ax.legend(frameon=False)
    run.save_figure("acc", ax)

    picture = plots.learning_curves(curve, keys=["loss", "temperature"], title="All runs together")
    run.save_figure("learning_curves", picture)

    if run.dataset.x.ndim > 2:
        best = int(np.argmin(run.facts["soft_inertia"]))
        images = model.clusters[best].reshape(-1, *run.dataset.x.shape[1:])
        picture = plots.centroid_images(images, title="Run of least inertia")
        run.save_figure("centroid_images", picture)
