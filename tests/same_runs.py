"""Whether two runs ended alike."""

import json
from pathlib import Path

import keras
import numpy as np


def comparable(result):
    """All of a result but the seconds and the digests of files, which hold the time of day."""
    rows = {
        system: {name: value for name, value in row.items() if name != "seconds"}
        for system, row in result["metrics"].items()
    }
    rest = {key: value for key, value in result.items() if key != "seconds"}
    return {**rest, "metrics": rows, "models": sorted(result["models"])}


def assert_same_run(folder, expected):
    """Compare two finished runs: figures, every weight of every model, and nothing left over."""
    records = [json.loads(Path(out, "result.json").read_text()) for out in (folder, expected)]
    assert comparable(records[0]) == comparable(records[1])
    for name in records[1]["models"]:
        models = [keras.saving.load_model(Path(out, name)) for out in (folder, expected)]
        for weight, same in zip(*(model.get_weights() for model in models), strict=True):
            np.testing.assert_array_equal(weight, same)
    assert not [path for path in Path(folder).iterdir() if _is_left_over(path)]


def _is_left_over(path):
    return path.name.startswith(("backup", "partial", "state"))
