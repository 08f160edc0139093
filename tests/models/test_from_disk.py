"""Samples on the disk train as those in memory do, bit by bit."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import convolutional

from kdec import DEC, NeighborContrast, SelfLabeling
from kdec.autoencoders import dense, dense_encoder
from kdec.data import Shards
from kdec.kmeans import points
from kdec.models import samples, working_arrays
from kdec.models.samples import check_samples, encode
from kdec.views import RandomNoise

X = np.random.default_rng(0).normal(size=(150, 5)).astype("float32")
X[::3] += 2
LABELS = np.arange(150) % 3


def trained_dec(x):
    dec = DEC(dense((5, 8, 2), seed=0), 3)
    dec.clustering.clusters.assign(dec.encoder(X[:3]))
    return dec, dec.fit(
        x, LABELS, batch_size=16, max_steps=25, update_interval=11, tol=-1, verbose=0
    )


def trained_contrast(x):
    model = NeighborContrast(dense_encoder((5, 8, 2), seed=0))
    neighbors = np.random.default_rng(0).integers(0, len(X), (len(X), 3))
    return model, model.fit(x, neighbors, batch_size=40, epochs=2, verbose=0)


def trained_classifier(x):
    model = SelfLabeling(dense_encoder((5, 8, 3), seed=0), RandomNoise(0.1), n_views=2)
    return model, model.fit(
        x, LABELS, batch_size=40, rounds=2, passes=2, keep=0.9, groups=LABELS, verbose=0
    )


def trained_autoencoder(x):
    keras.utils.set_random_seed(0)
    model = dense((5, 8, 2), seed=0)
    model.compile("adam", "mse")
    return model, model.fit(x, batch_size=32, epochs=2, verbose=0)


TRAIN = {
    "dec": trained_dec,
    "neighbor-contrast": trained_contrast,
    "self-labeling": trained_classifier,
    "autoencoder": trained_autoencoder,
}


def assert_same(trained, expected, x):
    (model, history), (same, same_history) = trained, expected
    assert history.history == same_history.history
    for weight, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
    assert model.training_samples == same.training_samples
    np.testing.assert_array_equal(model.predict(x, verbose=0), same.predict(X, verbose=0))


@pytest.mark.parametrize("train", TRAIN.values(), ids=TRAIN)
def test_memory_map_trains_and_predicts_as_the_array(train, on_disk, monkeypatch):
    expected = train(X)
    x = Shards.of(on_disk(X))
    seen = weakref.ref(x)
    monkeypatch.setattr(working_arrays, "MOST_IN_MEMORY", 100)  # q lies in a file, too.
    trained = train(x)
    assert_same(trained, expected, x)
    del x
    gc.collect()
    assert seen() is None, "the samples are kept after training"


def test_samples_on_the_disk_stay_there_and_come_as_the_encoder_takes_them(on_disk):
    images = np.random.default_rng(0).integers(0, 9, (20, 8, 8)).astype("uint8")
    encoder = convolutional().encoder
    x = check_samples(on_disk(images), encoder)
    assert isinstance(x, Shards) and x.shape == (20, 8, 8, 1) and x.dtype == "float32"
    np.testing.assert_array_equal(x[3:9], check_samples(images, encoder)[3:9])
    np.testing.assert_array_equal(x[np.array([5, 0])], images[[5, 0], :, :, None])


def test_shards_and_a_dataset_are_samples_on_the_disk():
    dataset = tf.data.Dataset.from_tensor_slices(X).batch(64)
    for x in (Shards([X[:70], X[70:]]), dataset):
        x = check_samples(x, dense_encoder((5, 4, 3)))
        assert isinstance(x, Shards)
        np.testing.assert_array_equal(x[:], X)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.where(X > 3, np.nan, X), "Expected finite values in `x`"),
        (X[:, :4], r"Expected `x` of shape \(n, 5\)"),
        (X.astype(complex), "Expected real numbers in `x`"),
    ],
)
def test_wrong_samples_on_the_disk_are_refused(x, message, on_disk):
    for fit in (lambda x: trained_contrast(x), lambda x: trained_autoencoder(x)):
        with pytest.raises(ValueError, match=message):
            fit(on_disk(x))


def test_share_of_samples_on_the_disk_is_not_split_off(on_disk):
    autoencoder = dense((5, 4, 3))
    autoencoder.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Expected `validation_data` for samples on the disk"):
        autoencoder.fit(on_disk(X), validation_split=0.1)
    with pytest.raises(ValueError, match="Expected 150 targets"):
        autoencoder.fit(on_disk(X), X[:3])


def test_codes_of_samples_on_the_disk_are_those_of_the_array(on_disk):
    encoder = dense_encoder((5, 4, 3), seed=0)
    codes = encode(encoder, check_samples(on_disk(X), encoder), batch_size=64)
    np.testing.assert_array_equal(codes, encode(encoder, X, batch_size=64))


def test_large_codes_lie_in_a_file_and_have_the_same_clusters(on_disk, monkeypatch):
    def labels_and_centroids(x):
        dec = DEC(dense((5, 8, 2), seed=0), 3)
        return dec.initialize(x, n_init=2, random_state=0, batch_size=64), dec.clusters

    labels, centroids = labels_and_centroids(X)
    monkeypatch.setattr(working_arrays, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(points, "_LARGEST_COPY", 100)
    monkeypatch.setattr(samples, "_PIECE", 64 * X[0].nbytes)
    encoder = dense_encoder((5, 4, 3), seed=0)
    codes = encode(encoder, check_samples(on_disk(X), encoder), batch_size=64)
    assert isinstance(codes, np.memmap)
    np.testing.assert_array_equal(codes, encode(encoder, X, batch_size=64))
    there, centroids_there = labels_and_centroids(on_disk(X))
    np.testing.assert_array_equal(there, labels)
    np.testing.assert_allclose(centroids_there, centroids, atol=1e-5)


def test_large_working_array_is_a_file_that_holds_what_is_written(monkeypatch):
    monkeypatch.setattr(working_arrays, "MOST_IN_MEMORY", 100)
    array = working_arrays.working_array((9, 3), "float32")
    assert isinstance(array, np.memmap)
    array[:] = 1
    assert array.sum() == 27
