"""The trained models that come with the package.

`weights/manifest.json` names them, with the digest of each file, the run that trained it, what that
run measured, and the range and mean of the samples that it learned from. A file is opened only if
its digest is the manifest's.
`scripts/ship_weights.py` adds models to it.
"""

import difflib
import hashlib
import importlib.util
import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

_ENTRY = ("what", "data", "seed", "command", "metrics")


def available() -> list[dict[str, Any]]:
    """Return a table of the trained models, a row for each.

    Returns:
        List of dicts: `name`; `what` the model is; the `data` and `seed` of its training; the
        `command` that repeats it; `metrics`, figures of that run by name; `formats` of its files.
        Pandas makes a `DataFrame` of it.

    Example:
    >>> import kdec
    >>> [row["name"] for row in kdec.pretrained.available()][:2]
    ['mnist-autoencoder', 'mnist-dec']
    """
    return [
        {
            "name": name,
            **{key: entry[key] for key in _ENTRY},
            "formats": list(entry["files"]),
        }
        for name, entry in _manifest().items()
    ]


def load_pretrained(name: str):
    """Load a trained model.

    Args:
        name: One of those that `available` lists.

    Returns:
        A Keras model, such as `kdec.DEC` or `kdec.Autoencoder`; its parts are `.encoder` and
        `.decoder`, and of some `.classifier`. It warns of samples that are unlike those that it was
        trained on, such as images of 0 to 255.

    Raises:
        ValueError: If there is no such model, or its file is not the one that was shipped.
        FileNotFoundError: If its file is missing.

    Example:
    >>> import kdec
    >>> dec = kdec.load_pretrained("mnist-dec")
    >>> images = dec.decoder.predict(dec.clusters, verbose=0)  # what the ten centroids stand for
    >>> images.shape
    (10, 784)
    """
    with resources.as_file(weights_file(name)) as path:
        import keras

        from kdec.autoencoders import TrainingSamples

        model = keras.saving.load_model(path)
    model.training_samples = TrainingSamples(**_manifest()[name]["samples"])
    return model


def labels(name: str) -> dict[int, int]:
    """Return which digit each cluster of a trained model stands for.

    Clusters and digits are matched one to one, so that as many as possible of the images that the
    model was trained on get their own digit. That share is the `acc` of `available`.

    Args:
        name: One of those that `available` lists, with clusters.

    Returns:
        `{cluster: digit}` for each cluster, the index of the largest value that `predict` returns.

    Raises:
        ValueError: If there is no such model, or it is one without clusters.

    Example:
    >>> import kdec
    >>> digits = kdec.pretrained.labels("mnist-dec")
    >>> x = kdec.load_data("mnist-5k").flat[[0, 2500, 4999]]  # a zero, a five and a nine
    >>> q = kdec.load_pretrained("mnist-dec").predict(x, verbose=0)
    >>> [digits[cluster] for cluster in q.argmax(axis=1).tolist()]
    [0, 5, 9]
    """
    entry = _entry(name)
    if "labels" not in entry:
        having = [other for other, its in _manifest().items() if "labels" in its]
        raise ValueError(f"Expected a model with clusters, out of {having}. Received: {name!r}")
    return {int(cluster): digit for cluster, digit in entry["labels"].items()}


def weights_file(name: str, format: str = "keras") -> Traversable:
    """Return the file of a trained model, once it is found to be the one that was shipped.

    Args:
        name: One of those that `available` lists.
        format: `"keras"`, the whole model, the default; or `"h5"`, the weights of its autoencoder
            in the legacy format, for `Autoencoder.load_weights` and `kdec run --weights`. Not all
            models have the second.

    Raises:
        ValueError: If there is no such model or format, or the file is not the one that was
            shipped.
        FileNotFoundError: If its file is missing.
    """
    files = _entry(name)["files"]
    if format not in files:
        raise ValueError(
            f"Expected a format of {name!r} out of {list(files)}. Received: {format!r}"
        )
    expected = files[format]["sha256"]
    file_name = files[format]["file"]
    if Path(file_name).name != file_name:
        raise ValueError(f"Expected the manifest to name a file beside it. Received: {file_name!r}")
    file = _folder() / file_name
    if not file.is_file():
        raise FileNotFoundError(f"Expected the weights of {name!r} in {file}. Install kdec again.")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != expected:
        raise ValueError(
            f"Expected {file} with the sha256 {expected}. Received: {digest}; the file is damaged "
            "or another one. Install kdec again."
        )
    return file


def _entry(name):
    """Return what the manifest has of a model; a ValueError if there is no such model."""
    entries = _manifest()
    if not isinstance(name, str) or name not in entries:
        nearest = difflib.get_close_matches(str(name), entries, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"Expected a model out of {list(entries)}. Received: {name!r}.{hint}")
    return entries[name]


def _manifest():
    return json.loads((_folder() / "manifest.json").read_text())


def _folder() -> Traversable:
    """The weights: a package of their own once installed, a folder beside kdec in a clone."""
    if importlib.util.find_spec("kdec.weights"):
        return resources.files("kdec.weights")
    return Path(__file__).parent.parent / "weights"
