"""One epoch of the dense autoencoder, and the self-training of DEC, against PyTorch and the floor.

    python benchmarks/autoencoder.py

The floor is the time that the matrix products alone would take at the rate that a large product
reaches in the same process; the strict floor leaves out the gradient of the data, which no
training needs. Keras trains as the experiments do, by `fit` on `ShuffledBatches`;
PyTorch runs a plain loop over shuffled batches of the same data with the same model, loss,
optimizer and batch size. The two take turns in child processes, since each wants all cores. Data:
MNIST (KDEC_DATA_DIR), 60,000 images for the autoencoder, 70,000 for DEC.

Writes results/benchmarks/autoencoder.json.
"""

import itertools
import json
import statistics
import sys
import time

import comparison
import numpy as np

DIMS = (784, 500, 500, 2000, 10)
BATCH_SIZE = 256
EPOCHS = 3
INTERVALS = 3
UPDATE_INTERVAL = 140
ROUNDS = 2


def training_products(dims, n):
    """Floating-point operations of the matrix products in training `n` samples.

    Each layer has one product forward and two backward.
    """
    return 6 * n * sum(a * b for a, b in itertools.pairwise(dims))


def needless_products(dims, n):
    """Those among `training_products` that nobody needs: the gradient of the data itself."""
    return 2 * n * dims[0] * dims[1]


def product_rate(size=2048, repeats=8):
    """Operations a second of a float32 matrix product of the given size, the best of several."""
    import tensorflow as tf

    a, b = tf.random.normal((size, size)), tf.random.normal((size, size))
    product = tf.function(lambda: tf.matmul(a, b))
    product()
    return 2 * size**3 / min(seconds(lambda: product().numpy()) for _ in range(repeats))


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def epoch_clock():
    """A Keras callback whose `seconds` are those of each epoch, renewal of targets included."""
    import keras

    class EpochClock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seconds = []

        def on_train_begin(self, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            now = time.perf_counter()
            self.seconds.append(now - self.start)
            self.start = now

    return EpochClock()


def measure_autoencoder():
    import keras

    import kdec
    from kdec.batches import ShuffledBatches

    x = kdec.load_data("mnist-train").flat
    autoencoder = kdec.autoencoders.dense(DIMS, seed=0)
    autoencoder.compile(keras.optimizers.SGD(1.0, momentum=0.9), loss="mse")
    batches, clock = ShuffledBatches(x, BATCH_SIZE), epoch_clock()
    rate = product_rate()
    autoencoder.steps_per_execution = batches.n_batches
    # The first epoch traces the graph.
    autoencoder.fit(
        batches.dataset, epochs=EPOCHS + 1, callbacks=[batches, clock], verbose=0, shuffle=False
    )
    rate = max(rate, product_rate())
    products = training_products(DIMS + DIMS[-2::-1], len(x))
    return {
        "seconds": clock.seconds[1:],
        "floor": products / rate,
        "strict_floor": (products - needless_products(DIMS, len(x))) / rate,
        "gigaflops": rate / 1e9,
    }


def measure_dec():
    import kdec

    x = kdec.load_data("mnist").flat
    dec = kdec.DEC(kdec.autoencoders.dense(DIMS, seed=0), n_clusters=10)
    dec.initialize(x[:5000], n_init=1, random_state=0)
    clock = epoch_clock()
    rate = product_rate()
    dec.fit(
        x,
        max_steps=(INTERVALS + 1) * UPDATE_INTERVAL,
        update_interval=UPDATE_INTERVAL,
        batch_size=BATCH_SIZE,
        tol=0.0,
        callbacks=[clock],
        verbose=0,
    )
    rate = max(rate, product_rate())
    renewal = 2 * len(x) * sum(a * b for a, b in itertools.pairwise(DIMS))
    n = UPDATE_INTERVAL * BATCH_SIZE
    products = renewal + training_products(DIMS, n)
    return {
        "seconds": clock.seconds[1:],
        "floor": products / rate,
        "strict_floor": (products - needless_products(DIMS, n)) / rate,
        "gigaflops": rate / 1e9,
    }


def measure_pytorch():
    import torch

    import kdec

    x = torch.from_numpy(np.ascontiguousarray(kdec.load_data("mnist-train").flat))
    model = pytorch_model(torch, DIMS + DIMS[-2::-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    loss_of = torch.nn.MSELoss()

    def epoch():
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            batch = x[rows]
            optimizer.zero_grad()
            loss = loss_of(model(batch), batch)
            loss.backward()
            optimizer.step()

    epoch()
    return {"seconds": [seconds(epoch) for _ in range(EPOCHS)]}


def pytorch_model(torch, dims):
    layers = []
    for i, (n_inputs, n_units) in enumerate(itertools.pairwise(dims)):
        layers.append(torch.nn.Linear(n_inputs, n_units))
        bound = (1 / n_inputs) ** 0.5  # VarianceScaling(1/3, fan_in, uniform)
        torch.nn.init.uniform_(layers[-1].weight, -bound, bound)
        torch.nn.init.zeros_(layers[-1].bias)
        if i not in (len(dims) // 2 - 1, len(dims) - 2):
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


MEASUREMENTS = {
    "kdec autoencoder, one epoch": measure_autoencoder,
    "PyTorch autoencoder, one epoch": measure_pytorch,
    "kdec DEC, one update interval": measure_dec,
}


def main():
    rows = {}
    for name in MEASUREMENTS:
        rows[name] = []
    for _ in range(ROUNDS):
        for name in MEASUREMENTS:
            rows[name].append(comparison.in_child(__file__, name))
    summary = {name: summarise(runs) for name, runs in rows.items()}
    ours = summary["kdec autoencoder, one epoch"]["seconds"]
    ratio = summary["PyTorch autoencoder, one epoch"]["seconds"] / ours
    for name, row in summary.items():
        share = f", {row['share_of_floor']:.0%} of the floor" if "share_of_floor" in row else ""
        print(f"{name}: {row['seconds']:.2f} s{share}")
    print(f"PyTorch / kdec: {ratio:.2f}")
    comparison.write("autoencoder", {"rows": summary, "pytorch_over_kdec": ratio})


def summarise(runs):
    """The medians over all epochs of all rounds."""
    times = [value for run in runs for value in run["seconds"]]
    row = {"seconds": statistics.median(times), "fastest": min(times), "slowest": max(times)}
    if "floor" in runs[0]:
        for floor in ("floor", "strict_floor"):
            row[floor] = statistics.median(run[floor] for run in runs)
            row[f"share_of_{floor}"] = row[floor] / row["seconds"]
        row["gigaflops"] = statistics.median(run["gigaflops"] for run in runs)
    return row


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(MEASUREMENTS[sys.argv[1]]()))
    else:
        main()
