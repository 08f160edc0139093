"""Source 000: k-means as a loss, why it fails, and the same encoder with a reconstruction term.

Scaling an embedding by s turns its loss `a + r`, attraction and repulsion, into `s^2 a + r / s^2`,
which is least where both terms are equal, with the value `2 sqrt(a r)`. So training first finds
the scale, and from then on lowers `a r`, the distances within the clusters over those between: an
embedding that falls into ten lumps, or only onto a line, lowers it whatever digits lie together,
and so does one that leaves most images in one point, and takes the other centroids far away with
the few that remain. The facts `terms`, `embedding`, `cluster_sizes` and `finding` of the record
show how far that went.
"""

import keras
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from kdec import metrics, plots
from kdec.autoencoders import conv_pooling
from kdec.experiments.run import Run
from kdec.experiments.stopping import ResumableEarlyStopping
from kdec.kmeans import KMeans
from kdec.models import KMeansLoss, ShuffledBatches

# The source's training; the one that suits a reconstruction term; and that one without the term, so
# that the last two differ in nothing else.
_SOURCE_TRAINING = {
    "reconstruction_weight": 0.0,
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.0001}},
    "batch_size": 5000,
    "max_epochs": 1000,
}
_RECONSTRUCTION_TRAINING = {
    # At 100, the embedding still falls onto a line.
    "reconstruction_weight": 300.0,
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
    "batch_size": 500,
    "max_epochs": 40,
}

_FULL = {
    "embedding_units": 3,
    "max_iterations": 50,
    "stop_gradient": False,
    "patience": 10,
    "n_init": 20,
    "trainings": {
        "alone": _SOURCE_TRAINING,
        "control": {**_RECONSTRUCTION_TRAINING, "reconstruction_weight": 0.0},
        "reconstruction": _RECONSTRUCTION_TRAINING,
    },
}

_QUICK_RECONSTRUCTION = {**_RECONSTRUCTION_TRAINING, "batch_size": 100}

PRESETS = {
    "full": _FULL,
    # For some thousand samples: smaller batches and larger steps.
    "quick": {
        **_FULL,
        "trainings": {
            "alone": {
                **_SOURCE_TRAINING,
                "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.001}},
                "batch_size": 500,
                "max_epochs": 40,
            },
            "control": {**_QUICK_RECONSTRUCTION, "reconstruction_weight": 0.0},
            "reconstruction": _QUICK_RECONSTRUCTION,
        },
    },
}

SYSTEMS = {
    "alone": "k-means loss",
    "control": "k-means loss, trained as with reconstruction",
    "reconstruction": "k-means loss + reconstruction",
}
_N_SHOWN = 10_000
_PREDICT_BATCH = 2048


def run(run: Run) -> None:
    """Cluster the pixels; train with the loss alone and with reconstruction; score and draw."""
    describe(run, "untrained encoder", build(run, 0.0))
    with run.timed("pixels"):
        pixels = KMeans(
            run.dataset.n_classes, n_init=run.config["n_init"], random_state=run.seed
        ).fit(run.dataset.flat)
    score(run, "k-means on pixels", pixels.labels_, ["pixels"])

    models = {stage: train(run, stage) for stage in run.config["trainings"]}
    labels = {stage: examine(run, SYSTEMS[stage], model, stage) for stage, model in models.items()}
    run.facts["finding"] = finding(run.facts)
    draw_terms(run)
    draw_images(run, models["reconstruction"], labels["reconstruction"])


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


def train(run: Run, stage: str) -> KMeansLoss:
    """Train one of the configured models until its loss has not fallen for some epochs."""
    config = run.config["trainings"][stage]

    def build_and_compile():
        model = build(run, config["reconstruction_weight"])
        model.compile(keras.optimizers.get(config["optimizer"]))
        return model

    def fit(model, callbacks):
        batches = ShuffledBatches(images(run), config["batch_size"], seed=run.seed)
        stopping = ResumableEarlyStopping(
            run.backup(stage) / "stopping", patience=run.config["patience"]
        )
        model.fit(
            batches.dataset,
            epochs=config["max_epochs"],
            callbacks=[batches, stopping, *callbacks],
            shuffle=False,
        )

    return run.train(stage, build_and_compile, fit, f"{stage}.keras")


def examine(run: Run, system: str, model: KMeansLoss, stage: str) -> np.ndarray:
    """Score a trained model as a system of the run, describe its embedding, and draw it.

    Returns:
        The cluster of each image, int32 array (n,).
    """
    labels = model.predict_clusters(images(run), batch_size=_PREDICT_BATCH)
    score(run, system, labels, [stage])
    curve = run.curve(stage)
    # An epoch whose batches were all skipped has no loss.
    best = int(np.argmin(np.nan_to_num(curve["loss"], nan=np.inf)))
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
    # A centroid without images may be far away, and the embedding a dot in its picture.
    ax = plots.embedding_3d(z, y, model.clusters[np.unique(labels)], title=system)
    run.save_figure(f"embedding_3d_{stage}", ax)
    return labels


def score(run: Run, system: str, labels: np.ndarray, stages: list[str]) -> None:
    """Score the clusters of a system, and the macro purity of the first 10,000, as the source.

    Macro purity counts a cluster of few images as much as one of most of them; hence the sizes.
    """
    y = run.dataset.y
    sizes = np.bincount(labels, minlength=run.dataset.n_classes)
    run.facts.setdefault("cluster_sizes", {})[system] = sorted(sizes.tolist(), reverse=True)
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
    described = facts["embedding"]
    first, best = (facts["terms"][SYSTEMS["alone"]][when] for when in ("first", "best"))
    products = [row["attraction"] * row["repulsion"] for row in (first, best)]
    shown = {"untrained": described["untrained encoder"]} | {
        name: described[name] for name in SYSTEMS.values()
    }
    axes = ", ".join(f"{name} {row['first_axis']:.0%}" for name, row in shown.items())
    told = ", ".join(f"{name} {row['neighbour_accuracy']:.0%}" for name, row in shown.items())
    largest = ", ".join(
        f"{name} {sizes[0] / sum(sizes):.0%}" for name, sizes in facts["cluster_sizes"].items()
    )
    return (
        f"Alone, the loss fell from {first['loss']:.3g} to {best['loss']:.3g}. The spread of the "
        f"embedding went from {first['spread']:.3g} to {best['spread']:.3g}, attraction and "
        f"repulsion to {best['attraction']:.3g} and {best['repulsion']:.3g}, and their product, "
        f"which no scaling changes, from {products[0]:.3g} to {products[1]:.3g}. "
        f"Variance of the embedding on its first axis: {axes}. "
        f"Digits that ten nearest neighbours in it told: {told}. "
        f"Images in the largest cluster: {largest}."
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
    for stage in run.config["trainings"]:
        curve = run.curve(stage)
        names = [name for name in curve if name != "skipped_batches"]
        run.save_figure(
            f"terms_{stage}", plots.learning_curves(curve, keys=names, title=SYSTEMS[stage])
        )


def draw_images(run: Run, model: KMeansLoss, labels: np.ndarray) -> None:
    """Draw what the centroids that have images, by their `labels` (n,), decode to."""
    picture = plots.centroid_images(
        model.decoder.predict(model.clusters[np.unique(labels)], verbose=0),
        title="What the centroids decode to",
    )
    run.save_figure("centroid_images", picture)
