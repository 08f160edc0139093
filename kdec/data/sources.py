"""What `data.read` was given: a file, a folder, or an object in Python."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdec.data.shard_files import shard_files

_SUFFIXES = (".npy", ".npz", ".csv", ".parquet")


@dataclass(frozen=True)
class Source:
    """Samples before anything was done to them.

    Attributes:
        name: Name of the data set.
        origin: What messages call it.
        kind: "table", "array", "sparse", "images", or "shards".
        content: A DataFrame, an array, a sparse matrix, the Path of a folder, or paths of files.
        labels: Labels, shape (n,), or None.
        classes: Names of the labels 0, 1, ..., or None.
    """

    name: str
    origin: str
    kind: str
    content: Any
    labels: Any = None
    classes: tuple[str, ...] | None = None


def open_source(source, labels: str | None) -> Source:
    """Find out what it is, and load it, except for a folder.

    Raises:
        TypeError: If it is none of what `data.read` takes.
        ValueError: If a file is not what its name says, or the labels are not there.
        FileNotFoundError: If there is no such file or folder.
    """
    if isinstance(source, str | Path):
        return _open_path(Path(source), labels)
    if _are_paths(source):
        return Source("shards", "the shards", "shards", shard_files(source))
    if isinstance(source, Mapping) and "data" in source:
        return _open_bunch(source, labels)
    name = f"the {type(source).__name__}"
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return _open_table(source, name, labels)
    if isinstance(source, np.ndarray) or _is_sparse(source):
        return _without_labels(_open_array(source, name), labels)
    raise TypeError(
        "Expected a path, a list of paths, a DataFrame, an array, a sparse matrix or a Bunch of "
        "scikit-learn. "
        f"Received: {type(source).__name__}"
    )


def _open_path(path, labels):
    if path.is_dir():
        name = path.resolve().name or str(path)
        shards = shard_files(path)
        if shards:
            return Source(name, f"the folder {name}", "shards", shards)
        return Source(name, f"the folder {name}", "images", path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a file or a folder. Received: {str(path)!r}, not there")
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(
            f"Expected a file of {', '.join(_SUFFIXES)}, or a folder of images. "
            f"Received: {path.name!r}"
        )
    if path.stat().st_size == 0:
        raise ValueError(f"Expected {path.name} to hold samples. Received: an empty file")
    if suffix in (".csv", ".parquet"):
        from kdec.data import table_files

        read = table_files.read_csv if suffix == ".csv" else table_files.read_parquet
        return _open_table(read(path), path.name, labels)
    from kdec.data import arrays

    if suffix == ".npy":
        return _without_labels(_open_array(arrays.read_npy(path), path.name), labels)
    array, y = arrays.read_npz(path, labels)
    return _open_array(array, path.name, y)


def _open_bunch(bunch, labels):
    """Open what the loaders of scikit-learn return: images, if there are some, else the data."""
    name = f"the {type(bunch).__name__}"
    data, target = bunch.get("images", bunch["data"]), bunch.get("target")
    names = bunch.get("feature_names")
    if labels is None and _are_labels(target):
        y, classes = target, bunch.get("target_names")
    else:
        y = classes = None
    if names is not None and isinstance(data, np.ndarray) and data.ndim == 2:
        import pandas as pd

        data = pd.DataFrame(data, columns=list(names))
    if hasattr(data, "iloc"):
        return _open_table(data, name, labels, y, classes)
    if not isinstance(data, np.ndarray) and not _is_sparse(data):
        raise TypeError(
            f"Expected numbers as `data` of {name}. Received: {type(data).__name__}; "
            "texts become numbers by scikit-learn's TfidfVectorizer"
        )
    return _without_labels(_open_array(data, name, y, classes), labels)


def _are_labels(target):
    """Tell whether a Bunch's target is labels, one a sample, rather than values to predict."""
    return target is not None and np.ndim(target) == 1 and np.asarray(target).dtype.kind != "f"


def _open_table(frame, origin, labels, y=None, classes=None):
    names = [str(name) for name in frame.columns]
    if len({*names}) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"Expected columns of {origin} to differ in name. Received: {twice!r} twice"
        )
    frame = frame.set_axis(names, axis=1)
    name = origin.removeprefix("the ")
    if labels is None:
        return Source(name, origin, "table", frame, y, _names(classes))
    if labels not in names:
        near = difflib.get_close_matches(labels, names, n=1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        raise ValueError(
            f"Expected `labels` to be a column of {origin}: {', '.join(names[:20])}{more}. "
            f"Received: labels={labels!r}{hint}"
        )
    return Source(name, origin, "table", frame.drop(columns=labels), frame[labels])


def _open_array(array, origin, y=None, classes=None):
    kind = "sparse" if _is_sparse(array) else "array"
    return Source(origin.removeprefix("the "), origin, kind, array, y, _names(classes))


def _names(classes):
    return None if classes is None else tuple(str(name) for name in classes)


def _without_labels(source, labels):
    if labels is not None:
        raise ValueError(
            f"Expected `labels` only where they have a name. Received: labels={labels!r} "
            f"for {source.origin}, which is one array"
        )
    return source


def _are_paths(source):
    return (
        isinstance(source, list | tuple)
        and len(source) > 0
        and all(isinstance(path, str | os.PathLike) for path in source)
    )


def _is_sparse(source):
    """Tell whether it is a sparse matrix of SciPy, which need not be loaded for that."""
    return type(source).__module__.startswith("scipy.sparse")
