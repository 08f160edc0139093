"""What every test gets: a fixed seed, Matplotlib without a screen, full MNIST only where it is."""

import gc
import logging
import os
import random
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Of scikit-learn and NumPy, whose threads wait in busy loops: where each of pytest's processes has
# as many as there are cores, a t-SNE of 295 points takes ten times the processor's time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")


# Each traced graph makes many objects that refer to one another. Python's defaults would look
# through all of them some thousand times, for a tenth of the whole time.
gc.set_threshold(100_000, 20, 50)


LONGEST = ("test_run_killed_at_random", "test_process_killed_at", "test_notebook_runs")


def pytest_collection_modifyitems(items):
    # The longest first: at the end, one core would work on such a one and the others wait.
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONGEST))
    if "KDEC_DATA_DIR" in os.environ:
        return
    for item in items:
        if item.get_closest_marker("mnist"):
            item.add_marker(pytest.mark.skip(reason="KDEC_DATA_DIR does not name a folder"))


@pytest.fixture(autouse=True)
def fixed_seed():
    """Seed all global generators; that of Keras only where a test has loaded Keras."""
    if "keras" in sys.modules:
        from tensorflow.python import pywrap_tfe

        with pytest.MonkeyPatch.context() as patch:
            # Else TensorFlow optimizes each graph anew that an earlier test has run, which takes
            # longer than most tests. Only random operations outside of graphs have a state there.
            patch.setattr(pywrap_tfe, "TFE_ContextClearCaches", lambda context: None)
            sys.modules["keras"].utils.set_random_seed(0)
    else:
        random.seed(0)
        np.random.seed(0)


@pytest.fixture(autouse=True)
def log_as_before():
    """Undo what the command line does to the log: doctests behind it would show its lines."""
    logger = logging.getLogger("kdec")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture
def float64():
    """Keras in float64, for comparison with formulas and finite differences."""
    import keras

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def on_disk(tmp_path):
    """A function from an array to the same one as a read-only memory map."""

    def written(x):
        np.save(tmp_path / "x.npy", x)
        return np.load(tmp_path / "x.npy", mmap_mode="r")

    return written


@pytest.fixture(scope="session")
def run_python():
    """A function that runs code in a fresh interpreter and returns its standard output."""
    import subprocess

    def run(code, *arguments, **environment):
        result = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
