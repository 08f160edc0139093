"""Neighbours over views against all distances at once, and what they are for."""

import keras
import numpy as np
import pytest

import kdec
from kdec.neighbors import over_views, table


@pytest.fixture
def rng():
    return np.random.default_rng(0)


class InTurn(keras.layers.Layer):
    """Gives one view after another of those there are, each of all rows; no chance is in it."""

    def __init__(self, views):
        super().__init__()
        self._views, self._next = views, 0

    def call(self, inputs, training=False):
        assert training
        self._next += 1
        return keras.ops.convert_to_tensor(self._views[self._next - 1])


def by_all_distances(x, views, k, rank=7):
    """Neighbours (n, k) by the definition; `views` (n_views, n, d) may be any."""
    squared = np.square(x[:, None] - x).sum(axis=-1)
    for view in views:
        seen = np.square(view[:, None] - x).sum(axis=-1)
        squared = np.minimum(squared, np.minimum(seen, seen.T))
    np.fill_diagonal(squared, np.inf)
    scale = np.sqrt(np.sort(squared, axis=1)[:, rank - 1])
    return np.argsort(squared / np.multiply.outer(scale, scale), axis=1)[:, :k]


@pytest.mark.parametrize("d", [5, 12])
def test_neighbors_are_those_of_the_definition(d, rng):
    x = rng.normal(size=(40, d)) * rng.uniform(0.1, 3, size=(40, 1))  # dense here, thin there
    views = x + rng.normal(size=(3, 40, d))
    found = kdec.neighbors_over_views(x, InTurn(views), 13, n_views=3, n_components=d)
    assert (found.shape, found.dtype) == ((40, 13), np.int32)
    # float32, in which views come, decides no tie here: all 39 others are candidates.
    np.testing.assert_array_equal(found, by_all_distances(x, views.astype("float32"), 13))


def test_blocks_give_what_one_gives(monkeypatch, rng):
    x, noise = rng.normal(size=(103, 4)), kdec.views.RandomNoise(0.0)
    whole = kdec.neighbors_over_views(x, noise, 4, n_views=1)
    monkeypatch.setattr(table, "_BLOCK", 10 * len(x))
    np.testing.assert_array_equal(kdec.neighbors_over_views(x, noise, 4, n_views=1), whole)
    monkeypatch.setattr(over_views, "_SEEN_AT_ONCE", 7)
    np.testing.assert_array_equal(kdec.neighbors_over_views(x, noise, 4, n_views=1), whole)


def test_wide_samples_are_compared_by_their_principal_components(rng):
    x = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 90)) + 3  # of rank 6
    views = x + rng.normal(size=(2, 40, 6)) @ rng.normal(size=(6, 90))
    found = kdec.neighbors_over_views(x, InTurn(views), 5, n_views=2, n_components=6)
    axes = np.linalg.svd(x - x.mean(axis=0))[2][:6].T
    expected = by_all_distances(x @ axes, views.astype("float32") @ axes, 5)
    np.testing.assert_array_equal(found, expected)


def test_more_neighbors_of_a_small_class_are_of_it():
    data = kdec.load_data("mnist-unequal", seed=102)
    small = np.flatnonzero(data.y == np.bincount(data.y).argmin())
    views = kdec.views.RandomAffine(seed=0)
    found = kdec.neighbors_over_views(data.x, views, 10, n_views=8, verbose=False)
    plain = kdec.nearest_neighbors(data.x, 10)
    own, before = ((data.y[each[small]] == data.y[small[0]]).mean() for each in (found, plain))
    assert own > before + 0.1
    again = kdec.neighbors_over_views(
        data.x, kdec.views.RandomAffine(seed=0), 10, n_views=8, verbose=False
    )
    np.testing.assert_array_equal(again, found)


def test_copies_are_neighbors_but_no_sample_is_its_own():
    found = kdec.neighbors_over_views(np.ones((60, 3)), kdec.views.RandomNoise(0.0), 5, n_views=2)
    assert np.all(found != np.arange(60)[:, None])
    assert all(len(set(row)) == 5 for row in found.tolist())


def test_few_samples(rng):
    x, views = rng.normal(size=(3, 2)), kdec.views.RandomNoise(0.1, seed=0)
    found = kdec.neighbors_over_views(x, views, 2, n_views=2)
    np.testing.assert_array_equal(np.sort(found), [[1, 2], [0, 2], [0, 1]])


@pytest.mark.parametrize(("verbose", "shown"), [("auto", False), (True, True)])
def test_progress_bar(verbose, shown, rng, capsys):
    noise = kdec.views.RandomNoise(0.1)
    kdec.neighbors_over_views(rng.normal(size=(50, 2)), noise, 3, n_views=2, verbose=verbose)
    assert ("3/3" in capsys.readouterr().out) == shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.ones(5)}, r"Expected `x` to hold real numbers, shape \(n, ...\)"),
        ({"x": np.array([[1.0], [np.nan], [0.0]])}, "Expected finite values in `x`"),
        ({"n_neighbors": 5}, "Expected `n_neighbors` below 5, the samples. Received: 5"),
        ({"n_neighbors": 0}, "Expected `n_neighbors` to be a positive int"),
        ({"n_views": 0}, "Expected `n_views` to be a positive int"),
        ({"n_components": 1.0}, "Expected `n_components` to be a positive int"),
        (
            {"views": keras.layers.Dense(3)},
            r"Expected views of shape \(5, 2\), as the samples. Received: \(5, 3\)",
        ),
        ({"views": keras.layers.Rescaling(np.inf)}, "Expected finite views"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_came(options, message):
    arguments = {"x": np.ones((5, 2)), "views": kdec.views.RandomNoise(0.1), "n_neighbors": 2}
    with pytest.raises(ValueError, match=message):
        kdec.neighbors_over_views(**{**arguments, **options})


def test_views_that_are_no_layer_are_an_error():
    with pytest.raises(TypeError, match="Expected `views` to be a Keras layer"):
        kdec.neighbors_over_views(np.ones((5, 2)), 64)
