"""The trained models that come with the package: whole, as good as stated, guarded by digests."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import kdec
from kdec import pretrained

ROOT = Path(__file__).parent.parent
NAMES = [row["name"] for row in pretrained.available()]


@pytest.fixture
def copy(monkeypatch, tmp_path):
    """A folder of weights that may be changed, with a tiny model in it."""
    kdec.autoencoders.dense((4, 2), seed=0).save(tmp_path / "tiny.keras")
    files = {"keras": {"file": "tiny.keras", "sha256": ""}}
    entry = {"files": files, "what": "", "data": "", "seed": 0, "command": "", "metrics": {}}
    entry["samples"] = {"low": 0, "high": 1, "mean": 0.5}
    monkeypatch.setattr(pretrained, "_folder", lambda: tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"tiny": entry}))
    return tmp_path


def test_manifest_and_folder_hold_the_same_files():
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text())
    files = {path.name for path in (ROOT / "weights").glob("*") if path.suffix in (".keras", ".h5")}
    named = {file["file"] for entry in manifest.values() for file in entry["files"].values()}
    assert named == files
    assert sum((ROOT / "weights" / file).stat().st_size for file in files) <= 61e6


@pytest.mark.parametrize("name", NAMES)
def test_every_model_loads_encodes_and_decodes(name):
    model = kdec.load_pretrained(name)
    x = kdec.load_data("mnist-5k").x[::500].reshape(-1, *model.encoder.input_shape[1:])
    codes = model.encoder.predict(x, verbose=0)
    if name == "mnist-kmeans-loss":
        assert codes.shape == model.clusters.shape == (10, 3) and model.decoder is None
    else:
        assert model.decoder.predict(codes, verbose=0).shape == x.shape


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_the_recorded_run(name):
    row = next(row for row in pretrained.available() if row["name"] == name)
    experiment = row["command"].split()[2]
    record = json.loads(
        (ROOT / f"results/{experiment}/{row['data']}-full-seed{row['seed']}.json").read_text()
    )
    assert record["command"] == row["command"]
    assert any(row["metrics"].items() <= figures.items() for figures in record["metrics"].values())


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("name", "at_least"),
    [
        ("mnist-dec", 0.96),
        ("mnist-dec-reconstruction", 0.95),
        pytest.param("mnist-contrast", 0.985, marks=pytest.mark.slow),
    ],
)
def test_model_reaches_the_stated_accuracy_on_all_digits(name, at_least):
    data, model = kdec.load_data("mnist"), kdec.load_pretrained(name)
    x = data.x.reshape(-1, *model.encoder.input_shape[1:])
    q = model.predict(x, batch_size=2048, verbose=0)
    acc = kdec.metrics.accuracy(data.y, np.argmax(q, axis=1))
    stated = next(row for row in pretrained.available() if row["name"] == name)["metrics"]
    assert acc == pytest.approx(stated["acc"], abs=1e-4)  # a label or two may fall otherwise
    assert acc >= at_least


@pytest.mark.mnist
def test_encoding_reaches_the_stated_purity():
    data = kdec.load_data("mnist-train")
    q = kdec.load_pretrained("mnist-encoding").predict(data.flat, batch_size=2048, verbose=0)
    purity = kdec.metrics.purity(data.y, np.argmax(q, axis=1), average="macro")
    row = next(row for row in pretrained.available() if row["name"] == "mnist-encoding")
    assert purity == pytest.approx(row["metrics"]["macro_purity"], abs=1e-4)
    assert purity > 0.62


@pytest.mark.mnist
def test_kmeans_loss_encoder_reaches_the_stated_purity():
    data = kdec.load_data("mnist-train")
    model = kdec.load_pretrained("mnist-kmeans-loss")
    labels = model.predict_clusters(data.x[:10_000], batch_size=2048)
    purity = kdec.metrics.purity(data.y[:10_000], labels, average="macro")
    row = next(row for row in pretrained.available() if row["name"] == "mnist-kmeans-loss")
    # One image counts for much in a small cluster.
    assert purity == pytest.approx(row["metrics"]["macro_purity_10000"], abs=5e-3)


@pytest.mark.parametrize(
    "name", ["mnist-dec", "mnist-dec-reconstruction", "mnist-encoding", "mnist-contrast"]
)
def test_labels_are_the_digits_of_the_clusters(name):
    data, model = kdec.load_data("mnist-5k"), kdec.load_pretrained(name)
    digits = pretrained.labels(name)
    assert sorted(digits) == sorted(digits.values()) == list(range(10))
    x = data.x.reshape(-1, *model.encoder.input_shape[1:])
    clusters = model.predict(x, verbose=0).argmax(axis=1)
    found = np.array([digits[cluster] for cluster in clusters.tolist()])
    acc = next(row for row in pretrained.available() if row["name"] == name)["metrics"]["acc"]
    assert (found == data.y).mean() == pytest.approx(acc, abs=0.02)


def test_labels_of_a_model_without_clusters_is_an_error():
    with pytest.raises(ValueError, match=r"with clusters, out of \['mnist-dec', .*'mnist-auto"):
        pretrained.labels("mnist-autoencoder")
    with pytest.raises(ValueError, match="Did you mean 'mnist-dec'"):
        pretrained.labels("mnist-deck")


@pytest.mark.parametrize(
    ("name", "build", "dims"),
    [
        ("mnist-encoding", kdec.autoencoders.sigmoid, (784, 784, 64, 32, 3)),
        ("mnist-autoencoder", kdec.autoencoders.dense, (784, 500, 500, 2000, 10)),
    ],
)
def test_h5_holds_the_same_weights(name, build, dims):
    expected = kdec.load_pretrained(name)
    expected = getattr(expected, "autoencoder", expected)
    autoencoder = build(dims, seed=0)
    autoencoder.load_weights(pretrained.weights_file(name, "h5"))
    for found, weight in zip(autoencoder.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


def test_unknown_format_is_an_error():
    with pytest.raises(ValueError, match=r"out of \['keras'\]\. Received: 'h5'"):
        pretrained.weights_file("mnist-dec", "h5")


def test_unknown_name_is_an_error_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"'mnist-deck'\. Did you mean 'mnist-dec'"):
        kdec.load_pretrained("mnist-deck")
    with pytest.raises(ValueError, match=r"Expected a model out of .*Received: \['mnist-dec'\]"):
        kdec.load_pretrained(["mnist-dec"])


def test_changed_file_is_an_error_before_it_is_opened(copy):
    with pytest.raises(ValueError, match=r"Expected .*tiny\.keras with the sha256 .*Received"):
        kdec.load_pretrained("tiny")


def test_missing_file_is_an_error(copy):
    (copy / "tiny.keras").unlink()
    with pytest.raises(FileNotFoundError, match="Expected the weights of 'tiny'"):
        kdec.load_pretrained("tiny")


def test_images_of_another_scale_or_inverted_are_warned_of(caplog):
    x = kdec.load_data("mnist-5k").flat[::100]
    kdec.load_pretrained("mnist-dec").predict(x, verbose=0)
    assert not caplog.messages
    for wrong in (255 * x, 1 - x):
        kdec.load_pretrained("mnist-dec").predict(wrong, verbose=0)
    expected = "Expected samples like those that dec was trained on, 0 to 1 with a mean of 0.131. "
    assert [text.startswith(expected) for text in caplog.messages] == [True, True]
    assert " Received: 0 to 255 with a mean of 33" in caplog.messages[0]


@pytest.mark.mnist
@pytest.mark.parametrize("data", ["mnist", "mnist-train"])
def test_range_and_mean_in_the_manifest_are_those_of_the_data(data):
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text())
    stated = [entry["samples"] for entry in manifest.values() if entry["data"] == data]
    samples = kdec.autoencoders.TrainingSamples.of(kdec.load_data(data).x)
    # Up to the order of summation.
    expected = pytest.approx(dataclasses.asdict(samples), rel=1e-12)
    assert stated == len(stated) * [expected]
