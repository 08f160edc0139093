"""Beyond the sources: contrast between neighbours, k-means, label diffusion, self-labelling.

An encoder trains on pairs of neighbours seen through random views; k-means clusters its codes; the
labels diffuse over the neighbours among the codes; a classifier trains on them and makes them anew.
Each step is scored. A decoder that trains on the fixed codes shows what the centroids stand for.
True labels only score: nothing is chosen by them.

`clustering.keras` has encoder, classifier and decoder in one model.
"""

from typing import NamedTuple

import keras
import numpy as np

from kdec import metrics, plots
from kdec.autoencoders import conv_encoder, dense_encoder
from kdec.clustering import ClusteringModel, choose_network, train_decoder, unit_means
from kdec.experiments.run import Run
from kdec.kmeans import KMeans
from kdec.models import NeighborContrast, SelfLabeling, fastest_policy
from kdec.neighbors import diffuse_labels, nearest_neighbors
from kdec.views import RandomAffine, RandomNoise

_FULL = {
    "network": "auto",  # "conv" for images of more than 20 pixels a side, else "dense"
    "hidden_units": [500, 500],
    "embedding_units": 32,
    "noise": 0.1,
    "dtype": "auto",  # policy: convolutions go by the machine, dense layers are in float32
    "views": True,  # or False: the samples as they are
    "n_neighbors": 10,  # or 0: a sample and itself
    "temperature": 0.5,
    "batch_size": 512,
    "epochs": 14,
    "n_init": 100,  # ten end in a poor optimum now and then
    "diffusion_neighbors": 20,
    "diffusion_passes": 30,  # or 0: no diffusion
    "rounds": 6,  # or 0: no self-labelling
    "passes": 6,
    "label_batch_size": 256,
    "dropout": 0.3,
    "decoder_units": [256, 256],
    "decoder_batch_size": 256,
    "decoder_epochs": 10,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples, which have few batches an epoch.
    "quick": {**_FULL, "batch_size": 256, "epochs": 60, "decoder_epochs": 60},
}


class Clusters(NamedTuple):
    """What the steps before the decoder have made."""

    encoder: keras.Model
    classifier: keras.Model | None  # before its softmax; None without self-labelling
    codes: np.ndarray  # (n, embedding_units)
    labels: np.ndarray  # (n,)


def run(run: Run) -> None:
    """Train the encoder, cluster its codes, diffuse and renew the labels; score and draw each."""
    run.facts["dtype"] = dtype(run)
    found = cluster(run)
    run.facts["share_of_class_in_its_cluster"] = shares_found(run.dataset.y, found.labels)
    centroids = unit_means(found.codes, found.labels)
    draw(run, found.codes, centroids, found.labels)
    decoder = train_on_codes(run, found.codes)
    draw_decoded(run, decoder.predict(centroids, verbose=0), found.labels)
    if found.classifier is not None:
        run.save_model(join(run, found, decoder), "clustering.keras")


def cluster(run: Run) -> Clusters:
    """Do all steps up to the last labels, and score each."""
    x, config, n_clusters = samples(run), run.config, run.dataset.n_classes
    model = contrast(run, neighbors(run))
    stages = ["neighbors", "contrast", "k-means"]
    with run.timed("k-means"):
        codes = model.predict(x, batch_size=2048, verbose=0)
        kmeans = KMeans(n_clusters, n_init=config["n_init"], random_state=run.seed).fit(codes)
    labels = kmeans.labels_
    run.score("contrast + k-means", labels, stages)
    if config["diffusion_passes"]:
        stages.append("diffusion")
        with run.timed("diffusion"):
            shares = diffuse_labels(
                codes, labels, config["diffusion_neighbors"], config["diffusion_passes"]
            )
        labels = shares.argmax(axis=1)
        run.score("contrast + diffusion", labels, stages)
    classifier = None
    if config["rounds"]:
        self_labeling = self_label(run, x, labels)
        classifier = self_labeling.classifier
        labels = self_labeling.predict(x, batch_size=2048, verbose=0).argmax(axis=1)
        run.score("self-labelling", labels, [*stages, "self-labeling"])
    return Clusters(model.encoder, classifier, codes, labels)


def neighbors(run: Run) -> np.ndarray | int:
    """Find the neighbours among the samples, or none."""
    k = run.config["n_neighbors"]
    with run.timed("neighbors"):
        return nearest_neighbors(samples(run), k) if k else 0


def contrast(run: Run, neighbors: np.ndarray | int) -> NeighborContrast:
    """Train the encoder on pairs of neighbours."""
    x, config = samples(run), run.config
    return run.train(
        "contrast",
        lambda: build(run),
        lambda model, callbacks: model.fit(
            x, neighbors, config["batch_size"], config["epochs"], callbacks
        ),
        "contrast.keras",
    )


def samples(run: Run) -> np.ndarray:
    """Return the data as the run's networks take them: vectors, or images with channels."""
    if _network(run) == "dense":
        return run.dataset.flat
    x = run.dataset.x
    return x[..., np.newaxis] if x.ndim == 3 else x


def network(run: Run, units: int, dropout: float = 0.0) -> keras.Model:
    """Build the encoder, or as its twin a classifier of as many `units` as clusters."""
    config, shape = run.config, samples(run).shape[1:]
    if _network(run) == "dense":
        dims = (*shape, *config["hidden_units"], units)
        return dense_encoder(dims, dropout=dropout, dtype=dtype(run), seed=run.seed)
    return conv_encoder(shape, units, dropout=dropout, dtype=dtype(run), seed=run.seed)


def dtype(run: Run) -> str:
    """Return the networks' dtype policy; that of convolutions may follow the machine."""
    if run.config["dtype"] != "auto":
        return run.config["dtype"]
    return fastest_policy() if _network(run) == "conv" else "float32"


def views(run: Run) -> keras.Layer | None:
    """Build the layer of the random views, or none."""
    if not run.config["views"]:
        return None
    if _network(run) == "dense":
        return RandomNoise(run.config["noise"], seed=run.seed)
    return RandomAffine(dtype=dtype(run), seed=run.seed)


def build(run: Run) -> NeighborContrast:
    """Build the model of contrast between neighbours, as it is before training."""
    encoder = network(run, run.config["embedding_units"])
    return NeighborContrast(encoder, views(run), run.config["temperature"], seed=run.seed)


def self_label(run: Run, x: np.ndarray, labels: np.ndarray) -> SelfLabeling:
    """Train a classifier on `labels`, which it makes anew in rounds."""
    config = run.config

    def build():
        classifier = network(run, run.dataset.n_classes, dropout=config["dropout"])
        return SelfLabeling(classifier, views(run), seed=run.seed)

    def fit(model, callbacks):
        model.fit(
            x,
            labels,
            run.dataset.y,
            config["label_batch_size"],
            config["rounds"],
            config["passes"],
            callbacks=callbacks,
        )

    return run.train("self-labeling", build, fit, "model.keras")


def train_on_codes(run: Run, codes: np.ndarray) -> keras.Model:
    """Train a decoder from the codes, which stay as they are, to the samples as flat vectors."""
    config = run.config
    return train_decoder(
        run.train,
        codes,
        run.dataset.flat,
        config["decoder_units"],
        config["decoder_batch_size"],
        config["decoder_epochs"],
        run.seed,
    )


def shares_found(y: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return which share of each class lies in the cluster that is matched to it."""
    cluster_of_class = {true: own for own, true in metrics.match_labels(y, labels).items()}
    return {
        str(true): float(np.mean(labels[y == true] == cluster_of_class.get(true, -1)))
        for true in np.unique(y).tolist()
    }


def join(run: Run, found: Clusters, decoder: keras.Model) -> ClusteringModel:
    """Make one model of all parts; its decoder gives samples of the encoder's shape."""
    n_clusters = found.classifier.output_shape[1]
    # As `NeighborContrast` gives the codes.
    encoder = _followed(found.encoder, keras.layers.UnitNormalization(dtype="float32"))
    classifier = _followed(found.classifier, keras.layers.Softmax(dtype="float32"))
    shaped = _followed(decoder, keras.layers.Reshape(encoder.input_shape[1:]))
    model = ClusteringModel(encoder, shaped, None, classifier, n_clusters)
    centers = np.zeros(model.cluster_centers.shape, "float32")  # of clusters without samples
    centers[np.unique(found.labels)] = unit_means(found.codes, found.labels)
    model.cluster_centers.assign(centers)
    return model


def draw(run: Run, codes: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> None:
    """Draw the codes, the agreement with the labels, the learning curves, and some views."""
    y = run.dataset.y
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, labels))
    shown = np.random.default_rng(0).permutation(len(y))[:10_000]
    picture = plots.embedding_3d(codes[shown], y[shown], centroids, title="Codes")
    run.save_figure("embedding_3d", picture)
    for stage, title in (
        ("contrast", "Contrast between neighbours"),
        ("self-labeling", "Self-labelling"),
    ):
        if stage == "contrast" or run.config["rounds"]:
            curve = run.curve(stage)
            xlabel = "epoch" if stage == "contrast" else "round"
            picture = plots.learning_curves(curve, xlabel=xlabel, title=title)
            run.save_figure(f"learning_curves_{stage}", picture)
    if run.dataset.x.ndim > 2:
        some = np.linspace(0, len(y) - 1, 8).astype(int)
        layer = views(run)
        images = samples(run)[some]
        run.save_figure("views", plots.views(images, layer, title="Random views"))


def draw_decoded(run: Run, decoded: np.ndarray, labels: np.ndarray) -> None:
    """Draw what the centroids decode to, each under the label that its cluster is matched to."""
    shape = run.dataset.x.shape[1:]
    if len(shape) > 1:
        label_of_cluster = metrics.match_labels(run.dataset.y, labels)
        titles = [label_of_cluster.get(cluster, "") for cluster in np.unique(labels)]
        picture = plots.centroid_images(decoded.reshape(-1, *shape), titles)
        run.save_figure("centroid_images", picture)


def _followed(model, layer):
    return keras.Model(model.inputs, layer(model.output))


def _network(run):
    network = run.config["network"]
    return choose_network(run.dataset.x.shape[1:]) if network == "auto" else network
