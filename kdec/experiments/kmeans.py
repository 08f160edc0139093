"""k-means on the pixels: the figure that every other system has to beat.

Source 001 starts from its accuracy, source 003 from its purity.
"""

from typing import Any

import numpy as np

from kdec import metrics, plots
from kdec.experiments.run import Run
from kdec.kmeans import KMeans

_FULL = {"init": "k-means++", "n_init": 20}

PRESETS = {"full": _FULL, "quick": _FULL}

SOURCE = {"acc": 0.5323, "macro_purity": 0.62}


def run(run: Run) -> None:
    """Cluster the samples as they are, score and draw."""
    x, y, n_clusters = run.dataset.flat, run.dataset.y, run.dataset.n_classes
    kmeans = KMeans(n_clusters, **run.config, random_state=run.seed)
    cluster(run, "k-means on pixels", kmeans, x, y)
    run.facts["source"] = SOURCE
    run.save_figure("confusion_matrix", plots.confusion_matrix(y, kmeans.labels_))
    if run.dataset.x.ndim > 2:
        draw_centroids(run, kmeans)


def cluster(run: Run, system: str, kmeans: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Fit a k-means, time it, and record its figures under the name of the system.

    Args:
        run: The run.
        system: Name of the row and of the stage. The iterations, the purity of each cluster and
            the contingency matrix (true labels by clusters) go to the facts under this name.
        kmeans: `kdec.KMeans` or scikit-learn's, not fitted.
        x: Samples, (n, d).
        y: True labels, (n,).

    Returns:
        `kmeans`, fitted.
    """
    with run.timed(system):
        kmeans.fit(x)
    labels = kmeans.labels_
    run.score(
        system,
        labels,
        [system],
        y=y,
        micro_purity=metrics.purity(y, labels, average="micro"),
        macro_purity=metrics.purity(y, labels, average="macro"),
        inertia=float(kmeans.inertia_),
    )
    run.facts.setdefault("clusters", {})[system] = {
        "iterations": int(kmeans.n_iter_),
        "purity": metrics.purity(y, labels, average=None).tolist(),
        "contingency_matrix": metrics.contingency_matrix(y, labels).tolist(),
    }
    return kmeans


def draw_centroids(run: Run, kmeans: KMeans) -> None:
    """Draw the centroids as images, by their clusters' majority labels, with the shares of those.

    A cluster that got no sample has no majority, and is left out.
    """
    y, labels = run.dataset.y, kmeans.labels_
    counts = metrics.contingency_matrix(y, labels)
    majority = np.unique(y)[counts.argmax(axis=0)]
    share = metrics.purity(y, labels, average=None)
    order = np.lexsort((-share, majority))
    centroids = kmeans.cluster_centers_[np.unique(labels)[order]]
    picture = plots.centroid_images(
        centroids.reshape(-1, *run.dataset.x.shape[1:]),
        titles=[f"{majority[i]}: {share[i]:.0%}" for i in order],
        title="Centroids, by most frequent label and its share",
    )
    run.save_figure("centroid_images", picture)
