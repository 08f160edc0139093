"""Source 003: k-means on the codes of a sigmoid autoencoder, and what its centroids decode to.

Several autoencoders are trained from different initial weights, as k-means is run from different
centroids, and the one whose clusters fit the data best is kept; labels have no part in that. The
pixels are clustered in the same run, for comparison.
"""

from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from kdec import metrics, plots
from kdec.autoencoders import Autoencoder, sigmoid
from kdec.experiments.run import Run
from kdec.experiments.starting import load_autoencoder
from kdec.experiments.stopping import ResumableEarlyStopping
from kdec.kmeans import KMeans
from kdec.models import DEC, ShuffledBatches

_FULL = {
    "hidden_units": [784, 64, 32],
    "embedding_units": 3,
    # In trials, which digits come to lie together was decided in the first epochs in which the loss
    # falls, and the loss at the end did not tell how well: so several are trained, see `choose`. As
    # with the rate and the batch size, which the source does not name either, the number is ours.
    "n_starts": 3,
    # Chosen with labels, by trials with seeds from 10 on. The rate rises slowly from a hundredth to
    # this one, and falls again by a cosine. At larger rates in the first epochs, clusters differed
    # more from seed to seed, and some units ended where they learn nothing any more. Without the
    # fall, the clusters wavered from epoch to epoch.
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
        "n_starts": 1,
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
    if run.config["weights"]:
        autoencoder, stages = load(run), []
    else:
        autoencoder, stages = choose(run, [train(run, i) for i in range(run.config["n_starts"])])
    run.save_model(autoencoder, "autoencoder.keras")
    autoencoder.save_weights(run.out / "autoencoder.h5")
    n_clusters, options = run.dataset.n_classes, clustering_options(run)
    with run.timed("pixels"):
        labels = KMeans(n_clusters, **options).fit_predict(run.dataset.flat)
    score(run, "k-means on pixels", labels, ["pixels"])
    # DEC before any self-training: an autoencoder and the centroids of k-means on its codes.
    model = DEC(autoencoder, n_clusters)
    with run.timed("codes"):
        labels = model.initialize(run.dataset.flat, **options)
    score(run, "k-means on codes", labels, [*stages, "codes"])
    run.save_model(model, "model.keras")
    draw(run, model, labels)


def clustering_options(run: Run) -> dict[str, Any]:
    """Return the options of k-means, the same for pixels and codes."""
    return {"n_init": run.config["n_init"], "random_state": run.seed}


def build(run: Run, seed: int) -> Autoencoder:
    """Build the autoencoder of the run's configuration, not compiled."""
    config = run.config
    dims = (run.dataset.flat.shape[1], *config["hidden_units"], config["embedding_units"])
    return sigmoid(dims, seed=seed)


def load(run: Run) -> Autoencoder:
    """Return the autoencoder of the weights file in the configuration."""
    input_shape = run.dataset.flat.shape[1:]
    return load_autoencoder(run.config["weights"], lambda: build(run, run.seed), input_shape)


def train(run: Run, start: int) -> Autoencoder:
    """Train until the loss settles or the rate has fallen; return the best.

    Args:
        run: The run.
        start: Int from 0, number of the training in the run; its seed follows from both.
    """
    config = run.config
    seed = start_seed(run.seed, start)
    stage = stage_name(start)
    batches = ShuffledBatches(run.dataset.flat, config["batch_size"], seed=seed)

    def build_compiled():
        autoencoder = build(run, seed)
        autoencoder.compile(optimizer(config, batches.n_batches), loss=config["loss"])
        return autoencoder

    def fit(autoencoder, callbacks):
        stopping = ResumableEarlyStopping(
            run.backup(stage) / "stopping",
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

    return run.train(stage, build_compiled, fit, f"{stage}.keras")


def stage_name(start: int) -> str:
    """Return the name of a training, as its stage and its files have it."""
    return f"autoencoder_{start}"


def start_seed(seed: int, start: int) -> int:
    """Return the seed of a training: the run's own for the first, others drawn from it."""
    if start == 0:
        return seed
    # 31 bits: whatever takes a seed takes that many.
    return int(np.random.SeedSequence((seed, start)).generate_state(1)[0] >> 1)


@dataclass(frozen=True)
class Start:
    """One of the trained autoencoders, as the record shows it.

    Attributes:
        seed: Int, seed of its initial weights and of its batches.
        epochs: Int, epochs trained.
        best_loss: Float, least loss of an epoch.
        pixel_inertia: Float, what it is chosen by; see the function of this name.
        macro_purity: Float, macro purity of its clusters, for information.
    """

    seed: int
    epochs: int
    best_loss: float
    pixel_inertia: float
    macro_purity: float


def choose(run: Run, autoencoders: list[Autoencoder]) -> tuple[Autoencoder, list[str]]:
    """Return the autoencoder whose clusters fit the pixels best, and the stages that led to it."""
    with run.timed("choice"):
        starts = [judge(run, i, autoencoder) for i, autoencoder in enumerate(autoencoders)]
    chosen = min(range(len(starts)), key=lambda i: starts[i].pixel_inertia)
    run.facts["starts"] = [asdict(start) for start in starts]
    run.facts["chosen_start"] = chosen
    stages = [stage_name(i) for i in range(len(starts))]
    losses = {f"autoencoder {i}": run.curve(stage)["loss"] for i, stage in enumerate(stages)}
    picture = plots.learning_curves(losses, title="Loss of each autoencoder")
    run.save_figure("learning_curve", picture)
    return autoencoders[chosen], [*stages, "choice"]


def judge(run: Run, start: int, autoencoder: Autoencoder) -> Start:
    """Cluster the codes of an autoencoder, and measure the clusters in the space of the pixels."""
    x, y = run.dataset.flat, run.dataset.y
    codes = autoencoder.encoder.predict(x, batch_size=_PREDICT_BATCH, verbose=0)
    labels = KMeans(run.dataset.n_classes, **clustering_options(run)).fit_predict(codes)
    losses = run.curve(stage_name(start))["loss"]
    return Start(
        seed=start_seed(run.seed, start),
        epochs=len(losses),
        best_loss=min(losses),
        pixel_inertia=pixel_inertia(x, labels),
        macro_purity=metrics.purity(y, labels, average="macro"),
    )


def pixel_inertia(x: np.ndarray, labels: np.ndarray) -> float:
    """Return the sum of squared distances of samples to the means of their clusters.

    It is what k-means on the samples themselves makes least, taken here of clusters that were found
    in another space: so it compares clusters of different embeddings, without labels.

    Args:
        x: Samples, float array (n, n_features).
        labels: Their clusters, int array (n,); not every number needs to occur.

    Returns:
        Float, in the squared unit of `x`.

    Example:
    >>> from kdec.experiments.encoding import pixel_inertia
    >>> pixel_inertia(np.array([[0.0], [2.0], [5.0]]), np.array([1, 1, 0]))
    2.0
    """
    groups = (x[labels == cluster] for cluster in np.unique(labels))
    return float(sum(np.sum(np.var(group, axis=0, dtype=float)) * len(group) for group in groups))


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
