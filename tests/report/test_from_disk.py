"""What a report takes of samples on the disk."""

import dataclasses

import numpy as np

import kdec
from kdec.data import Shards
from kdec.report import describe, description


def test_report_of_samples_on_the_disk_shows_some_and_says_so(monkeypatch):
    iris = kdec.load_data("iris")
    clustering = kdec.DeepClustering(3, encoder="none", random_state=0).fit(iris.x)
    on_disk = dataclasses.replace(iris, x=Shards([iris.x]))
    np.testing.assert_array_equal(on_disk.flat[:], iris.flat)
    np.testing.assert_array_equal(describe(on_disk, clustering).x, iris.x)
    monkeypatch.setattr(description, "_MOST_FROM_DISK", 40)
    contents = describe(on_disk, clustering, notes=["Another."])
    rows = contents.samples
    assert len(np.unique(rows)) == 40 and contents.sizes.sum() == 40
    np.testing.assert_array_equal(contents.x, iris.x[rows])
    np.testing.assert_array_equal(contents.labels, clustering.labels_[rows])
    np.testing.assert_array_equal(contents.y, iris.y[rows])
    assert contents.notes[0].startswith("This page is about 40 of the 150 samples")
    assert contents.notes[1] == "Another."
