"""`data.read` on tables: the rule for columns, missing values, files, and new rows."""

import json

import numpy as np
import pandas as pd
import pytest

from kdec.data import preparation_from_config, read


@pytest.fixture
def write(tmp_path):
    """A function that writes a CSV file, and returns its path."""

    def write(text, encoding="utf-8"):
        (tmp_path / "own.csv").write_text(text, encoding=encoding, newline="")
        return tmp_path / "own.csv"

    return write


def column(values):
    """One column under test beside one that tells rows apart."""
    return pd.DataFrame({"tested": values, "other": np.arange(len(values)) ** 2})


class TestColumns:
    def test_numbers_are_scaled_to_mean_0_and_deviation_1(self):
        data = read(pd.DataFrame({"a": [1, 1, 3, 3], "b": [10.0, 20, 10, 20]}))
        assert data.x.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]
        assert data.x.dtype == np.float32
        assert data.columns == ("a", "b")

    def test_numbers_far_from_the_origin_lose_nothing(self):
        data = read(pd.DataFrame({"a": [1e9 + 1, 1e9 + 3, 1e9 + 1, 1e9 + 3]}))
        assert data.x.tolist() == [[-1], [1], [-1], [1]]

    @pytest.mark.parametrize(
        ("values", "categories"),
        [
            (["red", "blue", "red", "red"], ["blue", "red"]),
            ([True, False, True, True], ["False", "True"]),
            (pd.Categorical([3, 2, 3, 3]), ["2", "3"]),
            (pd.array(["u", "v", "v", "v"], dtype="string"), ["u", "v"]),
            (["=1+2", "@x", "=1+2", "@x"], ["=1+2", "@x"]),
        ],
    )
    def test_categories_get_a_column_each(self, values, categories):
        data = read(column(values))
        assert data.columns == (*(f"tested={category}" for category in categories), "other")
        expected = np.array([str(value) for value in values])[:, None] == categories
        np.testing.assert_array_equal(data.x[:, :-1], expected)

    @pytest.mark.parametrize(
        ("name", "values", "reason"),
        [
            ("a", [3, 3, 3, 3], "constant"),
            ("a", ["x", "x", "x", "x"], "constant"),
            ("a", [1e-200, 2e-200, 1e-200, 1e-200], "constant"),
            ("a", [12, 10, 13, 11], "like an identifier"),
            ("a", ["u3", "u1", "u9", "u4"], "like an identifier"),
            ("user_id", [5, 99, 7, 5], "like an identifier"),
            ("userId", [5, 99, 7, 5], "like an identifier"),
            ("uuid", [5, 99, 7, 3], "like an identifier"),
            ("a", pd.to_datetime(["2020", "2021", "2020", "2022"]), "but Timestamp"),
            ("a", [[1], [2], [1], [3]], "but list"),
            ("a", ["x", ["y"], "x", 3], "but str"),
            ("a", [1j, 2, 3, 4], "but complex128"),
        ],
    )
    def test_column_that_is_left_out_and_named(self, name, values, reason, caplog):
        frame = pd.DataFrame({name: values, "other": [1.5, 2, 7, 7]})
        data = read(frame)
        assert data.columns == ("other",)
        assert data.left_out[name].endswith(reason)
        assert f"Left out columns of the DataFrame: {name!r} (" in caplog.text
        pd.testing.assert_frame_equal(data.table, frame)

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("paid", [5, 99, 7, 8]),
            ("user_id", [5, 5, 7, 7]),
            ("user_id", [0.5, 0.1, 0.7, 0.3]),
            ("a", [10, 11, 13, 14]),
        ],
    )
    def test_column_that_is_no_identifier(self, name, values):
        assert read(pd.DataFrame({name: values})).columns == (name,)

    def test_text_with_many_values_names_things_if_most_differ(self):
        names = [f"n{index}" for index in range(21)]
        assert "tested" in read(column(names + names[:20])).left_out
        assert "tested" not in read(column(names + names)).left_out
        assert "tested" not in read(column(names[:20] + names[:19])).left_out

    def test_above_50_categories_the_rare_ones_share_a_column(self, caplog):
        frequent = [f"f{index:02d}" for index in range(49)] * 3
        data = read(column(frequent + ["rare1", "rare2"] * 2))
        assert data.columns[:2] == ("tested=f00", "tested=f01")
        assert data.columns[48:] == ("tested=f48", "tested=(others)", "other")
        assert data.x[:, 49].sum() == 4
        assert (data.x[:, :50].sum(axis=1) == 1).all()
        assert "'tested' has 51 categories: the 49 most frequent" in caplog.text
        assert len(read(column([f"c{index}" for index in range(50)] * 3)).columns) == 51

    @pytest.mark.parametrize(
        ("values", "received"),
        [
            ([*np.arange(1.5, 500), "unknown"], "'unknown' in row 499, and 1 such values in 500 "),
            (["x", "y"] * 9 + [1.5, "2"], "'x' in row 0, and 18 such values in 20 rows; or name"),
            ([1, 2, np.inf], "inf in row 2"),
            ([1, 1e39, 5], "1e.39 in row 1, and 1 such"),
        ],
    )
    def test_column_of_numbers_with_something_else(self, values, received):
        message = f"Expected numbers .*in column 'tested' of the DataFrame. Received: {received}"
        with pytest.raises(ValueError, match=message):
            read(column(values))

    def test_fewer_numbers_than_one_in_ten_are_text(self):
        data = read(column(["x"] * 6 + ["y"] * 13 + ["2"]))
        assert data.columns == ("tested=2", "tested=x", "tested=y", "other")

    def test_numbers_are_categories_if_named(self):
        data = read(column([20, 30, 30, "20"]), categories=["tested"])
        assert data.columns == ("tested=20", "tested=30", "other")
        same = read(column([20.0, 30.0, np.nan, 20.0]), categories=["tested"], missing="median")
        assert same.x[:, :2].tolist() == [[1, 0], [0, 1], [1, 0], [1, 0]]
        with pytest.raises(ValueError, match=r"have the columns 'no'. Received: columns 'tested'"):
            read(column([1, 5, 9]), categories=["no"])

    def test_numbers_as_text_are_numbers(self):
        assert read(column(["10", "20.5", "1e3", "7"])).columns == ("tested", "other")

    @pytest.mark.parametrize(
        ("columns", "received"),
        [
            ({"a": [7, 7, 7]}, "'a' .constant."),
            ({"a": [np.nan] * 3}, "'a' .no values."),
            ({"a": [1, 1, 1], "id": [1, 2, 3]}, "'a' .constant., 'id' .like an identifier."),
        ],
    )
    def test_no_column_is_left(self, columns, received):
        with pytest.raises(ValueError, match=f"tells its rows apart. Received: {received}"):
            read(pd.DataFrame(columns))

    def test_duplicate_rows_are_taken_and_counted(self, caplog):
        assert len(read(pd.DataFrame({"a": [1, 1, 1, 5, 9]})).x) == 5
        assert "2 of the 5 rows of the DataFrame repeat another" in caplog.text
        caplog.clear()
        assert len(read(pd.DataFrame({"a": [*np.arange(19) ** 2, 0]})).x) == 20
        assert not caplog.text

    @pytest.mark.parametrize("names", [["a", "a"], [1, "1"]])
    def test_names_are_text_and_differ(self, names):
        frame = pd.DataFrame([[1.5, 2], [3, 4]])
        assert read(frame).columns == ("0", "1")
        with pytest.raises(ValueError, match=f"to differ in name. Received: '{names[1]}' twice"):
            read(frame.set_axis(names, axis=1))


class TestMissing:
    TABLE = "a,b,c\n1,x,9\n,y,9\n4,,5\n4,y,7\n9,x,5\n"

    def test_is_an_error_that_names_the_columns(self, write):
        message = (
            r"row of own\.csv\. Received: 1 missing in 'a', 1 missing in 'b'; missing=\"median"
        )
        with pytest.raises(ValueError, match=message):
            read(write(self.TABLE))

    def test_median_and_most_frequent_category(self, write):
        data = read(write(self.TABLE), missing="median")
        a = np.array([1, np.nan, 4, 4, 9])
        expected = (np.nan_to_num(a, nan=4) - np.nanmean(a)) / np.nanstd(a)
        np.testing.assert_allclose(data.x[:, 0], expected, rtol=1e-6)
        assert data.x[:, 1:3].tolist() == [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]

    def test_drop_fits_to_the_rows_that_stay(self, write):
        data = read(write(self.TABLE), missing="drop")
        a = np.array([1, 4, 9])
        np.testing.assert_allclose(data.x[:, 0], (a - a.mean()) / a.std(), rtol=1e-6)
        assert data.samples.tolist() == [0, 3, 4]
        assert data.table["a"].tolist() == [1, 4, 9]

    def test_column_that_is_constant_in_the_rows_that_stay_drops_none(self, write):
        data = read(write("a,b\n1,x\n,y\n4,\n4,x\n9,x\n"), missing="drop")
        assert data.left_out == {"b": "constant"}
        assert data.table["a"].tolist() == [1, 4, 4, 9]
        assert data.x.mean() == pytest.approx(0, abs=1e-6)

    def test_value_missing_in_a_column_that_is_left_out_drops_nothing(self, write):
        data = read(write("id,a\n7,1\n,3\n9,4\n11,8\n"), missing="drop")
        assert len(data.x) == 4

    def test_column_without_any_value(self, write):
        path = write("a,b\n,1\n,2\n,4\n")
        with pytest.raises(ValueError, match="3 missing in 'a'"):
            read(path)
        for missing in ("median", "drop"):
            data = read(path, missing=missing)
            assert (data.columns, len(data.x)) == (("b",), 3)
            assert data.left_out == {"a": "no values"}

    def test_no_row_is_complete(self, write):
        with pytest.raises(ValueError, match=r"own\.csv without missing values. Received: none"):
            read(write("a,b\n1,\n,3\n4,\n,7\n"), missing="drop")

    def test_label_is_missing(self, write):
        path = write("a,kind\n1,x\n3,\n4,y\n8,x\n")
        with pytest.raises(ValueError, match=r"a label for every row .*1 missing in 'kind'"):
            read(path, labels="kind", missing="median")
        data = read(path, labels="kind", missing="drop")
        assert data.y.tolist() == [0, 1, 0]
        assert data.samples.tolist() == [0, 2, 3]


class TestFiles:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters_and_byte_order_mark(self, delimiter, write):
        text = "größe,b\r\n1,10\r\n1,20\r\n3,10\r\n".replace(",", delimiter)
        data = read(write(text, encoding="utf-8-sig"))
        assert data.columns == ("größe", "b")
        assert data.name == "own.csv"

    def test_first_line_of_numbers_is_a_row(self, write):
        data = read(write("0,1.5\n2,4.5\n5,1.5\n"))
        assert data.columns == ("column 0", "column 1")
        assert data.table.to_numpy().tolist() == [[0, 1.5], [2, 4.5], [5, 1.5]]

    def test_index_that_pandas_wrote_is_left_out(self, tmp_path):
        pd.DataFrame({"a": [1.5, 3, 7]}).to_csv(tmp_path / "own.csv")
        assert read(tmp_path / "own.csv").left_out == {"Unnamed: 0": "like an identifier"}

    @pytest.mark.parametrize(
        ("text", "received"),
        [
            ("\n\n", "No columns to parse"),
            ("a,b\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
            ("a,b\n1,2,3\n3,4,5\n", "first line that is shorter than the others"),
            ("a,b\n", "at least 2 samples in own.csv. Received: none"),
            ("a,b\n1,2\n", "at least 2 samples in own.csv. Received: 1"),
        ],
    )
    def test_csv_that_is_no_table(self, text, received, write):
        with pytest.raises(ValueError, match=f"Expected .*{received}"):
            read(write(text))

    def test_csv_in_another_encoding(self, write):
        with pytest.raises(ValueError, match=r"own\.csv .*in UTF-8. Received: 'utf-8' codec"):
            read(write("größe\n1\n2\n", encoding="latin-1"))

    def test_parquet_has_the_same_values_as_the_frame(self, tmp_path):
        pytest.importorskip("pyarrow")
        frame = pd.DataFrame(
            {
                "a": pd.array([1, None, 4, 9], dtype="Int64"),
                "b": pd.Categorical(["x", "y", "x", "x"]),
                "c": [True, False, True, True],
                "d": pd.to_datetime(["2020", "2021", "2020", "2022"]),
            }
        )
        frame.to_parquet(tmp_path / "own.parquet")
        stored, direct = (read(f, missing="median") for f in (tmp_path / "own.parquet", frame))
        assert stored.columns == ("a", "b=x", "b=y", "c=False", "c=True")
        np.testing.assert_array_equal(stored.x, direct.x)
        assert stored.left_out == direct.left_out

    @pytest.mark.parametrize("content", [b"PAR1", b"PAR1 and more PAR1", b"a,b\n1,2\n"])
    def test_broken_parquet(self, content, tmp_path):
        pytest.importorskip("pyarrow")
        (tmp_path / "own.parquet").write_bytes(content)
        with pytest.raises(ValueError, match=r"Expected own\.parquet to be a Parquet table"):
            read(tmp_path / "own.parquet")

    def test_parquet_without_pyarrow_names_the_extra(self, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
        (tmp_path / "own.parquet").write_bytes(b"PAR1")
        with pytest.raises(ImportError, match=r"pyarrow, to read own.*kdec\[parquet\]"):
            read(tmp_path / "own.parquet")


class TestLabels:
    FRAME = pd.DataFrame({"a": [1, 5, 9], "kind": ["u", "v", "u"]}, index=["p", "q", "r"])

    def test_column_is_taken_by_its_name(self):
        data = read(self.FRAME, labels="kind")
        assert (data.y.tolist(), data.classes) == ([0, 1, 0], {0: "u", 1: "v"})
        assert data.columns == ("a",)
        assert data.table.columns.tolist() == ["a"]
        assert data.samples.tolist() == ["p", "q", "r"]

    def test_name_that_is_not_there(self):
        message = "column of the DataFrame: a, kind. .*labels='kinds'. Did you mean 'kind'"
        with pytest.raises(ValueError, match=message):
            read(self.FRAME, labels="kinds")


class TestNewRows:
    @pytest.fixture
    def old(self):
        frame = pd.DataFrame(
            {
                "id": [1, 2, 3, 4],
                "a": [1.0, 1, 3, 3],
                "b": ["x", "y", "x", "y"],
                "kind": list("uvuv"),
            }
        )
        return read(frame, labels="kind")

    @pytest.fixture
    def preparation(self, old):
        return preparation_from_config(json.loads(json.dumps(old.preparation.get_config())))

    def test_come_to_the_same_columns_in_any_order(self, old, preparation):
        data = read(pd.DataFrame({"b": ["y"], "new": [3], "a": [4]}), preparation=preparation)
        assert data.columns == old.columns == ("a", "b=x", "b=y")
        assert data.x.tolist() == [[2, 0, 1]]

    def test_unknown_category_is_named_and_has_no_column(self, preparation, caplog):
        data = read(pd.DataFrame({"a": [2], "b": ["z"]}), preparation=preparation)
        assert data.x.tolist() == [[0, 0, 0]]
        assert "'b' of the DataFrame has categories that are new, such as 'z'" in caplog.text

    def test_unknown_category_joins_the_rare_ones(self):
        old = read(column([f"f{index:02d}" for index in range(51)] * 3))
        new = pd.DataFrame({"tested": ["unseen"], "other": [0]})
        assert read(new, preparation=old.preparation).x[0, 49] == 1

    def test_missing_value_is_filled_with_what_was_fitted(self, preparation):
        frame = pd.DataFrame({"a": [np.nan, 3], "b": [None, "y"]})
        with pytest.raises(ValueError, match="1 missing in 'a', 1 missing in 'b'"):
            read(frame, preparation=preparation)
        data = read(frame, preparation=preparation, missing="median")
        assert data.x.tolist() == [[0, 1, 0], [1, 0, 1]]
        assert read(frame, preparation=preparation, missing="drop").samples.tolist() == [1]

    def test_column_is_not_there_or_has_text(self, preparation):
        with pytest.raises(ValueError, match=r"have the columns 'b'. Received: columns 'a'"):
            read(pd.DataFrame({"a": [1]}), preparation=preparation)
        with pytest.raises(ValueError, match=r"Expected numbers in column 'a' .*'much' in row 0"):
            read(pd.DataFrame({"a": ["much"], "b": ["x"]}), preparation=preparation)
