"""Lloyd's algorithm for many restarts at once, as one TensorFlow function.

Each iteration reads the points once, in chunks, for all restarts that have not converged: the
distances of a chunk to all their centers are one matrix product. The sums of the clusters are
kept from iteration to iteration, and only points that changed cluster enter them. Where the data
is wide, most labels are settled in a subspace (see `kdec.kmeans.nearest`).

Shapes: n points, d features, k clusters, R restarts of which A are still active, c points of a
chunk, m directions of the subspace.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kdec.kmeans import centroids, nearest
from kdec.kmeans.assignment import assign_chunk
from kdec.kmeans.centroids import Sums
from kdec.kmeans.labeling import squared_length
from kdec.kmeans.nearest import Subspace
from kdec.kmeans.points import Copied, Points, Sparse, chunk_rows, read
from kdec.kmeans.tracing import fold_chunks, for_any_size
from kdec.workers import Workers

_COMPILE_FROM = 4_000_000  # scores an iteration; below, compiling costs more than it saves
_NARROWEST_WITH_SUBSPACE = 128  # features
_MOST_DIRECTIONS = 95  # with a column of ones, rows of whole cache lines
_FIRST_SUBSPACE = 3  # iteration; before, the centers move too fast
_SUBSPACE_COST = 1.5  # of a new subspace, relative to its arithmetic
_DIRECTIONS_COST = 25  # of the eigenvectors for it, relative to the cube of their number
_ROW_STEP = 16  # rows; a multiple of every vector width

_ANY_SUBSPACE = Subspace(*(tf.TensorShape([None] * rank) for rank in (2, 2, 1, 1)))


class Options(NamedTuple):
    """What a run is traced for."""

    metric: str
    is_compiled: bool  # the search for the nearest centers, by XLA
    has_subspace: bool
    has_loops: bool  # the search and the sums by compiled loops outside of TensorFlow
    label_type: str  # the smallest for the clusters, as labels are kept two or three times


class Progress(NamedTuple):
    """What a run needs to go on: all else follows from the centers and the points."""

    iteration: tf.Tensor  # int32, iterations done
    active: tf.Tensor  # (A,) int32, which restarts have not ended
    centers: tf.Tensor  # (A, k, d)
    inertia: tf.Tensor  # (R,) float64, after the last assignment of each restart
    history: tf.Tensor  # (iterations, R) float64, inertia after each assignment
    ended_at: tf.Tensor  # (R, k, d), centers of the restarts that have ended
    n_iter: tf.Tensor  # (R,) int32, of the restarts that have ended


class State(NamedTuple):
    """A run between two iterations."""

    iteration: tf.Tensor
    active: tf.Tensor  # (A,) int32, which restarts have not converged
    centers: tf.Tensor  # (A, k, d)
    labels: tf.Tensor  # (chunks, A, c)
    sums: Sums  # of A * k clusters
    subspace: Subspace
    n_verified: tf.Tensor  # rows scored with all features since the subspace was found
    inertia: tf.Tensor  # (R,) float64, after the last assignment of each restart
    history: tf.TensorArray  # of the inertia
    ended_at: tf.Tensor  # (R, k, d), centers of the restarts that have ended
    n_iter: tf.Tensor  # (R,) int32, of the restarts that have ended


class Pass(NamedTuple):
    """What one reading of the points gives."""

    labels: tf.Tensor  # (chunks, A, c)
    change: Sums
    best: tf.Tensor  # (A,) float64, weighted sum of the best scores; 0 where not needed
    n_verified: tf.Tensor  # scalar, rows scored with all features after the subspace


def choose_options(points, n, n_clusters, n_init, metric) -> tuple[Options, int, int]:
    """Choose what to trace for n points, the rows of a chunk, and directions of the subspace."""
    n_columns = n_clusters * n_init
    d = points.width
    rows = chunk_rows(d, n_columns)
    n_directions = min(_MOST_DIRECTIONS, d // 4, n_columns)
    can_compile = metric != "manhattan" and not isinstance(points, Sparse)
    label_type = np.min_scalar_type(-n_clusters).name
    if not can_compile:
        return Options(metric, False, False, False, label_type), rows, n_directions
    if is_for_loops(n, d, n_columns):
        rows = _even_rows(n, chunk_rows(d, 1))
        return Options(metric, False, False, True, label_type), rows, n_directions
    has_subspace = isinstance(points, Copied)
    return Options(metric, True, has_subspace, False, label_type), _even_rows(n, rows), n_directions


def is_for_loops(n: int, d: int, n_columns: int) -> bool:
    """Tell whether n points of d features and as many centers are for compiled loops.

    Else most labels are settled in a subspace, in less time.
    """
    return d < _NARROWEST_WITH_SUBSPACE or n * n_columns < _COMPILE_FROM


def _even_rows(n, rows):
    """Shorten chunks so that only a few points are left over for the one that is not full."""
    n_chunks = -(-n // rows)
    return max(_ROW_STEP, n // n_chunks // _ROW_STEP * _ROW_STEP)


@for_any_size
def fit(
    points: Points,
    sample_weight,
    progress: Progress,
    stop,
    max_iter,
    tol,
    chunk_size,
    n_directions,
    *,
    options: Options,
    workers: Workers,
) -> Progress:
    """Run Lloyd's algorithm from where it was, or from the beginning.

    Args:
        points: n points of d features.
        sample_weight: (n,).
        progress: from `begin`, or from here.
        stop: iterations after which to return, int32; at most `max_iter`.
        max_iter: most iterations of a restart, int32.
        tol: a restart stops when the summed squared shift of its centers is at most this.
        chunk_size: rows of a chunk, int32; from `choose_options`.
        n_directions: of the subspace, int32; from `choose_options`.
        options: from `choose_options`.
        workers: each with points of its own, and the same centers.

    Returns:
        The progress, the same on all workers; at its end no restart is active.
    """
    n, n_init = tf.shape(sample_weight)[0], tf.shape(progress.n_iter)[0]
    scale = workers.sum(squared_length(points, sample_weight, chunk_size))

    def iterate(state):
        state = _with_subspace(state, points, n_directions, options)
        # What the pass found is complete here, before the centers follow from it.
        step = _read_once(points, sample_weight, state, n_init, options)
        change, best = _of_all(workers, (step.change, step.best), state.active, n_init)
        sums = centroids.add(state.sums, change)
        best = centroids.inertia_of(best, sums, state.centers, scale, options.metric)
        inertia = tf.tensor_scatter_nd_update(state.inertia, state.active[:, tf.newaxis], best)
        centers = centroids.update(
            points,
            sample_weight,
            step.labels,
            sums,
            state.centers,
            options.metric,
            chunk_size,
            workers,
        )
        shift = tf.reduce_sum(tf.square(centers - state.centers), axis=[1, 2])
        # Of all workers: unlike processors may round it to either side of the tolerance.
        shift = _of_all(workers, shift, state.active, n_init) / workers.count
        converged = shift <= tol  # Labels that stay leave the centers where they are.
        state = state._replace(
            iteration=state.iteration + 1,
            centers=centers,
            labels=step.labels,
            sums=sums,
            n_verified=state.n_verified + tf.cast(step.n_verified, tf.float32),
            inertia=inertia,
            history=state.history.write(state.iteration, inertia),
        )
        some_end = tf.reduce_any(converged) | (state.iteration == max_iter)
        return [tf.cond(some_end, lambda: _end(state, ~converged), lambda: state)]

    def goes_on(state):
        return (state.iteration < stop) & (tf.size(state.active) > 0)

    state = _start(n, progress, tf.minimum(chunk_size, n), options)
    any_size = tf.nest.map_structure(lambda _: None, state)._replace(subspace=_ANY_SUBSPACE)
    (state,) = tf.while_loop(goes_on, iterate, [state], shape_invariants=[any_size])
    return progress._replace(
        iteration=state.iteration,
        active=state.active,
        centers=state.centers,
        inertia=state.inertia,
        history=tf.ensure_shape(state.history.stack(), [None, None]),
        ended_at=state.ended_at,
        n_iter=state.n_iter,
    )


def begin(centers) -> Progress:
    """Return the progress before the first iteration, from initial centers (R, k, d)."""
    n_init = len(centers)
    return Progress(
        iteration=np.int32(0),
        active=np.arange(n_init, dtype=np.int32),
        centers=centers,
        inertia=np.zeros(n_init),
        history=np.zeros((0, n_init)),
        ended_at=centers,
        n_iter=np.zeros(n_init, np.int32),
    )


def _of_all(workers, values, active, n_init):
    """Return the sums over all workers of what the active restarts have, (A * m, ...)."""
    if workers.count == 1:
        return values

    # The shape is that of all restarts, as it has to be the same in each iteration.
    def padded(each):
        missing = tf.shape(each)[:1] // tf.size(active) * (n_init - tf.size(active))
        return tf.concat(
            [each, tf.zeros(tf.concat([missing, tf.shape(each)[1:]], 0), each.dtype)], 0
        )

    sums = workers.sum(tf.nest.map_structure(padded, values))
    return tf.nest.map_structure(lambda total, own: total[: tf.shape(own)[0]], sums, values)


def _start(n, progress, rows, options) -> State:
    """Return the state of a run before the first iteration from `progress` on."""
    centers = progress.centers
    n_active, k, d = tf.unstack(tf.shape(centers))
    projected = n if options.has_subspace else 0
    history = tf.TensorArray(
        tf.float64, progress.iteration, dynamic_size=True, element_shape=[None]
    )
    return State(
        iteration=progress.iteration,
        active=progress.active,
        centers=centers,
        labels=-tf.ones([(n + rows - 1) // rows, n_active, rows], options.label_type),
        sums=centroids.empty_sums(n_active * k, d),
        subspace=Subspace(
            *(
                tf.zeros(shape, centers.dtype)
                for shape in ([d, 0], [projected, 1], [projected], [projected])
            )
        ),
        n_verified=0.0,
        inertia=progress.inertia,
        history=history.unstack(progress.history),
        ended_at=progress.ended_at,
        n_iter=progress.n_iter,
    )


def _with_subspace(state, points, n_directions, options) -> State:
    """Return the state with a new subspace, where the run has one and it is stale."""
    if not options.has_subspace:
        return state

    def renewed():
        subspace = nearest.find_subspace(points.body, state.centers, n_directions)
        return state._replace(subspace=subspace, n_verified=0.0)

    return tf.cond(_is_stale(state), renewed, lambda: state)


def _is_stale(state):
    """Tell whether rows scored in full since the last subspace cost more than a new one."""
    n, n_directions = tf.size(state.subspace.residual), tf.shape(state.subspace.basis)[1]
    n_active, k, d = tf.unstack(tf.shape(state.centers))
    n_columns, d = tf.cast(n_active * k, tf.float32), tf.cast(d, tf.float32)
    cost = _SUBSPACE_COST * tf.cast(n * n_directions, tf.float32)
    cost += _DIRECTIONS_COST * tf.minimum(d, n_columns) ** 3 / d
    return (state.iteration >= _FIRST_SUBSPACE) & (state.n_verified * n_columns >= cost)


def _read_once(points, sample_weight, state, n_init, options) -> Pass:
    """Assign every point to the nearest center of each active restart."""
    (n_active, k, _), rows = tf.unstack(tf.shape(state.centers)), tf.shape(state.labels)[2]
    if options.has_loops:
        return _read_once_by_loops(points, sample_weight, state, options)
    table = tf.transpose(state.centers, [1, 0, 2])
    if options.is_compiled:
        table = nearest.padded(table, n_init)
    projection = nearest.project(table, state.subspace.basis, options.metric)

    def step(start, size, total):
        x, weight = read(points, start, size), sample_weight[start : start + size]
        near = nearest.part(state.subspace, start, start + size)
        is_full = size == rows
        new, best, n_verified = _label_chunk(x, weight, table, is_full, near, projection, options)
        new, chunk = new[:n_active], start // rows
        old = tf.cast(state.labels[chunk, :, :size], tf.int32)
        change = centroids.change_of_sums(x, weight, old, new, k)
        return Pass(
            total.labels.write(chunk, _as_kept(new, rows, options)),
            centroids.add(total.change, change),
            total.best + best[:n_active],
            total.n_verified + n_verified,
        )

    total = fold_chunks(step, _nothing(state, options), tf.size(sample_weight), rows)
    return total._replace(labels=total.labels.stack())


def _read_once_by_loops(points, sample_weight, state, options) -> Pass:
    rows = tf.shape(state.labels)[2]

    def step(start, size, total):
        x, weight = read(points, start, size), sample_weight[start : start + size]
        old = tf.cast(state.labels[start // rows, :, :size], tf.int32)
        new, change = assign_chunk(x, weight, old, state.centers, options.metric)
        labels = total.labels.write(start // rows, _as_kept(new, rows, options))
        return total._replace(labels=labels, change=centroids.add(total.change, change))

    total = fold_chunks(step, _nothing(state, options), tf.size(sample_weight), rows)
    return total._replace(labels=total.labels.stack())


def _nothing(state, options) -> Pass:
    """Return what a reading starts from."""
    (n_active, k, d), n_chunks = tf.unstack(tf.shape(state.centers)), tf.shape(state.labels)[0]
    return Pass(
        tf.TensorArray(options.label_type, n_chunks, element_shape=[None, None]),
        centroids.empty_sums(n_active * k, d),
        tf.zeros([n_active], tf.float64),
        0,
    )


def _as_kept(labels, rows, options):
    """Return the labels of a chunk, (A, c), as they are kept: of a full one."""
    padding = [[0, 0], [0, rows - tf.shape(labels)[1]]]
    return tf.cast(tf.pad(labels, padding), options.label_type)


def _label_chunk(x, weight, table, is_full, near, projection, options):
    """Label the points of a chunk.

    Args:
        x: (c, d).
        weight: (c,).
        table: centers, (k, A', d), with padding after the first A.
        is_full: whether c is the number that searches are compiled for.
        near: `Subspace` with the points of the chunk.
        projection: of the centers on the subspace.
        options: of the run.

    Returns:
        labels (A', c) int32, weighted sum of the best scores (A',) or 0 where not needed,
        number of rows scored with all features.
    """
    unknown = tf.zeros([tf.shape(table)[1]], tf.float64)

    def by_operations():
        labels, scores = nearest.nearest(nearest.scores(x, table, options.metric))
        return labels, tf.cast(tf.linalg.matvec(scores, weight), tf.float64), tf.size(weight)

    def with_all_features():
        labels = nearest.nearest_compiled(x, table, options.metric)
        return labels, unknown, tf.size(weight)

    def with_subspace():
        labels, is_open = nearest.settle(projection, near)
        rows = tf.where(is_open)
        verified = nearest.scores(tf.gather_nd(x, rows), table, options.metric)
        verified = tf.argmin(verified, axis=0, output_type=tf.int32)
        restarts = tf.range(tf.shape(labels)[0], dtype=tf.int64)
        entries = tf.stack(tf.meshgrid(restarts, rows[:, 0], indexing="ij"), axis=2)
        labels = tf.tensor_scatter_nd_update(labels, entries, verified)
        return labels, unknown, tf.shape(rows)[0]

    def compiled():
        if not options.has_subspace:
            return with_all_features()
        return tf.cond(tf.shape(near.basis)[1] > 0, with_subspace, with_all_features)

    return tf.cond(is_full, compiled, by_operations) if options.is_compiled else by_operations()


def _end(state, chosen) -> State:
    """Record where the active restarts are, and go on with the chosen ones only."""
    slots = state.active[:, tf.newaxis]
    n_iter = tf.fill(tf.shape(state.active), state.iteration)
    clusters = tf.repeat(chosen, tf.shape(state.centers)[1])
    return state._replace(
        active=tf.boolean_mask(state.active, chosen),
        centers=tf.boolean_mask(state.centers, chosen),
        labels=tf.boolean_mask(state.labels, chosen, axis=1),
        sums=Sums(*(tf.boolean_mask(each, clusters) for each in state.sums)),
        ended_at=tf.tensor_scatter_nd_update(state.ended_at, slots, state.centers),
        n_iter=tf.tensor_scatter_nd_update(state.n_iter, slots, n_iter),
    )
