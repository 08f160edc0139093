"""Weights in the HDF5 layout of Keras 1 and 2, which the sources' `.h5` files have.

Keras 3 reads that layout for some models only and writes it for none. Here the arrays are taken in
file order, so that a file saved from one flat model also fits an encoder and a decoder in a row.
"""

import io
from pathlib import Path

import h5py
import numpy as np

from kdec.whole_files import written_whole


def is_legacy_path(path) -> bool:
    """Whether `path` names a legacy file: `.h5`, but not Keras 3's `.weights.h5`."""
    name = str(path)
    return name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5")


def refuse_whole_model(path) -> None:
    """Raise a ValueError if `path` names an HDF5 file, before Keras writes a whole model there.

    Keras writes one that holds its parts' configs as they are, and then cannot load it.
    """
    if str(path).endswith((".h5", ".hdf5")):
        raise ValueError(
            "Expected a path that ends in .keras, for the whole model, or for its weights alone: "
            f"`save_weights` with one that ends in .weights.h5. Received: {path}"
        )


def save_weights(model, path, overwrite: bool = True) -> None:
    """Write the weights of the Keras `model`, one group for each layer that has some.

    Args:
        model: Built Keras model.
        path: File to write.
        overwrite: If False, an existing file is an error. Defaults to True.

    Raises:
        FileExistsError: If the file exists and `overwrite` is False.
        OSError: If the file cannot be written; one that was there stays as it was.
    """
    if Path(path).exists() and not overwrite:
        raise FileExistsError(f"Expected a path that is free, or overwrite=True. Received: {path}")
    layers = _by_unique_name(layer for layer in _leaf_layers(model) if layer.weights)
    # In memory first: on a full disk, HDF5 fails once more as it closes its file, at any time.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["layer_names"] = [layer_name.encode() for layer_name in layers]
        file.attrs["backend"] = b"tensorflow"
        for layer_name, layer in layers.items():
            group = file.create_group(layer_name)
            names = [f"{layer_name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.asarray(weight)
    with written_whole(path) as partial:
        partial.write_bytes(content.getvalue())


def load_weights(model, path) -> None:
    """Set the weights of the Keras `model` from a legacy file of the same layers in order.

    Args:
        model: Built Keras model.
        path: A file of weights, or of a whole model, in the legacy layout.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not in the legacy layout or its arrays do not fit the model.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"Expected a legacy .h5 weights file at {path}, which is absent.")
    try:
        with h5py.File(path, "r") as file:
            arrays = _arrays_in_order(file)
    except (OSError, KeyError) as error:
        raise ValueError(
            f"Expected {path} to be a legacy Keras .h5 file with `layer_names`. Received: {error}"
        ) from error
    weights = [weight for layer in _leaf_layers(model) for weight in layer.weights]
    expected = [tuple(weight.shape) for weight in weights]
    received = [array.shape for array in arrays]
    if expected != received:
        raise ValueError(
            f"Expected arrays of shapes {expected} in {path}, for the model's weights in order. "
            f"Received: {received}"
        )
    for weight, array in zip(weights, arrays, strict=True):
        weight.assign(array)


def _leaf_layers(model):
    """The layers of `model` and of the models inside it, in order, without the models."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaf_layers(layer)
        else:
            yield layer


def _by_unique_name(layers):
    """The layers in order by name; an encoder and a decoder may both have, say, a "dense"."""
    named = {}
    for layer in layers:
        name, i = layer.name, 0
        while name in named:
            i += 1
            name = f"{layer.name}_{i}"
        named[name] = layer
    return named


def _arrays_in_order(file):
    """The arrays of a legacy file, layer by layer, in the order in which they were saved."""
    group = file.get("model_weights", file)
    return [
        np.asarray(group[layer][weight])
        for layer in group.attrs["layer_names"]
        for weight in group[layer].attrs["weight_names"]
    ]
