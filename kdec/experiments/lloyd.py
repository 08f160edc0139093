"""Source 004: Lloyd's algorithm on six points, on Iris, and on images under three metrics.

The source draws its training rows and its starts from NumPy's global generator, seeded a few draws
before. The same draws here give its figures again: exactly on Iris, within rounding on the images,
which are float64 there and float32 here. Beside those stand the best of several restarts and
scikit-learn's.
"""

import numpy as np
from sklearn.cluster import KMeans as ScikitLearnKMeans
from sklearn.model_selection import train_test_split

from kdec import data, metrics, plots
from kdec.experiments.kmeans import cluster
from kdec.experiments.run import Run
from kdec.kmeans import KMeans

_FULL = {
    "init": "random",
    "n_init": 10,
    "metrics": ["euclidean", "manhattan", "cosine"],
    "largest_n_clusters": 10,
    # The source stops after an assignment, kdec.KMeans after the centroids moved and one more: its
    # 20 iterations under the euclidean metric are 19 of these.
    "source_starts": {
        "euclidean": {"seed": 42, "max_iter": 19},
        "manhattan": {"seed": 2023, "max_iter": 149},
    },
}

PRESETS = {"full": _FULL, "quick": _FULL}

# The last three are of MNIST's test set.
SOURCE = {
    "six points": {"inertia": 16.0},
    "iris": {"inertia": 29.54042124542125, "held_out_purity": 0.6667},
    "iris, scikit-learn": {"inertia": 29.560184337655734, "held_out_purity": 0.8333},
    "euclidean": {"inertia": 391367.5505466436, "micro_purity": 0.5904},
    "euclidean, scikit-learn": {"inertia": 390846.10057610436, "micro_purity": 0.5851},
    "manhattan": {"inertia": 917674.1205970906, "micro_purity": 0.5414},
}

_SIX_POINTS = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=np.float64)
_NEW_POINTS = np.array([[0, 0], [12, 3]], dtype=np.float64)
_SIX_POINTS_SEED, _IRIS_SEED, _ELBOW_SEED = 1992, 2023, 1992
_FROM_SOURCE_START = ", the source's start"


def run(run: Run) -> None:
    """Cluster the six points, Iris, and the run's data under each metric; score and draw."""
    run.facts["source"] = SOURCE
    cluster_six_points(run)
    cluster_iris(run)
    compare_metrics(run)


def source_start(x: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Return the rows of x (n, d) that the source's class starts from: (n_clusters, d).

    They are drawn with replacement, so that two may be the same.

    Example:
    >>> import numpy as np
    >>> from kdec.experiments.lloyd import source_start
    >>> source_start(np.array([[0.0], [1.0], [2.0]]), 2, seed=0)
    array([[0.],
           [1.]])
    """
    generator = np.random.RandomState(seed)
    return x[[generator.choice(len(x)) for _ in range(n_clusters)]]


def split_iris() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split the first two features of Iris as the source did.

    It gives the split no seed; the generator stands where the start of the six points left it.

    Returns:
        120 rows for training, (120, 2); 30 held out, (30, 2); their labels, (120,) and (30,).
    """
    iris = data.load_data("iris")
    generator = np.random.RandomState(_SIX_POINTS_SEED)
    for _ in range(2):
        generator.choice(len(_SIX_POINTS))
    # Measured to 0.1 cm: as float32, rounding would break the ties between centroids.
    x = iris.x[:, :2].astype(np.float64).round(1)
    return train_test_split(x, iris.y, test_size=0.2, random_state=generator)


def cluster_six_points(run: Run) -> None:
    """Cluster six points whose two clusters are plain, and predict for two more."""
    start = source_start(_SIX_POINTS, 2, _SIX_POINTS_SEED)
    kmeans = KMeans(2, init=start, n_init=1).fit(_SIX_POINTS)
    run.facts["six_points"] = {
        "centroids": kmeans.cluster_centers_.tolist(),
        "labels": kmeans.labels_.tolist(),
        "inertia": kmeans.inertia_,
        "new_points": _NEW_POINTS.tolist(),
        "predictions": kmeans.predict(_NEW_POINTS).tolist(),
    }


def cluster_iris(run: Run) -> None:
    """Cluster the training rows of Iris, by kdec and by scikit-learn, and draw the clusters."""
    x, held_out, y, y_held_out = split_iris()
    start = source_start(x, 3, _IRIS_SEED)
    fitted = {
        system: cluster(run, system, kmeans, x, y)
        for system, kmeans in (
            ("iris", _restarted(run, KMeans, 3)),
            ("iris, scikit-learn", _restarted(run, ScikitLearnKMeans, 3)),
            ("iris" + _FROM_SOURCE_START, KMeans(3, init=start, n_init=1, tol=0)),
        )
    }
    for system, kmeans in fitted.items():
        purity = metrics.purity(y_held_out, kmeans.predict(held_out))
        run.facts["clusters"][system] |= {
            "centroids": kmeans.cluster_centers_.tolist(),
            "held_out_purity": purity,
        }
    best = fitted["iris"]
    picture = plots.clusters_2d(
        x,
        best.labels_,
        best.cluster_centers_,
        xlabel="sepal length (cm)",
        ylabel="sepal width (cm)",
        title=f"Iris, {len(x)} training rows: inertia {best.inertia_:.2f}",
    )
    run.save_figure("iris_clusters", picture)
    draw_elbow(run, x)


def draw_elbow(run: Run, x: np.ndarray) -> None:
    """Draw the inertia over the number of clusters; also go where the source's elbow ended in NaN.

    With 10 clusters the source's start holds a point twice, which leaves a cluster empty.
    """
    n_clusters = list(range(1, run.config["largest_n_clusters"] + 1))
    elbow = {"n_clusters": n_clusters, "inertia": [], "scikit_learn": [], "source_start": []}
    with run.timed("elbow"):
        for k in n_clusters:
            start = source_start(x, k, _ELBOW_SEED)
            for name, kmeans in (
                ("inertia", _restarted(run, KMeans, k)),
                ("scikit_learn", _restarted(run, ScikitLearnKMeans, k)),
                ("source_start", KMeans(k, init=start, n_init=1, tol=0)),
            ):
                elbow[name].append(float(kmeans.fit(x).inertia_))
    run.facts["iris_elbow"] = elbow
    run.save_figure("iris_elbow", plots.elbow(n_clusters, elbow["inertia"], title="Iris"))


def compare_metrics(run: Run) -> None:
    """Cluster the run's data under each metric, and by scikit-learn under its only one."""
    x, y, n_clusters = run.dataset.flat, run.dataset.y, run.dataset.n_classes
    fitted = {
        metric: cluster(run, metric, _restarted(run, KMeans, n_clusters, metric=metric), x, y)
        for metric in run.config["metrics"]
    }
    reference = _restarted(run, ScikitLearnKMeans, n_clusters)
    cluster(run, "euclidean, scikit-learn", reference, x, y)
    if "euclidean" in fitted:
        run.facts["ari_with_scikit_learn"] = metrics.ari(
            reference.labels_, fitted["euclidean"].labels_
        )
    for metric, start in run.config["source_starts"].items():
        init = source_start(x, n_clusters, start["seed"])
        kmeans = KMeans(
            n_clusters, init=init, n_init=1, max_iter=start["max_iter"], tol=0, metric=metric
        )
        cluster(run, metric + _FROM_SOURCE_START, kmeans, x, y)
    draw_metrics(run, fitted)


def draw_metrics(run: Run, fitted: dict[str, KMeans]) -> None:
    """Draw for each metric the contingency matrix, the centroids and the inertia's way down."""
    y = run.dataset.y
    for metric, kmeans in fitted.items():
        purity = metrics.purity(y, kmeans.labels_)
        picture = plots.confusion_matrix(y, kmeans.labels_, title=f"{metric}: purity {purity:.4f}")
        run.save_figure(f"contingency_{metric}", picture)

    histories = {metric: kmeans.inertia_history_ for metric, kmeans in fitted.items()}
    picture = plots.learning_curves(histories, xlabel="iteration", title="Inertia by metric")
    run.save_figure("inertia", picture)

    if run.dataset.x.ndim > 2:
        rows = {
            metric: _images_by_label(run, kmeans).reshape(-1, *run.dataset.x.shape[1:])
            for metric, kmeans in fitted.items()
        }
        title = "Centroids by metric, matched to the labels"
        picture = plots.image_rows(rows, titles=np.unique(y), title=title)
        run.save_figure("centroid_images", picture)


def _restarted(run, estimator, n_clusters, **options):
    """Return a k-means with the run's restarts, not fitted."""
    return estimator(
        n_clusters,
        init=run.config["init"],
        n_init=run.config["n_init"],
        random_state=run.seed,
        **options,
    )


def _images_by_label(run, kmeans):
    """Return each label's centroid, scaled to a largest value of one; black for a label without."""
    label_of_cluster = metrics.match_labels(run.dataset.y, kmeans.labels_)
    labels = np.unique(run.dataset.y)
    centroids = np.zeros((len(labels), kmeans.n_features_in_))
    for number, label in label_of_cluster.items():
        centroids[np.searchsorted(labels, label)] = kmeans.cluster_centers_[number]
    return centroids / np.maximum(centroids.max(axis=1, keepdims=True), np.finfo(float).tiny)
