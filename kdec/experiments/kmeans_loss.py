"""Source 000: k-means as a loss, why it fails, and the same encoder with a reconstruction term.

Scaling an embedding by s turns its loss `a + r`, attraction and repulsion, into `s^2 a + r / s^2`,
which is least where both terms are equal, with the value `2 sqrt(a r)`. So training first finds
the scale, and from then on lowers `a r`, the distances within the clusters over those between: an
embedding that falls into ten lumps, or only onto a line, lowers it whatever digits lie together.
The facts `terms`, `embedding` and `finding` of the record show how far that went.
"""

import keras
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from kdec import metrics, plots
from kdec.autoencoders import conv_pooling
from kdec.batches import ShuffledBatches
from kdec.experiments.run import Run
from kdec.experiments.stopping import ResumableEarlyStopping
from kdec.kmeans import KMeans
from kdec.kmeans_loss import KMeansLoss

_FULL = {
    "embedding_units": 3,
    "batch_size": 5000,
    "max_iterations": 50,
    "stop_gradient": False,
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.0001}},
    "max_epochs": 1000,
    "patience": 10,
    "reconstruction_weight": 100.0,
    "reconstruction_optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
    "reconstruction_batch_size": 500,
    "reconstruction_max_epochs": 10,
    "n_init": 20,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples: smaller batches and larger steps.
    "quick": {
        **_FULL,
        "batch_size": 500,
        "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
        "max_epochs": 40,
        "reconstruction_batch_size": 100,
        "reconstruction_max_epochs": 30,
    },
}

_ALONE = "k-means loss"
_WITH_RECONSTRUCTION = "k-means loss + reconstruction"
_N_SHOWN = 10_000
_PREDICT_BATCH = 2048


def run(run: Run) -> None:
    """Cluster the pixels; train with the loss alone, then with reconstruction; score and draw."""
    describe(run, "untrained encoder", build(run, 0.0))
    with run.timed("pixels"):
        pixels = KMeans(
            run.dataset.n_classes, n_init=run.config["n_init"], random_state=run.seed
        ).fit(run.dataset.flat)
    score(run, "k-means on pixels", pixels.labels_, ["pixels"])

    alone = train_alone(run)
    examine(run, _ALONE, alone, "alone")
    with_reconstruction = train_with_reconstruction(run)
    examine(run, _WITH_RECONSTRUCTION, with_reconstruction, "reconstruction")
    run.facts["finding"] = finding(run.facts)
    draw_terms(run)
    draw_images(run, with_reconstruction)


def build(run: Run, reconstruction_weight: float) -> KMeansLoss:
    """Build the model of the run's configuration, without an optimizer."""
    config = run.config
    parts = conv_pooling(images(run).shape[1:], config["embedding_units"], seed=run.seed)
    return KMeansLoss(
        parts.encoder,
        run.dataset.n_classes,
        decoder=parts.decoder if reconstruction_weight else None,
        reconstruction_weight=reconstruction_weight,
        stop_gradient=config["stop_gradient"],
        max_iterations=config["max_iterations"],
    )


def train_alone(run: Run) -> KMeansLoss:
    """Train with the k-means loss alone, as the source does."""
    config = run.config
    return _train(
        run, "alone", 0.0, config["optimizer"], config["batch_size"], config["max_epochs"]
    )


def train_with_reconstruction(run: Run) -> KMeansLoss:
    """Train the same encoder with a decoder and the reconstruction term."""
    config = run.config
    names = ("weight", "optimizer", "batch_size", "max_epochs")
    return _train(run, "reconstruction", *(config[f"reconstruction_{name}"] for name in names))


def _train(run, stage, reconstruction_weight, optimizer, batch_size, max_epochs):
    def build_and_compile():
        model = build(run, reconstruction_weight)
        model.compile(keras.optimizers.get(optimizer))
        return model

    def fit(model, callbacks):
        batches = ShuffledBatches(images(run), batch_size, seed=run.seed)
        stopping = ResumableEarlyStopping(
            run.out / f"stopping_{stage}", patience=run.config["patience"]
        )
        model.fit(
            batches.dataset,
            epochs=max_epochs,
            callbacks=[batches, stopping, *callbacks],
            shuffle=False,
        )

    return run.train(stage, build_and_compile, fit, f"{stage}.keras")


def examine(run: Run, system: str, model: KMeansLoss, stage: str) -> None:
    """Score a trained model as a system of the run, describe its embedding, and draw it."""
    labels = model.predict_clusters(images(run), batch_size=_PREDICT_BATCH)
    score(run, system, labels, [stage])
    curve = run.curve(stage)
    best = int(np.argmin(curve["loss"]))
    run.facts.setdefault("epochs", {})[system] = {
        "trained": len(curve["loss"]),
        "best": best + 1,
    }
    run.facts.setdefault("terms", {})[system] = {
        when: {name: values[epoch] for name, values in curve.items() if name != "skipped_batches"}
        for when, epoch in (("first", 0), ("best", best))
    }
    run.facts.setdefault("skipped_batches", {})[system] = sum(curve["skipped_batches"])
    describe(run, system, model)
    z, y = embedding(run, model)
    ax = plots.embedding_3d(z, y, model.clusters, title=system)
    run.save_figure(f"embedding_3d_{stage}", ax)


def score(run: Run, system: str, labels: np.ndarray, stages: list[str]) -> None:
    """Score the clusters of a system, and the macro purity of the first 10,000, as the source."""
    y = run.dataset.y
    run.score(
        system,
        labels,
        stages,
        macro_purity_10000=metrics.purity(y[:10_000], labels[:10_000], average="macro"),
        macro_purity=metrics.purity(y, labels, average="macro"),
    )


def describe(run: Run, system: str, model: KMeansLoss) -> None:
    """Record what an embedding still holds of the images.

    `spread` is the root mean square distance to the mean, `first_axis` the share of the variance
    along one line (1 / embedding_units to 1), `neighbour_accuracy` the share of digits that ten
    nearest neighbours in the embedding get right: the digits that are still told apart.
    """
    z, y = embedding(run, model)
    variances = np.linalg.eigvalsh(np.cov(z.astype(np.float64).T))
    half = len(z) // 2
    neighbours = KNeighborsClassifier(n_neighbors=10).fit(z[:half], y[:half])
    run.facts.setdefault("embedding", {})[system] = {
        "spread": float(np.sqrt(variances.sum())),
        "first_axis": float(variances[-1] / variances.sum()),
        "neighbour_accuracy": float(np.mean(neighbours.predict(z[half:]) == y[half:])),
    }


def finding(facts: dict) -> str:
    """Say in words what the recorded figures show of the loss, alone and with reconstruction."""
    terms, described = facts["terms"], facts["embedding"]
    first, best = (terms[_ALONE][when] for when in ("first", "best"))
    alone, both = described[_ALONE], described[_WITH_RECONSTRUCTION]
    untrained = described["untrained encoder"]
    products = [row["attraction"] * row["repulsion"] for row in (first, best)]
    return (
        f"Alone, the loss fell from {first['loss']:.3g} to {best['loss']:.3g}. The spread of the "
        f"embedding went from {first['spread']:.3g} to {best['spread']:.3g}, attraction and "
        f"repulsion to {best['attraction']:.3g} and {best['repulsion']:.3g}, and their product, "
        f"which no scaling changes, from {products[0]:.3g} to {products[1]:.3g}. The embedding "
        f"then had {alone['first_axis']:.0%} of its variance on one axis (untrained "
        f"{untrained['first_axis']:.0%}, with reconstruction {both['first_axis']:.0%}), and ten "
        f"nearest neighbours in it told {alone['neighbour_accuracy']:.0%} of the digits (untrained "
        f"{untrained['neighbour_accuracy']:.0%}, with reconstruction "
        f"{both['neighbour_accuracy']:.0%})."
    )


def embedding(run: Run, model: KMeansLoss) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedding of up to 10,000 images and their labels."""
    # The samples may be sorted by class: take some from all over.
    shown = np.random.default_rng(0).permutation(len(run.dataset.y))[:_N_SHOWN]
    z = model.predict(images(run)[shown], batch_size=_PREDICT_BATCH, verbose=0)
    return z, run.dataset.y[shown]


def images(run: Run) -> np.ndarray:
    """Return the images of the run with a channel axis, (n, height, width, channels)."""
    x = run.dataset.x
    if x.ndim < 3:
        raise ValueError(f"Expected a data set of images. Received: {run.dataset.name}")
    return x[..., None] if x.ndim == 3 else x


def draw_terms(run: Run) -> None:
    """Draw both terms of the loss and the spread of the embedding over the epochs."""
    for stage, system in (("alone", _ALONE), ("reconstruction", _WITH_RECONSTRUCTION)):
        curve = run.curve(stage)
        names = [name for name in curve if name != "skipped_batches"]
        run.save_figure(f"terms_{stage}", plots.learning_curves(curve, keys=names, title=system))


def draw_images(run: Run, model: KMeansLoss) -> None:
    """Draw what the centroids decode to."""
    picture = plots.centroid_images(
        model.decoder.predict(model.clusters, verbose=0), title="What the centroids decode to"
    )
    run.save_figure("centroid_images", picture)
