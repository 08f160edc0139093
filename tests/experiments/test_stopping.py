"""Early stopping that survives a kill."""

import keras
import numpy as np
import pytest

from kdec.experiments.stopping import ResumableEarlyStopping

LOSSES = [5.0, 4.0, 4.5, 3.0, 3.5, 3.4, 3.3, 2.0, 1.0]


def make_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.stop_training = False
    return model


def train(model, stopping, epochs):
    """What `fit` does with the callback, the weight of epoch i being i."""
    stopping.set_model(model)
    stopping.on_train_begin()
    for epoch in epochs:
        model.set_weights([np.full((1, 1), float(epoch))])
        stopping.on_epoch_end(epoch, {"loss": LOSSES[epoch]})
        if model.stop_training:
            stopping.on_train_end()
            return epoch
    return None


def test_stops_after_patience_with_the_best_weights(tmp_path):
    model = make_model()
    assert train(model, ResumableEarlyStopping(tmp_path, patience=3), range(9)) == 6
    assert model.get_weights()[0] == 3.0


@pytest.mark.parametrize("killed_after", range(1, 7))
@pytest.mark.parametrize("repeated", [0, 1])
def test_resumed_training_stops_where_one_never_killed_does(tmp_path, killed_after, repeated):
    train(make_model(), ResumableEarlyStopping(tmp_path, patience=3), range(killed_after))
    model = make_model()
    first = killed_after - repeated
    stopping = ResumableEarlyStopping(tmp_path, patience=3)
    assert train(model, stopping, range(first, 9)) == 6
    assert model.get_weights()[0] == 3.0


def test_kill_between_stopping_and_the_end_stops_at_the_repeated_epoch(tmp_path):
    train(make_model(), ResumableEarlyStopping(tmp_path, patience=3), range(7))
    model = make_model()
    assert train(model, ResumableEarlyStopping(tmp_path, patience=3), range(6, 9)) == 6
    assert model.get_weights()[0] == 3.0


def test_kill_between_the_backup_and_the_end_stops_without_counting_another_epoch(tmp_path):
    train(make_model(), ResumableEarlyStopping(tmp_path, patience=3), range(7))
    model = make_model()
    assert train(model, ResumableEarlyStopping(tmp_path, patience=3), range(7, 9)) == 7
    assert model.get_weights()[0] == 3.0


def test_small_improvement_does_not_count(tmp_path):
    stopping = ResumableEarlyStopping(tmp_path, patience=3, min_delta=1.5)
    assert train(make_model(), stopping, range(9)) == 6
    assert stopping.best == 3.0
