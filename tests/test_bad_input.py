"""Bad input over the whole public surface: one sentence, before any work, all state as it was.

Each row of the table is a call that works with one of its arguments replaced by a bad one.
"""

import copy
import functools
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.sparse

import kdec
from kdec import autoencoders, data, metrics, models, neighbors, plots, pretrained, views

NAN, INF = float("nan"), float("inf")

# Bad values by the kind of the argument.
COUNTS = (0, -1, 2.5, True, "3", None, NAN)  # where a positive int is asked for
SEEDS = (-1, 1.5, "0", True)
POSITIVE = (0.0, -1.0, NAN, INF, "1", None, [1.0])
SHARES = (-0.1, 1.5, NAN, "0.5", None)  # in [0, 1] or less
NO_MODELS = (None, "encoder", 3, keras.layers.Dense(2), keras.Sequential([keras.layers.Dense(2)]))
NO_LAYERS = (3, "views", [keras.layers.Dense(2)])
NO_CALLBACKS = (3, "callback", [3], [keras.callbacks.Callback])
EPOCHS = (-1, 1.5, "0", None, True)  # where an int of at least 0 is asked for
AXES = (3, "axes")
WORDS = ("no such name", 3, None)


def arrays(good):
    """Bad arrays in the place of a good one of floats, (n, ...)."""
    good = np.asarray(good)
    with_nan, with_infinity = (np.array(good, "float32") for _ in range(2))
    with_nan.flat[0], with_infinity.flat[0] = NAN, INF
    return (
        with_nan,
        with_infinity,
        good.astype(complex) + 1j,
        np.full(good.shape, "a"),
        np.full(good.shape, None),
        good[:0],
        good[..., None, None, None],
        good.flat[0],
        [[1.0, 2.0], [3.0]],
        {"x": 1},
    )


def tables(good):
    """Bad arrays in the place of a good one (n, d)."""
    return (*arrays(good), good[0], scipy.sparse.csr_matrix(good)[:0], None)


def labels(good):
    """Bad labels in the place of good ones, (n,)."""
    return (good[:-1], good[:, None], good[:0], np.full(len(good), NAN), 3, [[1], [1, 2]], {"y": 1})


GENERATOR = np.random.default_rng(0)
X = GENERATOR.random((12, 5), dtype="float32")
Y = np.arange(12) % 3
Q = np.eye(3)[Y] * 0.7 + 0.1
IMAGES = GENERATOR.random((4, 6, 6), dtype="float32")
ROWS = np.stack([np.arange(12), np.roll(np.arange(12), 1)], axis=1)
CURVE = {"loss": [3.0, 2.0, 1.0]}


def encoder():
    return autoencoders.dense_encoder((5, 4, 3), seed=0)


def compiled(model, *arguments):
    model.compile(*arguments)
    return model


def placed(model):
    model.initialize(X, random_state=0)
    return model


# What the calls belong to, each made once.
MAKE = {
    "kmeans": lambda: kdec.KMeans(3, n_init=1, random_state=0).fit(X),
    "autoencoder": lambda: compiled(autoencoders.dense((5, 4, 3), seed=0), "sgd", "mse"),
    "dec": lambda: placed(kdec.DEC(autoencoders.dense((5, 4, 3), seed=0), 3)),
    "kmeans-loss": lambda: compiled(kdec.KMeansLoss(encoder(), 3), "sgd"),
    "differentiable-kmeans": lambda: compiled(placed(kdec.DifferentiableKMeans(3)), "sgd"),
    "contrast": lambda: kdec.NeighborContrast(encoder()),
    "self-labeling": lambda: kdec.SelfLabeling(encoder()),
}


@functools.cache
def made(name):
    return MAKE[name]()


def fit_kmeans(**options):
    return kdec.KMeans(**{"n_clusters": 3, "n_init": 1, **options}).fit(X)


def of(name, method):
    """The method of an object that is made when the call is."""

    def call(**arguments):
        return getattr(made(name), method)(**arguments)

    call.owner = name
    return call


def part(name, attribute=None):
    """An argument that is made when the call is."""
    return lambda: getattr(made(name), attribute) if attribute else made(name)


QUIET = {"verbose": 0}
WIDE = (X[:, :3],)

# Name: the call, its good arguments, and bad values for some of them.
TABLE = {
    "ClusteringLayer": (
        kdec.ClusteringLayer,
        {"n_clusters": 3},
        {"n_clusters": COUNTS, "alpha": POSITIVE},
    ),
    "DifferentiableKMeansLayer": (
        kdec.DifferentiableKMeansLayer,
        {"n_clusters": 3},
        {"n_clusters": COUNTS, "n_runs": (0, 2.5, True, "3")},
    ),
    "Autoencoder": (
        kdec.Autoencoder,
        {"encoder": part("autoencoder", "encoder"), "decoder": part("autoencoder", "decoder")},
        {"encoder": NO_MODELS, "decoder": NO_MODELS},
    ),
    "Autoencoder.fit": (
        of("autoencoder", "fit"),
        {"x": X, **QUIET},
        {
            "x": (*tables(X), *WIDE),
            "batch_size": COUNTS[:-2],
            "epochs": EPOCHS,
            "initial_epoch": EPOCHS,
            "callbacks": NO_CALLBACKS,
        },
    ),
    "dense": (
        autoencoders.dense,
        {"dims": (5, 3)},
        {"dims": ((5,), (), (5, 0), (5, 2.5), 5, "53", None), "seed": SEEDS},
    ),
    "sigmoid": (autoencoders.sigmoid, {"dims": (5, 3)}, {"dims": ((5,), (5, 0)), "seed": SEEDS}),
    "dense_encoder": (
        autoencoders.dense_encoder,
        {"dims": (5, 4, 3)},
        {"dims": ((5, 3), (5, 0, 3), 5), "dropout": (*SHARES, 1.0), "seed": SEEDS},
    ),
    "conv": (
        autoencoders.conv,
        {"image_shape": (8, 8, 1), "filters": (2, 2, 2)},
        {
            "image_shape": ((8, 8), (0, 8, 1), 8, None, "881", (8.0, 8, 1)),
            "filters": ((), (2, 0), 3, None, (2.5,)),
            "embedding_units": COUNTS,
            "seed": SEEDS,
        },
    ),
    "conv_encoder": (
        autoencoders.conv_encoder,
        {"image_shape": (8, 8, 1)},
        {
            "image_shape": ((8, 8), (0, 8, 1), 8, None),
            "embedding_units": COUNTS,
            "dropout": (*SHARES, 1.0),
            "seed": SEEDS,
        },
    ),
    "conv_pooling": (
        autoencoders.conv_pooling,
        {"image_shape": (16, 16, 1)},
        {"image_shape": ((8, 8, 1), (18, 18, 1), None), "embedding_units": COUNTS},
    ),
    "conv_upsampling": (
        autoencoders.conv_upsampling,
        {"image_shape": (16, 16, 1)},
        {"image_shape": ((16, 16), None), "filters": ((), (2, 2.5), None)},
    ),
    "DEC": (
        kdec.DEC,
        {"autoencoder": part("autoencoder"), "n_clusters": 3},
        {
            "autoencoder": NO_MODELS,
            "n_clusters": COUNTS,
            "alpha": POSITIVE,
            "clustering_weight": (-1.0, NAN, INF, "1", None, 0.0),
            "reconstruction_weight": (-1.0, NAN, INF, "1", None),
            "views": NO_LAYERS,
        },
    ),
    "DEC.initialize": (
        of("dec", "initialize"),
        {"x": X},
        {
            "x": (*tables(X), *WIDE, X[:2], np.ones((12, 5))),
            "n_init": COUNTS,
            "batch_size": COUNTS,
        },
    ),
    "DEC.fit": (
        of("dec", "fit"),
        {"x": X, "max_steps": 1, **QUIET},
        {
            "x": (*tables(X), *WIDE),
            "y": labels(Y),
            "batch_size": COUNTS,
            "max_steps": COUNTS,
            "update_interval": COUNTS,
            "tol": ("1", None, NAN, [1.0]),
            "callbacks": NO_CALLBACKS,
            "initial_epoch": EPOCHS,
        },
    ),
    "DEC.predict": (
        of("dec", "predict"),
        {"x": X, **QUIET},
        {"x": (*tables(X)[2:], *WIDE), "batch_size": COUNTS[:-2]},
    ),
    "KMeansLoss": (
        kdec.KMeansLoss,
        {"encoder": part("autoencoder", "encoder"), "n_clusters": 3},
        {
            "encoder": NO_MODELS,
            "n_clusters": (*COUNTS, 1),
            "decoder": NO_MODELS[1:],
            "reconstruction_weight": (-1.0, NAN, INF, "1", None, 1.0),
            "max_iterations": COUNTS,
        },
    ),
    "KMeansLoss.fit": (
        of("kmeans-loss", "fit"),
        {"x": X, **QUIET},
        {
            "x": (*tables(X), *WIDE, X[:2]),
            "batch_size": (0, -1, 2.5, True, "3", 2),
            "epochs": EPOCHS,
            "callbacks": NO_CALLBACKS,
        },
    ),
    "KMeansLoss.predict_clusters": (
        of("kmeans-loss", "predict_clusters"),
        {"x": X},
        {"x": (*tables(X)[2:], *WIDE), "batch_size": COUNTS},
    ),
    "DifferentiableKMeans": (
        kdec.DifferentiableKMeans,
        {"n_clusters": 3},
        {"n_clusters": COUNTS, "encoder": NO_MODELS[1:], "n_runs": (0, 2.5, True, "3")},
    ),
    "DifferentiableKMeans.initialize": (
        of("differentiable-kmeans", "initialize"),
        {"x": X},
        # Of the values, those of the samples that are drawn count.
        {"x": (*tables(X)[2:], X[:2], X * NAN), "batch_size": COUNTS},
    ),
    "DifferentiableKMeans.fit": (
        of("differentiable-kmeans", "fit"),
        {"x": X, **QUIET},
        {"x": (*tables(X), *WIDE), "batch_size": COUNTS[:-2], "epochs": EPOCHS},
    ),
    "DifferentiableKMeans.predict": (
        of("differentiable-kmeans", "predict"),
        {"x": X, **QUIET},
        {"x": (*tables(X)[2:], *WIDE), "batch_size": COUNTS[:-2]},
    ),
    "NeighborContrast": (
        kdec.NeighborContrast,
        {"encoder": part("autoencoder", "encoder")},
        {"encoder": NO_MODELS, "views": NO_LAYERS, "temperature": POSITIVE, "seed": SEEDS},
    ),
    "NeighborContrast.fit": (
        of("contrast", "fit"),
        {"x": X, "neighbors": 2, "epochs": 1, **QUIET},
        {
            "x": (*tables(X), *WIDE, X[:1]),
            "neighbors": (-1, 2.5, True, "3", None, 12, ROWS[:5], ROWS + 1, ROWS * 1.0, -ROWS),
            "pairs": (3, "x", ROWS[:, :1], ROWS + 1, -ROWS, ROWS * 1.0, ROWS[:1]),
            "batch_size": (*COUNTS, 1),
            "epochs": COUNTS,
            "callbacks": NO_CALLBACKS,
            "initial_epoch": EPOCHS,
        },
    ),
    "SelfLabeling": (
        kdec.SelfLabeling,
        {"classifier": part("autoencoder", "encoder")},
        {
            "classifier": NO_MODELS,
            "views": NO_LAYERS,
            "label_smoothing": (*SHARES, 1.0),
            "n_views": COUNTS,
            "seed": SEEDS,
        },
    ),
    "SelfLabeling.fit": (
        of("self-labeling", "fit"),
        {"x": X, "labels": Y, "rounds": 1, "passes": 1, **QUIET},
        {
            "x": (*tables(X), *WIDE),
            "labels": (*labels(Y), Y * 0, Y - 1, Y + 1, Q * NAN, Q[:5], None),
            "y": labels(Y),
            "rounds": COUNTS,
            "passes": COUNTS,
            "batch_size": COUNTS,
            "keep": (*SHARES, 0.0, 0.5),
            "groups": (Y[:5], Y * 1.0, "x"),
            "confidences": (np.ones(5), np.full(12, NAN), "x"),
            "callbacks": NO_CALLBACKS,
            "initial_epoch": EPOCHS,
        },
    ),
    "ShuffledBatches": (
        models.ShuffledBatches,
        {"x": X, "batch_size": 4},
        {
            "x": (None, 3, X[:0], (X, X[:5])),
            "batch_size": COUNTS,
            "seed": SEEDS,
            "views": NO_LAYERS,
        },
    ),
    "TemperatureDecay": (
        models.TemperatureDecay,
        {"initial": 2.0, "final": 1.0, "n_epochs": 3},
        {"initial": POSITIVE, "final": POSITIVE, "n_epochs": COUNTS},
    ),
    "target_distribution": (
        kdec.target_distribution,
        {"q": Q},
        {"q": (Q[0], Q[None], "x", None, Q * NAN, -Q, Q.astype(str), Q + 1j, [[1.0], [1.0, 2.0]])},
    ),
    "nearest_neighbors": (
        neighbors.nearest_neighbors,
        {"x": X, "n_neighbors": 2},
        {
            "x": [value for value in tables(X) if getattr(value, "ndim", 0) != 5],
            "n_neighbors": (*COUNTS, 12),
            "n_components": COUNTS,
        },
    ),
    "diffuse_labels": (
        neighbors.diffuse_labels,
        {"codes": X, "assignments": Y, "n_neighbors": 2, "n_passes": 1},
        {
            "codes": [value for value in tables(X) if getattr(value, "ndim", 0) != 5],
            "assignments": (Y[:5], Y * 1.0, Y - 1, Q[:5], Q * NAN, -Q, None, "x"),
            "n_neighbors": (*COUNTS, 12),
            "n_passes": COUNTS,
        },
    ),
    **{
        f"metrics.{name}": (
            getattr(metrics, name),
            {"y_true": Y, "y_pred": Y},
            {"y_true": (*labels(Y), "x", None), "y_pred": (*labels(Y), "x", None)},
        )
        for name in ("accuracy", "nmi", "ari", "purity", "contingency_matrix", "match_labels")
    },
    "purity, average": (
        metrics.purity,
        {"y_true": Y, "y_pred": Y},
        {"average": ("weighted", 3, True)},
    ),
    "centroid_images": (
        plots.centroid_images,
        {"images": IMAGES},
        {
            "images": arrays(IMAGES)[2:],
            "titles": (["one"], 3),
            "n_columns": COUNTS[:-2],
            "image_shape": ((5, 5), (0, 6), 6, "66"),
            "value_range": ((1, 0), (0,), (NAN, 1), "ab", 3),
        },
    ),
    "image_rows": (
        plots.image_rows,
        {"rows": {"a": IMAGES}},
        {
            "rows": ({}, None, 3, {"a": IMAGES[:0]}, {"a": IMAGES, "b": IMAGES[:2]}, {"a": "x"}),
            "titles": (["one"], 3),
        },
    ),
    "reconstructions": (
        plots.reconstructions,
        {"x": IMAGES, "x_hat": IMAGES},
        {
            "x": (IMAGES[:2], IMAGES[:0], None, "x", 3),
            "x_hat": (IMAGES[:2], IMAGES[:, :2], None),
            "n": COUNTS,
        },
    ),
    "plots.views": (
        plots.views,
        {"images": IMAGES, "layer": views.RandomNoise(0.1)},
        {"images": (None, "x", IMAGES[:0]), "layer": (3, None, "x"), "n_views": COUNTS},
    ),
    "clusters_2d": (
        plots.clusters_2d,
        {"x": X[:, :2]},
        {
            "x": (*tables(X[:, :2]), X),
            "labels": (Y[:5], Y[:, None], 3, [[1], [1, 2]]),
            "centroids": (X[:3], np.ones(2), "x"),
            "paths": (X[:3, :2], "x", np.ones((2, 3, 5))),
            "ax": AXES,
        },
    ),
    "confusion_matrix": (
        plots.confusion_matrix,
        {"y_true": Y, "y_pred": Y},
        {"y_true": labels(Y), "y_pred": labels(Y), "ax": AXES},
    ),
    "elbow": (
        plots.elbow,
        {"n_clusters": [1, 2, 3], "inertias": [3.0, 2.0, 1.0]},
        {
            "n_clusters": ([1, 2], [], None, "abc", [0, 1, 2], [1.5, 2, 3]),
            "inertias": ([1.0], [], None, "abc", ["a"] * 3),
            "silhouettes": ([1.0], "abc"),
            "ax": AXES,
        },
    ),
    "learning_curves": (
        plots.learning_curves,
        {"history": CURVE},
        {
            "history": ({}, None, 3, "x", {"a": "x"}, {"a": [[1.0]]}),
            "steps": (np.arange(2), "x"),
            "keys": (["acc"], []),
        },
    ),
    "curve_band": (
        plots.curve_band,
        {"runs": X},
        {
            "runs": (X[None], X[:0], "x", X.astype(str), X + 1j, [[1.0], [1.0, 2.0]]),
            "steps": (np.arange(3), "x"),
            "ax": AXES,
        },
    ),
    "curve_grid": (
        plots.curve_grid,
        {"curves": CURVE},
        {
            "curves": ({}, None, 3, "x", {"a": []}, {"a": "x"}, {"a": [[[1.0]]]}),
            "steps": (np.arange(2),),
            "references": ({"other": 1.0}, 3, {"loss": "x"}),
            "n_columns": COUNTS[:-2],
        },
    ),
    "embedding_2d": (
        plots.embedding_2d,
        {"z": X, "perplexity": 2.0},
        {
            "z": (*tables(X), X[:1]),
            "y": (Y[:5], Y[:, None], 3, [[1], [1, 2]]),
            "max_samples": (*COUNTS, 1),
            "perplexity": POSITIVE,
            "random_state": SEEDS,
            "ax": AXES,
        },
    ),
    "embedding_3d": (
        plots.embedding_3d,
        {"z": X[:, :3]},
        {
            "z": (*tables(X[:, :3]), X[:, :2]),
            "y": (Y[:5], Y[:, None], 3, [[1], [1, 2]]),
            "centroids": (np.ones((2, 2)), "x", np.ones(3)),
            "elevation": ("x", NAN, None),
            "azimuth": ("x", NAN, None),
            "ax": AXES,
        },
    ),
    "embedding_3d_animation": (
        plots.embedding_3d_animation,
        {"z": X[:, :3], "path": "turn.gif"},
        {
            "z": tables(X[:, :3])[:3],
            "n_frames": COUNTS,
            "frames_per_second": COUNTS,
            "dpi": COUNTS,
        },
    ),
    "FeatureDropout": (views.FeatureDropout, {}, {"rate": (*SHARES, 1.0), "seed": SEEDS}),
    "RandomNoise": (views.RandomNoise, {}, {"stddev": (-1.0, NAN, INF, "x", None), "seed": SEEDS}),
    "RandomAffine": (
        views.RandomAffine,
        {},
        {
            "rotation": (-1.0, NAN, INF, "x", None),
            "scale": ((1.2, 0.8), (0.0, 1.0), 1.0, (1.0,), "ab", None, (NAN, 1.0)),
            "shear": (-1.0, NAN, "x", None),
            "shift": (-1.0, NAN, "x", None),
            "fill_value": (NAN, "x", None),
            "seed": SEEDS,
        },
    ),
    "load_data": (kdec.load_data, {}, {"name": ("MNIST", "", 3, None), "seed": SEEDS}),
    "load_pretrained": (kdec.load_pretrained, {}, {"name": ("no such", "", 3, None)}),
    "weights_file": (
        pretrained.weights_file,
        {"name": pretrained.available()[0]["name"]},
        {"name": ("no such", 3, None), "format": ("pt", 3, None)},
    ),
    "read": (
        data.read,
        {"path": X},
        {
            "path": (3, None, X.astype(complex), X[:0], X[0, 0]),
            "labels": ("no such", Y[:5], 3),
            "missing": ("no such", 3),
            "size": (0, -1, (0, 3), "x"),
            "color": ("x", 3),
            "seed": SEEDS,
        },
    ),
}
# The estimator's messages are scikit-learn's own, which `check_estimator` looks at.
SCIKIT_LEARN = {
    "KMeans": (
        fit_kmeans,
        {},
        {
            "n_clusters": (*COUNTS, 13),
            "n_init": (0, -1, 2.5, True, "many", None),
            "max_iter": COUNTS,
            "tol": (-1.0, NAN, "1", None),
            "metric": WORDS,
            "random_state": ("0", 1.5, -1, [1]),
            "init": (
                "random++",
                3,
                None,
                X[:2],
                X[:3, :2],
                X[:3] * NAN,
                np.full((3, 5), "a"),
                np.full((3, 5), "1"),
            ),
        },
    ),
    "KMeans.fit": (
        of("kmeans", "fit"),
        {"X": X},
        {
            "X": (*tables(X), X[:2]),
            "sample_weight": (np.ones(11), -np.ones(12), 0 * X[:, 0], X[:, 0] * NAN, "a", X),
        },
    ),
    **{
        f"KMeans.{name}": (of("kmeans", name), {"X": X}, {"X": (*tables(X), *WIDE)})
        for name in ("predict", "transform", "score")
    },
}
ROWS_OF_TABLE = [
    pytest.param(call, good, argument, bad, is_ours, id=f"{name}-{argument}")
    for table, is_ours in ((TABLE, True), (SCIKIT_LEARN, False))
    for name, (call, good, wrong) in table.items()
    for argument, bad in wrong.items()
]


def state_of(owner):
    """All that a refusal must leave alone of the object `owner`, a name or None."""
    if owner is None:
        return []
    if owner == "kmeans":
        return copy.deepcopy(list(vars(made(owner)).items()))
    model = made(owner)
    optimizer = model.optimizer.variables if model.compiled else []
    return [model.compiled, *model.get_weights(), *(np.array(v) for v in optimizer)]


def test_table_has_at_least_sixty_inputs_and_no_call_without_one():
    assert sum(len(row.values[3]) for row in ROWS_OF_TABLE) > 60
    assert all(len(row.values[3]) for row in ROWS_OF_TABLE)


@pytest.fixture(autouse=True)
def no_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(("call", "good", "argument", "bad", "is_ours"), ROWS_OF_TABLE)
def test_bad_input_is_refused(call, good, argument, bad, is_ours, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    good = {
        name: v() if callable(v) and getattr(v, "__name__", "") == "<lambda>" else v
        for name, v in good.items()
    }
    owner = getattr(call, "owner", None)
    before, draws = state_of(owner), np.random.get_state()[1].copy()
    for value in bad:
        with pytest.raises((ValueError, TypeError)) as refusal:
            call(**{**good, argument: value})
            pytest.fail(f"accepted {value!r}")
        message = str(refusal.value)
        if is_ours:
            assert re.search(r"[Ee]xpected .*[Rr]eceived", message), (value, message)
            assert "\n" not in message, (value, message)
    np.testing.assert_equal(state_of(owner), before)
    np.testing.assert_array_equal(np.random.get_state()[1], draws)
    assert not plt.get_fignums()
    assert not list(tmp_path.iterdir())
