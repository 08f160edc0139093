"""One epoch of k-means as a loss, against a straightforward TensorFlow version of the algorithm.

Both train the same encoder from the same weights on the same batches: 60,000 images, 5000 a batch.
The straightforward version keeps every Lloyd iteration on the gradient tape, with distances by
broadcasting and one gather for each cluster. Each system's memory is measured in a process of its
own.

    python benchmarks/kmeans_loss.py

Data: MNIST (KDEC_DATA_DIR); for the memory the packaged sample of 5,000 images. Writes
results/benchmarks/kmeans_loss.json.
"""

import resource
import statistics
import sys
import time

import comparison
import numpy as np

N_CLUSTERS = 10
BATCH_SIZE = 5000
LEARNING_RATE = 1e-4
MAX_ITERATIONS = 50
ROUNDS = 3
PLAIN = "straightforward TensorFlow"


def straightforward():
    """Return the training step of the algorithm written down as one would first write it."""
    import keras
    import tensorflow as tf

    encoder = new_encoder()
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    kept = None

    @tf.function(reduce_retracing=True)
    def iterate(z, centroids):
        distances = tf.reduce_sum(tf.square(centroids[:, None] - z[None]), axis=2)
        labels = tf.argmin(distances, axis=0)
        means = [
            tf.reduce_mean(tf.gather(z, tf.where(labels == cluster)[:, 0]), axis=0)
            for cluster in range(N_CLUSTERS)
        ]
        return tf.stack(means), distances

    def step(batch):
        nonlocal kept
        with tf.GradientTape() as tape:
            z = encoder(batch)
            centroids = z[:N_CLUSTERS] if kept is None else kept
            for _ in range(MAX_ITERATIONS):
                before = centroids
                centroids, distances = iterate(z, centroids)
                if tf.reduce_all(centroids == before):
                    break
            own = tf.reduce_sum(tf.reduce_min(distances, axis=0))
            others = tf.reduce_sum(distances) - own
            loss = own / len(batch) + 1 / (others / len(batch))
        kept = centroids
        if not np.isnan(loss):
            gradients = tape.gradient(loss, encoder.trainable_variables)
            optimizer.apply(gradients, encoder.trainable_variables)
        return float(loss)

    return step


def with_kdec():
    """Return the training step of `kdec.KMeansLoss`."""
    import keras

    import kdec

    model = kdec.KMeansLoss(new_encoder(), N_CLUSTERS, max_iterations=MAX_ITERATIONS)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))

    def step(batch):
        model.reset_metrics()
        return model.train_on_batch(batch, return_dict=True)["loss"]

    return step


SYSTEMS = {PLAIN: straightforward, "kdec": with_kdec}


def main():
    """Compare both systems, or in a child process measure the memory of one."""
    if len(sys.argv) > 1:
        print(peak_memory(sys.argv[1]))
        return
    figures = compare()
    comparison.write("kmeans_loss", figures)
    print_table(figures)


def compare():
    """Return the figures of both systems, which train in turn, epoch by epoch."""
    # First, as long as this process is small: Linux hands its peak on to a child.
    memory = {name: comparison.in_child(__file__, name) for name in SYSTEMS}
    batches = load_batches()
    steps = {name: system() for name, system in SYSTEMS.items()}
    first_losses = {name: step(batches[0]) for name, step in steps.items()}
    seconds = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            start = time.perf_counter()
            for batch in batches:
                step(batch)
            seconds[name].append(time.perf_counter() - start)
    rows = {
        name: {
            "seconds_per_epoch": statistics.median(seconds[name]),
            "all_seconds": [round(value, 3) for value in seconds[name]],
            "loss_of_first_batch": first_losses[name],
            "peak_memory_mib": memory[name],
        }
        for name in steps
    }
    plain, ours = rows[PLAIN], rows["kdec"]
    return {
        "work": f"one epoch, {BATCH_SIZE * len(batches)} images, {BATCH_SIZE} a batch",
        "systems": rows,
        "speedup": plain["seconds_per_epoch"] / ours["seconds_per_epoch"],
        "relative_difference_of_loss": abs(
            ours["loss_of_first_batch"] / plain["loss_of_first_batch"] - 1
        ),
        "memory_ratio": ours["peak_memory_mib"] / plain["peak_memory_mib"],
    }


def new_encoder():
    """Return the encoder from which both systems start, with the same weights each time."""
    import kdec

    return kdec.autoencoders.conv_pooling_encoder(seed=0)


def load_batches():
    """Return the batches of an epoch, in random order: the raw data may be sorted."""
    import kdec

    x = kdec.load_data("mnist-train").x
    order = np.random.default_rng(0).permutation(len(x))
    return [batch[..., None] for batch in x[order].reshape(-1, BATCH_SIZE, 28, 28)]


def peak_memory(name):
    """Return the peak resident memory of this process after three steps, in MiB."""
    import kdec

    # The sample, as large as one batch: the whole set would take more memory than the training.
    batch = kdec.load_data("mnist-5k").x[:BATCH_SIZE, ..., None]
    batch = batch[np.random.default_rng(0).permutation(len(batch))]
    step = SYSTEMS[name]()
    for _ in range(3):
        step(batch)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_table(figures):
    """Print the figures of both systems."""
    print(figures["work"])
    print(f"{'system':28} {'s / epoch':>10} {'first loss':>12} {'peak MiB':>10}")
    for name, row in figures["systems"].items():
        print(
            f"{name:28} {row['seconds_per_epoch']:10.2f} {row['loss_of_first_batch']:12.6f} "
            f"{row['peak_memory_mib']:10.0f}"
        )
    print(
        f"{figures['speedup']:.2f} times as fast, {figures['memory_ratio']:.0%} of the memory, "
        f"losses apart by {figures['relative_difference_of_loss']:.1e}"
    )


if __name__ == "__main__":
    main()
