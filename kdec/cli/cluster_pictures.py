"""The pictures that `kdec cluster` leaves as PNG files."""

import numpy as np

from kdec import plots
from kdec.experiments import save_picture

_MOST_POINTS = 10_000


def draw(out, dataset, clustering):
    """Draw the codes, what the centroids stand for, the learning curves, and what else there is."""
    codes, labels = clustering.embedding_, clustering.labels_
    shown = np.random.default_rng(0).permutation(len(labels))[:_MOST_POINTS]
    points = codes[shown], labels[shown], clustering.cluster_centers_
    if codes.shape[1] > 2:
        save_picture(out / "embedding_3d.png", plots.embedding_3d(*points, title="Codes"))
    elif codes.shape[1] == 2:
        save_picture(out / "clusters_2d.png", plots.clusters_2d(*points, title="Codes"))
    if dataset.x.ndim > 2:
        decoded = clustering.inverse_transform(clustering.cluster_centers_)
        save_picture(out / "centroid_images.png", plots.centroid_images(decoded))
    for stage, curve in clustering.history_.items():
        picture = plots.learning_curves(curve, title=stage)
        save_picture(out / f"learning_curves_{stage}.png", picture)
    if choice := getattr(clustering, "choice_of_k_", None):
        save_picture(out / "choice_of_k.png", plots.choice_of_k(choice))
    if dataset.y is not None:
        save_picture(out / "confusion_matrix.png", plots.confusion_matrix(dataset.y, labels))
