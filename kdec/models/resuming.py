"""What lets a training go on after an interruption: its curve on disk, checkpoints, whole files."""

import csv
from pathlib import Path

import keras


def resuming_callbacks(backup: Path, curve: Path) -> list[keras.callbacks.Callback]:
    """Return callbacks with which the same `fit` on the same model goes on where it was left.

    Args:
        backup: Folder for a checkpoint of each epoch. Remove it when the trained model is saved:
            the end of training would be too early.
        curve: CSV file for what is logged of each epoch; `read_curve` reads it.
    """
    return [
        keras.callbacks.CSVLogger(str(curve), append=True),
        keras.callbacks.BackupAndRestore(
            str(backup), double_checkpoint=True, delete_checkpoint=False
        ),
    ]


def save_whole(model: keras.Model, path: Path) -> None:
    """Save under another name first, so that a kill leaves no half-written model behind."""
    partial = path.with_name(f"partial_{path.name}")
    try:
        model.save(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_curve(path: Path) -> dict[str, list[float]]:
    """Return the learning curve that Keras' CSVLogger wrote, a list for each logged name.

    A training that was killed and resumed may have logged an epoch twice; the last row counts.
    CSVLogger adds a column of "NA" for each validation loss that there is not; it is left out.
    """
    with open(path, newline="") as file:
        row_of_epoch = {int(row["epoch"]): row for row in csv.DictReader(file)}
    rows = [row_of_epoch[epoch] for epoch in sorted(row_of_epoch)]
    names = [name for name, value in rows[0].items() if name != "epoch" and value != "NA"]
    return {name: [float(row[name]) for row in rows] for name in names}
