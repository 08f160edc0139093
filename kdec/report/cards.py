"""A card for each cluster: what it stands for, what is typical of it and what is doubtful."""

import math
from typing import Any

import numpy as np
from PIL import Image

from kdec import metrics
from kdec.plots import printable
from kdec.report.choosing import Examples
from kdec.report.contents import Contents
from kdec.report.features import Profile
from kdec.report.rows import Rows
from kdec.report.sprites import data_uri, thumbnails, value_range

_DOUBTFUL = 0.5
_MAX_LETTERS = 40
# Of all images on all cards.
_MAX_PIXELS = 1_500_000
_MAX_BYTES = 1_500_000
_LEAST_SIDE, _LARGEST_SIDE = 24, 96
_MAX_DIFFERENCES = 6
_MAX_COLUMNS = 8


def cards(
    contents: Contents, examples: list[Examples], profile: Profile | None, rows: Rows | None
) -> list[dict[str, Any]]:
    """Return what the page says of each cluster.

    Args:
        contents: What the report shows.
        examples: Typical and doubtful samples of each cluster.
        profile: How clusters differ, or None for images.
        rows: The samples as text, or None for images.
    """
    sizes, confidence = contents.sizes, contents.confidence
    counts = np.maximum(sizes, 1)
    sure = np.bincount(contents.labels, weights=confidence, minlength=len(sizes)) / counts
    doubtful = np.bincount(contents.labels[confidence < _DOUBTFUL], minlength=len(sizes))
    main_classes = _main_classes(contents)
    show = _image_shower(contents, examples) if rows is None else _row_shower(contents, rows)
    cards = []
    for number, (size, of_cluster) in enumerate(zip(sizes.tolist(), examples, strict=True)):
        cards.append(
            {
                "number": number,
                "size": size,
                "share": size / len(contents.x),
                "confidence": sure[number],
                "n_doubtful": int(doubtful[number]),
                "main_class": main_classes.get(number),
                "differences": [] if profile is None else _differences(profile, number),
                **show(number, of_cluster),
            }
        )
    return cards


def _main_classes(contents):
    """Return the most frequent known label of each cluster, with its share of the cluster."""
    if contents.y is None:
        return {}
    counts = metrics.contingency_matrix(contents.class_names, contents.labels, as_dataframe=True)
    shares = counts.max() / counts.sum()
    return {
        cluster: (printable(name, _MAX_LETTERS), shares[cluster])
        for cluster, name in counts.idxmax().items()
    }


def _differences(profile, number):
    return [
        {
            "name": printable(profile.names[column], _MAX_LETTERS),
            "mean": profile.mean_text(column, number),
            "overall": profile.mean_text(column),
            "deviations": profile.standardized[number, column],
        }
        for column in profile.most_different(number, _MAX_DIFFERENCES)
    ]


def _image_shower(contents, examples):
    """Return a function that gives the images of a cluster."""
    images, decoded = contents.x, contents.decoded
    n_shown = contents.n_clusters + sum(len(rows) for pair in examples for rows in pair)
    side = int(np.clip(math.sqrt(_MAX_PIXELS / n_shown), _LEAST_SIDE, _LARGEST_SIDE))
    shades = value_range(images)

    def encode(images, rows):
        tiles = thumbnails(images, side, shades, rows)
        return [data_uri(Image.fromarray(tile), _MAX_BYTES // n_shown) for tile in tiles]

    def show(number, of_cluster):
        shown = {}
        if decoded is not None and number < len(decoded):
            shown["centroid"] = encode(decoded, np.array([number]))[0]
        for kind, rows in of_cluster._asdict().items():
            tiles = encode(images, rows) if len(rows) else ()
            shown[kind] = [
                {**_facts(contents, row), "image": tile}
                for row, tile in zip(rows, tiles, strict=True)
            ]
        return shown

    return show


def _row_shower(contents, rows):
    """Return a function that gives the rows of a cluster, in the columns that come first."""
    n_columns = min(len(rows.names), _MAX_COLUMNS)
    columns = [printable(name, _MAX_LETTERS) for name in rows.names[:n_columns]]

    def show(number, of_cluster):
        shown = {"columns": columns}
        for kind, chosen in of_cluster._asdict().items():
            texts = [rows.texts(column, chosen) for column in range(n_columns)]
            shown[kind] = [
                {**_facts(contents, row), "cells": [column[place] for column in texts]}
                for place, row in enumerate(chosen)
            ]
        return shown

    return show


def _facts(contents, row):
    name = row if contents.samples is None else contents.samples[row]
    return {
        "name": printable(name, _MAX_LETTERS),
        "confidence": contents.confidence[row],
        "class": None if contents.y is None else printable(contents.class_names[row]),
    }
