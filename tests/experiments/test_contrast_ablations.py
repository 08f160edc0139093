"""The contrast-ablations experiment: each row is a run with its settings, scored step by step."""

import pytest

from kdec.experiments import EXPERIMENTS
from kdec.experiments.contrast_ablations import PRESETS, ROWS
from kdec.experiments.execution import execute

STEPS = ["contrast + k-means", "contrast + diffusion", "self-labelling"]
TINY = {
    **PRESETS["quick"]["base"],
    **{"hidden_units": [16], "embedding_units": 4, "n_neighbors": 3, "batch_size": 32},
    **{"epochs": 2, "n_init": 2, "diffusion_neighbors": 3, "diffusion_passes": 2},
    **{"rounds": 1, "passes": 2, "label_batch_size": 32},
}


@pytest.fixture(scope="module")
def finished(three_digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "ablations"
    rows = {name: ROWS[name] for name in ("as it is", "without diffusion", "without views")}
    rows["without neighbours"] = {"n_neighbors": 0, "rounds": 0}
    options = {"base": TINY, "rows": rows}
    return execute(EXPERIMENTS["contrast-ablations"], three_digits, "quick", 0, out, **options), out


def test_every_step_of_a_row_is_scored_and_none_that_it_leaves_out(finished):
    result, out = finished
    steps = {
        "as it is": STEPS,
        "without diffusion": [STEPS[0], STEPS[2]],
        "without views": STEPS[:2],
        "without neighbours": STEPS[:2],
    }
    expected = [f"{row}: {step}" for row, steps in steps.items() for step in steps]
    assert list(result["metrics"]) == expected
    assert (out / "accuracy.png").exists()


def test_rows_train_by_their_settings(finished):
    curves = finished[0]["curves"]
    losses = {name: curves[f"{name}_contrast"]["loss"] for name in ("as-it-is", "without-views")}
    assert losses["as-it-is"] == curves["without-diffusion_contrast"]["loss"]
    assert losses["as-it-is"] != losses["without-views"]
    assert losses["as-it-is"] != curves["without-neighbours_contrast"]["loss"]


def test_rows_replace_settings_that_there_are():
    for settings in ROWS.values():
        assert settings.keys() <= PRESETS["quick"]["base"].keys()
