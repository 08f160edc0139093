"""Without TF_CONFIG a process works alone, by the same script."""

import numpy as np
import pytest

from kdec.data import Shards
from kdec.workers import Workers, join, present
from kdec.workers.cluster import Cluster


def test_one_worker_has_all_and_sums_itself():
    x = np.arange(6.0).reshape(3, 2)
    with join() as workers:
        assert workers is present()
        assert workers.own(x).tolist() == x.tolist()
        assert workers.sum(x) is x
        assert workers.gather(x) is x
        workers.agree({"columns": 2})


@pytest.mark.parametrize("n", [7, 8, 100])
def test_shares_have_each_row_once(n, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(2 * n, dtype=np.float32).reshape(n, 2))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    tasks = tuple(("worker", i) for i in range(3))
    parts = [Workers(Cluster(tasks, ("a", "b", "c"), i)).own(x) for i in range(3)]
    assert all(isinstance(part, Shards) for part in parts)
    np.testing.assert_array_equal(np.concatenate([part[:] for part in parts]), x)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
