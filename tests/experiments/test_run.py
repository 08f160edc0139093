"""Runs: their folder, their record, and that an interrupted one ends as if it never stopped."""

import json

import numpy as np
import pytest
import sklearn.datasets
from interrupts import Kill
from same_runs import assert_same_run

import kdec
from kdec.data import Dataset
from kdec.experiments import EXPERIMENTS, dec, find_experiment, record
from kdec.experiments.execution import execute
from kdec.experiments.run import Run

TINY = {
    "hidden_units": [8],
    "embedding_units": 3,
    "batch_size": 32,
    "n_init": 2,
    "autoencoder_epochs": 4,
    "max_steps": 18,
    "update_interval": 5,
    "tol": -1.0,
}


def three_digits(n=90):
    bunch = sklearn.datasets.load_digits(n_class=3)
    return Dataset("three-digits", (bunch.images[:n] / 16).astype("float32"), bunch.target[:n], "0")


def run_tiny(out, dataset=None, seed=0, **overrides):
    options = {**TINY, **overrides}
    return execute(EXPERIMENTS["dec"], dataset or three_digits(), "quick", seed, out, **options)


@pytest.fixture
def without_pictures(monkeypatch):
    monkeypatch.setattr(dec, "draw_autoencoder", lambda *args: None)
    monkeypatch.setattr(dec, "draw_clusters", lambda *args: None)


def kill_in_training(stage, epoch):
    def install(monkeypatch):
        callbacks = Run._callbacks

        def with_kill(self, own_stage, *args):
            kill = [Kill(epoch)] if own_stage == stage else []
            return [*kill, *callbacks(self, own_stage, *args)]

        monkeypatch.setattr(Run, "_callbacks", with_kill)

    return install


def kill_at(target, name):
    def install(monkeypatch):
        def interrupt(*args, **kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr(target, name, interrupt)

    return install


# In the order in which a run comes to them.
KILLS = (
    kill_in_training("autoencoder", 2),
    kill_at(kdec.Autoencoder, "save"),
    kill_at(kdec.DEC, "initialize"),
    kill_in_training("dec", 0),
    kill_in_training("dec", 2),
    kill_at(dec, "draw_clusters"),
    kill_at(record, "surroundings"),
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dec, "draw_autoencoder", lambda *args: None)
        patch.setattr(dec, "draw_clusters", lambda *args: None)
        return run_tiny(out), out


def test_run_interrupted_everywhere_ends_as_one_that_never_stopped(
    uninterrupted, without_pictures, monkeypatch, tmp_path
):
    for kill in KILLS:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            kill(patch)
            run_tiny(tmp_path / "run")
        assert not (tmp_path / "run" / "result.json").exists()
    run_tiny(tmp_path / "run")
    assert_same_run(tmp_path / "run", uninterrupted[1])


def test_training_whose_model_cannot_be_saved_is_not_lost(without_pictures, monkeypatch, tmp_path):
    def disk_full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(kdec.Autoencoder, "save", disk_full)
        run_tiny(tmp_path / "run")
    epochs = []
    monkeypatch.setattr(
        dec.ShuffledBatches, "on_epoch_begin", lambda self, epoch, logs=None: epochs.append(epoch)
    )
    run_tiny(tmp_path / "run")
    assert not epochs


def test_finished_run_is_returned_and_its_folder_left_as_it_was(uninterrupted, without_pictures):
    result, folder = uninterrupted
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert run_tiny(folder) == result
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "command and seed"),
        ({"max_steps": 5}, "config"),
        ({"dataset": three_digits(80)}, "data"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_folder_of_another_run_is_refused_and_left_as_it_was(finished, change, named, tmp_path):
    identity = record.identity(
        "dec", three_digits(), "quick", {**dec.PRESETS["quick"], **TINY}, seed=0
    )
    path = tmp_path / ("result.json" if finished else "state.json")
    record.write_json(
        path, {**identity, "kdec version": kdec.__version__, "done": [], "seconds": {}}
    )
    content = path.read_bytes()
    with pytest.raises(ValueError, match=rf"Received: .* of another {named}\. Remove it"):
        run_tiny(tmp_path, **change)
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == content


def test_unfinished_run_of_another_version_is_refused(without_pictures, monkeypatch, tmp_path):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        kill_in_training("autoencoder", 1)(patch)
        run_tiny(tmp_path / "run")
    monkeypatch.setattr(kdec, "__version__", "0.0.1")
    with pytest.raises(ValueError, match=r"a run of another kdec version\. Remove it"):
        run_tiny(tmp_path / "run")


def test_broken_record_is_named(tmp_path):
    (tmp_path / "state.json").write_text('{"done": [')
    with pytest.raises(ValueError, match=r"Expected .*state\.json to hold JSON\. Received: "):
        run_tiny(tmp_path)


def test_unknown_override_is_rejected_before_the_folder_is_made(tmp_path):
    with pytest.raises(ValueError, match=r"overrides out of \[.*Received: \['epoch'\]"):
        run_tiny(tmp_path / "run", epoch=3)
    assert not (tmp_path / "run").exists()


def test_thinned_curve_keeps_both_ends():
    thin = record.thin({"loss": list(np.linspace(1, 0, 301)), "acc": [float("nan")] * 301})
    assert len(thin["epoch"]) == len(thin["loss"]) == 60
    assert (thin["epoch"][0], thin["epoch"][-1]) == (1, 301)
    assert (thin["loss"][0], thin["loss"][-1]) == (1, 0)
    assert set(thin["acc"]) == {None}
    json.dumps(thin, allow_nan=False)


def test_every_experiment_can_be_found_and_has_both_presets_as_plain_json():
    import importlib

    for name, experiment in EXPERIMENTS.items():
        assert find_experiment(name) is experiment
        presets = importlib.import_module(experiment.module).PRESETS
        assert set(presets) == {"quick", "full"}
        assert json.loads(json.dumps(presets)) == presets


def test_unknown_experiment_names_the_nearest():
    with pytest.raises(
        ValueError, match=r"out of \[.*'dec'.*Received: 'decc'\. Did you mean 'dec'"
    ):
        find_experiment("decc")


@pytest.mark.parametrize("weights", ["no_model.keras", "no_weights.h5"])
def test_run_that_fails_before_its_work_leaves_its_folder_free(weights, tmp_path, monkeypatch):
    (tmp_path / weights).write_text("nothing")
    monkeypatch.setattr(dec.KMeans, "fit_predict", lambda *args: pytest.fail("k-means ran"))
    with pytest.raises((ValueError, OSError)):
        run_tiny(tmp_path / "run", weights=str(tmp_path / weights))
    monkeypatch.undo()
    Run("dec", three_digits(), "quick", TINY, 0, tmp_path / "run")  # Does not refuse the folder.
