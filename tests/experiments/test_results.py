"""The table of results: it follows from the records, and the committed one is up to date."""

import json
import re
import statistics
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kdec.cli import commands as cli
from kdec.experiments import EXPERIMENTS
from kdec.experiments.results import ROWS, report, summary, table

ROOT = Path(__file__).parents[2]


def test_committed_table_is_that_of_the_committed_records():
    assert (ROOT / "RESULTS.md").read_text() == report(ROOT / "results")


def write_records(folder, accuracies, version="0.1.0"):
    """Write records of `dec` for seeds from 0 on, one for each accuracy."""
    (folder / "dec").mkdir()
    for seed, acc in enumerate(accuracies):
        figures = {"acc": acc, "nmi": 0.5, "ari": 0.5}
        record = {
            "seed": seed,
            "metrics": {"DEC": figures, "autoencoder + k-means": figures},
            "command": f"kdec run dec --seed {seed}",
            "versions": {"kdec": version},
        }
        (folder / "dec" / f"mnist-full-seed{seed}.json").write_text(json.dumps(record))


def test_record_without_the_figure_of_a_row_is_named(tmp_path):
    write_records(tmp_path, (0.9,))
    path = tmp_path / "dec" / "mnist-full-seed0.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"metrics": {"DEC": {"acc": 0.9}}}))
    with pytest.raises(ValueError, match="dec --seed 0` to have the ACC of 'autoencoder"):
        report(tmp_path)


def test_short_table_has_one_line_for_each_system_with_records(tmp_path):
    write_records(tmp_path, (0.9, 0.8))
    lines = summary(tmp_path).splitlines()[2:]
    assert lines == [
        "| 001 | dense autoencoder + k-means | ACC | 0.8500 ± 0.0707 | 2 |  |",
        "| 001 | DEC, dense | ACC | 0.8500 ± 0.0707 | 2 | 0.9623 |",
    ]


def test_row_holds_mean_deviation_best_number_of_seeds_and_version(tmp_path):
    write_records(tmp_path, (0.9, 0.8, 0.95), version="0.2.0")
    (tmp_path / "dec" / "mnist-5k-quick-seed0.json").write_text("{}")
    line = next(line for line in report(tmp_path).splitlines() if "| DEC, dense | ACC" in line)
    deviation = statistics.stdev((0.9, 0.8, 0.95))
    assert f"| ACC | 0.8833 | {deviation:.4f} | 0.9500 | 3 | 0.2.0 | 0.9623 |" in line
    assert line.endswith("| `kdec run dec --seed 0` |")


def test_lowest_inertia_is_the_best():
    runs = [json.loads(path.read_text()) for path in (ROOT / "results" / "lloyd").glob("*.json")]
    least = min(run["metrics"]["euclidean"]["inertia"] for run in runs)
    versions = ", ".join(sorted({run["versions"]["kdec"] for run in runs}))
    assert f"| {least:,.1f} | {len(runs)} | {versions} | 391,367.6 |" in report(ROOT / "results")


def test_rows_name_experiments_and_their_full_data():
    for row in ROWS:
        experiment = EXPERIMENTS[row.experiment]
        if row.preset == "full":
            assert row.data == experiment.full_data
        else:
            assert row.data in {experiment.quick_data, "digits"}


def test_every_row_without_records_is_empty(tmp_path):
    lines = table(tmp_path).splitlines()[-len(ROWS) :]
    assert all("|  |  |  |  |" in line for line in lines)
    assert sum("`kdec run dec --data mnist --preset full --seed 0`" in line for line in lines) == 4


def test_deviation_has_the_decimals_of_its_mean():
    row = next(line for line in summary(ROOT / "results").splitlines() if "Lloyd, MNIST" in line)
    assert re.search(r"\| 389,\d{3}\.\d ± \d+\.\d \|", row)


def test_broken_record_is_named(tmp_path):
    (tmp_path / "dec").mkdir()
    (tmp_path / "dec" / "mnist-full-seed0.json").write_text('{"seed": 0')
    with pytest.raises(ValueError, match=r"Expected .*mnist-full-seed0\.json to hold JSON"):
        report(tmp_path)
    ended = CliRunner().invoke(cli.app, ["report", "--results", str(tmp_path)])
    assert ended.exit_code == 2


@pytest.mark.parametrize("files", [{}, {"mnist-full-seed0.json": "{}"}])
def test_folder_without_records_is_an_error_and_nothing_is_written(files, tmp_path):
    (tmp_path / "dec").mkdir()
    for name, content in files.items():
        (tmp_path / "dec" / name).write_text(content)
    out = tmp_path / "RESULTS.md"
    with pytest.raises(ValueError, match=r"Expected .* record.*Received: "):
        report(tmp_path)
    options = ["--results", str(tmp_path), "--out", str(out)]
    assert CliRunner().invoke(cli.app, ["report", *options]).exit_code == 2
    assert not out.exists()


def test_table_of_one_source_has_its_rows_alone():
    lines = table(ROOT / "results", source="000").splitlines()
    assert lines[0].startswith("| source | system |")
    assert all(line.startswith("| 000 |") for line in lines[2:])
    assert len(lines[2:]) == sum(row.source == "000" for row in ROWS)
    assert set(lines) < set(report(ROOT / "results").splitlines())


def test_unknown_source_is_an_error():
    with pytest.raises(ValueError, match=r"Expected `source` out of \['000'.*Received: source='5'"):
        table(ROOT / "results", source="5")


def test_folder_that_is_absent_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a folder of records"):
        report(tmp_path / "absent")
    ended = CliRunner().invoke(cli.app, ["report", "--results", str(tmp_path / "absent")])
    assert ended.exit_code == 2


def test_command_writes_the_table(tmp_path):
    out = tmp_path / "RESULTS.md"
    options = ["--results", str(ROOT / "results"), "--out", str(out)]
    assert CliRunner().invoke(cli.app, ["report", *options]).exit_code == 0
    assert out.read_text() == report(ROOT / "results")
