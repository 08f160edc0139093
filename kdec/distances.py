"""Squared distances of points to centroids: with all their digits, or by a matrix product."""

from keras import ops

_MOST_WHOLE = 2**14  # differences a point that are made at once: of 64 centroids with 256 features
_BLOCK = 2**11  # differences a point in a block of centroids


def squared_distances(points, centroids):
    """Squared Euclidean distances of points to centroids.

    Made of differences: the shorter `|x|^2 - 2xc + |c|^2` loses all digits far from the origin. Of
    many centroids they are made in blocks, and made anew for the gradient, so that they take about
    `2 ** 11` numbers a point at once, not `n_clusters * n_features`.

    Args:
        points: Float tensor (n, n_features).
        centroids: Float tensor (n_clusters, n_features), of known shape.

    Returns:
        Tensor (n, n_clusters).

    Example:
    >>> import numpy as np
    >>> from kdec.distances import squared_distances
    >>> np.array(squared_distances(np.array([[1e4, 1.0]]), np.array([[1e4, 0.0], [1e4, 3.0]])))
    array([[1., 4.]])
    """
    points, centroids = ops.convert_to_tensor(points), ops.convert_to_tensor(centroids)
    n_clusters, n_features = centroids.shape
    if n_clusters * n_features <= _MOST_WHOLE:
        return _of_differences(points, centroids)
    return _in_blocks(points, centroids)


def expanded_squared_distances(points, centroids):
    """Squared Euclidean distances by one matrix product, much faster, with fewer digits.

    `|x|^2 - 2xc + |c|^2` holds from any origin. From one amidst the centroids it keeps its digits
    for data far from 0, but not those of distances much smaller than the data's extent.

    Args:
        points: Float tensor (n, n_features).
        centroids: Float tensor (n_clusters, n_features).

    Returns:
        Non-negative tensor (n, n_clusters).

    Example:
    >>> import numpy as np
    >>> from kdec.distances import expanded_squared_distances
    >>> np.array(expanded_squared_distances(np.array([[1e4]]), np.array([[1e4], [1e4 - 3]])))
    array([[0., 9.]])
    """
    # The result does not depend on the origin, so no gradient need pass.
    origin = ops.stop_gradient(ops.mean(centroids, axis=0))
    points, centroids = points - origin, centroids - origin
    distances = (
        ops.sum(ops.square(points), axis=-1, keepdims=True)
        - 2.0 * ops.matmul(points, ops.transpose(centroids))
        + ops.sum(ops.square(centroids), axis=-1)
    )
    return ops.maximum(distances, 0.0)


def _of_differences(points, centroids):
    return ops.sum(ops.square(_differences(points, centroids)), axis=-1)


def _differences(points, centroids):
    return ops.expand_dims(points, 1) - centroids


@ops.custom_gradient
def _in_blocks(points, centroids):
    """The same, block by block of the centroids."""
    n_clusters, n_features = centroids.shape
    size = max(1, _BLOCK // n_features)
    n_blocks = -(-n_clusters // size)
    missing = n_blocks * size - n_clusters  # in the last block

    padded = ops.pad(centroids, ((0, missing), (0, 0)))
    blocks = ops.reshape(padded, (n_blocks, size, n_features))
    distances = ops.map(lambda block: _of_differences(points, block), blocks)
    distances = ops.reshape(ops.moveaxis(distances, 0, 1), (-1, n_blocks * size))

    def gradient(*args, upstream=None):
        # Backends pass it in two ways.
        weights = args[0] if upstream is None else upstream
        weights = ops.reshape(ops.pad(weights, ((0, 0), (0, missing))), (-1, n_blocks, size))
        weights = ops.moveaxis(weights, 1, 0)

        def weighted(block, weights):
            return ops.expand_dims(2.0 * weights, -1) * _differences(points, block)

        of_points = ops.fori_loop(
            0,
            n_blocks,
            lambda i, total: total + ops.sum(weighted(blocks[i], weights[i]), axis=1),
            ops.zeros_like(points),
        )
        of_centroids = ops.map(lambda block: -ops.sum(weighted(*block), axis=0), (blocks, weights))
        return of_points, ops.reshape(of_centroids, (-1, n_features))[:n_clusters]

    return distances[:, :n_clusters], gradient
