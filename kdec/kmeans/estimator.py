"""k-means clustering as a scikit-learn estimator that runs on TensorFlow."""

import contextlib
import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from kdec.data import Shards
from kdec.guards import real_array, refuse_forked_process
from kdec.kmeans import agreement, in_memory, labeling, lloyd, minibatch, restarts, seeding
from kdec.kmeans.checkpoint import Checkpoint
from kdec.kmeans.disk import DiskRows
from kdec.kmeans.parameters import check_parameters
from kdec.kmeans.points import (
    Plain,
    aligned,
    chunk_rows,
    columns_to_copy,
    copied,
    finite_statistics,
    fits_copy,
    opened,
    shared,
    unit_rows,
)
from kdec.kmeans.share import Share
from kdec.kmeans.weights import check_weights, per_cluster, without_zero_rows
from kdec.workers import present, refuse_several

# How scikit-learn checks the points.
_MATRIX = {"dtype": [np.float64, np.float32], "order": "C", "accept_sparse": "csr"}


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """K-means clustering by Lloyd's algorithm, with all restarts side by side.

    Args:
        n_clusters: int, default 8. Number of clusters and centroids.
        init: "k-means++" (greedy, the default), "random" (distinct points), an array of initial
            centroids of shape (n_clusters, n_features), or a function that returns one for each
            restart: it is called as `init(X, n_clusters, random_state=random_state)`, with the
            `numpy.random.RandomState` of the fit.
        n_init: int or "auto", default "auto". Number of restarts, of which the one with the
            lowest inertia is kept. "auto" is 10 for "random" and for a function, and 1 otherwise.
        max_iter: int, default 300. Most iterations of a restart.
        tol: float, default 1e-4. A restart has converged when the squared shift of its
            centroids, summed, is at most `tol` times the mean variance of the features, or when
            no label changes.
        metric: "euclidean" minimises the sum of squared distances. "manhattan" assigns by the sum
            of absolute differences and updates by the mean, which does not minimise that
            distance (the median would), so its inertia need not fall in each iteration.
            "cosine" works on rows scaled to length one with centroids scaled to length one and
            minimises the sum of one minus the cosine. A row of zeros has no direction: it is at
            distance 1 from every centroid, moves none, and gets label 0.
        random_state: int, `numpy.random.RandomState` or None, default None.
        verbose: int, default 0. Above 0, the result of each restart goes to the log.

    Attributes:
        cluster_centers_: (n_clusters, n_features), float32 for float32 input, else float64.
        labels_: (n,) int32, cluster of each training point.
        inertia_: float, weighted sum of the points' distances under the metric (squared for
            "euclidean") to their centroids.
        n_iter_: int, iterations of the best restart.
        inertia_history_: `(n_iter_,)` float64, inertia in each iteration of the best restart,
            measured right after its assignment step.
        n_features_in_: int, number of features seen in `fit`.

    Reference:
        Lloyd 1982, "Least squares quantization in PCM".

    Example:
        >>> import kdec
        >>> import numpy as np
        >>> x = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
        >>> kmeans = kdec.KMeans(n_clusters=2, n_init=4, random_state=0).fit(x)
        >>> kmeans.cluster_centers_[kmeans.predict([[0, 0], [12, 3]])]
        array([[ 1.,  2.],
               [10.,  2.]])
        >>> kmeans.inertia_
        16.0
    """

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        metric="euclidean",
        random_state=None,
        verbose=0,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.metric = metric
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None, sample_weight=None, *, backup_dir=None):
        """Find the centroids of `X`.

        Within `kdec.workers.join()` each worker gives its own rows as `X`. The centroids are those
        of the rows of all, the same on all workers, and `labels_` are of the own rows.

        Args:
            X: points, (n, n_features); float32 and float64 are kept, all else becomes float64.
                A sparse matrix, best as CSR, stays sparse. `data.Shards`, a `np.memmap` or a
                `tf.data.Dataset` of batches stays on the disk, from 512 MiB on: each iteration
                reads it once.
            y: ignored.
            sample_weight: (n,), weights of the points, or None for equal weights.
            backup_dir: folder for what an interrupted fit needs to go on, kept every 10 iterations
                by the first worker, and removed at the end; made if absent. The same fit with the
                same folder then ends as one that was never interrupted. Default None.

        Returns:
            self.

        Raises:
            ValueError: for NaN or infinite values, wrong shapes, more clusters than points, a
                parameter out of range, workers that differ in columns, dtype or parameters, or a
                `backup_dir` with another fit.
            RuntimeError: in a process that was forked after TensorFlow had started.
        """
        refuse_forked_process()
        check_parameters(self)
        X = self._checked(X)
        workers = present()
        agreement.check_alike(workers, X, self.get_params())
        share = Share(workers, X.shape[0])
        self._check_number_of_points(share.n)
        sample_weight = check_weights(sample_weight, X)
        fixed_inertia = 0.0
        if self.metric == "cosine":
            X = unit_rows(X)
            sample_weight, fixed_inertia = without_zero_rows(
                X, sample_weight, self.n_clusters, workers
            )
        sample_weight = aligned(sample_weight)
        about = share.statistics(finite_statistics(X))
        facts = agreement.facts_of(X, self.get_params()) | share.facts(sample_weight, about)
        checkpoint = Checkpoint(backup_dir, facts, workers)
        n_init = self._restarts()
        n_columns = None if checkpoint.is_kept else n_init * self.n_clusters
        with self._working_points(X, about, share, n_columns) as (working, origin, columns):
            progress = checkpoint.restore()
            if progress is None:
                centers = self._initial_centers(X, sample_weight, working, origin, n_init, share)
                progress = lloyd.begin(centers[:, :, columns])
            tol = self.tol * about.variance.mean()
            centers = self._run(working, sample_weight, progress, tol, checkpoint, workers)
        checkpoint.remove()
        self.inertia_ += fixed_inertia
        self.inertia_history_ += fixed_inertia
        self.cluster_centers_ = origin + np.zeros((self.n_clusters, X.shape[1]), X.dtype)
        self.cluster_centers_[:, columns] += centers
        sizes = per_cluster(self.labels_, sample_weight, self.n_clusters)
        counts, self._weights = workers.sum(sizes)
        self._warn_of_few_clusters(np.count_nonzero(counts))
        return self

    def partial_fit(self, X, y=None, sample_weight=None):
        """Move the centroids by one batch of a stream, which need not come again.

        This is minibatch k-means: each centroid is the mean of all points that were nearest to it
        when they came. The first batch also sets the initial centroids, by `init`, once. After
        `fit`, centroids go on from there, with the weight of their points.

        Args:
            X: points, (n, n_features), as in `fit`; in the first batch at least `n_clusters`.
            y: ignored.
            sample_weight: (n,), weights of the points, or None for equal weights.

        Returns:
            self, with `labels_` and `inertia_` of the batch.

        Raises:
            ValueError: as `fit`, and for another number of features than before.
            RuntimeError: in a process that was forked after TensorFlow had started.

        Reference:
            Sculley 2010, "Web-scale k-means clustering", algorithm 1.
        """
        refuse_forked_process()
        check_parameters(self)
        refuse_several("partial_fit")
        is_first = not hasattr(self, "cluster_centers_")
        X = validate_data(self, X, **_MATRIX, reset=is_first)
        sample_weight = check_weights(sample_weight, X)
        if self.metric == "cosine":
            sample_weight, _ = without_zero_rows(X, sample_weight, self.n_clusters, present())
        if is_first:
            self._start(X, sample_weight)
        with self._new_points(X) as (points, n, centers, rows):
            origin = self.cluster_centers_ - centers
            centers, weights = minibatch.follow(
                points, sample_weight, centers, self._weights, rows, metric=self.metric
            )
            labels = self._label(points, n, centers, rows)
            self.inertia_ = self._inertia(points, sample_weight, centers, labels, rows)
        self.labels_, self._weights = labels, weights.numpy()
        self.cluster_centers_ = (origin + centers.numpy()).astype(self.cluster_centers_.dtype)
        return self

    def _start(self, X, sample_weight):
        """Set the centroids before the first batch."""
        self._check_number_of_points(X.shape[0])
        share = Share(present(), X.shape[0])
        X = unit_rows(X) if self.metric == "cosine" else X
        about, n_columns = finite_statistics(X), self.n_clusters
        with self._working_points(X, about, share, n_columns) as (working, origin, _):
            centers = self._initial_centers(X, sample_weight, working, origin, 1, share)[0]
        self.cluster_centers_ = origin + centers
        self._weights = np.zeros(self.n_clusters)

    def _check_number_of_points(self, n):
        if n < self.n_clusters:
            raise ValueError(
                "Expected at least as many points as clusters. "
                f"Received: n_samples={n} with n_clusters={self.n_clusters}."
            )

    def _run(self, points, sample_weight, progress, tol, checkpoint, workers):
        """Set the attributes of the best restart; return its centers."""
        starts, verbose = progress.ended_at, self.verbose
        if isinstance(points, Plain):
            run = in_memory.fit(points, sample_weight, starts, self.max_iter, tol, verbose)
            self.inertia_, self.labels_ = run.inertia, run.labels
            self.inertia_history_, self.n_iter_ = run.history, len(run.history)
            return run.centers
        progress = checkpoint.run(
            points, sample_weight, progress, self.max_iter, tol, self.metric, workers
        )
        best, self.inertia_, self.labels_ = restarts.best(
            points, sample_weight, progress.ended_at, self.metric, verbose, workers
        )
        self.n_iter_ = int(progress.n_iter[best])
        self.inertia_history_ = progress.history[: self.n_iter_, best].numpy()
        return progress.ended_at[best].numpy()

    def _checked(self, X, reset=True):
        """Return `X` as an array, a sparse matrix or, on the disk, as rows to read."""
        shards = Shards.of(X)
        if shards is None:
            return validate_data(self, X, **_MATRIX, reset=reset)
        rows = DiskRows(shards)
        if fits_copy(rows):
            return validate_data(self, np.asarray(shards), **_MATRIX, reset=reset)
        return validate_data(self, rows, skip_check_array=True, reset=reset)

    @contextlib.contextmanager
    def _working_points(self, X, about, share, n_columns):
        """Return the points for the run, their origin, and which columns they keep.

        With a number of centers, of all restarts, they may be for `in_memory`, which keeps nothing.
        """
        columns = np.ones(X.shape[1], bool)
        origin = np.zeros(X.shape[1], X.dtype)
        if self.metric != "cosine" and not issparse(X):
            origin = about.mean
        if n_columns and in_memory.serves(X, n_columns, self.metric, share.workers):
            yield Plain(np.require(X, requirements="CA"), origin), origin, columns
            return
        if not share.all(not issparse(X) and fits_copy(X)):
            with opened(X, origin) as points:
                yield points, origin, columns
            return
        if self.metric != "cosine" and isinstance(self.init, str) and about.varies.any():
            columns = columns_to_copy(about.varies, X.itemsize)
        yield copied(X, origin, columns), origin, columns

    def predict(self, X):
        """Return the cluster of each row of `X`, of any kind that `fit` takes: int32, (n,)."""
        with self._new_points(self._check_new(X)) as new:
            return self._label(*new)

    def transform(self, X):
        """Return the distances of each row to each centroid, (n, n_clusters).

        They are not squared, unlike the inertia under "euclidean".
        """
        with self._new_points(self._check_new(X)) as (points, n, centers, rows):
            table = labeling.distances(points, n, centers, rows, metric=self.metric).numpy()
        return np.sqrt(table, out=table) if self.metric == "euclidean" else table

    def score(self, X, y=None, sample_weight=None):
        """Return minus the inertia of `X` under the fitted centroids."""
        X = self._check_new(X)
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        with self._new_points(X) as new:
            labels, (points, _, centers, rows) = self._label(*new), new
            return -self._inertia(points, sample_weight, centers, labels, rows)

    def _check_new(self, X):
        """Return `X` as an array that fits the fitted centroids."""
        refuse_forked_process()
        check_is_fitted(self)
        return self._checked(X, reset=False)

    @contextlib.contextmanager
    def _new_points(self, X):
        """Yield the rows of `X` near the origin, n, the centers likewise, and rows of a chunk."""
        X = unit_rows(X) if self.metric == "cosine" else X
        centers = self.cluster_centers_.astype(X.dtype)
        origin = np.zeros(X.shape[1], X.dtype)
        if self.metric != "cosine" and not issparse(X):
            origin = centers.mean(axis=0)
        with opened(X, origin) as points:
            yield points, X.shape[0], centers - origin, chunk_rows(points.width, self.n_clusters)

    def _label(self, points, n, centers, rows):
        return labeling.label(points, n, centers, rows, metric=self.metric)

    def _inertia(self, points, sample_weight, centers, labels, rows):
        weights, labels = shared(aligned(sample_weight)), shared(labels)
        total = labeling.inertia(points, weights, centers, labels, rows, metric=self.metric)
        return float(total)

    def _restarts(self):
        """Return the number of restarts that `n_init` and `init` ask for."""
        if not isinstance(self.init, str) and not callable(self.init):
            if self.n_init not in ("auto", 1):
                warnings.warn(
                    "Explicit initial centers: performing one run instead of "
                    f"n_init={self.n_init}.",
                    RuntimeWarning,
                    stacklevel=3,
                )
            return 1
        if self.n_init == "auto":
            return 1 if isinstance(self.init, str) and self.init == "k-means++" else 10
        return self.n_init

    def _initial_centers(self, X, sample_weight, working, origin, n_init, share):
        """Return the initial centers of all restarts, less the origin: (R, k, d)."""
        random_state = check_random_state(self.random_state)
        if callable(self.init):
            given = [
                self.init(X, self.n_clusters, random_state=random_state) for _ in range(n_init)
            ]
            return np.stack([self._given_centers(centers, X, origin) for centers in given])
        if not isinstance(self.init, str):
            return self._given_centers(self.init, X, origin)[np.newaxis]
        if self.init == "random":
            chosen = seeding.random_points(
                random_state, sample_weight, self.n_clusters, n_init, share
            )
        else:
            chosen = seeding.kmeans_plusplus(
                random_state, working, sample_weight, self.n_clusters, n_init, share
            )
        centers = share.rows(X, chosen.ravel())
        return centers.reshape(*chosen.shape, -1) - origin

    def _given_centers(self, centers, X, origin):
        """Return initial centers of the user's, less the origin: (k, d)."""
        centers = check_array(real_array("init", centers), dtype=X.dtype)
        expected = (self.n_clusters, X.shape[1])
        if centers.shape != expected:
            raise ValueError(
                f"Expected init of shape (n_clusters, n_features)={expected}. "
                f"Received: an array of shape {centers.shape}."
            )
        return unit_rows(centers) if self.metric == "cosine" else centers - origin

    def _warn_of_few_clusters(self, n_distinct):
        if n_distinct < self.n_clusters:
            warnings.warn(
                f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def __sklearn_tags__(self):
        """Return scikit-learn's tags; this one takes sparse matrices."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @property
    def _n_features_out(self):
        """Number of columns that `transform` returns."""
        return self.cluster_centers_.shape[0]
