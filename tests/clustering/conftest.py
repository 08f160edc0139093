"""Small samples, and a clustering of them that several tests look at."""

import pytest
import sklearn.datasets

import kdec
from kdec.autoencoders import dense_encoder


@pytest.fixture(scope="session")
def four_digits():
    """300 images of 8 x 8 pixels, of four digits, and their labels."""
    bunch = sklearn.datasets.load_digits(n_class=4)
    return (bunch.images[:300] / 16).astype("float32"), bunch.target[:300]


@pytest.fixture(scope="session")
def small():
    """A function that makes a DeepClustering in four clusters that is quick to fit."""

    def make(**parameters):
        encoder = dense_encoder((64, 16, 4), seed=0)
        defaults = {"encoder": encoder, "epochs": 3, "random_state": 0}
        return kdec.DeepClustering(4, **{**defaults, **parameters})

    return make


@pytest.fixture(scope="session")
def fitted(four_digits, small):
    return small().fit(four_digits[0])
