"""Pictures as PNG files."""

from pathlib import Path

from kdec.whole_files import written_whole


def save_picture(path: Path, picture) -> None:
    """Save a Matplotlib Axes or Figure as a file, which is there whole or not at all; close it."""
    # Only now: no training need wait until it is imported.
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    figure = picture if isinstance(picture, Figure) else picture.figure
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=120, bbox_inches="tight")
    plt.close(figure)
