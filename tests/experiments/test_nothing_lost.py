"""Runs killed at a hundred moments, and on a disk that fills up, end as one that never stopped."""

import importlib
import itertools
import os
import random
import subprocess
import sys
from unittest import mock

import pytest
import sklearn.datasets
from interrupts import changes_counted, killed_at
from same_runs import assert_same_run

from kdec.data import Dataset, load_data
from kdec.experiments import find_experiment
from kdec.experiments.execution import execute
from kdec.experiments.run import Run

pytestmark = pytest.mark.slow

DEC = {
    "hidden_units": [8],
    "embedding_units": 3,
    "batch_size": 32,
    "n_init": 2,
    "autoencoder_epochs": 6,
    "max_steps": 100,
    "update_interval": 5,
    "tol": 0.02,  # It stops by itself, long before that.
}
_KMEANS_LOSS = {
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.01}},
    "batch_size": 50,
    "max_epochs": 3,
}

# Each kind of training: one of Keras' own and each of ours, with and without an end of its own.
RUNS = {
    "dec": (36, DEC),
    "encoding": (
        16,
        {
            "n_starts": 2,
            "hidden_units": [16],
            "warmup_epochs": 1,
            "max_epochs": 8,
            "patience": 2,
            "min_delta": 0.01,
            "n_init": 2,
        },
    ),
    "kmeans-loss": (
        8,
        {
            "trainings": {
                stage: {**_KMEANS_LOSS, "reconstruction_weight": weight}
                for stage, weight in (("alone", 0.0), ("control", 0.0), ("reconstruction", 300.0))
            },
            "patience": 1,
            "n_init": 2,
        },
    ),
    "soft-kmeans": (18, {"n_runs": 2, "batch_size": 32, "epochs": 6}),
    "neighbor-contrast": (
        16,
        {
            "hidden_units": [64],
            "embedding_units": 4,
            "n_neighbors": 3,
            "batch_size": 32,
            "epochs": 4,
            "n_init": 2,
            "diffusion_neighbors": 3,
            "diffusion_passes": 2,
            "rounds": 4,
            "passes": 12,  # With fewer, clusters die out.
            "label_batch_size": 32,
            "decoder_units": [16],
            "decoder_epochs": 4,
        },
    ),
}
N_REAL_KILLS = 6  # With those above, a hundred.


def samples(name):
    if name == "kmeans-loss":
        full = load_data("mnist-5k")
        return Dataset("mnist-200", full.x[::25], full.y[::25], "0")
    bunch = sklearn.datasets.load_digits(n_class=3)
    images = (bunch.images[:120] / 16).astype("float32")
    return Dataset("three-digits", images, bunch.target[:120], "0")


def run(name, out):
    return execute(find_experiment(name), samples(name), "quick", 0, out, **RUNS[name][1])


def draw_nothing(replace):
    """Leave out the pictures, which take most of the time and hold nothing that a run needs.

    `replace` is `setattr`, or one that is undone.
    """
    for name in RUNS:
        module = importlib.import_module(find_experiment(name).module)
        replace(module, "plots", mock.MagicMock())
    replace(Run, "save_figure", lambda *args: None)


@pytest.fixture
def without_pictures(monkeypatch):
    draw_nothing(monkeypatch.setattr)


@pytest.mark.parametrize("name", RUNS)
def test_run_killed_at_random_changes_of_the_disk_ends_as_one_never_killed(
    name, without_pictures, tmp_path
):
    generator, n_kills = random.Random(name), RUNS[name][0]
    with changes_counted(tmp_path / "whole") as changes:
        run(name, tmp_path / "whole")
    folders, n_done = map(str, itertools.count()), 0
    folder = tmp_path / next(folders)
    while n_done < n_kills:
        remains = tmp_path / next(folders)
        ends = generator.randrange(len(changes) // 3)
        with killed_at(folder, ends, remains, cut=generator.random()):
            run(name, folder)
            assert_same_run(folder, tmp_path / "whole")
            remains = tmp_path / next(folders)  # The next one starts anew.
        n_done += remains.exists()
        folder = remains
    run(name, folder)
    assert_same_run(folder, tmp_path / "whole")


# In a process that has loaded TensorFlow but not used it, after which a fork would not run.
KILLING = """
import os, pathlib, random, signal, sys, time
import test_nothing_lost as runs

runs.draw_nothing(setattr)
folder, n_kills, generator = pathlib.Path(sys.argv[1]), int(sys.argv[2]), random.Random(0)

def start(out):
    if pid := os.fork():
        return pid
    os.dup2(os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    runs.run("dec", out)
    os._exit(0)

start_time = time.monotonic()
assert os.waitpid(start(folder / "whole"), 0)[1] == 0
seconds = time.monotonic() - start_time
number = n_done = 0
while n_done < n_kills:
    pid = start(folder / f"killed_{number}")
    time.sleep(generator.uniform(0, 1.2 * seconds))
    os.kill(pid, signal.SIGKILL)
    was_killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
    n_done += was_killed
    number += not was_killed
assert os.waitpid(start(folder / f"killed_{number}"), 0)[1] == 0
"""


def test_process_killed_at_random_times_ends_as_one_never_killed(run_python, tmp_path):
    search_path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    run_python(KILLING, tmp_path, N_REAL_KILLS, PYTHONPATH=search_path)
    killed = list(tmp_path.glob("killed_*"))
    assert killed
    for folder in killed:
        assert_same_run(folder, tmp_path / "whole")


def test_run_on_a_disk_that_fills_up_again_and_again(without_pictures, tmp_path):
    run("dec", tmp_path / "whole")
    disk = tmp_path / "disk"
    disk.mkdir()
    if _mount("-t", "tmpfs", "-o", "size=8k", "tmpfs", disk):
        pytest.skip("needs the right to mount a file system")
    try:
        n_full = 0
        for size in itertools.count(12, 8):
            try:
                run("dec", disk / "run")
                break
            except OSError as error:
                assert error.errno == 28
                assert str(disk / "run") in str(error)
                n_full += 1
            assert not _mount("-o", f"remount,size={size}k", disk)
        assert_same_run(disk / "run", tmp_path / "whole")
        assert n_full > 4
    finally:
        subprocess.run(["umount", disk], check=True)


def _mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode
