"""The door for data of one's own: `read`."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kdec.data.dataset import Dataset, digest
from kdec.data.labels import encode_labels
from kdec.data.preparations import preparation_of
from kdec.data.shard_files import fingerprint, open_shards
from kdec.data.sources import open_source
from kdec.guards import is_positive_int, non_negative_int

# What each kind of data takes besides `labels` and `preparation`.
_OPTIONS = {
    "table": {"missing", "categories"},
    "array": {"missing"},
    "sparse": {"seed"},
    "images": {"size", "color", "strict"},
    "shards": set(),
}
_ABOUT = {
    "table": "tables",
    "array": "arrays",
    "sparse": "sparse matrices",
    "images": "images",
    "shards": "shards",
}
_FOLDER = "folder"


def read(
    path: Any,
    *,
    labels: str | None = None,
    missing: str | None = None,
    categories: Sequence[str] = (),
    size: int | tuple[int, int] | None = None,
    color: bool | None = None,
    strict: bool = False,
    preparation: Any = None,
    seed: int = 0,
) -> Dataset:
    """Read data of your own: a table, an array, or a folder of images.

    ===================  =========================================================================
    path                 content
    ===================  =========================================================================
    ``.csv``             a table in UTF-8, separated by comma, semicolon, tab or bar; names in the
                         first line, unless that has nothing but numbers
    ``.parquet``         a table (``pip install 'kdec[parquet]'``)
    ``.npy``             an array (n, d), or images (n, height, width[, channels])
    ``.npz``             the same as ``x``, or alone, with labels as ``y`` if there are some; or a
                         sparse matrix of `scipy.sparse.save_npz`
    folder               PNG and JPEG images, in it and its sub-folders, sorted by path; or, with no
                         images right in it, its ``.npy`` or ``.parquet`` files as shards, by name
    list of paths        shards, ``.npy`` or ``.parquet`` files in the order of the list
    object               a DataFrame, an array, a sparse matrix, or a Bunch of scikit-learn
    ===================  =========================================================================

    **Tables.** Numbers are scaled to mean 0 and standard deviation 1. Categories, which are text,
    booleans and pandas' categoricals, become columns of 0 and 1; above 50 categories the 49 most
    frequent have a column each, and the others share one. A column is left out, and named in the
    log and in `Dataset.left_out`, if it is

    - constant;
    - like an identifier: whole numbers that all differ and leave no gap; whole numbers named "id"
      ("id", "user_id", "userId", "uuid", "index"), more than half of them different; text that
      never repeats, or has more than 20 values, more than half of them different;
    - neither numbers nor text, such as dates.

    Text in a column of numbers is an error. A column counts as one of numbers if at least one value
    in ten is a number, unless `categories` names it.

    **Arrays** stay as they are, but for their type: uint8 and uint16 are divided by their largest
    value, and images outside [0, 1] are brought there by their smallest and largest value.

    **Sparse matrices** are reduced to at most 100 columns by scikit-learn's TruncatedSVD.

    **Images** are turned as EXIF says, scaled until they cover the size, and cropped around the
    centre. What is transparent becomes white. A file that cannot be read, or a link that leaves the
    folder, is left out and named. Hidden files are passed over.

    **Shards**, of which there may be one, stay on the disk: `Dataset.x` is a `Shards`, which reads
    the rows that it is asked for. Their values, numbers without gaps, stay what they are, and so
    does their type; scale them before. Parquet tables are decoded once, as they are read, to a
    temporary file. `labels` may be a column of them.

    Files are not trusted: nothing is unpickled, evaluated or followed out of the folder, and an
    image of more than ``PIL.Image.MAX_IMAGE_PIXELS`` is an error.

    Args:
        path: A path, or one of the objects above.
        labels: Name of the column of labels of a table, of their array in an ``.npz`` file, or
            "folder": the sub-folder of each image is its label. Defaults to None: ``y`` of an
            ``.npz`` file, the target of a Bunch, if it is no floats, else no labels.
        missing: What to do about missing values of tables and arrays: "median" fills them with the
            column's median, or its most frequent category; "drop" leaves the rows out. Defaults to
            None: an error, which names the columns.
        categories: Names of columns that are categories although they look like numbers or
            identifiers. Defaults to none.
        size: Height and width of images in pixels, or one int for both. Defaults to None: their
            own, if it is the same for all and at most 128, else 64.
        color: True for images of shape (height, width, 3), False for grey ones of shape (height,
            width). Defaults to None: grey if all files are.
        strict: Whether an image that cannot be read is an error. Defaults to False.
        preparation: `Dataset.preparation` of earlier data: the same columns are made of new rows,
            with the scaling, categories, size and so on of the earlier ones. Categories that are
            new have 0 in all columns. `preparation_from_config` makes it again in another process.
            Defaults to None.
        seed: Seed of TruncatedSVD. Defaults to 0.

    Returns:
        The samples, float32 (of shards as they are), and their labels, int64: whole numbers stay
        what they are, other labels are numbered in sorted order. `Dataset` has names for classes,
        columns and samples.

    Raises:
        ValueError: If the data cannot be used as they are, or an argument does not fit them.
        TypeError: If `path` is none of what is listed above.
        FileNotFoundError: If there is no such file or folder.
        ImportError: If the file is a Parquet table, and pyarrow is not installed.

    Example:
        >>> import pandas as pd
        >>> from kdec.data import read
        >>> frame = pd.DataFrame({"id": [7, 8, 9, 10], "weight": [1.0, 1.0, 3.0, 3.0],
        ...                       "colour": ["red", "blue", "red", "red"], "kind": list("abab")})
        >>> data = read(frame, labels="kind")
        >>> data.columns
        ('weight', 'colour=blue', 'colour=red')
        >>> data.x.tolist()
        [[-1.0, 0.0, 1.0], [-1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]
        >>> data.y.tolist(), data.classes, data.left_out
        ([0, 1, 0, 1], {0: 'a', 1: 'b'}, {'id': 'like an identifier'})
        >>> new = pd.DataFrame({"weight": [2.0], "colour": ["red"]})
        >>> read(new, preparation=data.preparation).x.tolist()
        [[0.0, 0.0, 1.0]]
    """
    options = _check_options(labels, missing, categories, size, color, strict, seed)
    source = open_source(os.fspath(path) if isinstance(path, os.PathLike) else path, labels)
    _check_fit(source, options, preparation)
    if source.kind == "images":
        return _read_images(source, labels, options, preparation)
    if source.kind == "shards":
        return _open_shards(source, labels)
    return _read_rows(source, options, preparation)


def _check_options(labels, missing, categories, size, color, strict, seed):
    """Check each argument by itself; return those that are not the default."""
    if labels is not None and not isinstance(labels, str):
        raise TypeError(f"Expected `labels` to be a name. Received: labels={labels!r}")
    if missing not in (None, "median", "drop"):
        raise ValueError(
            f'Expected `missing` to be None, "median" or "drop". Received: missing={missing!r}'
        )
    if isinstance(categories, str) or not all(isinstance(name, str) for name in categories):
        raise TypeError(
            f"Expected `categories` to be a list of names. Received: categories={categories!r}"
        )
    if is_positive_int(size):
        size = (size, size)
    is_pair = isinstance(size, tuple | list) and len(size) == 2 and all(map(is_positive_int, size))
    if size is not None and not is_pair:
        raise ValueError(
            f"Expected `size` to be a positive int, or height and width. Received: size={size!r}"
        )
    for name, value, allowed in (
        ("color", color, (None, True, False)),
        ("strict", strict, (True, False)),
    ):
        if not any(value is option for option in allowed):
            raise ValueError(
                f"Expected `{name}` to be {' or '.join(map(str, allowed))}. "
                f"Received: {name}={value!r}"
            )
    given = {
        "missing": missing,
        "categories": tuple(categories) or None,
        "size": None if size is None else (int(size[0]), int(size[1])),
        "color": color,
        "strict": strict or None,
        "seed": non_negative_int("seed", seed) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _check_fit(source, options, preparation):
    """Check that the arguments are about this kind of data."""
    if preparation is not None and getattr(preparation, "kind", None) != source.kind:
        raise ValueError(
            f"Expected a preparation of {_ABOUT[source.kind]}, as {source.origin} is. "
            f"Received: preparation={_ABOUT.get(getattr(preparation, 'kind', None), preparation)!r}"
        )
    for name, value in options.items():
        if name not in _OPTIONS[source.kind]:
            others = [_ABOUT[kind] for kind, names in _OPTIONS.items() if name in names]
            raise ValueError(
                f"Expected `{name}` only for {' and '.join(others)}. "
                f"Received: {name}={value!r} for {source.origin}"
            )
        if preparation is not None and name not in ("strict", "missing"):
            raise ValueError(
                f"Expected `{name}` or `preparation`, which has it already. "
                f"Received: {name}={value!r} and a preparation"
            )


def _read_rows(source, options, preparation):
    """Read a table, an array or a sparse matrix."""
    is_first = preparation is None
    if not is_first and "missing" in options:
        preparation = replace(preparation, **options)
    content, origin = source.content, source.origin
    _check_number_of_samples(content.shape[0] if content.ndim else 0, origin, is_first)
    missing = options.get("missing", getattr(preparation, "missing", None))
    labelled = _labelled_rows(source, missing)
    if len(labelled) < content.shape[0]:
        content = content.iloc[labelled] if source.kind == "table" else content[labelled]
    left_out = {}
    if is_first:
        preparation, left_out = preparation_of(source.kind).fit(content, origin, **options)
    x, rows = preparation.apply(content, origin)
    _check_samples(x, origin, is_first)
    is_table = source.kind == "table"
    return _make_dataset(
        source,
        x,
        source.labels if source.labels is None else np.asarray(source.labels)[labelled[rows]],
        columns=preparation.columns,
        samples=content.index.to_numpy()[rows] if is_table else labelled[rows],
        table=content.iloc[rows] if is_table else None,
        left_out=left_out,
        preparation=preparation,
    )


def _labelled_rows(source, missing):
    """Return which rows have a label, which is all or, with missing="drop", some of them."""
    n = source.content.shape[0]
    if source.labels is None:
        return np.arange(n)
    labels = source.labels
    if len(labels) != n:
        raise ValueError(
            f"Expected a label for each of the {n} samples of {source.origin}. "
            f"Received: {len(labels)} labels"
        )
    # Only NaN differs from itself.
    absent = np.asarray(labels.isna() if hasattr(labels, "isna") else labels != labels)
    if absent.any() and missing != "drop":
        raise ValueError(
            f"Expected a label for every row of {source.origin}. Received: {absent.sum()} missing "
            f"in {getattr(labels, 'name', 'y')!r}; "
            'missing="drop" leaves the rows out'
        )
    return np.flatnonzero(~absent)


def _read_images(source, labels, options, preparation):
    from kdec.data.image_folders import read_folder

    if labels not in (None, _FOLDER):
        raise ValueError(
            f"Expected labels={_FOLDER!r}, for the sub-folder of each image of {source.origin}. "
            f"Received: labels={labels!r}"
        )
    is_first = preparation is None
    x, names, left_out, preparation = read_folder(
        source.content, preparation=preparation, **options
    )
    if labels is not None:
        bare = [name for name in names if "/" not in name]
        if bare:
            raise ValueError(
                f"Expected every image of {source.origin} in a sub-folder, which is its label. "
                f"Received: {len(bare)} outside, such as {bare[0]!r}"
            )
        labels = [name.partition("/")[0] for name in names]
    _check_samples(x, source.origin, is_first)
    return _make_dataset(
        source,
        x,
        labels,
        samples=np.array(names),
        left_out=left_out,
        preparation=preparation,
    )


def _open_shards(source, labels):
    x, columns, y = open_shards(source.content, source.origin, labels)
    _check_number_of_samples(len(x), source.origin, is_first=True)
    return _make_dataset(source, x, y, fingerprint(source.content), columns=columns)


def _check_number_of_samples(n, origin, is_first):
    least = 2 if is_first else 1
    if n < least:
        raise ValueError(f"Expected at least {least} samples in {origin}. Received: {n or 'none'}")


def _check_samples(x, origin, is_first):
    _check_number_of_samples(len(x), origin, is_first)
    if is_first and (x == x[0]).all():
        raise ValueError(
            f"Expected samples that differ in {origin}. Received: {len(x)} times the same"
        )


def _make_dataset(source, x, labels, sha256=None, **others):
    y = classes = None
    if labels is not None:
        y, classes = encode_labels(labels, f"the labels of {source.origin}")
        if source.classes and set(classes) <= set(range(len(source.classes))):
            classes = dict(enumerate(source.classes))
    return Dataset(source.name, x, y, sha256 or digest(x, y), classes=classes, **others)
