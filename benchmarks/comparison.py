"""What the benchmarks share: a measurement in a child process, and the record of a comparison."""

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np

from kdec.experiments import processor

_AT_ONCE = 100_000  # rows
RESULTS = Path(__file__).parent.parent / "results" / "benchmarks"
_PACKAGES = (
    *("kdec", "tensorflow", "keras", "numpy", "numba", "scikit-learn"),
    *("torch", "faiss-cpu", "fast-pytorch-kmeans", "scikit-learn-intelex"),
    *("pynndescent", "umap-learn", "clustpy"),
)


def in_child(script, *arguments):
    """Run `script` with `arguments` in a process of its own; return the JSON of its last line."""
    child = subprocess.run(
        [sys.executable, script, *arguments],
        stdout=subprocess.PIPE,
        env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ},
        check=True,
        text=True,
    )
    return json.loads(child.stdout.splitlines()[-1])


def read(name):
    """Return what is recorded of a comparison."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def write(name, figures):
    """Write results/benchmarks/`name`.json: the figures, the versions and the machine."""
    record = {
        "command": f"python benchmarks/{name}.py",
        **figures,
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {"cores": os.cpu_count(), "processor": processor()},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def write_samples(path, shape, n_clusters):
    """Write float32 points around random centers to an `.npy` file, a part of them at a time."""
    random = np.random.default_rng(0)
    centers = 2 * random.standard_normal((n_clusters, shape[1]), dtype=np.float32)
    x = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for start in range(0, len(x), _AT_ONCE):
        own = x[start : start + _AT_ONCE]
        own[:] = random.standard_normal(own.shape, dtype=np.float32)
        own += centers[random.integers(0, n_clusters, len(own))]


def _versions():
    installed = {distribution.name.lower() for distribution in metadata.distributions()}
    return {name: metadata.version(name) for name in _PACKAGES if name in installed}
