"""Initial centroids for k-means, for all restarts at once.

The random numbers are drawn in the order in which scikit-learn draws them, restart after restart,
so the same ``random_state`` starts both libraries from the same points (k-means++ can differ where
a draw falls within rounding of the border between two points).
"""

import functools

import numpy as np
import tensorflow as tf

from kdec.kmeans.greedy_seeds import greedy_seeds
from kdec.kmeans.points import Plain, Points, chunk_rows, products, read, rows_at, squared_lengths
from kdec.kmeans.share import Share
from kdec.kmeans.tracing import fold_chunks, for_any_size, map_chunks


def random_points(
    random_state, sample_weight, n_clusters: int, n_init: int, share: Share
) -> np.ndarray:
    """Draw distinct points for each restart, with probabilities given by the weights.

    Args:
        random_state: `numpy.random.RandomState`.
        sample_weight: weights of the points, shape (n,).
        n_clusters: number of points to draw for a restart.
        n_init: number of restarts.
        share: which of all points these are.

    Returns:
        int64 numbers of points, shape (n_init, n_clusters).

    Raises:
        ValueError: If fewer points than clusters have a weight.
    """
    n_weighted = int(share.workers.sum(np.count_nonzero(sample_weight)))
    if n_weighted < n_clusters:
        raise ValueError(
            'Expected at least as many points with a weight as clusters, for init="random". '
            f"Received: {n_weighted} with n_clusters={n_clusters}."
        )
    draws = [_distinct(random_state, sample_weight, n_clusters, share) for _ in range(n_init)]
    return np.stack(draws)


def _distinct(random_state, sample_weight, count, share):
    """Draw distinct points as `RandomState.choice` does, round after round: (count,)."""
    found = np.empty(0, np.int64)
    while len(found) < count:
        quantiles = random_state.random_sample(count - len(found))
        new = share.at_quantiles(sample_weight, quantiles, without=found)
        new = new[np.sort(np.unique(new, return_index=True)[1])]
        found = np.concatenate([found, new])
    return found


def kmeans_plusplus(
    random_state, points: Points | Plain, sample_weight, n_clusters: int, n_init: int, share: Share
) -> np.ndarray:
    """Choose seeds by greedy k-means++ for all restarts in shared matrix products.

    Several workers draw from the points of all, and choose by the potential over all: the seeds are
    those of one worker with all points, but for a draw within rounding.

    Args:
        random_state: `numpy.random.RandomState`.
        points: n points.
        sample_weight: NumPy array, weights of the points, shape (n,).
        n_clusters: number of seeds for a restart.
        n_init: number of restarts.
        share: which of all points these are.

    Returns:
        int64 numbers of the chosen points, shape (n_init, n_clusters).

    Reference:
        Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding", with the
        greedy choice among 2 + ln k candidates that section 5 mentions.
    """
    n_trials = 2 + int(np.log(n_clusters))
    first, uniforms = [], []
    for _ in range(n_init):
        first.append(random_state.random_sample())
        uniforms.append(random_state.uniform(size=(n_clusters - 1, n_trials)))
    first, uniforms = share.at_quantiles(sample_weight, np.array(first)), np.stack(uniforms)
    if isinstance(points, Plain):
        return greedy_seeds(points, sample_weight, first, uniforms)
    chosen = _greedy_seeds(
        points,
        sample_weight,
        first,
        uniforms,
        chunk_rows(points.width, n_init * n_trials),
        np.int64(share.start),
        workers=share.workers,
    )
    return chosen.numpy()


@for_any_size
def _greedy_seeds(points, sample_weight, first, uniforms, rows, start, *, workers):
    """Run the k-1 greedy steps; first (R,), uniforms (R, k-1, T) in [0, 1) -> (R, k).

    The points are numbered over all workers; this one's begin at `start`.
    """
    n_init, n_steps = tf.shape(uniforms)[0], tf.shape(uniforms)[1]
    n = tf.size(sample_weight)
    infinite = tf.fill([n_init, n], tf.constant(float("inf"), sample_weight.dtype))
    rows_of_all = functools.partial(_rows_of_all, points, n, start, workers)
    closest = _closer(points, infinite, *rows_of_all(first), rows)
    chosen = tf.TensorArray(tf.int64, size=n_steps + 1, element_shape=[None])
    chosen = chosen.write(0, first)

    def choose(step, closest, chosen):
        candidates = _drawn(closest, sample_weight, uniforms[:, step], start, workers)
        own, vectors = rows_of_all(tf.reshape(candidates, [-1]))
        potential = _potential(points, sample_weight, closest, own, vectors, rows)
        best = tf.argmin(workers.sum(potential), axis=1)
        seeds = tf.gather(candidates, best, axis=1, batch_dims=1)
        places = tf.range(n_init) * tf.shape(candidates)[1] + tf.cast(best, tf.int32)
        chosen_rows = tf.gather(own, places), tf.gather(vectors, places)
        closest = _closer(points, closest, *chosen_rows, rows)
        return step + 1, closest, chosen.write(step + 1, seeds)

    state = (0, closest, chosen)
    _, _, chosen = tf.while_loop(lambda step, *_: step < n_steps, choose, state)
    return tf.transpose(chosen.stack())


def _drawn(closest, sample_weight, uniforms, start, workers):
    """Numbers of points drawn by their distances to the closest seed, for uniforms (R, T)."""
    mass = tf.cumsum(tf.cast(closest * sample_weight, tf.float64), axis=1)
    ends = tf.transpose(tf.cumsum(workers.gather(mass[tf.newaxis, :, -1])))  # (R, workers)
    draws = uniforms * ends[:, -1:]
    before = ends[:, workers.index, tf.newaxis] - mass[:, -1:]
    rows = tf.searchsorted(mass, draws - before, out_type=tf.int64)  # (R, T)
    rows = tf.minimum(rows, tf.shape(mass, tf.int64)[1] - 1)
    holder = tf.minimum(tf.searchsorted(ends, draws), workers.count - 1)
    return workers.sum(tf.where(holder == workers.index, rows + start, tf.zeros_like(rows)))


def _rows_of_all(points, n, start, workers, numbers):
    """Return which own points the numbers (m,) are, -1 for others, and all their values (m, d)."""
    rows, n = numbers - start, tf.cast(n, tf.int64)
    is_own = (rows >= 0) & (rows < n)
    vectors = rows_at(points, tf.clip_by_value(rows, 0, n - 1))
    vectors = workers.sum(tf.where(is_own[:, tf.newaxis], vectors, tf.zeros_like(vectors)))
    return tf.where(is_own, rows, -tf.ones_like(rows)), vectors


def _potential(points, sample_weight, closest, candidates, vectors, rows):
    """Weighted sums of the distances to the closest seed, were a candidate one: (R, T)."""
    n_init = tf.shape(closest)[0]

    def step(start, size, potential):
        distances = _squared_distances(points, start, size, candidates, vectors)
        distances = tf.reshape(distances, tf.stack([n_init, -1, size]))
        distances = tf.minimum(distances, closest[:, tf.newaxis, start : start + size])
        return potential + tf.linalg.matvec(distances, sample_weight[start : start + size])

    n_trials = tf.size(candidates) // n_init
    potential = tf.zeros(tf.stack([n_init, n_trials]), sample_weight.dtype)
    return fold_chunks(step, potential, tf.size(sample_weight), rows)


def _closer(points, closest, seeds, vectors, rows):
    """Distances (R, n) to the closest seed after one more for each restart, (R,) and (R, d)."""

    def of_chunk(start, size):
        distances = _squared_distances(points, start, size, seeds, vectors)
        return tf.transpose(tf.minimum(distances, closest[:, start : start + size]))

    return tf.transpose(map_chunks(of_chunk, tf.shape(closest)[1], rows, closest.dtype, rank=2))


def _squared_distances(points, start, rows, indices, vectors):
    """Squared distances of the points at `indices` (m,), (m, d), to a chunk of c: (m, c)."""
    x = read(points, start, rows)
    distances = (
        tf.reduce_sum(vectors * vectors, axis=1, keepdims=True)
        - 2 * products(vectors, x)
        + squared_lengths(x)
    )
    own = tf.cast(indices, tf.int32)[:, tf.newaxis] == tf.range(start, start + rows)
    return tf.where(own, tf.zeros_like(distances), tf.maximum(distances, 0))
