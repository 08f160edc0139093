"""The unequal-classes experiment: both ways of clustering are scored, class by class."""

import numpy as np
import pytest

from kdec.experiments import EXPERIMENTS, unequal_classes
from kdec.experiments.execution import execute

TINY = {
    **{"hidden_units": [16], "embedding_units": 4, "n_neighbors": 3, "batch_size": 32},
    **{
        "epochs": 2,
        "neighbor_views": 2,
        "n_init": 2,
        "diffusion_neighbors": 3,
        "diffusion_passes": 2,
    },
    **{"n_parts": 12, "joining_neighbors": 3},
}


def run_tiny(three_digits, out):
    return execute(EXPERIMENTS["unequal-classes"], three_digits, "quick", 0, out, **TINY)


def test_each_step_is_scored_class_by_class(three_digits, tmp_path):
    result = run_tiny(three_digits, tmp_path)
    assert list(result["metrics"]) == [
        *("contrast + k-means", "contrast + k-means + diffusion", "contrast + joined parts"),
    ]
    sizes = result["facts"]["class_sizes"]
    assert sizes == np.bincount(three_digits.y).tolist()
    for system, shares in result["facts"]["share_of_class_in_its_cluster"].items():
        found = np.dot(list(shares.values()), sizes) / sum(sizes)
        assert found == pytest.approx(result["metrics"][system]["acc"])
    assert (tmp_path / "confusion_matrix.png").exists()


def test_diffusion_that_empties_a_cluster_is_recorded(three_digits, tmp_path, monkeypatch):
    def died_out(*args):
        raise ValueError("Clusters died out")

    monkeypatch.setattr(unequal_classes, "diffuse_labels", died_out)
    result = run_tiny(three_digits, tmp_path)
    assert result["facts"]["diffusion"] == "Clusters died out"
    assert "contrast + k-means + diffusion" not in result["metrics"]
    assert "contrast + joined parts" in result["metrics"]
