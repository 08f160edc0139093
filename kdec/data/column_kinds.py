"""The rule that tells numbers, categories, and what is left out, by the values of a column."""

import re
from numbers import Number

import numpy as np
import pandas as pd

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TEXT = {"string", "boolean", "mixed", "mixed-integer"}

# A column of text with this share of numbers was meant as numbers, and the text is a slip.
_SHARE_OF_NUMBERS = 0.1

# Text with more different values than this, most of them different, names things.
_MOST_NAMES = 20

# Why a column is left out.
EMPTY, _CONSTANT, _IDENTIFIER = "no values", "constant", "like an identifier"

_NAME_OF_IDENTIFIER = re.compile(r"(?i:(^|[\W_])(id|uuid|guid)$|^index$)|[a-z0-9]I[dD]$")
_LARGEST = float(np.finfo(np.float32).max)


def sort_columns(
    frame: pd.DataFrame, origin: str, categories: frozenset[str]
) -> tuple[dict[str, pd.Series], dict[str, str]]:
    """Tell which columns of a table are numbers, which are categories, and which say nothing.

    Args:
        frame: The table.
        origin: What it came from, for messages.
        categories: Names of columns that are categories, whatever their values look like.

    Returns:
        The columns to use, float64 for numbers and str for categories, with NaN where a value is
        missing; and the reason for each that is left out.

    Raises:
        ValueError: If a column has numbers and text, or numbers that float32 cannot hold.
    """
    used, left_out = {}, {}
    for name, column in frame.items():
        values, reason = _sort_column(column, f"{name!r} of {origin}", name in categories)
        if reason:
            left_out[name] = reason
        else:
            used[name] = values
    return used, left_out


def _sort_column(column, origin, is_category):
    """Return the values to use, and, if there are none, why."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column, is_category = column.astype(column.cat.categories.dtype), True
    present = column.dropna()
    if present.empty:
        return None, EMPTY
    kind = pd.api.types.infer_dtype(present)
    if kind not in _NUMBERS | _TEXT or (kind.startswith("mixed") and not _is_plain(present)):
        return None, f"neither numbers nor text, but {type(present.iloc[0]).__name__}"
    if present.nunique() == 1:
        return None, _CONSTANT
    if is_category or kind == "boolean":
        return to_text(column), None
    if kind in _NUMBERS or _is_meant_as_numbers(present):
        numbers = to_numbers(column, origin)
        if not numbers.std(ddof=0) > 0:  # Numbers so small that their squares are 0.
            return None, _CONSTANT
        is_identifier = _counts_rows(numbers.dropna(), column.name)
        return (None, _IDENTIFIER) if is_identifier else (numbers, None)
    return (None, _IDENTIFIER) if _names_rows(present) else (to_text(column), None)


def _is_plain(present):
    """Tell whether mixed values are nothing but text and numbers: no lists, no dates."""
    return all(isinstance(value, str | Number | np.bool_) for value in present)


def _is_meant_as_numbers(present):
    return pd.to_numeric(present, errors="coerce").notna().mean() >= _SHARE_OF_NUMBERS


def _counts_rows(numbers, name):
    """Tell whether numbers are a running number in any order, or an identifier by their name."""
    if (numbers != np.trunc(numbers)).any():
        return False
    distinct = numbers.nunique()
    if distinct == len(numbers) == numbers.max() - numbers.min() + 1:
        return True
    return distinct > len(numbers) / 2 and _NAME_OF_IDENTIFIER.search(name) is not None


def _names_rows(present):
    distinct = present.nunique()
    return distinct == len(present) or distinct > max(_MOST_NAMES, len(present) / 2)


def to_numbers(column: pd.Series, origin: str) -> pd.Series:
    """Return the values as float64, NaN where one is missing.

    Raises:
        ValueError: If one is text, infinite, or too large for float32.
    """
    numbers = pd.to_numeric(column, errors="coerce")
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (column.notna().to_numpy() & np.isnan(values)) | (np.abs(values) > _LARGEST)
    if wrong.any():
        first = int(np.argmax(wrong))
        value, count = column.iloc[first], int(wrong.sum())
        is_text = isinstance(value, str)
        raise ValueError(
            f"Expected numbers{'' if is_text else ' that float32 can hold'} in column {origin}. "
            f"Received: {repr(value) if is_text else value} in row {first}, and {count} such "
            f"values in {len(column)} rows{'; or name it in `categories`' * is_text}"
        )
    return pd.Series(values, column.index, name=column.name)


def to_text(column: pd.Series) -> pd.Series:
    """Return the values as str, NaN where one is missing; 3 and 3.0 are the same category."""
    return column.astype(object).map(_text, na_action="ignore")


def _text(value):
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
