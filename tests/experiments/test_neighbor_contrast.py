"""The neighbor-contrast experiment: what a run leaves in its folder, and that it resumes."""

import keras
import numpy as np
import pytest

from kdec import metrics
from kdec.data import Dataset, load_data
from kdec.experiments import EXPERIMENTS
from kdec.experiments.execution import execute
from kdec.experiments.neighbor_contrast import PRESETS
from kdec.models import AtomicBackup

TINY = {
    "hidden_units": [16],
    "embedding_units": 4,
    "n_neighbors": 3,
    "batch_size": 32,
    "epochs": 2,
    "n_init": 2,
    "diffusion_neighbors": 3,
    "diffusion_passes": 2,
    "rounds": 2,
    "passes": 1,
    "label_batch_size": 32,
    "decoder_units": [16],
    "decoder_epochs": 2,
}
EXPERIMENT = EXPERIMENTS["neighbor-contrast"]


@pytest.fixture(scope="module")
def finished(three_digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "contrast"
    return execute(EXPERIMENT, three_digits, "quick", 3, out, **TINY), out


def test_table_has_each_step_with_the_seconds_of_all_before(finished, three_digits):
    result, _ = finished
    rows, seconds = result["metrics"], result["seconds"]
    assert list(rows) == ["contrast + k-means", "contrast + diffusion", "self-labelling"]
    assert set(seconds) == {
        *("neighbors", "contrast", "k-means", "diffusion", "self-labeling", "decoder")
    }
    of_labels = sum(seconds.values()) - seconds["decoder"]
    assert rows["self-labelling"]["seconds"] == pytest.approx(of_labels)
    assert result["config"] == {**PRESETS["quick"], **TINY}
    shares = result["facts"]["share_of_class_in_its_cluster"]
    assert np.dot(list(shares.values()), np.bincount(three_digits.y)) / 120 == pytest.approx(
        rows["self-labelling"]["acc"]
    )
    assert set(result["curves"]["self-labeling"]) == {
        *("epoch", "loss", "delta_label", "kept", "smallest_cluster", "largest_cluster"),
        *("acc", "nmi", "ari"),
    }


def test_saved_models_give_the_recorded_accuracy(finished, three_digits):
    result, out = finished
    labels = (
        keras.models.load_model(out / "model.keras").predict(three_digits.flat, verbose=0).argmax(1)
    )
    assert metrics.accuracy(three_digits.y, labels) == result["metrics"]["self-labelling"]["acc"]
    codes = keras.models.load_model(out / "contrast.keras").predict(three_digits.flat, verbose=0)
    assert codes.shape == (120, 4)
    decoded = keras.models.load_model(out / "decoder.keras").predict(codes, verbose=0)
    assert decoded.shape == (120, 64)


def test_one_model_has_all_parts(finished, three_digits):
    _, out = finished
    whole, of_labels = (
        keras.models.load_model(out / name) for name in ("clustering.keras", "model.keras")
    )
    assigned = whole.predict(three_digits.flat, verbose=0)
    np.testing.assert_allclose(assigned, of_labels.predict(three_digits.flat, verbose=0), atol=1e-6)
    codes = whole.encoder.predict(three_digits.flat, verbose=0)
    for label in np.unique(assigned.argmax(axis=1)):
        mean = codes[assigned.argmax(axis=1) == label].mean(axis=0)
        center = whole.cluster_centers[label]
        np.testing.assert_allclose(center, mean / np.linalg.norm(mean), atol=1e-5)
    assert whole.decoder.predict(whole.cluster_centers, verbose=0).shape == (3, 64)


def test_pictures_are_there(finished):
    _, out = finished
    assert {path.stem for path in out.glob("*.png")} == {
        *("centroid_images", "confusion_matrix", "embedding_3d", "views"),
        *("learning_curves_contrast", "learning_curves_self-labeling"),
    }


def test_large_images_take_convolutions_and_tables_have_no_picture_of_views(tmp_path):
    x = np.random.default_rng(0).random((40, 22, 24), dtype="float32")
    images = Dataset("noise", x, np.arange(40) % 2, "cd")
    without_labeling = {**TINY, "rounds": 0}
    execute(EXPERIMENT, images, "quick", 0, tmp_path / "images", **without_labeling)
    encoder = keras.models.load_model(tmp_path / "images" / "contrast.keras").encoder
    assert any(isinstance(layer, keras.layers.Conv2D) for layer in encoder.layers)
    assert not (tmp_path / "images" / "model.keras").exists()
    execute(EXPERIMENT, load_data("iris"), "quick", 0, tmp_path / "iris", **without_labeling)
    assert not {"views", "centroid_images"} & {path.stem for path in tmp_path.glob("iris/*.png")}


def test_interrupted_run_goes_on_to_the_same_figures(
    finished, three_digits, tmp_path, monkeypatch, unsaved_pictures
):
    for stage in ("contrast", "self-labeling"):

        def kill(callback, epoch, logs=None, stage=stage):
            if callback.backup_dir.endswith(f"backup_{stage}") and epoch == 1:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(AtomicBackup, "on_epoch_begin", kill)
            execute(EXPERIMENT, three_digits, "quick", 3, tmp_path, **TINY)
    result = execute(EXPERIMENT, three_digits, "quick", 3, tmp_path, **TINY)
    for system, row in finished[0]["metrics"].items():
        for name in ("acc", "nmi", "ari"):
            assert result["metrics"][system][name] == row[name]
