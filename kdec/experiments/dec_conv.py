"""Source 001: deep embedded clustering with a convolutional autoencoder."""

from kdec.experiments import dec
from kdec.experiments.dec import run

__all__ = ["PRESETS", "run"]

# Of the time of the source, when Adadelta's learning rate was 1.0 by default.
_ADADELTA = {"class_name": "Adadelta", "config": {"learning_rate": 1.0}}
_ADAM = {"class_name": "Adam", "config": {"learning_rate": 0.001}}

_FULL = {
    **{name: value for name, value in dec.PRESETS["full"].items() if name != "hidden_units"},
    "autoencoder": "conv",
    "filters": [32, 64, 128],
    "autoencoder_epochs": 100,
    "autoencoder_optimizer": _ADADELTA,
    "dec_optimizer": _ADAM,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples, sorted by class: fewer passes, with Adam; half of the channels.
    "quick": {
        **_FULL,
        "filters": [16, 32, 64],
        "autoencoder_epochs": 15,
        "autoencoder_optimizer": _ADAM,
        "max_steps": 420,
        "shuffle": True,
    },
}
