"""Lloyd's algorithm for many restarts at once, as one TensorFlow function.

Each iteration reads the points once, in chunks, for all restarts that have not converged: the
distances of a chunk to all their centers are one matrix product. The sums of the clusters are
kept from iteration to iteration, and only points that changed cluster enter them. Where the data
is wide, most labels are settled in a subspace (see `kdec.nearest`).

Shapes: n points, d features, k clusters, R restarts of which A are still active, c points of a
chunk, m directions of the subspace.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kdec import nearest
from kdec.labeling import own_distances, squared_length
from kdec.nearest import Kernel, Subspace
from kdec.points import Points, has_head, read, signature

_CHUNK_SCORES = 2**21
_COMPILE_FROM = 4_000_000  # scores an iteration; below, compiling costs more than it saves
_NARROWEST_WITH_SUBSPACE = 128  # features
_MOST_DIRECTIONS = 96
_FIRST_SUBSPACE = 3  # iteration; before, the centers move too fast
_DENSE_SHARE = 0.01  # of (point, cluster) entries that changed; above, a dense product is faster
_NARROWEST_DENSE = 64  # features
_SUBSPACE_COST = 1.5  # of a new subspace, relative to its arithmetic
_MOST_HALVINGS = 5


class Options(NamedTuple):
    """What a run is traced for."""

    metric: str
    kernel: Kernel
    n_directions: int  # of the subspace; 0 without one
    rows: int  # of a chunk


class Result(NamedTuple):
    """Where each restart ended."""

    centers: tf.Tensor  # (R, k, d)
    n_iter: tf.Tensor  # (R,) int32
    history: tf.Tensor  # (iterations, R) float64, inertia after each assignment


class Sums(NamedTuple):
    """Clusters as weighted sums of their points."""

    vectors: tf.Tensor  # (A * k, d) float64
    weights: tf.Tensor  # (A * k,) float64
    counts: tf.Tensor  # (A * k,) int32, points with a weight other than 0


class Pass(NamedTuple):
    """What one reading of the points gives."""

    labels: tf.Tensor  # (n, A) int32
    change: Sums
    n_changed: tf.Tensor  # (A,) int32, points that changed cluster
    best: tf.Tensor  # (A,) float64, weighted sum of the best scores; 0 with a subspace
    n_verified: tf.Tensor  # scalar, rows scored with all features after the subspace


def chunk_rows(d, n_columns):
    """Return a power of two such that the values and scores of that many rows stay near caches."""
    rows = 256
    while 2 * rows * max(n_columns, d // 2) <= _CHUNK_SCORES:
        rows *= 2
    return rows


def choose_options(n, d, n_clusters, n_init, metric, can_project=True) -> Options:
    """Choose chunk size, kernel and subspace for a problem."""
    n_columns = n_clusters * n_init
    rows = chunk_rows(d, n_columns)
    kernel = Kernel(None, None)
    n_directions = 0
    if n * n_columns >= _COMPILE_FROM and metric != "manhattan":
        kernel = Kernel(n_clusters, rows)
        if can_project and d >= _NARROWEST_WITH_SUBSPACE:
            n_directions = min(_MOST_DIRECTIONS, d // 4, n_columns)
    return Options(metric, kernel, n_directions, rows)


def fit(points: Points, sample_weight, centers, max_iter, tol, options: Options) -> Result:
    """Run Lloyd's algorithm from each of the given sets of centers.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        centers: initial centers, (R, k, d).
        max_iter: most iterations of a restart.
        tol: a restart stops when the summed squared shift of its centers is at most this.
        options: from `choose_options`.

    Returns:
        A `Result`.
    """
    run = _compiled(options, points.body.dtype, has_head(points))
    return run(points, sample_weight, centers, max_iter, tol)


@functools.lru_cache(maxsize=32)
def _compiled(options, dtype, with_head):
    """Return the run as a TensorFlow function of any n, d and R."""
    return tf.function(
        functools.partial(_run, options=options),
        input_signature=[
            signature(dtype, with_head),
            tf.TensorSpec([None], dtype),
            tf.TensorSpec([None, None, None], dtype),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], dtype),
        ],
    )


def _run(points, sample_weight, centers, max_iter, tol, options):
    n, n_init = tf.shape(sample_weight)[0], tf.shape(centers)[0]
    k, d = tf.shape(centers)[1], tf.shape(centers)[2]
    scale = squared_length(points, sample_weight, options.rows)
    active = tf.range(n_init)
    ended = Result(centers, tf.zeros([n_init], tf.int32), tf.zeros([0, n_init], tf.float64))
    history = tf.TensorArray(tf.float64, 0, dynamic_size=True, element_shape=[None])
    inertia = tf.zeros([n_init], tf.float64)
    labels = tf.fill([n, n_init], -1)
    sums = _empty_sums(n_init * k, d)
    subspace = _no_subspace(n, d, centers.dtype)
    n_verified = 0.0
    iteration = 0
    while iteration < max_iter and tf.size(active) > 0:
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[
                (active, tf.TensorShape([None])),
                (centers, tf.TensorShape([None, None, None])),
                (labels, tf.TensorShape([None, None])),
                (
                    sums,
                    Sums(
                        tf.TensorShape([None, None]), tf.TensorShape([None]), tf.TensorShape([None])
                    ),
                ),
                (
                    subspace,
                    Subspace(
                        tf.TensorShape([None, None]),
                        tf.TensorShape([None, None]),
                        tf.TensorShape([None]),
                        tf.TensorShape([None]),
                    ),
                ),
            ]
        )
        if options.n_directions and _is_stale(subspace, n_verified, iteration, centers):
            x = tf.reshape(points.body, [n, d])
            subspace = nearest.find_subspace(x, centers, options.n_directions)
            n_verified = 0.0
        step = _read_once(points, sample_weight, centers, labels, subspace, n_init, options)
        n_verified += tf.cast(step.n_verified, tf.float32)
        sums = _add(sums, step.change)
        inertia = tf.tensor_scatter_nd_update(
            inertia, active[:, tf.newaxis], _inertia(step, sums, centers, scale, options.metric)
        )
        history = history.write(iteration, inertia)
        new_centers = _update(points, sample_weight, step.labels, sums, centers, options)
        shift = tf.reduce_sum(tf.square(new_centers - centers), axis=[1, 2])
        converged = (step.n_changed == 0) | (shift <= tol)
        labels, centers = step.labels, new_centers
        iteration += 1
        if tf.reduce_any(converged) or iteration == max_iter:
            ended = _end(ended, active, centers, iteration)
            active, centers, labels, sums = _keep(~converged, active, centers, labels, sums)
    return Result(ended.centers, ended.n_iter, history.stack())


def _is_stale(subspace, n_verified, iteration, centers):
    """Tell whether rows scored in full since the last subspace cost more than a new one."""
    n, n_directions = tf.unstack(tf.shape(subspace.points))
    n_columns = tf.cast(tf.shape(centers)[0] * tf.shape(centers)[1], tf.float32)
    cost = _SUBSPACE_COST * tf.cast(n * n_directions, tf.float32)
    return iteration >= _FIRST_SUBSPACE and n_verified * n_columns >= cost


def _no_subspace(n, d, dtype):
    """Return a subspace without directions."""
    return Subspace(*(tf.zeros(shape, dtype) for shape in ([d, 0], [n, 0], [n], [n])))


def _read_once(points, sample_weight, centers, old_labels, subspace, n_init, options) -> Pass:
    """Assign every point to the nearest of the centers (A, k, d) of each active restart."""
    n, n_active = tf.shape(old_labels)[0], tf.shape(centers)[0]
    k, d = tf.shape(centers)[1], tf.shape(centers)[2]
    rows = options.rows
    table = tf.transpose(_padded(centers, n_init, options), [1, 0, 2])
    projection = nearest.project(table, subspace.basis, options.metric)
    n_chunks = (n + rows - 1) // rows
    labels = tf.TensorArray(tf.int32, n_chunks, infer_shape=False, element_shape=[None, None])
    total = _empty_sums(n_active * k, d)
    n_changed = tf.zeros([n_active], tf.int32)
    best = tf.zeros([n_active], tf.float64)
    n_verified = 0
    for chunk in tf.range(n_chunks):
        start, stop = chunk * rows, tf.minimum((chunk + 1) * rows, n)
        x, weight = read(points, start, stop - start), sample_weight[start:stop]
        near = nearest.part(subspace, start, stop)
        new, chunk_best, chunk_verified = _label_chunk(x, weight, table, near, projection, options)
        new = new[:, :n_active]
        best += chunk_best[:n_active]
        n_verified += chunk_verified
        labels = labels.write(chunk, new)
        change, changed = _change(x, weight, old_labels[start:stop], new, k)
        total = _add(total, change)
        n_changed += changed
    return Pass(labels.concat(), total, n_changed, best, n_verified)


def _empty_sums(n_clusters, d):
    return Sums(
        tf.zeros([n_clusters, d], tf.float64),
        tf.zeros([n_clusters], tf.float64),
        tf.zeros([n_clusters], tf.int32),
    )


def _add(sums, change):
    return Sums(*(total + part for total, part in zip(sums, change, strict=True)))


def _padded(centers, n_init, options):
    """Repeat the last restart up to one of the sizes R, R/2, R/4, ...

    Compiled kernels have fixed shapes; this way a run needs few of them.
    """
    n_active = tf.shape(centers)[0]
    if options.kernel.n_clusters is None:
        return centers
    size = n_init
    for _ in range(_MOST_HALVINGS):
        half = (size + 1) // 2
        size = tf.where(half >= n_active, half, size)
    return tf.gather(centers, tf.minimum(tf.range(size), n_active - 1))


def _label_chunk(x, weight, table, near, projection, options):
    """Label the points of a chunk.

    Args:
        x: (c, d).
        weight: (c,).
        table: centers, (k, A, d).
        near: `Subspace` with the points of the chunk.
        projection: of the centers on the subspace.
        options: of the run.

    Returns:
        labels (c, A) int32, weighted sum of the best scores (A,) or 0 with a subspace, number of
        rows scored with all features after the subspace.
    """

    def with_all_features():
        labels, scores, _ = nearest.nearest(
            nearest.scores(x, table, options.metric), options.kernel
        )
        best = tf.cast(tf.linalg.matvec(scores, weight), tf.float64)
        return tf.transpose(labels), best, 0

    def with_subspace():
        labels, is_open = nearest.settle(projection, near, options.kernel)
        rows = tf.where(tf.reduce_any(is_open, axis=0))
        verified = nearest.scores(tf.gather_nd(x, rows), table, options.metric)
        verified = tf.transpose(tf.argmin(verified, axis=0, output_type=tf.int32))
        labels = tf.tensor_scatter_nd_update(tf.transpose(labels), rows, verified)
        return labels, tf.zeros([tf.shape(table)[1]], tf.float64), tf.shape(rows)[0]

    if not options.n_directions:
        return with_all_features()
    return tf.cond(tf.shape(near.basis)[1] > 0, with_subspace, with_all_features)


def _change(x, weight, old, new, k):
    """Change of the sums by the points of a chunk that changed cluster: labels (c, A).

    Returns:
        `Sums` of A * k clusters, and the number of changed points, (A,) int32.
    """
    n_rows, n_active = tf.shape(new)[0], tf.shape(new)[1]
    moved = tf.where(new != old)  # (changes, 2): row, restart
    restart = tf.cast(moved[:, 1], tf.int32)
    joined, left = tf.gather_nd(new, moved), tf.gather_nd(old, moved)
    had_cluster = left >= 0
    clusters = tf.concat(
        [restart * k + joined, tf.boolean_mask(restart * k + left, had_cluster)], 0
    )
    rows = tf.concat([moved[:, 0], tf.boolean_mask(moved[:, 0], had_cluster)], 0)
    sign = tf.where(tf.range(tf.size(rows)) < tf.size(joined), 1, -1)
    values = tf.gather(weight, rows)
    counted = tf.where(values != 0, sign, 0)
    values *= tf.cast(sign, values.dtype)
    entries = tf.stack([tf.cast(clusters, tf.int64), rows], axis=1)
    shape = tf.cast(tf.stack([n_active * k, n_rows]), tf.int64)

    def total(each):
        return tf.math.unsorted_segment_sum(each, clusters, n_active * k)

    vectors = _weighted_sums(entries, values, shape, x)
    change = Sums(tf.cast(vectors, tf.float64), total(tf.cast(values, tf.float64)), total(counted))
    return change, tf.math.unsorted_segment_sum(tf.ones_like(joined), restart, n_active)


def _weighted_sums(entries, values, shape, x):
    """Product of a sparse (A * k, c) matrix with x (c, d), as dense product if that is faster."""
    n_entries = tf.cast(tf.size(values), tf.float32)
    share = n_entries / tf.cast(tf.maximum(tf.reduce_prod(shape), 1), tf.float32)
    if share > _DENSE_SHARE and tf.shape(x)[1] >= _NARROWEST_DENSE:
        sums = tf.matmul(tf.scatter_nd(entries, values, shape), x)
    else:
        sums = tf.raw_ops.SparseTensorDenseMatMul(
            a_indices=entries, a_values=values, a_shape=shape, b=x
        )
    return sums


def _inertia(step, sums, centers, scale, metric):
    """Inertia of each active restart right after its assignment, (A,) float64."""
    if metric == "manhattan":
        return step.best
    centers = tf.cast(centers, tf.float64)
    n_active, k = tf.shape(centers)[0], tf.shape(centers)[1]
    products = tf.reduce_sum(tf.reshape(sums.vectors, tf.shape(centers)) * centers, axis=[1, 2])
    weights = tf.reshape(sums.weights, [n_active, k])
    if metric == "cosine":
        return tf.reduce_sum(weights, axis=1) - products
    squares = tf.reduce_sum(tf.square(centers), axis=2)
    return tf.maximum(scale - 2 * products + tf.reduce_sum(weights * squares, axis=1), 0)


def _update(points, sample_weight, labels, sums, centers, options):
    """New centers (A, k, d): the means of the clusters, empty clusters relocated first."""
    n_active, k = tf.shape(centers)[0], tf.shape(centers)[1]
    populated = tf.reshape(sums.counts > 0, [n_active, k])
    vectors = tf.reshape(sums.vectors, tf.shape(centers))
    vectors = tf.where(populated[..., tf.newaxis], vectors, tf.zeros_like(vectors))
    weights = tf.reshape(sums.weights, [n_active, k])
    weights = tf.where(populated, weights, tf.zeros_like(weights))
    for restart in tf.range(n_active):
        if not tf.reduce_all(populated[restart]):
            own = labels[:, restart]
            distances = own_distances(points, centers[restart], own, options.metric, options.rows)
            new_vectors, new_weights = _relocate(
                points, sample_weight, own, distances, vectors[restart], weights[restart]
            )
            vectors = tf.tensor_scatter_nd_update(vectors, [[restart]], new_vectors[tf.newaxis])
            weights = tf.tensor_scatter_nd_update(weights, [[restart]], new_weights[tf.newaxis])
    return _means(vectors, weights, centers.dtype, options.metric)


def _relocate(points, sample_weight, labels, distances, vectors, weights):
    """Give each empty cluster of one restart a point that lies farthest from its own center.

    Args:
        points: all points.
        sample_weight: (n,).
        labels: (n,).
        distances: (n,), to the own center before the update.
        vectors: (k, d) sums of the clusters.
        weights: (k,).

    Returns:
        New vectors and weights.
    """
    empty = tf.where(weights == 0)
    if tf.reduce_max(distances) > 0:
        farthest = tf.numpy_function(_farthest, [distances, tf.shape(empty)[0]], tf.int64)
        farthest = tf.ensure_shape(farthest, [None])
        moved_weights = tf.cast(tf.gather(sample_weight, farthest), tf.float64)
        moved = tf.map_fn(
            lambda row: read(points, row, 1)[0], farthest, fn_output_signature=points.body.dtype
        )
        moved = tf.cast(moved, tf.float64) * moved_weights[:, tf.newaxis]
        old = tf.gather(labels, farthest)[:, tf.newaxis]
        vectors = tf.tensor_scatter_nd_sub(vectors, old, moved)
        weights = tf.tensor_scatter_nd_sub(weights, old, moved_weights)
        vectors = tf.tensor_scatter_nd_update(vectors, empty, moved)
        weights = tf.tensor_scatter_nd_update(weights, empty, moved_weights)
    return vectors, weights


def _farthest(distances, count):
    """Indices of the largest distances, in the order in which scikit-learn takes them."""
    return np.argpartition(distances, -count)[: -count - 1 : -1]


def _means(vectors, weights, dtype, metric):
    """Centers (A, k, d) from sums; a cluster that stays empty joins the heaviest one."""
    divisor = tf.where(weights > 0, weights, tf.ones_like(weights))
    means = vectors / divisor[..., tf.newaxis]
    if metric == "cosine":
        means = tf.math.l2_normalize(means, axis=2, epsilon=1e-60)
    heaviest = tf.gather(means, tf.argmax(weights, axis=1), axis=1, batch_dims=1)
    means = tf.where(weights[..., tf.newaxis] > 0, means, heaviest[:, tf.newaxis])
    return tf.cast(means, dtype)


def _end(ended, active, centers, iteration):
    """Record centers and iteration of the restarts that are still active."""
    slots = active[:, tf.newaxis]
    return Result(
        tf.tensor_scatter_nd_update(ended.centers, slots, centers),
        tf.tensor_scatter_nd_update(ended.n_iter, slots, tf.fill(tf.shape(active), iteration)),
        ended.history,
    )


def _keep(chosen, active, centers, labels, sums):
    """Drop the restarts that have converged from the state of a run."""
    k = tf.shape(centers)[1]
    clusters = tf.repeat(chosen, k)
    return (
        tf.boolean_mask(active, chosen),
        tf.boolean_mask(centers, chosen),
        tf.boolean_mask(labels, chosen, axis=1),
        Sums(*(tf.boolean_mask(each, clusters) for each in sums)),
    )
