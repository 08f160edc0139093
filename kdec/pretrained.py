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
        `.decoder`. It warns of samples that are unlike those that it was trained on, such as
        images of 0 to 255.

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
    entries = _manifest()
    if not isinstance(name, str) or name not in entries:
        nearest = difflib.get_close_matches(str(name), entries, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"Expected a model out of {list(entries)}. Received: {name!r}.{hint}")
    files = entries[name]["files"]
    if format not in files:
        raise ValueError(
            f"Expected a format of {name!r} out of {list(files)}. Received: {format!r}"
        )
    expected = files[format]["sha256"]
    file = _folder() / files[format]["file"]
    if not file.is_file():
        raise FileNotFoundError(f"Expected the weights of {name!r} in {file}. Install kdec again.")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != expected:
        raise ValueError(
            f"Expected {file} with the sha256 {expected}. Received: {digest}; the file is damaged "
            "or another one. Install kdec again."
        )
    return file


def _manifest():
    return json.loads((_folder() / "manifest.json").read_text())


def _folder() -> Traversable:
    """The weights: a package of their own once installed, a folder beside kdec in a clone."""
    if importlib.util.find_spec("kdec.weights"):
        return resources.files("kdec.weights")
    return Path(__file__).parent.parent / "weights"
