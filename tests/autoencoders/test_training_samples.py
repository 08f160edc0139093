"""Which samples are unlike those of a training."""

import numpy as np
import pytest

import kdec
from kdec.autoencoders import TrainingSamples


@pytest.fixture(scope="module")
def images():
    return kdec.load_data("mnist-5k").x[::10]


@pytest.fixture(scope="module")
def expected(images):
    return TrainingSamples.of(images)


def test_range_and_mean_are_those_of_all_numbers(images, expected):
    assert (expected.low, expected.high) == (0, 1)
    assert expected.mean == pytest.approx(float(np.mean(images, dtype="float64")))
    assert expected == TrainingSamples.of(images.reshape(len(images), -1))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: 255 * x,
        lambda x: (255 * x).astype("uint8"),
        lambda x: 255 * x[:1],
        lambda x: 1 - x,
        lambda x: 2 * x - 1,
        lambda x: (x - x.mean()) / x.std(),
        lambda x: x / 255,
        lambda x: x - 3,
    ],
    ids=["255", "bytes", "one", "inverted", "from -1", "standardised", "1/255", "shifted"],
)
def test_images_of_another_scale_or_inverted_are_unlike(change, images, expected):
    assert expected.are_unlike(change(images))


def test_images_of_0_to_1_are_unlike_those_of_0_to_255(images):
    assert TrainingSamples.of(255 * images).are_unlike(images)


@pytest.mark.parametrize(
    "some",
    [
        lambda x: x[:250],
        lambda x: x[:1],
        lambda x: x > 0.5,
        lambda x: 0.3 * x,
        lambda x: x[x.mean(axis=(1, 2)).argsort()[-50:]],
        lambda x: 1 - x[:9],
        lambda x: np.zeros_like(x[:1]),
    ],
    ids=["half", "one", "masks", "faint", "bold", "few", "black"],
)
def test_images_that_could_be_of_the_same_kind_are_not(some, images, expected):
    assert not expected.are_unlike(some(images))


def test_rows_of_one_cluster_are_not_unlike_the_table():
    table = np.repeat([[0.0, 0], [50, 100]], 30, axis=0) + np.random.default_rng(0).random((60, 2))
    expected = TrainingSamples.of(table)
    assert not expected.are_unlike(table[:30])
    assert not expected.are_unlike(table[30:])


@pytest.mark.parametrize(
    "x", [None, (row for row in "ab"), np.array(["a"]), np.zeros((0, 3)), np.array([np.nan])]
)
def test_what_is_no_array_of_finite_numbers_says_nothing(x, expected):
    assert TrainingSamples.of(x) is None
    assert not expected.are_unlike(x)
