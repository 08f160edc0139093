"""How many clusters: found where there are some, and not where there are none."""

import logging

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score

import kdec
from kdec.clustering import choice_of_k

FEW = range(2, 7)


def blobs(n_clusters, n=200, d=4, seed=0):
    """Normal clusters of deviation 1, whose centroids are far apart."""
    centers = 10 * np.eye(n_clusters, max(d, n_clusters))
    return make_blobs(n, centers=centers, random_state=seed)[0]


def choose(x, n_clusters=FEW, encoder=None, **options):
    return kdec.choose_n_clusters(x, n_clusters, encoder=encoder, **{"n_resamples": 4, **options})


@pytest.mark.parametrize("n_clusters", [2, 5])
def test_separate_clusters_are_found_by_all_resamples(n_clusters):
    choice = choose(blobs(n_clusters))
    assert choice.n_clusters == n_clusters
    assert choice.confidence == 1
    assert (
        choice.reason
        == f"{n_clusters} clusters: apart from one another and stable in 4 of 4 resamples."
    )


def test_iris_has_two_or_three():
    iris = kdec.load_data("iris").flat
    assert choose((iris - iris.mean(axis=0)) / iris.std(axis=0)).n_clusters in (2, 3)


@pytest.mark.parametrize("d", [1, 3, 64])
@pytest.mark.parametrize("n", [50, 400])
@pytest.mark.parametrize("law", ["random", "standard_normal"])
def test_no_clusters_are_found_in_noise(law, n, d):
    noise = getattr(np.random.default_rng(n + d), law)((n, d))
    choice = choose(noise)
    assert choice.n_clusters is None
    assert choice.reason.startswith("no clusters found")


def test_three_clusters_are_found_among_fifty_samples():
    assert choose(blobs(3, n=50, d=10)).n_clusters == 3


def test_table_has_what_scikit_learn_measures():
    x = blobs(3)
    table = choose(x, [2, 3]).table
    assert table.columns.tolist() == [
        *("n_clusters", "inertia", "silhouette", "stability", "p_value", "votes")
    ]
    kmeans = KMeans(3, n_init=10, random_state=0).fit(x)
    row = table.set_index("n_clusters").loc[3]
    assert row["inertia"] == pytest.approx(kmeans.inertia_, rel=1e-5)
    assert row["silhouette"] == pytest.approx(silhouette_score(x, kmeans.labels_), rel=1e-5)
    assert row["stability"] == 1
    assert row["votes"] == 1


def test_silhouette_of_many_samples_is_that_of_some(monkeypatch):
    monkeypatch.setattr(choice_of_k, "_MOST_IN_SILHOUETTE", 100)
    x = blobs(3, n=300)
    whole = silhouette_score(x, KMeans(3, n_init=10, random_state=0).fit(x).labels_)
    sampled = choose(x, [3], n_resamples=1).table["silhouette"].item()
    assert sampled != whole
    assert sampled == pytest.approx(whole, abs=0.05)


def test_the_same_seed_gives_the_same_choice():
    x = np.random.default_rng(0).normal(size=(60, 2))
    first, second, other = (choose(x, random_state=seed).table for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


def test_data_far_from_the_origin_lose_nothing():
    x = blobs(3).astype(np.float32)
    assert choose(x + 1000).n_clusters == 3


@pytest.mark.filterwarnings("error")
def test_copies_of_one_sample_are_no_clusters():
    choice = choose(np.ones((40, 3)), [2, 3])
    assert choice.n_clusters is None
    assert choice.table["silhouette"].isna().all()


@pytest.mark.parametrize(
    ("votes", "suggestion", "confidence", "runner_up"),
    [
        ([3, 3, 3, 4], 3, 0.75, None),
        ([2, 2, 3, 3], 2, 0.5, "3 is about as good, with 2"),
        ([None, None, 2, 3], None, 0.5, "2 is about as good, with 1"),
        ([None, 2, 2, 2, 2], 2, 0.8, None),
        ([2, None, None, 2], None, 0.5, "2 is about as good, with 2"),
        ([3, None, 3, 2], 3, 0.5, "no clusters is about as good, with 1"),
    ],
)
def test_most_votes_decide_and_a_close_runner_up_is_named(votes, suggestion, confidence, runner_up):
    rows = [(k, 1.0, 0.5, 0.5, 0.5) for k in (2, 3, 4)]
    choice = choice_of_k._conclude(rows, votes)
    assert (choice.n_clusters, choice.confidence) == (suggestion, confidence)
    if runner_up is None:
        assert "as good" not in choice.reason
    else:
        assert choice.reason.endswith(f"; {runner_up}.")


@pytest.mark.parametrize(
    ("chances", "stability", "vote"),
    [
        ([0.0, 0.0, 0.9, 0.9], [1.0, 1.0, 0.9, 0.8], 3),  # apart and stable
        ([0.0, 0.0, 0.9, 0.9], [1.0, 0.7, 0.9, 0.8], 4),  # three are there, and unstable
        ([0.0, 0.0, 0.9, 0.9], [1.0, 0.9, 0.94, 0.8], 3),  # about as stable
        ([0.9, 0.9, 0.9, 0.9], [1.0, 1.0, 0.9, 0.8], None),
    ],
)
def test_a_resample_leads_to_the_first_stable_number_from_those_apart(chances, stability, vote):
    flat = np.ones(4)
    votes = choice_of_k._vote([2, 3, 4, 5], np.array([chances]).T, np.array(stability), flat)
    assert votes == [vote]


def test_the_largest_stable_number_with_a_sharp_elbow_goes_before_the_first_stable_one():
    stability, elbow = np.array([1.0, 0.99, 0.98, 0.7]), np.array([3.2, 1.9, 2.1, 9.0])
    chances = np.array([[0.0, 0.9, 0.9, 0.9]]).T
    assert choice_of_k._vote([2, 3, 4, 5], chances, stability, elbow) == [4]
    assert choice_of_k._vote([2, 3, 4, 5], chances, stability, np.minimum(elbow, 1.99)) == [2]


def test_a_number_whose_clusters_surely_lack_a_valley_is_left_out():
    stability, elbow = np.array([1.0, 0.99, 0.98, 0.7]), np.array([1.2, 2.1, 9.0, 9.0])
    chances = np.array([[0.0, 0.9, 0.96, 0.99]]).T
    assert choice_of_k._vote([2, 3, 4, 5], chances, stability, elbow) == [3]


def test_elbow_is_the_fall_of_the_inertia_before_a_number_over_that_behind_it():
    falls = choice_of_k._elbow([2, 3, 5, 6], np.array([60.0, 40.0, 20.0, 15.0]), total=100.0)
    assert falls.tolist() == [2.0, 2.0, 2.0, 0.0]  # 40, 20, 10 a number, 5; nothing is known behind
    # Nor is it before the first number, if that is not two.
    assert choice_of_k._elbow([3, 4, 5], np.array([40.0, 20.0, 10.0]), total=100.0)[0] == 0


def test_the_largest_number_that_was_tried_is_no_upper_bound():
    assert "there may be more, since none above 4 was tried" in choose(blobs(5), [2, 3, 4]).reason


def test_a_keras_encoder_gives_the_codes():
    images = blobs(3, d=4).reshape(-1, 2, 2).astype(np.float32)
    images = (images - images.min()) / np.ptp(images)
    encoder = keras.Sequential([keras.Input((2, 2)), keras.layers.Flatten()])
    by_encoder, by_codes = choose(images, encoder=encoder), choose(images.reshape(-1, 4))
    pd.testing.assert_frame_equal(by_encoder.table, by_codes.table)


def test_few_rows_are_clustered_as_standardized_columns():
    x = blobs(3) * [1, 1, 1, 1e-6]
    assert choose(x, encoder="auto").n_clusters == 3


def test_numbers_above_a_quarter_of_the_samples_are_left_out(caplog):
    with caplog.at_level(logging.INFO, "kdec"):
        choice = choose(blobs(2, n=20), range(2, 21))
    assert choice.table["n_clusters"].tolist() == [2, 3, 4, 5]
    assert "above 5 are left out" in caplog.text


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (np.ones((7, 2)), {}, ValueError, "8 for 2 clusters. Received: 7 samples"),
        (np.ones(9), {}, ValueError, "Expected 2D array"),
        (np.full((9, 2), np.nan), {}, ValueError, "NaN"),
        (np.ones((9, 2)), {"n_clusters": []}, ValueError, "Received: \\[\\]"),
        (np.ones((9, 2)), {"n_clusters": [1, 2]}, ValueError, "ints of at least 2"),
        (np.ones((9, 2)), {"n_clusters": 2.5}, ValueError, "ints of at least 2"),
        (np.ones((9, 2)), {"n_resamples": 0}, ValueError, "`n_resamples`"),
        (np.ones((9, 2)), {"random_state": -1}, ValueError, "`random_state`"),
        (np.ones((9, 2)), {"encoder": "dense"}, TypeError, "Received: 'dense'"),
        (np.ones((9, 2)), {"encoder": keras.Sequential()}, ValueError, "samples of shape \\(2,\\)"),
    ],
)
def test_bad_input_is_refused_before_any_work(x, options, error, message, monkeypatch):
    monkeypatch.setattr(choice_of_k, "_choose", lambda *_: pytest.fail("work was done"))
    with pytest.raises(error, match=message):
        choose(x, **options)


def test_estimator_needs_eight_samples_to_choose():
    with pytest.raises(ValueError, match="at least 8 samples with n_clusters='auto'"):
        kdec.DeepClustering("auto").fit(np.ones((7, 3)))


@pytest.mark.slow
def test_ten_digits_are_found():
    digits = kdec.load_data("digits")
    assert kdec.choose_n_clusters(digits.x, random_state=0).n_clusters == 10


@pytest.mark.slow
@pytest.mark.parametrize("d", [3, 5])
def test_an_encoder_makes_no_clusters_of_noise(d):
    noise = np.random.default_rng(d).uniform(size=(1000, d))
    assert kdec.choose_n_clusters(noise, range(2, 9), random_state=0).n_clusters is None
