"""Shards: the rows of files on the disk against the same rows in memory."""

import itertools
import tempfile

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kdec.data import Shards, parquet_shards, read
from kdec.data import shards as shards_module

X = np.random.default_rng(0).normal(size=(1000, 3)).astype("float32")
ENDS = [0, 400, 401, 1000]
ROWS = [
    *(slice(0, 10), slice(395, 500), slice(None), slice(990, 2000), slice(7, 3)),
    *(slice(None, None, -7), np.array([999, 0, 400, -1]), 5, -1, X[:, 0] > 0),
]


@pytest.fixture
def npy(tmp_path):
    """A folder of three .npy files."""
    for number, (start, stop) in enumerate(itertools.pairwise(ENDS)):
        np.save(tmp_path / f"{number}.npy", X[start:stop])
    return tmp_path


@pytest.fixture
def tables(tmp_path):
    """A folder of two Parquet tables of several groups of rows, as Spark leaves it."""
    frame = pd.DataFrame(X, columns=list("abc")).assign(kind=["u", "v"] * 500)
    frame[:600].to_parquet(tmp_path / "part-0.parquet", row_group_size=70)
    frame[600:].set_index(np.arange(7, 407)).to_parquet(
        tmp_path / "part-1.parquet", row_group_size=90
    )
    (tmp_path / "_SUCCESS").touch()
    return tmp_path


class TestRows:
    @pytest.mark.parametrize("rows", ROWS, ids=lambda rows: str(type(rows).__name__))
    def test_are_those_of_the_array(self, rows, npy):
        x = read(npy).x
        np.testing.assert_array_equal(x[rows], X[rows])
        assert (x.shape, x.ndim, len(x), x.nbytes) == (X.shape, 2, 1000, X.nbytes)
        assert x[rows].dtype == x.dtype == np.float32

    def test_of_parquet_groups_are_decoded_as_they_are_asked_for(self, tables, monkeypatch):
        decoded = []
        decode = parquet_shards.ParquetRows._decode
        monkeypatch.setattr(
            parquet_shards.ParquetRows,
            "_decode",
            lambda self, group: (decoded.append(group), decode(self, group)),
        )
        x = read(tables, labels="kind").x
        np.testing.assert_array_equal(x.part(590, 650)[:], X[590:650])
        np.testing.assert_array_equal(x[[595, 640]], X[[595, 640]])
        assert sorted(decoded) == [8, 9]  # rows 560 to 600, and 600 to 690
        np.testing.assert_array_equal(x, X)
        assert len(decoded) == 14

    def test_of_a_part_of_a_part(self, npy):
        x = read(npy).x.part(390, 950).part(5, 20)
        np.testing.assert_array_equal(x, X[395:410])
        assert len(x) == 15

    def test_beyond_the_last_are_refused(self, npy):
        x = read(npy).x
        for rows in (1000, [0, -1001], np.array([0.5]), [[0], [1]]):
            with pytest.raises(IndexError, match="Expected"):
                x[rows]

    def test_stay_right_when_files_are_closed_and_pages_dropped(self, npy, monkeypatch):
        monkeypatch.setattr(shards_module, "_MOST_OPEN", 2)
        monkeypatch.setattr(shards_module, "_BYTES_IN_ORDER", 100)
        x = read(npy).x
        for rows in ([0, 400, 999], [999, 0, 400]):
            np.testing.assert_array_equal(x[rows], X[rows])
        assert len(x._open) <= 2

    def test_iterate(self, npy):
        np.testing.assert_array_equal(list(read(npy).x), X)

    def test_of_another_byte_order_become_ours(self, tmp_path):
        np.save(tmp_path / "0.npy", X.astype(">f4"))
        x = read([tmp_path / "0.npy"]).x
        assert x.dtype.isnative
        np.testing.assert_array_equal(x[3:5], X[3:5])


class TestRead:
    def test_parquet_has_columns_and_labels(self, tables):
        data = read(tables, labels="kind")
        assert data.columns == ("a", "b", "c")
        assert data.classes == {0: "u", 1: "v"}
        assert data.y.tolist() == [0, 1] * 500

    def test_a_list_is_taken_in_its_order(self, npy):
        data = read([npy / "1.npy", str(npy / "0.npy")])
        np.testing.assert_array_equal(data.x, X[[400, *range(400)]])

    def test_digest_tells_other_files(self, npy):
        before = read(npy).sha256
        assert read(npy).sha256 == before
        np.save(npy / "2.npy", X[401:] + 1)
        assert read(npy).sha256 != before

    def test_images_in_the_folder_come_first(self, npy):
        (npy / "a.png").touch()
        with pytest.raises(ValueError, match=r"images|samples"):
            read(npy)

    @pytest.mark.parametrize(
        ("second", "message"),
        [
            (X[:, :2], r"shape \(3,\) and dtype float32 in all.*\(2,\) and float32 in 1\.npy"),
            (X.astype("float64"), r"Received: \(3,\) and float64 in 1\.npy"),
            (X[:, 0], r"Expected real numbers of shape.* in 1\.npy.*\(1000,\)"),
            (X.astype(str), r"Expected real numbers.*dtype <U"),
        ],
    )
    def test_shards_that_differ(self, second, message, npy):
        np.save(npy / "1.npy", second)
        with pytest.raises(ValueError, match=message):
            read(npy)

    @pytest.mark.parametrize(
        ("frame", "options", "message"),
        [
            ({"a": ["x", "y"]}, {}, r"columns of numbers in 0\.parquet.*'a' of type"),
            ({"a": [1, 2]}, {"labels": "b"}, r"column of 0\.parquet: a\. Received: labels='b'"),
            ({"a": [1, 2]}, {"labels": "a"}, r"columns of different names in 0\.parquet"),
            ({"a": [1, 2]}, {"missing": "drop"}, r"`missing` only for tables and arrays"),
        ],
    )
    def test_tables_that_are_no_numbers(self, frame, options, message, tmp_path):
        pd.DataFrame(frame).to_parquet(tmp_path / "0.parquet")
        with pytest.raises(ValueError, match=message):
            read(tmp_path, **options)

    def test_missing_values_are_named(self, tmp_path):
        pd.DataFrame({"a": [1.0, None]}).to_parquet(tmp_path / "0.parquet")
        with pytest.raises(ValueError, match=r"everywhere in 0\.parquet.* 1 missing in 'a'"):
            read(tmp_path).x[:]

    def test_mixed_or_absent_files(self, npy):
        (npy / "a.csv").touch()
        with pytest.raises(ValueError, match=r"all \.npy or all \.parquet. Received: \.csv, \.npy"):
            read([npy / "0.npy", npy / "a.csv"])
        with pytest.raises(FileNotFoundError, match=r"9\.npy"):
            read([npy / "0.npy", npy / "9.npy"])


class TestOf:
    def test_a_memory_map_of_any_mode(self, npy):
        for mode in ("r", "r+", "c"):
            rows = np.load(npy / "2.npy", mmap_mode=mode)
            np.testing.assert_array_equal(Shards.of(rows[5:]), X[406:])

    def test_changes_to_a_private_map_are_kept(self, npy, monkeypatch):
        monkeypatch.setattr(shards_module, "_BYTES_IN_ORDER", 1)
        rows = np.load(npy / "2.npy", mmap_mode="c")
        rows[0] = 7
        x = Shards.of(rows)
        assert x[:1].tolist() == x[:1].tolist() == [[7, 7, 7]]

    def test_what_lies_in_memory_is_none(self, npy):
        rows = np.load(npy / "2.npy", mmap_mode="r")
        assert [Shards.of(x) for x in (X, X.tolist(), rows.copy(), rows + 1, None)] == [None] * 5

    @pytest.mark.parametrize("has_labels", [False, True])
    def test_a_dataset_is_written_once_and_leaves_nothing(self, has_labels, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        source = (X, X[:, 0]) if has_labels else X
        x = Shards.of(tf.data.Dataset.from_tensor_slices(source).batch(64))
        np.testing.assert_array_equal(x, X)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("dataset", "message"),
        [
            (lambda data: data, r"`\.batch\(1024\)` makes them"),
            (lambda data: data.batch(9).repeat(), "that ends"),
            (lambda data: data.take(0).batch(9), "Received: none"),
        ],
    )
    def test_datasets_that_are_no_samples(self, dataset, message):
        with pytest.raises(ValueError, match=message):
            Shards.of(dataset(tf.data.Dataset.from_tensor_slices(X)))
