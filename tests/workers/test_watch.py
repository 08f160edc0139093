"""What becomes of the others when a worker dies while they compute."""

import time

import pytest
import workers_at_work
from worker_processes import run_workers


@pytest.mark.slow
def test_a_worker_that_computes_is_ended_within_a_minute():
    start = time.monotonic()
    first, second, killed = run_workers(workers_at_work.compute_while_another_dies, 3)
    assert (first, second, killed) == (2, 2, -9)
    assert time.monotonic() - start < 90  # with the start of the processes
