"""Who works together, out of TF_CONFIG."""

import json

import pytest

from kdec.workers import cluster_from_environment


def set_config(monkeypatch, cluster, **task):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))


def test_workers_are_numbered_with_the_chief_first(monkeypatch):
    set_config(monkeypatch, {"worker": ["b:1", "c:1"], "chief": ["a:1"]}, type="worker", index=1)
    cluster = cluster_from_environment()
    assert cluster.tasks == (("chief", 0), ("worker", 0), ("worker", 1))
    assert cluster.addresses == ("a:1", "b:1", "c:1")
    assert cluster.name(cluster.index) == "worker 2 (c:1)"


def test_one_worker_alone_is_no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster_from_environment() is None
    set_config(monkeypatch, {"worker": ["a:1"]}, type="worker", index=0)
    assert cluster_from_environment() is None
    monkeypatch.setenv("TF_CONFIG", "{}")
    assert cluster_from_environment() is None


@pytest.mark.parametrize(
    ("cluster", "task"),
    [
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 2}),
        ({"worker": ["a:1", "b:1"]}, {"type": "chief", "index": 0}),
        ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": "0"}),
        ({"worker": ["a:1"], "ps": ["b:1"]}, {"type": "worker", "index": 0}),
        ({"chief": ["a:1", "b:1"]}, {"type": "chief", "index": 0}),
    ],
)
def test_what_is_no_worker_of_a_cluster_is_refused(monkeypatch, cluster, task):
    set_config(monkeypatch, cluster, **task)
    with pytest.raises(ValueError, match=r"Expected TF_CONFIG to be JSON .* Received: \{"):
        cluster_from_environment()


def test_what_is_no_json_is_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "host0:2222")
    with pytest.raises(ValueError, match="Received: host0:2222"):
        cluster_from_environment()
