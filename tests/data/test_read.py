"""`data.read`: what it takes, which arguments go with what, and what it says of the rest."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.datasets
import threadpoolctl
from sklearn.decomposition import TruncatedSVD

from kdec.data import preparation_from_config, read
from kdec.data.labels import encode_labels

GRID = np.arange(12.0).reshape(6, 2)


def test_heavy_libraries_are_loaded_only_when_they_are_needed(run_python, tmp_path):
    np.save(tmp_path / "grid.npy", GRID)
    code = "import kdec.data, sys; kdec.data.read(sys.argv[1]); print('loaded:', *sys.modules)"
    modules = set(run_python(code, tmp_path / "grid.npy").rpartition("loaded:")[2].split())
    assert "kdec.data.arrays" in modules
    assert not {"pandas", "sklearn", "PIL", "scipy", "pyarrow", "tensorflow", "keras"} & modules


@pytest.mark.parametrize("as_type", [str, lambda path: path])
def test_path_may_be_a_str_or_a_path(as_type, tmp_path):
    np.save(tmp_path / "grid.npy", GRID)
    data = read(as_type(tmp_path / "grid.npy"))
    assert data.name == "grid.npy"
    assert data.x.dtype == np.float32
    np.testing.assert_array_equal(data.x, GRID)
    assert data.y is None
    assert data.sha256 == hashlib.sha256(GRID.astype(np.float32).tobytes()).hexdigest()


def test_digest_covers_the_labels(tmp_path):
    y = np.array([1, 1, 0, 0, 1, 0])
    np.savez(tmp_path / "grid.npz", x=GRID, y=y)
    stored = GRID.astype(np.float32).tobytes() + y.tobytes()
    assert read(tmp_path / "grid.npz").sha256 == hashlib.sha256(stored).hexdigest()


class TestBunch:
    def test_table_is_scaled_and_its_target_are_the_labels(self):
        bunch = sklearn.datasets.load_iris()
        data = read(bunch)
        expected = (bunch.data - bunch.data.mean(axis=0)) / bunch.data.std(axis=0)
        np.testing.assert_allclose(data.x, expected, atol=1e-6)
        np.testing.assert_array_equal(data.y, bunch.target)
        assert data.classes == {0: "setosa", 1: "versicolor", 2: "virginica"}
        assert data.columns == tuple(bunch.feature_names)

    def test_frame_is_the_same(self):
        plain, frame = (read(sklearn.datasets.load_iris(as_frame=how)) for how in (False, True))
        assert plain.sha256 == frame.sha256

    def test_images_are_brought_to_0_and_1(self):
        bunch = sklearn.datasets.load_digits()
        data = read(bunch)
        np.testing.assert_array_equal(data.x, (bunch.images / 16).astype(np.float32))
        np.testing.assert_array_equal(data.y, bunch.target)

    def test_target_to_predict_is_no_label(self):
        assert read(sklearn.datasets.load_diabetes()).y is None

    def test_texts_say_what_makes_numbers_of_them(self):
        with pytest.raises(TypeError, match=r"Received: list; .*TfidfVectorizer"):
            read({"data": ["one text", "another"]})


class TestSparse:
    @pytest.fixture(autouse=True)
    def one_thread(self):
        """So small a matrix costs most time where threads wait for one another."""
        with threadpoolctl.threadpool_limits(1):
            yield

    @pytest.fixture
    def counts(self):
        return scipy.sparse.random_array((150, 130), density=0.1, format="csr", rng=0)

    def test_is_reduced_by_truncated_svd(self, counts, tmp_path, caplog):
        caplog.set_level("INFO", "kdec")
        scipy.sparse.save_npz(tmp_path / "counts.npz", counts)
        data = read(tmp_path / "counts.npz")
        expected = TruncatedSVD(100, random_state=0).fit(counts).transform(counts)
        np.testing.assert_allclose(data.x, expected, atol=1e-6)
        assert data.columns[:2] == ("component 0", "component 1")
        assert "counts.npz: 130 sparse columns reduced to 100 by TruncatedSVD" in caplog.text

    def test_few_columns_keep_all_distances(self, counts):
        few = counts[:, :9]
        x = read(few).x
        assert x.shape == (150, 9)
        np.testing.assert_allclose(x @ x.T, (few @ few.T).toarray(), atol=1e-6)

    def test_new_rows_come_to_the_same_columns(self, counts):
        old = read(counts[:20])
        stored = json.loads(json.dumps(old.preparation.get_config()))
        new = read(counts[:3], preparation=preparation_from_config(stored))
        np.testing.assert_allclose(new.x, old.x[:3], atol=1e-6)
        with pytest.raises(ValueError, match=r"to have 130 columns. Received: 9"):
            read(counts[:, :9], preparation=old.preparation)

    def test_index_outside_is_an_error_and_no_crash(self, counts, tmp_path):
        counts.indices[7] = 10**6
        scipy.sparse.save_npz(tmp_path / "wrong.npz", counts)
        with pytest.raises(ValueError, match=r"Expected wrong\.npz .*indices must be < 130"):
            read(tmp_path / "wrong.npz")

    @pytest.mark.parametrize(
        ("matrix", "received"),
        [
            (scipy.sparse.csr_array((4, 5)), r"shape \(4, 5\), 0 values"),
            (scipy.sparse.csr_array([[1, np.nan], [0, 1]]), "infinite or missing"),
        ],
    )
    def test_wrong_values(self, matrix, received):
        with pytest.raises(ValueError, match=f"Expected .*Received: .*{received}"):
            read(matrix)


class TestLabels:
    @pytest.mark.parametrize(
        ("values", "y", "classes"),
        [
            ([5, 7, 5], [5, 7, 5], {5: "5", 7: "7"}),
            (np.array([2, 1], np.uint8), [2, 1], {1: "1", 2: "2"}),
            ([2.0, 1.0], [2, 1], {1: "1", 2: "2"}),
            (pd.array([10, 9], dtype="Int64"), [10, 9], {9: "9", 10: "10"}),
            (["b", "a", "b"], [1, 0, 1], {0: "a", 1: "b"}),
            ([True, False], [1, 0], {0: "False", 1: "True"}),
            (pd.Categorical(["x", "y"]), [0, 1], {0: "x", 1: "y"}),
        ],
    )
    def test_become_whole_numbers(self, values, y, classes):
        encoded, names = encode_labels(values, "these")
        assert encoded.dtype == np.int64
        assert (encoded.tolist(), names) == (y, classes)

    def test_numbers_that_are_not_whole_are_none(self):
        with pytest.raises(ValueError, match=r"whole numbers or text as these. .*such as 0.5"):
            encode_labels([1, 0.5], "these")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda path: path, FileNotFoundError, r"Expected a file or a folder\. Received: .*here"),
        (lambda path: 3, TypeError, "Expected a path, .* Received: int"),
        (lambda path: None, TypeError, "Received: NoneType"),
        (lambda path: (path.write_text(""), path)[1], ValueError, r"\.parquet.* Received: 'here'"),
        (lambda path: (path.mkdir(), path)[1], ValueError, r"Expected images .*Received: none"),
    ],
)
def test_what_cannot_be_read(make, error, message, tmp_path):
    with pytest.raises(error, match=message):
        read(make(tmp_path / "here"))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npy", "npz"])
def test_empty_file(suffix, tmp_path):
    path = tmp_path / f"void.{suffix}"
    path.touch()
    with pytest.raises(ValueError, match=rf"void\.{suffix} to hold samples\. .*an empty file"):
        read(path)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": 3}, TypeError, "`labels` to be a name"),
        ({"labels": "y"}, ValueError, "'y' for the ndarray, which is one array"),
        ({"missing": "mean"}, ValueError, 'None, "median" or "drop". Received: missing=\'mean\''),
        ({"categories": "zip"}, TypeError, "list of names. Received: categories='zip'"),
        ({"categories": ["zip"]}, ValueError, "`categories` only for tables. .* the ndarray"),
        ({"size": 0}, ValueError, "Received: size=0"),
        ({"size": (3, 4, 5)}, ValueError, "height and width. Received: size="),
        ({"size": 8}, ValueError, "`size` only for images"),
        ({"color": "grey"}, ValueError, "None or True or False. Received: color='grey'"),
        ({"strict": 1}, ValueError, "True or False. Received: strict=1"),
        ({"strict": True}, ValueError, "`strict` only for images"),
        ({"seed": 1}, ValueError, "`seed` only for sparse matrices"),
        ({"seed": -1}, ValueError, "`seed` to be an int of at least 0"),
        ({"preparation": 3}, ValueError, "preparation of arrays, .*Received: preparation=3"),
    ],
)
def test_wrong_argument(arguments, error, message):
    with pytest.raises(error, match=f"Expected .*{message}"):
        read(GRID, **arguments)


def test_preparation_excludes_what_it_has_and_other_kinds():
    table = read(pd.DataFrame(GRID + 0.5))
    with pytest.raises(ValueError, match=r"preparation of arrays.*preparation='tables'"):
        read(GRID, preparation=table.preparation)
    with pytest.raises(ValueError, match="Expected `categories` or `preparation`"):
        read(pd.DataFrame(GRID), preparation=table.preparation, categories=["0"])


@pytest.mark.parametrize("config", [None, {}, {"kind": "sound"}])
def test_config_of_no_preparation(config):
    with pytest.raises(ValueError, match="config of a preparation, of kind table, array"):
        preparation_from_config(config)
