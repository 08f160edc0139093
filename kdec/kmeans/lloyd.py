"""Lloyd's algorithm for many restarts at once, as one TensorFlow function.

Each iteration reads the points once, in chunks, for all restarts that have not converged: the
distances of a chunk to all their centers are one matrix product. The sums of the clusters are
kept from iteration to iteration, and only points that changed cluster enter them. Where the data
is wide, most labels are settled in a subspace (see `kdec.kmeans.nearest`).

Shapes: n points, d features, k clusters, R restarts of which A are still active, c points of a
chunk, m directions of the subspace.
"""

from typing import NamedTuple

import tensorflow as tf

from kdec.kmeans import centroids, nearest
from kdec.kmeans.centroids import Sums
from kdec.kmeans.labeling import squared_length
from kdec.kmeans.nearest import Kernel, Subspace
from kdec.kmeans.points import Points, chunk_rows, read
from kdec.kmeans.tracing import for_any_size, without_autograph

_COMPILE_FROM = 4_000_000  # scores an iteration; below, compiling costs more than it saves
_NARROWEST_WITH_SUBSPACE = 128  # features
_MOST_DIRECTIONS = 95  # with a column of ones, rows of whole cache lines
_FIRST_SUBSPACE = 3  # iteration; before, the centers move too fast
_SUBSPACE_COST = 1.5  # of a new subspace, relative to its arithmetic
_DIRECTIONS_COST = 25  # of the eigenvectors for it, relative to the cube of their number
_MOST_HALVINGS = 5
_NARROW_ROWS = 2**17
_ROW_STEP = 16  # rows; a multiple of every vector width

_VECTOR, _MATRIX = tf.TensorShape([None]), tf.TensorShape([None, None])
_ANY_SUMS = Sums(_MATRIX, _VECTOR, _VECTOR)
_ANY_SUBSPACE = Subspace(_MATRIX, _MATRIX, _VECTOR, _VECTOR)


class Options(NamedTuple):
    """What a run is traced for."""

    metric: str
    kernel: Kernel | None  # None: operation by operation
    n_directions: int  # of the subspace; 0 without one


class Result(NamedTuple):
    """Where each restart ended."""

    centers: tf.Tensor  # (R, k, d)
    n_iter: tf.Tensor  # (R,) int32
    history: tf.Tensor  # (iterations, R) float64, inertia after each assignment


class Pass(NamedTuple):
    """What one reading of the points gives."""

    labels: tf.Tensor  # (chunks, A, c) int32
    change: Sums
    n_changed: tf.Tensor  # (A,) int32, points that changed cluster
    best: tf.Tensor  # (A,) float64, weighted sum of the best scores; 0 by a compiled kernel
    n_verified: tf.Tensor  # scalar, rows scored with all features after the subspace


def choose_options(n, d, n_clusters, n_init, metric, can_project=True) -> tuple[Options, int]:
    """Choose kernel and subspace for a problem, and the rows of a chunk."""
    n_columns = n_clusters * n_init
    rows = chunk_rows(d, n_columns)
    kernel = None
    n_directions = 0
    if n * n_columns >= _COMPILE_FROM and metric != "manhattan":
        kind = "narrow" if nearest.is_narrow(d, n_clusters) else "wide"
        rows = _even_rows(n, _NARROW_ROWS if kind == "narrow" else rows)
        kernel = Kernel(kind, d, n_clusters, rows)
        if can_project and d >= _NARROWEST_WITH_SUBSPACE:
            n_directions = min(_MOST_DIRECTIONS, d // 4, n_columns)
    return Options(metric, kernel, n_directions), rows


def _even_rows(n, rows):
    """Shorten chunks so that only a few points are left over for the one that is not full."""
    n_chunks = -(-n // rows)
    return max(_ROW_STEP, n // n_chunks // _ROW_STEP * _ROW_STEP)


@for_any_size
def fit(
    points: Points, sample_weight, centers, max_iter, tol, chunk_size, *, options: Options
) -> Result:
    """Run Lloyd's algorithm from each of the given sets of centers.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        centers: initial centers, (R, k, d).
        max_iter: most iterations of a restart, int32.
        tol: a restart stops when the summed squared shift of its centers is at most this.
        chunk_size: rows of a chunk, int32; from `choose_options`.
        options: from `choose_options`.

    Returns:
        A `Result`.
    """
    n, n_init = tf.shape(sample_weight)[0], tf.shape(centers)[0]
    k, d = tf.shape(centers)[1], tf.shape(centers)[2]
    scale = squared_length(points, sample_weight, chunk_size)
    active = tf.range(n_init)
    ended = Result(centers, tf.zeros([n_init], tf.int32), tf.zeros([0, n_init], tf.float64))
    history = tf.TensorArray(tf.float64, 0, dynamic_size=True, element_shape=[None])
    inertia = tf.zeros([n_init], tf.float64)
    rows = tf.minimum(chunk_size, n)
    labels = tf.fill([(n + rows - 1) // rows, n_init, rows], -1)
    sums = centroids.empty_sums(n_init * k, d)
    subspace = _no_subspace(n, d, centers.dtype)
    n_verified = 0.0
    iteration = 0
    while iteration < max_iter and tf.size(active) > 0:
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[
                (active, tf.TensorShape([None])),
                (centers, tf.TensorShape([None, None, None])),
                (labels, tf.TensorShape([None, None, None])),
                (sums, _ANY_SUMS),
                (subspace, _ANY_SUBSPACE),
            ]
        )
        if options.n_directions and _is_stale(subspace, n_verified, iteration, centers):
            subspace = nearest.find_subspace(points.body, centers, options.n_directions)
            n_verified = 0.0
        step = _read_once(points, sample_weight, centers, labels, subspace, n_init, options)
        n_verified += tf.cast(step.n_verified, tf.float32)
        sums = centroids.add(sums, step.change)
        inertia = tf.tensor_scatter_nd_update(
            inertia,
            active[:, tf.newaxis],
            centroids.inertia_of(step.best, sums, centers, scale, options.metric),
        )
        history = history.write(iteration, inertia)
        new_centers = centroids.update(
            points, sample_weight, step.labels, sums, centers, options.metric, chunk_size
        )
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
    n, n_directions = tf.size(subspace.residual), tf.shape(subspace.basis)[1]
    d = tf.cast(tf.shape(centers)[2], tf.float32)
    n_columns = tf.cast(tf.shape(centers)[0] * tf.shape(centers)[1], tf.float32)
    cost = _SUBSPACE_COST * tf.cast(n * n_directions, tf.float32)
    cost += _DIRECTIONS_COST * tf.minimum(d, n_columns) ** 3 / d
    return iteration >= _FIRST_SUBSPACE and n_verified * n_columns >= cost


@without_autograph
def _no_subspace(n, d, dtype):
    """Return a subspace without directions."""
    return Subspace(*(tf.zeros(shape, dtype) for shape in ([d, 0], [n, 1], [n], [n])))


def _read_once(points, sample_weight, centers, old_labels, subspace, n_init, options) -> Pass:
    """Assign every point to the nearest of the centers (A, k, d) of each active restart."""
    n, n_active = tf.size(sample_weight), tf.shape(centers)[0]
    k, d = tf.shape(centers)[1], tf.shape(centers)[2]
    n_chunks, rows = tf.shape(old_labels)[0], tf.shape(old_labels)[2]
    table = _padded(centers, n_init, options)
    projection = nearest.project(table, subspace.basis, options.metric)
    labels = tf.TensorArray(tf.int32, n_chunks, element_shape=[None, None])
    total = centroids.empty_sums(n_active * k, d)
    n_changed = tf.zeros([n_active], tf.int32)
    best = tf.zeros([n_active], tf.float64)
    n_verified = 0
    for chunk in tf.range(n_chunks):
        start, stop = chunk * rows, tf.minimum((chunk + 1) * rows, n)
        x, weight = read(points, start, stop - start), sample_weight[start:stop]
        near = nearest.part(subspace, start, stop)
        new, chunk_best, chunk_verified = _label_chunk(
            x, weight, table, n_active, near, projection, options
        )
        new = new[:n_active]
        best += chunk_best[:n_active]
        n_verified += chunk_verified
        labels = labels.write(chunk, tf.pad(new, [[0, 0], [0, rows - (stop - start)]]))
        old = old_labels[chunk, :, : stop - start]
        change, changed = centroids.change_of_sums(x, weight, old, new, k)
        total = centroids.add(total, change)
        n_changed += changed
    return Pass(labels.stack(), total, n_changed, best, n_verified)


@without_autograph
def _padded(centers, n_init, options):
    """Return the centers (A, k, d) as (k, A', d), padded to a size that kernels are compiled for.

    The last restart is repeated up to one of the sizes R, R/2, R/4, ...; for narrow data, whose
    kernel leaves out the rest, up to R.
    """
    n_active = tf.shape(centers)[0]
    if options.kernel is not None:
        size = n_init
        for _ in range(_MOST_HALVINGS if options.kernel.kind == "wide" else 0):
            half = (size + 1) // 2
            size = tf.where(half >= n_active, half, size)
        centers = tf.gather(centers, tf.minimum(tf.range(size), n_active - 1))
    return tf.transpose(centers, [1, 0, 2])


@without_autograph
def _label_chunk(x, weight, table, n_active, near, projection, options):
    """Label the points of a chunk.

    Args:
        x: (c, d).
        weight: (c,).
        table: centers, (k, A', d), with padding after the first A.
        n_active: A.
        near: `Subspace` with the points of the chunk.
        projection: of the centers on the subspace.
        options: of the run.

    Returns:
        labels (A', c) int32, weighted sum of the best scores (A',) or 0 by a compiled kernel,
        number of rows scored with all features.
    """
    unknown = tf.zeros([tf.shape(table)[1]], tf.float64)

    def by_operations():
        labels, scores = nearest.nearest(nearest.scores(x, table, options.metric))
        return labels, tf.cast(tf.linalg.matvec(scores, weight), tf.float64), tf.shape(x)[0]

    def with_all_features():
        if options.kernel is None:
            return by_operations()
        labels = nearest.nearest_compiled(x, table, n_active, options.metric, options.kernel)
        return labels, unknown, tf.shape(x)[0]

    def with_subspace():
        labels, is_open = nearest.settle(projection, near, options.kernel)
        rows = tf.where(is_open)
        verified = nearest.scores(tf.gather_nd(x, rows), table, options.metric)
        verified = tf.argmin(verified, axis=0, output_type=tf.int32)
        restarts = tf.range(tf.shape(labels)[0], dtype=tf.int64)
        entries = tf.stack(tf.meshgrid(restarts, rows[:, 0], indexing="ij"), axis=2)
        labels = tf.tensor_scatter_nd_update(labels, entries, verified)
        return labels, unknown, tf.shape(rows)[0]

    if not options.n_directions:
        return with_all_features()
    return tf.cond(tf.shape(near.basis)[1] > 0, with_subspace, with_all_features)


@without_autograph
def _end(ended, active, centers, iteration):
    """Record centers and iteration of the restarts that are still active."""
    slots = active[:, tf.newaxis]
    return Result(
        tf.tensor_scatter_nd_update(ended.centers, slots, centers),
        tf.tensor_scatter_nd_update(ended.n_iter, slots, tf.fill(tf.shape(active), iteration)),
        ended.history,
    )


@without_autograph
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
