"""Source 003: k-means on the codes of a sigmoid autoencoder, and what its centroids decode to.

The pixels are clustered in the same run, for comparison.
"""

import keras
import numpy as np

from kdec import metrics, plots
from kdec.autoencoders import Autoencoder, sigmoid
from kdec.batches import ShuffledBatches
from kdec.experiments.run import Run
from kdec.experiments.starting import load_autoencoder
from kdec.experiments.stopping import ResumableEarlyStopping
from kdec.kmeans import KMeans

_FULL = {
    "hidden_units": [784, 64, 32],
    "embedding_units": 3,
    # One after the other, each until the loss settles: at the first rate it goes on to waver, and
    # the clusters with it.
    "learning_rates": [0.001, 0.0003],
    "loss": "mse",
    "batch_size": 256,
    "max_epochs": 300,
    "patience": 5,
    "min_delta": 1e-4,
    "n_init": 20,
    "weights": None,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples: smaller batches and larger steps, and no wait for convergence.
    "quick": {
        **_FULL,
        "learning_rates": [0.003],
        "batch_size": 50,
        "max_epochs": 40,
    },
}

_N_SHOWN = 10_000
_PREDICT_BATCH = 4096


def run(run: Run) -> None:
    """Train or load the autoencoder, cluster pixels and codes, score and draw both."""
    autoencoder, stages = load(run) if run.config["weights"] else train(run)
    autoencoder.save_weights(run.out / "autoencoder.h5")
    x = run.dataset.flat
    cluster(run, "k-means on pixels", x, "pixels", [])
    with run.timed("codes"):
        codes = autoencoder.encoder.predict(x, batch_size=_PREDICT_BATCH, verbose=0)
    kmeans = cluster(run, "k-means on codes", codes, "clusters", [*stages, "codes"])
    draw(run, autoencoder, codes, kmeans)


def build(run: Run) -> Autoencoder:
    """Build the autoencoder of the run's configuration, not compiled."""
    config = run.config
    dims = (run.dataset.flat.shape[1], *config["hidden_units"], config["embedding_units"])
    return sigmoid(dims, seed=run.seed)


def load(run: Run) -> tuple[Autoencoder, list[str]]:
    """Return the autoencoder of the weights file in the configuration, and no stages."""
    input_shape = run.dataset.flat.shape[1:]
    autoencoder = load_autoencoder(run.config["weights"], lambda: build(run), input_shape)
    autoencoder.save(run.out / "autoencoder.keras")
    return autoencoder, []


def train(run: Run) -> tuple[Autoencoder, list[str]]:
    """Train at one learning rate after the other; return the autoencoder, and the stages."""
    rates = run.config["learning_rates"]
    names = [f"autoencoder_{number}" for number in range(1, len(rates))] + ["autoencoder"]
    autoencoder, losses = build(run), []
    for stage, rate in zip(names, rates, strict=True):
        autoencoder = train_at(run, autoencoder, stage, rate)
        losses += run.curve(stage)["loss"]
    run.facts["epochs"] = len(losses)
    run.facts["best_loss"] = min(losses)
    picture = plots.learning_curves({"loss": losses}, title="Sigmoid autoencoder")
    run.save_figure("learning_curve", picture)
    return autoencoder, names


def train_at(run: Run, autoencoder: Autoencoder, stage: str, rate: float) -> Autoencoder:
    """Train by Adam until the loss has not improved for some epochs; return the best."""
    config = run.config
    autoencoder.compile(keras.optimizers.Adam(rate), loss=config["loss"])

    def fit(autoencoder, callbacks):
        batches = ShuffledBatches(run.dataset.flat, config["batch_size"], seed=run.seed)
        stopping = ResumableEarlyStopping(
            run.out / f"stopping_{stage}",
            patience=config["patience"],
            min_delta=config["min_delta"],
        )
        autoencoder.steps_per_execution = batches.n_batches
        autoencoder.fit(
            batches.dataset,
            epochs=config["max_epochs"],
            callbacks=[batches, stopping, *callbacks],
            shuffle=False,
        )

    return run.train(stage, lambda: autoencoder, fit, f"{stage}.keras")


def cluster(run: Run, system: str, x: np.ndarray, stage: str, earlier: list[str]) -> KMeans:
    """Cluster `x` (n, d) by k-means, and score and time it as a system of the run."""
    with run.timed(stage):
        kmeans = KMeans(
            run.dataset.n_classes, n_init=run.config["n_init"], random_state=run.seed
        ).fit(x)
    purity = metrics.purity(run.dataset.y, kmeans.labels_, average="macro")
    run.score(system, kmeans.labels_, [*earlier, stage], macro_purity=purity)
    return kmeans


def draw(run: Run, autoencoder: Autoencoder, codes: np.ndarray, kmeans: KMeans) -> None:
    """Draw codes and centroids in 3-D, what the centroids decode to, and some reconstructions."""
    y, centroids = run.dataset.y, kmeans.cluster_centers_
    # The samples may be sorted by class: take some from all over.
    shown = np.random.default_rng(0).permutation(len(y))[:_N_SHOWN]
    ax = plots.embedding_3d(
        codes[shown], y[shown], centroids, title=f"Codes of {len(shown):,} images"
    )
    run.save_figure("codes_3d", ax)
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, kmeans.labels_))
    if run.dataset.x.ndim > 2:
        _draw_images(run, autoencoder, kmeans)


def _draw_images(run, autoencoder, kmeans):
    shape = (-1, *run.dataset.x.shape[1:])
    images = autoencoder.decoder.predict(kmeans.cluster_centers_, verbose=0)
    titles = majority_titles(run.dataset.y, kmeans.labels_)
    picture = plots.centroid_images(
        images.reshape(shape), titles, title="What the centroids decode to"
    )
    run.save_figure("centroid_images", picture)
    x = run.dataset.flat[np.linspace(0, len(run.dataset.x) - 1, 10).astype(int)]
    x_hat = autoencoder.predict(x, verbose=0)
    picture = plots.reconstructions(x.reshape(shape), x_hat.reshape(shape))
    run.save_figure("reconstructions", picture)


def majority_titles(y: np.ndarray, labels: np.ndarray) -> list[str]:
    """Return a title for each cluster: its most frequent class and that class's share.

    Args:
        y: Labels, int array (n,).
        labels: Clusters, int array (n,), from 0; each of them has a sample.

    Example:
    >>> from kdec.experiments.encoding import majority_titles
    >>> majority_titles(np.array([7, 7, 7, 1]), np.array([0, 0, 1, 1]))
    ['7 (100%)', '1 (50%)']
    """
    titles = []
    for counts in metrics.contingency_matrix(y, labels).T:
        majority = np.unique(y)[np.argmax(counts)]
        titles.append(f"{majority} ({counts.max() / counts.sum():.0%})")
    return titles
