"""Files from elsewhere: refused or harmless. Those of data.read have tests in tests/data too."""

import contextlib
import json
import zipfile

import keras
import numpy as np
import pytest

import kdec
from kdec import archives, pretrained
from kdec.clustering import DeepClustering
from kdec.data import full_sets, read
from kdec.experiments.starting import load_autoencoder


@pytest.fixture
def trap(tmp_path):
    """A model whose Lambda layer would leave a file behind."""
    sprung = str(tmp_path / "sprung")
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(
        lambda x: open(sprung, "w") and x,  # noqa: SIM115
        output_shape=(2,),
    )(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "trap.keras")
    (tmp_path / "sprung").unlink(missing_ok=True)
    yield tmp_path / "trap.keras"
    assert not (tmp_path / "sprung").exists()


LOADERS = [
    lambda path: load_autoencoder(path, lambda: kdec.autoencoders.dense((2, 1), seed=0), (2,)),
    DeepClustering.load,
]


@pytest.mark.parametrize("load", LOADERS)
def test_model_with_code_in_it_is_refused(load, trap):
    with pytest.raises(ValueError, match="safe_mode=False"):
        load(trap)


@pytest.mark.parametrize("load", LOADERS)
def test_model_that_would_fill_the_memory_is_refused(load, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_HARMLESS", 2**20)
    bomb(tmp_path / "bomb.keras", "model.weights.h5")
    with pytest.raises(ValueError, match=r"bomb\.keras to unpack to at most 200 times"):
        load(tmp_path / "bomb.keras")


def test_arrays_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_HARMLESS", 2**20)
    path = tmp_path / "mnist.npz"
    bomb(path, "x.npy")
    with pytest.raises(ValueError, match=r"mnist\.npz to unpack to at most .*unpack to 4,194,304"):
        read(path)
    monkeypatch.setenv("KDEC_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match=r"mnist\.npz to unpack to at most"):
        full_sets.read("mnist", ["test"])


def test_archive_that_lies_about_its_size_is_refused(tmp_path):
    header = np.lib.format.header_data_from_array_1_0(np.zeros((1, 1)))
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive, archive.open("x.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (2**33, 1)})
    with pytest.raises(ValueError, match=r"Expected own\.npz to hold arrays"):
        read(tmp_path / "own.npz")


def test_member_of_a_model_that_climbs_out_of_its_folder_stays_inside(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    kdec.autoencoders.dense((2, 1), seed=0).save(folder / "model.keras")
    with zipfile.ZipFile(folder / "model.keras", "a") as archive:
        for name in ("../../climbed", "assets/../../../climbed", str(tmp_path / "climbed")):
            archive.writestr(name, "text")
    with contextlib.suppress(ValueError):  # which would do as well
        LOADERS[0](folder / "model.keras")
    assert not list(tmp_path.rglob("climbed"))


def test_manifest_names_no_file_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    (tmp_path / "secret.keras").write_text("secret")
    entry = {"files": {"keras": {"file": "../secret.keras", "sha256": ""}}}
    (tmp_path / "weights" / "manifest.json").write_text(json.dumps({"tiny": entry}))
    monkeypatch.setattr(pretrained, "_folder", lambda: tmp_path / "weights")
    with pytest.raises(ValueError, match=r"name a file beside it. Received: '\.\./secret"):
        kdec.load_pretrained("tiny")


def test_formulas_of_a_table_are_text(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("a,b\n=cmd(),1\n+1+cmd(),2\n=cmd(),4\n@sum,5\n-x,9\n")
    data = read(path, categories=["a"])
    assert data.columns == ("a=+1+cmd()", "a=-x", "a==cmd()", "a=@sum", "b")


def bomb(path, member):
    """Write an archive of four kilobytes that unpacks to four megabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(2**22))
