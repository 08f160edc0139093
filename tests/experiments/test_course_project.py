"""The course project's experiments on tiny data: what they leave, and the figures they compute."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

import kdec
from kdec.data import Dataset
from kdec.experiments import architectures, find_experiment, gaussians, soft_kmeans
from kdec.experiments.execution import execute
from kdec.experiments.run import Run

SHALLOW, FAILING = "d-128-5 relu", "d-512-256-128-64-10 sigmoid"


@pytest.fixture(scope="module")
def digits():
    """295 images of all digits."""
    full = kdec.load_data("mnist-5k")
    return Dataset("digits", full.x[::17], full.y[::17], sha256="")


@pytest.fixture(scope="module")
def points():
    """450 points of the three Gaussians."""
    full = kdec.load_data("gaussians", seed=1)
    return Dataset("gaussians", full.x[::10], full.y[::10], sha256="")


def finished(name, dataset, folder, **options):
    """Run an experiment; return its record and the folder it left."""
    return execute(find_experiment(name), dataset, "quick", 0, folder, **options), folder


def pictures(folder):
    return {path.stem for path in folder.glob("*.png")}


@pytest.fixture(scope="module")
def gaussians_run(points, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaussians")
    return finished("gaussians", points, folder, n_starts=4, largest_n_clusters=4)


def test_gaussians_leave_their_pictures(gaussians_run):
    assert pictures(gaussians_run[1]) == {"loss", "centroid_paths", "elbow"}


def test_gaussians_keep_the_best_start(gaussians_run, points):
    facts = gaussians_run[0]["facts"]
    distances = ((points.x[:, None] - np.array(facts["centroids"])) ** 2).sum(-1)
    assert_allclose(min(facts["inertia_of_start"]), distances.min(1).sum(), rtol=1e-5)
    assert len(facts["inertia_of_start"]) == len(facts["iterations_of_start"]) == 4


def test_elbow_agrees_with_scikit_learn(gaussians_run, points):
    elbow = gaussians_run[0]["facts"]["elbow"]
    assert elbow["n_clusters"] == [1, 2, 3, 4]
    fitted = KMeans(2, n_init=4, random_state=0).fit(points.x)
    total = ((points.x - points.x.mean(0)) ** 2).sum()
    assert_allclose(elbow["inertia"][:2], [total, fitted.inertia_], rtol=1e-5)
    assert elbow["silhouette"][0] is None
    expected = silhouette_score(points.x, fitted.labels_)
    assert_allclose(elbow["silhouette"][1], expected, rtol=1e-5)
    assert elbow["best_by_silhouette"] == 2 + np.argmax(elbow["silhouette"][1:])


def test_paths_are_lloyds_iterations_up_to_the_fixed_point(points):
    x = points.x.astype("float64")
    paths, inertias = gaussians.iterate(x, x[[0, 200, 400]], max_iter=100)
    assert len(paths) == len(inertias) + 1
    for (before, after), inertia in zip(pairwise(paths), inertias, strict=True):
        distances = ((x[:, None] - before) ** 2).sum(-1)
        assert_allclose(inertia, distances.min(1).sum(), rtol=1e-9)
        nearest = distances.argmin(1)
        assert_allclose(after, [x[nearest == k].mean(0) for k in range(3)], rtol=1e-9)
    assert_array_equal(paths[-1], paths[-2])


def test_max_iter_ends_the_paths(points):
    paths, inertias = gaussians.iterate(points.x, points.x[[0, 1, 2]], max_iter=2)
    assert paths.shape == (3, 3, 2)
    assert len(inertias) == 2


@pytest.fixture(scope="module")
def soft_kmeans_run(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("soft-kmeans")
    return finished("soft-kmeans", digits, folder, n_runs=3, epochs=3, batch_size=100)


def test_soft_kmeans_leaves_its_pictures(soft_kmeans_run):
    assert pictures(soft_kmeans_run[1]) == {"acc", "learning_curves", "centroid_images"}


def test_soft_kmeans_of_vectors_has_no_images_of_centroids(points, tmp_path):
    _, folder = finished("soft-kmeans", points, tmp_path, n_runs=2, epochs=2, batch_size=100)
    assert pictures(folder) == {"acc", "learning_curves"}


def test_row_is_the_mean_of_the_runs(soft_kmeans_run, digits):
    result, folder = soft_kmeans_run
    q = keras.saving.load_model(folder / "model.keras").predict(digits.flat, verbose=0)
    acc = [kdec.metrics.accuracy(digits.y, q[:, run].argmax(1)) for run in range(3)]
    row = result["metrics"]["differentiable k-means"]
    assert row["acc"] == pytest.approx(np.mean(acc))
    assert row["acc_std"] == pytest.approx(np.std(acc, ddof=1))
    last = [result["curves"]["soft_kmeans"][f"acc_{run}"][-1] for run in range(3)]
    assert last == pytest.approx(acc, rel=1e-5)


def test_lloyd_starts_where_the_runs_start(soft_kmeans_run, digits, tmp_path):
    config = {**soft_kmeans.PRESETS["quick"], "n_runs": 3}
    starts = soft_kmeans.build(Run("soft-kmeans", digits, "quick", config, 0, tmp_path)).clusters
    inertias = [KMeans(10, init=start, n_init=1).fit(digits.flat).inertia_ for start in starts]
    assert_allclose(soft_kmeans_run[0]["facts"]["lloyd_inertia"], inertias, rtol=1e-3)


def test_inertia_of_a_hand_worked_case():
    x, centroids = np.array([[0.0, 0], [2, 0], [5, 5]]), np.array([[1.0, 0], [5, 4]])
    assert soft_kmeans.inertia(x, np.array([0, 0, 1]), centroids) == 3.0


@pytest.fixture(scope="module")
def architectures_run(digits, tmp_path_factory):
    options = {
        "rows": {name: architectures.ROWS[name] for name in (SHALLOW, FAILING)},
        "autoencoder_epochs": 2,
        "dec_epochs": 2,
        "n_init": 2,
    }
    folder = tmp_path_factory.mktemp("architectures")
    return finished("architectures", digits, folder, **options)


def test_architectures_leave_their_pictures(architectures_run):
    assert pictures(architectures_run[1]) == {"acc", "loss", "autoencoder_loss", "tsne_of_best"}


def test_rows_hold_what_the_saved_models_give(architectures_run, digits):
    result, folder = architectures_run
    for name in (SHALLOW, FAILING):
        stage = architectures.stages(name)[2]
        labels = keras.saving.load_model(folder / f"{stage}.keras").predict(digits.flat, verbose=0)
        acc = kdec.metrics.accuracy(digits.y, labels.argmax(1))
        assert result["metrics"][name]["acc"] == acc
        assert 1 <= len(result["curves"][stage]["acc"]) <= 2


def test_record_carries_the_sources_figures(architectures_run):
    assert architectures_run[0]["facts"]["source_acc"] == {SHALLOW: 0.6364, FAILING: 0.1125}


def test_little_gets_through_deep_sigmoid_layers(architectures_run):
    start = architectures_run[0]["facts"]["signal"][FAILING]["at the start"]
    assert start["variance"][0] > 1e3 * start["variance"][3]
    assert start["gradient_norm"][4] > 100 * start["gradient_norm"][0]


def test_explanation_quotes_the_measured_figures():
    relu, sigmoid, sgd = "d-512-256-128-64-10 relu", FAILING, f"{FAILING} SGD"
    start = {"variance": [1.0, 2e-5], "gradient_norm": [1e-6, 3e-3]}
    signal = {
        name: {
            "at the start": start,
            "after pretraining": {"variance": [v], "confidence": c, "acc": 0.2935},
        }
        for name, v, c in ((relu, 1.0, 0.9), (sigmoid, 0.5, 0.8), (sgd, 3e-9, 0.1))
    }
    acc = {relu: 0.8, sigmoid: 0.5123, sgd: 0.1124}
    text = architectures.explain(signal, acc, np.array([0, 0, 0, 1]))
    figures = ("2.0e-05 a unit", "3,000 times", "3.0e-09", "0.2935", "0.1124", "0.5123")
    assert all(figure in text for figure in (*figures, "has 0.7500."))


def test_finished_rows_are_not_trained_again(digits, tmp_path, monkeypatch):
    config = {
        **architectures.PRESETS["quick"],
        "rows": {SHALLOW: architectures.ROWS[SHALLOW]},
        "autoencoder_epochs": 1,
        "dec_epochs": 1,
    }

    def train():
        run = Run("architectures", digits, "quick", config, 0, tmp_path)
        return architectures.train_row(run, SHALLOW)

    first = train()
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **kwargs: pytest.fail("trained again"))
    assert_array_equal(train().clusters, first.clusters)


def test_presets_have_every_row_of_the_source_and_both_alternatives():
    for preset in architectures.PRESETS.values():
        assert preset["rows"].keys() >= architectures.SOURCE_ACC.keys()
        activations = {row["activation"] for row in preset["rows"].values()}
        assert activations == {"relu", "sigmoid", "selu", "celu"}


def test_signal_through_an_encoder_worked_by_hand():
    autoencoder = kdec.autoencoders.dense((1, 1))
    autoencoder.encoder.layers[1].set_weights([np.array([[3.0]]), np.array([0.0])])
    autoencoder.decoder.layers[1].set_weights([np.array([[1.0]]), np.array([0.0])])
    signal = architectures.signal_through(autoencoder, np.array([[-1.0], [1.0]], "float32"))
    # Codes -3 and 3; the loss (kernel - 1)^2 has the derivative 2 (kernel - 1).
    assert signal == {"variance": [pytest.approx(9.0)], "gradient_norm": [pytest.approx(4.0)]}
