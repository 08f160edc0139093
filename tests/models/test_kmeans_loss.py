import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

import kdec
from kdec.models.lloyd_loss import are_left_behind, kmeans_loss, lloyd_shares


def make_blobs(n=60, n_clusters=3, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=4.0, size=(n_clusters, 3))
    z = centers[rng.integers(n_clusters, size=n)] + rng.normal(size=(n, 3))
    return z.astype(dtype)


def numpy_loss(z, start, fixed_centroids=None, max_iterations=50):
    """The source's algorithm in NumPy; the loss is for the last iteration's first centroids."""
    centroids = np.array(start)
    for _ in range(max_iterations):
        before = centroids
        labels = cdist(z, before).argmin(axis=1)
        centroids = np.array([z[labels == c].mean(axis=0) for c in range(len(start))])
        if np.array_equal(before, centroids):
            break
    distances = cdist(z, before if fixed_centroids is None else fixed_centroids, "sqeuclidean")
    own = distances.min(axis=1).sum()
    others = distances.sum() - own
    return own / len(z) + 1 / (others / len(z)), centroids


def finite_differences(function, z, step=1e-6):
    gradient = np.zeros_like(z)
    for index in np.ndindex(*z.shape):
        moved = np.array([z, z])
        moved[0][index] += step
        moved[1][index] -= step
        gradient[index] = (function(moved[0]) - function(moved[1])) / (2 * step)
    return gradient


def gradient_of_loss(z, start, **options):
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        figures, _ = kmeans_loss(z, tf.constant(start), **options)
    return tape.gradient(figures["loss"], z).numpy()


def loss_through_the_loop(z, start, max_iterations):
    """All iterations on the tape, as the source has them."""
    centroids = start
    for _ in range(max_iterations):
        before = centroids
        distances = tf.reduce_sum(tf.square(z[:, None] - before), axis=2)
        labels = tf.argmin(distances, axis=1)
        means = [tf.reduce_mean(z[labels == c], axis=0) for c in range(len(start))]
        centroids = tf.stack(means)
        if np.array_equal(before, centroids):
            break
    own = tf.reduce_mean(tf.reduce_min(distances, axis=1))
    return own + 1 / (tf.reduce_mean(tf.reduce_sum(distances, axis=1)) - own)


def small_encoder(n_inputs=6, n_features=3, seed=0):
    return kdec.autoencoders.dense((n_inputs, 8, n_features), seed=seed).encoder


def small_model(n_clusters=4, **options):
    model = kdec.KMeansLoss(small_encoder(), n_clusters, **options)
    model.compile(keras.optimizers.Adam(0.01))
    return model


def samples(n=200, n_inputs=6, seed=0):
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=2.0, size=(4, n_inputs))
    return (centers[np.arange(n) % 4] + rng.normal(size=(n, n_inputs))).astype("float32")


def test_loss_and_centroids_equal_a_plain_numpy_version():
    z = make_blobs()
    figures, centroids = kmeans_loss(tf.constant(z), tf.constant(z[:3]))
    loss, expected_centroids = numpy_loss(z, z[:3])
    np.testing.assert_allclose(centroids, expected_centroids, rtol=1e-12)
    np.testing.assert_allclose(figures["loss"], loss, rtol=1e-12)


def test_centroids_equal_those_of_scikit_learn():
    z = make_blobs(n=300, n_clusters=5)
    expected = KMeans(5, init=z[:5], n_init=1, tol=0, algorithm="lloyd").fit(z)
    figures, centroids = kmeans_loss(tf.constant(z), tf.constant(z[:5]), max_iterations=300)
    np.testing.assert_allclose(centroids, expected.cluster_centers_, rtol=1e-10)
    np.testing.assert_allclose(figures["attraction"], expected.inertia_ / 300, rtol=1e-12)


def test_iterations_end_at_the_limit():
    z = make_blobs(n=300, n_clusters=5)
    figures, centroids = kmeans_loss(tf.constant(z), tf.constant(z[:5]), max_iterations=2)
    loss, expected = numpy_loss(z, z[:5], max_iterations=2)
    np.testing.assert_allclose(centroids, expected, rtol=1e-12)
    np.testing.assert_allclose(figures["loss"], loss, rtol=1e-12)


def test_terms_sum_to_the_loss_and_spread_is_the_distance_to_the_mean():
    z = make_blobs()
    figures, _ = kmeans_loss(tf.constant(z), tf.constant(z[:3]))
    np.testing.assert_allclose(figures["attraction"] + figures["repulsion"], figures["loss"])
    np.testing.assert_allclose(figures["spread"], np.sqrt(z.var(axis=0).sum()), rtol=1e-12)


def test_gradient_equals_finite_differences():
    z = make_blobs(n=30)
    start = z[:3].copy()
    expected = finite_differences(lambda moved: numpy_loss(moved, start)[0], z)
    np.testing.assert_allclose(gradient_of_loss(z, start), expected, rtol=1e-6, atol=1e-8)


def test_gradient_with_the_stop_equals_finite_differences_at_fixed_centroids():
    z = make_blobs(n=30)
    _, centroids = numpy_loss(z, z[:3])
    expected = finite_differences(lambda moved: numpy_loss(moved, z[:3], centroids)[0], z)
    stopped = gradient_of_loss(z, z[:3], stop_gradient=True)
    np.testing.assert_allclose(stopped, expected, rtol=1e-6, atol=1e-8)
    assert np.abs(stopped - gradient_of_loss(z, z[:3])).max() > 1e-5


@pytest.mark.parametrize("max_iterations", [1, 2, 3, 50])
def test_gradient_equals_that_through_every_iteration(max_iterations):
    z = make_blobs(n=200, n_clusters=5)
    points = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(points)
        loss = loss_through_the_loop(points, tf.constant(z[:5]), max_iterations)
    expected = tape.gradient(loss, points).numpy()
    ours = gradient_of_loss(z, z[:5], max_iterations=max_iterations)
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-14)


def test_gradient_counts_a_cluster_that_lost_its_members_for_a_constant():
    z = make_blobs(n=30)
    start = np.concatenate([z[:3], [[1e3, 1e3, 1e3]]])
    expected = finite_differences(lambda moved: numpy_loss(moved, start[:3])[0], z)
    np.testing.assert_allclose(gradient_of_loss(z, start), expected, rtol=1e-6, atol=1e-8)


def test_empty_cluster_keeps_its_centroid_and_has_no_part_in_the_loss():
    z = make_blobs()
    far = np.full((1, 3), 1e3)
    start = np.concatenate([z[:3], far])
    figures, centroids = kmeans_loss(tf.constant(z), tf.constant(start))
    np.testing.assert_allclose(centroids[3:], far)
    np.testing.assert_allclose(figures["loss"], numpy_loss(z, z[:3])[0], rtol=1e-12)


def test_shares_of_a_cluster_that_becomes_empty_are_those_of_its_last_members():
    z = tf.constant([[-3.0], [-1.0], [0.0], [0.4], [4.0]])
    shares = lloyd_shares(z, tf.constant([[-2.0], [-1.9], [50.0]]), 50).numpy()
    np.testing.assert_allclose(shares.sum(axis=1), [1.0, 1.0, 0.0], rtol=1e-6)


def test_loss_far_from_the_origin_loses_no_digits():
    z = make_blobs(dtype="float32")
    near, _ = kmeans_loss(tf.constant(z), tf.constant(z[:3]))
    moved = (np.round(z * 64) / 64 + 2**14).astype("float32")
    still = (moved.astype("float64") - 2**14).astype("float32")
    at_origin, _ = kmeans_loss(tf.constant(still), tf.constant(still[:3]))
    far, _ = kmeans_loss(tf.constant(moved), tf.constant(moved[:3]))
    np.testing.assert_allclose(far["loss"], at_origin["loss"], rtol=1e-4)
    np.testing.assert_allclose(near["loss"], at_origin["loss"], rtol=1e-2)


def test_one_step_gives_the_loss_of_the_first_batch_from_its_first_rows():
    x, model = samples(), small_model()
    z = model.encoder.predict(x, verbose=0).astype("float64")
    expected_loss, expected_centroids = numpy_loss(z, z[:4])
    loss, *_ = model.train_on_batch(x)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-4)
    np.testing.assert_allclose(model.clusters, expected_centroids, rtol=1e-3, atol=1e-5)


def test_second_batch_starts_from_the_centroids_of_the_first():
    x, model = samples(), small_model(max_iterations=1)
    model.train_on_batch(x[:100])
    start = model.clusters
    z = model.encoder.predict(x[100:], verbose=0)
    _, expected = numpy_loss(z, start, max_iterations=1)
    model.train_on_batch(x[100:])
    np.testing.assert_allclose(model.clusters, expected, rtol=1e-4, atol=1e-5)


def test_fit_lowers_the_loss():
    history = small_model().fit(samples(), epochs=20, batch_size=50, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_evaluate_changes_nothing():
    x, model = samples(), small_model()
    model.fit(x, verbose=0)
    before = model.get_weights()
    model.evaluate(x, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_with_nan_is_skipped_counted_and_logged(caplog):
    x, model = samples(), small_model()
    model.train_on_batch(x[:100])
    before = model.get_weights()
    optimizer_before = [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
    x[5, 2] = np.nan
    with caplog.at_level(logging.WARNING, logger="kdec"):
        figures = model.train_on_batch(x[:100], return_dict=True)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(optimizer_before, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    assert figures["skipped_batches"] == 1
    assert "Skipped a batch" in caplog.text


def test_first_batch_with_nan_leaves_the_start_to_the_second():
    x, model = samples(), small_model()
    bad = x[:100].copy()
    bad[0] = np.nan
    model.train_on_batch(bad)
    z = model.encoder.predict(x[100:], verbose=0)
    model.train_on_batch(x[100:])
    np.testing.assert_allclose(model.clusters, numpy_loss(z, z[:4])[1], rtol=1e-3, atol=1e-5)


def batches(x):
    return tf.data.Dataset.from_tensor_slices(x).batch(50)


def test_nan_batch_inside_fit_leaves_the_epoch_figures_finite():
    x = samples()
    x[:50] = np.nan
    # As a dataset: an array with NaN is refused before any work.
    history = small_model().fit(batches(x), epochs=2, verbose=0).history
    assert history["skipped_batches"] == [1, 1]
    assert np.isfinite(history["loss"]).all()


def test_more_clusters_than_distinct_points_stay_finite():
    x = np.repeat(samples(3), 10, axis=0)
    model = small_model(n_clusters=8)
    history = model.fit(x, batch_size=30, epochs=3, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(model.clusters).all()


def test_first_batch_smaller_than_the_clusters_is_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least `n_clusters` samples"):
        small_model().train_on_batch(samples(3))


def test_later_batch_may_be_smaller_than_the_clusters():
    model = small_model()
    model.train_on_batch(samples(100))
    assert np.isfinite(model.train_on_batch(samples(3), return_dict=True)["loss"])


def test_early_stopping_restores_the_best_weights_and_centroids():
    model = small_model()
    stopping = keras.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    kept = {}

    def keep(epoch, logs):
        kept[epoch] = model.clusters

    def spoil(epoch, logs=None):
        if epoch == 3:
            model.optimizer.learning_rate.assign(30.0)

    spoiling = keras.callbacks.LambdaCallback(on_epoch_begin=spoil, on_epoch_end=keep)
    history = model.fit(samples(), epochs=50, callbacks=[spoiling, stopping], verbose=0).history
    assert len(history["loss"]) < 50
    np.testing.assert_array_equal(model.clusters, kept[stopping.best_epoch])


def test_reconstruction_term_is_weighted_and_trains_the_decoder():
    autoencoder = kdec.autoencoders.dense((6, 8, 3), seed=0)
    model = kdec.KMeansLoss(
        autoencoder.encoder, 4, decoder=autoencoder.decoder, reconstruction_weight=5.0
    )
    model.compile(keras.optimizers.Adam(0.01))
    x = samples()
    error = np.mean(np.square(autoencoder.predict(x, verbose=0) - x))
    before = autoencoder.decoder.get_weights()
    figures = model.train_on_batch(x, return_dict=True)
    np.testing.assert_allclose(figures["reconstruction_loss"], error, rtol=1e-5)
    terms = figures["attraction"] + figures["repulsion"] + 5.0 * error
    np.testing.assert_allclose(figures["loss"], terms, rtol=1e-5)
    assert not np.array_equal(before[0], autoencoder.decoder.get_weights()[0])


def test_decoder_without_weight_does_not_train():
    autoencoder = kdec.autoencoders.dense((6, 8, 3), seed=0)
    model = kdec.KMeansLoss(autoencoder.encoder, 4, decoder=autoencoder.decoder)
    model.compile(keras.optimizers.AdamW(0.01))
    before = autoencoder.decoder.get_weights()
    model.fit(samples(), epochs=2, verbose=0)
    np.testing.assert_array_equal(before[0], autoencoder.decoder.get_weights()[0])


def test_predict_clusters_gives_the_nearest_centroid():
    x, model = samples(), small_model()
    model.fit(x, epochs=3, verbose=0)
    distances = cdist(model.predict(x, verbose=0), model.clusters)
    np.testing.assert_array_equal(model.predict_clusters(x), distances.argmin(axis=1))


def test_label_does_not_depend_on_the_other_samples():
    x, model = samples(), small_model()
    model.fit(x, epochs=3, verbose=0)
    labels = model.predict_clusters(x)
    x[0] *= 1e20
    np.testing.assert_array_equal(model.predict_clusters(x)[1:], labels[1:])


def test_clusters_far_from_the_origin_lose_no_digits():
    shift = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    shift.set_weights([np.eye(3, dtype="float32"), np.full(3, 2.0**14, "float32")])
    model = kdec.KMeansLoss(shift, 4)
    model.compile(keras.optimizers.SGD(0.0))
    x = make_blobs(n=200, n_clusters=4, dtype="float32")
    model.fit(x, batch_size=200, verbose=0)
    distances = cdist(model.predict(x, verbose=0), model.clusters)
    np.testing.assert_array_equal(model.predict_clusters(x), distances.argmin(axis=1))


def test_clusters_of_samples_that_are_not_finite_are_an_error():
    # Linear, since TensorFlow's relu may make 0 of NaN.
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    x, model = samples(), kdec.KMeansLoss(encoder, 4)
    model.compile("adam")
    model.fit(x, verbose=0)
    for value in (np.nan, np.inf):
        x[[0, 7], 0] = value
        with pytest.raises(ValueError, match=r"Expected finite.*Received: .* 2 of 200 samples"):
            model.predict_clusters(x)


def test_batch_size_of_clusters_is_a_positive_int():
    x, model = samples(), small_model()
    model.fit(x, verbose=0)
    for batch_size in (0, -1, 2.5, None):
        with pytest.raises(ValueError, match=r"Expected `batch_size` to be a positive int\. Rec"):
            model.predict_clusters(x, batch_size=batch_size)


@pytest.mark.parametrize(("n", "batch_size"), [(200, 3), (3, None)])
def test_first_batch_of_too_few_samples_is_refused_before_any_work(n, batch_size):
    x, model = samples(n), small_model()
    with pytest.raises(ValueError, match=rf"n_clusters=4 samples.*Received: {n} .* batches of 3"):
        model.fit(x, batch_size=batch_size, verbose=0)
    model.fit(samples(), verbose=0)
    model.fit(x, batch_size=batch_size, verbose=0)  # It has its centroids by now.


def test_clusters_before_any_training_are_an_error():
    with pytest.raises(ValueError, match="Expected a trained model"):
        kdec.KMeansLoss(small_encoder(), 3).predict_clusters(np.zeros((5, 6), "float32"))


@pytest.mark.parametrize("option", ["loss", "loss_weights", "metrics", "weighted_metrics"])
def test_another_loss_or_metric_is_refused(option):
    with pytest.raises(ValueError, match=f"Expected no `{option}`: .* Received: {option}="):
        kdec.KMeansLoss(small_encoder(), 3).compile("adam", **{option: ["mse"]})


def test_numpy_ints_count_as_ints():
    assert kdec.KMeansLoss(small_encoder(), np.int64(3)).clusters.shape[0] == 3


def test_conv_encoder_takes_images_without_a_channel_axis():
    autoencoder = kdec.autoencoders.conv_pooling((16, 16, 1), seed=0)
    model = kdec.KMeansLoss(
        autoencoder.encoder, 3, decoder=autoencoder.decoder, reconstruction_weight=1.0
    )
    model.compile("adam")
    x = np.random.default_rng(0).random((20, 16, 16), dtype="float32")
    assert np.isfinite(model.train_on_batch(x, return_dict=True)["loss"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 1}, "`n_clusters` to be an int of at least 2"),
        ({"n_clusters": True}, "`n_clusters` to be an int"),
        ({"n_clusters": 3, "max_iterations": 0}, "`max_iterations` to be a positive int"),
        ({"n_clusters": 3, "reconstruction_weight": 1.0}, "Expected a `decoder`"),
        ({"n_clusters": 3, "reconstruction_weight": -1.0}, "finite, at least 0"),
        ({"n_clusters": 3, "reconstruction_weight": "1"}, "at least 0.*Received: .*='1'"),
        ({"n_clusters": 3, "reconstruction_weight": np.inf}, "finite.*Received: .*=inf"),
    ],
)
def test_wrong_argument_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        kdec.KMeansLoss(small_encoder(), **options)


def test_decoder_that_does_not_fit_is_an_error():
    decoder = kdec.autoencoders.dense((6, 8, 2)).decoder
    with pytest.raises(ValueError, match="Expected a decoder"):
        kdec.KMeansLoss(small_encoder(), 3, decoder=decoder)


def test_encoder_must_be_a_built_model():
    with pytest.raises(TypeError, match=r"`encoder` to be a keras\.Model"):
        kdec.KMeansLoss("encoder", 3)
    with pytest.raises(ValueError, match="one that is not built"):
        kdec.KMeansLoss(keras.Sequential([keras.layers.Dense(3)]), 3)


def test_batch_in_one_cluster_is_skipped():
    # Equal rows fall into one cluster; rounding must not pass for a distance to the others.
    x = samples()
    x[:50] = x[0]
    model = small_model()
    model.train_on_batch(x[50:])
    before = model.get_weights()
    figures = model.train_on_batch(x[:50], return_dict=True)
    assert figures["skipped_batches"] == 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_samples_of_any_unit_train(scale):
    model = small_model()
    history = model.fit(scale * samples(), batch_size=50, epochs=5, verbose=0).history
    assert history["skipped_batches"] == [0] * 5
    assert history["loss"][-1] < history["loss"][0]
    assert len(np.unique(model.predict_clusters(scale * samples()))) > 1


def test_centroids_that_a_step_left_behind_start_anew():
    x, model = samples(), small_model()
    model.train_on_batch(x[:100])
    output = model.encoder.layers[-1]
    output.bias.assign(output.bias + 1000)
    z = model.encoder.predict(x[100:], verbose=0)
    model.train_on_batch(x[100:])
    np.testing.assert_allclose(model.clusters, numpy_loss(z, z[:4])[1], rtol=1e-4)


def test_centroids_are_left_behind_only_by_samples_that_are_near_each_other():
    z = tf.constant([[10.0], [12.0]])
    assert not are_left_behind(tf.constant([[11.5], [50.0]]), z)  # one cluster, and in it
    assert not are_left_behind(tf.constant([[0.0], [22.5]]), z)  # two clusters, both far off
    assert are_left_behind(tf.constant([[8.0], [50.0]]), z)


def test_evaluate_leaves_out_the_batches_that_training_skips(caplog):
    x, model = samples(150), small_model()
    model.fit(x, batch_size=50, verbose=0)
    expected = model.evaluate(x[100:], batch_size=50, verbose=0, return_dict=True)
    x[:50] = x[0]
    x[50:100] = np.nan
    with caplog.at_level(logging.WARNING, logger="kdec"):
        figures = model.evaluate(x, batch_size=50, verbose=0, return_dict=True)
    assert figures.pop("skipped_batches") == 2
    assert expected.pop("skipped_batches") == 0
    assert figures == pytest.approx(expected)
    assert caplog.text.count("Skipped a batch") == 2


def test_validation_on_data_sorted_by_class_is_finite_and_counts():
    x = samples()
    validation = np.concatenate([np.repeat(x[:1], 50, axis=0), x[:50]])
    history = small_model().fit(
        x, batch_size=50, validation_data=(validation, None), validation_batch_size=50, verbose=0
    )
    assert np.isfinite(history.history["val_loss"]).all()
    assert history.history["val_skipped_batches"] == [1]
    assert history.history["skipped_batches"] == [0]


def test_loss_of_one_cluster_is_infinite_whatever_rounding_leaves():
    rng = np.random.default_rng(0)
    for _ in range(20):
        z = rng.normal(size=(7, 3)).astype("float32")
        start = np.stack([z.mean(axis=0), np.full(3, 1e3, "float32")])
        figures, _ = kmeans_loss(tf.constant(z), tf.constant(start))
        assert figures["loss"] == np.inf


def test_figures_of_an_epoch_without_a_batch_are_nan_and_no_best_ones(tmp_path):
    x, model = samples(), small_model()
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="loss", mode="min", save_best_only=True
    )
    model.fit(x, verbose=0, callbacks=[best])
    saved = (tmp_path / "best.keras").read_bytes()
    history = model.fit(batches(x * np.nan), epochs=2, verbose=0, callbacks=[best]).history
    assert np.isnan(history["loss"]).all()
    assert np.isnan(history["spread"]).all()
    assert (tmp_path / "best.keras").read_bytes() == saved


def test_half_precision_finds_a_scale_and_trains():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small_model()
        history = model.fit(samples(), epochs=20, batch_size=50, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert history["skipped_batches"][-1] == 0
    assert history["loss"][-1] < 0.8 * np.nanmax(history["loss"])


def test_losses_of_the_encoder_itself_count():
    x, model = samples(), small_model()
    plain = model.evaluate(x, verbose=0, return_dict=True)["loss"]
    kernel = model.encoder.layers[1].kernel
    kernel.regularizer = keras.regularizers.L2(0.5)
    own = 0.5 * np.square(np.asarray(kernel)).sum()
    model.make_test_function(force=True)
    loss = model.evaluate(x, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(plain + own, rel=1e-5)


def test_model_exports_without_a_signature(tmp_path):
    x, model = samples(), small_model()
    model.export(tmp_path / "folder", verbose=False)
    expected = model.predict(x, verbose=0)
    loaded = tf.saved_model.load(str(tmp_path / "folder"))
    z = loaded.serve(x)
    np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-6)
