"""DEC and NeighborContrast on samples that stay on the disk, against the same ones in memory.

    python benchmarks/models_from_disk.py [rows] [rows to compare]

Writes 1,000,000 rows of 100 float32, 400 MB, to a temporary file and removes it at the end. Each
model takes them as a read-only memory map in a process of its own, and 100,000 of them once as a
map and once as an array. DEC places 10 centroids and does two intervals of 140 steps, so that all
samples are encoded four times; NeighborContrast does one epoch. More steps take time, not memory.
Neighbours are drawn at random, 10 a sample: reading and memory do not depend on which they are, and
to find them is work of its own. `peak` is the process's highest resident memory. `weights` are
digests: the same ones mean the same bits.

Writes results/benchmarks/models_from_disk.json, for the default numbers of rows only.
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

ROWS, COMPARED = 1_000_000, 100_000
MOST_MIB = 2e9 / 2**20
_FEATURES, _CLUSTERS = 100, 10


def train_dec(x):
    import kdec

    dec = kdec.DEC(kdec.autoencoders.dense((_FEATURES, 256, 256, _CLUSTERS), seed=0), _CLUSTERS)
    dec.initialize(x, n_init=2, random_state=0)
    dec.fit(x, max_steps=280, update_interval=140, tol=-1, verbose=0)
    return dec


def train_contrast(x):
    import kdec

    neighbors = np.random.default_rng(0).integers(0, len(x), (len(x), 10), dtype=np.int32)
    encoder = kdec.autoencoders.dense_encoder((_FEATURES, 256, 256, 32), seed=0)
    model = kdec.NeighborContrast(encoder, kdec.views.RandomNoise(0.1, seed=0))
    model.fit(x, neighbors, epochs=1, verbose=0)
    return model


TRAIN = {"DEC": train_dec, "NeighborContrast": train_contrast}


def measure(model, where, path, n):
    """Train once in this process and predict all; print the figures as JSON."""
    x = np.load(path, mmap_mode="r")[: int(n)]
    if where == "memory":
        x = np.array(x)
    start = time.perf_counter()
    trained = TRAIN[model](x)
    trained_after = time.perf_counter() - start
    outputs = trained.predict(x, batch_size=2048, verbose=0)
    figures = {
        "seconds": trained_after,
        "seconds_predict": time.perf_counter() - start - trained_after,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "weights": digest(*trained.get_weights()),
        "outputs": digest(outputs),
    }
    print(json.dumps(figures))


def digest(*arrays):
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(np.ascontiguousarray(array))
    return sha256.hexdigest()


def main(n, n_compared):
    """Measure all, print and record the figures."""
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.npy")
        comparison.write_samples(path, (n, _FEATURES), _CLUSTERS)
        for model in TRAIN:
            for where, size in (("disk", n), ("disk", n_compared), ("memory", n_compared)):
                name = f"{model}, {size:,} samples, {where}"
                rows[name] = comparison.in_child(
                    __file__, "--measure", model, where, str(path), str(size)
                )
                print(f"{name:45}{rows[name]['seconds']:8.1f} s{rows[name]['peak_mib']:8.0f} MiB")
    same = {model: _is_same(rows, model, n_compared) for model in TRAIN}
    peaks = {model: rows[f"{model}, {n:,} samples, disk"]["peak_mib"] for model in TRAIN}
    print(f"same bits: {same}; aim: peaks below {MOST_MIB:.0f} MiB")
    if (n, n_compared) == (ROWS, COMPARED):
        what = f"{n:,} x {_FEATURES} float32; {n_compared:,} of them also in memory"
        # What else ran says how far the seconds may be trusted: not far, above one a core.
        figures = {"what": what, "rows": rows, "same": same, "load_average": os.getloadavg()[2]}
        comparison.write("models_from_disk", figures)
    return 0 if all(same.values()) and max(peaks.values()) <= MOST_MIB else 1


def _is_same(rows, model, n):
    disk, memory = (rows[f"{model}, {n:,} samples, {where}"] for where in ("disk", "memory"))
    return all(disk[name] == memory[name] for name in ("weights", "outputs"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        sizes = map(int, sys.argv[1:])
        sys.exit(main(next(sizes, ROWS), next(sizes, COMPARED)))
