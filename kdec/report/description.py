"""From a fitted clustering to what a report shows of it."""

import numpy as np

from kdec.clustering import DeepClustering
from kdec.data import Dataset, Shards
from kdec.report.contents import Contents

_MOST_FROM_DISK = 20_000  # samples
_METHODS = {
    "contrast": "An encoder learned what neighbours, seen through random views, have in common; "
    "k-means clustered its codes.",
    "dec": "An autoencoder was trained; its encoder and the centroids then trained on together "
    "(DEC).",
    "idec": "An autoencoder was trained; it and the centroids then trained on together (IDEC).",
}
_PLAIN = "k-means clustered the standardised columns, or the pixels; no encoder was trained for it."


def describe(dataset: Dataset, clustering: DeepClustering, **others) -> Contents:
    """Take what a report shows from a data set and the clustering that was fitted to it.

    Of samples on the disk it shows at most 20,000, drawn at random, and says so in a note.

    Args:
        dataset: The samples, and what is known about them.
        clustering: Fitted to `dataset.x`.
        **others: Further attributes of `Contents`, or other values of those taken here.

    Returns:
        The contents, for `write_report`.

    Example:
        >>> import kdec
        >>> from kdec.report import describe
        >>> iris = kdec.load_data("iris")
        >>> clustering = kdec.DeepClustering(3, encoder="none", random_state=0).fit(iris.x)
        >>> describe(iris, clustering).sizes.sum()
        np.int64(150)
    """
    has_learned = bool(clustering.model_.encoder.trainable_weights)
    known = {
        "labels": clustering.labels_,
        "confidence": clustering.probabilities_.clip(0, 1),
        "codes": clustering.embedding_,
        "centers": clustering.cluster_centers_,
        "decoded": clustering.inverse_transform(clustering.cluster_centers_),
        "method": _METHODS[clustering.method] if has_learned else _PLAIN,
        "history": clustering.history_,
    }
    if choice := getattr(clustering, "choice_of_k_", None):
        known["choice"] = choice.table.set_index("n_clusters")
        known["suggestion"] = choice.n_clusters
        known["reason"] = choice.reason
    if isinstance(dataset.x, Shards) and len(dataset.x) > _MOST_FROM_DISK:
        known, others = _drawn(dataset, known, others)
    return Contents.of(dataset, **{**known, **others})


def _drawn(dataset, known, others):
    """The contents of some samples, drawn at random."""
    n = len(dataset.x)
    rows = np.sort(np.random.default_rng(0).choice(n, _MOST_FROM_DISK, replace=False))
    arrays = {"x": dataset.x, "y": dataset.y, **known}
    drawn = {
        name: arrays[name][rows]
        for name in ("x", "y", "labels", "confidence", "codes")
        if arrays[name] is not None
    }
    note = f"This page is about {len(rows):,} of the {n:,} samples, drawn at random."
    notes = [note, *others.get("notes", ())]
    return {**known, **drawn, "samples": rows}, {**others, "notes": notes}
