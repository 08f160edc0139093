"""`data.read` on .npy and .npz files and on arrays."""

import json
import pickle

import numpy as np
import pytest

from kdec.data import preparation_from_config, read

GRID = np.arange(12.0).reshape(6, 2)
HOLES = np.array([[1, 2], [np.nan, 4], [3, 6], [8, np.nan]])


@pytest.fixture
def save(tmp_path):
    """A function that saves arrays as an .npz file, and returns its path."""

    def save(**arrays):
        np.savez(tmp_path / "own.npz", **arrays)
        return tmp_path / "own.npz"

    return save


class TestFiles:
    def test_npz_has_x_and_y(self, save):
        data = read(save(x=GRID, y=np.array([4, 4, 9, 9, 9, 9]), other=np.ones(3)))
        np.testing.assert_array_equal(data.x, GRID)
        assert data.y.tolist() == [4, 4, 9, 9, 9, 9]
        assert data.y.dtype == np.int64
        assert data.n_classes == 2
        assert data.samples.tolist() == [0, 1, 2, 3, 4, 5]

    def test_single_array_needs_no_name(self, save):
        np.testing.assert_array_equal(read(save(features=GRID)).x, GRID)

    def test_labels_by_the_name_of_their_array(self, save):
        path = save(x=GRID, kind=np.array(list("bbaaaa")))
        data = read(path, labels="kind")
        assert data.y.tolist() == [1, 1, 0, 0, 0, 0]
        assert data.classes == {0: "a", 1: "b"}
        with pytest.raises(ValueError, match=r"array of own\.npz: x, kind. Received: labels='no'"):
            read(path, labels="no")

    def test_several_arrays_without_x(self, save):
        with pytest.raises(ValueError, match=r"samples as x\. Received: arrays first, second"):
            read(save(first=GRID, second=GRID))

    def test_labels_of_another_length(self, save):
        with pytest.raises(ValueError, match=r"each of the 6 samples of own\.npz\. Received: 5"):
            read(save(x=GRID, y=np.zeros(5)))

    @pytest.mark.parametrize("suffix", ["npy", "npz"])
    def test_nothing_is_unpickled(self, suffix, tmp_path):
        path = tmp_path / f"trap.{suffix}"

        class Trap:
            def __reduce__(self):
                return (tmp_path.joinpath("sprung").touch, ())

        trap = np.array([[Trap(), 1]], dtype=object)
        np.save(path, trap) if suffix == "npy" else np.savez(path, x=trap)
        with pytest.raises(ValueError, match=rf"trap\.{suffix} .*without pickle.*Python objects"):
            read(path)
        path.write_bytes(pickle.dumps(Trap()))
        with pytest.raises(ValueError, match=rf"trap\.{suffix} .*without pickle"):
            read(path)
        assert not (tmp_path / "sprung").exists()

    def test_truncated_files(self, save, tmp_path):
        path = save(x=GRID)
        path.write_bytes(path.read_bytes()[:-60])
        with pytest.raises(ValueError, match=r"Expected own\.npz .*Received: File is not a zip"):
            read(path)
        np.save(tmp_path / "own.npy", GRID)
        path = tmp_path / "own.npy"
        path.write_bytes(path.read_bytes()[:-60])
        with pytest.raises(
            ValueError, match=r"Expected own\.npy .*Received: Failed to read all data"
        ):
            read(path)

    def test_header_that_asks_for_more_memory_than_there_is(self, tmp_path):
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 1000000), }"
        content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        (tmp_path / "huge.npy").write_bytes(content)
        with pytest.raises(ValueError, match=r"Expected huge\.npy to hold arrays"):
            read(tmp_path / "huge.npy")

    def test_one_kind_of_file_in_the_other(self, save, tmp_path):
        archive = save(x=GRID).rename(tmp_path / "archive.npy")
        with pytest.raises(ValueError, match=r"Received: an archive of arrays; call it \.npz"):
            read(archive)
        np.save(tmp_path / "array.npy", GRID)
        array = (tmp_path / "array.npy").rename(tmp_path / "array.npz")
        with pytest.raises(ValueError, match=r"Received: one array, no archive; call it \.npy"):
            read(array)


class TestValues:
    def test_bytes_are_divided_by_255_and_16_bits_by_65535(self):
        pixels = np.array([[[0, 255], [51, 102]]] * 2, np.uint8)
        pixels[1] = 0
        expected = np.float32([[0, 1], [0.2, 0.4]])
        np.testing.assert_allclose(read(pixels).x[0], expected, rtol=1e-7)
        np.testing.assert_allclose(read(pixels.astype(np.uint16) * 257).x[0], expected, rtol=1e-7)
        np.testing.assert_allclose(read(pixels.reshape(2, 4)).x[0], expected.ravel(), rtol=1e-7)

    def test_images_are_brought_to_0_and_1(self):
        images = np.linspace(-1, 1, 18).reshape(2, 3, 3)
        np.testing.assert_allclose(read(images).x, (images + 1) / 2, atol=1e-6)
        np.testing.assert_allclose(read(images + 1).x, (images + 1) / 2, atol=1e-6)
        inside = (images + 1) / 4
        np.testing.assert_array_equal(read(inside).x, inside.astype(np.float32))

    def test_new_images_are_brought_there_in_the_same_way(self):
        images = np.arange(18.0).reshape(2, 3, 3)
        old = read(images)
        stored = json.loads(json.dumps(old.preparation.get_config()))
        new = read(images[:1] / 2, preparation=preparation_from_config(stored))
        np.testing.assert_allclose(new.x, old.x[:1] / 2, atol=1e-7)
        with pytest.raises(ValueError, match=r"samples of shape \(3, 3\) .*Received: \(2, 3\)"):
            read(images[:, :2], preparation=old.preparation)

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.arange(4.0), r"\(n, d\) or .*Received: shape \(4,\)"),
            (np.array(3.0), "at least 2 samples .*Received: none"),
            (GRID[:1], "at least 2 samples .*Received: 1"),
            (GRID[:0], "at least 2 samples .*Received: none"),
            (np.zeros((3, 0)), r"Received: shape \(3, 0\)"),
            (GRID * 1j, "real numbers. Received: values of dtype complex128"),
            (np.array([["a"], ["b"]]), "real numbers. Received: values of dtype <U1"),
            (np.array([[1, 2], [np.inf, 4]]), r"Received: inf at \(1, 0\)"),
            (np.array([[1, 2], [1e39, 4]]), r"Received: 1e\+39 at \(1, 0\)"),
            (np.ones((5, 2)), "samples that differ .*Received: 5 times the same"),
        ],
    )
    def test_wrong_array(self, array, message):
        with pytest.raises(ValueError, match=f"Expected .*{message}"):
            read(array)


class TestMissing:
    def test_is_an_error_that_offers_what_to_do(self):
        message = r'2 missing, in 2 columns, the first of them 0; missing="median" .*"drop"'
        with pytest.raises(ValueError, match=message):
            read(HOLES)

    def test_median(self):
        data = read(HOLES, missing="median")
        assert data.x.tolist() == [[1, 2], [3, 4], [3, 6], [8, 4]]
        stored = json.loads(json.dumps(data.preparation.get_config()))
        new = read(np.full((1, 2), np.nan), preparation=preparation_from_config(stored))
        assert new.x.tolist() == [[3, 4]]

    def test_drop_takes_the_labels_along(self, save):
        data = read(save(x=HOLES, y=np.array([7, 8, 9, 7])), missing="drop")
        assert data.x.tolist() == [[1, 2], [3, 6]]
        assert data.y.tolist() == [7, 9]
        assert data.samples.tolist() == [0, 2]

    def test_labels_may_be_missing_too(self, save):
        path = save(x=GRID, y=np.array([1, np.nan, 2, 2, np.nan, 1]))
        with pytest.raises(ValueError, match=r"a label for every row of own\.npz\. Received: 2"):
            read(path)
        data = read(path, missing="drop")
        assert data.y.tolist() == [1, 2, 2, 1]
        np.testing.assert_array_equal(data.x, GRID[[0, 2, 3, 5]])

    def test_nothing_is_left(self):
        with pytest.raises(ValueError, match=r"without missing values. Received: none"):
            read(np.array([[np.nan, 1], [1, np.nan]]), missing="drop")
        with pytest.raises(ValueError, match=r"Received: none in column 1"):
            read(np.array([[1, np.nan], [1, np.nan]]), missing="median")

    def test_medians_must_have_been_kept(self):
        old = read(GRID)
        new = np.array([[np.nan, 1], [2, 3]])
        assert read(new, preparation=old.preparation, missing="drop").x.tolist() == [[2, 3]]
        with pytest.raises(ValueError, match="a preparation without medians"):
            read(new, preparation=old.preparation, missing="median")
