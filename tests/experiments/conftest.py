"""Small data sets that the experiments run on."""

import matplotlib.pyplot as plt
import pytest
import sklearn.datasets

from kdec.data import Dataset, load_data


@pytest.fixture
def unsaved_pictures(monkeypatch):
    """Pictures are made, but drawn into no file, which takes most of their time."""
    monkeypatch.setattr("kdec.experiments.run.save_picture", lambda path, picture: plt.close("all"))


@pytest.fixture(scope="session")
def three_digits():
    """120 images of 8 x 8 pixels, of three digits."""
    bunch = sklearn.datasets.load_digits(n_class=3)
    return Dataset("three", (bunch.images[:120] / 16).astype("float32"), bunch.target[:120], "ab")


@pytest.fixture(scope="session")
def ten_digits():
    """300 images of 28 x 28 pixels, of ten digits."""
    full = load_data("mnist-5k")
    return Dataset("mnist-300", full.x[::17][:300], full.y[::17][:300], sha256="")
