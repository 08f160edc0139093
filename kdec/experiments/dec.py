"""Source 001: deep embedded clustering with a dense autoencoder.

The pixels, the embedding of the autoencoder, and DEC are each clustered and scored. The other
systems of the source, `dec_conv`, `dec_reconstruction` and `dec_conv_reconstruction`, are this run
with another configuration; `dec_views` is this run on random views.
"""

import keras
import numpy as np

from kdec import plots
from kdec.autoencoders import Autoencoder, conv, dense
from kdec.clustering import choose_network
from kdec.experiments.run import Run
from kdec.experiments.starting import load_autoencoder
from kdec.kmeans import KMeans
from kdec.models import DEC, ShuffledBatches

# Times an epoch of the autoencoder's at which the progress bar moves. In between the graph runs by
# itself, which is faster for small models.
_REPORTS = 10

_FULL = {
    "autoencoder": "dense",
    "hidden_units": [500, 500, 2000],
    "embedding_units": 10,
    "weights": None,
    "batch_size": 256,
    "n_init": 20,
    "autoencoder_epochs": 300,
    "autoencoder_optimizer": {
        "class_name": "SGD",
        "config": {"learning_rate": 1.0, "momentum": 0.9},
    },
    "clustering_weight": 1.0,
    "reconstruction_weight": 0.0,
    "dec_optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.01, "momentum": 0.9}},
    "max_steps": 8000,
    "update_interval": 140,
    "tol": 0.001,
    "shuffle": False,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples: Adam needs fewer passes than SGD; the sample is sorted by class.
    "quick": {
        **_FULL,
        "autoencoder_epochs": 30,
        "autoencoder_optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
        "max_steps": 1400,
        "shuffle": True,
    },
}


def run(run: Run, views: keras.Layer | None = None) -> None:
    """Cluster pixels and embedding, then train encoder and centroids; score and draw each.

    Args:
        run: The run.
        views: Layer of random views that autoencoder and DEC train on. Defaults to None: the
            samples as they are.
    """
    x, config, n_clusters = samples(run), run.config, run.dataset.n_classes
    # First, since weights that do not fit end the run.
    autoencoder, stages = pretrain(run, views)
    kmeans = KMeans(n_clusters, n_init=config["n_init"], random_state=run.seed)
    with run.timed("pixels"):
        labels = kmeans.fit_predict(run.dataset.flat)
    run.score("k-means on pixels", labels, ["pixels"])

    dec = DEC(
        autoencoder,
        n_clusters,
        clustering_weight=config["clustering_weight"],
        reconstruction_weight=config["reconstruction_weight"],
        views=views,
    )
    with run.timed("embedding"):
        labels = dec.initialize(x, n_init=config["n_init"], random_state=run.seed)
    run.score("autoencoder + k-means", labels, [*stages, "embedding"])
    draw_autoencoder(run, autoencoder)
    images_before = keras.ops.convert_to_numpy(dec.decoder(dec.clusters))

    dec = run.train("dec", lambda: dec, lambda *args: self_train(run, *args), "model.keras")
    labels = np.argmax(dec.predict(x, batch_size=2048, verbose=0), axis=1)
    run.score("DEC", labels, [*stages, "embedding", "dec"])
    draw_clusters(run, dec, labels, images_before)


def samples(run: Run) -> np.ndarray:
    """Return the data as the run's autoencoder takes them: vectors, or images with channels."""
    if network(run) == "dense":
        return run.dataset.flat
    if not _are_images(run):
        raise ValueError(f"Expected a data set of images. Received: {run.dataset.name}")
    x = run.dataset.x
    return x[..., np.newaxis] if x.ndim == 3 else x


def network(run: Run) -> str:
    """Return "dense" or "conv", the kind of the run's autoencoder; "auto" goes by the data."""
    name = run.config["autoencoder"]
    return choose_network(run.dataset.x.shape[1:]) if name == "auto" else name


def build(run: Run) -> Autoencoder:
    """Build the autoencoder of the run's configuration, compiled."""
    config, shape = run.config, samples(run).shape[1:]
    if network(run) == "dense":
        dims = (*shape, *config["hidden_units"], config["embedding_units"])
        autoencoder = dense(dims, seed=run.seed)
    else:
        autoencoder = conv(shape, config["filters"], config["embedding_units"], seed=run.seed)
    autoencoder.compile(keras.optimizers.get(config["autoencoder_optimizer"]), loss="mse")
    return autoencoder


def pretrain(run: Run, views: keras.Layer | None = None) -> tuple[Autoencoder, list[str]]:
    """Train the autoencoder, or load it from the weights that the configuration names.

    Args:
        run: The run.
        views: Layer of random views, which the autoencoder then reconstructs. Defaults to None.

    Returns:
        The autoencoder, and the names of the stages that it took.
    """
    x, config = samples(run), run.config
    if config["weights"]:
        autoencoder = load_autoencoder(config["weights"], lambda: build(run), x.shape[1:])
        run.save_model(autoencoder, "autoencoder.keras")
        return autoencoder, []

    def fit(autoencoder, callbacks):
        batches = ShuffledBatches(x, config["batch_size"], seed=run.seed, views=views)
        autoencoder.steps_per_execution = -(-batches.n_batches // _REPORTS)
        autoencoder.fit(
            batches.dataset,
            epochs=config["autoencoder_epochs"],
            callbacks=[batches, *callbacks],
            shuffle=False,
        )

    autoencoder = run.train("autoencoder", lambda: build(run), fit, "autoencoder.keras")
    return autoencoder, ["autoencoder"]


def self_train(run: Run, dec: DEC, callbacks: list[keras.callbacks.Callback]) -> None:
    """Train encoder and centroids together, as the run's configuration says."""
    config = run.config
    dec.compile(keras.optimizers.get(config["dec_optimizer"]))
    options = ("batch_size", "max_steps", "update_interval", "tol", "shuffle")
    dec.fit(
        samples(run),
        run.dataset.y,
        callbacks=callbacks,
        **{name: config[name] for name in options},
    )


def draw_autoencoder(run: Run, autoencoder: Autoencoder) -> None:
    """Draw the learning curve of an autoencoder trained here, and for images reconstructions."""
    if not run.config["weights"]:
        picture = plots.learning_curves(run.curve("autoencoder"), title="Autoencoder")
        run.save_figure("autoencoder_learning_curve", picture)
    if _are_images(run):
        # The samples may be sorted by class: take some from all over.
        some = np.linspace(0, len(run.dataset.x) - 1, 10).astype(int)
        x = samples(run)[some]
        x_hat = keras.ops.convert_to_numpy(autoencoder(x))
        run.save_figure(
            "reconstructions", plots.reconstructions(_images(run, x), _images(run, x_hat))
        )


def draw_clusters(run: Run, dec: DEC, labels: np.ndarray, images_before: np.ndarray) -> None:
    """Draw the embedding, the agreement with the labels, the centroids and the learning curves."""
    y = run.dataset.y
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, labels))

    shown = np.random.default_rng(0).permutation(len(y))[:10_000]
    embedding = dec.encoder.predict(samples(run)[shown], batch_size=2048, verbose=0)
    picture = plots.embedding_3d(embedding, y[shown], dec.clusters, title="Embedding after DEC")
    run.save_figure("embedding_3d", picture)

    curve = run.curve("dec")
    interval, max_steps = run.config["update_interval"], run.config["max_steps"]
    steps = np.minimum(interval * np.arange(1, len(curve["loss"]) + 1), max_steps)
    picture = plots.learning_curves(curve, steps=steps, xlabel="step", title="Self-training")
    run.save_figure("learning_curves", picture)

    if _are_images(run):
        images_after = keras.ops.convert_to_numpy(dec.decoder(dec.clusters))
        rows = {"before": _images(run, images_before), "after": _images(run, images_after)}
        run.save_figure(
            "centroid_images",
            plots.image_rows(rows, title="What the centroids decode to, by DEC's start and end"),
        )


def _are_images(run):
    return run.dataset.x.ndim > 2


def _images(run, vectors):
    return vectors.reshape(-1, *run.dataset.x.shape[1:])
