"""k-means by compiled loops is that of the TensorFlow graph."""

import numpy as np
import pytest
from sklearn.cluster import KMeans as ScikitLearn
from sklearn.datasets import make_blobs

from kdec import KMeans
from kdec.kmeans import compiled, in_memory
from kdec.workers import present

K = 40


def structured(n=3000, d=8):
    return make_blobs(n, d, centers=K, cluster_std=2.0, random_state=0)[0]


def with_empty_clusters(X, k, random_state):
    return np.vstack([X[random_state.choice(len(X), k - 5)], np.full((5, X.shape[1]), 1e3)])


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize("init", ["random", "k-means++", with_empty_clusters])
def test_fit_is_that_of_the_graph(monkeypatch, init, n_init):
    x = structured()
    options = {"init": init, "n_init": n_init, "random_state": 0}
    weight = np.random.default_rng(0).integers(0, 3, len(x))
    here = KMeans(K, **options).fit(x, sample_weight=weight)
    monkeypatch.setattr(in_memory, "serves", lambda *_: False)
    graph = KMeans(K, **options).fit(x, sample_weight=weight)
    np.testing.assert_array_equal(here.labels_, graph.labels_)
    np.testing.assert_allclose(here.cluster_centers_, graph.cluster_centers_, atol=1e-9)
    np.testing.assert_allclose(here.inertia_history_, graph.inertia_history_, rtol=1e-9)
    assert here.inertia_ == pytest.approx(graph.inertia_, rel=1e-9)
    assert here.n_iter_ == graph.n_iter_


@pytest.mark.parametrize("d", [1, 32, 33, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_features(dtype, d):
    x = structured(1500, d).astype(dtype)
    options = {"n_init": 2, "random_state": 0, "tol": 0}
    ours, theirs = KMeans(7, **options).fit(x), ScikitLearn(7, **options).fit(x)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-5)


@pytest.mark.parametrize("change", ["read-only", "not aligned", "in columns"])
def test_any_array_of_the_same_values(change):
    x = structured(300).astype("float32")
    other = x.copy(order="F" if change == "in columns" else "C")
    if change == "not aligned":
        other = np.frombuffer(b"0" + x.tobytes(), np.uint8)[1:].view("float32").reshape(x.shape)
    other.flags.writeable = False
    ours, expected = (KMeans(5, random_state=0).fit(each) for each in (other, x))
    np.testing.assert_array_equal(ours.labels_, expected.labels_)
    np.testing.assert_array_equal(ours.cluster_centers_, expected.cluster_centers_)


@pytest.mark.parametrize("limit", ["_MOST_LABELS", "_MOST_SUMS"])
def test_restarts_that_go_on_in_batches_are_those_of_all_at_once(monkeypatch, limit):
    x = structured()
    options = {"init": "random", "n_init": 5, "random_state": 0}
    at_once = KMeans(K, **options).fit(x)
    monkeypatch.setattr(in_memory, limit, 2 * (len(x) if limit == "_MOST_LABELS" else K * 8))
    in_batches = KMeans(K, **options).fit(x)
    np.testing.assert_array_equal(in_batches.labels_, at_once.labels_)
    np.testing.assert_array_equal(in_batches.inertia_history_, at_once.inertia_history_)


def test_restarts_go_to_the_log_and_a_backup_keeps_the_graph(caplog, tmp_path):
    caplog.set_level("INFO", "kdec")
    x = structured()
    options = {"init": "random", "n_init": 2, "random_state": 0, "verbose": 1}
    here = KMeans(K, **options).fit(x)
    assert "restart 0: inertia" in caplog.text
    assert "restart 1: inertia" in caplog.text
    kept = KMeans(K, **options).fit(x, backup_dir=tmp_path / "backup")
    np.testing.assert_array_equal(here.labels_, kept.labels_)


def test_large_wide_data_is_left_to_the_subspaces():
    wide, few = np.zeros((4000, 200)), np.zeros((400, 200))
    assert in_memory.serves(few, 1000, "euclidean", present())
    assert not in_memory.serves(wide, 1000, "euclidean", present())
    assert not in_memory.serves(few, 1000, "cosine", present())


def test_without_a_folder_for_compiled_code_it_is_compiled_anew(monkeypatch):
    def no_folder(*_, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function")
        return lambda function: options

    monkeypatch.setattr("numba.njit", no_folder)
    assert compiled._compiled(None)["nogil"]
