"""The test that clusters are apart, on counts that a reader can check."""

import numpy as np
import pytest
from scipy.stats import binomtest

from kdec.clustering.separation import chance_of_no_valley, match_centers

CENTERS = np.array([[0.0, 0.0], [6.0, 0.0]])


def line(around, halfway):
    """Samples on the way between `CENTERS`: as many around each as halfway."""
    return np.repeat([[0.5, 0.0], [3.1, 0.0], [5.5, 0.0]], [around, halfway, around], axis=0)


def test_p_value_is_that_of_a_binomial_test():
    halves = line(8, 3), line(5, 1)
    expected = binomtest(13, 13 + 4, 2 / 3, alternative="greater").pvalue
    assert chance_of_no_valley(halves, (CENTERS, CENTERS)) == pytest.approx(expected)


def test_both_sides_must_have_more_than_the_middle():
    lopsided = np.repeat([[0.0, 0.0], [3.0, 0.0], [6.0, 0.0]], [200, 30, 20], axis=0)
    assert chance_of_no_valley((lopsided, lopsided), (CENTERS, CENTERS)) > 0.5


def test_the_two_least_separated_clusters_count():
    rng = np.random.default_rng(0)
    far = rng.normal([50, 0], size=(60, 2))
    one = rng.normal([0, 0], size=(60, 2))
    points = np.concatenate([far, one])
    cut_in_two = np.array([[50.0, 0.0], [-0.8, 0.0], [0.8, 0.0]])
    assert chance_of_no_valley((points, points), (cut_in_two[:2], cut_in_two[:2])) < 1e-6
    assert chance_of_no_valley((points, points), (cut_in_two, cut_in_two)) > 0.5


def test_centroids_in_one_place_are_not_apart():
    same = np.zeros((2, 2))
    assert chance_of_no_valley((line(9, 0), line(9, 0)), (same, same)) == 1.0


def test_clusters_are_matched_by_common_samples():
    first = np.array([0, 0, 0, 1, 1, 2])
    second = np.array([1, 1, 2, 2, 2, 0])
    assert match_centers((first, second), 3).tolist() == [1, 2, 0]


def test_clusters_without_samples_are_matched_too():
    labels = np.array([0, 0, 1])
    assert sorted(match_centers((labels, labels), 4)) == [0, 1, 2, 3]
