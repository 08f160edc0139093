"""The list of the experiments: one for each system of the source documents, and one beyond them.

This is all that `kdec list` reads; an experiment's module, and TensorFlow, load when it runs. Each
module has `PRESETS`, the configurations by name, and `run(run)`, which does the work on a
`kdec.experiments.run.Run`.
"""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """What `kdec list` says of an experiment, and where it is.

    Attributes:
        name: Name on the command line.
        source: Number of the source document that it reproduces, or "beyond" for one of no source.
        summary: One line on what it does.
        module: Module with `PRESETS` and `run`.
        full_data: Data set on which the source's figures were made.
        quick_data: Data set of the quick preset.
        takes_weights: Whether it can start from a weights file, `weights` in its configuration.
        takes_precision: Whether it trains networks, by whatever Keras' dtype policy is.
    """

    name: str
    source: str
    summary: str
    module: str
    full_data: str
    quick_data: str = "mnist-5k"
    takes_weights: bool = False
    takes_precision: bool = False


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="lloyd",
            source="004",
            summary="Lloyd's k-means: six points, Iris, and images under three metrics",
            module="kdec.experiments.lloyd",
            full_data="mnist-test",
        ),
        Experiment(
            name="kmeans",
            source="001, 003",
            summary="k-means on the pixels, the figure to beat",
            module="kdec.experiments.kmeans",
            full_data="mnist",
        ),
        Experiment(
            name="dec",
            source="001",
            summary="Deep embedded clustering with a dense autoencoder",
            module="kdec.experiments.dec",
            full_data="mnist",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="dec-reconstruction",
            source="001",
            summary="DEC with a dense autoencoder that goes on to reconstruct",
            module="kdec.experiments.dec_reconstruction",
            full_data="mnist",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="dec-conv",
            source="001",
            summary="DEC with a convolutional autoencoder",
            module="kdec.experiments.dec_conv",
            full_data="mnist",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="dec-conv-reconstruction",
            source="001",
            summary="DEC with a convolutional autoencoder that goes on to reconstruct",
            module="kdec.experiments.dec_conv_reconstruction",
            full_data="mnist",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="kmeans-loss",
            source="000",
            summary="k-means as a loss, with and without a reconstruction term",
            module="kdec.experiments.kmeans_loss",
            full_data="mnist-train",
            takes_precision=True,
        ),
        Experiment(
            name="encoding",
            source="003",
            summary="k-means on the codes of a sigmoid autoencoder; images of the centroids",
            module="kdec.experiments.encoding",
            full_data="mnist-train",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="gaussians",
            source="002",
            summary="K-means on three Gaussians in the plane, iteration by iteration",
            module="kdec.experiments.gaussians",
            full_data="gaussians",
            quick_data="gaussians",
        ),
        Experiment(
            name="soft-kmeans",
            source="002",
            summary="Differentiable k-means on pixels, ten random starts side by side",
            module="kdec.experiments.soft_kmeans",
            full_data="mnist-train",
        ),
        Experiment(
            name="architectures",
            source="002",
            summary="Autoencoder and clustering layer by depth, width and activation",
            module="kdec.experiments.architectures",
            full_data="mnist-train",
            takes_precision=True,
        ),
        Experiment(
            name="neighbor-contrast",
            source="beyond",
            summary="Contrast between neighbours, k-means, label diffusion, self-labelling",
            module="kdec.experiments.neighbor_contrast",
            full_data="mnist",
            takes_precision=True,
        ),
        Experiment(
            name="dec-views",
            source="beyond",
            summary="DEC whose autoencoder and self-training see random views of the samples",
            module="kdec.experiments.dec_views",
            full_data="mnist",
            takes_weights=True,
            takes_precision=True,
        ),
        Experiment(
            name="contrast-ablations",
            source="beyond",
            summary="Neighbour contrast with one part left out or changed",
            module="kdec.experiments.contrast_ablations",
            full_data="mnist",
        ),
        Experiment(
            name="unequal-classes",
            source="beyond",
            summary="Neighbour contrast where one class is ten times as large as another",
            module="kdec.experiments.unequal_classes",
            quick_data="mnist-unequal",
            full_data="mnist-unequal",
        ),
    )
}


def find_experiment(name: str) -> Experiment:
    """Return the experiment called `name`.

    Raises:
        ValueError: If there is none; the message lists all, and the nearest.

    Example:
    >>> from kdec.experiments import find_experiment
    >>> find_experiment("dec").source
    '001'
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    nearest = difflib.get_close_matches(name, EXPERIMENTS, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"Expected an experiment out of {list(EXPERIMENTS)}. Received: {name!r}.{hint}"
    )
