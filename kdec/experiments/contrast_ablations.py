"""Which parts of neighbour contrast do what: the same run with one part left out or changed.

Each row is a run of `neighbor_contrast` with some of its settings replaced. The steps of a row are
scored one by one, so the row "as it is" shows what diffusion and self-labelling add. True labels
only score.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt

from kdec.experiments import neighbor_contrast
from kdec.experiments.run import Run

_FIRST_STEPS = {"rounds": 0}  # what the encoder does shows before self-labelling

ROWS = {
    "as it is": {},
    "without diffusion": {"diffusion_passes": 0},
    "without neighbours": {"n_neighbors": 0, **_FIRST_STEPS},
    "without views": {"views": False, **_FIRST_STEPS},
    **{f"{k} neighbours": {"n_neighbors": k, **_FIRST_STEPS} for k in (5, 20, 40)},
    **{f"temperature {t}": {"temperature": t, **_FIRST_STEPS} for t in (0.2, 1.0)},
}

PRESETS = {
    preset: {"rows": ROWS, "base": neighbor_contrast.PRESETS[preset]}
    for preset in ("quick", "full")
}

_COLORS = {
    "contrast + k-means": "tab:gray",
    "contrast + diffusion": "tab:blue",
    "self-labelling": "tab:orange",
}


def run(run: Run) -> None:
    """Do the steps of each row, score them, and draw the scores."""
    rows = {name: _Row(run, name) for name in run.config["rows"]}
    run.facts["dtype"] = {name: neighbor_contrast.dtype(row) for name, row in rows.items()}
    run.save_figure("accuracy", draw([{name: row.scores() for name, row in rows.items()}]))


def scores_of(record: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return for each row of a recorded run the ACC of its steps by name."""
    scores: dict[str, dict[str, float]] = {}
    for system, figures in record["metrics"].items():
        name, _, step = system.rpartition(": ")
        scores.setdefault(name, {})[step] = figures["acc"]
    return scores


def draw(runs: Sequence[Mapping[str, Mapping[str, float]]]) -> plt.Figure:
    """Draw the ACC of each row's steps, a line a row, a dot a run.

    Args:
        runs: Of each run, what `scores_of` returns; all have the same rows and steps.
    """
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(runs[0]) + 1), layout="constrained")
    for step, color in _COLORS.items():
        rows = [name for name in runs[0] if step in runs[0][name]]
        accuracies = [[scores[name][step] for scores in runs] for name in rows]
        dots = axes.plot(accuracies, rows, "o", color=color, alpha=0.7)
        dots[0].set_label(step)
    axes.invert_yaxis()  # the first row on top
    axes.set_xlabel("ACC")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=len(_COLORS), frameon=False)
    return figure


class _Row:
    """The run as `neighbor_contrast` sees it: one row's settings, its name before each stage."""

    def __init__(self, run: Run, name: str):
        self._run, self._name = run, name
        self._slug = name.replace(" ", "-")
        self._scores: dict[str, float] = {}
        self.config = {**run.config["base"], **run.config["rows"][name]}
        self.dataset, self.seed = run.dataset, run.seed

    def scores(self):
        neighbor_contrast.cluster(self)
        return self._scores

    def train(self, stage, build, fit, filename):
        return self._run.train(self._stage(stage), build, fit, f"{self._slug}_{filename}")

    def timed(self, stage):
        return self._run.timed(self._stage(stage))

    def score(self, system, labels, stages):
        row = self._run.score(f"{self._name}: {system}", labels, map(self._stage, stages))
        self._scores[system] = row["acc"]

    def _stage(self, stage):
        return f"{self._slug}_{stage}"
