"""By which columns clusters differ, beside pandas."""

import numpy as np
import pandas as pd
import pytest

import kdec
from kdec.report import Contents
from kdec.report.features import profile
from kdec.report.heat_map import heat_map
from kdec.report.rows import Rows


@pytest.fixture
def fruit():
    """Weights differ between the clusters, colours a little, lengths hardly."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    frame = pd.DataFrame(
        {
            "length": rng.normal(10, 2, 100),
            "weight": rng.normal(100, 5, 100) + 40 * labels,
            "colour": np.where(rng.random(100) < 0.4 + 0.2 * labels, "red", "blue"),
            "name": [f"fruit {row}" for row in range(100)],
        }
    )
    dataset = kdec.data.read(frame)
    return Contents.of(dataset, labels=labels, confidence=np.ones(100), codes=dataset.x)


def test_standardized_means_are_those_of_pandas(fruit):
    found = profile(fruit)
    frame = pd.DataFrame(fruit.x.astype("float64"), columns=fruit.columns)
    z = (frame - frame.mean()) / frame.std(ddof=0)
    expected = z.groupby(fruit.labels).mean()
    np.testing.assert_allclose(found.standardized, expected, atol=1e-6)


def test_means_are_those_of_the_values_as_read_and_of_categories_shares(fruit):
    found = profile(fruit)
    weight, red = found.names.index("weight"), found.names.index("colour=red")
    raw = fruit.table["weight"].groupby(fruit.labels).mean()
    np.testing.assert_allclose(found.means[:, weight], raw)
    assert found.mean_text(weight, 2) == f"{raw[2]:.4g}"
    share = (fruit.table["colour"] == "red")[:50].mean()
    assert found.mean_text(red, 0) == f"{share:.0%}"


def test_median_stands_for_missing_values_in_the_means(fruit):
    table = fruit.table.assign(weight=fruit.table["weight"].where(np.arange(100) != 3))
    given = {name: getattr(fruit, name) for name in ("x", "labels", "confidence", "codes")}
    found = profile(Contents(title="", columns=fruit.columns, table=table, **given))
    filled = table["weight"].fillna(table["weight"].median())
    np.testing.assert_allclose(found.means[0, found.names.index("weight")], filled[:50].mean())


def test_columns_in_which_clusters_differ_come_first(fruit):
    found = profile(fruit)
    assert found.names[found.order[0]] == "weight"
    assert found.names[found.order[-1]] == "length"
    assert found.names[found.most_different(2, most=1)[0]] == "weight"
    # The name of each fruit tells nothing: no column of x comes from it.
    assert Rows(fruit, found).names == ["weight", "colour", "length", "name"]


def test_constant_column_and_empty_cluster_do_not_differ(make_contents):
    x = make_contents().x.copy()
    x[:, 2] = 7
    found = profile(make_contents(x=x, centers=np.zeros((4, 5))))
    assert np.all(found.standardized[:, 2] == 0)
    assert np.all(found.standardized[3] == 0)
    assert len(found.most_different(3, most=6)) == 0
    assert 2 not in found.most_different(0, most=6)


def test_vectors_without_names_are_numbered_and_written_as_they_are(make_contents):
    contents = make_contents()
    found = profile(contents)
    rows = Rows(contents, found)
    assert sorted(rows.names) == [f"feature {index}" for index in range(5)]
    column = int(rows.names[0].split()[1])
    assert rows.texts(0, [3]) == [f"{contents.x[3, column]:.6g}"]


def test_cells_of_a_table_are_texts(make_contents):
    cells = ["a\nb", None, np.nan, 1, 2.0, True, "x" * 100, b"raw", "", "é", [1], pd.NaT]
    contents = make_contents(table=pd.DataFrame({"cell": pd.Series(cells, dtype=object)}))
    texts = Rows(contents, profile(contents)).texts(0, range(12))
    assert texts[:6] == ["a b", "", "", "1", "2", "True"]
    assert len(texts[6]) == 40
    assert texts[8:11] == ["", "é", "[1]"]


def test_heat_map_has_the_largest_clusters_and_says_that_it_leaves_some_out():
    labels = np.repeat(np.arange(50), np.arange(1, 51))
    x = np.random.default_rng(0).normal(size=(len(labels), 40)) + labels[:, None]
    contents = Contents(
        title="", x=x, labels=labels, confidence=np.ones(len(labels)), codes=x[:, :3]
    )
    found = heat_map(contents, profile(contents))
    assert found["clusters"] == list(range(10, 50))
    assert len(found["rows_of_cells"]) == 30
    assert found["leaves_out"]
    # The first feature's means rise with the cluster: from blue to red.
    blue, red = (found["rows_of_cells"][0]["cells"][place]["color"] for place in (0, -1))
    assert blue[1:3] < blue[5:7] and red[1:3] > red[5:7]
