"""The `kmeans-loss` experiment on tiny data: what it leaves, and the figures it computes."""

import keras
import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

import kdec
from kdec.experiments import find_experiment, kmeans_loss
from kdec.experiments.execution import execute

TRAINED = set(kmeans_loss.SYSTEMS.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kmeans_loss")


@pytest.fixture(scope="module")
def result(ten_digits, folder):
    trainings = {
        stage: {**training, "max_epochs": 3, "batch_size": 100}
        for stage, training in kmeans_loss.PRESETS["quick"]["trainings"].items()
    }
    options = {"trainings": trainings, "n_init": 2}
    return execute(find_experiment("kmeans-loss"), ten_digits, "quick", 0, folder, **options)


def test_leaves_its_pictures_and_models(result, folder):
    assert {path.stem for path in folder.glob("*.png")} == {
        "centroid_images",
        *(f"embedding_3d_{stage}" for stage in kmeans_loss.SYSTEMS),
        *(f"terms_{stage}" for stage in kmeans_loss.SYSTEMS),
    }
    assert all((folder / f"{stage}.keras").exists() for stage in kmeans_loss.SYSTEMS)


def test_all_systems_are_scored(result):
    assert set(result["metrics"]) == {"k-means on pixels", *TRAINED}
    assert all(0 < row["macro_purity_10000"] <= 1 for row in result["metrics"].values())


def test_saved_model_gives_the_clusters_that_were_scored(result, folder, ten_digits):
    model = keras.saving.load_model(folder / "alone.keras")
    labels = model.predict_clusters(ten_digits.x)
    scored = result["metrics"]["k-means loss"]
    assert scored["nmi"] == pytest.approx(normalized_mutual_info_score(ten_digits.y, labels))
    used = np.unique(labels)
    shares = [np.bincount(ten_digits.y[labels == c]).max() / np.sum(labels == c) for c in used]
    assert scored["macro_purity"] == pytest.approx(np.mean(shares))
    sizes = result["facts"]["cluster_sizes"]["k-means loss"]
    assert sizes == sorted((np.sum(labels == c) for c in range(10)), reverse=True)


def test_curves_hold_both_terms_of_the_loss_and_the_spread(result):
    curve = result["curves"]["alone"]
    np.testing.assert_allclose(
        np.add(curve["attraction"], curve["repulsion"]), curve["loss"], rtol=1e-4
    )
    assert len(curve["spread"]) == len(curve["loss"])
    assert "reconstruction_loss" in result["curves"]["reconstruction"]


def test_control_differs_from_reconstruction_in_the_term_alone():
    for preset in kmeans_loss.PRESETS.values():
        control, other = (preset["trainings"][stage] for stage in ("control", "reconstruction"))
        assert control | {"reconstruction_weight": other["reconstruction_weight"]} == other
        assert control["reconstruction_weight"] == 0 < other["reconstruction_weight"]


def test_embedding_is_described_before_and_after_training(result):
    described = result["facts"]["embedding"]
    assert set(described) == {"untrained encoder", *TRAINED}
    for row in described.values():
        assert row["spread"] > 0
        assert 1 / 3 <= row["first_axis"] <= 1
        assert 0 <= row["neighbour_accuracy"] <= 1


def test_finding_quotes_the_recorded_figures(result):
    facts = result["facts"]
    best = facts["terms"]["k-means loss"]["best"]
    assert f"to {best['loss']:.3g}." in facts["finding"]
    share = facts["embedding"]["k-means loss"]["neighbour_accuracy"]
    assert f"k-means loss {share:.0%}," in facts["finding"]
    largest = max(facts["cluster_sizes"]["k-means on pixels"]) / 300
    assert f"largest cluster: k-means on pixels {largest:.0%}," in facts["finding"]


def test_data_without_images_is_an_error_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="Expected a data set of images"):
        execute(find_experiment("kmeans-loss"), kdec.load_data("iris"), "quick", 0, tmp_path)
