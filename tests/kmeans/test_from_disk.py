"""KMeans on points that stay on the disk, against the same points in memory."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

from kdec import KMeans
from kdec.data import read
from kdec.kmeans import disk, labeling, lloyd, points, seeding
from kdec.kmeans import share as share_module
from kdec.kmeans.share import Share
from kdec.kmeans.weights import without_zero_rows
from kdec.workers import present


@pytest.fixture(autouse=True)
def nothing_is_copied(monkeypatch):
    """Data of any size stays where it is."""
    monkeypatch.setattr(points, "_LARGEST_COPY", 0)


def samples(n=1501, d=5, dtype="float32"):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(n, d)) + rng.integers(0, 4, (n, 1)) * 2 + 50).astype(dtype)
    return x, rng.random(n).astype(dtype)


def shards_of(x, folder):
    for number, part in enumerate(np.split(x, [400, 401])):
        np.save(folder / f"{number}.npy", part)
    return read(folder).x


def memory_map_of(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def dataset_of(x, folder):
    return tf.data.Dataset.from_tensor_slices(x).batch(100)


def assert_same_fit(ours, theirs):
    """To rounding: the sums are over other chunks."""
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-6)
    np.testing.assert_allclose(ours.inertia_history_, theirs.inertia_history_, rtol=1e-6)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)


@pytest.mark.parametrize("source", [shards_of, memory_map_of, dataset_of])
def test_fit_and_predictions_are_those_in_memory(source, tmp_path):
    x, weights = samples()
    stored = source(x, tmp_path)
    options = {"n_clusters": 4, "n_init": 3, "random_state": 0}
    in_memory = KMeans(**options).fit(x, sample_weight=weights)
    kmeans = KMeans(**options).fit(stored, sample_weight=weights)
    assert_same_fit(kmeans, in_memory)
    assert kmeans.n_features_in_ == 5
    np.testing.assert_array_equal(kmeans.predict(stored), kmeans.labels_)
    np.testing.assert_array_equal(kmeans.transform(stored), kmeans.transform(x))
    assert kmeans.score(stored, sample_weight=weights) == kmeans.score(x, sample_weight=weights)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"metric": "cosine", "init": "random"}, marks=pytest.mark.slow),
        pytest.param({"metric": "manhattan"}, marks=pytest.mark.slow),
        {"init": lambda x, k, random_state: x[random_state.permutation(len(x))[:k]]},
        {"init": samples()[0][[0, 0, 1, 2]]},  # the second cluster is empty, and relocated
    ],
)
def test_each_way_to_fit_is_that_in_memory(options, tmp_path):
    x, weights = samples()
    x[7] = 0
    options = {"n_clusters": 4, "max_iter": 5, "random_state": 0, "n_init": 1, **options}
    ours = KMeans(**options).fit(shards_of(x, tmp_path), sample_weight=weights)
    assert_same_fit(ours, KMeans(**options).fit(x, sample_weight=weights))


@pytest.mark.slow
def test_compiled_search_is_that_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lloyd, "_COMPILE_FROM", 0)
    x, _ = samples()
    kmeans = KMeans(4, random_state=0, max_iter=3)
    ours = kmeans.fit(shards_of(x, tmp_path)).labels_
    np.testing.assert_array_equal(ours, kmeans.fit(x).labels_)


def test_rows_are_floats_and_of_length_one_where_the_metric_asks(tmp_path):
    x = samples()[0].astype("uint8")
    x[7] = 0
    rows = disk.DiskRows(shards_of(x, tmp_path))
    assert rows.dtype == rows[:2].dtype == np.float64
    scaled = points.unit_rows(rows)
    np.testing.assert_array_equal(scaled[:9], points.unit_rows(x[:9].astype(float)))
    weights, inertia = without_zero_rows(scaled, np.full(len(x), 2.0), 4, present())
    assert (weights[7], inertia, weights.sum()) == (0, 2, 2 * len(x) - 2)


def test_small_data_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "_LARGEST_COPY", 2**20)
    monkeypatch.setattr(disk, "read_chunk", None)
    x, _ = samples()
    ours = KMeans(4, random_state=0).fit(shards_of(x, tmp_path))
    assert_same_fit(ours, KMeans(4, random_state=0).fit(x))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value, tmp_path):
    x, _ = samples()
    fitted = KMeans(4, random_state=0).fit(x)
    x[-1, 2] = value
    stored = shards_of(x, tmp_path)
    for refuse in (KMeans(4).fit, fitted.predict, fitted.score):
        with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
            refuse(stored)
    assert disk._readers == {}


def test_other_shapes_are_refused(tmp_path):
    x, _ = samples()
    fitted = KMeans(4, random_state=0).fit(x)
    with pytest.raises(ValueError, match="X has 4 features, but KMeans is expecting 5"):
        fitted.predict(shards_of(x[:, :4], tmp_path))
    with pytest.raises(ValueError, match=r"Expected real numbers of shape.*\(1501, 5, 1\)"):
        fitted.fit(memory_map_of(x[..., np.newaxis], tmp_path))
    with pytest.raises(ValueError, match="n_samples=3 with n_clusters=4"):
        fitted.fit(memory_map_of(x[:3], tmp_path))


def test_the_next_chunk_is_read_while_one_is_computed():
    started = [threading.Event() for _ in range(4)]

    class Rows:
        def __len__(self):
            return 40

        def __getitem__(self, rows):
            started[rows.start // 10].set()
            return np.arange(rows.start, min(rows.stop, 40))

    with disk._reading_ahead(Rows()) as reader:
        for number in range(3):
            assert reader.read(10 * number, 10)[0] == 10 * number
            assert started[number + 1].wait(5)
        assert reader.read(39, 1).tolist() == [39]  # between chunks, and not the next one
        assert reader.read(30, 10).tolist() == list(range(30, 40))
        assert reader.read(0, 10).tolist() == list(range(10))
        assert reader.read(0, 15).tolist() == list(range(15))


def test_partial_fit_moves_centers_as_scikit_learn_does():
    x, weights = samples(600)
    options = {"init": x[:5], "n_init": 1}
    ours, theirs = KMeans(5, **options), MiniBatchKMeans(5, reassignment_ratio=0, **options)
    for start in range(0, 600, 120):
        rows = slice(start, start + 120)
        for kmeans in (ours, theirs):
            kmeans.partial_fit(x[rows], sample_weight=weights[rows])
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-6)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-4)
    assert ours.cluster_centers_.dtype == np.float32


def test_partial_fit_after_fit_goes_on_with_the_weight_of_the_points():
    x = np.array([[0], [2], [10]], np.float32)
    kmeans = KMeans(2, init=[[1], [10]], n_init=1).fit(x, sample_weight=[1, 3, 1])
    kmeans.partial_fit(np.array([[3.5], [3.5]], np.float32))
    np.testing.assert_allclose(kmeans.cluster_centers_, [[(6 + 7) / 6], [10]])


@pytest.mark.slow
def test_partial_fit_of_directions_leaves_centers_of_length_one():
    x, _ = samples(200)
    kmeans = KMeans(3, metric="cosine", random_state=0)
    kmeans.partial_fit(x[:100]).partial_fit(x[100:])
    np.testing.assert_allclose(np.linalg.norm(kmeans.cluster_centers_, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(kmeans.predict(x[100:]), kmeans.labels_)


def test_partial_fit_refuses_what_it_cannot_begin_or_go_on_with():
    with pytest.raises(ValueError, match="n_samples=2 with n_clusters=3"):
        KMeans(3).partial_fit(np.eye(2))
    kmeans = KMeans(2, random_state=0).partial_fit(np.eye(2, dtype="float32"))
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2"):
        kmeans.partial_fit(np.eye(3))


def test_labels_that_are_found_part_by_part_are_those_of_all_at_once(tmp_path, monkeypatch):
    x, _ = samples()
    nearest = np.square(x[:, np.newaxis] - x[:4]).sum(axis=2).argmin(axis=1)
    monkeypatch.setattr(labeling, "_CHUNKS", 2)
    for rows in (256, 751, 2000):
        with points.opened(disk.DiskRows(shards_of(x, tmp_path)), x[0]) as stored:
            labels = labeling.label(stored, len(x), x[:4] - x[0], rows, metric="euclidean")
        np.testing.assert_array_equal(labels, nearest)


def test_weights_are_taken_as_they_lie_and_left_as_they_were():
    values = points.aligned(np.arange(10, dtype=np.float32))
    assert points.aligned(values) is values
    assert points.shared(values).numpy().tolist() == list(range(10))
    shifted, locked = values[1:], values.copy()
    locked.flags.writeable = False
    for others in (shifted, locked, np.repeat(values, 2)[::2]):
        copy = points.aligned(others)
        assert not np.shares_memory(copy, others) and copy.ctypes.data % 64 == 0
        np.testing.assert_array_equal(copy, others)
    x, weights = samples()
    before = weights.copy()
    KMeans(4, init="random", random_state=0, max_iter=2).fit(x, sample_weight=weights)
    np.testing.assert_array_equal(weights, before)


@pytest.mark.parametrize("at_once", [7, 30, 2**20])
def test_random_points_are_those_that_numpy_draws(at_once, monkeypatch):
    monkeypatch.setattr(share_module, "_WEIGHTS", at_once)
    share = Share(present(), 30)
    for seed in range(20):
        weights = np.random.default_rng(seed).random(30) ** 8
        theirs = np.random.RandomState(seed).choice(
            30, size=25, replace=False, p=weights / weights.sum()
        )
        ours = seeding.random_points(np.random.RandomState(seed), weights, 25, 1, share)
        np.testing.assert_array_equal(ours[0], theirs)
