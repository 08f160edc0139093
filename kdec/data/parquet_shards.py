"""Parquet tables of numbers as rows on the disk."""

import bisect
import tempfile
import threading
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from kdec.data.table_files import pyarrow_for, reading_parquet

_BATCH = 2**16  # rows decoded at once


class ParquetRows:
    """The rows of Parquet tables, each group of rows decoded when it is first asked for.

    A decoded group is written to a temporary file without a name, and read from there ever after:
    decoding takes longer than reading, and one row as long as its whole group.

    Args:
        files: Tables with the same columns, of numbers.
        labels: The column that is not among the values, or None.

    Raises:
        ValueError: If columns differ or hold no numbers, or a file is no table.
        ImportError: If pyarrow is not installed.
    """

    def __init__(self, files: Sequence[Path], labels: str | None):
        self._files, self._groups, sizes, kinds = files, [], [0], None
        for path in files:
            own_kinds, own_sizes = _described(path, labels)
            if kinds is None:
                kinds = own_kinds
            elif own_kinds != kinds:
                raise ValueError(
                    f"Expected the columns of {files[0].name}, by name and type, in all tables. "
                    f"Received: others in {path.name}"
                )
            self._groups += [(path, group) for group in range(len(own_sizes))]
            sizes += own_sizes
        self.columns = tuple(kinds)
        self._starts = list(accumulate(sizes))
        self.dtype = np.result_type(*kinds.values())
        self.shape = (self._starts[-1], len(kinds))
        self._file, self._decoded, self._lock = None, set(), threading.Lock()

    def open(self) -> "ParquetRows":
        """Make the temporary file, which takes room only for what is decoded."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115, as long as the rows are used
            self._file.truncate(self.shape[0] * self.shape[1] * self.dtype.itemsize)
            self._rows = np.memmap(self._file, self.dtype, "r", shape=self.shape)
            self._mmap, self.mode = self._rows._mmap, self._rows.mode
        return self

    def __getitem__(self, rows):
        """Return the rows of a slice or of an int array, as a view of the file where it can be."""
        if isinstance(rows, slice):
            first = bisect.bisect_right(self._starts, rows.start) - 1
            groups = range(first, bisect.bisect_left(self._starts, rows.stop))
        else:
            groups = np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist()
        with self._lock:
            for group in set(groups) - self._decoded:
                self._decode(group)
        return self._rows[rows]

    def _decode(self, group):
        path, number = self._groups[group]
        self._file.seek(self._starts[group] * self.shape[1] * self.dtype.itemsize)
        with reading_parquet(path) as parquet:
            for batch in parquet.iter_batches(_BATCH, [number], list(self.columns)):
                values = np.empty((batch.num_rows, self.shape[1]), self.dtype)
                for column, name in enumerate(self.columns):
                    values[:, column] = _numbers(batch.column(name), name, path)
                self._file.write(values)
        self._file.flush()
        self._decoded.add(group)


def read_column(files: Sequence[Path], name: str) -> np.ndarray:
    """Return one column of all tables, (n,).

    Raises:
        ValueError: If values are missing.
    """
    columns = []
    for path in files:
        with reading_parquet(path) as parquet:
            columns.append(_numbers(parquet.read([name]).column(name), name, path))
    return np.concatenate(columns)


def _numbers(column, name, path):
    if column.null_count:
        raise ValueError(
            f"Expected a value everywhere in {path.name}. "
            f"Received: {column.null_count} missing in {name!r}"
        )
    # A whole column has no other way; a batch of bools cannot be read as it lies in memory.
    return column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)


def _described(path, labels):
    """Return the type of each column of numbers by its name, and the rows of each group."""
    types = pyarrow_for(path).types
    with reading_parquet(path) as parquet:
        schema, metadata = parquet.schema_arrow, parquet.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if labels is not None and labels not in schema.names:
        raise ValueError(
            f"Expected `labels` to be a column of {path.name}: {', '.join(schema.names[:20])}. "
            f"Received: labels={labels!r}"
        )
    index = (schema.pandas_metadata or {}).get("index_columns", ())
    kinds = {}
    for field in schema:
        if field.name in index or field.name == labels:
            continue
        is_number = types.is_integer(field.type) or types.is_boolean(field.type)
        if not is_number and not types.is_floating(field.type):
            raise ValueError(
                f"Expected columns of numbers in {path.name}, since tables on the disk stay as "
                f"they are. Received: {field.name!r} of type {field.type}"
            )
        kinds[field.name] = np.dtype(field.type.to_pandas_dtype())
    if not kinds or len(set(schema.names)) < len(schema.names):
        raise ValueError(
            f"Expected columns of different names in {path.name}. Received: {schema.names[:20]}"
        )
    return kinds, sizes
