"""The heat map of standardised means: a row for each feature, a column for each cluster."""

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from kdec.plots import printable
from kdec.report.contents import Contents
from kdec.report.features import Profile

_MAX_ROWS = 30
_MAX_CLUSTERS = 40
_LETTERS = 40
# From below the mean to above it; light enough for dark letters.
_COLORS = LinearSegmentedColormap.from_list("", ["#7fb3fd", "#ffffff", "#f28aa9"])
_DEVIATIONS = 2.0  # with which the colour is full


def heat_map(contents: Contents, profile: Profile) -> dict[str, Any]:
    """Return the cells of the heat map, with those features first in which clusters differ most.

    Of more than 40 clusters it has the largest, of more than 30 features the first.
    """
    largest = np.argsort(-contents.sizes, kind="stable")[:_MAX_CLUSTERS]
    clusters = np.sort(largest[contents.sizes[largest] > 0])
    columns = profile.order[:_MAX_ROWS]
    return {
        "clusters": clusters.tolist(),
        "rows_of_cells": [
            {
                "name": printable(profile.names[column], _LETTERS),
                "overall": profile.mean_text(column),
                "cells": [_cell(profile, column, cluster) for cluster in clusters],
            }
            for column in columns
        ],
        "n_features": len(profile.names),
        "leaves_out": len(profile.names) > len(columns) or len(contents.sizes) > len(clusters),
    }


def _cell(profile, column, cluster):
    value = profile.standardized[cluster, column]
    return {
        "value": value,
        "mean": profile.mean_text(column, cluster),
        "color": to_hex(_COLORS(0.5 + 0.5 * np.clip(value / _DEVIATIONS, -1, 1))),
    }
