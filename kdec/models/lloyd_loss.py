"""The k-means loss of a batch: Lloyd's algorithm on its embedding, and the loss of the result."""

import tensorflow as tf

_ROUNDING = 2e-6  # relative, of an encoder in float32


def kmeans_loss(z, start, *, max_iterations: int = 50, stop_gradient: bool = False):
    """Cluster a batch by Lloyd's algorithm, and return the loss of the result.

    The gradient is that through all iterations. A centroid is the mean of its samples, whichever
    centroids came before; those only decide which samples are its own, a choice whose derivative is
    zero. So the iterations run outside the gradient, and the last mean alone inside.

    Args:
        z: Float tensor (n, n_features), the embedding of a batch.
        start: Tensor of the same dtype, (n_clusters, n_features), the first centroids.
        max_iterations: Positive int, most iterations. Defaults to 50.
        stop_gradient: If True, the gradient takes the centroids for constants. Defaults to False.

    Returns:
        Dict of scalar tensors `loss`, `attraction`, `repulsion` and `spread`, as in the logs of
        `KMeansLoss`, for the centroids that the last iteration finds before it; and those that it
        leaves, (n_clusters, n_features). The two differ only if the limit ends the iterations.

    Example:
    >>> import tensorflow as tf
    >>> from kdec.models.lloyd_loss import kmeans_loss
    >>> z = tf.constant([[0.0], [2.0], [10.0], [12.0]])
    >>> figures, centroids = kmeans_loss(z, z[:2])
    >>> centroids.numpy().tolist()
    [[1.0], [11.0]]
    >>> {name: round(float(value), 3) for name, value in figures.items()}
    {'loss': 1.01, 'attraction': 1.0, 'repulsion': 0.01, 'spread': 5.099}
    """
    mean = tf.reduce_mean(z, axis=0)
    # From here on about the mean of the batch, so that far from the origin no digits are lost.
    z = z - mean
    start = tf.stop_gradient(start - mean)
    # Zero, with the gradient that a point at rest has when the mean moves.
    at_rest = tf.stop_gradient(mean) - mean
    # The last iteration is the one below, whose assignment the loss needs too.
    shares = lloyd_shares(tf.stop_gradient(z), start, max_iterations - 1)
    is_mean = tf.reduce_any(shares > 0, axis=1, keepdims=True)
    centroids = tf.where(is_mean, tf.matmul(shares, z), start + at_rest)
    if stop_gradient:
        centroids = tf.stop_gradient(centroids) + at_rest
    own = _memberships(z, centroids)
    return _figures(z, centroids, own), _means(z, centroids, own)[0] + mean


def _figures(z, centroids, own):
    """Loss, terms and spread of z for its centroids, both about the mean of z, and memberships."""
    variance = _mean_squared_norm(z)
    d_own = _mean_squared_norm(z - tf.matmul(own, centroids, transpose_a=True))
    # Huygens: the mean squared distance to a centroid is that to the mean, plus its own square. No
    # n times n_clusters distances, and no digits lost in differences of large numbers.
    d_each = variance + tf.reduce_sum(tf.square(centroids), axis=1)
    # A centroid left behind without samples would hold the repulsion down for ever, from afar.
    is_empty = tf.equal(tf.reduce_sum(own, axis=1), 0)
    d_all = tf.reduce_sum(tf.where(is_empty, tf.zeros_like(d_each), d_each))
    # With one cluster there are no others, and the difference is what rounding leaves of 0.
    has_others = tf.math.count_nonzero(~is_empty) > 1
    repulsion = 1.0 / tf.where(has_others, d_all - d_own, tf.zeros_like(d_all))
    return {
        "loss": d_own + repulsion,
        "attraction": d_own,
        "repulsion": repulsion,
        "spread": tf.sqrt(variance),
    }


def lloyd_shares(z, start, max_iterations: int):
    """Run Lloyd's algorithm, until the centroids do not change at all.

    Args:
        z: Float tensor (n, n_features), centred.
        start: Tensor of the same dtype, (n_clusters, n_features).
        max_iterations: Non-negative int, most iterations.

    Returns:
        The share of each sample in each centroid, (n_clusters, n): 1 / n_members for the members,
        else 0, so that `shares @ z` are the centroids. A cluster that becomes empty keeps its last
        members' shares; one that never had a member has zeros.
    """

    def keep_going(iteration, centroids, shares, has_changed):
        return has_changed & (iteration < max_iterations)

    def iterate(iteration, centroids, shares, has_changed):
        means, new_shares = _means(z, centroids, _memberships(z, centroids))
        # No cluster but an empty one has no shares.
        shares = tf.where(tf.reduce_any(new_shares > 0, axis=1, keepdims=True), new_shares, shares)
        return iteration + 1, means, shares, tf.reduce_any(means != centroids)

    no_shares = tf.zeros((tf.shape(start)[0], tf.shape(z)[0]), z.dtype)
    state = (0, start, no_shares, True)
    _, _, shares, _ = tf.while_loop(keep_going, iterate, state)
    return shares


def are_left_behind(centroids, z):
    """Tell whether samples have moved away from all the centroids that they once had.

    They have if they are all nearest to the same one, yet further from it than they are apart; but
    not if they are apart by rounding alone, for then no centroids divide them.

    Args:
        centroids: Float tensor (n_clusters, n_features).
        z: Tensor of the same dtype, (n, n_features).

    Returns:
        Scalar bool tensor.
    """
    mean = tf.reduce_mean(z, axis=0)
    rounding = tf.reduce_sum(tf.square(_ROUNDING * mean))
    z, centroids = z - mean, centroids - mean
    own = nearest(z, centroids)
    variance = _mean_squared_norm(z)
    distance = tf.reduce_sum(tf.square(centroids[own[0]]))
    return tf.reduce_all(own == own[0]) & (distance > variance) & (variance > rounding)


def _memberships(z, centroids):
    """1 where a sample's nearest centroid is that of the cluster, else 0; (n_clusters, n)."""
    return tf.one_hot(nearest(z, centroids), tf.shape(centroids)[0], axis=0, dtype=z.dtype)


def _means(z, centroids, memberships):
    """The clusters' means, an empty one's centroid in place of it, and the samples' shares."""
    counts = tf.reduce_sum(memberships, axis=1, keepdims=True)
    shares = tf.math.divide_no_nan(memberships, counts)
    return tf.where(tf.equal(counts, 0), centroids, tf.matmul(shares, z)), shares


def nearest(z, centroids):
    """The index of the nearest of `centroids` (k, d) to each of `z` (n, d); both about centred."""
    # ||z - c||^2 without ||z||^2, which is the same for all c.
    scores = tf.reduce_sum(tf.square(centroids), axis=1) - 2.0 * tf.matmul(
        z, centroids, transpose_b=True
    )
    return tf.argmin(scores, axis=1, output_type=tf.int32)


def _mean_squared_norm(rows):
    return tf.reduce_mean(tf.reduce_sum(tf.square(rows), axis=1))
