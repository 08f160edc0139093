"""What users saved under version 0.2.0 and wrote against it goes on working."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

import kdec

FOLDER = Path(__file__).parent / "saved_by_0_2_0"
MODELS = sorted(path.stem for path in FOLDER.glob("*.keras"))


@pytest.fixture(scope="module")
def expected():
    with np.load(FOLDER / "expected.npz") as arrays:
        return dict(arrays)


def samples_for(name, expected):
    if name == "clustering-layer":
        return expected["x"][:, :2]
    return expected["images"] if name == "conv-autoencoder" else expected["x"]


@pytest.mark.parametrize("name", MODELS)
def test_saved_model_predicts_as_it_did(name, expected):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    found = model.predict(samples_for(name, expected), verbose=0)
    np.testing.assert_allclose(found, expected[name], atol=1e-6)


@pytest.mark.parametrize("file", ["autoencoder.h5", "autoencoder.weights.h5"])
def test_saved_weights_load(file, expected):
    autoencoder = kdec.autoencoders.dense((6, 5, 2), seed=1)
    autoencoder.load_weights(FOLDER / file)
    found = autoencoder.predict(expected["x"], verbose=0)
    np.testing.assert_allclose(found, expected["autoencoder"], atol=1e-6)


def test_saved_model_that_knows_no_samples_takes_any_scale_in_silence(expected, caplog):
    model = keras.models.load_model(FOLDER / "autoencoder.keras")
    model.predict(255 * expected["x"], verbose=0)
    assert not caplog.messages


def test_saved_dec_goes_on_training_at_its_step(expected):
    dec = keras.models.load_model(FOLDER / "dec.keras")
    assert int(dec.step) == 1
    assert dec.placement.is_made(dec.clustering.clusters)
    dec.fit(expected["x"], batch_size=3, max_steps=1, verbose=0)
    assert int(dec.step) == 2


@pytest.mark.parametrize(
    ("module", "names"),
    {
        "kdec.autoencoders": ["Autoencoder", "conv", "conv_pooling", "dense", "sigmoid"],
        "kdec.batches": ["ShuffledBatches"],
        "kdec.data": ["Dataset", "load_data"],
        "kdec.dec": ["DEC", "target_distribution"],
        "kdec.differentiable_kmeans": ["DifferentiableKMeans", "TemperatureDecay"],
        "kdec.kmeans": ["KMeans"],
        "kdec.kmeans_loss": ["KMeansLoss", "kmeans_loss"],
        "kdec.layers": ["ClusteringLayer"],
        "kdec.metrics": ["accuracy", "ari", "nmi", "purity"],
        "kdec.pretrained": ["available", "load_pretrained"],
        "kdec.quiet": ["import_tensorflow"],
        "kdec.report": ["report", "summary", "table"],
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_are_where_users_found_them(module, names):
    for name in names:
        assert getattr(importlib.import_module(module), name)


def test_old_address_is_the_same_class():
    from kdec.dec import DEC

    assert DEC is kdec.DEC is kdec.dec.DEC
