"""Forked processes: an error where TensorFlow's threads are missing, work where they are not."""

import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="no fork, or a default one"
)

# One process for both moments. It loads once what each fork would load by itself, in seconds.
CODE = """
import multiprocessing
import numpy as np
import keras, sklearn.cluster, tensorflow
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

def in_a_fork(moment, *work):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for function in work:
            found = pool.apply_async(function, [0]).get(timeout=300)  # A fork may hang.
            print(f"{moment}: {found}", flush=True)

in_a_fork("before", cluster)
model = kdec.autoencoders.dense((2, 1), seed=0)
cluster(0)
in_a_fork("after", cluster, predict)
"""


@pytest.fixture(scope="module")
def printed(run_python):
    return run_python(CODE).splitlines()


@pytest.mark.parametrize(
    ("moment", "expected"), [("before", ["30"]), ("after", 2 * ["Expected a process in which"])]
)
def test_fork_works_before_tensorflows_first_use_and_says_so_afterwards(moment, expected, printed):
    lines = [line.partition(": ")[2] for line in printed if line.startswith(moment)]
    assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
