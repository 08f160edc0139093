"""Beyond the sources: clusters of classes of unequal size, by k-means and by joined parts.

The encoder trains on pairs of neighbours, as in `neighbor_contrast`. But these are found over views
and in the scale of each sample: else few of those in a small class are of it. Its codes are
clustered twice: by k-means, which assumes classes of like size, with the labels diffused; and by
k-means into many parts that are joined along the neighbours among the codes. Each step is scored.
True labels only score.

Self-labelling does not follow: of a few thousand samples it drew the smallest classes to others.
"""

import numpy as np

from kdec import plots
from kdec.experiments import neighbor_contrast
from kdec.experiments.run import Run
from kdec.kmeans import KMeans
from kdec.neighbors import diffuse_labels, join_clusters, neighbors_over_views

# Settings of steps of `neighbor_contrast` that are not done here, by how their names begin.
_LATER_STEPS = ("rounds", "passes", "label_batch_size", "dropout", "decoder")

_QUICK = {
    **{
        name: value
        for name, value in neighbor_contrast.PRESETS["quick"].items()
        if not name.startswith(_LATER_STEPS)
    },
    "neighbor_views": 64,
    "n_parts": 100,
    "joining_neighbors": 10,
    "joining_passes": 3,
}

PRESETS = {"full": _QUICK, "quick": _QUICK}


def run(run: Run) -> None:
    """Train the encoder on neighbours over views, cluster its codes in both ways, score each."""
    x, y, config = neighbor_contrast.samples(run), run.dataset.y, run.config
    run.facts["dtype"] = neighbor_contrast.dtype(run)
    run.facts["class_sizes"] = np.bincount(y).tolist()
    with run.timed("neighbors"):
        neighbors = neighbors_over_views(
            x,
            neighbor_contrast.views(run),
            config["n_neighbors"],
            n_views=config["neighbor_views"],
        )
    model = neighbor_contrast.contrast(run, neighbors)
    with run.timed("codes"):
        codes = model.predict(x, batch_size=2048, verbose=0)
    before = ["neighbors", "contrast", "codes"]
    by_kmeans(run, codes, before)
    with run.timed("joining"):
        parts = KMeans(config["n_parts"], n_init=1, random_state=run.seed).fit_predict(codes)
        labels = join_clusters(
            codes,
            parts,
            run.dataset.n_classes,
            config["joining_neighbors"],
            config["joining_passes"],
        ).argmax(axis=1)
    score(run, "contrast + joined parts", labels, [*before, "joining"])
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, labels))


def by_kmeans(run: Run, codes: np.ndarray, before: list[str]) -> None:
    """Cluster the codes as `neighbor_contrast` does; its diffusion may leave a cluster empty."""
    config = run.config
    with run.timed("k-means"):
        kmeans = KMeans(run.dataset.n_classes, n_init=config["n_init"], random_state=run.seed)
        labels = kmeans.fit_predict(codes)
    score(run, "contrast + k-means", labels, [*before, "k-means"])
    try:
        with run.timed("diffusion"):
            shares = diffuse_labels(
                codes, labels, config["diffusion_neighbors"], config["diffusion_passes"]
            )
    except ValueError as died_out:
        run.facts["diffusion"] = str(died_out)
        return
    labels = shares.argmax(axis=1)
    score(run, "contrast + k-means + diffusion", labels, [*before, "k-means", "diffusion"])


def score(run: Run, system: str, labels: np.ndarray, stages: list[str]) -> None:
    """Score a step, and record which share of each class its cluster holds."""
    run.score(system, labels, stages)
    shares = run.facts.setdefault("share_of_class_in_its_cluster", {})
    shares[system] = neighbor_contrast.shares_found(run.dataset.y, labels)
