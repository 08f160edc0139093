"""`Contents`: what it takes and what it refuses."""

import numpy as np
import pandas as pd
import pytest

import kdec
from kdec.report import Contents


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": np.zeros(12)}, r"`x` to hold numbers .* Received: float64, shape \(12,\)"),
        ({"x": np.full((12, 5), np.nan)}, "`x` to be finite"),
        ({"x": np.full((12, 5), "a")}, "`x` to hold numbers"),
        ({"labels": np.zeros(11, int)}, r"`labels` .* of shape \(12,\).* Received: int64, shape"),
        ({"labels": np.full(12, -1)}, "from 0 on.* the least -1"),
        ({"labels": np.full(12, 0.5)}, "`labels` to be ints.* Received: float64"),
        ({"confidence": np.full(12, 1.5)}, r"values in \[0, 1\].* from 1.5 to 1.5"),
        ({"confidence": np.full(12, np.nan)}, r"values in \[0, 1\]"),
        ({"codes": np.zeros((12, 0))}, r"\(12, code size\)"),
        ({"codes": np.full((12, 2), np.inf)}, "finite values"),
        ({"centers": np.zeros((2, 5))}, r"`centers` .* k of at least 3"),
        ({"decoded": np.zeros((3, 4))}, r"`decoded` .* Received: shape \(3, 4\)"),
        ({"samples": ["a"]}, r"`samples` to have the shape \(12,\)"),
        ({"y": [[0]]}, r"`y` to have the shape \(12,\)"),
        ({"columns": ["a", "b"]}, "`columns` to have 5 names. Received: 2"),
        ({"table": pd.DataFrame({"a": [1]})}, "`table` to have 12 rows. Received: 1"),
    ],
)
def test_wrong_contents_are_refused(make_contents, given, message):
    with pytest.raises(ValueError, match=message):
        make_contents(**given)


def test_lists_become_arrays(make_contents):
    contents = make_contents(labels=[0] * 11 + [4], samples=[f"{i}.png" for i in range(12)])
    assert contents.sizes.tolist() == [11, 0, 0, 0, 1]
    assert contents.samples.shape == (12,)


def test_centroid_of_an_empty_cluster_counts(make_contents):
    assert make_contents().n_clusters == 3
    assert make_contents(centers=np.zeros((6, 5))).n_clusters == 6
    assert make_contents(decoded=np.zeros((4, 5))).n_clusters == 4


def test_class_without_a_name_is_called_by_its_number(make_contents):
    contents = make_contents(y=[0, 7] * 6, classes={0: "cat"})
    assert contents.class_names.tolist() == ["cat", "7"] * 6


def test_data_set_fills_in_what_it_knows():
    frame = pd.DataFrame({"weight": [1.5, 2.5, 3.0], "colour": ["red", "blue", "red"]})
    frame.index = list("abc")
    fruit = kdec.data.read(frame, labels="colour")
    given = {"labels": [0, 1, 0], "confidence": [1, 1, 1], "codes": fruit.x}
    contents = Contents.of(fruit, **given, title="Fruit")
    assert contents.title == "Fruit"
    assert contents.class_names.tolist() == ["red", "blue", "red"]
    assert contents.columns == ("weight",)
    assert list(contents.table["weight"]) == [1.5, 2.5, 3.0]
