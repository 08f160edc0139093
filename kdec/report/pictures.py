"""Pictures of `kdec.plots` as addresses that hold them, for a page that is one file."""

import io
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np

from kdec import plots
from kdec.report.contents import Contents
from kdec.report.sprites import encode

_DPI = 130
_MAX_CURVES = 12  # of one stage
_VALIDATION = "val_"


def embedding(points: np.ndarray, labels: np.ndarray, centers: np.ndarray | None) -> str:
    """Return the embedding as it stands still: for print, and for browsers without WebGL.

    Args:
        points: Shape (n, 3).
        labels: Shape (n,).
        centers: Shape (k, 3), or None.
    """
    return _draw(plots.embedding_3d, points, labels, centers)


def confusion(contents: Contents) -> str:
    """Return the confusion matrix of known labels and clusters."""
    return _draw(plots.confusion_matrix, contents.class_names, contents.labels)


def curves(contents: Contents) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each stage of the training with its curves, each with its name."""
    for stage, history in contents.history.items():
        names = dict.fromkeys(name.removeprefix(_VALIDATION) for name in history)
        drawn = []
        for name in list(names)[:_MAX_CURVES]:
            keys = [key for key in (name, _VALIDATION + name) if key in history]
            drawn.append((name, _draw(plots.learning_curves, history, keys=keys)))
        yield stage, drawn


def choice(contents: Contents) -> list[tuple[str, str]]:
    """Return a curve over the number of clusters for each criterion, with its name."""
    numbers = contents.choice.select_dtypes("number")
    return [
        (
            str(name),
            _draw(
                plots.learning_curves,
                {str(name): numbers.iloc[:, column]},
                steps=numbers.index.to_numpy(),
                xlabel="number of clusters",
            ),
        )
        for column, name in enumerate(numbers.columns)
    ]


def _draw(plot, *arguments, **options):
    figure = getattr(picture := plot(*arguments, **options), "figure", picture)
    try:
        stored = io.BytesIO()
        # Matplotlib's Figure has an attribute `figure`, too: itself.
        figure.savefig(stored, format="webp", dpi=_DPI, pil_kwargs={"lossless": True})
    finally:
        plt.close(figure)
    return encode(stored.getvalue(), "webp")
