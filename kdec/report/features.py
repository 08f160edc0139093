"""By which columns the clusters of vectors differ."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kdec.report.contents import Contents

_LEAST_DIFFERENCE = 0.05  # in standard deviations


@dataclass(frozen=True, eq=False)
class Profile:
    """The columns of the samples, by cluster.

    Attributes:
        names: What each column is called, d strings.
        means: Mean of each column in each cluster, shape (k, d); 0 in a cluster without samples.
        overall: Mean of each column, shape (d,).
        standardized: By how many standard deviations of the column the mean of a cluster is above
            the mean of all, shape (k, d).
        is_share: Whether a column has no values but 0 and 1, so that its mean is a share.
        order: Columns sorted by how much of their variance is between the clusters.
    """

    names: tuple[str, ...]
    means: np.ndarray
    overall: np.ndarray
    standardized: np.ndarray
    is_share: np.ndarray
    order: np.ndarray

    def mean_text(self, column: int, cluster: int | None = None) -> str:
        """Write a mean as a reader would: a share in percent, others with four digits."""
        mean = self.overall[column] if cluster is None else self.means[cluster, column]
        return f"{mean:.0%}" if self.is_share[column] else f"{mean:.4g}"

    def most_different(self, cluster: int, most: int) -> np.ndarray:
        """Return the columns in which a cluster differs most from the rest, at most `most`.

        Those with less than a twentieth of a standard deviation are left out.
        """
        sizes = np.abs(self.standardized[cluster])
        order = np.argsort(-sizes, kind="stable")[:most]
        return order[sizes[order] >= _LEAST_DIFFERENCE]


def profile(contents: Contents) -> Profile:
    """Return how the clusters differ in the columns of vectors.

    The means are those of the values as they were read, where `contents.table` has a column of
    numbers of that name, with the median for missing ones, else those of `contents.x`.
    """
    x = contents.x
    k = contents.n_clusters
    names = contents.columns
    if names is None:
        names = [f"feature {index}" for index in range(x.shape[1])]
    means, overall = _means(x, contents.labels, k)
    deviations = x.std(axis=0, dtype=np.float64)
    differences = np.where(contents.sizes[:, None] > 0, means - overall, 0)
    standardized = np.divide(
        differences, deviations, out=np.zeros_like(means), where=deviations > 0
    )
    between = contents.sizes @ standardized**2
    raw = _raw_columns(contents, names)
    if raw:
        columns = list(raw)
        raw_x = np.stack(list(raw.values()), axis=1)
        means[:, columns], overall[columns] = _means(raw_x, contents.labels, k)
    return Profile(
        names=tuple(str(name) for name in names),
        means=means,
        overall=overall,
        standardized=standardized,
        is_share=((x == 0) | (x == 1)).all(axis=0),
        order=np.argsort(-between, kind="stable"),
    )


def _means(x, labels, n_clusters):
    """Return the mean of each column in each cluster, and over all samples, in float64."""
    n = len(x)
    members = sparse.csr_array((np.ones(n), (labels, np.arange(n))), shape=(n_clusters, n))
    sizes = np.maximum(np.bincount(labels, minlength=n_clusters), 1)
    return members @ x.astype(np.float64) / sizes[:, None], x.mean(axis=0, dtype=np.float64)


def _raw_columns(contents, names):
    """Return the columns of numbers in the table that are columns of x, by their index in x."""
    if contents.table is None:
        return {}
    raw = {}
    for index, name in enumerate(names):
        if name in contents.table.columns:
            values = contents.table[name]
            if values.ndim == 1 and values.dtype.kind in "iuf":  # Not where a name stands twice.
                raw[index] = values.fillna(values.median()).to_numpy(np.float64)
    return raw
