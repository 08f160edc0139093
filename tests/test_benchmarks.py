"""`benchmarks/all.py`: it knows every comparison, runs those asked for, names what is absent."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    """The module, without the path that it needs as a script."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("all_benchmarks", FOLDER / "all.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scripts(benchmarks, monkeypatch):
    """The scripts that were started; that of `soft_kmeans` fails."""
    started = []

    def start(command):
        started.append(Path(command[1]).stem)
        return SimpleNamespace(returncode=int(started[-1] == "soft_kmeans"))

    monkeypatch.setattr(subprocess, "run", start)
    monkeypatch.setattr(benchmarks, "absent", lambda modules: [m for m in modules if m == "torch"])
    return started


def test_every_script_is_listed_and_there(benchmarks):
    there = {path.stem for path in FOLDER.glob("*.py")} - {"all", "comparison"}
    assert there == benchmarks.COMPARISONS.keys()
    listed = [line.split()[0] for line in benchmarks.listing().splitlines()]
    assert listed == list(benchmarks.COMPARISONS)


def test_all_by_default_but_the_long_ones_and_those_whose_peers_are_absent(
    benchmarks, scripts, capsys
):
    assert benchmarks.main([]) == 1
    assert scripts == ["kmeans", "kmeans_loss", "soft_kmeans"]
    output = capsys.readouterr().out
    assert "autoencoder: left out, for want of torch\n" in output
    assert "| work | compared with | kdec |" in output
    assert output.endswith("Did not end well: soft_kmeans\n")


def test_named_ones_run(benchmarks, scripts):
    assert benchmarks.main(["own_data", "kmeans_problems"]) == 0
    assert scripts == ["kmeans_problems"]


def test_table_and_list_run_nothing(benchmarks, scripts, capsys):
    assert benchmarks.main(["--table"]) == benchmarks.main(["--list"]) == 0
    assert scripts == []
    assert "own_data" in capsys.readouterr().out


def test_unknown_name_ends_before_any_run(benchmarks, scripts, capsys):
    with pytest.raises(SystemExit):
        benchmarks.main(["kmeans", "kmean"])
    assert scripts == []
    assert "Received: ['kmean']" in capsys.readouterr().err


def test_absent_is_what_cannot_be_found(benchmarks):
    assert benchmarks.absent(("numpy", "no_such_module")) == ["no_such_module"]


def test_no_record_names_a_folder_of_a_machine():
    records = list((FOLDER.parent / "results").rglob("*.json"))
    assert records
    paths = {record.name: re.findall(r"""["' ]/\w.*""", record.read_text()) for record in records}
    assert not {name: found for name, found in paths.items() if found}
