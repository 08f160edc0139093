"""Beyond the sources: DEC with data augmentation, on random views of the samples.

The autoencoder reconstructs views. Then encoder and centroids train on views, towards targets of
the samples as they are. Images of more than 20 pixels a side are turned and shifted; smaller ones,
and vectors, get noise.

Reference:
    Guo, Zhu, Liu, Yin, Deep Embedded Clustering with Data Augmentation (2018), ConvDEC-DA;
    code: https://github.com/XifengGuo/DEC-DA.
"""

import keras
import numpy as np

from kdec import plots
from kdec.experiments import dec, dec_conv
from kdec.experiments.run import Run
from kdec.views import RandomAffine, RandomNoise

_ADAM = {"class_name": "Adam", "config": {"learning_rate": 0.001}}

# Convolutional network, its views and the trainings of the authors' code, but for 500 epochs of the
# autoencoder, which would take three hours on two cores; the noise is ours.
_FULL = {
    **dec.PRESETS["full"],
    "autoencoder": "auto",
    "filters": dec_conv.PRESETS["full"]["filters"],
    # Ten degrees, and a tenth of the side.
    "affine": {"rotation": 0.1745, "scale": [1.0, 1.0], "shear": 0.0, "shift": 0.1},
    "noise": 0.1,
    "autoencoder_epochs": 100,
    "autoencoder_optimizer": _ADAM,
    "dec_optimizer": _ADAM,
    "max_steps": 20_000,
}

PRESETS = {
    "full": _FULL,
    # For some thousand samples, sorted by class: fewer passes; half of the channels.
    "quick": {
        **_FULL,
        "filters": [16, 32, 64],
        "max_steps": 2800,
        "shuffle": True,
    },
}


def run(run: Run) -> None:
    """Do all that `dec` does on views, and draw some of them."""
    dec.run(run, views(run))
    x = run.dataset.x
    if x.ndim > 2:
        some = np.linspace(0, len(x) - 1, 8).astype(int)
        run.save_figure("views", plots.views(x[some], views(run), title="Random views"))


def views(run: Run) -> keras.Layer:
    """Build the layer of the random views."""
    if dec.network(run) == "dense":
        return RandomNoise(run.config["noise"], seed=run.seed)
    return RandomAffine(**run.config["affine"], seed=run.seed)
