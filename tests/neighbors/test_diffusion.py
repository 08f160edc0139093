"""Label diffusion: against products of matrices by hand, and what it does to labels and errors."""

import numpy as np
import pytest
import sklearn.neighbors

import kdec


@pytest.fixture
def blobs():
    """Three blobs of 60 points each in the plane, and their labels."""
    labels = np.repeat(np.arange(3), 60)
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    return np.random.default_rng(0).normal(size=(180, 2)) + centres[labels], labels


@pytest.mark.parametrize(("n_neighbors", "n_passes"), [(1, 1), (5, 1), (5, 4), (20, 3)])
def test_pass_is_a_product_with_the_neighbors_matrix(blobs, n_neighbors, n_passes):
    codes, _ = blobs
    soft = np.random.default_rng(1).random((180, 3))
    graph = sklearn.neighbors.kneighbors_graph(codes, n_neighbors).toarray() / n_neighbors
    expected = np.linalg.matrix_power(graph, n_passes) @ (soft / soft.sum(1, keepdims=True))
    found = kdec.diffuse_labels(codes, soft, n_neighbors, n_passes)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_labels_count_as_assignments_of_share_one(blobs):
    codes, labels = blobs
    noisy = np.where(np.random.default_rng(1).random(180) < 0.2, (labels + 1) % 3, labels)
    np.testing.assert_array_equal(
        kdec.diffuse_labels(codes, noisy), kdec.diffuse_labels(codes, np.eye(3)[noisy])
    )


def test_wrong_labels_follow_their_neighbors(blobs):
    codes, labels = blobs
    noisy = np.where(np.random.default_rng(1).random(180) < 0.3, (labels + 1) % 3, labels)
    assert kdec.metrics.accuracy(labels, noisy) < 0.8
    found = kdec.diffuse_labels(codes, noisy).argmax(axis=1)
    assert np.sum(found != labels) <= 1  # One point lies nearer to another blob's.


def test_cluster_that_dies_out_is_an_error_that_says_so(blobs):
    codes, labels = blobs
    labels = labels.copy()
    labels[7] = 3
    with pytest.raises(ValueError, match=r"died out within 9 passes .* none in \[3\] of 4"):
        kdec.diffuse_labels(codes, labels, n_passes=9)


def test_cluster_without_a_sample_at_the_start_is_an_error(blobs):
    codes, labels = blobs
    with pytest.raises(ValueError, match=r"^Expected a sample in each .* none in \[2\] of 4"):
        kdec.diffuse_labels(codes, np.where(labels == 2, 3, labels))


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (np.zeros(180), "Received: shape .*180.*, dtype float64"),
        (np.zeros(179, int), r"Expected `assignments` .* Received: shape \(179,\)"),
        (np.ones((180, 2), int), "dtype int64"),
        (np.full(180, -1), "Expected labels from 0 on. Received: -1"),
        (np.zeros((180, 2)), "no row all 0"),
        (np.full((180, 2), np.nan), "Expected soft assignments to be finite"),
        (np.full((180, 2), [2.0, -1.0]), "at least 0"),
    ],
)
def test_wrong_assignments_are_errors(blobs, assignments, message):
    with pytest.raises(ValueError, match=message):
        kdec.diffuse_labels(blobs[0], assignments)


@pytest.mark.parametrize("numbers", [{"n_neighbors": 0}, {"n_passes": 0}, {"n_neighbors": 180}])
def test_wrong_numbers_are_errors(blobs, numbers):
    with pytest.raises(ValueError, match="Expected `n_"):
        kdec.diffuse_labels(*blobs, **numbers)
