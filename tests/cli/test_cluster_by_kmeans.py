"""`kdec cluster --method kmeans`, and what `--workers` refuses."""

import csv
import json

import numpy as np
import pytest

import kdec


@pytest.fixture(scope="module")
def blobs():
    """Two groups of points, (200, 3)."""
    x = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    x[:100] += 10
    return x


def test_files_hold_the_clusters_of_kmeans(command, blobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("blobs.npy", blobs)
    arguments = ("cluster", "blobs.npy", "--method", "kmeans", "--k", 2, "--out", "run")
    assert command(*arguments)[0] == 0
    expected = kdec.KMeans(2, random_state=0).fit(blobs)
    with open("run/clusters.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["cluster"]) for row in rows] == expected.labels_.tolist()
    np.testing.assert_array_equal(np.load("run/centers.npy"), expected.cluster_centers_)
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert [row["samples"] for row in result["clusters"]] == [100, 100]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "centers.npy",
        "clusters.csv",
        "result.json",
    ]
    written = (tmp_path / "run/result.json").stat().st_mtime_ns
    assert command(*arguments)[0] == 0
    assert (tmp_path / "run/result.json").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("arguments", "config", "expected"),
    [
        (("--method", "dec", "--workers", 2), None, "Received: --method dec"),
        (("--method", "kmeans"), None, "Expected --k to be a number for k-means"),
        (("--method", "kmeans", "--k", 2, "--workers", 2), "{}", "Received: both"),
        (
            ("--k", 2),
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}',
            "Expected --method kmeans with several workers",
        ),
    ],
)
def test_what_several_workers_cannot_do_is_refused(
    command, blobs, tmp_path, monkeypatch, arguments, config, expected
):
    monkeypatch.chdir(tmp_path)
    np.save("blobs.npy", blobs)
    if config:
        monkeypatch.setenv("TF_CONFIG", config)
    code, _, err = command("cluster", "blobs.npy", *arguments)
    assert code == 2
    assert expected in err
    assert not (tmp_path / "runs").exists()
