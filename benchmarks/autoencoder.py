"""One epoch of the autoencoders, and the self-training of DEC, against PyTorch and the floor.

    python benchmarks/autoencoder.py

The floor is the time that the matrix products alone would take at the rate that a large product
reaches in the same process; the strict floor leaves out the gradient of the data, which no
training needs. Keras trains as the experiments do, by `fit` on `ShuffledBatches`; PyTorch runs a
plain loop over shuffled batches of the same data with the same model, loss, optimizer and batch
size. The systems take turns in child processes, since each wants all cores. Data: MNIST
(KDEC_DATA_DIR), 60,000 images for the autoencoders, 70,000 for DEC.

Writes results/benchmarks/autoencoder.json.
"""

import functools
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
    product = product_of_size(size)
    return 2 * size**3 / min(seconds(lambda: product().numpy()) for _ in range(repeats))


@functools.cache
def product_of_size(size):
    import tensorflow as tf

    a, b = tf.random.normal((size, size)), tf.random.normal((size, size))
    product = tf.function(lambda: tf.matmul(a, b))
    product()
    return product


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def epoch_clock():
    """A Keras callback with the `seconds` of each epoch, renewal of targets included, and `rates`.

    The rate is measured right before each epoch: on a shared machine it changes with the hour.
    """
    import keras

    class EpochClock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seconds, self.rates = [], []

        def on_epoch_begin(self, epoch, logs=None):
            self.rates.append(product_rate())
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds.append(time.perf_counter() - self.start)

    return EpochClock()


def beside_floors(clock, products, needless):
    """Figures of the timed epochs but the first, which traces the graph; the floors are theirs."""
    rates = clock.rates[1:]
    return {
        "seconds": clock.seconds[1:],
        "floor": [products / rate for rate in rates],
        "strict_floor": [(products - needless) / rate for rate in rates],
        "gigaflops": [rate / 1e9 for rate in rates],
    }


def measure_autoencoder():
    import keras

    import kdec

    x = kdec.load_data("mnist-train").flat
    autoencoder = kdec.autoencoders.dense(DIMS, seed=0)
    autoencoder.compile(keras.optimizers.SGD(1.0, momentum=0.9), loss="mse")
    clock = train(autoencoder, x)
    products = training_products(DIMS + DIMS[-2::-1], len(x))
    return beside_floors(clock, products, needless_products(DIMS, len(x)))


def measure_conv():
    import keras

    import kdec

    x = kdec.load_data("mnist-train").x[..., np.newaxis]
    autoencoder = kdec.autoencoders.conv(seed=0)
    autoencoder.compile(keras.optimizers.Adadelta(1.0), loss="mse")
    clock = train(autoencoder, x)
    layers = [layer for part in (autoencoder.encoder, autoencoder.decoder) for layer in part.layers]
    forward = [2 * len(x) * multiplications(layer) for layer in layers if layer.weights]
    # As in `needless_products`: the first layer's input needs no gradient.
    return beside_floors(clock, 3 * sum(forward), forward[0])


def multiplications(layer):
    """Multiplications of a layer for one image: its kernel's, at each place where it is put."""
    places = 1
    if layer.kernel.ndim == 4:
        is_transposed = "Transpose" in type(layer).__name__
        places = np.prod((layer.input if is_transposed else layer.output).shape[1:3])
    return int(np.prod(layer.kernel.shape) * places)


def train(autoencoder, x):
    """Train a compiled autoencoder as the experiments do; return the clock of its epochs."""
    from kdec.models import ShuffledBatches

    batches, clock = ShuffledBatches(x, BATCH_SIZE), epoch_clock()
    autoencoder.steps_per_execution = batches.n_batches
    autoencoder.fit(
        batches.dataset, epochs=EPOCHS + 1, callbacks=[batches, clock], verbose=0, shuffle=False
    )
    return clock


def measure_dec():
    import kdec

    x = kdec.load_data("mnist").flat
    dec = kdec.DEC(kdec.autoencoders.dense(DIMS, seed=0), n_clusters=10)
    dec.initialize(x[:5000], n_init=1, random_state=0)
    clock = epoch_clock()
    dec.fit(
        x,
        max_steps=(INTERVALS + 1) * UPDATE_INTERVAL,
        update_interval=UPDATE_INTERVAL,
        batch_size=BATCH_SIZE,
        tol=0.0,
        callbacks=[clock],
        verbose=0,
    )
    renewal = 2 * len(x) * sum(a * b for a, b in itertools.pairwise(DIMS))
    n = UPDATE_INTERVAL * BATCH_SIZE
    return beside_floors(clock, renewal + training_products(DIMS, n), needless_products(DIMS, n))


def measure_pytorch():
    import torch

    import kdec

    x = torch.from_numpy(np.ascontiguousarray(kdec.load_data("mnist-train").flat))
    model = pytorch_model(torch, DIMS + DIMS[-2::-1])
    return train_pytorch(torch, x, model, torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9))


def measure_pytorch_conv():
    import torch

    import kdec

    x = torch.from_numpy(np.ascontiguousarray(kdec.load_data("mnist-train").x[:, np.newaxis]))
    model = pytorch_conv_model(torch.nn)
    return train_pytorch(torch, x, model, torch.optim.Adadelta(model.parameters(), lr=1.0))


def train_pytorch(torch, x, model, optimizer):
    """Seconds of each epoch of a plain loop, after a first one."""
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


def pytorch_conv_model(nn):
    """The model of `kdec.autoencoders.conv` with its defaults."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5, 2, padding=2), nn.ReLU()),
        *(nn.Conv2d(32, 64, 5, 2, padding=2), nn.ReLU()),
        *(nn.Conv2d(64, 128, 3, 2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(1152, 10)),
        *(nn.Linear(10, 1152), nn.ReLU(), nn.Unflatten(1, (128, 3, 3))),
        *(nn.ConvTranspose2d(128, 64, 3, 2), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 32, 5, 2, padding=2, output_padding=1), nn.ReLU()),
        nn.ConvTranspose2d(32, 1, 5, 2, padding=2, output_padding=1),
    )


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
    "kdec conv autoencoder, one epoch": measure_conv,
    "PyTorch conv autoencoder, one epoch": measure_pytorch_conv,
}


def main():
    rows = {}
    for name in MEASUREMENTS:
        rows[name] = []
    for _ in range(ROUNDS):
        for name in MEASUREMENTS:
            rows[name].append(comparison.in_child(__file__, name))
    summary = {name: summarise(runs) for name, runs in rows.items()}
    ratios = {
        model: summary[f"PyTorch {model}, one epoch"]["seconds"]
        / summary[f"kdec {model}, one epoch"]["seconds"]
        for model in ("autoencoder", "conv autoencoder")
    }
    for name, row in summary.items():
        share = f", {row['share_of_floor']:.0%} of the floor" if "share_of_floor" in row else ""
        print(f"{name}: {row['seconds']:.2f} s{share}")
    for model, ratio in ratios.items():
        print(f"PyTorch / kdec, {model}: {ratio:.2f}")
    comparison.write("autoencoder", {"rows": summary, "pytorch_over_kdec": ratios})


def summarise(runs):
    """The medians over all epochs of all rounds."""
    figures = {name: [value for run in runs for value in run[name]] for name in runs[0]}
    times = figures["seconds"]
    row = {"seconds": statistics.median(times), "fastest": min(times), "slowest": max(times)}
    for floor in ("floor", "strict_floor") if "floor" in figures else ():
        row[floor] = statistics.median(figures[floor])
        shares = [least / own for least, own in zip(figures[floor], times, strict=True)]
        row[f"share_of_{floor}"] = statistics.median(shares)
    if "gigaflops" in figures:
        row["gigaflops"] = statistics.median(figures["gigaflops"])
    return row


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(MEASUREMENTS[sys.argv[1]]()))
    else:
        main()
