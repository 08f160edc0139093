"""Samples on the disk that are changed as they are read, and figures of all of them by chunks."""

import numpy as np
import pytest

from kdec.data import Shards, change_rows, chunks, in_chunks, least_and_greatest

X = np.arange(24, dtype="float64").reshape(8, 3)


@pytest.fixture
def doubled():
    return change_rows(Shards([X[:3], X[3:]]), lambda rows: (2 * rows).astype("float32"))


def test_array_is_changed_at_once():
    np.testing.assert_array_equal(change_rows(X, lambda rows: rows + 1), X + 1)


def test_rows_are_changed_however_they_are_asked_for(doubled):
    assert isinstance(doubled, Shards)
    assert (doubled.shape, doubled.ndim, doubled.dtype, len(doubled)) == ((8, 3), 2, "float32", 8)
    for rows in (2, slice(1, 5), np.array([7, 0, 0]), [3], np.arange(8) % 2 == 0):
        np.testing.assert_array_equal(doubled[rows], (2 * X)[rows])
    np.testing.assert_array_equal(np.asarray(doubled), 2 * X)
    np.testing.assert_array_equal(list(doubled), 2 * X)
    np.testing.assert_array_equal(doubled.part(2, 6)[:], 2 * X[2:6])


def test_changes_follow_one_another(doubled):
    flat = change_rows(doubled, lambda rows: rows.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(flat[:], 2 * X.sum(axis=1, keepdims=True))


def test_chunks_hold_all_rows_in_order_and_no_more_at_once_than_they_may(doubled, monkeypatch):
    monkeypatch.setattr(chunks, "_VALUES", 7)
    for x in (X, doubled):
        parts = list(in_chunks(x))
        assert [len(part) for part in parts] == [2, 2, 2, 2]
        np.testing.assert_array_equal(np.concatenate(parts), x[:])
    assert least_and_greatest(doubled) == (0.0, 46.0)
    assert np.isnan(least_and_greatest(np.where(X == 20, np.nan, X))).all()


def test_rows_in_any_order_are_those_of_the_array():
    x = np.arange(3000).reshape(1000, 3)
    shards = Shards([x[:300], x[300:301], x[301:]])
    for rows in (np.random.default_rng(0).integers(-1000, 1000, 100), np.arange(298, 305), [], [4]):
        rows = np.asarray(rows, int)
        np.testing.assert_array_equal(shards[rows], x[rows])
