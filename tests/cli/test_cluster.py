"""`kdec cluster`: what it leaves, what a rerun does, new data, and bad input in one line."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from interrupts import disk_full_at
from PIL import Image

import kdec
from kdec.cli import cluster
from kdec.cli import commands as cli
from kdec.data import Shards

RUN = Path("runs", "cluster-flowers-seed0")


@pytest.fixture(scope="module")
def flowers():
    """Rows of three kinds of flowers, and a column that no spreadsheet should see as a formula."""
    iris = kdec.load_data("iris")
    frame = pd.DataFrame(iris.x[::3].astype(float), columns=["a", "b", "c", "<script>x</script>"])
    return frame.assign(kind=np.array(["=cmd()", "setosa", "other"])[iris.y[::3]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, flowers):
    """A folder with flowers.csv and a finished run of it."""
    folder = tmp_path_factory.mktemp("own")
    flowers.to_csv(folder / "flowers.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(
            sys, "argv", ["kdec", "cluster", "flowers.csv", "--k", "3", "--labels", "kind"]
        )
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert not end.value.code
    return folder


@pytest.fixture
def inside(folder, monkeypatch):
    """Runs the test in that folder."""
    monkeypatch.chdir(folder)


def read_clusters(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_labels_model_record_report_and_pictures(inside):
    rows = read_clusters(RUN / "clusters.csv")
    clustering = kdec.DeepClustering.load(RUN / "model.keras")
    x = kdec.data.read("flowers.csv", labels="kind").x
    labels = clustering.predict(x).tolist()
    assert [int(row["cluster"]) for row in rows] == labels
    assert [row["sample"] for row in rows] == [str(i) for i in range(50)]
    assert all(1 / 3 <= float(row["confidence"]) <= 1 for row in rows)
    result = json.loads((RUN / "result.json").read_text())
    assert [row["samples"] for row in result["clusters"]] == np.bincount(labels).tolist()
    assert result["command"] == (
        "kdec cluster flowers.csv --k 3 --method contrast --labels kind --seed 0"
    )
    assert result["metrics"]["kdec"]["acc"] > 0.7
    page = (RUN / "report.html").read_text()
    assert "kdec cluster flowers.csv" in page
    assert "<script>x</script>" not in page
    for picture in ("embedding_3d.png", "confusion_matrix.png"):
        assert Image.open(RUN / picture).width > 200
    assert not (RUN / "backup").exists()


def test_spreadsheets_take_no_label_for_a_formula(inside):
    assert {row["label"] for row in read_clusters(RUN / "clusters.csv")} == {
        "'=cmd()",
        "setosa",
        "other",
    }


def test_the_same_command_again_shows_the_record(inside, command):
    before = {path: path.stat().st_mtime_ns for path in RUN.iterdir()}
    code, output, _ = command("cluster", "flowers.csv", "--k", 3, "--labels", "kind")
    assert code == 0
    assert "Finished before" in output
    assert "against the labels" in output
    assert {path: path.stat().st_mtime_ns for path in RUN.iterdir()} == before


def test_another_run_does_not_replace_a_finished_one(inside, command):
    code, _, errors = command("cluster", "flowers.csv", "--k", 2, "--labels", "kind")
    assert code == 2
    assert "with a run of another command" in errors
    assert "--k 3" in json.loads((RUN / "result.json").read_text())["command"]


def test_files_of_something_else_are_left_alone(inside, command):
    code, _, errors = command("cluster", "flowers.csv", "--out", ".")
    assert code == 2
    assert "Expected a folder that is free" in errors


def test_a_model_labels_new_rows(inside, command, flowers):
    new = flowers.drop(columns="kind")[::-1]
    new.to_csv("new.csv", index=False)
    code, output, _ = command("cluster", "--apply", RUN, "new.csv")
    assert code == 0
    assert "mean confidence" in output
    rows = read_clusters(Path("runs", "apply-cluster-flowers-seed0-new", "clusters.csv"))
    trained = read_clusters(RUN / "clusters.csv")
    assert [row["cluster"] for row in rows] == [row["cluster"] for row in trained[::-1]]


def test_new_rows_need_the_same_columns(inside, command, flowers):
    flowers[["a"]].to_csv("narrow.csv", index=False)
    code, _, errors = command("cluster", "--apply", RUN, "narrow.csv", "--out", "narrow")
    assert code == 2
    assert "'b'" in errors
    assert not Path("narrow").exists()


def test_apply_needs_a_folder_of_a_run(inside, command):
    code, _, errors = command("cluster", "--apply", ".", "flowers.csv")
    assert code == 2
    assert "Expected a folder that kdec cluster has written" in errors


def _noise(*shape):
    return np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)


def _half_a_jpg(path):
    for i in range(3):
        Image.fromarray(_noise(16, 16)).save(path / f"{i}.jpg")
    whole = (path / "0.jpg").read_bytes()
    (path / "0.jpg").write_bytes(whole[: len(whole) // 2])


def _folder(fill):
    def make(path):
        path.mkdir()
        fill(path)

    return make


def _text(content):
    return lambda path: path.write_text(content)


# Name of the input, what makes it, options, and what the line says.
BAD_INPUTS = {
    "an empty file": ("a.csv", _text(""), "", "an empty file"),
    "names of columns only": ("a.csv", _text("a,b\n"), "", "at least 2 samples"),
    "one row": ("a.csv", _text("a,b\n1,2\n"), "", "at least 2 samples"),
    "text among numbers": (
        "a.csv",
        _text("a,b\n" + "1,2\n3,4.5\n" * 5 + "5,x\n"),
        "",
        "'x' in row 10",
    ),
    "nothing but missing values": ("a.csv", _text("a,b\n" + ",\n" * 5), "", "'a' (no values)"),
    "a missing value": ("a.csv", _text("a,b\n1,\n2,3\n4,4.5\n"), "", "median"),
    "one constant column": ("a.csv", _text("a\n" + "1\n" * 5), "", "'a' (constant)"),
    "more clusters than rows": ("a.csv", _text("a,b\n1.5,2\n3,1.5\n"), "--k 3", "--k 3 for 2"),
    "no number of clusters": ("a.csv", _text("a,b\n1.5,2\n3,1.5\n"), "--k many", "--k many"),
    "labels that are not there": ("a.csv", _text("a,b\n1.5,2\n3,1.5\n"), "--labels c", "'c'"),
    "labels of another length": (
        "a.npz",
        lambda path: np.savez(path, x=_noise(9, 3), y=np.arange(5)),
        "",
        "5 labels",
    ),
    "a folder without images": ("a", _folder(lambda path: None), "", "none"),
    "half a jpg": ("a", _folder(_half_a_jpg), "--strict", "'0.jpg'"),
    "nothing there": ("a.csv", lambda path: None, "", "Expected a path, or a data set"),
    "an out folder that is a file": (
        "a.csv",
        _text("a,b\n1.5,2\n3,1.5\n"),
        "--out a.csv",
        "a.csv, a file",
    ),
    "an option of folders": ("a.csv", _text("a,b\n1.5,2\n3,1.5\n"), "--size 8", "only for images"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input_is_one_line_and_leaves_nothing(case, command, tmp_path, monkeypatch):
    name, make, options, message = BAD_INPUTS[case]
    monkeypatch.chdir(tmp_path)
    make(tmp_path / name)
    before = sorted(os.walk("."))
    code, _, errors = command("cluster", name, *options.split())
    assert code == 2
    assert errors.startswith("Error: Expected")
    assert message in errors
    assert errors.count("\n") == 1
    assert sorted(os.walk(".")) == before


def test_rows_that_repeat_are_a_note(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("twice.csv").write_text("a,b\n" + "1.5,2.5\n1.0,2.0\n" * 10)
    code, output, errors = command("cluster", "twice.csv", "--k", 3)
    assert (code, errors) == (0, "")
    assert "rows of twice.csv repeat another" in output
    assert len(read_clusters("runs/cluster-twice-seed0/clusters.csv")) == 20


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(inside, command):
    arguments = ("cluster", "flowers.csv", "--k", 3, "--labels", "kind", "--out", "full")
    # The ninth change to the folder is among the files at the end.
    with disk_full_at(Path("full"), 8):
        code, _, errors = command(*arguments)
    assert code == 2
    assert "No space left on device" in errors
    assert errors.count("\n") == 1
    assert not list(Path("full").glob("**/partial_*"))
    assert not Path("full", "result.json").exists()
    code, _, _ = command(*arguments)
    assert code == 0
    assert Path("full", "clusters.csv").read_bytes() == (RUN / "clusters.csv").read_bytes()


def test_large_file_of_vectors_stays_on_the_disk(tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    for name, x in (("vectors", vectors), ("bytes", (9 * vectors).astype("uint8"))):
        np.save(tmp_path / f"{name}.npy", x)
    monkeypatch.setattr(cluster, "_MOST_IN_MEMORY", 100)
    large = cluster._read(str(tmp_path / "vectors.npy"), {})
    assert isinstance(large.x, Shards)
    np.testing.assert_array_equal(large.x[:], vectors)
    assert isinstance(cluster._read(str(tmp_path / "bytes.npy"), {}).x, np.ndarray)
