"""The dec-views experiment: the authors' settings, and that both trainings see views."""

import keras
import numpy as np
import pytest

from kdec import metrics
from kdec.data import Dataset, load_data
from kdec.experiments import EXPERIMENTS, dec
from kdec.experiments.dec_views import PRESETS
from kdec.experiments.execution import execute
from kdec.models import AtomicBackup
from kdec.views import RandomAffine, RandomNoise

TINY = {
    "hidden_units": [16],
    "filters": [4, 4, 4],
    "embedding_units": 4,
    "n_init": 2,
    "autoencoder_epochs": 3,
    "max_steps": 12,
    "update_interval": 5,
    "tol": -1.0,
}
EXPERIMENT = EXPERIMENTS["dec-views"]


@pytest.fixture(scope="module")
def finished(three_digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "dec-views"
    return execute(EXPERIMENT, three_digits, "quick", 3, out, **TINY), out


def test_full_preset_has_the_settings_of_convdec_da_but_for_fewer_epochs():
    full = PRESETS["full"]
    assert [*full["filters"], full["embedding_units"]] == [32, 64, 128, 10]
    assert (full["autoencoder_epochs"], full["max_steps"]) == (100, 20_000)
    assert (full["batch_size"], full["update_interval"], full["tol"]) == (256, 140, 0.001)
    for stage in ("autoencoder", "dec"):
        optimizer = keras.optimizers.get(full[f"{stage}_optimizer"])
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(0.001)
    affine = RandomAffine(**full["affine"])
    assert np.rad2deg(affine.rotation) == pytest.approx(10, abs=0.01)
    assert (affine.shift, affine.scale, affine.shear) == (0.1, (1.0, 1.0), 0.0)


def test_record_and_saved_model_are_as_those_of_dec(finished, three_digits):
    result, out = finished
    assert result["config"] == {**PRESETS["quick"], **TINY}
    assert list(result["metrics"]) == ["k-means on pixels", "autoencoder + k-means", "DEC"]
    model = keras.models.load_model(out / "model.keras")
    labels = model.predict(three_digits.flat, verbose=0).argmax(axis=1)
    assert metrics.accuracy(three_digits.y, labels) == result["metrics"]["DEC"]["acc"]
    assert isinstance(model.views, RandomNoise)
    assert (out / "views.png").exists()


def test_both_trainings_see_the_views(finished, three_digits, tmp_path, unsaved_pictures):
    # Noise of no size gives the trainings of DEC without views.
    still = {**PRESETS["quick"], **TINY, "noise": 0.0}
    of_dec = {name: still[name] for name in dec.PRESETS["quick"]}
    runs = [
        execute(EXPERIMENTS[name], three_digits, "quick", 3, tmp_path / name, **options)
        for name, options in (("dec", of_dec), ("dec-views", still))
    ]
    for stage in ("autoencoder", "dec"):
        plain, without_noise, noisy = (run["curves"][stage]["loss"] for run in (*runs, finished[0]))
        assert plain == without_noise != noisy


def test_large_images_take_convolutions_and_are_turned_and_shifted(tmp_path, unsaved_pictures):
    x = np.random.default_rng(0).random((40, 22, 24), dtype="float32")
    images = Dataset("noise", x, np.arange(40) % 2, "cd")
    execute(EXPERIMENT, images, "quick", 0, tmp_path, **TINY)
    model = keras.models.load_model(tmp_path / "model.keras")
    assert any(isinstance(layer, keras.layers.Conv2D) for layer in model.encoder.layers)
    assert isinstance(model.views, RandomAffine)
    assert (model.views.shift, model.views.shear) == (0.1, 0.0)


def test_tables_have_no_picture_of_views(tmp_path):
    execute(EXPERIMENT, load_data("iris"), "quick", 0, tmp_path, **TINY)
    assert {path.stem for path in tmp_path.glob("*.png")} == {
        *("autoencoder_learning_curve", "confusion_matrix", "embedding_3d", "learning_curves")
    }


def test_interrupted_run_goes_on_to_the_same_figures(
    finished, three_digits, tmp_path, monkeypatch, unsaved_pictures
):
    for stage in ("autoencoder", "dec"):

        def kill(callback, epoch, logs=None, stage=stage):
            if callback.backup_dir.endswith(f"backup_{stage}") and epoch == 1:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(AtomicBackup, "on_epoch_begin", kill)
            execute(EXPERIMENT, three_digits, "quick", 3, tmp_path, **TINY)
    result = execute(EXPERIMENT, three_digits, "quick", 3, tmp_path, **TINY)
    for stage in ("autoencoder", "dec"):
        assert result["curves"][stage] == finished[0]["curves"][stage]
    assert result["metrics"]["DEC"]["acc"] == finished[0]["metrics"]["DEC"]["acc"]
