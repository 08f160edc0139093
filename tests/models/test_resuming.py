"""Curves and files of a training that was interrupted."""

import keras
import numpy as np
import pytest

from kdec.models import read_curve, resuming_callbacks, save_whole


def test_curve_of_a_resumed_training_has_each_epoch_once(tmp_path):
    for epochs in (range(3), range(2, 4)):
        log, _ = resuming_callbacks(tmp_path / "backup", tmp_path / "curve.csv")
        log.on_train_begin()
        for epoch in epochs:
            log.on_epoch_end(epoch, {"loss": 4.0 - epoch, "acc": float("nan")})
    curve = read_curve(tmp_path / "curve.csv")
    assert curve["loss"] == [4.0, 3.0, 2.0, 1.0]
    assert np.isnan(curve["acc"]).all()


def test_failed_save_leaves_the_earlier_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_bytes(b"earlier")
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))

    def fail(partial):
        partial.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_whole(model, path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert path.read_bytes() == b"earlier"
