"""The `encoding` experiment on tiny data: what it leaves, its figures, its start from a file."""

import re

import keras
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from typer.testing import CliRunner

import kdec
from kdec.cli import commands as cli
from kdec.experiments import find_experiment
from kdec.experiments.encoding import majority_titles, start_seed
from kdec.experiments.execution import execute

OPTIONS = {
    "n_starts": 2,
    "hidden_units": [32, 16],
    "warmup_epochs": 1,
    "max_epochs": 3,
    "n_init": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("encoding")


@pytest.fixture(scope="module")
def result(ten_digits, folder):
    return execute(find_experiment("encoding"), ten_digits, "quick", 0, folder, **OPTIONS)


def test_leaves_its_pictures_and_both_files(result, folder):
    assert {path.stem for path in folder.glob("*.png")} == {
        "centroid_images",
        "codes_3d",
        "confusion_matrix",
        "learning_curve",
        "reconstructions",
    }
    assert (folder / "autoencoder.h5").exists()
    assert (folder / "autoencoder.keras").exists()


def test_saved_model_gives_the_codes_that_were_clustered(result, folder, ten_digits):
    model = keras.saving.load_model(folder / "model.keras")
    codes = model.encoder.predict(ten_digits.flat, verbose=0)
    labels = kdec.KMeans(10, n_init=2, random_state=0).fit_predict(codes)
    np.testing.assert_array_equal(
        np.argmax(model.predict(ten_digits.flat, verbose=0), axis=1), labels
    )
    scored = result["metrics"]["k-means on codes"]
    assert scored["ari"] == pytest.approx(adjusted_rand_score(ten_digits.y, labels))
    shares = [np.bincount(ten_digits.y[labels == c]).max() / np.sum(labels == c) for c in range(10)]
    assert scored["macro_purity"] == pytest.approx(np.mean(shares))


def test_keeps_the_start_whose_clusters_fit_the_pixels_best(result, folder, ten_digits):
    inertias, purities = [], []
    for i in range(2):
        autoencoder = keras.saving.load_model(folder / f"autoencoder_{i}.keras")
        codes = autoencoder.encoder.predict(ten_digits.flat, verbose=0)
        labels = kdec.KMeans(10, n_init=2, random_state=0).fit_predict(codes)
        clusters = [ten_digits.flat[labels == c] for c in np.unique(labels)]
        inertias.append(sum(np.sum((own - own.mean(axis=0)) ** 2) for own in clusters))
        purities.append(kdec.metrics.purity(ten_digits.y, labels, average="macro"))
    starts = result["facts"]["starts"]
    assert [start["pixel_inertia"] for start in starts] == pytest.approx(inertias, rel=1e-4)
    assert [start["macro_purity"] for start in starts] == pytest.approx(purities)
    assert [start["epochs"] for start in starts] == [3, 3]
    chosen = result["facts"]["chosen_start"]
    assert chosen == np.argmin(inertias)
    kept = keras.saving.load_model(folder / "autoencoder.keras")
    same = keras.saving.load_model(folder / f"autoencoder_{chosen}.keras")
    for got, expected in zip(kept.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_starts_of_all_runs_have_seeds_of_their_own():
    seeds = {start_seed(seed, start) for seed in range(10) for start in range(5)}
    assert len(seeds) == 50
    assert [start_seed(seed, 0) for seed in range(3)] == [0, 1, 2]


def test_pixels_are_clustered_in_the_same_run(result):
    assert set(result["metrics"]) == {"k-means on pixels", "k-means on codes"}


@pytest.mark.parametrize("filename", ["autoencoder.h5", "autoencoder.keras"])
def test_run_from_a_file_trains_nothing_and_gives_the_same_codes(
    result, folder, ten_digits, tmp_path, filename, unsaved_pictures
):
    weights = str(folder / filename)
    again = execute(
        find_experiment("encoding"), ten_digits, "quick", 0, tmp_path, **OPTIONS, weights=weights
    )
    assert again["curves"] == {}
    assert again["command"].endswith(f"--weights {weights}")
    for name in ("acc", "nmi", "ari", "macro_purity"):
        expected = result["metrics"]["k-means on codes"][name]
        assert again["metrics"]["k-means on codes"][name] == pytest.approx(expected)


def test_file_of_another_autoencoder_is_an_error_before_any_work(ten_digits, tmp_path):
    path = tmp_path / "other.h5"
    kdec.autoencoders.sigmoid((784, 8, 2)).save_weights(path)
    with pytest.raises(ValueError, match="Expected arrays of shapes"):
        execute(
            find_experiment("encoding"), ten_digits, "quick", 0, tmp_path / "a", weights=str(path)
        )
    path = tmp_path / "other.keras"
    kdec.autoencoders.sigmoid((20, 8, 2)).save(path)
    with pytest.raises(ValueError, match=r"Autoencoder for samples of shape \(784,\)"):
        execute(
            find_experiment("encoding"), ten_digits, "quick", 0, tmp_path / "b", weights=str(path)
        )


def test_weights_for_an_experiment_that_takes_none_are_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.h5"
    path.touch()
    ended = CliRunner().invoke(cli.app, ["run", "lloyd", "--weights", str(path)])
    assert ended.exit_code == 2
    assert "out of ['dec', 'dec-reconstruction', " in " ".join(ended.stderr.split())
    assert not (tmp_path / "runs").exists()


def test_weights_file_that_is_absent_is_an_error():
    ended = CliRunner().invoke(cli.app, ["run", "encoding", "--weights", "absent.h5"])
    assert ended.exit_code == 2


def test_titles_name_the_majority_and_its_share():
    y = np.array([4, 4, 4, 9, 9, 7, 7, 7])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert majority_titles(y, labels) == ["4 (75%)", "7 (75%)"]
    assert all(re.fullmatch(r"\d \(\d+%\)", title) for title in majority_titles(y, labels))
