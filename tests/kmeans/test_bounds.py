"""The search with bounds finds the labels of the search for all points, to the bit."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from kdec import KMeans
from kdec.kmeans import bounds, lloyd, serial
from kdec.kmeans.bounds import BoundedSearch

K = 40


def structured(rng):
    return make_blobs(3000, 8, centers=K, cluster_std=2.0, random_state=0)[0]


def uniform(rng):
    return rng.random((3000, 8))


def duplicates(rng):
    return np.repeat(structured(rng)[:200], 15, axis=0)


def grid(rng):
    return rng.integers(0, 5, (3000, 4)).astype(float)  # many points midway between centers


def far_apart(rng):
    return np.concatenate([structured(rng), structured(rng) + 1e4])


def without_bounds(monkeypatch):
    monkeypatch.setattr(BoundedSearch, "_movers", lambda *_: None)


@pytest.fixture(autouse=True)
def for_small_data(monkeypatch):
    monkeypatch.setattr(lloyd, "_COMPILE_FROM", 0)


@pytest.mark.parametrize("offset", [0, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [structured, uniform, duplicates, grid, far_apart])
def test_bounds_change_nothing(monkeypatch, make, dtype, offset):
    monkeypatch.setattr(bounds, "_COST_OF_BOUNDS", -K)  # always used, also where they save nothing
    rng = np.random.default_rng(0)
    x = (make(rng) + offset).astype(dtype)
    options = {"init": x[rng.choice(len(x), K, replace=False)], "tol": 0, "max_iter": 30}
    weight = rng.integers(0, 3, len(x))
    for sample_weight in (None, weight):
        bounded = KMeans(K, **options).fit(x, sample_weight=sample_weight)
        with monkeypatch.context() as context:
            without_bounds(context)
            plain = KMeans(K, **options).fit(x, sample_weight=sample_weight)
        np.testing.assert_array_equal(bounded.labels_, plain.labels_)
        np.testing.assert_array_equal(bounded.cluster_centers_, plain.cluster_centers_)
        np.testing.assert_array_equal(bounded.inertia_history_, plain.inertia_history_)
        assert bounded.inertia_ == plain.inertia_


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("init", ["random", "k-means++", "empty"])
def test_fit_is_that_of_the_graph(monkeypatch, init, n_init):
    x = structured(None)
    if init == "empty":
        init = lambda X, k, random_state: np.vstack(  # noqa: E731
            [X[random_state.choice(len(X), k - 5)], np.full((5, X.shape[1]), 1e3)]
        )
    options = {"init": init, "n_init": n_init, "random_state": 0}
    weight = np.random.default_rng(0).integers(0, 3, len(x))
    here = KMeans(K, **options).fit(x, sample_weight=weight)
    monkeypatch.setattr(serial, "serves", lambda *_: False)
    graph = KMeans(K, **options).fit(x, sample_weight=weight)
    np.testing.assert_array_equal(here.labels_, graph.labels_)
    np.testing.assert_allclose(here.cluster_centers_, graph.cluster_centers_, atol=1e-9)
    np.testing.assert_allclose(here.inertia_history_, graph.inertia_history_, rtol=1e-9)
    assert here.inertia_ == pytest.approx(graph.inertia_, rel=1e-9)
    assert here.n_iter_ == graph.n_iter_


def test_most_points_are_not_searched_once_centers_move_little():
    x = structured(None)
    search, centers = BoundedSearch(x), x[:K].copy()
    shares = []
    for _ in range(12):
        labels = search.label(centers)
        shares.append(search.n_searched / len(x))
        centers = np.stack([x[labels == label].mean(axis=0) for label in range(K)])
    assert shares[0] == 1
    assert shares[-1] < 0.2


def test_points_are_searched_where_only_rounding_tells():
    """Scores of 1e3 in float32 are a multiple of 2e-4: no bound may tell such points apart."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(3000, 8)) * 1e-4 + 1e3 * rng.choice([-1, 1], (3000, 1))).astype("f4")
    search, centers = BoundedSearch(x), x[:K].copy()
    for _ in range(4):
        labels = search.label(centers)
        assert search.n_searched == len(x)
        anew = BoundedSearch(x).label(centers)
        np.testing.assert_array_equal(labels, anew)
        centers = centers + np.float32(1e-4) * rng.normal(size=centers.shape).astype("f4")


def test_one_center_that_moves_far_leaves_the_other_points_alone():
    x, k = structured(None), 200
    search, centers = BoundedSearch(x), x[:k].copy()
    search.label(centers)
    centers = centers.copy()
    centers[3] += 5
    labels = search.label(centers)
    assert 0 < search.n_searched < len(x) / 4
    np.testing.assert_array_equal(labels, BoundedSearch(x).label(centers))


def test_restarts_go_to_the_log_and_a_backup_keeps_the_graph(caplog, tmp_path):
    caplog.set_level("INFO", "kdec")
    x = structured(None)
    options = {"init": "random", "n_init": 2, "random_state": 0, "verbose": 1}
    here = KMeans(K, **options).fit(x)
    assert "restart 0: inertia" in caplog.text
    assert "restart 1: inertia" in caplog.text
    kept = KMeans(K, **options).fit(x, backup_dir=tmp_path / "backup")
    np.testing.assert_array_equal(here.labels_, kept.labels_)
