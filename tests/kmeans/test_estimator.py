"""KMeans against scikit-learn, float64 NumPy formulas and hand-worked numbers."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import cluster
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import kdec
from kdec import KMeans
from kdec.kmeans import in_memory, labeling, lloyd, nearest, points

SIX_POINTS = np.array([[1.0, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])


SEEDS_BY_ROW = (
    "The seeds are drawn by row, so a weight of 2 and two rows draw different seeds; "
    "scikit-learn's KMeans fails this check for the same reason."
)


@parametrize_with_checks(
    [KMeans(n_clusters=3, max_iter=20)],
    expected_failed_checks=lambda _: {
        f"check_sample_weight_equivalence_on_{kind}_data": SEEDS_BY_ROW
        for kind in ("dense", "sparse")
    },
)
def test_scikit_learn_estimator_check(estimator, check):
    check(estimator)


def blobs(n=400, d=6, k=5, dtype=np.float64, seed=0):
    x, _ = make_blobs(n, d, centers=k, cluster_std=2.0, random_state=seed)
    return x.astype(dtype)


def start(x, k, seed=0):
    return x[np.random.RandomState(seed).choice(len(x), k, replace=False)]


def assert_equals_scikit_learn(x, init, sample_weight=None, **options):
    k = len(init)
    ours = KMeans(k, init=init, n_init=1, **options).fit(x, sample_weight=sample_weight)
    theirs = cluster.KMeans(k, init=init, n_init=1, **options).fit(x, sample_weight=sample_weight)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5, abs=1e-12)
    assert ours.n_iter_ == theirs.n_iter_
    rounding = 1e-4 if x.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(
        ours.cluster_centers_, theirs.cluster_centers_, rtol=rounding, atol=rounding
    )
    assert ours.cluster_centers_.dtype == x.dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "load",
    [
        blobs,
        lambda: load_iris().data,
        lambda: load_digits().data,
        lambda: kdec.load_data("mnist-5k").flat,
    ],
    ids=["blobs", "iris", "digits", "mnist-5k"],
)
def test_same_start_gives_scikit_learns_clustering(load, dtype):
    x = load().astype(dtype)
    assert_equals_scikit_learn(x, start(x, 7, seed=1))  # from seed 0, an iris lies midway


def test_function_places_the_centroids_of_each_restart():
    x, seen = blobs(), []

    def some_rows(X, n_clusters, random_state):
        seen.append(random_state.permutation(len(X))[:n_clusters])
        return X[seen[-1]]

    ours = KMeans(5, init=some_rows, random_state=0).fit(x)
    theirs = cluster.KMeans(5, init=some_rows, random_state=0, n_init=10).fit(x)
    np.testing.assert_array_equal(seen[:10], seen[10:])
    assert ours.inertia_ == pytest.approx(theirs.inertia_)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)


def test_weights_give_scikit_learns_clustering():
    x = blobs()
    weight = np.random.RandomState(1).randint(0, 4, len(x)).astype(float)
    assert_equals_scikit_learn(x, start(x, 5), sample_weight=weight)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(2, 150),
    d=st.integers(1, 8),
    share=st.floats(0, 1),
    weighted=st.booleans(),
    max_iter=st.sampled_from([1, 2, 300]),
)
def test_random_problems_give_scikit_learns_clustering(seed, n, d, share, weighted, max_iter):
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n, d)) + rng.normal(size=d)
    k = 1 + int(share * (min(n, 12) - 1))
    weight = rng.uniform(0.1, 3, n) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert_equals_scikit_learn(x, start(x, k, seed), sample_weight=weight, max_iter=max_iter)


@pytest.mark.parametrize("init", ["random", "k-means++"])
def test_same_seed_gives_scikit_learns_best_of_ten(init):
    x = blobs(k=8, dtype=np.float32)
    ours = KMeans(6, init=init, n_init=10, random_state=3).fit(x)
    theirs = cluster.KMeans(6, init=init, n_init=10, random_state=3).fit(x)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1


def test_six_points_by_hand():
    kmeans = KMeans(2, n_init=5, random_state=0).fit(SIX_POINTS)
    np.testing.assert_allclose(np.sort(kmeans.cluster_centers_, axis=0), [[1, 2], [10, 2]])
    assert kmeans.inertia_ == 16.0
    np.testing.assert_array_equal(
        kmeans.cluster_centers_[kmeans.predict([[0, 0], [12, 3]])], [[1, 2], [10, 2]]
    )


def test_two_iris_features_reach_the_published_inertia():
    x = np.random.RandomState(0).permutation(load_iris().data[:, :2])[:120]
    ours = KMeans(3, n_init=10, random_state=0).fit(x)
    theirs = cluster.KMeans(3, n_init=10, random_state=0).fit(x)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-6)


def test_auto_restarts_are_ten_for_random_and_one_for_kmeans_plusplus():
    x = blobs(k=9)
    for init, n_init in (("random", 10), ("k-means++", 1)):
        auto = KMeans(7, init=init, random_state=0).fit(x)
        explicit = KMeans(7, init=init, n_init=n_init, random_state=0).fit(x)
        np.testing.assert_array_equal(auto.labels_, explicit.labels_)


def test_inertia_history_never_rises_and_ends_near_the_inertia():
    kmeans = KMeans(6, random_state=0, tol=0).fit(blobs())
    assert len(kmeans.inertia_history_) == kmeans.n_iter_
    assert np.all(np.diff(kmeans.inertia_history_) <= 1e-9 * kmeans.inertia_)
    assert kmeans.inertia_history_[-1] == pytest.approx(kmeans.inertia_, rel=1e-9)


def test_transform_score_and_predict_follow_the_formulas():
    x = blobs()
    kmeans = KMeans(4, random_state=0).fit(x)
    distances = np.linalg.norm(x[:, None] - kmeans.cluster_centers_, axis=2)
    np.testing.assert_allclose(kmeans.transform(x), distances, rtol=1e-9)
    np.testing.assert_array_equal(kmeans.predict(x), distances.argmin(axis=1))
    weight = np.arange(len(x), dtype=float)
    expected = -np.sum(weight * distances.min(axis=1) ** 2)
    assert kmeans.score(x, sample_weight=weight) == pytest.approx(expected)


def test_works_in_a_pipeline_and_clones():
    x = blobs()
    pipeline = make_pipeline(StandardScaler(), KMeans(4, random_state=0))
    assert pipeline.fit_predict(x).shape == (len(x),)
    assert pipeline.get_feature_names_out().tolist() == [f"kmeans{i}" for i in range(4)]
    assert clone(KMeans(3, tol=0.1).set_params(n_init=2)).get_params()["n_init"] == 2


def spherical_reference(x, centers):
    """Cosine k-means in float64, step by step."""
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    centers = centers / np.linalg.norm(centers, axis=1, keepdims=True)
    for _ in range(100):
        labels = (x @ centers.T).argmax(axis=1)
        sums = np.stack([x[labels == j].sum(axis=0) for j in range(len(centers))])
        centers = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return labels, centers, np.sum(1 - np.sum(x * centers[labels], axis=1))


def test_cosine_is_spherical_kmeans():
    x = np.abs(blobs(n=200, k=4)) + 0.1
    init = start(x, 4)
    labels, centers, inertia = spherical_reference(x, init)
    ours = KMeans(4, init=init, metric="cosine", tol=0).fit(x)
    np.testing.assert_array_equal(ours.labels_, labels)
    np.testing.assert_allclose(ours.cluster_centers_, centers, rtol=1e-9)
    assert ours.inertia_ == pytest.approx(inertia)
    np.testing.assert_array_equal(ours.predict(5 * x), labels)


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("compiled", [False, True])
def test_cosine_keeps_rows_of_zeros_out_of_the_centroids(compiled, init, monkeypatch):
    n = 200
    if compiled:
        monkeypatch.setattr(lloyd, "_COMPILE_FROM", 0)
    rng = np.random.default_rng(0)
    others = 0.3 * rng.random((n, 12), dtype="float32")
    others[np.arange(n), np.arange(n) % 10] += 1  # ten clusters
    is_zero = rng.permutation(np.arange(n + 30) < 30)
    x = np.zeros((n + 30, 12), "float32")
    x[~is_zero] = others
    weight = rng.integers(1, 4, len(x))
    options = {"init": init, "n_init": 2, "metric": "cosine", "random_state": 0}
    ours = KMeans(10, **options).fit(x, sample_weight=weight)
    without = KMeans(10, **options).fit(others, sample_weight=weight[~is_zero])
    np.testing.assert_allclose(ours.cluster_centers_, without.cluster_centers_, atol=1e-5)
    np.testing.assert_array_equal(ours.labels_[~is_zero], without.labels_)
    assert set(ours.labels_[is_zero]) == {0} == set(ours.predict(x[is_zero]))
    fixed = weight[is_zero].sum()
    assert ours.inertia_ == pytest.approx(without.inertia_ + fixed)
    assert ours.inertia_ == pytest.approx(-ours.score(x, sample_weight=weight))
    np.testing.assert_allclose(ours.inertia_history_, without.inertia_history_ + fixed, rtol=1e-5)


def test_cosine_gives_no_empty_cluster_a_row_of_zeros():
    x = np.concatenate([np.zeros((5, 2)), [[1, 0], [1, 0.1], [1, 0.2], [1, 0.3]]])
    init = [[1, 0.1], [-1, 0]]  # the second is nearest to none
    kmeans = KMeans(2, init=init, metric="cosine").fit(x)
    assert len(np.unique(kmeans.labels_[5:])) == 2
    np.testing.assert_allclose(np.linalg.norm(kmeans.cluster_centers_, axis=1), 1)


def test_cosine_of_few_rows_but_zeros_has_fewer_clusters():
    x = np.concatenate([np.zeros((5, 2)), [[1.0, 0.0]]])
    for init in ("k-means++", "random"):
        with pytest.warns(ConvergenceWarning, match="distinct clusters"):
            kmeans = KMeans(3, init=init, metric="cosine", random_state=0).fit(x)
        assert kmeans.inertia_ == pytest.approx(5)


def manhattan_reference(x, centers, n_steps):
    """Labels by absolute differences, centers by means, in float64."""
    for _ in range(n_steps):
        labels = np.abs(x[:, None] - centers).sum(axis=2).argmin(axis=1)
        centers = np.stack([x[labels == j].mean(axis=0) for j in range(len(centers))])
    distances = np.abs(x[:, None] - centers).sum(axis=2)
    return distances.argmin(axis=1), centers, distances.min(axis=1).sum()


@pytest.mark.parametrize("n_steps", [1, 4])
def test_manhattan_assigns_by_absolute_differences_and_updates_by_means(n_steps):
    x = blobs(n=200, k=4)
    init = start(x, 4)
    labels, centers, inertia = manhattan_reference(x, init, n_steps)
    ours = KMeans(4, init=init, metric="manhattan", tol=0, max_iter=n_steps).fit(x)
    np.testing.assert_array_equal(ours.labels_, labels)
    np.testing.assert_allclose(ours.cluster_centers_, centers, rtol=1e-9)
    assert ours.inertia_ == pytest.approx(inertia)
    np.testing.assert_allclose(
        ours.transform(x), np.abs(x[:, None] - centers).sum(axis=2), rtol=1e-9
    )


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_empty_cluster_is_relocated(metric):
    x = blobs(n=60, d=2, k=3) + 30
    init = np.concatenate([x[:2], x[:1]])  # the third center ties with the first and stays empty
    kmeans = KMeans(3, init=init, metric=metric).fit(x)
    assert len(np.unique(kmeans.labels_)) == 3
    assert np.isfinite(kmeans.cluster_centers_).all()


def test_one_relocation_is_scikit_learns():
    x = blobs(n=60, d=2, k=3)
    assert_equals_scikit_learn(x, np.concatenate([x[:2], [[1e3, 1e3]]]))


def test_several_relocations_give_scikit_learns_clustering():
    x = blobs(n=80, d=2, k=5)
    init = np.concatenate([x[:2], np.full((3, 2), 1e3)])
    ours = KMeans(5, init=init).fit(x)
    theirs = cluster.KMeans(5, init=init, n_init=1).fit(x)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1
    assert ours.inertia_ == pytest.approx(theirs.inertia_)


def test_elbow_on_two_iris_features_is_finite_and_falls():
    x = load_iris().data[:, :2]
    elbow = [KMeans(k, n_init=5, random_state=0).fit(x).inertia_ for k in range(1, 11)]
    assert np.all(np.diff(elbow) < 0)


def test_fewer_distinct_points_than_clusters_warns():
    x = np.repeat([[0.0, 1], [2, 3]], 5, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)"):
        kmeans = KMeans(3, random_state=0).fit(x)
    assert kmeans.inertia_ == 0
    assert np.isfinite(kmeans.cluster_centers_).all()


def test_one_cluster_is_the_mean():
    x = blobs()
    kmeans = KMeans(1).fit(x)
    np.testing.assert_allclose(kmeans.cluster_centers_[0], x.mean(axis=0))
    assert kmeans.inertia_ == pytest.approx(len(x) * x.var(axis=0).sum())


def test_as_many_clusters_as_points_has_no_inertia():
    x = blobs(n=12)
    assert KMeans(12, random_state=0).fit(x).inertia_ == pytest.approx(0, abs=1e-12)


def test_constant_features_change_nothing():
    x = blobs()
    padded = np.insert(x, 2, 7.5, axis=1)
    plain = KMeans(4, random_state=0).fit(x)
    kmeans = KMeans(4, random_state=0).fit(padded)
    np.testing.assert_array_equal(kmeans.labels_, plain.labels_)
    np.testing.assert_array_equal(kmeans.cluster_centers_[:, 2], 7.5)
    same = KMeans(2, random_state=0, init=np.ones((2, 3))).fit(np.ones((5, 3)) * 4)
    np.testing.assert_array_equal(same.cluster_centers_[same.labels_], np.full((5, 3), 4))


def test_distance_from_the_origin_changes_no_label():
    x = np.round(blobs(dtype=np.float32) * 256) / 256  # exact also after the shift below
    near = KMeans(5, n_init=5, random_state=0).fit(x)
    far = KMeans(5, n_init=5, random_state=0).fit(x + np.float32(1e4))
    np.testing.assert_array_equal(near.labels_, far.labels_)
    np.testing.assert_array_equal(far.predict(x + np.float32(1e4)), far.labels_)
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_outlier_hides_no_better_restart(seed):
    x = np.vstack([np.random.default_rng(1).normal(size=(300, 2)), [1e5, 1e5]])
    one, ten = (KMeans(13, n_init=n, random_state=seed).fit(x).inertia_ for n in (1, 10))
    reference = cluster.KMeans(13, n_init=10, random_state=seed).fit(x).inertia_
    assert ten == pytest.approx(reference, rel=1e-6)
    assert ten < 0.97 * one


def test_transform_keeps_its_digits_between_far_clusters():
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(at, 0.05, (5, 2)) for at in (0, 1e4)]).astype("float32")
    kmeans = KMeans(2, random_state=0).fit(x)
    exact = np.linalg.norm(x[:, np.newaxis].astype(float) - kmeans.cluster_centers_, axis=2)
    # float32 puts 10,000 on a grid of 0.001.
    np.testing.assert_allclose(kmeans.transform(x), exact, atol=1e-3)


def test_score_takes_what_fit_takes():
    kmeans = KMeans(2, random_state=0).fit(SIX_POINTS)
    expected = kmeans.score(SIX_POINTS)
    assert kmeans.score(SIX_POINTS.tolist()) == expected
    assert kmeans.score(tf.constant(SIX_POINTS)) == expected


def test_numpy_int_as_max_iter_and_verbose_single_restart(caplog):
    caplog.set_level("INFO", "kdec")
    KMeans(2, max_iter=np.int64(5), n_init=1, random_state=0, verbose=1).fit(SIX_POINTS)
    assert "restart 0: inertia 16" in caplog.text


def test_misaligned_memory_is_read():
    buffer = bytearray(1 + SIX_POINTS.nbytes)
    x = np.frombuffer(buffer, offset=1).reshape(SIX_POINTS.shape)
    x[:] = SIX_POINTS
    kmeans = KMeans(2, random_state=0).fit(x)
    np.testing.assert_array_equal(kmeans.predict(x), kmeans.labels_)


@pytest.mark.parametrize("n_init", [1, 3])
def test_values_whose_squares_overflow_are_refused(n_init):
    with pytest.raises(ValueError, match=r"sum to a finite number in float32, at most 3\.4e\+38"):
        KMeans(2, n_init=n_init).fit(SIX_POINTS.astype("float32") * 1e20)


def test_read_only_and_fortran_input_is_left_alone():
    x = np.asfortranarray(blobs())
    before = x.copy()
    x.flags.writeable = False
    kmeans = KMeans(3, random_state=0).fit(x)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(kmeans.predict(x), kmeans.labels_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 0}, "Expected n_clusters.*Received: n_clusters=0"),
        ({"n_clusters": 2.5}, "Expected n_clusters.*Received: n_clusters=2.5"),
        ({"n_clusters": 7}, "Expected at least as many points.*n_samples=6 with n_clusters=7"),
        ({"init": "best"}, "Expected init.*Received: init='best'"),
        ({"init": None}, "Expected init.*Received: init=None"),
        (
            {"init": lambda *_, random_state: SIX_POINTS[:2], "n_clusters": 3},
            r"Expected init of shape.*\(3, 2\).*\(2, 2\)",
        ),
        (
            {"init": np.zeros((2, 3)), "n_clusters": 2},
            r"Expected init of shape.*\(2, 2\).*\(2, 3\)",
        ),
        ({"metric": "hamming"}, "Expected metric.*Received: metric='hamming'"),
        ({"tol": -1}, "Expected tol.*Received: tol=-1"),
        ({"max_iter": 0}, "Expected max_iter.*Received: max_iter=0"),
        ({"n_init": 0}, "Expected n_init.*Received: n_init=0"),
        ({"n_init": "many"}, "Expected n_init.*Received: n_init='many'"),
    ],
)
def test_wrong_parameter_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        KMeans(**{"n_clusters": 2, **options}).fit(SIX_POINTS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    x = SIX_POINTS.copy()
    x[2, 1] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        KMeans(2).fit(x)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        KMeans(2).fit(SIX_POINTS).predict(x)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="Expected 2D array, got 1D"):
        KMeans(2).fit(SIX_POINTS[:, 0])
    with pytest.raises(ValueError, match=r"3 features.*2 features"):
        KMeans(2).fit(SIX_POINTS).predict(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="sample_weight"):
        KMeans(2).fit(SIX_POINTS, sample_weight=-np.ones(6))


def test_subspace_and_compiled_kernel_change_no_label(monkeypatch):
    x = kdec.load_data("mnist-5k").flat[::2]
    init = start(x, 10)
    kept = []
    find = nearest.find_subspace
    monkeypatch.setattr(nearest, "find_subspace", lambda *args: kept.append(args) or find(*args))
    plain = KMeans(10, init="random", n_init=5, random_state=0).fit(x)
    assert not kept
    monkeypatch.setattr(lloyd, "_COMPILE_FROM", 0)
    monkeypatch.setattr(in_memory, "serves", lambda *_: False)
    fast = KMeans(10, init="random", n_init=5, random_state=0).fit(x)
    assert kept
    np.testing.assert_array_equal(fast.labels_, plain.labels_)
    assert fast.n_iter_ == plain.n_iter_
    np.testing.assert_allclose(fast.inertia_history_, plain.inertia_history_, rtol=1e-6)
    assert_equals_scikit_learn(x, init)


@pytest.mark.parametrize("n_init", [3, 6])  # fewer centers than features, and more
def test_subspace_leaves_no_wrong_label_closed(n_init):
    rng = np.random.RandomState(0)
    spread = 0.8 ** np.arange(40)  # most of it in the leading directions
    x = (rng.normal(size=(500, 40)) * spread).astype(np.float32)
    centers = (rng.normal(size=(n_init, 8, 40)) * spread).astype(np.float32)
    subspace = nearest.find_subspace(x, centers, 10)
    table = centers.transpose(1, 0, 2)
    projection = nearest.project(table, subspace.basis, "euclidean")
    labels, is_open = nearest.settle(projection, subspace)
    exact = ((x[:, None, None] - centers) ** 2).sum(axis=3).argmin(axis=2).T
    closed = ~is_open.numpy()
    np.testing.assert_array_equal(labels.numpy()[:, closed], exact[:, closed])
    assert 0 < closed.sum() < closed.size


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_data_read_in_place_gives_the_same_clustering(monkeypatch, skip):
    x = blobs(n=5000, dtype=np.float32)
    values = np.empty(x.size + skip, np.float32)
    values[skip:] = x.ravel()
    shifted = values[skip:].reshape(x.shape)
    monkeypatch.setattr(in_memory, "serves", lambda *_: False)
    copied = KMeans(5, n_init=3, random_state=0).fit(x)
    monkeypatch.setattr(points, "_LARGEST_COPY", 0)
    monkeypatch.setattr(points, "_CHUNK_VALUES", 2**10)
    in_place = KMeans(5, n_init=3, random_state=0).fit(shifted)
    np.testing.assert_array_equal(in_place.labels_, copied.labels_)
    np.testing.assert_allclose(in_place.cluster_centers_, copied.cluster_centers_, rtol=1e-5)


@pytest.mark.parametrize("skip", range(0, 16, 3))
def test_each_row_read_in_place_is_its_own(skip):
    values = np.arange(skip + 40, dtype=np.float32)[skip:]  # 0 to 15 values before alignment
    working = points.in_place(values.reshape(8, 5), np.zeros(5, np.float32))
    rows = [points.read(working, row, 1).numpy() for row in range(8)]
    np.testing.assert_array_equal(np.concatenate(rows), values.reshape(8, 5))


def test_own_distances_are_exact_where_products_cancel():
    x = np.array([[1e3, 0], [1e3 + 2**-10, 0]], np.float32)
    working = points.in_place(x, np.zeros(2, np.float32))
    distances = labeling.own_distances(
        working, x[:1], np.zeros(2, np.int32), 256, metric="euclidean"
    )
    np.testing.assert_allclose(distances, [0, 2.0**-20], rtol=1e-6)


def test_other_sizes_do_not_trace_again(caplog):
    x = blobs(n=400, dtype=np.float32)
    for k in range(1, 9):
        KMeans(k, n_init=k, random_state=0).fit(x[: 300 + k]).predict(x)
    assert "retracing" not in caplog.text


def test_one_trace_for_a_whole_elbow(monkeypatch):
    traced = []
    nearest_of = lloyd.nearest.scores
    monkeypatch.setattr(
        lloyd.nearest, "scores", lambda *args: traced.append(args) or nearest_of(*args)
    )
    monkeypatch.setattr(lloyd, "_COMPILE_FROM", 0)
    x = np.random.default_rng(0).random((320, 130), np.float32)

    def traces(clusters):
        traced.clear()
        for k in clusters:
            KMeans(k, random_state=0, metric="cosine").fit(x)
        return len(traced)

    assert traces([2]) > 0
    assert traces(range(2, 13)) == 0


@pytest.mark.mnist
def test_mnist_test_set_reaches_the_published_figures():
    data = kdec.load_data("mnist-test")
    kmeans = KMeans(10, init="random", n_init=10, random_state=0).fit(data.flat)
    assert kmeans.inertia_ <= 390_900
    assert 0.57 <= kdec.metrics.purity(data.y, kmeans.labels_) <= 0.61
