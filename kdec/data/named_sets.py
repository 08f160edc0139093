"""The data sets of the sources, by name, checked before they are used.

The samples ``mnist-5k`` and ``mnist-unequal``, and ``digits``, ``iris`` and ``gaussians`` need no
network; `full_sets` finds the files of the others.
"""

import difflib
from importlib import resources

import numpy as np

from kdec.data import full_sets
from kdec.data.dataset import Dataset, digest
from kdec.guards import non_negative_int

_MAX_PIXEL = 255


def load_data(name: str = "mnist-5k", *, seed: int = 0) -> Dataset:
    """Load a data set by name.

    =================  ======================================================================
    name               content
    =================  ======================================================================
    ``mnist``          70,000 handwritten digits, 28 x 28: training, then test set
    ``mnist-train``    its 60,000 training images
    ``mnist-test``     its 10,000 test images
    ``mnist-5k``       5,000 of the training images, 500 a class, sorted by class (packaged)
    ``mnist-unequal``  2,750 of ``mnist-5k``, sorted by class: 50, 100, ..., 500 of a class, which
                       class has how many, and which images, drawn by the seed
    ``fashion-mnist``  70,000 images of clothes, 28 x 28: training, then test set
    ``digits``         1,797 handwritten digits, 8 x 8 (from scikit-learn)
    ``iris``           150 flowers, 4 features in centimetres, not scaled (from scikit-learn)
    ``gaussians``      4,500 points in 2-D: 2,000 from N(0, I), 1,500 from N((13, 13), I), and
                       1,000 from N((6, 6), I) times a random matrix with entries from
                       U(-0.6, 2.4); not scaled
    =================  ======================================================================

    ``mnist`` and ``fashion-mnist`` are read from ``$KDEC_DATA_DIR/mnist.npz`` and
    ``$KDEC_DATA_DIR/fashion-mnist.npz`` (uint8 arrays ``x_train``, ``y_train``, ``x_test``,
    ``y_test``, the layout of ``keras.datasets``), else from Keras' cache, else downloaded by Keras.
    Their arrays are checked: shape, dtype, and the digest of the IDX file that they make, against
    the published one (sha256 for MNIST, MD5 for Fashion-MNIST, of which no other is published).

    Args:
        name: Name of the data set. Defaults to "mnist-5k".
        seed: Seed of the random sets, "mnist-unequal" and "gaussians". The others ignore it.
            Defaults to 0.

    Returns:
        The samples, float32, and their labels, int64; the labels of "gaussians" are the index of
        the component, in the order above.

    Raises:
        ValueError: If the name is unknown, or a file is not what it should be.
        FileNotFoundError: If the file of a full set is nowhere and cannot be downloaded, or
            ``KDEC_DATA_DIR`` does not name a folder.

    Example:
        >>> data = load_data("mnist-5k")
        >>> data.x.shape, data.flat.shape, data.y.shape, data.n_classes
        ((5000, 28, 28), (5000, 784), (5000,), 10)
    """
    if not isinstance(name, str) or name not in _LOADERS:
        names = ", ".join(_LOADERS)
        nearest = difflib.get_close_matches(str(name).lower(), _LOADERS, n=1)
        hint = f". Did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"Expected a data set out of {names}. Received: name={name!r}{hint}")
    return _LOADERS[name](name, non_negative_int("seed", seed))


def _make_dataset(name, stored_x, stored_y, scale=None):
    """Hash the arrays as they are stored, then scale them to [0, 1] where `scale` is given."""
    x = stored_x if scale is None else np.divide(stored_x, scale, dtype=np.float32)
    return Dataset(name, x, stored_y.astype(np.int64), digest(stored_x, stored_y))


def _read_sample():
    with (
        resources.files("kdec.data.samples").joinpath("mnist-5k.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return arrays["x"], arrays["y"]


def _load_sample(name, seed):
    return _make_dataset(name, *_read_sample(), scale=_MAX_PIXEL)


def _draw_unequal(name, seed):
    """Draw 50 to 500 samples a class, for what a method makes of classes of unequal size."""
    x, y = _read_sample()
    generator = np.random.default_rng(seed)
    sizes = generator.permutation(np.arange(50, 501, 50))
    rows = [
        generator.choice(np.flatnonzero(y == label), size, replace=False)
        for label, size in enumerate(sizes)
    ]
    rows = np.concatenate(rows)
    return _make_dataset(name, x[rows], y[rows], scale=_MAX_PIXEL)


def _load_digits(name, seed):
    from sklearn.datasets import load_digits

    images = load_digits()
    return _make_dataset(
        name, images.images.astype(np.uint8), images.target.astype(np.uint8), scale=16
    )


def _load_iris(name, seed):
    from sklearn.datasets import load_iris

    flowers = load_iris()
    return _make_dataset(name, flowers.data.astype(np.float32), flowers.target.astype(np.uint8))


def _make_gaussians(name, seed):
    """Draw the toy data of the course project, its task 1."""
    sizes = (2000, 1500, 1000)
    generator = np.random.default_rng(seed)
    origin, far, skewed = (generator.standard_normal((size, 2)) for size in sizes)
    matrix = 3 * (generator.random((2, 2)) - 0.2)
    x = np.concatenate([origin, far + 13, (skewed + 6) @ matrix]).astype(np.float32)
    return _make_dataset(name, x, np.repeat(np.arange(3, dtype=np.uint8), sizes))


def _load_full_set(set_name, parts):
    """Return a loader of some parts, of "train" and "test", of a full set."""

    def load(name, seed):
        arrays = full_sets.read(set_name, parts)
        x, y = (np.concatenate([arrays[f"{axis}_{part}"] for part in parts]) for axis in "xy")
        return _make_dataset(name, x, y, scale=_MAX_PIXEL)

    return load


_LOADERS = {
    "mnist": _load_full_set("mnist", ("train", "test")),
    "mnist-train": _load_full_set("mnist", ("train",)),
    "mnist-test": _load_full_set("mnist", ("test",)),
    "mnist-5k": _load_sample,
    "mnist-unequal": _draw_unequal,
    "fashion-mnist": _load_full_set("fashion-mnist", ("train", "test")),
    "digits": _load_digits,
    "iris": _load_iris,
    "gaussians": _make_gaussians,
}

DATA_SETS = tuple(_LOADERS)
