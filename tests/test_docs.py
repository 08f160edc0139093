"""The documentation and README: no public name is missing, and figures are those of the records."""

import importlib
import json
import re
import statistics
import sys
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import short_trainings

import kdec
from kdec.experiments import summary

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md")) + sorted((DOCS / "guide").glob("*.md"))


@pytest.fixture(scope="module")
def tables():
    """The tables that the pages insert, by name."""
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("tables").all_tables(ROOT)
    finally:
        sys.path.remove(str(DOCS))


def names_on_the_api_page():
    """The entries of its summaries, with their modules, and the modules that it names in words."""
    text = (DOCS / "api.rst").read_text()
    module, found = "", set(re.findall(r"``(kdec\.[\w.]+)``", text))
    for line in text.splitlines():
        if directive := re.match(r"\.\. (?:auto|current)module:: (\S+)", line):
            module = directive[1]
            found.add(module)
        elif entry := re.match(r"   ([\w.]+)$", line):
            found.add(f"{module}.{entry[1]}")
    return found


@pytest.mark.parametrize("module", ["kdec", "kdec.autoencoders", "kdec.metrics", "kdec.plots"])
def test_api_page_has_every_public_name(module):
    public = importlib.import_module(module)
    names = getattr(public, "__all__", None) or [
        name
        for name, value in vars(public).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module
    ]
    expected = {f"{module}.{name}" for name in names if not name.startswith("__")}
    # These also stand under `kdec`, where the page has them.
    expected -= {f"{module}.{name}" for name in kdec.__all__ if module != "kdec"}
    assert len(expected) > 5
    assert expected <= names_on_the_api_page()


def test_pages_insert_tables_that_there_are_and_leave_none_out(tables):
    inserted = {name for page in PAGES for name in re.findall(r"{{ (\w+) }}", page.read_text())}
    assert inserted == tables.keys()


def test_quick_table_has_the_records(tables):
    paths = sorted((ROOT / "results" / "dec").glob("mnist-5k-quick-seed*.json"))
    lines = tables["quick_table"].splitlines()[2:]
    assert len(lines) == len(paths) >= 3
    for path, line in zip(paths, lines, strict=True):
        metrics = json.loads(path.read_text())["metrics"]
        assert line.endswith(
            f"| {metrics['autoencoder + k-means']['acc']:.4f} | {metrics['DEC']['acc']:.4f} |"
        )


def test_rows_of_readme_are_those_of_the_records():
    table = re.search(r"\| source \| system .*?\n\n", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = table[0].strip().splitlines()
    recorded = summary(ROOT / "results").splitlines()
    assert len(lines) > 5
    assert [line for line in recorded if line in lines] == lines


def test_speed_in_readme_is_that_of_the_records(tables):
    text = (ROOT / "README.md").read_text()
    table = re.search(r"\| work \| compared with .*?\n\n", text, re.DOTALL)
    # `python benchmarks/all.py --table` prints what should stand there.
    assert table[0].strip() == tables["speed_table"].strip()


def test_ratio_is_to_the_fastest_of_the_other_programs(tables):
    record = json.loads((ROOT / "results" / "benchmarks" / "kmeans.json").read_text())
    for work in record["work"].values():
        (line,) = [line for line in tables["speed_table"].splitlines() if work["what"] in line]
        seconds = {
            name: system["seconds"]
            for name, system in work["systems"].items()
            if "seconds" in system
        }
        ours = seconds.pop("kdec")
        assert line.endswith(f" {min(seconds.values()) / ours:.2g} |")


def test_figures_in_the_prose_are_those_of_the_records():
    prose = " ".join((DOCS / "figures.md").read_text().split())
    runs = {
        name: [
            json.loads(path.read_text())
            for path in sorted((ROOT / "results" / name).glob("mnist*-full-seed*.json"))[:3]
        ]
        for name in ("dec", "dec-reconstruction", "encoding", "kmeans-loss")
    }
    without, with_reconstruction = (
        [run["metrics"]["DEC"]["acc"] for run in runs[name]]
        for name in ("dec", "dec-reconstruction")
    )
    assert all(a > b for a, b in zip(without, with_reconstruction, strict=True))
    assert "DEC without reconstruction is slightly ahead with each one" in prose

    starts = [start for run in runs["encoding"] for start in run["facts"]["starts"]]
    kept = [run["metrics"]["k-means on codes"]["macro_purity"] for run in runs["encoding"]]
    nine = statistics.mean(start["macro_purity"] for start in starts)
    assert f"The mean of the nine is {nine:.3f}" in prose
    assert f"that of the kept three {statistics.mean(kept):.3f}" in prose

    terms = [run["facts"]["terms"]["k-means loss"] for run in runs["kmeans-loss"]]
    losses = [f"{term['best']['loss']:.4f}" for term in terms]
    assert f"to {losses[0]}, {losses[1]} and {losses[2]}" in prose
    for term in terms:
        first, best = (term[at]["attraction"] * term[at]["repulsion"] for at in ("first", "best"))
        assert f"a {round(first / best)}" in prose


@pytest.mark.slow
@pytest.mark.parametrize("page", ["models", "own-data", "scale"])
def test_code_of_a_guide_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What one page reads from the disk.
    samples = kdec.load_data("digits").flat
    np.save("samples.npy", samples)
    (tmp_path / "shards").mkdir()
    for name, shard in zip("ab", np.array_split(samples, 2), strict=True):
        np.save(f"shards/{name}.npy", shard)
    for model in (keras.Model, kdec.DEC):
        monkeypatch.setattr(model, "fit", model.fit)  # for the end of the test
    monkeypatch.setattr(kdec, "choose_n_clusters", kdec.choose_n_clusters)
    exec(short_trainings.CODE, {})
    names = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"guide/{page}.md").read_text(), re.DOTALL)
    for block in blocks:
        exec(block, names)
    plt.close("all")
    assert len(names["clusters"]) in (1797, 5000)
