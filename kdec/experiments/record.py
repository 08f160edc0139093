"""The record of a run, `result.json`: what identifies the run, what it ran on, and its curves."""

import hashlib
import importlib.metadata
import json
import math
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

import kdec
from kdec.whole_files import written_whole

_PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn")
_CURVE_POINTS = 60
_SIGNIFICANT_DIGITS = 6


def identity(experiment, dataset, preset, config, seed, precision=None) -> dict[str, Any]:
    """Return what two runs must have in common to be the same run, as JSON would give it back."""
    command = f"kdec run {experiment} --data {dataset.name} --preset {preset} --seed {seed}"
    found = {
        "experiment": experiment,
        "command": command,
        "data": {"name": dataset.name, "n": len(dataset.x), "sha256": dataset.sha256},
        "preset": preset,
        "config": config,
        "seed": seed,
    }
    if weights := config.get("weights"):
        found["command"] += f" --weights {weights}"
        found["weights_sha256"] = file_digest(weights)
    if precision:
        found["command"] += f" --precision {precision}"
    return json.loads(json.dumps(found))


def file_digest(path: str | os.PathLike) -> str:
    """Return the hexadecimal sha256 of a file, by which a record names a model."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def surroundings() -> dict[str, Any]:
    """Return the versions of the packages and the kind of machine."""
    return {
        "versions": {
            "kdec": kdec.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        "machine": {
            "cores": os.cpu_count(),
            "usable_cores": _usable_cores(),
            "architecture": platform.machine(),
            "processor": processor(),
        },
    }


def _usable_cores() -> int | None:
    """Return on how many cores this process may run: TensorFlow's threads, which order its sums."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def processor() -> str:
    """Return the processor's model name, or what the system tells in its place."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def thin(curve: dict[str, list[float]]) -> dict[str, list]:
    """Return a curve in brief: at most 60 points, evenly spread, with the last one, rounded.

    Example:
    >>> from kdec.experiments.record import thin
    >>> thin({"loss": [0.5, 0.25000004]})
    {'epoch': [1, 2], 'loss': [0.5, 0.25]}
    """
    n_epochs = max(map(len, curve.values()))
    epochs = np.linspace(0, n_epochs - 1, min(n_epochs, _CURVE_POINTS)).round().astype(int)
    thinned = {name: [_rounded(values[i]) for i in epochs] for name, values in curve.items()}
    return {"epoch": (epochs + 1).tolist(), **thinned}


def _rounded(value):
    # JSON has no NaN.
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None


def write_json(path: Path, content: dict) -> None:
    """Write `content` whole or not at all: a kill leaves no half-written file."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")


def read_json(path: Path) -> dict | None:
    """Return the content of a JSON file, or None if there is no such file."""
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"Expected {path} to hold JSON. Received: {error}") from error
