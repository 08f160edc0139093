"""The embedding in 3-D as data for the page: points, and what pointing at one shows."""

import base64
import json
import math
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from kdec.plots import printable
from kdec.report.contents import Contents
from kdec.report.rows import Rows
from kdec.report.sprites import data_uri, make_sheet, thumbnails, value_range

_MAX_SIDE = 64
_MAX_SHEET_PIXELS = 16_000_000  # what browsers of phones still decode
_MAX_SHEET_BYTES = 3_500_000
# Of the rows of a table: less where there are more cards beside them.
_MAX_ROW_BYTES = 4_500_000
_BYTES_PER_CARD = 1_500
_MAX_NAME_BYTES = 1_200_000
_MAX_COLUMNS = 30
_LETTERS_OF_NAMES = (80, 40, 20, 10)


def project(
    codes: np.ndarray, centers: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """Return codes and centroids in three dimensions, float32, and the names of the axes.

    More than three dimensions are projected on their first three principal components; fewer are
    filled up with 0.
    """
    size = codes.shape[1]
    if size <= 3:
        names = [f"code {axis}" for axis in range(1, size + 1)] + [""] * (3 - size)
        return _fill_up(codes), None if centers is None else _fill_up(centers), names
    pca = PCA(n_components=min(3, len(codes)), random_state=0)
    with np.errstate(invalid="ignore"):  # The shares of no variance at all are 0 / 0.
        points = _fill_up(pca.fit_transform(codes))
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [f"PC {axis} ({share:.0%})" for axis, share in enumerate(shares, 1)]
    names += [""] * (3 - len(names))
    return points, None if centers is None else _fill_up(pca.transform(centers)), names


def _fill_up(codes):
    return np.pad(codes, ((0, 0), (0, 3 - codes.shape[1]))).astype(np.float32)


def view(
    contents: Contents,
    drawn: np.ndarray,
    points: np.ndarray,
    centers: np.ndarray | None,
    rows: Rows | None,
) -> dict[str, Any]:
    """Return what the page's script draws, as JSON can hold it.

    Args:
        contents: What the report shows.
        drawn: Rows of the samples that are drawn, shape (m,).
        points: Where these are, float32, shape (m, 3).
        centers: Where the centroids are, float32, shape (k, 3), or None.
        rows: The samples as text, or None for images.
    """
    return {
        "points": _base64(points, "<f4"),
        "centers": None if centers is None else _base64(centers, "<f4"),
        "labels": _base64(contents.labels[drawn], "<i4"),
        "confidence": _base64(contents.confidence[drawn], "<f4"),
        "names": _names(contents, drawn),
        "classes": _classes(contents, drawn),
        "sheet": None if rows is not None else _sheet(contents.x, drawn),
        "rows": []
        if rows is None
        else _rows(rows, drawn, _MAX_ROW_BYTES - _BYTES_PER_CARD * contents.n_clusters),
    }


def _base64(values, dtype):
    return base64.b64encode(np.ascontiguousarray(values, dtype)).decode()


def _names(contents, drawn):
    if contents.samples is None:
        return drawn.tolist()
    for letters in _LETTERS_OF_NAMES:
        names = [printable(name, letters) for name in contents.samples[drawn]]
        if len(json.dumps(names)) <= _MAX_NAME_BYTES:
            break
    return names


def _classes(contents, drawn):
    """Return the names of the known labels, and which of them each sample has."""
    if contents.y is None:
        return None
    names, indices = np.unique(contents.class_names, return_inverse=True)
    return {
        "names": [printable(name) for name in names],
        "indices": _base64(indices[drawn], "<i4"),
    }


def _sheet(images, drawn):
    height, width = images.shape[1:3]
    share = min(height, width) / max(height, width)
    side = int(min(_MAX_SIDE, math.sqrt(_MAX_SHEET_PIXELS / len(drawn) / share)))
    sheet = make_sheet(thumbnails(images, side, value_range(images), rows=drawn))
    return {
        "image": data_uri(sheet.image, _MAX_SHEET_BYTES),
        "width": sheet.width,
        "height": sheet.height,
        "columns": sheet.columns,
    }


def _rows(rows, drawn, room):
    """Return the columns in which clusters differ most, as many as there is room for."""
    columns = []
    for index, name in enumerate(rows.names[:_MAX_COLUMNS]):
        values = rows.texts(index, drawn)
        room -= len(json.dumps(values))
        if room < 0:
            break
        columns.append({"name": printable(name), "values": values})
    return columns
