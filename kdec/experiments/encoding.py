"""Source 003: k-means on the codes of a sigmoid autoencoder, and what its centroids decode to.

The pixels are clustered in the same run, for comparison.
"""

from typing import Any

import keras
import numpy as np

from kdec import metrics, plots
from kdec.autoencoders import Autoencoder, sigmoid
from kdec.batches import ShuffledBatches
from kdec.dec import DEC
from kdec.experiments.run import Run
from kdec.experiments.starting import load_autoencoder
from kdec.experiments.stopping import ResumableEarlyStopping
from kdec.kmeans import KMeans

_FULL = {
    "hidden_units": [784, 64, 32],
    "embedding_units": 3,
    # The source names neither rate nor batch size; these are ours, chosen with labels, by trials
    # with seeds from 10 on. The rate rises slowly from a hundredth to this one, and falls again by
    # a cosine. Which digits come to lie together is decided in the first epochs in which the loss
    # falls: at larger rates there, it differs more from seed to seed, and some units may end where
    # they learn nothing any more. Without the fall, the clusters waver from epoch to epoch.
    "learning_rate": 0.005,
    "warmup_epochs": 40,
    "max_epochs": 100,
    "loss": "mse",
    "batch_size": 128,
    "patience": 10,
    "min_delta": 1e-4,
    "n_init": 20,
    "weights": None,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples: smaller batches, larger steps, and all epochs, since training
    # may stay at the mean image for longer than the patience, and does not converge in so few.
    "quick": {
        **_FULL,
        "learning_rate": 0.01,
        "warmup_epochs": 5,
        "max_epochs": 40,
        "patience": 40,
        "batch_size": 50,
    },
}

_N_SHOWN = 10_000
_PREDICT_BATCH = 4096


def run(run: Run) -> None:
    """Train or load the autoencoder, cluster pixels and codes, score and draw both."""
    autoencoder, stages = load(run) if run.config["weights"] else train(run)
    autoencoder.save_weights(run.out / "autoencoder.h5")
    x, n_clusters = run.dataset.flat, run.dataset.n_classes
    options = {"n_init": run.config["n_init"], "random_state": run.seed}
    with run.timed("pixels"):
        labels = KMeans(n_clusters, **options).fit_predict(x)
    score(run, "k-means on pixels", labels, ["pixels"])
    # DEC before any self-training: an autoencoder and the centroids of k-means on its codes.
    model = DEC(autoencoder, n_clusters)
    with run.timed("codes"):
        labels = model.initialize(x, **options)
    score(run, "k-means on codes", labels, [*stages, "codes"])
    model.save(run.out / "model.keras")
    draw(run, model, labels)


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
    """Train until the loss settles or the rate has fallen; return the best, and the stages."""
    config = run.config
    batches = ShuffledBatches(run.dataset.flat, config["batch_size"], seed=run.seed)

    def build_compiled():
        autoencoder = build(run)
        autoencoder.compile(optimizer(config, batches.n_batches), loss=config["loss"])
        return autoencoder

    def fit(autoencoder, callbacks):
        stopping = ResumableEarlyStopping(
            run.out / "stopping", patience=config["patience"], min_delta=config["min_delta"]
        )
        autoencoder.steps_per_execution = batches.n_batches
        autoencoder.fit(
            batches.dataset,
            epochs=config["max_epochs"],
            callbacks=[batches, stopping, *callbacks],
            shuffle=False,
        )

    autoencoder = run.train("autoencoder", build_compiled, fit, "autoencoder.keras")
    losses = run.curve("autoencoder")["loss"]
    run.facts["epochs"] = len(losses)
    run.facts["best_loss"] = min(losses)
    picture = plots.learning_curves({"loss": losses}, title="Sigmoid autoencoder")
    run.save_figure("learning_curve", picture)
    return autoencoder, ["autoencoder"]


def optimizer(config: dict[str, Any], n_batches: int) -> keras.optimizers.Optimizer:
    """Return Adam, whose rate rises to that of `config` and falls to a hundredth of it again.

    Args:
        config: Configuration of the experiment.
        n_batches: Batches of an epoch.
    """
    rate, n_rising = config["learning_rate"], config["warmup_epochs"] * n_batches
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 100,
        decay_steps=config["max_epochs"] * n_batches - n_rising,
        alpha=0.01,
        warmup_target=rate,
        warmup_steps=n_rising,
    )
    return keras.optimizers.Adam(schedule)


def score(run: Run, system: str, labels: np.ndarray, stages: list[str]) -> None:
    """Score the clusters of a system, with their macro purity, as the source."""
    purity = metrics.purity(run.dataset.y, labels, average="macro")
    run.score(system, labels, stages, macro_purity=purity)


def draw(run: Run, model: DEC, labels: np.ndarray) -> None:
    """Draw codes and centroids in 3-D, what the centroids decode to, and some reconstructions."""
    x, y = run.dataset.flat, run.dataset.y
    # The samples may be sorted by class: take some from all over.
    shown = np.random.default_rng(0).permutation(len(y))[:_N_SHOWN]
    codes = model.encoder.predict(x[shown], batch_size=_PREDICT_BATCH, verbose=0)
    ax = plots.embedding_3d(
        codes, y[shown], model.clusters, title=f"Codes of {len(shown):,} images"
    )
    run.save_figure("codes_3d", ax)
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, labels))
    if run.dataset.x.ndim > 2:
        _draw_images(run, model, labels)


def _draw_images(run, model, labels):
    shape = (-1, *run.dataset.x.shape[1:])
    images = model.decoder.predict(model.clusters, verbose=0)
    picture = plots.centroid_images(
        images.reshape(shape),
        majority_titles(run.dataset.y, labels),
        title="What the centroids decode to",
    )
    run.save_figure("centroid_images", picture)
    x = run.dataset.flat[np.linspace(0, len(run.dataset.x) - 1, 10).astype(int)]
    x_hat = model.autoencoder.predict(x, verbose=0)
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
