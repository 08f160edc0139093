"""Where the full image sets lie, and the check that they are what they should be.

They are looked up in the folder that the environment variable ``KDEC_DATA_DIR`` names, then in
Keras' cache, and last downloaded by Keras, if its server answers. Wherever they come from, the
arrays are compared with the digests of the original IDX files: a file that holds something else is
an error, never skipped.
"""

import contextlib
import gzip
import hashlib
import os
import struct
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdec.guards import refuse_bomb
from kdec.quiet import import_tensorflow

_DATA_DIR_VARIABLE = "KDEC_DATA_DIR"
_SERVER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"  # Keras' own, of all sets
_SECONDS_TO_ANSWER = 10
_SHAPES = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}
_ROOT_OF_IDX_FILE = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_NOT_READABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, KeyError),
)


@dataclass(frozen=True)
class _FullSet:
    """An image set in four arrays, the keys of `_SHAPES`.

    Attributes:
        title: Its name in prose.
        keras_module: Its module in ``keras.datasets``.
        cache_files: File in Keras' cache that holds each array.
        algorithm: Hash function of the digests.
        digests: Published digests of the original IDX files, uncompressed.
    """

    title: str
    keras_module: str
    cache_files: dict[str, str]
    algorithm: str
    digests: dict[str, str]


_FULL_SETS = {
    "mnist": _FullSet(
        title="MNIST",
        keras_module="mnist",
        cache_files=dict.fromkeys(_SHAPES, "mnist.npz"),
        algorithm="sha256",
        digests={
            "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "fashion-mnist": _FullSet(
        title="Fashion-MNIST",
        keras_module="fashion_mnist",
        cache_files={key: f"fashion-mnist/{root}.gz" for key, root in _ROOT_OF_IDX_FILE.items()},
        algorithm="md5",
        digests={
            "x_train": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "y_train": "9018921c3c673c538a1fc5bad174d6f9",
            "x_test": "8181f5470baa50b63fa0f6fddb340f0a",
            "y_test": "15d484375f8d13e6eb1aabb0c3f46965",
        },
    ),
}


def read(set_name: str, parts: Sequence[str]) -> dict[str, np.ndarray]:
    """Read and check the arrays of a full image set, from the first place that has them.

    Args:
        set_name: "mnist" or "fashion-mnist".
        parts: The parts to read, of "train" and "test".

    Returns:
        uint8 arrays under the names that Keras gives them, ``x_train`` (60000, 28, 28), ``y_train``
        (60000,), ``x_test`` (10000, 28, 28) and ``y_test`` (10000,), as far as `parts` asks.

    Raises:
        ValueError: If a file does not hold the original arrays.
        FileNotFoundError: If there is no file and the download fails, or ``KDEC_DATA_DIR`` does not
            name a folder.
    """
    full_set = _FULL_SETS[set_name]
    keys = [f"{axis}_{part}" for axis in "xy" for part in parts]
    path = _data_dir_file(set_name)
    if path is not None:
        return {key: _read_checked(path, key, full_set) for key in keys}
    cache = _keras_cache()
    cached = {
        key: _read_checked(cache / full_set.cache_files[key], key, full_set)
        for key in keys
        if (cache / full_set.cache_files[key]).exists()
    }
    return cached if len(cached) == len(keys) else _download(set_name, full_set, keys)


def _data_dir_file(set_name):
    if _DATA_DIR_VARIABLE not in os.environ:
        return None
    folder = Path(os.environ[_DATA_DIR_VARIABLE])
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Expected the environment variable {_DATA_DIR_VARIABLE} to name a folder. "
            f"Received: {os.environ[_DATA_DIR_VARIABLE]!r}"
        )
    path = folder / f"{set_name}.npz"
    return path if path.exists() else None


def _keras_cache():
    """Return the folder of Keras' data sets without importing Keras, which takes seconds."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def _download(set_name, full_set, keys):
    try:
        # First, since Keras takes seconds to start, and may take minutes to give up.
        _ask_server()
        import_tensorflow()
        import keras

        train, test = getattr(keras.datasets, full_set.keras_module).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise FileNotFoundError(
            f"Expected {full_set.title} as {set_name}.npz in the folder that the environment "
            f"variable {_DATA_DIR_VARIABLE} names, in Keras' cache, {_keras_cache()}, or from the "
            f"network. Received: no file, and Keras' download failed: {error}. Connect to the "
            f"network, or put {set_name}.npz, with the original set as the uint8 arrays "
            f"{', '.join(_SHAPES)}, into a folder and set {_DATA_DIR_VARIABLE} to that folder"
        ) from error
    arrays = dict(zip(_SHAPES, (*train, *test), strict=True))
    return {key: _check(arrays[key], "Keras' download", key, full_set) for key in keys}


def _ask_server():
    """Raise an OSError if the server of Keras' data sets cannot be reached."""
    request = urllib.request.Request(_SERVER, method="HEAD")
    with contextlib.suppress(urllib.error.HTTPError):  # An answer: this address holds no file.
        urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER).close()


def _read_checked(path, key, full_set):
    refuse_bomb(path)
    with path.open("rb") as file:
        try:
            array = _read_idx(file) if path.suffix == ".gz" else _read_npz(file, key)
        except _NOT_READABLE as error:
            raise _wrong_file(
                path, key, full_set, f"a file that cannot be read: {error}"
            ) from error
    return _check(array, path, key, full_set)


def _read_npz(file, key):
    arrays = np.load(file, allow_pickle=False)
    if not isinstance(arrays, np.lib.npyio.NpzFile):
        raise ValueError("one array, no archive of arrays")
    return arrays[key]


def _read_idx(file):
    """Read an IDX file of unsigned bytes: magic number, big-endian sizes, values."""
    content = gzip.decompress(file.read())
    n_axes = content[3] if len(content) > 3 else 0
    offset = 4 + 4 * n_axes
    sizes = struct.unpack(f">{n_axes}I", content[4:offset])
    return np.frombuffer(content, np.uint8, offset=offset).reshape(sizes)


def _check(array, origin, key, full_set):
    if array.shape != _SHAPES[key] or array.dtype != np.uint8:
        received = f"shape {array.shape}, dtype {array.dtype}"
        raise _wrong_file(origin, key, full_set, received)
    digest = _idx_digest(array, full_set.algorithm)
    if digest != full_set.digests[key]:
        raise _wrong_file(origin, key, full_set, f"{full_set.algorithm} {digest}")
    return array


def _idx_digest(array, algorithm):
    """Hash the IDX file that holds the array, so that it compares with the original files."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    digest = hashlib.new(algorithm, header, usedforsecurity=False)
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _wrong_file(origin, key, full_set, received):
    return ValueError(
        f"Expected {origin} to hold {full_set.title}: {key} of shape {_SHAPES[key]}, dtype uint8, "
        f"{full_set.algorithm} of its IDX file {full_set.digests[key]}. Received: {received}. "
        "Remove the file, and Keras will download the set, or replace it by a complete one"
    )
