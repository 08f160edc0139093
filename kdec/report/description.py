"""From a fitted clustering to what a report shows of it."""

from kdec.clustering import DeepClustering
from kdec.data import Dataset
from kdec.report.contents import Contents

_METHODS = {
    "contrast": "An encoder learned what neighbours, seen through random views, have in common; "
    "k-means clustered its codes.",
    "dec": "An autoencoder was trained; its encoder and the centroids then trained on together "
    "(DEC).",
    "idec": "An autoencoder was trained; it and the centroids then trained on together (IDEC).",
}


def describe(dataset: Dataset, clustering: DeepClustering, **others) -> Contents:
    """Take what a report shows from a data set and the clustering that was fitted to it.

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
    known = {
        "labels": clustering.labels_,
        "confidence": clustering.probabilities_.clip(0, 1),
        "codes": clustering.embedding_,
        "centers": clustering.cluster_centers_,
        "decoded": clustering.inverse_transform(clustering.cluster_centers_),
        "method": _METHODS[clustering.method],
        "history": clustering.history_,
    }
    if choice := getattr(clustering, "choice_of_k_", None):
        known["choice"] = choice.table.set_index("n_clusters")
        known["suggestion"] = choice.n_clusters
        known["reason"] = choice.reason
    return Contents.of(dataset, **{**known, **others})
