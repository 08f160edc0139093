"""Source 001: DEC with a dense autoencoder that goes on to reconstruct.

The loss is a tenth of the divergence plus the mean squared error, so the decoder stays true to the
embedding while the clusters form.
"""

from kdec.experiments import dec
from kdec.experiments.dec import run

__all__ = ["PRESETS", "run"]

_LOSS = {"clustering_weight": 0.1, "reconstruction_weight": 1.0}

PRESETS = {
    "full": {
        **dec.PRESETS["full"],
        **_LOSS,
        "dec_optimizer": {"class_name": "SGD", "config": {"learning_rate": 1.0, "momentum": 0.9}},
    },
    # The rate of a loss whose divergence counts a tenth.
    "quick": {
        **dec.PRESETS["quick"],
        **_LOSS,
        "dec_optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}},
    },
}
