"""k-means on several workers: the clusters of one worker with all points."""

import time

import numpy as np
import pytest
import workers_at_work
from worker_processes import run_workers

import kdec

_FAR = np.array([[100.0, 100, 100], [101, 101, 101], [1e4, 0, 0], [2e4, 0, 0]])
_SETTINGS = [
    {"n_clusters": 7},
    {"n_clusters": 9, "n_init": 3},
    {"n_clusters": 8, "init": "random", "n_init": 4},
    {"n_clusters": 5, "metric": "cosine"},
    {"n_clusters": 5, "metric": "manhattan", "init": "random", "n_init": 1},
    {"n_clusters": 4, "init": _FAR},  # of which two begin empty
]


def assert_like_one_worker(results, settings):
    x = workers_at_work.points()
    for result, setting in zip(results, settings, strict=True):
        one = kdec.KMeans(random_state=0, **setting).fit(x)
        centers, labels, inertia, n_iter = result
        np.testing.assert_allclose(centers, one.cluster_centers_, rtol=1e-5)
        np.testing.assert_array_equal(labels, one.labels_)
        assert inertia == pytest.approx(one.inertia_, rel=1e-4)
        assert n_iter == one.n_iter_


def test_two_workers_find_the_clusters_of_one_and_notice_unlike_data():
    settings = [{"n_clusters": 7, "init": "random", "n_init": 2}]
    first, second = run_workers(workers_at_work.fits, 2, settings)
    assert_like_one_worker(first[0], settings)
    assert_like_one_worker(second[0], settings)
    for _, error in (first, second):
        assert error.startswith("Expected the same on all workers. Received: columns=3 on worker 0")
        assert "; columns=2 on worker 1 (127.0.0.1:" in error


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_every_setting_gives_the_clusters_of_one_worker(count):
    for results, _ in run_workers(workers_at_work.fits, count, _SETTINGS):
        assert_like_one_worker(results, _SETTINGS)


@pytest.mark.slow
def test_a_killed_worker_ends_the_others_and_the_same_fit_goes_on(tmp_path):
    start = time.monotonic()
    kept, killed, other = run_workers(workers_at_work.fit_and_die, 3, tmp_path / "backup", 1)
    assert time.monotonic() - start < 180
    assert killed == -9
    for error in (kept, other):
        assert isinstance(error, ConnectionError)
        assert "no sign of life from worker 1 (127.0.0.1:" in str(error)
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["kmeans.npz"]

    again = run_workers(workers_at_work.fit_and_die, 3, tmp_path / "backup", None)
    whole = run_workers(workers_at_work.fit_and_die, 3, tmp_path / "another", None)
    for (centers, labels, begun_at), (expected, expected_labels, _) in zip(
        again, whole, strict=True
    ):
        np.testing.assert_array_equal(centers, expected)
        np.testing.assert_array_equal(labels, expected_labels)
        assert begun_at[0] == 10
    assert not (tmp_path / "backup").exists()
