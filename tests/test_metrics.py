"""Clustering metrics against brute force, SciPy, scikit-learn and hand-worked tables."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix as sklearn_contingency_matrix

from kdec import metrics

# Rows are the classes a, b, c; columns are the clusters 1, 5, 9. Cluster 9 is small and pure.
#       1  5  9
#   a   6  1  0
#   b   3  4  0
#   c   1  3  2
TABLE = np.array([[6, 1, 0], [3, 4, 0], [1, 3, 2]])
TABLE_TRUE = np.repeat(["a", "b", "c"], TABLE.sum(axis=1))
TABLE_PRED = np.concatenate([np.repeat([1, 5, 9], row) for row in TABLE])

PUBLIC_METRICS = (
    metrics.accuracy,
    metrics.match_labels,
    metrics.nmi,
    metrics.ari,
    metrics.contingency_matrix,
    metrics.purity,
)

label_pairs = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-2, 2), min_size=n, max_size=n),
        st.lists(st.sampled_from([-7, 0, 3, 10**12, 4, 5]), min_size=n, max_size=n),
    )
)


def brute_force_accuracy(y_true, y_pred):
    """Try every way to give clusters distinct labels; None stands for a cluster without one."""
    clusters = sorted(set(y_pred))
    choices = sorted(set(y_true)) + [None] * len(clusters)
    best = 0
    for labels in set(itertools.permutations(choices, len(clusters))):
        matching = dict(zip(clusters, labels, strict=True))
        best = max(best, sum(matching[p] == t for t, p in zip(y_true, y_pred, strict=True)))
    return best / len(y_true)


small_label_pairs = st.integers(1, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.sampled_from([-1, 4, 6, 9]), min_size=n, max_size=n),
    )
)


@given(small_label_pairs)
def test_accuracy_equals_brute_force_over_all_matchings(pair):
    assert metrics.accuracy(*pair) == pytest.approx(brute_force_accuracy(*pair))


@given(label_pairs)
def test_accuracy_equals_scipy_assignment_on_sklearn_contingency_matrix(pair):
    matrix = sklearn_contingency_matrix(*pair)
    rows, columns = linear_sum_assignment(-matrix)
    expected = matrix[rows, columns].sum() / len(pair[0])
    assert metrics.accuracy(*pair) == pytest.approx(expected)


@given(label_pairs)
def test_nmi_ari_and_contingency_matrix_equal_scikit_learn(pair):
    assert metrics.nmi(*pair) == pytest.approx(normalized_mutual_info_score(*pair), abs=1e-12)
    assert metrics.ari(*pair) == pytest.approx(adjusted_rand_score(*pair), abs=1e-12)
    np.testing.assert_array_equal(
        metrics.contingency_matrix(*pair), sklearn_contingency_matrix(*pair)
    )


@given(label_pairs)
def test_matching_is_one_to_one_and_agrees_with_accuracy(pair):
    y_true, y_pred = pair
    matching = metrics.match_labels(y_true, y_pred)
    assert len(set(matching.values())) == len(matching)
    assert len(matching) == min(len(set(y_true)), len(set(y_pred)))
    agreeing = [matching.get(p) == t for t, p in zip(y_true, y_pred, strict=True)]
    assert np.mean(agreeing) == pytest.approx(metrics.accuracy(y_true, y_pred))


@given(label_pairs, st.permutations([-7, 0, 3, 10**12, 4, 5]))
def test_names_of_clusters_do_not_matter(pair, names):
    y_true, y_pred = pair
    renamed = [f"cluster {names.index(p)}" for p in y_pred]
    for metric in (metrics.accuracy, metrics.nmi, metrics.ari, metrics.purity):
        assert metric(y_true, renamed) == pytest.approx(metric(y_true, y_pred))


def test_contingency_matrix_has_classes_as_rows_and_clusters_as_columns():
    matrix = metrics.contingency_matrix(TABLE_TRUE, TABLE_PRED)
    np.testing.assert_array_equal(matrix, TABLE)
    assert matrix.dtype == np.int64


def test_contingency_dataframe_is_indexed_by_the_labels():
    frame = metrics.contingency_matrix(TABLE_TRUE, TABLE_PRED, as_dataframe=True)
    assert frame.index.name == "true label"
    assert frame.columns.name == "cluster"
    assert frame.loc["c", 5] == 3
    np.testing.assert_array_equal(frame.to_numpy(), TABLE)


def test_micro_and_macro_purity_of_a_hand_worked_table():
    assert metrics.purity(TABLE_TRUE, TABLE_PRED) == pytest.approx((6 + 4 + 2) / 20)
    assert metrics.purity(TABLE_TRUE, TABLE_PRED, average="macro") == pytest.approx(
        (6 / 10 + 4 / 8 + 2 / 2) / 3
    )
    np.testing.assert_allclose(
        metrics.purity(TABLE_TRUE, TABLE_PRED, average=None), [6 / 10, 4 / 8, 2 / 2]
    )


def test_purity_lets_two_clusters_share_a_label_but_accuracy_does_not():
    y_true, y_pred = [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2]
    assert metrics.purity(y_true, y_pred) == 1.0
    assert metrics.accuracy(y_true, y_pred) == pytest.approx(4 / 6)


def test_more_clusters_than_classes_leaves_clusters_without_a_label():
    assert metrics.match_labels([0, 0, 0, 1], [5, 5, 6, 7]) == {5: 0, 7: 1}


def test_fewer_clusters_than_classes_leaves_labels_without_a_cluster():
    assert metrics.match_labels(["x", "x", "y", "z"], [5, 5, 6, 6]) == {5: "x", 6: "y"}
    assert metrics.accuracy(["x", "x", "y", "z"], [5, 5, 6, 6]) == 0.75


def test_matching_weighs_the_whole_table_and_not_each_cluster_alone():
    # Cluster 0 has its majority in class 0, but the best total gives class 0 to cluster 1.
    y_true = [0] * 5 + [1] * 4 + [0] * 6
    y_pred = [0] * 9 + [1] * 6
    assert metrics.match_labels(y_true, y_pred) == {0: 1, 1: 0}
    assert metrics.accuracy(y_true, y_pred) == pytest.approx(10 / 15)


def test_matching_holds_plain_python_values():
    matching = metrics.match_labels(np.array([3, 4], np.uint8), np.array([1, 2], np.int32))
    assert [type(value) for item in matching.items() for value in item] == [int] * 4


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (np.array([0, 1, 1], np.uint8), np.array([250, 3, 3], np.uint8)),
        (np.array([0.0, 1.0, 1.0]), [True, False, False]),
        (["b", "a", "a"], np.array(["one", "two", "two"], dtype=object)),
        ((-5, 10**15, 10**15), [-1, -2, -2]),
    ],
)
def test_labels_of_any_integers_or_strings_are_accepted(y_true, y_pred):
    assert metrics.accuracy(y_true, y_pred) == 1.0
    assert metrics.nmi(y_true, y_pred) == pytest.approx(1.0)
    assert metrics.ari(y_true, y_pred) == 1.0
    assert metrics.purity(y_true, y_pred, average="macro") == 1.0


@pytest.mark.parametrize("metric", PUBLIC_METRICS)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([0, 1], [0, 1, 1], "same length. Received: 2 and 3"),
        ([], [], r"`y_true` to have the shape \(n,\) with n > 0"),
        ([0, 1], [[0.9, 0.1], [0.2, 0.8]], r"`y_pred`.*shape \(2, 2\)"),
        (3, [3], r"`y_true`.*shape \(\)"),
        ([0, np.nan], [0, 1], r"`y_true`.*none missing.*nan"),
        ([0, 1], [0.25, 0.75], r"`y_pred` to hold integers or strings.*0\.25"),
        (["a", None], [0, 1], r"`y_true` to hold integers or strings.*None.*types NoneType, str"),
        (np.array([0, 1.5], object), [0, 1], "Received: values .*of types float, int"),
        (np.array([0, True], object), [0, 1], "of types bool, int"),
        (np.array([0, "a"], object), [0, 1], "all of one kind.*of types int, str"),
    ],
)
def test_labels_that_cannot_be_compared_are_rejected(metric, y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        metric(y_true, y_pred)


@pytest.mark.parametrize("metric", PUBLIC_METRICS)
def test_integers_of_object_dtype_count_as_integers(metric):
    y_true, y_pred = np.array([3, 3, -1, 5]), np.array([0, 0, 1, 0])
    expected = metric(y_true, y_pred)
    for last in (5, 2**70):
        mixed = np.array([3, np.int64(3), np.int8(-1), last], dtype=object)
        np.testing.assert_array_equal(metric(mixed, y_pred.astype(object)), expected)


def test_unknown_average_is_rejected():
    with pytest.raises(ValueError, match=r"'micro', 'macro' or None.*'weighted'"):
        metrics.purity([0, 1], [0, 1], average="weighted")
