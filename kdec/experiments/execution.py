"""Run an experiment from its name and options to its record."""

import contextlib
import importlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import keras

from kdec.data import Dataset
from kdec.experiments.registry import Experiment
from kdec.experiments.run import Run
from kdec.models import require_tensorflow

logger = logging.getLogger("kdec")


def execute(
    experiment: Experiment,
    dataset: Dataset,
    preset: str,
    seed: int,
    out: str | os.PathLike,
    precision: str | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """Run an experiment, go on with an interrupted run in `out`, or return a finished one's record.

    Args:
        experiment: Which one.
        dataset: The data.
        preset: Name of one of its configurations, "quick" or "full".
        seed: Int, seed of everything random.
        out: Folder of the run; made if absent.
        precision: Keras dtype policy of the networks, "float32" or "mixed_bfloat16". Defaults to
            None: the experiment's own, float32; `neighbor-contrast` has `fastest_policy()` for
            convolutions.
        **overrides: Values that replace those of the preset's configuration.

    Returns:
        The content of `result.json`.

    Raises:
        ValueError: If `overrides` has names that the configuration lacks, or `out` holds another
            run.
        OSError: If `out` cannot be written.
        RuntimeError: If Keras runs on another backend than TensorFlow.
    """
    require_tensorflow("the experiments")
    module = importlib.import_module(experiment.module)
    config = module.PRESETS[preset]
    if precision and "dtype" in config:
        overrides["dtype"] = precision
    unknown = sorted(set(overrides) - set(config))
    if unknown:
        raise ValueError(f"Expected overrides out of {sorted(config)}. Received: {unknown}")
    run = Run(experiment.name, dataset, preset, {**config, **overrides}, seed, out, precision)
    finished = run.finished()
    if finished:
        logger.info("Finished before; this is its record. Remove %s to run it again.", run.out)
        return finished
    keras.utils.set_random_seed(seed)
    with _dtype_policy(precision):
        module.run(run)
        return run.write_result()


@contextlib.contextmanager
def _dtype_policy(precision: str | None) -> Iterator[None]:
    """Make `precision`, if it is given, Keras' global policy, and put the old one back."""
    if precision is None:
        yield
        return
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
