"""DeepClustering: the estimator protocol, what it learns, saves, refuses, and that it resumes."""

import contextlib
import pickle
import warnings

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
from interrupts import Kill
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import kdec
from kdec import metrics
from kdec.autoencoders import dense
from kdec.clustering.choice_of_k import ChoiceOfK
from kdec.views import RandomNoise

FEW = "ignore:Deep clustering is not worth it"


@pytest.fixture(scope="module")
def table():
    """120 rows of three clusters in columns of other scales, and their labels."""
    x, y = make_blobs(120, 4, centers=3, cluster_std=1.5, random_state=4)
    return x * [1, 10, 1e-3, 1] + [0, 500, 0, 0], y


@pytest.mark.slow
@pytest.mark.filterwarnings(FEW)
@parametrize_with_checks([kdec.DeepClustering(random_state=0)])
def test_scikit_learn_estimator_check(estimator, check):
    check(estimator)


def test_labels_of_the_training_samples_are_what_is_predicted(fitted, four_digits):
    x, _ = four_digits
    assignments = fitted.predict_proba(x)
    assert np.array_equal(fitted.predict(x), fitted.labels_)
    assert np.array_equal(assignments.argmax(axis=1), fitted.labels_)
    assert np.array_equal(assignments.max(axis=1), fitted.probabilities_)
    np.testing.assert_allclose(assignments.sum(axis=1), 1, rtol=1e-5)
    assert fitted.labels_.dtype == "int32"
    assert fitted.n_clusters_ == len(np.unique(fitted.labels_)) == 4


def test_codes_have_length_one_and_go_back_to_samples(fitted, four_digits):
    x, _ = four_digits
    assert np.array_equal(fitted.transform(x), fitted.embedding_)
    for codes in (fitted.embedding_, fitted.cluster_centers_):
        np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, rtol=1e-5)
        assert fitted.inverse_transform(codes).shape == (len(codes), 8, 8)
    assert {name: len(curve["loss"]) for name, curve in fitted.history_.items()} == {
        "contrast": 3,
        "decoder": 3,
    }


def test_encoder_of_the_user_stays_as_it_was(four_digits, fitted, small):
    before = small().encoder.get_weights()
    for weights, unchanged in zip(fitted.encoder.get_weights(), before, strict=True):
        assert np.array_equal(weights, unchanged)


def test_saved_file_alone_labels_new_samples(fitted, four_digits, tmp_path):
    x, _ = four_digits
    path = tmp_path / "model.keras"
    fitted.save(path)
    loaded = kdec.DeepClustering.load(path)
    assert np.array_equal(loaded.predict_proba(x), fitted.predict_proba(x))
    assert np.array_equal(loaded.transform(x), fitted.transform(x))
    codes = fitted.cluster_centers_
    assert np.array_equal(loaded.cluster_centers_, codes)
    assert np.array_equal(loaded.inverse_transform(codes), fitted.inverse_transform(codes))
    assert loaded.get_params() == {**fitted.get_params(), "encoder": "auto"}
    assert (loaded.n_clusters_, loaded.n_features_in_) == (4, 64)
    model = keras.models.load_model(path)
    np.testing.assert_allclose(model.predict(x, verbose=0), fitted.predict_proba(x), atol=1e-6)
    with pytest.raises(ValueError, match=r"ends in \.keras"):
        fitted.save(tmp_path / "model.h5")
    fitted.model_.encoder.save(path)
    with pytest.raises(ValueError, match="Expected a file of DeepClustering"):
        kdec.DeepClustering.load(path)


def test_pickle_and_joblib_keep_everything(fitted, four_digits, tmp_path):
    joblib.dump(fitted, tmp_path / "fitted")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "fitted")):
        assert np.array_equal(copy.labels_, fitted.labels_)
        assert np.array_equal(
            copy.predict_proba(four_digits[0]), fitted.predict_proba(four_digits[0])
        )


def test_interrupted_fit_goes_on_to_the_same_bits(fitted, four_digits, small, tmp_path):
    x, _ = four_digits
    with pytest.raises(KeyboardInterrupt):
        small().fit(x, backup_dir=tmp_path, callbacks=[Kill(2)])
    with pytest.raises(ValueError, match="a fit of another data"):
        small().fit(x[1:], backup_dir=tmp_path)
    with pytest.raises(ValueError, match="a fit of another random_state"):
        small(random_state=1).fit(x, backup_dir=tmp_path)
    resumed = small().fit(x, backup_dir=tmp_path)
    assert np.array_equal(resumed.labels_, fitted.labels_)
    assert np.array_equal(resumed.probabilities_, fitted.probabilities_)
    assert np.array_equal(resumed.embedding_, fitted.embedding_)
    assert resumed.history_ == fitted.history_
    # All trainings are done: a third fit only loads them.
    again = small().fit(x, backup_dir=tmp_path, callbacks=[Kill(0)])
    assert np.array_equal(again.probabilities_, fitted.probabilities_)
    with pytest.raises(ValueError, match="Expected an int random_state with backup_dir"):
        small(random_state=None).fit(x, backup_dir=tmp_path)


def test_few_rows_get_the_clusters_of_k_means_and_a_warning(table):
    x, _ = table
    clustering = kdec.DeepClustering(3, random_state=0)
    with pytest.warns(UserWarning, match="not worth it here: 120 rows are few"):
        labels = clustering.fit_predict(x)
    scaled = StandardScaler().fit_transform(x)
    kmeans = sklearn.cluster.KMeans(3, n_init=10, random_state=0).fit(scaled)
    assert metrics.ari(kmeans.labels_, labels) == 1
    np.testing.assert_allclose(clustering.embedding_, scaled, atol=1e-4)
    np.testing.assert_allclose(
        np.sort(clustering.cluster_centers_, axis=0),
        np.sort(kmeans.cluster_centers_, axis=0),
        atol=1e-4,
    )
    np.testing.assert_allclose(clustering.inverse_transform(clustering.embedding_), x, rtol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        asked_for = kdec.DeepClustering(3, encoder="none", random_state=0).fit(x)
    assert np.array_equal(asked_for.labels_, labels)


def test_values_between_0_and_1_keep_their_scale_unless_asked(table):
    x = (table[0] - table[0].min()) / np.ptp(table[0])
    make = kdec.DeepClustering
    kept = make(3, encoder="none", random_state=0).fit(x)
    np.testing.assert_allclose(kept.embedding_, x, atol=1e-6)
    scaled = make(3, encoder="none", standardize=True, random_state=0).fit(x)
    np.testing.assert_allclose(scaled.embedding_.std(axis=0), 1, rtol=1e-3)


@pytest.mark.filterwarnings(FEW)
def test_data_frames_keep_their_names_and_pipelines_work(table, tmp_path):
    x, y = table
    frame = pd.DataFrame(x, columns=list("abcd"))
    clustering = kdec.DeepClustering(3, random_state=0).fit(frame)
    assert clustering.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        clustering.predict(frame[list("badc")])
    clustering.save(tmp_path / "m.keras")
    loaded = kdec.DeepClustering.load(tmp_path / "m.keras")
    assert loaded.feature_names_in_.tolist() == list("abcd")
    assert np.array_equal(loaded.predict(frame), clustering.labels_)
    assert clustering.get_feature_names_out().tolist()[0] == "deepclustering0"
    pipeline = make_pipeline(StandardScaler(), clone(clustering)).fit(frame)
    assert metrics.ari(pipeline.predict(frame), clustering.labels_) == 1
    search = GridSearchCV(
        clone(clustering), {"n_clusters": [2, 3]}, scoring="adjusted_rand_score", cv=2
    )
    assert search.fit(x, y).best_params_ == {"n_clusters": 3}


@pytest.mark.filterwarnings(FEW)
def test_number_of_clusters_is_that_chosen_on_the_codes(table, monkeypatch):
    seen = {}

    def choose(codes, *, encoder, random_state):
        seen.update(codes=codes, encoder=encoder, random_state=random_state)
        return ChoiceOfK(None, seen["n_clusters"], 1.0, "so it seems")

    monkeypatch.setattr("kdec.clustering.estimator.choose_n_clusters", choose)
    clustering = kdec.DeepClustering("auto", random_state=5)
    seen["n_clusters"] = 3
    clustering.fit(table[0])
    assert clustering.n_clusters_ == clustering.choice_of_k_.n_clusters == 3
    assert clustering.cluster_centers_.shape == (3, 4)
    assert (seen["encoder"], seen["random_state"]) == (None, 5)
    assert np.array_equal(seen["codes"], clustering.embedding_)
    seen["n_clusters"] = None
    with pytest.warns(UserWarning, match="All samples are taken as one cluster: so it seems"):
        clustering.fit(table[0])
    assert clustering.n_clusters_ == 1
    assert not clustering.labels_.any()


def test_idec_trains_the_autoencoder_and_its_centroids(four_digits):
    x, _ = four_digits
    autoencoder = dense((64, 16, 3), seed=0)
    clustering = kdec.DeepClustering(
        4, method="idec", encoder=autoencoder, epochs=2, random_state=0
    ).fit(x)
    assert list(clustering.history_) == ["autoencoder", "dec"]
    assert np.array_equal(clustering.predict(x), clustering.labels_)
    assert clustering.inverse_transform(clustering.cluster_centers_).shape == (4, 8, 8)


IMAGES = np.zeros((30, 8, 8), "float32")
VECTORS = np.arange(90.0).reshape(30, 3)


@pytest.mark.parametrize(
    ("parameters", "x", "message"),
    [
        ({"n_clusters": 0}, VECTORS, "Expected n_clusters to be a positive int or 'auto'"),
        ({"n_clusters": "some"}, VECTORS, "Received: n_clusters='some'"),
        ({"n_clusters": 31}, VECTORS, "n_samples=30 with n_clusters=31"),
        ({"method": "kmeans"}, VECTORS, "Expected method to be one of"),
        ({"encoder": "deep"}, VECTORS, "Expected encoder to be one of"),
        ({"encoder": "conv"}, VECTORS, "Expected images of at least 4 pixels"),
        ({"encoder": "none", "method": "dec"}, VECTORS, "Expected an encoder with method='dec'"),
        ({"encoder": dense((5, 2)).encoder}, VECTORS, r"Expected samples of shape \(5,\)"),
        ({"encoder": dense((3, 2))}, VECTORS, "an autoencoder; its `.encoder` will do"),
        ({"encoder": dense((3, 2)).encoder, "method": "idec"}, VECTORS, "without decoder"),
        ({"encoder": "dense", "n_clusters": 1}, VECTORS[:1], "Expected two samples"),
        ({"random_state": -1}, VECTORS, "Expected random_state to be an int from 0"),
        ({"random_state": 2**31}, VECTORS, "Received: random_state=2147483648"),
        ({"views": "noise"}, VECTORS, "Expected views to be"),
        ({"epochs": 0}, VECTORS, "Expected epochs to be a positive int or 'auto'"),
        ({"standardize": 1}, VECTORS, "Expected standardize to be True, False or 'auto'"),
        ({}, np.full((30, 3), np.nan), "contains NaN"),
        ({}, np.full((30, 8, 8), np.nan), "contains NaN"),
        ({}, IMAGES + 255, r"Expected images with values in \[0, 1\]"),
        ({}, np.zeros((30, 2, 2, 2, 2)), "Found array with dim 5|Expected X of shape"),
        ({}, np.zeros((30, 0, 8)), "0 feature|at least one pixel"),
        ({}, np.zeros((0, 8, 8)), "0 sample"),
        ({}, np.arange(9.0), "1D array"),
        ({}, np.array([["a", "b"]] * 9), "could not convert string"),
    ],
)
def test_refuses(parameters, x, message):
    clustering = kdec.DeepClustering(**{"n_clusters": 2, **parameters})
    with pytest.raises(ValueError, match=message):
        clustering.fit(x)
    assert not hasattr(clustering, "labels_")


def test_refuses_new_samples_of_another_shape(fitted):
    for x in (np.zeros((2, 8, 9)), np.zeros((2, 64)), np.zeros((2, 8, 8, 1))):
        with pytest.raises(ValueError, match=r"Expected samples of shape \(8, 8\)"):
            fitted.predict(x)
    with pytest.raises(ValueError, match=r"Expected codes of shape \(n, 4\)"):
        fitted.inverse_transform(np.zeros((2, 5)))


def test_bytes_are_images_in_0_to_255(fitted, four_digits):
    as_bytes = np.round(four_digits[0] * 255).astype("uint8")
    expected = fitted.transform(as_bytes / np.float32(255))
    np.testing.assert_allclose(fitted.transform(as_bytes), expected, atol=1e-6)


@pytest.mark.slow
def test_ten_digits_are_found_and_new_ones_labelled_alike():
    data = kdec.load_data("digits")
    order = np.random.default_rng(0).permutation(len(data.x))
    train, new = order[:1300], order[1300:]
    clustering = kdec.DeepClustering(10, random_state=0).fit(data.x[train])
    assert metrics.nmi(data.y[train], clustering.labels_) > 0.85
    assert metrics.nmi(data.y[new], clustering.predict(data.x[new])) > 0.85


@pytest.mark.slow
def test_where_an_encoder_parts_as_many_neighbors_plain_k_means_is_kept(monkeypatch):
    x, _ = make_blobs([1000, 150, 80], 8, cluster_std=1.0, random_state=0)
    seen = []

    def choose(codes, *, encoder, random_state):
        seen.append(codes)
        return ChoiceOfK(None, 3, 1.0, "so it seems")

    monkeypatch.setattr("kdec.clustering.estimator.choose_n_clusters", choose)
    with pytest.warns(UserWarning, match="its clusters part"):
        clustering = kdec.DeepClustering("auto", random_state=0).fit(x)
    kmeans = sklearn.cluster.KMeans(3, n_init=10, random_state=0)
    scaled = StandardScaler().fit_transform(x)
    assert metrics.ari(clustering.labels_, kmeans.fit_predict(scaled)) > 0.99
    # The number is that of what is clustered in the end, not of the codes.
    np.testing.assert_allclose(seen[-1], scaled, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["contrast", "dec", "idec"])
def test_images_go_through_convolutions_and_resume(method, tmp_path):
    data = kdec.load_data("mnist-5k")
    # Too few for self-labelling, whose rounds have a hundred steps each.
    x = data.x[np.isin(data.y, [0, 1, 6]), ::2, ::2][::12]

    def make():
        return kdec.DeepClustering(3, method=method, encoder="conv", epochs=4, random_state=0)

    finished = make().fit(x)
    assert (
        set(finished.history_)
        == {
            "contrast": {"contrast", "decoder"},
            "dec": {"autoencoder", "dec", "decoder"},
            "idec": {"autoencoder", "dec"},
        }[method]
    )
    for epoch in (1, 4):  # in the first training, then in one of more epochs
        with contextlib.suppress(KeyboardInterrupt):
            make().fit(x, backup_dir=tmp_path, callbacks=[Kill(epoch)])
    resumed = make().fit(x, backup_dir=tmp_path)
    assert np.array_equal(resumed.predict_proba(x), finished.predict_proba(x))
    assert np.array_equal(resumed.labels_, finished.labels_)
    assert resumed.history_ == finished.history_
    assert finished.inverse_transform(finished.cluster_centers_).shape == (3, 14, 14)


@pytest.mark.slow
def test_views_and_encoder_of_the_user_are_taken(four_digits):
    x = four_digits[0].reshape(300, 64)
    runs = [
        kdec.DeepClustering(4, encoder="dense", views=views, epochs=2, random_state=0).fit(x)
        for views in ("auto", RandomNoise(0.1, seed=0), RandomNoise(1.0, seed=0), None)
    ]
    assert np.array_equal(runs[0].embedding_, runs[1].embedding_)
    assert not np.array_equal(runs[1].embedding_, runs[2].embedding_)
    assert not np.array_equal(runs[1].embedding_, runs[3].embedding_)
