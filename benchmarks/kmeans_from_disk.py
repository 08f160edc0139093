"""k-means on points that stay on the disk, against the same points in memory.

    python benchmarks/kmeans_from_disk.py [rows]

Writes shards of 1,000,000 rows of 16 float32 to a temporary folder, by default 30 of them, 1.9 GB,
and removes them at the end. `KMeans` takes them once as `kdec.data.Shards` and once as one array,
each in a process of its own: 64 clusters, 10 iterations, one restart from random points. `peak` is
the process's highest resident memory, libraries included. The files are in the system's cache for
both, if it has room.

Writes results/benchmarks/kmeans_from_disk.json, for the default number of rows only.
"""

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import comparison
import numpy as np

ROWS = 30_000_000
MOST_MIB = 1.5e9 / 2**20
MOST_TIMES = 1.5
_SHARD, _FEATURES, _CLUSTERS = 1_000_000, 16, 64


def write_shards(folder, n):
    """Write points around random centers, so near to each other that clusters overlap."""
    random = np.random.default_rng(0)
    centers = random.standard_normal((_CLUSTERS, _FEATURES), dtype=np.float32)
    for start in range(0, n, _SHARD):
        shape = (min(_SHARD, n - start), _FEATURES)
        points = random.standard_normal(shape, dtype=np.float32)
        points += centers[random.integers(0, _CLUSTERS, len(points))]
        np.save(folder / f"{start // _SHARD:05}.npy", points)


def measure(where, folder):
    """Fit once in this process; print the figures as JSON."""
    import kdec

    x = kdec.data.read(folder).x
    if where == "memory":
        x = np.asarray(x)
    kmeans = kdec.KMeans(_CLUSTERS, init="random", n_init=1, max_iter=10, tol=0, random_state=0)
    start, start_of_work = time.perf_counter(), time.process_time()
    kmeans.fit(x)
    figures = {
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - start_of_work,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "n_iter": kmeans.n_iter_,
        "inertia": kmeans.inertia_,
        "labels": hashlib.sha256(kmeans.labels_).hexdigest(),
    }
    print(json.dumps(figures))


def main(n):
    """Measure both, print and record the figures."""
    with tempfile.TemporaryDirectory() as folder:
        write_shards(Path(folder), n)
        systems = {
            where: comparison.in_child(__file__, "--measure", where, folder)
            for where in ("disk", "memory")
        }
    disk, memory = systems["disk"], systems["memory"]
    # Of the processor: what else runs on the machine does not count.
    times = disk["processor_seconds"] / memory["processor_seconds"]
    is_same = disk["labels"] == memory["labels"] and disk["inertia"] == memory["inertia"]
    for where, figures in systems.items():
        print(
            f"{where:8}{figures['seconds']:8.1f} s, of the processor "
            f"{figures['processor_seconds']:.1f} s{figures['peak_mib']:8.0f} MiB"
        )
    print(f"same labels and inertia: {is_same}; {times:.2f} times as long as in memory")
    if n == ROWS:
        comparison.write(
            "kmeans_from_disk",
            {
                "what": f"{n:,} x {_FEATURES} float32, k {_CLUSTERS}, 10 iterations, n_init 1",
                "systems": systems,
                "times_as_long": times,
                "same": is_same,
                "load_average": os.getloadavg()[2],
            },
        )
    reached = is_same and times <= MOST_TIMES and disk["peak_mib"] <= MOST_MIB
    return 0 if reached else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else ROWS))
