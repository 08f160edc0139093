"""Source 001: DEC with a convolutional autoencoder that goes on to reconstruct.

The loss is a tenth of the divergence plus the mean squared error, so the decoder stays true to the
embedding while the clusters form.
"""

from kdec.experiments import dec_conv
from kdec.experiments.dec import run

__all__ = ["PRESETS", "run"]

_LOSS = {"clustering_weight": 0.1, "reconstruction_weight": 1.0}

PRESETS = {name: {**preset, **_LOSS} for name, preset in dec_conv.PRESETS.items()}
