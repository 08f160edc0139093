"""DEC on several workers: the labels of one worker with all samples."""

import numpy as np
import pytest
import workers_at_work
from worker_processes import run_workers


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_labels_and_curve_are_those_of_one_worker(count):
    expected, expected_curve, _ = workers_at_work.train_dec()
    for labels, curve, error in run_workers(workers_at_work.train_dec, count):
        assert np.mean(labels == expected) >= 0.999
        assert list(curve) == list(expected_curve)
        for name, values in expected_curve.items():
            assert curve[name] == pytest.approx(values, rel=1e-2, abs=2e-3)
        assert error.startswith("Expected the same on all workers. Received: weights=")


@pytest.mark.slow
def test_what_takes_one_worker_refuses_several():
    for error in run_workers(workers_at_work.train_contrast, 2):
        assert isinstance(error, ValueError)
        assert "Received: 2 workers for NeighborContrast" in str(error)
