"""The rows of a table, or of vectors, as text."""

import math
from collections.abc import Sequence

from kdec.plots import printable
from kdec.report.contents import Contents
from kdec.report.features import Profile

_MAX_LETTERS = 40


class Rows:
    """Samples as text, column by column: the rows of the table, or else the vectors.

    Attributes:
        names: What the columns are called, first those in which the clusters differ most.
    """

    def __init__(self, contents: Contents, profile: Profile):
        """Order the columns of `contents` by the ranks of their features in `profile`."""
        table = contents.table
        if table is None:
            columns = [(profile.names[j], contents.x[:, j]) for j in profile.order]
        else:
            # A feature of no column of its own, "colour=red", is one of the category "colour".
            known = [str(name) for name in table.columns]
            sources = [
                name if name in known else name.rpartition("=")[0]
                for name in (profile.names[j] for j in profile.order)
            ]
            ranks = {name: rank for rank, name in reversed(list(enumerate(sources)))}
            order = sorted(range(len(known)), key=lambda j: ranks.get(known[j], math.inf))
            columns = [(known[j], table.iloc[:, j].to_numpy()) for j in order]
        self.names = [name for name, _ in columns]
        self._values = [values for _, values in columns]

    def texts(self, column: int, rows: Sequence[int]) -> list[str]:
        """Write the values of one column in some rows."""
        return [_text(value) for value in self._values[column][rows].tolist()]


def _text(value):
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else printable(value, _MAX_LETTERS)
