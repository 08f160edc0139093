from types import SimpleNamespace

import numpy as np
import pytest

import kdec
from kdec.data import Dataset
from kdec.experiments import find_experiment, lloyd
from kdec.experiments.execution import execute


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The quick preset on the 8 x 8 digits: its record and its folder."""
    out = tmp_path_factory.mktemp("lloyd")
    digits = kdec.load_data("digits")
    return execute(find_experiment("lloyd"), digits, "quick", 0, out), out


@pytest.fixture(scope="module")
def result(finished):
    return finished[0]


@pytest.fixture(scope="module")
def mnist_result(tmp_path_factory):
    out = tmp_path_factory.mktemp("lloyd-mnist")
    data = kdec.load_data("mnist-test")
    # Its restarts under the other metrics take most of the time, and no published figure is theirs.
    return execute(find_experiment("lloyd"), data, "full", 0, out, metrics=["euclidean"])


def test_six_points_are_solved_exactly(result):
    facts = result["facts"]["six_points"]
    assert facts["centroids"] == [[1, 2], [10, 2]]
    assert facts["inertia"] == 16.0
    assert facts["labels"] == [0, 0, 0, 1, 1, 1]
    assert facts["predictions"] == [0, 1]


def test_iris_split_is_the_sources():
    x, held_out, y, y_held_out = lloyd.split_iris()
    assert x.shape == (120, 2) and held_out.shape == (30, 2) and y.shape == (120,)
    # The rows of the contingency table that the source prints.
    assert np.bincount(y_held_out).tolist() == [4, 13, 13]


def test_iris_from_the_sources_start_gives_its_figures(result):
    system = "iris, the source's start"
    assert result["metrics"][system]["inertia"] == pytest.approx(29.54042124542125, rel=1e-12)
    facts = result["facts"]["clusters"][system]
    printed = [[7.06153846, 3.08461538], [4.99423077, 3.31346154], [6.01428571, 2.88095238]]
    np.testing.assert_allclose(facts["centroids"], printed, atol=1e-8)
    assert round(facts["held_out_purity"], 4) == 0.6667


def test_iris_best_of_ten_is_as_good_as_the_source_and_scikit_learn(result):
    ours = result["metrics"]["iris"]["inertia"]
    assert ours <= 29.5405
    assert ours == pytest.approx(result["metrics"]["iris, scikit-learn"]["inertia"], rel=1e-9)


def test_elbow_goes_on_where_the_sources_ends_in_nan(result):
    elbow = result["facts"]["iris_elbow"]
    assert elbow["n_clusters"] == list(range(1, 11))
    for name in ("inertia", "source_start"):
        assert np.all(np.isfinite(elbow[name]))
        assert np.all(np.diff(elbow[name]) < 0)
    x, *_ = lloyd.split_iris()
    assert elbow["inertia"][0] == pytest.approx(np.var(x, axis=0).sum() * len(x))
    # The same point twice, so that one of the two clusters starts empty.
    assert len(np.unique(lloyd.source_start(x, 10, seed=1992), axis=0)) < 10


def test_each_metric_has_its_row_and_its_contingency_matrix(result):
    counts_of_labels = np.bincount(kdec.load_data("digits").y)
    for metric in ("euclidean", "manhattan", "cosine"):
        row, facts = result["metrics"][metric], result["facts"]["clusters"][metric]
        matrix = np.array(facts["contingency_matrix"])
        np.testing.assert_array_equal(matrix.sum(axis=1), counts_of_labels)
        assert row["micro_purity"] == pytest.approx(matrix.max(axis=0).sum() / matrix.sum())
        np.testing.assert_allclose(facts["purity"], matrix.max(axis=0) / matrix.sum(axis=0))


def test_euclidean_row_equals_scikit_learns(result):
    ours, theirs = (result["metrics"][name] for name in ("euclidean", "euclidean, scikit-learn"))
    assert ours["inertia"] == pytest.approx(theirs["inertia"], rel=1e-3)
    assert result["facts"]["ari_with_scikit_learn"] > 0.9


def test_every_picture_is_left_in_the_folder(finished):
    pictures = {path.stem for path in finished[1].glob("*.png")}
    contingencies = {f"contingency_{metric}" for metric in ("euclidean", "manhattan", "cosine")}
    assert pictures == {"iris_clusters", "iris_elbow", "inertia", "centroid_images"} | contingencies


@pytest.mark.mnist
@pytest.mark.slow
def test_mnist_best_of_ten_meets_the_bar(mnist_result):
    row = mnist_result["metrics"]["euclidean"]
    assert row["inertia"] <= 390_900
    assert row["micro_purity"] == pytest.approx(0.59, abs=0.015)


@pytest.mark.mnist
@pytest.mark.slow
def test_mnist_from_the_sources_starts_gives_its_figures(mnist_result):
    euclidean = mnist_result["metrics"]["euclidean, the source's start"]
    assert euclidean["inertia"] == pytest.approx(391367.5505466436, rel=1e-7)
    assert round(euclidean["micro_purity"], 4) == 0.5904
    # The source prints its purities, by cluster, with eight digits.
    printed = [0.65988024, 0.89130435, 0.86057692, 0.65644172, 0.42636457]
    printed += [0.34946757, 0.50307828, 0.39401709, 0.55401235, 0.87419355]
    purity = mnist_result["facts"]["clusters"]["euclidean, the source's start"]["purity"]
    np.testing.assert_allclose(purity, printed, atol=1e-8)

    manhattan = mnist_result["metrics"]["manhattan, the source's start"]
    assert manhattan["inertia"] == pytest.approx(917674.1205970906, rel=1e-7)
    assert round(manhattan["micro_purity"], 4) == 0.5414


def test_label_without_a_cluster_has_a_black_image():
    digits = kdec.load_data("digits")
    some = Dataset(digits.name, digits.x[:200], digits.y[:200], digits.sha256)
    run = SimpleNamespace(dataset=some)
    kmeans = kdec.KMeans(4, n_init=1, random_state=0).fit(some.flat)
    images = lloyd._images_by_label(run, kmeans)
    assert images.shape == (10, 64)
    assert sorted(images.max(axis=1)) == [0.0] * 6 + [1.0] * 4
