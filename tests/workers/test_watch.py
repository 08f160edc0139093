"""What becomes of the others when a worker dies while they compute."""

import time

import pytest
import workers_at_work
from worker_processes import run_workers


@pytest.mark.slow
def test_a_worker_that_computes_is_ended_within_a_minute(tmp_path):
    death = tmp_path / "death"
    first, second, killed = run_workers(workers_at_work.compute_while_another_dies, 3, death)
    assert (first, second, killed) == (2, 2, -9)
    assert time.time() - death.stat().st_mtime < 60
