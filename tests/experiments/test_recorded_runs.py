"""The records under results/: complete, and made from the data they name."""

import json
from pathlib import Path

import pytest

import kdec
from kdec.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]
RECORDS = sorted(
    path for path in (ROOT / "results").glob("*/*.json") if path.parent.name != "benchmarks"
)


def load(path):
    return json.loads(path.read_text())


def precision_of(record):
    """The precision that was asked for, or an empty text."""
    return record["command"].partition(" --precision ")[2]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_record_is_named_for_the_command_that_makes_it(path):
    record = load(path)
    assert record["experiment"] == path.parent.name and record["experiment"] in EXPERIMENTS
    precision = precision_of(record)
    ending = f"-{precision}" if precision else ""
    name = f"{record['data']['name']}-{record['preset']}{ending}-seed{record['seed']}"
    assert path.stem == name
    command = (
        f"kdec run {record['experiment']} --data {record['data']['name']} "
        f"--preset {record['preset']} --seed {record['seed']}"
    )
    weights = record["config"].get("weights")
    command += f" --weights {weights}" if weights else ""
    assert record["command"] == (f"{command} --precision {precision}" if precision else command)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_run_from_weights_started_from_those_of_a_recorded_run_of_its_seed_and_data(path):
    record = load(path)
    weights = record["config"].get("weights")
    if weights is None:
        return
    folder, *run, filename = Path(weights).parts
    if folder == "weights":
        manifest = load(ROOT / "weights" / "manifest.json").values()
        shipped = {entry["files"]["keras"]["file"]: entry for entry in manifest}
        assert shipped[filename]["seed"] == record["seed"]
        assert shipped[filename]["data"] == record["data"]["name"]
    else:
        named = {f"{path.parent.name}-{path.stem}": load(path) for path in RECORDS}
        origin = named[run[0]]
        assert folder == "runs" and origin["models"][filename] == record["weights_sha256"]
        assert origin["seed"] == record["seed"] and origin["data"] == record["data"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_record_holds_figures_versions_and_seconds(path):
    record = load(path)
    assert record["versions"].keys() >= {"kdec", "python", "tensorflow", "keras", "numpy"}
    # Without neighbours, looking for them takes no time.
    assert min(record["seconds"].values()) >= 0 < sum(record["seconds"].values())
    assert record["metrics"] or record["facts"]
    for row in record["metrics"].values():
        assert all(0 <= row[name] <= 1 for name in ("acc", "nmi") if name in row)


def test_seeds_of_a_row_are_counted_from_zero_without_gaps():
    seeds = {}
    for path in RECORDS:
        record = load(path)
        key = record["experiment"], record["data"]["name"], record["preset"], precision_of(record)
        seeds.setdefault(key, []).append(record["seed"])
    for found in seeds.values():
        assert sorted(found) == list(range(len(found)))


def test_records_on_the_packaged_sample_were_made_from_it():
    digest = kdec.load_data("mnist-5k").sha256
    digests = {load(path)["data"]["sha256"] for path in RECORDS if path.name.startswith("mnist-5k")}
    assert digests <= {digest}
