"""Initial centroids for k-means, for all restarts at once.

The random numbers are drawn in the order in which scikit-learn draws them, restart after restart,
so the same ``random_state`` starts both libraries from the same points (k-means++ can differ where
a draw falls within rounding of the border between two points).
"""

import numpy as np
import tensorflow as tf


def random_points(random_state, sample_weight, n_clusters: int, n_init: int) -> np.ndarray:
    """Draw distinct points for each restart, with probabilities given by the weights.

    Args:
        random_state: `numpy.random.RandomState`.
        sample_weight: weights of the points, shape (n,).
        n_clusters: number of points to draw for a restart.
        n_init: number of restarts.

    Returns:
        int64 indices of points, shape (n_init, n_clusters).
    """
    probability = sample_weight / sample_weight.sum()
    n = len(sample_weight)
    draws = [
        random_state.choice(n, size=n_clusters, replace=False, p=probability) for _ in range(n_init)
    ]
    return np.stack(draws)


def kmeans_plusplus(random_state, x, sample_weight, n_clusters: int, n_init: int) -> np.ndarray:
    """Choose seeds by greedy k-means++ for all restarts in shared matrix products.

    Args:
        random_state: `numpy.random.RandomState`.
        x: points near the origin, float tensor (n, d).
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
        x,
        tf.constant(sample_weight, x.dtype),
        tf.constant(np.array(first, np.int64)),
        tf.constant(np.stack(uniforms)),
    )
    return chosen.numpy()


@tf.function(reduce_retracing=True)
def _greedy_seeds(x, sample_weight, first, uniforms):
    """Run the k-1 greedy steps; first (R,), uniforms (R, k-1, T) in [0, 1) -> (R, k)."""
    n_init, n_steps, n_trials = tf.unstack(tf.shape(uniforms))
    squared_norms = tf.reduce_sum(x * x, axis=1)
    closest = _squared_distances(x, squared_norms, first)  # (R, n)
    chosen = tf.TensorArray(tf.int64, size=n_steps + 1, element_shape=[None])
    chosen = chosen.write(0, first)
    for step in tf.range(n_steps):
        tf.autograph.experimental.set_loop_options(
            shape_invariants=[(closest, tf.TensorShape([None, None]))]
        )
        mass = tf.cumsum(tf.cast(closest * sample_weight, tf.float64), axis=1)
        draws = uniforms[:, step] * mass[:, -1:]
        candidates = tf.searchsorted(mass, draws, out_type=tf.int64)  # (R, T)
        candidates = tf.minimum(candidates, tf.shape(x, tf.int64)[0] - 1)
        to_candidates = _squared_distances(x, squared_norms, tf.reshape(candidates, [-1]))
        to_candidates = tf.reshape(to_candidates, [n_init, n_trials, -1])
        to_candidates = tf.minimum(to_candidates, closest[:, tf.newaxis])
        potential = tf.linalg.matvec(to_candidates, sample_weight)  # (R, T)
        best = tf.argmin(potential, axis=1)
        closest = tf.gather(to_candidates, best, axis=1, batch_dims=1)
        chosen = chosen.write(step + 1, tf.gather(candidates, best, axis=1, batch_dims=1))
    return tf.transpose(chosen.stack())


def _squared_distances(x, squared_norms, indices):
    """Squared distances of the points at `indices` (m,) to all points: (m, n)."""
    points = tf.gather(x, indices)
    products = tf.matmul(points, x, transpose_b=True)
    distances = tf.gather(squared_norms, indices)[:, tf.newaxis] - 2 * products + squared_norms
    rows = tf.range(tf.shape(indices, tf.int64)[0])
    own = tf.stack([rows, indices], axis=1)
    return tf.tensor_scatter_nd_update(
        tf.maximum(distances, 0), own, tf.zeros_like(indices, x.dtype)
    )
