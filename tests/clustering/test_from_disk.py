"""DeepClustering of samples on the disk: the same clusters as of the array."""

import numpy as np
import pytest

import kdec
from kdec.clustering.encoding import EncoderTraining
from kdec.clustering.recipe import choose_recipe
from kdec.clustering.samples import check_images_or_vectors
from kdec.clustering.stages import Stages
from kdec.data import Shards


def assert_same(clustering, expected, x):
    np.testing.assert_array_equal(clustering.labels_, expected.labels_)
    np.testing.assert_array_equal(clustering.embedding_, expected.embedding_)
    np.testing.assert_array_equal(clustering.probabilities_, expected.probabilities_)
    np.testing.assert_array_equal(clustering.predict(x), expected.labels_)
    assert clustering.history_ == expected.history_


@pytest.mark.slow
def test_images_on_the_disk_are_clustered_as_the_array(four_digits, small, fitted, on_disk):
    x = on_disk(four_digits[0])
    assert_same(small().fit(x), fitted, x)


def test_columns_on_the_disk_are_standardised_as_those_in_memory(on_disk):
    x = np.random.default_rng(0).normal(5, 3, size=(60, 5)).astype("float32")
    recipe = choose_recipe(60)
    array, rows = (
        EncoderTraining(samples, Stages(), recipe=recipe, seed=0, verbose=0)
        for samples in (x, check_images_or_vectors(on_disk(x)))
    )
    assert isinstance(rows.inputs, Shards)
    np.testing.assert_array_equal(rows.inputs[:], array.inputs)
    np.testing.assert_allclose(array.inputs, (x - x.mean(axis=0)) / x.std(axis=0), rtol=1e-4)
    np.testing.assert_array_equal(rows.neighbors, array.neighbors)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.full((4, 3), np.nan), "Expected finite values in X"),
        (np.ones((4, 3), complex), "Expected X of real numbers"),
        (np.full((4, 3, 3), 2.0), r"Expected images with values in \[0, 1\]"),
        (np.ones(4), r"shape \(n, d\)"),
    ],
)
def test_refuses_on_the_disk_what_it_refuses_in_memory(x, message, on_disk):
    with pytest.raises(ValueError, match=message):
        kdec.DeepClustering(2).fit(on_disk(x))
