"""Which samples are drawn, and which stand for a cluster."""

import numpy as np

from kdec.report.choosing import choose_examples, choose_points


def test_all_samples_are_drawn_if_there_is_room():
    assert choose_points(np.array([1, 0, 1]), 2, most=3).tolist() == [0, 1, 2]


def test_room_is_shared_out_evenly_and_small_clusters_are_drawn_whole():
    labels = np.random.default_rng(0).permutation(np.repeat(range(4), [5000, 300, 3000, 7]))
    drawn = choose_points(labels, 4, most=1000)
    assert np.all(np.diff(drawn) > 0)
    assert np.bincount(labels[drawn]).tolist() == [347, 300, 346, 7]


def test_choice_within_a_cluster_is_spread_and_the_same_every_time():
    labels = np.zeros(10_000, int)
    drawn = choose_points(labels, 1, most=1000)
    assert np.array_equal(drawn, choose_points(labels, 1, most=1000))
    assert np.all(np.histogram(drawn, bins=10)[0] > 60)


def test_typical_are_the_surest_and_doubtful_the_least_sure():
    confidence = np.linspace(0, 1, 40)
    labels = np.arange(40) % 2
    examples = choose_examples(labels, confidence, np.zeros((40, 2)), 2, most=8)
    assert examples[1].typical.tolist() == [39, 37, 35, 33, 31, 29, 27, 25]
    assert examples[1].doubtful.tolist() == [1, 3, 5, 7, 9, 11, 13, 15]


def test_of_equally_sure_samples_the_nearest_to_the_middle_are_typical():
    codes = np.array([[9.0], [0], [-9], [1], [-1]])  # mean 0
    [examples] = choose_examples(np.zeros(5, int), np.ones(5), codes, 1, most=8)
    assert examples.typical.tolist() == [1, 3, 4]
    assert sorted(examples.doubtful) == [0, 2]


def test_no_sample_is_both_typical_and_doubtful_and_a_cluster_may_be_empty():
    examples = choose_examples(np.array([0, 0, 0, 2]), np.ones(4), np.zeros((4, 1)), 4, most=8)
    assert [len(pair.typical) for pair in examples] == [2, 0, 1, 0]
    assert [len(pair.doubtful) for pair in examples] == [1, 0, 0, 0]
    assert not set(examples[0].typical) & set(examples[0].doubtful)


def test_many_clusters_have_fewer_examples_each():
    labels = np.arange(10_000) % 1000
    examples = choose_examples(labels, np.ones(10_000), np.zeros((10_000, 1)), 1000, most=8)
    assert {len(pair.typical) for pair in examples} == {2}
