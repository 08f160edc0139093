"""The pictures that `kdec cluster` leaves as PNG files."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from kdec import plots
from kdec.whole_files import written_whole

_MOST_POINTS = 10_000


def draw(out, dataset, clustering):
    """Draw the codes, what the centroids stand for, the learning curves, and what else there is."""
    codes, labels = clustering.embedding_, clustering.labels_
    shown = np.random.default_rng(0).permutation(len(labels))[:_MOST_POINTS]
    points = codes[shown], labels[shown], clustering.cluster_centers_
    if codes.shape[1] > 2:
        _save(out, "embedding_3d", plots.embedding_3d(*points, title="Codes"))
    elif codes.shape[1] == 2:
        _save(out, "clusters_2d", plots.clusters_2d(*points, title="Codes"))
    if dataset.x.ndim > 2:
        decoded = clustering.inverse_transform(clustering.cluster_centers_)
        _save(out, "centroid_images", plots.centroid_images(decoded))
    for stage, curve in clustering.history_.items():
        picture = plots.learning_curves(curve, title=stage)
        _save(out, f"learning_curves_{stage}", picture)
    if choice := getattr(clustering, "choice_of_k_", None):
        _save(out, "choice_of_k", plots.choice_of_k(choice))
    if dataset.y is not None:
        _save(out, "confusion_matrix", plots.confusion_matrix(dataset.y, labels))


def _save(out, name, picture):
    figure = picture if isinstance(picture, Figure) else picture.figure
    with written_whole(out / f"{name}.png") as partial:
        figure.savefig(partial, dpi=120, bbox_inches="tight")
    plt.close(figure)
