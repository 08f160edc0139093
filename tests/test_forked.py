"""Forked processes: an error where TensorFlow's threads are missing, work where they are not."""

import subprocess
import sys

import pytest

CODE = """
import multiprocessing, sys
import numpy as np
import kdec

x = np.random.default_rng(0).normal(size=(30, 2)).astype("float32")

def cluster(_):
    try:
        return len(kdec.KMeans(2, random_state=0).fit(x).labels_)
    except RuntimeError as error:
        return str(error)

def predict(_):
    try:
        return model.predict(x, verbose=0).shape
    except RuntimeError as error:
        return str(error)

if sys.argv[1] == "after":
    model = kdec.autoencoders.dense((2, 1), seed=0)
    cluster(0)
work = [cluster, predict] if sys.argv[1] == "after" else [cluster]
with multiprocessing.get_context("fork").Pool(1) as pool:
    for function in work:
        print(pool.map(function, [0])[0])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no fork, or a default one")
@pytest.mark.parametrize(
    ("moment", "expected"), [("before", ["30"]), ("after", 2 * ["Expected a process in which"])]
)
def test_fork_works_before_tensorflows_first_use_and_says_so_afterwards(moment, expected):
    ended = subprocess.run(
        [sys.executable, "-c", CODE, moment], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
