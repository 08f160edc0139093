"""Every model with a training of its own, saved and loaded by another process, goes on exactly."""

import keras
import numpy as np
import pytest

import kdec
from kdec.autoencoders import dense, dense_encoder
from kdec.views import RandomNoise

X = np.random.default_rng(0).normal(size=(60, 5)).astype("float32")
LABELS = np.arange(60) % 3

DEC_FIT = {"batch_size": 16, "max_steps": 10, "update_interval": 5, "tol": -1}
# What `fit` takes beside the samples: at first, and in the process that goes on.
FITS = {
    "dec": (DEC_FIT, DEC_FIT),
    "dec_with_reconstruction": (DEC_FIT, DEC_FIT),
    "kmeans_loss": 2 * ({"epochs": 2, "shuffle": False},),
    "neighbor_contrast": 2 * ({"neighbors": 4, "batch_size": 16, "epochs": 3},),
    "self_labeling": (
        {"batch_size": 16, "rounds": 2, "passes": 2},
        {"batch_size": 16, "rounds": 4, "passes": 2, "initial_epoch": 2},
    ),
}

# Arguments that the loaded models must have.
ARGUMENTS = {
    "dec": {"alpha": 0.5},
    "kmeans_loss": {"reconstruction_weight": 0.5, "stop_gradient": True, "max_iterations": 7},
}

CODE = """
import sys
from pathlib import Path
import keras, kdec, numpy as np
folder = Path(sys.argv[1])
sys.path.insert(0, sys.argv[2])
from test_fresh_process import ARGUMENTS, FITS, X, train, state
for name, (_, options) in FITS.items():
    model = keras.saving.load_model(folder / f"{name}.keras")
    for argument, value in ARGUMENTS.get(name, {}).items():
        assert getattr(model, argument) == value, argument
    train(name, model, options)
    np.savez(folder / f"{name}.npz", *state(model), model.predict(X, verbose=0))
"""


def untrained():
    """One model of each kind, with arguments and optimizers that are not the defaults."""
    for name, weight in (("dec", 0.0), ("dec_with_reconstruction", 1.0)):
        dec = kdec.DEC(dense((5, 8, 2), seed=0), 3, alpha=0.5, reconstruction_weight=weight)
        dec.initialize(X, random_state=0, n_init=3)
        dec.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        yield name, dec
    part = dense((5, 8, 2), seed=0)
    options = {"decoder": part.decoder, "reconstruction_weight": 0.5, "stop_gradient": True}
    loss = kdec.KMeansLoss(part.encoder, 4, max_iterations=7, **options)
    loss.compile(keras.optimizers.Adam(0.01))
    yield "kmeans_loss", loss
    encoder = dense_encoder((5, 8, 3), dropout=0.2, seed=0)
    contrast = kdec.NeighborContrast(encoder, RandomNoise(0.1), temperature=0.3, seed=5)
    contrast.compile("adam")
    yield "neighbor_contrast", contrast
    classifier = dense_encoder((5, 8, 3), dropout=0.2, seed=0)
    options = {"label_smoothing": 0.2, "n_views": 2, "seed": 5}
    labeling = kdec.SelfLabeling(classifier, RandomNoise(0.1), **options)
    labeling.compile("adam")
    yield "self_labeling", labeling


def train(name, model, options):
    labels = [LABELS] if name == "self_labeling" else []
    model.fit(X, *labels, **options, verbose=0)


def state(model):
    """All that training changes."""
    return [np.asarray(variable) for variable in (*model.weights, *model.optimizer.variables)]


@pytest.fixture(scope="module")
def states(tmp_path_factory, run_python):
    """Each model's state and predictions: gone on here, and in a process that loaded them all."""
    folder = tmp_path_factory.mktemp("models")
    here = {}
    for name, model in untrained():
        first, then = FITS[name]
        train(name, model, first)
        model.save(folder / f"{name}.keras")
        train(name, model, then)
        here[name] = [*state(model), model.predict(X, verbose=0)]
    run_python(CODE, folder, __file__.rpartition("/")[0])
    there = {name: [*np.load(folder / f"{name}.npz").values()] for name in here}
    return here, there


@pytest.mark.parametrize("name", FITS)
def test_saved_model_goes_on_exactly_in_a_fresh_process(name, states):
    here, there = states
    *here, predicted = here[name]
    *there, predicted_there = there[name]
    for array, same in zip(here, there, strict=True):
        np.testing.assert_array_equal(same, array)
    np.testing.assert_allclose(predicted_there, predicted, rtol=1e-5)
