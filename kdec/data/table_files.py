"""Tables in files: CSV and Parquet, as pandas reads them."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import pyarrow.parquet

_DELIMITERS = ",;\t|"


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file in UTF-8, with its delimiter out of comma, semicolon, tab and bar.

    The first line has the names, unless it has nothing but numbers: then it is a row, and the
    columns are called "column 0", "column 1", and so on. Nothing is evaluated.

    Raises:
        ValueError: If the file is no such table.
    """
    try:
        # As a file that is open: pandas would download what looks like an address, and unpack.
        with path.open(encoding="utf-8-sig", newline="") as file, warnings.catch_warnings():
            # Rows longer than the first would lose values with no more than this warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            first = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
            is_row = _has_only_numbers(first.strip().split(delimiter))
            frame = pd.read_csv(
                file,
                sep=delimiter,
                header=None if is_row else 0,
                index_col=False,
                low_memory=False,
            )
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"Expected a name for every column of {path.name}. Received: a first line that is "
            "shorter than the others"
        ) from error
    except ValueError as error:  # also of decoding and of parsing
        raise ValueError(
            f"Expected {path.name} to be a CSV table in UTF-8. Received: {_first_line(error)}"
        ) from error
    return frame.rename(columns="column {}".format) if is_row else frame


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        ValueError: If the file is no such table.
        ImportError: If pyarrow is not installed.
    """
    with reading_parquet(path) as parquet:
        return parquet.read().to_pandas()


@contextlib.contextmanager
def reading_parquet(path: Path) -> Iterator["pyarrow.parquet.ParquetFile"]:
    """Yield an open Parquet file, and turn what pyarrow raises into one ValueError that names it.

    Raises:
        ValueError: If the file is no such table.
        ImportError: If pyarrow is not installed.
    """
    pyarrow = pyarrow_for(path)
    try:
        with path.open("rb") as file, pyarrow.parquet.ParquetFile(file) as parquet:
            yield parquet
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(
            f"Expected {path.name} to be a Parquet table. Received: {_first_line(error)}"
        ) from error


def pyarrow_for(path: Path):
    """Return the module, or raise an ImportError that says how to install it."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"Expected pyarrow, to read {path.name}. Received: {error}. "
            "Install it by `pip install 'kdec[parquet]'`"
        ) from error
    return pyarrow


def _has_only_numbers(cells):
    try:
        return len([float(cell) for cell in cells]) > 0
    except ValueError:
        return False


def _first_line(error):
    return str(error).strip().partition("\n")[0]
