import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.cluster import KMeans as ScikitLearnKMeans
from typer.testing import CliRunner

import kdec
from kdec import plots
from kdec.cli import commands as cli
from kdec.data import Dataset
from kdec.experiments import find_experiment, kmeans
from kdec.experiments.execution import execute
from kdec.experiments.run import Run


@pytest.fixture
def tiny_run(tmp_path):
    """Six images of two kinds, dark and bright; one of the dark ones bears the other label."""
    x = np.array([0, 0.1, 0.2, 0.8, 0.9, 1.0], dtype=np.float32).repeat(4).reshape(6, 2, 2)
    dataset = Dataset("tiny", x, np.array([8, 8, 3, 3, 3, 3]), sha256="")
    return Run("kmeans", dataset, "quick", {"init": "random", "n_init": 4}, 0, tmp_path)


def test_row_and_facts_of_a_hand_worked_case(tiny_run):
    kmeans.run(tiny_run)
    result = tiny_run.write_result()
    row = result["metrics"]["k-means on pixels"]
    assert row["acc"] == pytest.approx(5 / 6)
    assert row["micro_purity"] == pytest.approx(5 / 6)
    assert row["macro_purity"] == pytest.approx((2 / 3 + 1) / 2)
    assert row["inertia"] == pytest.approx(2 * 4 * 2 * 0.1**2)
    facts = result["facts"]["clusters"]["k-means on pixels"]
    assert sorted(facts["purity"]) == pytest.approx([2 / 3, 1])
    assert sorted(np.transpose(facts["contingency_matrix"]).tolist()) == [[1, 2], [3, 0]]


def test_centroid_images_are_titled_and_ordered_by_majority(tiny_run, monkeypatch):
    drawn = {}

    def record(images, titles, title):
        drawn.update(images=images, titles=titles)
        return Figure()

    monkeypatch.setattr(plots, "centroid_images", record)
    kmeans.run(tiny_run)
    assert drawn["titles"] == ["3: 100%", "8: 67%"]
    np.testing.assert_allclose(drawn["images"][:, 0, 0], [0.9, 0.1], rtol=1e-6)


def test_scikit_learns_kmeans_is_recorded_alike(tiny_run):
    x, y = tiny_run.dataset.flat, tiny_run.dataset.y
    kmeans.cluster(tiny_run, "reference", ScikitLearnKMeans(2, n_init=1, random_state=0), x, y)
    row = tiny_run.write_result()["metrics"]["reference"]
    assert row["inertia"] == pytest.approx(0.16)
    assert row["micro_purity"] == pytest.approx(5 / 6)


def test_score_takes_other_labels_than_the_runs(tiny_run):
    with tiny_run.timed("stage"):
        pass
    tiny_run.score("system", [0, 0, 1], ["stage"], y=[5, 5, 7], inertia=2.0)
    row = tiny_run.write_result()["metrics"]["system"]
    assert (row["acc"], row["inertia"]) == (1.0, 2.0)


def test_data_without_images_leaves_out_their_picture(tmp_path):
    execute(find_experiment("kmeans"), kdec.load_data("iris"), "quick", 0, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"confusion_matrix.png"}


def test_command_line_prints_a_readable_table(tmp_path, monkeypatch, unsaved_pictures):
    monkeypatch.setattr(cli.console, "_width", 120)
    arguments = ["run", "kmeans", "--data", "digits", "--out", str(tmp_path)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0
    record = json.loads((tmp_path / "result.json").read_text())
    row = record["metrics"]["k-means on pixels"]
    assert "micro purity" in result.output
    assert f"{row['inertia']:.1f}" in result.output
    assert f"{row['macro_purity']:.4f}" in result.output


@pytest.mark.mnist
@pytest.mark.slow
def test_full_preset_on_all_of_mnist_meets_the_published_figures(tmp_path):
    result = execute(find_experiment("kmeans"), kdec.load_data("mnist"), "full", 0, tmp_path)
    row = result["metrics"]["k-means on pixels"]
    assert row["inertia"] <= 2_744_100
    assert row["acc"] == pytest.approx(kmeans.SOURCE["acc"], abs=0.005)
    assert row["macro_purity"] == pytest.approx(kmeans.SOURCE["macro_purity"], abs=0.01)
    assert (tmp_path / "centroid_images.png").exists()
