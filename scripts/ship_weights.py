r"""Ship a trained model: its files and its entry in the manifest go to weights/.

    python scripts/ship_weights.py NAME RECORD SYSTEM MODEL WHAT [--h5] [--bfloat16]

For example

    python scripts/ship_weights.py mnist-encoding results/encoding/mnist-train-full-seed0.json \
        "k-means on codes" runs/encoding-mnist-train-full-seed0/model.keras \
        "sigmoid autoencoder 784-784-64-32-3, and the centroids of k-means on its codes" --h5

The figures of the entry are those that the record has of the system. `label_clusters.py` adds which
digit each cluster stands for. Models go without their optimizers, whose state is twice as large as
the weights, and their archives are compressed. All layers compute in float32, which every processor
does fast.
"""

import argparse
import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path

import keras
import label_clusters

import kdec
from kdec.autoencoders import TrainingSamples

FOLDER = Path(__file__).parents[1] / "weights"


def main():
    """Ship the model of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("name", help="as `load_pretrained` takes it")
    parser.add_argument("record", type=Path, help="record of the run, under results/")
    parser.add_argument("system", help="system of the record whose figures are the model's")
    parser.add_argument("model", type=Path, help=".keras file of the run")
    parser.add_argument("what", help="description for the reader")
    parser.add_argument("--h5", action="store_true", help="the autoencoder's weights as .h5, too")
    parser.add_argument(
        "--bfloat16", action="store_true", help="round the kernels, for an archive of half the size"
    )
    options = parser.parse_args()
    record = json.loads(options.record.read_text())
    samples = TrainingSamples.of(kdec.load_data(record["data"]["name"]).x)
    entry = {
        "what": options.what,
        "files": save(options.model, options.name, options.h5, options.bfloat16),
        "data": record["data"]["name"],
        "seed": record["seed"],
        "command": record["command"],
        "metrics": record["metrics"][options.system],
        "samples": dataclasses.asdict(samples),
    }
    entry["metrics"].pop("seconds")
    path = FOLDER / "manifest.json"
    manifest = json.loads(path.read_text()) | {options.name: entry}
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    label_clusters.main([options.name])


def save(path, name, with_h5, is_rounded):
    """Save the model, and if asked for the weights of its autoencoder; return files by format."""
    model = as_shipped(keras.saving.load_model(path))
    if is_rounded:
        round_kernels(model)
    files = {"keras": FOLDER / f"{name}.keras"}
    model.save(files["keras"])
    compress(files["keras"])
    if with_h5:
        files["h5"] = FOLDER / f"{name}.h5"
        getattr(model, "autoencoder", model).save_weights(files["h5"])
    return {
        format: {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for format, file in files.items()
    }


def compress(path):
    """Write the archive at `path` anew, compressed: Keras reads such ones, but writes none."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def round_kernels(model):
    """Round all weights but vectors to bfloat16, whose zeros behind the digits compress well."""
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(keras.ops.cast(keras.ops.cast(weight, "bfloat16"), "float32"))


def as_shipped(model):
    """The same model, of the same weights, in float32; neither it nor its parts compiled."""
    bare = keras.saving.deserialize_keras_object(
        _config_as_shipped(keras.saving.serialize_keras_object(model))
    )
    bare.set_weights(model.get_weights())
    return bare


def _config_as_shipped(config):
    if isinstance(config, dict):
        parts = {key: part for key, part in config.items() if key != "compile_config"}
        return {key: _config_as_shipped(part) for key, part in parts.items()}
    if isinstance(config, list):
        return [_config_as_shipped(part) for part in config]
    return "float32" if config == "mixed_bfloat16" else config


if __name__ == "__main__":
    main()
