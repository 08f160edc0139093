"""AtomicBackup: the epoch and the weights that it restores belong together, whatever ended fit."""

import itertools

import keras
import numpy as np
import pytest
from interrupts import changes_counted, disk_full_at, killed_at

import kdec
from kdec.autoencoders import dense_encoder
from kdec.models import AtomicBackup

N_EPOCHS = 4


def make_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(momentum=0.9))
    return model


def train(folder, stops_after=N_EPOCHS):
    """What `fit` does with the callback, the weight after i epochs being i; the epochs it did."""
    model, backup, epochs = make_model(), AtomicBackup(folder, delete_checkpoint=False), []
    backup.set_params({"epochs": N_EPOCHS})
    backup.set_model(model)
    model.stop_training, model._initial_epoch = False, None
    backup.on_train_begin()
    for epoch in range(model._initial_epoch or 0, N_EPOCHS):
        if model._initial_epoch and not epochs:
            assert model.get_weights()[0] == epoch
        model.set_weights([np.full((1, 1), epoch + 1.0)])
        model.stop_training = epoch + 1 == stops_after
        epochs.append(epoch)
        backup.on_epoch_end(epoch)
        if model.stop_training:
            break
    backup.on_train_end()
    return epochs, model.get_weights()[0].item()


def test_kill_at_any_change_of_the_disk_loses_at_most_one_epoch(tmp_path):
    with changes_counted(tmp_path / "whole") as changes:
        assert train(tmp_path / "whole") == ([0, 1, 2, 3], 4.0)
    assert changes == ["os.mkdir", "open", "os.rename"] * N_EPOCHS
    for number, cut in itertools.product(range(len(changes)), (0, 0.9)):
        disk, remains = tmp_path / f"disk_{number}_{cut}", tmp_path / f"remains_{number}_{cut}"
        disk.mkdir()
        with killed_at(disk, number, remains, cut):
            train(disk / "backup")
        assert train(remains / "backup") == (list(range(number // 3, N_EPOCHS)), 4.0)


@pytest.mark.parametrize("number", range(0, 12, 2))
def test_full_disk_is_named_and_the_backup_before_stays(number, tmp_path):
    full = pytest.raises(OSError, match="No space left on device")
    with disk_full_at(tmp_path, number), full:
        train(tmp_path / "backup")
    assert not list(tmp_path.glob("backup/partial*"))
    assert train(tmp_path / "backup") == (list(range(number // 3, N_EPOCHS)), 4.0)


@pytest.mark.parametrize("stops_after", [1, 3])
def test_training_that_had_stopped_trains_no_further(stops_after, tmp_path):
    assert train(tmp_path, stops_after) == (list(range(stops_after)), stops_after)
    assert train(tmp_path) == ([], stops_after)


def test_backup_of_another_model_is_refused(tmp_path):
    train(tmp_path)
    backup = AtomicBackup(tmp_path)
    backup.set_params({"epochs": 1})
    backup.set_model(dense_encoder((5, 4, 3), seed=0))
    backup.model.compile("sgd")
    weights = backup.model.get_weights()
    with pytest.raises(ValueError, match=r"Expected .*backup.npz to be a backup of this model"):
        backup.on_train_begin()
    for weight, same in zip(weights, backup.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_dec_that_had_stopped_by_itself_does_no_further_interval(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 5)).astype("float32")
    options = {"max_steps": 8, "update_interval": 2, "tol": 2.0, "verbose": 0}
    decs = []
    for _ in range(2):
        dec = kdec.DEC(dense_encoder((5, 8, 2), seed=0), 3)
        dec.clustering.clusters.assign(dec.encoder(x[:3]))
        backup = AtomicBackup(tmp_path, delete_checkpoint=False)
        dec.fit(x, callbacks=[backup], **options)
        decs.append(dec)
    assert int(decs[1].step) == 2
    for weight, same in zip(*(dec.get_weights() for dec in decs), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_end_of_fit_removes_the_backup(tmp_path):
    model, x = make_model(), np.ones((4, 1))
    model.compile("sgd", "mse")
    model.fit(x, x, callbacks=[AtomicBackup(tmp_path / "backup")], verbose=0)
    assert not (tmp_path / "backup").exists()
