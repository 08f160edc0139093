"""Nearest neighbours against scikit-learn's exhaustive search."""

import sys
import types

import keras
import numpy as np
import pytest
import sklearn.decomposition
import sklearn.neighbors

import kdec
from kdec.neighbors import search, table


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def by_scikit_learn(points, k):
    """Neighbours (n, k) and their distances."""
    tree = sklearn.neighbors.NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    distances, neighbors = tree.kneighbors()  # Without points given, none is its own neighbour.
    return neighbors, distances


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "d", "k"), [(2, 1, 1), (50, 3, 49), (300, 64, 10), (3001, 7, 20)])
def test_neighbors_are_those_of_scikit_learn(n, d, k, dtype, rng):
    x = rng.normal(size=(n, d)).astype(dtype)
    found = kdec.nearest_neighbors(x, k)
    assert (found.shape, found.dtype) == ((n, k), np.int32)
    np.testing.assert_array_equal(found, by_scikit_learn(x, k)[0])


def test_several_blocks_give_what_one_gives(monkeypatch, rng):
    x = rng.normal(size=(1003, 5))
    whole = kdec.nearest_neighbors(x, 4)
    monkeypatch.setattr(table, "_BLOCK", 100 * len(x))
    np.testing.assert_array_equal(kdec.nearest_neighbors(x, 4), whole)


def test_wide_samples_are_compared_by_their_principal_components(rng):
    x = (rng.normal(size=(400, 20)) @ rng.normal(size=(20, 100)) + 3).reshape(400, 10, 10, 1)
    components = sklearn.decomposition.PCA(8).fit_transform(x.reshape(400, -1))
    expected, _ = by_scikit_learn(components, 5)
    np.testing.assert_array_equal(kdec.nearest_neighbors(x, 5, n_components=8), expected)


@pytest.mark.parametrize("d", [8, 80])
def test_data_far_from_the_origin_lose_nothing(d, rng):
    x = rng.integers(0, 64, size=(500, d))
    far = (x + 2**16).astype("float32")  # Exact, but for squares of it.
    expected = by_scikit_learn(x, 5)[1]
    found = kdec.nearest_neighbors(far, 5, n_components=d)
    distances = np.sqrt(((x[:, None] - x[found]) ** 2).sum(axis=-1))
    np.testing.assert_allclose(np.sort(distances), expected, rtol=1e-4 if d > 64 else 1e-12)


@pytest.mark.parametrize("n", [30, 2000])
def test_copies_are_neighbors_but_no_sample_is_its_own(n):
    found = kdec.nearest_neighbors(np.ones((n, 3)), 5)
    assert np.all(found != np.arange(n)[:, None])
    assert np.all((found >= 0) & (found < n))
    assert all(len(set(row)) == 5 for row in found.tolist())


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float16"])
def test_numbers_of_any_kind(dtype, rng):
    x = rng.integers(0, 2, size=(40, 30)).astype(dtype)
    found = kdec.nearest_neighbors(x, 3)
    x = x.astype("float64")
    distances = np.sqrt(((x[:, None] - x[found]) ** 2).sum(axis=-1))
    np.testing.assert_allclose(distances, by_scikit_learn(x, 3)[1])


@pytest.mark.parametrize(("verbose", "shown"), [("auto", False), (True, True), (False, False)])
def test_progress_bar(verbose, shown, monkeypatch, rng, capsys):
    kdec.nearest_neighbors(rng.normal(size=(100, 2)), 3, verbose=verbose)
    assert ("100/100" in capsys.readouterr().out) == shown


def test_progress_bar_from_many_samples_on(monkeypatch, rng):
    bars = []

    class Bar(keras.utils.Progbar):
        def __init__(self, *args, verbose, **kwargs):
            super().__init__(*args, verbose=0, **kwargs)
            bars.append(verbose)

    monkeypatch.setattr(keras.utils, "Progbar", Bar)
    monkeypatch.setattr(search, "_BAR_FROM", 50)
    for n in (49, 50):
        kdec.nearest_neighbors(rng.normal(size=(n, 2)), 3)
    assert bars == [0, 1]


@pytest.mark.parametrize(
    ("x", "k", "message"),
    [
        (np.ones(5), 2, r"Expected `x` to hold real numbers, shape \(n, ...\).* shape \(5,\)"),
        (np.ones((0, 3)), 2, r"Received: shape \(0, 3\)"),
        (np.array([["a"], ["b"]]), 1, "Received: shape .*, dtype <U1"),
        (np.array([[1.0], [np.nan], [0.0]]), 1, "Expected finite values in `x`"),
        (np.array([[1.0], [np.inf], [0.0]]), 1, "Expected finite values in `x`"),
        (np.ones((5, 2)), 5, "Expected `n_neighbors` below 5, the samples. Received: 5"),
        (np.ones((5, 2)), 0, "Expected `n_neighbors` to be a positive int. Received"),
        (np.ones((5, 2)), 2.0, "Expected `n_neighbors` to be a positive int. Received"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_came(x, k, message):
    with pytest.raises(ValueError, match=message):
        kdec.nearest_neighbors(x, k)


def test_thousands_of_digits_have_the_neighbors_of_scikit_learn():
    x = kdec.load_data("mnist-5k").flat
    components = sklearn.decomposition.PCA(50, random_state=0).fit_transform(x - x.mean(axis=0))
    expected, distances = by_scikit_learn(components, 10)
    found = kdec.nearest_neighbors(x, 10)
    assert np.mean(found == expected) > 0.999
    own = np.sqrt(((components[:, None] - components[found]) ** 2).sum(axis=-1))
    np.testing.assert_allclose(own, distances, rtol=1e-4)


def test_samples_on_the_disk_have_the_neighbors_of_those_in_memory(tmp_path, rng):
    wide = (rng.normal(size=(800, 5)) @ rng.normal(size=(5, 80)) + 3).astype("float32")
    for x in (wide, wide[:, :6].reshape(800, 2, 3)):
        np.save(tmp_path / "x.npy", x)
        stored = np.load(tmp_path / "x.npy", mmap_mode="r")
        options = {"n_neighbors": 4, "n_components": 5}
        found = kdec.nearest_neighbors(stored, **options)
        np.testing.assert_array_equal(found, kdec.nearest_neighbors(x, **options))
    np.save(tmp_path / "x.npy", np.array([[1.0], [np.nan], [0.0]]))
    with pytest.raises(ValueError, match="Expected finite values in `x`"):
        kdec.nearest_neighbors(np.load(tmp_path / "x.npy", mmap_mode="r"), 1)


class Index:
    """An index that misses the nearest neighbour of row 0, and all of row 1."""

    def __init__(self, points, n_neighbors, random_state):
        tree = sklearn.neighbors.NearestNeighbors(n_neighbors=n_neighbors + 1).fit(points)
        distances, found = tree.kneighbors(points)
        found[0, 1:-1] = found[0, 2:]
        found[1] = -1
        self.neighbor_graph = (found[:, :-1], distances[:, :-1])


def test_many_samples_are_searched_by_an_index_whose_recall_is_logged(monkeypatch, rng, caplog):
    x = rng.normal(size=(60, 3)).astype("float32")
    exact = kdec.nearest_neighbors(x, 4)
    monkeypatch.setattr(search, "_MOST_EXACT", 59)
    monkeypatch.setitem(sys.modules, "pynndescent", types.SimpleNamespace(NNDescent=Index))
    with caplog.at_level("INFO", logger="kdec"):
        found = kdec.nearest_neighbors(x, 4)
    np.testing.assert_array_equal(found[1:], exact[1:])  # what the index lacks is searched exactly
    np.testing.assert_array_equal(found[0, :3], exact[0, 1:])
    assert "60 samples: recall 0.996, measured on 60" in caplog.text  # 239 of 240
    np.testing.assert_array_equal(kdec.nearest_neighbors(x, 4, approximate=False), exact)


def test_without_the_library_the_search_is_exact_and_says_what_it_costs(monkeypatch, rng, caplog):
    x = rng.normal(size=(60, 3)).astype("float32")
    exact = kdec.nearest_neighbors(x, 4)
    monkeypatch.setattr(search, "_MOST_EXACT", 20)
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    np.testing.assert_array_equal(kdec.nearest_neighbors(x, 4), exact)
    assert "60 samples takes 9 times as long as among 20" in caplog.text
    with pytest.raises(ImportError, match=r"Expected pynndescent.*kdec\[approximate\]"):
        kdec.nearest_neighbors(x, 4, approximate=True)


@pytest.mark.slow
def test_pynndescent_finds_almost_all_neighbors(rng):
    x = rng.normal(size=(3000, 8)).astype("float32")
    found = kdec.nearest_neighbors(x, 10, approximate=True)
    exact = kdec.nearest_neighbors(x, 10)
    shares = [len({*own} & {*right}) / 10 for own, right in zip(found, exact, strict=True)]
    assert np.mean(shares) > 0.95
    assert np.all(found != np.arange(3000)[:, None])
