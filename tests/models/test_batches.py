"""ShuffledBatches: every sample once an epoch, in an order of seed and epoch alone."""

import keras
import numpy as np
import pytest

from kdec.autoencoders import dense
from kdec.models.batches import ShuffledBatches
from kdec.views import RandomAffine, RandomNoise


def epoch(batches, number):
    batches.on_epoch_begin(number)
    return np.concatenate([np.asarray(batch) for batch in batches.dataset])


@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (10, 3), (10, 100), (257, 16)])
def test_each_epoch_holds_every_sample_once(n, batch_size):
    batches = ShuffledBatches(np.arange(n), batch_size)
    for number in range(3):
        np.testing.assert_array_equal(np.sort(epoch(batches, number)), np.arange(n))
    sizes = [len(batch) for batch in batches.dataset]
    assert sizes == [batch_size] * (n // batch_size) + [n % batch_size] * (n % batch_size > 0)


def test_order_depends_on_seed_and_epoch_alone():
    x = np.arange(100)
    orders = {(s, e): epoch(ShuffledBatches(x, 7, seed=s), e) for s in (0, 1) for e in (0, 1)}
    assert len({order.tobytes() for order in orders.values()}) == 4
    keras.utils.set_random_seed(99)
    np.testing.assert_array_equal(epoch(ShuffledBatches(x, 7, seed=1), 1), orders[1, 1])
    np.testing.assert_array_equal(epoch(ShuffledBatches(x, 50, seed=1), 1), orders[1, 1])


def test_rows_stay_whole():
    x = np.random.default_rng(0).random((20, 3, 2), dtype="float32")
    shuffled = epoch(ShuffledBatches(x, 6, seed=1), 0)
    assert {row.tobytes() for row in shuffled} == {row.tobytes() for row in x}


def test_inputs_and_targets_stay_together():
    x = np.arange(20)
    batches = ShuffledBatches((x, 3.0 * x), 6, seed=1)
    pairs = [(inputs.numpy(), targets.numpy()) for inputs, targets in batches.dataset]
    assert sorted(value for inputs, _ in pairs for value in inputs) == list(x)
    assert all((3 * inputs == targets).all() for inputs, targets in pairs)


def test_views_are_new_each_epoch_and_depend_on_seed_and_epoch_alone():
    x = np.repeat(np.arange(40, dtype="float32")[:, None], 3, axis=1)

    def noise(seed, number, layer_seed=0):
        batches = ShuffledBatches(x, 16, seed, views=RandomNoise(0.1, seed=layer_seed))
        epoch(batches, 1)  # Draws of other epochs do not count.
        views = epoch(batches, number)
        np.testing.assert_array_equal(np.sort(views.mean(axis=1).round()), x[:, 0])
        return (views - epoch(ShuffledBatches(x, 16, seed), number)).round(4)

    noises = {(s, e): noise(s, e) for s in (0, 1) for e in (0, 1)}
    for drawn in noises.values():
        assert len(np.unique(drawn, axis=0)) == 40  # So batches have noise of their own, too.
        assert 0.06 < drawn.std() < 0.14
    assert len({drawn.tobytes() for drawn in noises.values()}) == 4
    keras.utils.set_random_seed(99)
    np.testing.assert_array_equal(noise(1, 1, layer_seed=5), noises[1, 1])


def test_views_leave_the_state_of_the_layer_and_go_through_each_generator_of_a_chain():
    chain = keras.Sequential([RandomAffine(seed=0), RandomNoise(seed=0)])
    before = [np.asarray(variable) for variable in chain.variables]
    images = np.random.default_rng(0).random((20, 6, 6, 1), dtype="float32")
    views = [epoch(ShuffledBatches(images, 8, views=chain), 1) for _ in range(2)]
    np.testing.assert_array_equal(*views)
    np.testing.assert_array_equal(before, [np.asarray(variable) for variable in chain.variables])


def test_of_inputs_and_targets_the_inputs_alone_are_views():
    x = np.arange(20, dtype="float32")
    batches = ShuffledBatches((x, x), 6, seed=1, views=RandomNoise(0.1))
    inputs, targets = (np.concatenate(arrays) for arrays in zip(*batches.dataset, strict=True))
    np.testing.assert_array_equal(targets, epoch(ShuffledBatches(x, 6, seed=1), 0))
    assert np.abs(inputs - targets).min() > 0 and np.abs(inputs - targets).max() < 0.6


def test_views_of_samples_on_the_disk_are_those_of_the_array(tmp_path):
    x = np.random.default_rng(0).random((50, 3), dtype="float32")
    np.save(tmp_path / "x.npy", x)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    views = [epoch(ShuffledBatches(a, 7, views=RandomNoise()), 2) for a in (x, on_disk)]
    np.testing.assert_array_equal(*views)


class Kill(keras.callbacks.Callback):
    """Ends training as Ctrl-C would, at the end of an epoch and before it is backed up."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("views", [None, RandomNoise(0.1, seed=0)])
@pytest.mark.parametrize("killed_at", [1, 3])
def test_resumed_training_gives_the_weights_of_one_that_never_stopped(killed_at, views, tmp_path):
    x = np.random.default_rng(0).random((50, 6), dtype="float32")

    def train(*callbacks):
        keras.utils.set_random_seed(len(callbacks))
        autoencoder = dense((6, 4, 2), seed=0)
        autoencoder.compile(keras.optimizers.Adam(0.01), loss="mse")
        batches = ShuffledBatches(x, 16, seed=3, views=views)
        autoencoder.fit(
            batches.dataset, epochs=5, callbacks=[batches, *callbacks], verbose=0, shuffle=False
        )
        return autoencoder.get_weights()

    uninterrupted = train()
    with pytest.raises(KeyboardInterrupt):
        train(Kill(killed_at), keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    resumed = train(keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    for weight, same in zip(uninterrupted, resumed, strict=True):
        np.testing.assert_array_equal(weight, same)
