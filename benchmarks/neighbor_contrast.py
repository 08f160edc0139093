"""Contrast between neighbours, against a PyTorch loop and the floor; the search for neighbours.

An epoch: the same network, loss, views and optimizer on the same number of images, in kdec and as a
plain PyTorch loop, in float32 and in bfloat16 (PyTorch by autocast). The floor is the arithmetic of
the network, forward and backward, over the rate of a large matrix product measured beside.

Neighbours: the ten nearest among 70,000 images, on their first 50 principal components, whose
seconds count for none of the systems.

    python benchmarks/neighbor_contrast.py

Needs torch and pynndescent (the `bench` extra), and MNIST (KDEC_DATA_DIR). Each system runs in a
process of its own. Writes results/benchmarks/neighbor_contrast.json.
"""

import json
import math
import statistics
import sys
import time

import comparison
import numpy as np

BATCH_SIZE = 512
N_IMAGES = 20_480
ROUNDS = 3
N_NEIGHBORS = 10
UNITS = 32
# Kernel side, channels in and out, side of the output; each with batch normalisation and relu. The
# last is behind a max-pooling.
CONVOLUTIONS = ((5, 1, 32, 14), (3, 32, 64, 7), (3, 64, 128, 7), (3, 128, 128, 3))
DTYPES = ("float32", "bfloat16")


def main():
    """Compare all systems, or in a child process run one."""
    if len(sys.argv) > 1:
        kind, *arguments = sys.argv[1:]
        print(json.dumps(CHILDREN[kind](*arguments)))
        return
    epochs = {
        f"{system}, {dtype}": comparison.in_child(__file__, system, dtype)
        for dtype in DTYPES
        for system in ("kdec", "torch")
    }
    rates = {dtype: comparison.in_child(__file__, "rate", dtype) for dtype in DTYPES}
    operations = operations_of_an_epoch()
    searches = {
        system: comparison.in_child(__file__, "search", system)
        for system in ("kdec", "scikit-learn", "pynndescent")
    }
    comparison.write(
        "neighbor_contrast",
        {
            "work": f"an epoch of {N_IMAGES:,} pairs of images, {BATCH_SIZE} a batch",
            "epochs": epochs,
            "operations": operations,
            "rates": rates,
            "floors": {dtype: operations / rate["per_second"] for dtype, rate in rates.items()},
            "search": f"{N_NEIGHBORS} neighbours of 70,000 images, 50 components",
            "searches": searches,
        },
    )
    for name, row in epochs.items():
        print(f"{name:20} {row['seconds']:8.2f} s an epoch, last loss {row['loss']:.3f}")
    for dtype, rate in rates.items():
        floor = operations / rate["per_second"]
        print(f"{'floor, ' + dtype:20} {floor:8.2f} s at {rate['per_second'] / 1e9:.0f} GFLOP/s")
    for name, row in searches.items():
        print(f"{name:20} {row['seconds']:8.2f} s, recall {row['recall']:.4f}")


def operations_of_an_epoch():
    """Return the multiplications and additions of an epoch: forward once, backward twice that."""
    products = sum(
        kernel**2 * inputs * outputs * side**2 for kernel, inputs, outputs, side in CONVOLUTIONS
    )
    products += 3 * 3 * 128 * UNITS
    return 2 * 3 * 2 * N_IMAGES * products


def samples():
    """Return images (n, 28, 28, 1) and the ten nearest to each, from which its partner is drawn."""
    import kdec

    x = kdec.load_data("mnist-train").x[:N_IMAGES, ..., None]
    return x, kdec.nearest_neighbors(x, N_NEIGHBORS, verbose=False)


def train_by_kdec(dtype):
    """Return the seconds of an epoch, and the loss of the last one."""
    import keras

    import kdec

    x, rows = samples()
    policy = "mixed_bfloat16" if dtype == "bfloat16" else dtype
    encoder = kdec.autoencoders.conv_encoder(embedding_units=UNITS, dtype=policy, seed=0)
    model = kdec.NeighborContrast(encoder, kdec.views.RandomAffine(dtype=policy))
    model.compile(keras.optimizers.Adam(1e-3))

    class Clock(keras.callbacks.Callback):
        seconds = ()

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds += (time.perf_counter() - self.start,)

    clock = Clock()
    history = model.fit(x, rows, BATCH_SIZE, ROUNDS + 1, [clock], verbose=0).history
    # The first epoch includes the tracing.
    return {"seconds": statistics.median(clock.seconds[1:]), "loss": history["loss"][-1]}


def train_by_torch(dtype):
    """Return the same of a plain PyTorch loop."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)
    layers = []
    for place, (kernel, inputs, outputs, _) in enumerate(CONVOLUTIONS):
        stride = 2 if place < 2 else 1
        layers += [
            *([nn.MaxPool2d(2)] if place == 3 else []),
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(3 * 3 * 128, UNITS))
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    positives = torch.arange(2 * BATCH_SIZE).roll(BATCH_SIZE)
    # After the optimizer: PyTorch's compiler, which it loads, crashes behind TensorFlow.
    x, rows = samples()
    x = torch.from_numpy(np.ascontiguousarray(x[:, None, :, :, 0]))
    rows = torch.from_numpy(rows).long()

    def view(images):
        n = len(images)
        draws = 2 * torch.rand(7, n) - 1
        angle, shear = 0.3 * draws[0], 0.3 * draws[1]
        scale_x, scale_y = 1.025 + 0.175 * draws[2], 1.025 + 0.175 * draws[3]
        sine, cosine = torch.sin(angle), torch.cos(angle)
        maps = torch.stack(
            [
                torch.stack([(cosine + shear * sine) / scale_x, -sine / scale_y], 1),
                torch.stack([(sine - shear * cosine) / scale_x, cosine / scale_y], 1),
                0.22 * draws[4:6].T,
            ],
            2,
        )
        grid = functional.affine_grid(maps, images.shape, align_corners=False)
        return functional.grid_sample(images, grid, align_corners=False)

    seconds = []
    for _ in range(ROUNDS + 1):
        start, total = time.perf_counter(), 0.0
        for chosen in torch.randperm(len(x)).view(-1, BATCH_SIZE):
            partners = rows[chosen, torch.randint(N_NEIGHBORS, (BATCH_SIZE,))]
            images = view(x[torch.cat([chosen, partners])])
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
                codes = network(images)
            codes = functional.normalize(codes.float())
            similarities = codes @ codes.T / 0.5
            similarities = similarities.fill_diagonal_(-math.inf)
            loss = functional.cross_entropy(similarities, positives)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        seconds.append(time.perf_counter() - start)
    n_steps = len(x) // BATCH_SIZE
    return {"seconds": statistics.median(seconds[1:]), "loss": total / n_steps}


def rate_of(dtype):
    """Return the floating-point operations a second of a large product of matrices."""
    import tensorflow as tf

    side, times = 2048, 20
    matrix = tf.cast(tf.random.stateless_uniform([side, side], [0, 0]), dtype)
    product = tf.function(lambda matrix: tf.matmul(matrix, matrix))
    product(matrix).numpy()
    start = time.perf_counter()
    for _ in range(times):
        result = product(matrix)
    result.numpy()
    return {"per_second": 2 * side**3 * times / (time.perf_counter() - start)}


def search_by(system):
    """Return the seconds of a search, and the share of the true neighbours that it found."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    import kdec

    points = PCA(50, random_state=0).fit_transform(kdec.load_data("mnist").flat)

    def exact(points, k):
        return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points).kneighbors()[1]

    def approximate(points, k):
        import pynndescent

        index = pynndescent.NNDescent(points, n_neighbors=k + 1, random_state=0)
        return index.neighbor_graph[0][:, 1:]

    def by_kdec(points, k):
        return kdec.nearest_neighbors(points, k, verbose=False)

    search = {"kdec": by_kdec, "scikit-learn": exact, "pynndescent": approximate}[system]
    # pynndescent compiles on its first call.
    search(points[:2000], N_NEIGHBORS)
    start = time.perf_counter()
    found = search(points, N_NEIGHBORS)
    seconds = time.perf_counter() - start
    some = np.random.default_rng(0).permutation(len(points))[:1000]
    tree = NearestNeighbors(n_neighbors=N_NEIGHBORS + 1, algorithm="brute").fit(points)
    true = tree.kneighbors(points[some], return_distance=False)
    shared = [len(set(row) & set(other)) for row, other in zip(found[some], true, strict=True)]
    return {"seconds": seconds, "recall": float(np.mean(shared)) / N_NEIGHBORS}


CHILDREN = {
    "kdec": train_by_kdec,
    "torch": train_by_torch,
    "rate": rate_of,
    "search": search_by,
}


if __name__ == "__main__":
    main()
