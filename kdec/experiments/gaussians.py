"""Source 002, task 1: k-means on three Gaussians in the plane, iteration by iteration."""

import numpy as np
from sklearn.metrics import silhouette_score

from kdec import plots
from kdec.experiments.run import Run
from kdec.kmeans import KMeans

_FULL = {"n_clusters": 3, "n_starts": 10, "max_iter": 100, "largest_n_clusters": 8}

PRESETS = {"full": _FULL, "quick": _FULL}


def run(run: Run) -> None:
    """Cluster the points from several random starts, then with 1 to 8 clusters; score and draw."""
    x, config = run.dataset.flat, run.config
    if x.shape[1] != 2:
        raise ValueError(
            f"Expected a data set of points in the plane. Received: {run.dataset.name}, shape "
            f"{x.shape}"
        )
    generator = np.random.default_rng(run.seed)
    with run.timed("paths"):
        runs = [
            iterate(x, generator.choice(x, config["n_clusters"], replace=False), config["max_iter"])
            for _ in range(config["n_starts"])
        ]
    paths, inertias = min(runs, key=lambda paths_and_inertias: paths_and_inertias[1][-1])
    labels = KMeans(len(paths[-1]), init=paths[-1], n_init=1, max_iter=1).fit_predict(x)
    run.score(f"k-means, best of {len(runs)} random starts", labels, ["paths"])
    run.facts["centroids"] = paths[-1].tolist()
    run.facts["inertia_of_start"] = [inertias[-1] for _, inertias in runs]
    run.facts["iterations_of_start"] = [len(inertias) for _, inertias in runs]
    picture = plots.learning_curves(
        {"inertia": inertias}, xlabel="iteration", title="k-means, best start"
    )
    run.save_figure("loss", picture)
    picture = plots.clusters_2d(x, labels, paths=paths, title="Paths of the centroids")
    run.save_figure("centroid_paths", picture)
    choose_n_clusters(run)


def iterate(x: np.ndarray, start: np.ndarray, max_iter: int) -> tuple[np.ndarray, list[float]]:
    """Run Lloyd's algorithm one iteration at a time.

    Args:
        x: Points, (n, d).
        start: Centroids at the start, (k, d).
        max_iter: Most iterations.

    Returns:
        The centroids from the start to the last iteration, (n_iterations + 1, k, d), and the
        inertia of each iteration, measured after its assignment. The last iteration is the first
        one that moves no centroid.
    """
    paths, inertias = [start], []
    for _ in range(max_iter):
        step = KMeans(len(start), init=paths[-1], n_init=1, max_iter=1, tol=0).fit(x)
        inertias.append(float(step.inertia_history_[0]))
        paths.append(step.cluster_centers_)
        if np.array_equal(paths[-1], paths[-2]):
            break
    return np.stack(paths), inertias


def choose_n_clusters(run: Run) -> None:
    """Compare 1 to 8 clusters by inertia and silhouette, the best of several starts each."""
    x, n_init = run.dataset.flat, run.config["n_starts"]
    n_clusters = range(1, run.config["largest_n_clusters"] + 1)
    with run.timed("elbow"):
        fitted = [KMeans(k, n_init=n_init, random_state=run.seed).fit(x) for k in n_clusters]
    inertias = [kmeans.inertia_ for kmeans in fitted]
    # One cluster has no silhouette.
    silhouettes = [np.nan, *(float(silhouette_score(x, kmeans.labels_)) for kmeans in fitted[1:])]
    best = int(np.nanargmax(silhouettes))
    run.score(f"k-means, k = {n_clusters[best]} by silhouette", fitted[best].labels_, ["elbow"])
    run.facts["elbow"] = {
        "n_clusters": list(n_clusters),
        "inertia": inertias,
        "silhouette": [None, *silhouettes[1:]],
        "best_by_silhouette": n_clusters[best],
    }
    run.save_figure("elbow", plots.elbow(n_clusters, inertias, silhouettes))
