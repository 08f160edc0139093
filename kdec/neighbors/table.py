"""An exact search for the points that are nearest to others, by blocks of matrix products."""

import functools

import numpy as np
import tensorflow as tf

_BLOCK = 2**25  # scores at once, 128 MiB
_GROUP = 32  # points, of which only the nearest counts at first


class Table:
    """Points that are searched, and how many of the nearest are wanted.

    Args:
        points: Float array (n, d), around 0.
        n_candidates: Positive int, at most n.
    """

    def __init__(self, points: np.ndarray, n_candidates: int):
        self._points, self._bias, self._n_groups = _as_table(points, n_candidates)
        self._n_candidates = n_candidates
        self._search = _search(points.dtype.name)
        self.n_queries = max(1, _BLOCK // len(points))  # at once

    def nearest(self, queries: np.ndarray) -> np.ndarray:
        """Return the points that are nearest to each query.

        Args:
            queries: Array (m, d) of the points' type, m at most `n_queries`.

        Returns:
            Int32 array (m, n_candidates), the nearest first.
        """
        return self._search(
            tf.constant(queries), self._points, self._bias, self._n_groups, self._n_candidates
        ).numpy()


def without_self(candidates: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Drop of each row of `candidates` (m, k + 1) the sample itself, or else the farthest."""
    dropped = candidates == rows[:, None]
    dropped[~dropped.any(axis=1), -1] = True
    return candidates[~dropped].reshape(len(candidates), -1)


def _as_table(points, n_candidates):
    """The points as a tensor (n', d), half their squared length (n',), and the number of groups.

    Points g, g + n_groups, g + 2 n_groups, ... are group g. Points that fill the last groups up
    are infinitely far from all others.
    """
    n = len(points)
    # With few groups to choose from, each point is a group of its own.
    n_groups = -(-n // _GROUP) if n >= 2 * _GROUP * n_candidates else n
    surplus = -n % n_groups
    table = np.pad(points, ((0, surplus), (0, 0)))
    bias = np.pad(np.square(points).sum(axis=1) / 2, (0, surplus), constant_values=np.inf)
    return tf.constant(table), tf.constant(bias), n_groups


@functools.cache
def _search(dtype):
    """`_nearest_in_table` as a graph for tables of any size and of the type `dtype`."""
    matrix, number = tf.TensorSpec([None, None], dtype), tf.TensorSpec([], tf.int32)
    signature = [matrix, matrix, tf.TensorSpec([None], dtype), number, number]
    return tf.function(_nearest_in_table, input_signature=signature)


def _nearest_in_table(queries, table, bias, n_groups, n_candidates):
    """The rows (m, n_candidates) of `table` that are nearest to `queries` (m, d), nearest first.

    The n_candidates best scores lie in the n_candidates groups with the best scores: to find these
    takes one pass over all scores, a sort of all would take several.
    """
    scores = tf.matmul(queries, table, transpose_b=True) - bias
    grouped = tf.reshape(scores, (tf.shape(queries)[0], -1, n_groups))
    groups = tf.math.top_k(tf.reduce_max(grouped, axis=1), n_candidates).indices
    members = n_groups * tf.range(tf.shape(grouped)[1])[:, None] + groups[:, None, :]
    members = tf.reshape(members, (tf.shape(queries)[0], -1))
    best = tf.math.top_k(tf.gather(scores, members, batch_dims=1), n_candidates).indices
    return tf.gather(members, best, batch_dims=1)
