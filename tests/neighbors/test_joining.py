"""Parts joined along the neighbours: clusters of any size and shape, and what is refused."""

import numpy as np
import pytest
from sklearn.datasets import make_moons

from kdec import KMeans, join_clusters, metrics


def parts_of(x, n_parts):
    return KMeans(n_parts, n_init=1, random_state=0).fit_predict(x)


def test_two_moons_are_found_where_kmeans_cuts_them():
    x, y = make_moons(600, noise=0.05, random_state=0)
    joined = join_clusters(x, parts_of(x, 30), 2).argmax(axis=1)
    assert metrics.accuracy(y, parts_of(x, 2)) < 0.9
    assert metrics.accuracy(y, joined) == 1


def test_small_class_beside_a_large_one_that_is_wide():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [900, 45, 300])
    middles, widths = np.array([[0, 0], [7, 0], [0, 9]])[y], np.array([1, 0.3, 1])[y]
    x = middles + widths[:, np.newaxis] * rng.normal(size=(len(y), 2))
    joined = join_clusters(x, parts_of(x, 30), 3).argmax(axis=1)
    assert metrics.accuracy(y, joined) > 0.995


def test_smaller_part_goes_where_most_of_its_links_go():
    # Each sample's nearest neighbour: the last part, of one sample, links to the second.
    x = np.array([[0.0], [1], [10], [11], [13]])
    shares = join_clusters(x, [0, 0, 1, 1, 2], 2, n_neighbors=1, n_passes=1)
    np.testing.assert_array_equal(shares, [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    assert shares.dtype == np.float32


def test_as_many_clusters_as_parts_are_the_diffused_parts():
    x = np.random.default_rng(0).normal(size=(60, 3))
    parts = parts_of(x, 4)
    shares = join_clusters(x, parts, 4, n_neighbors=2, n_passes=1)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert (shares.argmax(axis=1) == parts).mean() > 0.7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 4}, "Expected `assignments` to have at least 4 parts. Received: 3"),
        ({"n_clusters": 0}, "Expected `n_clusters` to be a positive int"),
        ({"n_passes": 1.5}, "Expected `n_passes` to be a positive int"),
        (
            {"assignments": [0, 0, 2, 2]},
            r"Expected a sample in each cluster. Received: none in \[1",
        ),
        ({"assignments": [0, 1]}, "Expected `assignments` to be labels, ints of shape"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    options = {"assignments": [0, 0, 1, 2], "n_clusters": 2, "n_neighbors": 1, **options}
    with pytest.raises(ValueError, match=message):
        join_clusters(np.arange(4.0)[:, np.newaxis], **options)
