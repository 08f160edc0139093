"""The dec experiment: the source's configuration, and what a run leaves in its folder."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from kdec import metrics
from kdec.data import load_data
from kdec.experiments import EXPERIMENTS, dec_conv, dec_conv_reconstruction, dec_reconstruction
from kdec.experiments.dec import PRESETS
from kdec.experiments.execution import execute

TINY = {
    "hidden_units": [16],
    "embedding_units": 4,
    "n_init": 2,
    "autoencoder_epochs": 3,
    "max_steps": 12,
    "update_interval": 5,
    "tol": -1.0,
}
PICTURES = {"autoencoder_learning_curve", "confusion_matrix", "embedding_3d", "learning_curves"}
PICTURES_OF_IMAGES = PICTURES | {"reconstructions", "centroid_images"}


@pytest.fixture(scope="module")
def finished(three_digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "dec"
    return execute(EXPERIMENTS["dec"], three_digits, "quick", 3, out, **TINY), out


def test_full_preset_is_source_001_to_the_letter():
    full = PRESETS["full"]
    assert [*full["hidden_units"], full["embedding_units"]] == [500, 500, 2000, 10]
    assert (full["batch_size"], full["n_init"], full["autoencoder_epochs"]) == (256, 20, 300)
    autoencoder = keras.optimizers.get(full["autoencoder_optimizer"])
    self_training = keras.optimizers.get(full["dec_optimizer"])
    for optimizer, rate in ((autoencoder, 1.0), (self_training, 0.01)):
        assert isinstance(optimizer, keras.optimizers.SGD)
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert optimizer.momentum == 0.9
    assert (full["max_steps"], full["update_interval"], full["tol"]) == (8000, 140, 0.001)
    assert full["shuffle"] is False


def test_record_says_what_was_run(finished, three_digits):
    result, out = finished
    assert json.loads((out / "result.json").read_text()) == result
    assert result["command"] == "kdec run dec --data three --preset quick --seed 3"
    assert result["data"] == {"name": "three", "n": 120, "sha256": "ab"}
    assert result["config"] == {**PRESETS["quick"], **TINY}
    assert (result["experiment"], result["preset"], result["seed"]) == ("dec", "quick", 3)
    assert {"kdec", "python", "tensorflow", "keras", "numpy"} <= set(result["versions"])
    assert result["versions"]["keras"] == keras.__version__
    assert set(result["seconds"]) == {"pixels", "autoencoder", "embedding", "dec"}
    assert all(seconds >= 0 for seconds in result["seconds"].values())
    assert result["curves"]["autoencoder"]["epoch"] == [1, 2, 3]
    assert set(result["curves"]["dec"]) == {"epoch", "loss", "delta_label", "acc", "nmi", "ari"}


def test_record_names_no_absolute_path(finished):
    _, out = finished
    text = (out / "result.json").read_text()
    assert str(out) not in text
    assert '"/' not in text


def test_table_has_the_three_systems_with_the_seconds_of_all_their_stages(finished):
    result, _ = finished
    rows, seconds = result["metrics"], result["seconds"]
    assert list(rows) == ["k-means on pixels", "autoencoder + k-means", "DEC"]
    for row in rows.values():
        assert set(row) == {"acc", "nmi", "ari", "seconds"}
    assert rows["k-means on pixels"]["seconds"] == seconds["pixels"]
    stages = ("autoencoder", "embedding", "dec")
    assert rows["DEC"]["seconds"] == pytest.approx(sum(seconds[stage] for stage in stages))


def test_saved_model_gives_the_recorded_accuracy(finished, three_digits):
    result, out = finished
    model = keras.models.load_model(out / "model.keras")
    labels = model.predict(three_digits.flat, verbose=0).argmax(axis=1)
    assert metrics.accuracy(three_digits.y, labels) == result["metrics"]["DEC"]["acc"]
    assert result["curves"]["dec"]["acc"][-1] == pytest.approx(
        metrics.accuracy(three_digits.y, labels)
    )


def test_pictures_are_there_and_not_blank(finished):
    _, out = finished
    assert {path.stem for path in out.glob("*.png")} == PICTURES_OF_IMAGES
    for path in out.glob("*.png"):
        assert np.asarray(Image.open(path).convert("L")).std() > 5


def test_nothing_temporary_is_left(finished):
    _, out = finished
    names = {path.name for path in out.iterdir() if path.suffix != ".png"}
    curves = {"curve_autoencoder.csv", "curve_dec.csv"}
    assert names == {"result.json", "autoencoder.keras", "model.keras", *curves}


def test_data_that_are_no_images_have_the_other_pictures(tmp_path):
    execute(EXPERIMENTS["dec"], load_data("iris"), "quick", 0, tmp_path, **TINY)
    assert {path.stem for path in tmp_path.glob("*.png")} == PICTURES


TINY_CONV = {name: value for name, value in TINY.items() if name != "hidden_units"}
VARIANTS = {
    "dec-reconstruction": (dec_reconstruction, TINY),
    "dec-conv": (dec_conv, TINY_CONV | {"filters": [4, 4, 4]}),
    "dec-conv-reconstruction": (dec_conv_reconstruction, TINY_CONV | {"filters": [4, 4, 4]}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_other_systems_of_the_source_leave_the_same(name, three_digits, tmp_path):
    module, tiny = VARIANTS[name]
    result = execute(EXPERIMENTS[name], three_digits, "quick", 0, tmp_path, **tiny)
    assert result["config"] == {**module.PRESETS["quick"], **tiny}
    assert {path.stem for path in tmp_path.glob("*.png")} == PICTURES_OF_IMAGES
    model = keras.models.load_model(tmp_path / "model.keras")
    x = three_digits.flat if name == "dec-reconstruction" else three_digits.x[..., None]
    labels = model.predict(x, verbose=0).argmax(axis=1)
    assert metrics.accuracy(three_digits.y, labels) == result["metrics"]["DEC"]["acc"]
    before = keras.models.load_model(tmp_path / "autoencoder.keras").decoder.get_weights()
    after = model.decoder.get_weights()
    trained = any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert trained == name.endswith("reconstruction")
    assert ("reconstruction_loss" in result["curves"]["dec"]) == trained


def test_other_systems_are_those_of_the_source():
    weights = {
        name: [
            module.PRESETS["full"][f"{term}_weight"] for term in ("clustering", "reconstruction")
        ]
        for name, (module, _) in VARIANTS.items()
    }
    assert weights == {
        "dec-reconstruction": [0.1, 1.0],
        "dec-conv": [1.0, 0.0],
        "dec-conv-reconstruction": [0.1, 1.0],
    }
    for module in (dec_conv, dec_conv_reconstruction):
        full = module.PRESETS["full"]
        assert ([*full["filters"], full["embedding_units"]]) == [32, 64, 128, 10]
        assert full["autoencoder_epochs"] == 100
        optimizer = keras.optimizers.get(full["autoencoder_optimizer"])
        assert isinstance(optimizer, keras.optimizers.Adadelta)
        assert float(optimizer.learning_rate) == 1.0
        assert isinstance(keras.optimizers.get(full["dec_optimizer"]), keras.optimizers.Adam)


def test_run_starts_from_weights(finished, three_digits, tmp_path, unsaved_pictures):
    first, out = finished
    options = TINY | {"weights": str(out / "autoencoder.keras")}
    result = execute(EXPERIMENTS["dec"], three_digits, "quick", 3, tmp_path / "again", **options)
    assert result["metrics"]["DEC"]["acc"] == first["metrics"]["DEC"]["acc"]
    assert set(result["seconds"]) == {"pixels", "embedding", "dec"}
    assert result["weights_sha256"] == first["models"]["autoencoder.keras"]
    with pytest.raises(ValueError, match=r"Expected .* Autoencoder for samples of shape"):
        execute(EXPERIMENTS["dec"], load_data("iris"), "quick", 3, tmp_path / "other", **options)
    options["hidden_units"] = [9]
    with pytest.raises(ValueError, match=r"Autoencoder of the configuration's layers, .*, 9\)"):
        execute(EXPERIMENTS["dec"], three_digits, "quick", 3, tmp_path / "layers", **options)


def test_bfloat16_is_recorded_and_trains_as_far_as_float32(finished, three_digits, tmp_path):
    first, out = finished
    policy, precision = keras.config.dtype_policy(), "mixed_bfloat16"
    run = (EXPERIMENTS["dec"], three_digits, "quick", 3)
    result = execute(*run, tmp_path, precision, **TINY)
    assert keras.config.dtype_policy() == policy
    assert (first["precision"], result["precision"]) == ("float32", precision)
    assert result["command"] == f"{first['command']} --precision {precision}"

    losses, expected = (each["curves"]["autoencoder"]["loss"] for each in (result, first))
    assert losses != expected
    np.testing.assert_allclose(losses, expected, rtol=0.02)
    dec = keras.saving.load_model(tmp_path / "model.keras")
    assert dec.encoder.layers[1].compute_dtype == "bfloat16"
    assert {weight.dtype for weight in dec.weights} == {"float32", "int32"}
    assert dec.encoder.outputs[0].dtype == dec.clustering.compute_dtype == "float32"

    with pytest.raises(ValueError, match="another command"):
        execute(*run, tmp_path, **TINY)
    options = TINY | {"weights": str(out / "autoencoder.keras")}
    with pytest.raises(ValueError, match=r"run's precision, .*mixed_bfloat16. Received: float32"):
        execute(*run, tmp_path / "other", precision, **options)


def test_vectors_are_an_error_for_a_convolutional_autoencoder(tmp_path):
    with pytest.raises(ValueError, match="Expected a data set of images"):
        execute(EXPERIMENTS["dec-conv"], load_data("iris"), "quick", 0, tmp_path)


@pytest.mark.slow
def test_quick_preset_beats_kmeans_on_the_pixels_of_the_sample_after_three_renewals(tmp_path):
    data, options = load_data("mnist-5k"), {"max_steps": 3 * PRESETS["quick"]["update_interval"]}
    rows = execute(EXPERIMENTS["dec"], data, "quick", 0, tmp_path, **options)["metrics"]
    assert rows["DEC"]["acc"] > rows["k-means on pixels"]["acc"] + 0.05
