"""Images in rows and columns: a few on Axes of their own, many on one page."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from kdec.plots.names import PLAIN, printable, set_heading
from kdec.plots.pixels import draw_pixels

# Beyond, Axes of their own would take minutes.
MAX_AXES = 100
_INCHES_PER_IMAGE = 1.1
_INCHES_PER_TITLE = 0.3
_INCHES_PER_LETTER = 0.09
_LETTERS_PER_IMAGE = 17
_LETTERS_PER_ROW_NAME = 30
# On a page of many images. The largest page has no more pixels than Matplotlib can draw.
_INCHES_PER_SMALL_IMAGE = 0.7
_INCHES_PER_SMALL_TITLE = 0.16
_MAX_INCHES = 200


def draw_grid(
    rows: Sequence[np.ndarray],
    titles: Sequence[Sequence[object] | None],
    row_names: Sequence[object] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw images from `to_pixels` in a grid.

    Args:
        rows: The images of each row, of which the last may be shorter.
        titles: For each row the names above its images, or None.
        row_names: A name at the left of each row. Defaults to None.
        title: Title of the figure. Defaults to None.
    """
    names = [printable(name, _LETTERS_PER_ROW_NAME) for name in row_names or ()]
    margin = max(map(len, names), default=0) * _INCHES_PER_LETTER
    draw = _draw_on_axes if sum(map(len, rows)) <= MAX_AXES else _draw_on_page
    figure, heading_options = draw(rows, titles, names, margin, title is not None)
    if title is not None:
        set_heading(figure.suptitle(title, **heading_options))
    return figure


def _draw_on_axes(rows, titles, names, margin, has_heading):
    n_columns = len(rows[0])
    n_titles = sum(row is not None for row in titles) + has_heading
    figure, axes = plt.subplots(
        len(rows),
        n_columns,
        figsize=(
            margin + n_columns * _INCHES_PER_IMAGE,
            len(rows) * _INCHES_PER_IMAGE + n_titles * _INCHES_PER_TITLE,
        ),
        squeeze=False,
        layout="constrained",
    )
    for index, (images, titles_of_row) in enumerate(zip(rows, titles, strict=True)):
        for ax, image in zip(axes[index], images, strict=False):
            draw_pixels(ax, image)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for ax, name in zip(axes[index], titles_of_row or (), strict=False):
            ax.set_title(printable(name, _LETTERS_PER_IMAGE), fontsize="small", **PLAIN)
        for ax in axes[index, len(images) :]:
            ax.remove()
        if names:
            axes[index, 0].set_ylabel(names[index], rotation=0, ha="right", va="center", **PLAIN)
    return figure, {}


def _draw_on_page(rows, titles, names, margin, has_heading):
    """Draw on one Axes over the whole figure, whose coordinates are inches from the top left."""
    n_columns = len(rows[0])
    y = has_heading * _INCHES_PER_TITLE
    n_title_rows = sum(row is not None for row in titles)
    room = _MAX_INCHES - y - n_title_rows * _INCHES_PER_SMALL_TITLE
    place = min(_INCHES_PER_SMALL_IMAGE, (_MAX_INCHES - margin) / n_columns, room / len(rows))
    width, height = margin + n_columns * place, _MAX_INCHES - room + len(rows) * place
    figure = plt.figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    ax.set_autoscale_on(False)
    fontsize = 10 * place
    for index, (images, titles_of_row) in enumerate(zip(rows, titles, strict=True)):
        y += (titles_of_row is not None) * _INCHES_PER_SMALL_TITLE
        for column, image in enumerate(images):
            extent = _extent(image.shape, margin + column * place, y, place)
            draw_pixels(ax, image, extent=extent, aspect="auto")
        for column, name in enumerate(titles_of_row or ()):
            ax.text(
                margin + (column + 0.5) * place,
                y,
                printable(name, 12),
                fontsize=fontsize,
                ha="center",
                va="bottom",
                **PLAIN,
            )
        if names:
            ax.text(margin, y + place / 2, names[index], ha="right", va="center", **PLAIN)
        y += place
    return figure, {"y": 1 - 0.06 / height}


def _extent(shape, left, top, place):
    """Return left, right, bottom and top of an image in the middle of its place."""
    height, width = np.array(shape[:2]) / max(shape[:2]) * 0.92 * place
    left, top = left + (place - width) / 2, top + (place - height) / 2
    return left, left + width, top + height, top
