"""What DeepClustering is made of: its rule, its layers, the scale of columns."""

import keras
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from kdec.clustering.contrast import diffuse_where_possible, parted
from kdec.clustering.model import apply_in_batches
from kdec.clustering.neighbor_vote import NeighborVote
from kdec.clustering.network_input import NetworkInput, column_scale
from kdec.clustering.recipe import choose_network, choose_recipe, why_not_deep
from kdec.clustering.standardization import Standardization


def steps(n):
    recipe = choose_recipe(n, 10)
    return recipe.epochs * (n // recipe.batch_size)


def test_from_fifty_samples_to_a_million_training_has_hundreds_to_thousands_of_steps():
    assert [steps(n) for n in (50, 300, 1_797, 5_000)] == [400, 400, 420, 1140]
    assert [choose_recipe(n, 10).epochs for n in (70_000, 1_000_000)] == [14, 2]
    assert steps(1_000_000) == 3906
    assert [choose_recipe(n, 10).batch_size for n in (50, 19_999, 20_000)] == [50, 256, 512]


def test_rounds_of_self_labelling_have_a_hundred_steps_or_more():
    passes = [choose_recipe(n, 10).passes for n in (1_000, 1_500, 5_000, 70_000, 1_000_000)]
    assert passes == [34, 20, 6, 6, 1]


def test_small_clusters_have_few_neighbors():
    assert choose_recipe(150, 3).n_neighbors == 10
    assert choose_recipe(150, 10).n_neighbors == 5
    assert choose_recipe(8, 8).n_neighbors == 1
    assert choose_recipe(600).n_neighbors == 10
    assert choose_recipe(60).n_neighbors == 1


def test_large_images_take_convolutions():
    assert choose_network((28, 28)) == "conv"
    assert choose_network((21, 400, 3)) == "conv"
    assert choose_network((20, 400, 3)) == choose_network((784,)) == "dense"


def test_few_samples_or_features_are_not_worth_an_encoder():
    assert why_not_deep(999, (5,)).startswith("999 rows are few")
    assert why_not_deep(199, (8, 8)).startswith("199 images are few")
    assert why_not_deep(10**6, (2,)).startswith("samples of 2 features")
    assert why_not_deep(1000, (5,)) is why_not_deep(200, (8, 8)) is None


def test_pairs_of_neighbors_that_labels_part_are_counted():
    neighbors = np.array([[1, 2], [0, 2], [3, 1], [2, 3]])
    assert parted(neighbors, np.array([0, 0, 1, 1])) == 3 / 8


def test_labels_stay_as_they_are_where_a_cluster_has_one_sample_or_none():
    codes = np.arange(12.0)[:, None]
    for labels in (np.array([0] * 11 + [1]), np.zeros(12, int)):
        shares = diffuse_where_possible(codes, labels, 2, n_neighbors=5)
        assert np.array_equal(shares.argmax(axis=1), labels)


def test_vote_is_that_of_the_neighbors_classifier_of_scikit_learn():
    rng = np.random.default_rng(0)
    prototypes, codes = rng.normal(1000, 1, (60, 3)), rng.normal(1000, 1, (20, 3))
    labels = rng.integers(0, 4, 60)
    layer = NeighborVote(60, 4, n_neighbors=7)
    layer.build((None, 3))
    layer.prototypes.assign(prototypes)
    layer.shares.assign(np.eye(4)[labels])
    expected = KNeighborsClassifier(7).fit(prototypes, labels).predict_proba(codes)
    np.testing.assert_allclose(layer(codes), expected, atol=1e-6)


def test_columns_are_standardised_as_by_scikit_learn_and_come_back():
    rng = np.random.default_rng(0)
    x = rng.normal([1, -50, 0, 7.1], [2, 5, 1e-12, 0], (40, 4)).astype("float32")
    samples = NetworkInput((4,), (4,), column_scale(x))
    expected = StandardScaler().fit_transform(x.astype("float64"))
    np.testing.assert_allclose(samples.apply(x), expected, atol=1e-5)
    inputs = keras.Input((4,))
    nothing = keras.Model(inputs, keras.layers.Identity()(inputs))
    np.testing.assert_allclose(samples.before(nothing)(x), expected, atol=1e-4)
    back = apply_in_batches(samples.after(nothing), samples.apply(x))
    np.testing.assert_allclose(back, x, rtol=1e-5)


@pytest.mark.parametrize(
    "layer", [NeighborVote(5, 2, 3), Standardization([1.0, 2.0], [3.0, 4.0], invert=True)]
)
def test_config_of_a_layer_is_complete(layer):
    rebuilt = type(layer).from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()
