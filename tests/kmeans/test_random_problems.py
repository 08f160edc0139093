"""Random k-means problems against scikit-learn and NumPy: 200 here, 10,000 by a benchmark."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from random_problems import draw, reference, solve

from kdec import KMeans

RECORD = Path(__file__).parents[2] / "results" / "benchmarks" / "kmeans_problems.json"


def test_200_problems_have_no_fault():
    answers = {seed: solve(draw(seed, few_traces=True)) for seed in range(200)}
    assert {seed: answer.faults for seed, answer in answers.items() if answer.faults} == {}
    verdicts = Counter(answer.verdict for answer in answers.values())
    assert verdicts["same labels"] > 50
    assert verdicts["another minimum"] <= 2


def test_reference_is_lloyds_algorithm():
    x = np.array([[0.0], [1], [9], [11]])
    labels, inertia = reference(x, np.array([1.0, 1, 1, 3]), x[:2], "euclidean")
    assert labels.tolist() == [0, 0, 1, 1]
    assert inertia == 0.25 + 0.25 + 1.5**2 + 3 * 0.5**2


def test_empty_cluster_gets_no_point_without_a_weight():
    x, weight = np.array([[0.0], [1], [5], [9]]), [1, 1, 1, 0]
    kmeans = KMeans(3, init=[[0.0], [1], [-100]], n_init=1).fit(x, sample_weight=weight)
    np.testing.assert_array_equal(np.sort(kmeans.cluster_centers_.ravel()), [0, 1, 5])


def test_run_goes_on_after_a_cluster_was_empty_twice():
    problem = draw(123, few_traces=True)
    assert solve(problem).faults == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_near_zero_have_a_direction(dtype):
    directions = np.array([[1, 0], [2, 0], [0, 1], [0, 3]], dtype)
    tiny = KMeans(2, metric="cosine", random_state=0).fit(1e-16 * directions)
    large = KMeans(2, metric="cosine", random_state=0).fit(directions)
    np.testing.assert_array_equal(tiny.labels_, large.labels_)
    assert tiny.inertia_ == large.inertia_ == 0


def test_random_start_with_too_few_weights_is_an_error():
    with pytest.raises(ValueError, match="Expected at least as many points with a weight"):
        KMeans(3, init="random").fit(np.eye(4), sample_weight=[1, 1, 0, 0])


def test_record_of_the_full_run_has_no_fault():
    record = json.loads(RECORD.read_text())
    assert record["faults"] == {}
    assert record["seeds"] == [0, 10_000]
    assert sum(record["verdicts"].values()) == 10_000
