"""Keras' other backends: saved models load and predict there as on TensorFlow, and say what not."""

import importlib.util
import re

import keras
import numpy as np
import pytest

import kdec

# PyPI's PyTorch for Linux comes with gigabytes of CUDA, too much for the `test` extra: its case
# runs where somebody has installed it, as the `bench` extra does. JAX for CPUs is in the extra.
BACKENDS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
        ),
    )
    for name in ("jax", "torch")
]

CODE = """
import sys
from pathlib import Path
import keras, kdec, numpy as np
folder = Path(sys.argv[1])
for path in folder.glob("*.keras"):
    x, model = np.load(path.with_suffix(".npy")), keras.saving.load_model(path)
    parts = {"model": model, "encoder": getattr(model, "encoder", None)}
    found = {name: part.predict(x, verbose=0) for name, part in parts.items() if part}
    np.savez(path.with_suffix(".npz"), **found)
    if path.stem in ("dec", "kmeans_loss", "neighbor_contrast", "self_labeling"):
        try:
            model.fit(x, *[[0, 1]][: path.stem == "self_labeling"], verbose=0)
        except RuntimeError as error:
            print(f"{path.stem}: {error}")
dec = kdec.load_pretrained("mnist-dec")
view = kdec.views.RandomAffine(0, (1.5, 1.5), 0, 0)(np.load(folder / "conv.npy"), training=True)
np.save(folder / "view.npy", keras.ops.convert_to_numpy(view))
np.save(folder / "q.npy", dec.predict(kdec.load_data("mnist-5k").flat[::500], verbose=0))
"""


@pytest.fixture(scope="module")
def models():
    """One of each saved model, each with an encoder, and samples for it."""
    autoencoder = kdec.autoencoders.dense((6, 5, 2), seed=0)
    rows = np.random.default_rng(0).random((20, 6), dtype="float32")
    dec = kdec.DEC(autoencoder, n_clusters=3, alpha=2.0)
    dec.initialize(rows, n_init=1, random_state=0)
    dec.compile()
    conv = kdec.autoencoders.conv((8, 8, 1), filters=(2, 3, 4), seed=0)
    loss = kdec.KMeansLoss(autoencoder.encoder, n_clusters=3)
    loss.compile("adam")
    images = np.random.default_rng(0).random((4, 8, 8, 1), dtype="float32")
    soft = kdec.DifferentiableKMeans(3, encoder=autoencoder.encoder)
    soft.initialize(rows, random_state=0)
    noise = kdec.views.RandomNoise(0.1, seed=0)
    contrast = kdec.NeighborContrast(kdec.autoencoders.dense_encoder((6, 5, 2), seed=0), noise)
    contrast.fit(rows, neighbors=3, batch_size=10, epochs=2, verbose=0)
    classifier = kdec.autoencoders.conv_encoder((8, 8, 1), 3, dropout=0.3, seed=0)
    labeling = kdec.SelfLabeling(classifier, kdec.views.RandomAffine(seed=0))
    wide = keras.Sequential([keras.Input((256,)), kdec.ClusteringLayer(100)])
    return {
        "many_clusters": (wide, np.random.default_rng(0).random((4, 256), dtype="float32")),
        "autoencoder": (autoencoder, rows),
        "dec": (dec, rows),
        "conv": (conv, images),
        "kmeans_loss": (loss, rows),
        "differentiable_kmeans": (soft, rows),
        "neighbor_contrast": (contrast, rows),
        "self_labeling": (labeling, images),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_saved_models_predict_as_on_tensorflow_and_refuse_to_train(
    backend, models, tmp_path, run_python
):
    for name, (model, x) in models.items():
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", x)
    # One process for all: starting one takes much longer than the rest.
    options = {"KERAS_BACKEND": backend, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}  # to compile fast
    printed = run_python(CODE, tmp_path, **options)
    for name, (model, x) in models.items():
        found = np.load(tmp_path / f"{name}.npz")
        np.testing.assert_allclose(found["model"], model.predict(x, verbose=0), atol=1e-5)
        if hasattr(model, "encoder"):
            encoded = model.encoder.predict(x, verbose=0)
            np.testing.assert_allclose(found["encoder"], encoded, atol=1e-5)
    dec, x = kdec.load_pretrained("mnist-dec"), kdec.load_data("mnist-5k").flat[::500]
    q = np.load(tmp_path / "q.npy")
    np.testing.assert_allclose(q, dec.predict(x, verbose=0), atol=1e-4)
    enlarge = kdec.views.RandomAffine(0, (1.5, 1.5), 0, 0)
    view = enlarge(np.load(tmp_path / "conv.npy"), training=True)
    np.testing.assert_allclose(np.load(tmp_path / "view.npy"), view, atol=1e-5)
    for name in ("dec", "kmeans_loss", "neighbor_contrast", "self_labeling"):
        error = rf"{name}: Expected KERAS_BACKEND=tensorflow for .*\. Received: {backend}"
        assert re.search(error, printed)
