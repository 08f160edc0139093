"""Curves and files of a training that was interrupted."""

import keras
import pytest

from kdec.models import read_curve, save_whole


def test_curve_of_a_resumed_training_counts_the_last_row_of_an_epoch(tmp_path):
    path = tmp_path / "curve.csv"
    path.write_text("epoch,loss,val_loss\n0,4.0,NA\n1,3.0,NA\n1,2.5,NA\n2,2.0,NA\n")
    assert read_curve(path) == {"loss": [4.0, 2.5, 2.0]}


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
