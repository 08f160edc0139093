"""Initial centroids for k-means, for all restarts at once.

The random numbers are drawn in the order in which scikit-learn draws them, restart after restart,
so the same ``random_state`` starts both libraries from the same points (k-means++ can differ where
a draw falls within rounding of the border between two points).
"""

import numpy as np
import tensorflow as tf

from kdec.kmeans.points import Points, chunk_rows, products, read, rows_at, squared_lengths
from kdec.kmeans.tracing import fold_chunks, for_any_size, map_chunks


def random_points(random_state, sample_weight, n_clusters: int, n_init: int) -> np.ndarray:
    """Draw distinct points for each restart, with probabilities given by the weights.

    Args:
        random_state: `numpy.random.RandomState`.
        sample_weight: weights of the points, shape (n,).
        n_clusters: number of points to draw for a restart.
        n_init: number of restarts.

    Returns:
        int64 indices of points, shape (n_init, n_clusters).

    Raises:
        ValueError: If fewer points than clusters have a weight.
    """
    n_weighted = np.count_nonzero(sample_weight)
    if n_weighted < n_clusters:
        raise ValueError(
            'Expected at least as many points with a weight as clusters, for init="random". '
            f"Received: {n_weighted} with n_clusters={n_clusters}."
        )
    probability = sample_weight / sample_weight.sum()
    return np.stack([_distinct(random_state, probability, n_clusters) for _ in range(n_init)])


def _distinct(random_state, probability, size):
    """Draw what `random_state.choice` draws without replacement, in a third of its memory."""
    chosen = np.empty(0, np.int64)
    while len(chosen) < size:
        uniform = random_state.random_sample(size - len(chosen))
        if len(chosen):
            probability = probability.copy()
            probability[chosen] = 0
        cumulative = np.cumsum(probability, dtype=np.float64)
        cumulative /= cumulative[-1]
        drawn = cumulative.searchsorted(uniform, side="right")
        _, first = np.unique(drawn, return_index=True)
        chosen = np.concatenate([chosen, drawn[np.sort(first)]])
    return chosen


def kmeans_plusplus(
    random_state, points: Points, sample_weight, n_clusters: int, n_init: int
) -> np.ndarray:
    """Choose seeds by greedy k-means++ for all restarts in shared matrix products.

    Args:
        random_state: `numpy.random.RandomState`.
        points: n points.
        sample_weight: NumPy array, weights of the points, shape (n,).
        n_clusters: number of seeds for a restart.
        n_init: number of restarts.

    Returns:
        int64 indices of the chosen points, shape (n_init, n_clusters).

    Reference:
        Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding", with the
        greedy choice among 2 + ln k candidates that section 5 mentions.
    """
    n = len(sample_weight)
    n_trials = 2 + int(np.log(n_clusters))
    probability = sample_weight / sample_weight.sum()
    first, uniforms = [], []
    for _ in range(n_init):
        first.append(random_state.choice(n, p=probability))
        uniforms.append(random_state.uniform(size=(n_clusters - 1, n_trials)))
    chosen = _greedy_seeds(
        points,
        sample_weight,
        np.array(first, np.int64),
        np.stack(uniforms),
        chunk_rows(points.width, n_init * n_trials),
    )
    return chosen.numpy()


@for_any_size
def _greedy_seeds(points, sample_weight, first, uniforms, rows):
    """Run the k-1 greedy steps; first (R,), uniforms (R, k-1, T) in [0, 1) -> (R, k)."""
    n_init, n_steps = tf.shape(uniforms)[0], tf.shape(uniforms)[1]
    n = tf.size(sample_weight)
    infinite = tf.fill([n_init, n], tf.constant(float("inf"), sample_weight.dtype))
    closest = _closer(points, infinite, first, rows)
    chosen = tf.TensorArray(tf.int64, size=n_steps + 1, element_shape=[None])
    chosen = chosen.write(0, first)

    def choose(step, closest, chosen):
        mass = tf.cumsum(tf.cast(closest * sample_weight, tf.float64), axis=1)
        draws = uniforms[:, step] * mass[:, -1:]
        candidates = tf.searchsorted(mass, draws, out_type=tf.int64)  # (R, T)
        candidates = tf.minimum(candidates, tf.cast(n, tf.int64) - 1)
        potential = _potential(points, sample_weight, closest, candidates, rows)
        best = tf.argmin(potential, axis=1)
        seeds = tf.gather(candidates, best, axis=1, batch_dims=1)
        closest = _closer(points, closest, seeds, rows)
        return step + 1, closest, chosen.write(step + 1, seeds)

    state = (0, closest, chosen)
    _, _, chosen = tf.while_loop(lambda step, *_: step < n_steps, choose, state)
    return tf.transpose(chosen.stack())


def _potential(points, sample_weight, closest, candidates, rows):
    """Weighted sums of the distances to the closest seed, were a candidate one: (R, T)."""
    flat = tf.reshape(candidates, [-1])
    vectors = rows_at(points, flat)

    def step(start, size, potential):
        distances = _squared_distances(points, start, size, flat, vectors)
        distances = tf.reshape(distances, tf.concat([tf.shape(candidates), [-1]], 0))
        distances = tf.minimum(distances, closest[:, tf.newaxis, start : start + size])
        return potential + tf.linalg.matvec(distances, sample_weight[start : start + size])

    potential = tf.zeros(tf.shape(candidates), sample_weight.dtype)
    return fold_chunks(step, potential, tf.size(sample_weight), rows)


def _closer(points, closest, seeds, rows):
    """Distances (R, n) to the closest seed after one more seed for each restart, (R,)."""
    vectors = rows_at(points, seeds)

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
