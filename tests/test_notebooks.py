"""The notebooks: their committed outputs are fit for readers, and they run from a fresh kernel."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
import short_trainings

from kdec.experiments.results import table

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SUBJECTS = [
    *("quickstart", "kmeans_lloyd", "kmeans_as_a_loss", "clustering_on_the_encoding"),
    *("deep_embedded_clustering", "differentiable_kmeans", "neighbor_contrast"),
]
MACHINE_PATH = re.compile(r"/(tmp|work|home|root|Users|usr|opt|var)/|site-packages|[A-Z]:\\")
NOISE = re.compile(r"warning|deprecat|absl|cuda|retracing|traceback", re.IGNORECASE)

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook):
    """All that the outputs say in words."""
    for output in outputs(notebook):
        if output.output_type == "stream":
            yield output.text
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield content


def complaints(notebook):
    """What no reader should have to see: errors, the standard error, warnings."""
    found = [output for output in outputs(notebook) if output.output_type == "error"]
    streams = [output for output in outputs(notebook) if output.output_type == "stream"]
    return found + [o for o in streams if o.name == "stderr" or NOISE.search(o.text)]


def test_there_is_a_quick_start_a_notebook_for_each_source_and_one_beyond():
    assert [path.stem for path in NOTEBOOKS] == [f"{i:02}_{s}" for i, s in enumerate(SUBJECTS)]


@each_notebook
def test_committed_outputs_are_those_of_one_run_from_top_to_bottom(path):
    notebook = read(path)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))
    assert complaints(notebook) == []


@each_notebook
def test_committed_outputs_name_no_place_on_the_machine_that_made_them(path):
    for text in texts(read(path)):
        assert not MACHINE_PATH.search(text), text
        assert " object at 0x" not in text


@pytest.mark.parametrize(
    ("number", "source"),
    [(1, "004"), (2, "000"), (3, "003"), (4, "001"), (5, "002"), (6, "beyond")],
)
def test_committed_table_is_that_of_the_committed_records(number, source):
    assert table(ROOT / "results", source) in texts(read(NOTEBOOKS[number]))


def test_quick_start_quotes_the_shipped_models():
    shown = " ".join(texts(read(NOTEBOOKS[0])))
    for entry in json.loads((ROOT / "weights" / "manifest.json").read_text()).values():
        assert f"{entry['metrics']['acc']:.4f}" in shown


@each_notebook
def test_committed_file_holds_nothing_of_the_editor_or_the_clock(path):
    notebook = read(path)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in notebook.cells)


@each_notebook
def test_data_and_preset_are_set_at_the_top(path):
    first = code_cells(read(path))[0].source
    # The training of 06 on 5,000 images takes minutes.
    assert first.startswith('DATA = "digits"' if path.stem[:2] == "06" else 'DATA = "mnist-5k"')
    assert 'PRESET = "quick"' in first or path.stem == "00_quickstart"


def test_notebooks_are_small_enough_to_look_at():
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 10e6


@pytest.mark.slow
@each_notebook
def test_notebook_runs_from_a_fresh_kernel_without_a_warning(path):
    from nbclient import NotebookClient

    # As a reader has it: no data folder, and TensorFlow and Matplotlib as they come.
    ours = {"KDEC_DATA_DIR", "TF_CPP_MIN_LOG_LEVEL", "MPLBACKEND"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    before = sorted(path.parent.iterdir())
    notebook = read(path)
    # Behind the imports. 01 trains nothing, and has no Keras.
    for i in [i for i, cell in enumerate(notebook.cells) if "import keras" in cell.source]:
        notebook.cells.insert(i + 1, nbformat.v4.new_code_cell(short_trainings.CODE))
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=environment)
    assert complaints(notebook) == []
    assert sorted(path.parent.iterdir()) == before
