"""Tables as arrays: numbers scaled, categories one-hot, and the same again for new rows."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from kdec.data.column_kinds import EMPTY, sort_columns, to_numbers, to_text

_LOGGER = logging.getLogger("kdec")
_MAX_CATEGORIES = 50
_SHARE_OF_DUPLICATES = 0.1


@dataclass(frozen=True)
class _Numbers:
    """A column of numbers, which becomes one column of mean 0 and standard deviation 1."""

    name: str
    mean: float
    deviation: float
    filling: float

    @classmethod
    def fit(cls, name, values):
        return cls(name, float(values.mean()), float(values.std(ddof=0)), float(values.median()))

    @property
    def columns(self):
        return (self.name,)

    def read(self, column, origin):
        return to_numbers(column, f"{self.name!r} of {origin}")

    def transform(self, values):
        return ((values.to_numpy() - self.mean) / self.deviation)[:, None]


@dataclass(frozen=True)
class _Categories:
    """A column of categories, which becomes one column of 0 and 1 for each.

    Attributes:
        categories: The categories with a column of their own.
        has_rest: Whether the others, which are rare, share one more.
    """

    name: str
    categories: tuple[str, ...]
    has_rest: bool
    filling: str

    @classmethod
    def fit(cls, name, values):
        frequent = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        has_rest = len(frequent) > _MAX_CATEGORIES
        kept = frequent.index[: _MAX_CATEGORIES - 1] if has_rest else frequent.index
        if has_rest:
            _LOGGER.warning(
                "Column %r has %d categories: the %d most frequent have a column each, the others "
                "share one.",
                *(name, len(frequent), len(kept)),
            )
        return cls(name, tuple(sorted(kept)), has_rest, str(frequent.index[0]))

    @property
    def columns(self):
        names = tuple(f"{self.name}={category}" for category in self.categories)
        return (*names, f"{self.name}=(others)") if self.has_rest else names

    def read(self, column, origin):
        values = to_text(column)
        unknown = values.notna() & ~values.isin(self.categories)
        if unknown.any() and not self.has_rest:
            _LOGGER.warning(
                "Column %r of %s has categories that are new, such as %r, in %d rows: none of its "
                "columns is 1 there.",
                *(self.name, origin, values[unknown].iloc[0], unknown.sum()),
            )
        return values

    def transform(self, values):
        known = values.where(values.isin(self.categories))
        codes = pd.Categorical(known, categories=list(self.categories)).codes
        # The code of what is none of the categories is -1: the last column.
        width = len(self.categories) + 1
        one_hot = np.eye(width)[codes]
        return one_hot if self.has_rest else one_hot[:, :-1]


@dataclass(frozen=True)
class TablePreparation:
    """What `data.read` does to the columns of a table, fitted to the first rows it saw.

    Attributes:
        used: What becomes of each column, by the rule of `data.read`.
        missing: What becomes of missing values, "median", "drop", or None for an error.
    """

    kind: ClassVar[str] = "table"
    used: tuple[_Numbers | _Categories, ...]
    missing: str | None

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        origin: str,
        missing: str | None = None,
        categories: Sequence[str] = (),
    ) -> tuple["TablePreparation", dict[str, str]]:
        """Fit to a table; return also why each column that is left out is."""
        _check_names(categories, frame, origin)
        values, left_out = _choose_columns(frame, origin, missing, frozenset(categories))
        if not values:
            raise ValueError(
                f"Expected {origin} to have a column that tells its rows apart. "
                f"Received: {_name_columns(left_out)}"
            )
        if left_out:
            _LOGGER.warning("Left out columns of %s: %s.", origin, _name_columns(left_out))
        return cls(tuple(_fit_column(name, column) for name, column in values.items()), missing), (
            left_out
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of x; a category's are "column=category"."""
        return tuple(name for column in self.used for name in column.columns)

    def apply(self, frame: pd.DataFrame, origin: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows as float32, (n, d), and which rows of the table they are, int64, (n,)."""
        _check_names([column.name for column in self.used], frame, origin)
        values = {column.name: column.read(frame[column.name], origin) for column in self.used}
        rows = np.flatnonzero(_complete_rows(values, self.missing, origin))
        _log_duplicates(pd.DataFrame(values), origin)
        x = np.empty((len(rows), len(self.columns)), np.float32)
        end = 0
        for column in self.used:
            start, end = end, end + len(column.columns)
            present = values[column.name].iloc[rows].fillna(column.filling)
            x[:, start:end] = column.transform(present)
        return x, rows

    def get_config(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold, for `data.preparation_from_config`."""
        used = [{"type": type(column).__name__, **asdict(column)} for column in self.used]
        return {"kind": self.kind, "missing": self.missing, "used": used}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TablePreparation":
        """Make it again from `get_config`."""
        return cls(
            tuple(_column_from_config(**column) for column in config["used"]), config["missing"]
        )


def _choose_columns(frame, origin, missing, categories):
    """Return the columns to use, in the rows to fit to, and the reason for each that is not."""
    values, left_out = sort_columns(frame, origin, categories)
    if not values:
        return values, left_out
    # A column without any value is no more than left out where gaps are allowed.
    empty = [name for name, reason in left_out.items() if reason == EMPTY and missing is None]
    complete = _complete_rows({**values, **frame[empty]}, missing, origin)
    if complete.all():
        return values, left_out
    values, more = sort_columns(frame.loc[complete, list(values)], origin, categories)
    if more:  # Their gaps need not cost rows any more.
        values, rest = _choose_columns(
            frame.drop(columns=[*left_out, *more]), origin, missing, categories
        )
        more |= rest
    return values, left_out | more


def _fit_column(name, values):
    is_number = values.dtype == np.float64
    return (_Numbers if is_number else _Categories).fit(name, values)


def _column_from_config(type, **config):
    if type == _Numbers.__name__:
        return _Numbers(**config)
    return _Categories(**{**config, "categories": tuple(config["categories"])})


def _check_names(names, frame, origin):
    absent = [name for name in names if name not in frame]
    if absent:
        raise ValueError(
            f"Expected {origin} to have the columns {list_names(absent)}. "
            f"Received: columns {list_names(frame.columns)}"
        )


def list_names(names: Sequence[str], most: int = 20) -> str:
    """Return the names as a message lists them, with a count where there are many."""
    text = ", ".join(map(repr, names[:most]))
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def _complete_rows(values, missing, origin):
    """Return which rows to take, bool, (n,)."""
    absent = pd.DataFrame({name: column.isna() for name, column in values.items()})
    if missing == "median":
        return np.ones(len(absent), bool)
    counts = absent.sum()
    counts = counts[counts > 0]
    if len(counts) and missing is None:
        gaps = ", ".join(f"{count} missing in {name!r}" for name, count in counts.items())
        raise ValueError(
            f"Expected a value in every row of {origin}. Received: {gaps}; "
            'missing="median" fills them, missing="drop" leaves the rows out'
        )
    complete = ~absent.any(axis=1).to_numpy()
    if not complete.any():
        raise ValueError(f"Expected rows of {origin} without missing values. Received: none")
    return complete


def _name_columns(left_out):
    return ", ".join(f"{name!r} ({reason})" for name, reason in left_out.items())


def _log_duplicates(frame, origin):
    count = int(frame.duplicated().sum())
    if count > _SHARE_OF_DUPLICATES * len(frame):
        _LOGGER.warning("%d of the %d rows of %s repeat another.", count, len(frame), origin)
