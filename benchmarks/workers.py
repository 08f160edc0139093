"""k-means by one process against two and three workers on the cores of one machine.

    python benchmarks/workers.py [rows]

Writes 4,000,000 rows of 16 float32, 256 MB, to a temporary file and removes it at the end. k-means
with 64 centers starts from the same points of them each time and does 20 iterations. `fit` is the
time of a second fit, in which nothing is traced anew; `total` that of the command, with its start,
the import of TensorFlow and, of several workers, the ten seconds in which TensorFlow closes its
servers. Cores are shared: two workers on two cores compute on one each.

Writes results/benchmarks/workers.json, for the default number of rows only.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import comparison
import numpy as np

ROWS = 4_000_000
_FEATURES, _CLUSTERS, _ITERATIONS = 16, 64, 20
_MOST_DIFFERENCE = 1e-5


def work(path, out):
    """Fit as one of the workers, or alone; the first one writes its figures."""
    import kdec
    from kdec.workers import join

    x = np.load(path, mmap_mode="r")
    init = np.array(x[:_CLUSTERS])
    with join() as workers:
        own = workers.own(x)
        for _ in range(2):
            start = time.perf_counter()
            kmeans = kdec.KMeans(
                _CLUSTERS, init=init, max_iter=_ITERATIONS, tol=0, random_state=0
            ).fit(own)
            seconds = time.perf_counter() - start
        if workers.index == 0:
            centers = kmeans.cluster_centers_.astype(float)
            figures = {"fit": seconds, "iterations": kmeans.n_iter_, "inertia": kmeans.inertia_}
            Path(out).write_text(json.dumps({**figures, "centers": centers.tolist()}))


def run(path, count):
    """Return the figures of some workers."""
    from kdec.workers import run_local

    out = Path(path).with_suffix(f".{count}.json")
    command = [sys.executable, __file__, "--work", str(path), str(out)]
    start = time.perf_counter()
    code = subprocess.call(command) if count == 1 else run_local(command, count)
    if code:
        sys.exit(f"{count} workers ended with {code}")
    return {**json.loads(out.read_text()), "total": time.perf_counter() - start}


def main(n):
    """Measure one, two and three workers, print and record the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.npy")
        comparison.write_samples(path, (n, _FEATURES), _CLUSTERS)
        rows = {count: run(path, count) for count in (1, 2, 3)}
    one = np.array(rows[1]["centers"])
    for count, row in rows.items():
        row["largest_difference"] = float(np.abs(row.pop("centers") - one).max())
        figures = f"{row['fit']:8.2f} s{row['total']:8.1f} s in all"
        print(f"{count} workers{figures}, centers differ by {row['largest_difference']:.1e}")
    if n == ROWS:
        what = f"{n:,} x {_FEATURES} float32, k {_CLUSTERS}, {_ITERATIONS} iterations"
        comparison.write("workers", {"what": what, "rows": rows})
    return 0 if all(row["largest_difference"] < _MOST_DIFFERENCE for row in rows.values()) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROWS))
