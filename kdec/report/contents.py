"""`Contents`: all that a report shows, as plain arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd

    from kdec.data import Dataset


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """What a report shows of a clustering of n samples into k clusters.

    Arrays may come as anything that NumPy takes; the attributes are NumPy arrays. What is None or
    empty has no section in the report.

    Attributes:
        title: Heading of the page.
        x: Samples, shape (n, d) for vectors, (n, height, width) or (n, height, width, channels) for
            images, with values in [0, 1]; beyond, the smallest is black and the largest white.
        labels: Cluster of each sample, ints from 0 on, shape (n,).
        confidence: How sure the cluster of each sample is, in [0, 1], shape (n,).
        codes: Embedding of the samples, shape (n, code size).
        centers: Centroids among the codes, shape (k, code size).
        decoded: What each centroid stands for, of the shape of k samples.
        source: Where the samples come from: the name of a set, a file, a folder.
        method: What was done, in a sentence or two.
        notes: Warnings, and whatever else the reader should know, a sentence each.
        left_out: Why each column or file that is not in `x` was left out, by its name.
        columns: What each column of `x` is called, d strings.
        samples: What each sample is called: a file's path, a row's number; shape (n,).
        table: The rows as they were read, a DataFrame of n rows.
        y: Known labels, shape (n,).
        classes: What each value of `y` is called. Defaults to the values themselves.
        metrics: Figures of this clustering, by name. Defaults to ACC, NMI and ARI if `y` is given.
        comparison: Figures of other clusterings of the same samples, such as k-means on the raw
            values: for each its figures by name.
        choice: What spoke for each number of clusters: a DataFrame with the numbers as its index, a
            column for each criterion; of `kdec.choose_n_clusters` the `table` by `n_clusters`.
        suggestion: The number of clusters that `choice` suggests.
        reason: Why, in a sentence.
        history: Learning curves by stage: for each stage a list of numbers by name.
        command: The command or the call that made the clustering.
        seed: Its seed.
        seconds: How long each step took, by its name.
        versions: Versions of the packages, by their names.

    Raises:
        ValueError: If shapes do not fit together, or values are not finite or out of range.

    Example:
        >>> import numpy as np
        >>> from kdec.report import Contents
        >>> x = np.random.default_rng(0).normal(size=(50, 4))
        >>> contents = Contents(
        ...     title="Fifty points",
        ...     x=x,
        ...     labels=x[:, 0] > 0,
        ...     confidence=np.ones(50),
        ...     codes=x[:, :3],
        ... )
        >>> contents.n_clusters
        2
    """

    title: str
    x: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    codes: np.ndarray
    centers: np.ndarray | None = None
    decoded: np.ndarray | None = None
    source: str | None = None
    method: str | None = None
    notes: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] | None = None
    samples: np.ndarray | None = None
    table: "pd.DataFrame | None" = None
    y: np.ndarray | None = None
    classes: Mapping[Any, str] | None = None
    metrics: Mapping[str, float] | None = None
    comparison: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    choice: "pd.DataFrame | None" = None
    suggestion: int | None = None
    reason: str | None = None
    history: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    command: str | None = None
    seed: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: "Dataset", **others) -> "Contents":
        """Take what a `Dataset` knows about the samples, and all other attributes by keyword.

        Example:
            >>> import numpy as np
            >>> import kdec
            >>> from kdec.report import Contents
            >>> iris = kdec.load_data("iris")
            >>> labels = np.arange(150) // 50
            >>> Contents.of(iris, labels=labels, confidence=np.ones(150), codes=iris.x).title
            'iris'
        """
        known = {
            name: getattr(dataset, name)
            for name in ("x", "y", "classes", "columns", "samples", "table", "left_out")
        }
        return cls(**{"title": dataset.name, **known, **others})

    def __post_init__(self):
        """Make arrays of what should be one, and check that they fit together."""
        arrays = ("x", "labels", "confidence", "codes", "centers", "decoded", "samples", "y")
        for name in arrays:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.asarray(value))
        _check_samples(self.x)
        n = len(self.x)
        object.__setattr__(self, "labels", _check_labels(self.labels, n))
        _check_confidence(self.confidence, n)
        _check_codes(self.codes, n)
        for name in ("samples", "y"):
            value = getattr(self, name)
            if value is not None and value.shape != (n,):
                raise ValueError(_message(name, f"the shape ({n},)", f"shape {value.shape}"))
        if self.table is not None and len(self.table) != n:
            raise ValueError(_message("table", f"{n} rows", f"{len(self.table)}"))
        if self.columns is not None and len(self.columns) != self.x[0].size:
            raise ValueError(_message("columns", f"{self.x[0].size} names", f"{len(self.columns)}"))
        _check_centroids(self)

    @property
    def n_clusters(self) -> int:
        """Number of clusters, those without a sample included if there are centroids of them."""
        known = [centroids for centroids in (self.centers, self.decoded) if centroids is not None]
        return max(int(self.labels.max()) + 1, *map(len, known), 1)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of samples in each cluster, shape (k,)."""
        return np.bincount(self.labels, minlength=self.n_clusters)

    @property
    def has_images(self) -> bool:
        """Whether the samples are images."""
        return self.x.ndim > 2

    @cached_property
    def class_names(self) -> np.ndarray | None:
        """Name of each sample's known label, shape (n,), or None."""
        if self.y is None:
            return None
        values, indices = np.unique(self.y, return_inverse=True)
        classes = self.classes or {}
        names = [str(classes.get(value, value)) for value in values.tolist()]
        return np.array(names, dtype=object)[indices]


def _message(name: str, expected: str, received: str) -> str:
    return f"Expected `{name}` to have {expected}. Received: {received}"


def _check_samples(x):
    if x.ndim not in (2, 3, 4) or x.size == 0 or x.dtype.kind not in "biuf":
        raise ValueError(
            "Expected `x` to hold numbers of the shape (n, d), (n, height, width) or "
            f"(n, height, width, channels), n > 0. Received: {x.dtype}, shape {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("Expected `x` to be finite. Received: NaN or infinity")


def _check_labels(labels: np.ndarray, n: int) -> np.ndarray:
    if labels.shape != (n,) or labels.dtype.kind not in "biu" or labels.min() < 0:
        least = f", the least {labels.min()}" if labels.size and labels.dtype.kind in "iu" else ""
        raise ValueError(
            f"Expected `labels` to be ints from 0 on, of shape ({n},). "
            f"Received: {labels.dtype}, shape {labels.shape}{least}"
        )
    return labels.astype(np.int64)


def _check_confidence(confidence, n):
    if confidence.shape != (n,) or not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(
            f"Expected `confidence` to have the shape ({n},), with values in [0, 1]. "
            f"Received: shape {confidence.shape}, {_range(confidence)}"
        )


def _check_codes(codes, n):
    if codes.ndim != 2 or len(codes) != n or codes.shape[1] == 0 or not np.isfinite(codes).all():
        raise ValueError(
            f"Expected `codes` to have the shape ({n}, code size), with finite values. "
            f"Received: shape {codes.shape}, {_range(codes)}"
        )


def _check_centroids(contents):
    least = int(contents.labels.max()) + 1
    for name, samples in (("centers", contents.codes), ("decoded", contents.x)):
        centroids = getattr(contents, name)
        if centroids is None:
            continue
        expected = samples.shape[1:]
        if centroids.shape[1:] != expected or len(centroids) < least:
            raise ValueError(
                f"Expected `{name}` to have the shape {('k', *expected)} with k of at least "
                f"{least}, the number of clusters. Received: shape {centroids.shape}"
            )


def _range(values: ArrayLike) -> str:
    return f"values from {values.min():g} to {values.max():g}" if values.size else "no values"
