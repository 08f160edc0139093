"""k-means of sparse matrices: the clustering of scikit-learn, and of the dense matrix."""

import numpy as np
import pytest
import scipy.sparse
import sklearn.cluster

from kdec import KMeans


@pytest.fixture(scope="module")
def documents():
    """400 weighted rows of some forty words out of 800, in five topics; ten rows are empty."""
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(800, 0.05), size=5)
    counts = np.stack([rng.multinomial(40, topics[row % 5]) for row in range(400)])
    counts[100:110] = 0
    return scipy.sparse.csr_matrix(counts * rng.uniform(0.5, 1.5, counts.shape))


def test_same_start_gives_scikit_learns_clustering(documents):
    x = documents.astype(np.float32)
    weight = np.random.default_rng(1).integers(1, 4, x.shape[0])
    options = {"init": x[:5].toarray(), "n_init": 1, "tol": 0}
    ours = KMeans(5, **options).fit(x, sample_weight=weight)
    theirs = sklearn.cluster.KMeans(5, **options).fit(x, sample_weight=weight)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-5)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5)
    np.testing.assert_array_equal(ours.predict(x), ours.labels_)
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), atol=1e-4)
    assert ours.score(x, sample_weight=weight) == pytest.approx(-ours.inertia_, rel=1e-5)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_clustering_is_that_of_the_dense_matrix(documents, metric):
    options = {"init": "random", "n_init": 2, "metric": metric, "random_state": 0}
    sparse, dense = (KMeans(5, **options).fit(x) for x in (documents, documents.toarray()))
    np.testing.assert_array_equal(sparse.labels_, dense.labels_)
    np.testing.assert_allclose(sparse.cluster_centers_, dense.cluster_centers_, atol=1e-8)
    np.testing.assert_allclose(sparse.inertia_history_, dense.inertia_history_)


def test_kind_and_order_of_the_matrix_change_nothing(documents):
    options = {"n_init": 2, "random_state": 0}
    expected = KMeans(5, **options).fit(documents).labels_
    shuffled = documents.tocoo()
    order = np.random.default_rng(2).permutation(shuffled.nnz)
    half = shuffled.data[order] / 2
    rows, columns = shuffled.row[order], shuffled.col[order]
    twice = scipy.sparse.coo_matrix(
        (np.tile(half, 2), (np.tile(rows, 2), np.tile(columns, 2))), documents.shape
    )
    for x in (documents.tocsc(), scipy.sparse.csr_array(documents), twice):
        np.testing.assert_array_equal(KMeans(5, **options).fit(x).labels_, expected)


def test_empty_cluster_gets_the_farthest_row(documents):
    init = np.zeros((5, 800))
    init[0] = documents[:1].toarray()
    init[1:] = 1e3  # nearest to none
    sparse, dense = (KMeans(5, init=init).fit(x) for x in (documents, documents.toarray()))
    np.testing.assert_array_equal(sparse.labels_, dense.labels_)
    assert len(np.unique(sparse.labels_)) == 5


def test_matrix_is_never_made_dense():
    # Dense, these rows would take 1.6 TB.
    n, d = 200_000, 1_000_000
    rng = np.random.default_rng(0)
    rows, columns = np.repeat(np.arange(n), 3), rng.integers(0, d, 3 * n)
    x = scipy.sparse.csr_matrix((rng.random(3 * n), (rows, columns)), (n, d))
    kmeans = KMeans(2, max_iter=2, random_state=0).fit(x)
    assert np.bincount(kmeans.labels_).sum() == n
    assert np.isfinite(kmeans.inertia_)
