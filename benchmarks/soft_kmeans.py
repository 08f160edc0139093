"""Differentiable k-means: ten random starts trained side by side against one after another.

    python benchmarks/soft_kmeans.py

Same samples, batches, optimizer, epochs and starts. Both ways are traced before the clock starts,
and one model serves all runs of the second way, so that neither pays for building. Data: the 60,000
training images of MNIST (KDEC_DATA_DIR).

Writes results/benchmarks/soft_kmeans.json.
"""

import time

import comparison
import keras
import numpy as np

import kdec
from kdec.experiments.soft_kmeans import PRESETS
from kdec.models import ShuffledBatches

EPOCHS = 10
ROUNDS = 3
CONFIG = PRESETS["full"]


def make_model(n_runs):
    """Build a compiled model with `n_runs` sets of centroids, or None for one."""
    model = kdec.DifferentiableKMeans(10, temperature=CONFIG["initial_temperature"], n_runs=n_runs)
    model.build((None, 784))
    model.compile(keras.optimizers.get(CONFIG["optimizer"]))
    return model


def train(model, batches, starts, epochs=EPOCHS):
    """Train from `starts` with a fresh optimizer state; return the centroids."""
    model.clustering.clusters.assign(starts)
    for variable in model.optimizer.variables[2:]:  # Not its step count and learning rate.
        variable.assign(np.zeros(variable.shape))
    model.optimizer.iterations.assign(0)
    model.fit(batches.dataset, epochs=epochs, callbacks=[batches], shuffle=False, verbose=0)
    return model.clusters


def main():
    x = kdec.load_data("mnist-train").flat
    batches = ShuffledBatches(x, CONFIG["batch_size"], seed=0)
    batched, single = make_model(CONFIG["n_runs"]), make_model(None)
    batched.initialize(x, random_state=0)
    starts = batched.clusters
    train(batched, batches, starts, epochs=1)
    train(single, batches, starts[0], epochs=1)

    together_seconds, single_seconds = [], []
    for _ in range(ROUNDS):
        clock = time.perf_counter()
        together = train(batched, batches, starts)
        together_seconds.append(time.perf_counter() - clock)
        clock = time.perf_counter()
        one_by_one = np.stack([train(single, batches, start) for start in starts])
        single_seconds.append(time.perf_counter() - clock)

    figures = {
        "what": f"60,000 x 784, k 10, {len(starts)} runs, {EPOCHS} epochs, "
        f"batches of {CONFIG['batch_size']}",
        "together_seconds": min(together_seconds),
        "one_by_one_seconds": min(single_seconds),
        "times_as_fast": min(single_seconds) / min(together_seconds),
        "rounds": {"together": together_seconds, "one_by_one": single_seconds},
        "largest_difference_of_centroids": float(np.abs(together - one_by_one).max()),
    }
    print(figures["what"])
    print(f"{'together':12}{figures['together_seconds']:8.2f} s")
    print(f"{'one by one':12}{figures['one_by_one_seconds']:8.2f} s")
    print(
        f"{figures['times_as_fast']:.1f} times as fast; centroids differ by at most "
        f"{figures['largest_difference_of_centroids']:.1e}"
    )
    comparison.write("soft_kmeans", figures)


if __name__ == "__main__":
    main()
