"""The command line: what it prints, what it refuses in one line, what a rerun does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interrupts import disk_full_at

import kdec
from kdec.cli import commands as cli
from kdec.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(monkeypatch, capfd, tmp_path):
    """A function that runs `kdec` in an empty folder: exit code, output, error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["kdec", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, *capfd.readouterr()

    return run


@pytest.fixture
def quick_execute(monkeypatch, capfd):
    """Replaces the work by a table; the module of the real one is loaded only here."""
    import kdec.experiments.execution as execution

    capfd.readouterr()  # What TensorFlow said as it started, which `kdec run` keeps quiet.
    calls = []

    def record_call(experiment, dataset, preset, seed, out, **overrides):
        calls.append((experiment.name, dataset.name, preset, seed, str(out), *overrides.items()))
        out.mkdir(parents=True, exist_ok=True)
        (out / "result.json").write_text("{}")
        row = {"acc": 0.51234, "nmi": 0.4, "ari": 0.3, "seconds": 12.345}
        return {"command": "kdec run dec", "metrics": {"DEC": row}}

    monkeypatch.setattr(execution, "execute", record_call)
    return calls


def test_list_names_every_experiment(command):
    code, output, _ = command("list")
    assert code == 0
    for experiment in EXPERIMENTS.values():
        assert experiment.name in output


@pytest.mark.parametrize("arguments", [[], ["--help"], ["run", "--help"]])
def test_help(arguments, command):
    code, output, _ = command(*arguments)
    assert code == 0
    assert "Usage:" in output
    assert "run" in output


def test_version(command):
    assert command("--version") == (0, f"kdec {kdec.__version__}\n", "")


def test_run_prints_the_table_and_the_files(command, quick_execute):
    code, output, errors = command("run", "dec", "--data", "iris", "--out", "a[b] c/run")
    assert (code, errors) == (0, "")
    assert quick_execute == [("dec", "iris", "quick", 0, "a[b] c/run")]
    assert "0.5123" in output
    assert "12.3" in output
    assert os.path.join("a[b] c", "run", "result.json") in output


def test_default_folder_tells_the_run(command, quick_execute):
    command("run", "dec", "--data", "iris", "--preset", "full", "--seed", "4")
    folder = os.path.join("runs", "dec-iris-full-seed4")
    assert quick_execute == [("dec", "iris", "full", 4, folder)]


def test_precision_reaches_the_run_and_has_a_folder_of_its_own(command, quick_execute):
    command("run", "dec", "--data", "iris", "--precision", "mixed_bfloat16")
    folder = os.path.join("runs", "dec-iris-quick-mixed_bfloat16-seed0")
    precision = ("precision", "mixed_bfloat16")
    assert quick_execute == [("dec", "iris", "quick", 0, folder, precision)]


def test_run_is_on_tensorflow_whatever_the_environment_says(command, quick_execute, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert command("run", "dec")[0] == 0
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


def test_quick_preset_runs_on_the_packaged_sample(command, quick_execute):
    command("run", "dec")
    assert quick_execute[0][1:3] == ("mnist-5k", "quick")


BAD = {
    "no such command": (["runn"], "runn"),
    "no name": (["run"], "Missing argument"),
    "unknown experiment": (["run", "decc"], "Received: 'decc'. Did you mean 'dec'?"),
    "unknown data": (["run", "dec", "--data", "MNIST"], "Did you mean 'mnist'?"),
    "data of no images": (
        ["run", "dec-conv", "--data", "iris", "--out", "."],
        "data set of images",
    ),
    "data not in the plane": (["run", "gaussians", "--data", "iris", "--out", "."], "in the plane"),
    "unknown preset": (["run", "dec", "--preset", "medium"], "medium"),
    "seed no number": (["run", "dec", "--seed", "one"], "--seed"),
    "unknown precision": (["run", "dec", "--precision", "float16"], "mixed_bfloat16"),
    "precision of no networks": (
        ["run", "kmeans", "--precision", "float32"],
        "an experiment that trains networks",
    ),
    "negative seed": (["run", "dec", "--seed", "-1"], "--seed"),
    "seed too large": (["run", "dec", "--seed", str(2**32)], "--seed"),
    "unknown option": (["run", "dec", "--epochs", "3"], "--epochs"),
    "option without value": (["run", "dec", "--out"], "--out"),
    "too many names": (["run", "dec", "dec"], "dec"),
    "option of no command": (["--verbose"], "--verbose"),
    "unknown command": (["reprot"], "Did you mean 'report'? See `kdec --help`"),
}


@pytest.mark.parametrize(("arguments", "named"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_exit_code_2(arguments, named, command, tmp_path):
    code, output, errors = command(*arguments)
    assert code == 2
    assert output == ""
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    assert named in errors
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file_is_refused(command, tmp_path):
    (tmp_path / "file").write_text("")
    for out in ("file", "file/run"):
        code, _, errors = command("run", "dec", "--data", "iris", "--out", out)
        assert (code, errors.count("\n")) == (2, 1)
        assert "Expected a folder for the run. Received: " in errors


def test_folder_that_cannot_be_written_is_refused(command, monkeypatch):
    # The system's own answer, since a superuser may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, _, errors = command("run", "dec", "--data", "iris", "--out", "there/run")
    assert (code, errors.count("\n")) == (2, 1)
    assert "Expected a folder that can be written. Received: " in errors


def test_folder_of_another_run_is_refused(command, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "result.json").write_text(json.dumps({"experiment": "other"}))
    code, _, errors = command("run", "dec", "--data", "iris", "--out", "run")
    assert (code, errors.count("\n")) == (2, 1)
    assert "Expected a folder that is free or holds this same run. Received: run" in errors


def test_interrupt_says_how_to_go_on(command, monkeypatch):
    import kdec.experiments.execution as execution

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "execute", interrupt)
    code, output, _ = command("run", "dec", "--data", "iris", "--out", "[x]")
    assert code == 130
    assert output.strip() == "Interrupted. The same command goes on from [x]."


def test_full_disk_says_how_to_go_on(command, monkeypatch):
    import kdec.experiments.execution as execution

    def fill(*args):
        raise OSError(28, "No space left on device", "[x]/model.keras")

    monkeypatch.setattr(execution, "execute", fill)
    code, output, errors = command("run", "dec", "--data", "iris", "--out", "[x]")
    assert (code, output) == (2, "")
    assert errors == (
        "Error: [Errno 28] No space left on device: '[x]/model.keras'. The same command goes on "
        "from [x].\n"
    )


def test_report_on_a_full_disk_leaves_the_old_one(command, tmp_path):
    (tmp_path / "RESULTS.md").write_text("old")
    with disk_full_at(tmp_path, 0):
        code, _, errors = command(
            "report", "--results", ROOT / "results", "--out", tmp_path / "RESULTS.md"
        )
    assert (code, errors.count("\n")) == (2, 1)
    assert "No space left on device" in errors
    assert [path.name for path in tmp_path.glob("*.md")] == ["RESULTS.md"]
    assert (tmp_path / "RESULTS.md").read_text() == "old"


def test_full_set_without_network_is_one_line_without_tensorflows_messages(tmp_path):
    nowhere = {"https_proxy": "http://127.0.0.1:9", "KERAS_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "kdec", "run", "dec", "--data", "mnist"],
        env={**os.environ, **nowhere, "KDEC_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith("Error: Expected MNIST as mnist.npz in the folder")
