"""How the memory of each model grows with the number of samples, which stay on the disk.

    python benchmarks/memory_growth.py [largest number of rows]

Writes 10^4, 10^5, 10^6 and 10^7 rows of 16 float32, each to a temporary file that is removed at the
end. Each model takes them as a read-only memory map, in a process of its own, by a small network
and for little work: three iterations of k-means with 64 clusters, one epoch or round, 20 steps of
DEC after k-means with one restart on codes of 4 values. More work takes time, not memory.
Neighbours, 10 a sample, are drawn at random and given; labels are the largest of ten columns.
`peak` is the process's highest resident memory; `started` is what it had after the imports, before
any work.

Writes results/benchmarks/memory_growth.json, for the default number of rows only.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import comparison
import numpy as np

SIZES = [10**4, 10**5, 10**6, 10**7]
_FEATURES, _CLUSTERS, _BATCH = 16, 10, 4096


def train_kmeans(x):
    import kdec

    kdec.KMeans(64, init="random", n_init=1, max_iter=3, tol=0, random_state=0).fit(x)


def train_autoencoder(x):
    import kdec

    autoencoder = kdec.autoencoders.dense((_FEATURES, 32, 4), seed=0)
    autoencoder.compile(optimizer="adam", loss="mse")
    autoencoder.fit(x, batch_size=_BATCH, epochs=1, verbose=0)


def train_dec(x):
    import kdec

    dec = kdec.DEC(kdec.autoencoders.dense((_FEATURES, 32, 4), seed=0), _CLUSTERS)
    dec.initialize(x, n_init=1, random_state=0)
    dec.fit(x, max_steps=20, update_interval=10, tol=-1, verbose=0)


def train_contrast(x):
    import kdec

    neighbors = np.random.default_rng(0).integers(0, len(x), (len(x), 10), dtype=np.int32)
    encoder = kdec.autoencoders.dense_encoder((_FEATURES, 32, 8), seed=0)
    model = kdec.NeighborContrast(encoder, kdec.views.RandomNoise(0.1, seed=0))
    # Its table of all pairs of a batch grows with the square of the batch.
    model.fit(x, neighbors, batch_size=512, epochs=1, verbose=0)


def train_self_labeling(x):
    import kdec

    # The starting labels come from given columns, so that the model can tell its clusters apart.
    labels = np.concatenate([rows[:, :_CLUSTERS].argmax(axis=1) for rows in _in_parts(x)])
    classifier = kdec.autoencoders.dense_encoder((_FEATURES, 32, _CLUSTERS), seed=0)
    model = kdec.SelfLabeling(classifier, kdec.views.RandomNoise(0.1, seed=0), n_views=1)
    model.fit(x, labels, batch_size=1024, rounds=1, passes=1, verbose=0)


def _in_parts(x):
    return (x[start : start + 2**16] for start in range(0, len(x), 2**16))


TRAIN = {
    "KMeans": train_kmeans,
    "Autoencoder": train_autoencoder,
    "DEC": train_dec,
    "NeighborContrast": train_contrast,
    "SelfLabeling": train_self_labeling,
}


def measure(model, path):
    """Train once in this process; print the figures as JSON."""
    import kdec

    kdec.KMeans, kdec.DEC  # noqa: B018, imported on first use
    started, start = _peak(), time.process_time()
    TRAIN[model](np.load(path, mmap_mode="r"))
    seconds = time.process_time() - start
    print(json.dumps({"started_mib": started, "peak_mib": _peak(), "processor_seconds": seconds}))


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(most):
    """Measure all, print and record the figures."""
    rows = {model: {} for model in TRAIN}
    for n in (size for size in SIZES if size <= most):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "samples.npy")
            comparison.write_samples(path, (n, _FEATURES), _CLUSTERS)
            for model in TRAIN:
                figures = comparison.in_child(__file__, "--measure", model, str(path))
                rows[model][str(n)] = figures
                print(
                    f"{model:18}{n:12,}{figures['peak_mib']:8.0f} MiB"
                    f"{figures['processor_seconds']:8.1f} s",
                    flush=True,
                )
    if most == SIZES[-1]:
        what = f"n x {_FEATURES} float32 on the disk"
        comparison.write("memory_growth", {"what": what, "rows": rows})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else SIZES[-1])
