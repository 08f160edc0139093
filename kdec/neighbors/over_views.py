"""The nearest neighbours of samples of which each may be seen in another view."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from kdec.guards import as_array, positive_int, refuse_forked_process
from kdec.neighbors.search import centred
from kdec.neighbors.table import Table

_LEAST_CANDIDATES = 30  # nearest samples of a sample that its neighbours are chosen from
_RANK = 7  # of the neighbour whose distance is a sample's scale
_SEEN_AT_ONCE = 1024  # samples that views are made of


def neighbors_over_views(
    x: ArrayLike,
    views: keras.Layer,
    n_neighbors: int = 10,
    *,
    n_views: int = 64,
    n_components: int = 200,
    verbose: bool | str = "auto",
) -> np.ndarray:
    """Find the nearest neighbours of each sample, where samples may be turned to fit each other.

    The distance of two samples is the least between one as it is and a view of the other: each is
    seen in `n_views` random views. So an upright and a slanted digit are near. It is divided by the
    scales of both, the root of the distances to their seventh neighbours: so the samples of a small
    class, which lie far apart, are not drawn to a dense one. Both make more neighbours of a sample
    be of its class, above all in small classes. It takes more than `n_views` times as long as
    `kdec.nearest_neighbors`.

    Args:
        x: Real array (n, ...), in memory, of samples as `views` takes them.
        views: Keras layer that gives random views of samples when called with `training=True`, such
            as `kdec.views.RandomAffine` for images.
        n_neighbors: Positive int below n. Defaults to 10.
        n_views: Positive int. Defaults to 64.
        n_components: Positive int: samples of more features are compared by so many principal
            components. Defaults to 200.
        verbose: Whether to show a progress bar; "auto" shows it from 2,000 samples on. Defaults to
            "auto".

    Returns:
        Int32 array (n, n_neighbors), rows of `x`, the nearest first, as `NeighborContrast.fit`
        takes it. No sample is its own neighbour. They are chosen among the 30 nearest of each
        sample, or 3 `n_neighbors` if that is more, and the samples that it is among the nearest of.

    Raises:
        TypeError: If `views` is not a Keras layer.
        ValueError: If `x` or the views do not hold finite real numbers, there are not more samples
            than `n_neighbors`, views have another shape than samples, or a number is not a positive
            int.
        RuntimeError: In a process that was forked after TensorFlow had started.

    Reference:
        Simard, LeCun, Denker, Efficient Pattern Recognition Using a New Transformation Distance
        (1992), for the least distance over maps of a sample. Zelnik-Manor, Perona, Self-Tuning
        Spectral Clustering (2004), section 2, for the scales.

    Example:
    >>> import kdec
    >>> data = kdec.load_data("mnist-5k")
    >>> x, y, views = data.x[::10], data.y[::10], kdec.views.RandomAffine(seed=0)
    >>> for neighbors in (
    ...     kdec.nearest_neighbors(x, 5),
    ...     kdec.neighbors_over_views(x, views, 5, n_views=16),
    ... ):
    ...     print(round(float((y[neighbors] == y[:, None]).mean()), 2))
    0.78
    0.81
    """
    refuse_forked_process()
    if not isinstance(views, keras.Layer):
        raise TypeError(f"Expected `views` to be a Keras layer. Received: {views!r}")
    n_neighbors = positive_int("n_neighbors", n_neighbors)
    n_views = positive_int("n_views", n_views)
    n_components = positive_int("n_components", n_components)
    x = as_array("x", x)
    points, mean = centred(x)
    n = len(x)
    if n_neighbors >= n:
        raise ValueError(f"Expected `n_neighbors` below {n}, the samples. Received: {n_neighbors}")
    axes = None
    if points.shape[1] > n_components:
        axes = PCA(min(n_components, n), random_state=0).fit(points).components_.T
        points = points @ axes
    n_candidates = min(n - 1, max(_LEAST_CANDIDATES, 3 * n_neighbors))
    candidates = _Candidates(points, n_candidates)
    show = n >= 2000 if verbose == "auto" else bool(verbose)
    bar = keras.utils.Progbar(1 + n_views, unit_name="view", verbose=int(show))
    for view in range(1 + n_views):
        for start in range(0, n, candidates.n_at_once):
            rows = np.arange(start, min(start + candidates.n_at_once, n))
            seen = points[rows] if view == 0 else _seen(x[rows], views, mean, axes, points.dtype)
            candidates.add(rows, seen)
        bar.update(view + 1)
    return _least_scaled(candidates.rows, candidates.distances, n_neighbors)


def _seen(x, views, mean, axes, dtype):
    """A random view of each sample, as the points are."""
    seen = tf.cast(views(x, training=True), tf.float32).numpy()
    if seen.shape != x.shape:
        raise ValueError(
            f"Expected views of shape {x.shape}, as the samples. Received: {seen.shape}"
        )
    if not np.isfinite(seen).all():
        raise ValueError("Expected finite views. Received: NaN or infinity among them.")
    seen = (seen.reshape(len(x), -1) - mean).astype(dtype)
    return seen if axes is None else seen @ axes


class _Candidates:
    """Of each point the points that were nearest to it or a view of it, and how near.

    `rows` and `distances`, squared, are (n, n_candidates); the nearest come first.
    """

    def __init__(self, points, n_candidates):
        self._points = points
        # One more, since the point itself is most often among them.
        self._table = Table(points, n_candidates + 1)
        self.n_at_once = min(self._table.n_queries, _SEEN_AT_ONCE)
        self.rows = np.full((len(points), n_candidates), -1, np.int32)
        self.distances = np.full(self.rows.shape, np.inf, points.dtype)

    def add(self, own, seen):
        """Let the points nearest to `seen` (m, d), views of the points `own`, be among them."""
        found = self._table.nearest(seen)
        distances = np.square(seen[:, None] - self._points[found]).sum(axis=2)
        distances[found == own[:, None]] = np.inf
        rows = np.concatenate([self.rows[own], found], axis=1)
        distances = np.concatenate([self.distances[own], distances], axis=1)
        by_row = np.lexsort((distances, rows))
        rows = np.take_along_axis(rows, by_row, axis=1)
        distances = np.take_along_axis(distances, by_row, axis=1)
        distances[:, 1:][rows[:, 1:] == rows[:, :-1]] = np.inf  # found before, and nearer
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : self.rows.shape[1]]
        self.rows[own] = np.take_along_axis(rows, nearest, axis=1)
        self.distances[own] = np.take_along_axis(distances, nearest, axis=1)


def _least_scaled(candidates, squared, n_neighbors):
    """The neighbours (n, n_neighbors) that are nearest, with the scales of both divided out."""
    n, n_candidates = candidates.shape
    own, other = np.repeat(np.arange(n, dtype=np.int32), n_candidates), candidates.ravel()
    # Either may have been seen in the view that brought them nearest.
    first, second = np.concatenate([own, other]), np.concatenate([other, own])
    squared = np.tile(squared.ravel(), 2)
    order = np.lexsort((squared, second, first))
    first, second, squared = first[order], second[order], squared[order]
    is_new = np.append(True, (np.diff(first) != 0) | (np.diff(second) != 0))
    first, second, squared = first[is_new], second[is_new], squared[is_new]
    starts = np.searchsorted(first, np.arange(n))
    by_distance = squared[np.lexsort((squared, first))]
    scale = np.sqrt(by_distance[starts + min(_RANK, n_candidates) - 1])
    scale = np.maximum(scale, np.finfo(squared.dtype).tiny ** 0.5)  # of many copies it is 0
    order = np.lexsort((squared / (scale[first] * scale[second]), first))
    return second[order][starts[:, None] + np.arange(n_neighbors)]
