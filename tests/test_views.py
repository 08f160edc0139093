"""Random views: the affine map against SciPy, when they act, their seeds, that they come back."""

import keras
import numpy as np
import pytest
import scipy.ndimage

import kdec
from kdec.views import FeatureDropout, RandomAffine, RandomNoise

LAYERS = [RandomAffine, RandomNoise, FeatureDropout]
STILL = {"rotation": 0, "scale": (1, 1), "shear": 0, "shift": 0}


@pytest.fixture
def images():
    return np.random.default_rng(0).random((5, 9, 12, 1), dtype="float32")


def view(layer, samples):
    return keras.ops.convert_to_numpy(layer(samples, training=True))


def by_scipy(image, matrix, offset, fill_value):
    """The image (h, w) under the map from a view's (row, column) back to the image's."""
    return scipy.ndimage.affine_transform(
        image, matrix, offset, order=1, mode="grid-constant", cval=fill_value
    )


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_affine_view_is_that_of_scipy(channels, flip):
    shape = (4, 10, 13) if channels is None else (4, 10, 13, channels)
    images = np.random.default_rng(0).random(shape, dtype="float32")
    viewed = view(RandomAffine(flip=flip, fill_value=0.25, seed=3), images)
    # A fresh layer of the same seed draws the same maps.
    maps = np.asarray(RandomAffine(flip=flip, seed=3).maps(4, 10, 13))
    planes = images.reshape(4, 10, 13, -1)
    for image, seen, (a0, a1, a2, b0, b1, b2, *_) in zip(
        planes, viewed.reshape(planes.shape), maps, strict=True
    ):
        for channel in range(planes.shape[-1]):
            expected = by_scipy(image[..., channel], [[b1, b0], [a1, a0]], [b2, a2], 0.25)
            np.testing.assert_allclose(seen[..., channel], expected, atol=1e-4)


def test_map_is_the_inverse_of_flip_scale_shear_turn_and_shift_about_the_centre():
    layer = RandomAffine(flip=True, seed=5)
    a0, a1, a2, b0, b1, b2, *_ = np.asarray(layer.maps(1, 20, 30), "float64")[0]
    draws = keras.random.uniform((1, 7), dtype="float32", seed=keras.random.SeedGenerator(5))
    angle, shear, x, y, scale_x, scale_y, flip = np.asarray(draws, "float64")[0]
    angle, shear = 0.3 * (2 * angle - 1), 0.3 * (2 * shear - 1)
    x, y = 30 * 0.11 * (2 * x - 1), 20 * 0.11 * (2 * y - 1)
    scale_x, scale_y = 0.85 + 0.35 * scale_x, 0.85 + 0.35 * scale_y
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    forward = np.array(turn) @ [[1, shear], [0, 1]] @ np.diag([scale_x, scale_y])
    forward = forward @ np.diag([-1 if flip < 0.5 else 1, 1])
    centre, inverse = np.array([14.5, 9.5]), np.linalg.inv(forward)
    np.testing.assert_allclose([[a0, a1], [b0, b1]], inverse, rtol=1e-5)
    np.testing.assert_allclose([a2, b2], centre - inverse @ (centre + np.array([x, y])), rtol=1e-4)


def test_no_range_at_all_leaves_the_image(images):
    np.testing.assert_allclose(view(RandomAffine(**STILL), images), images, atol=1e-6)


def test_flip_exchanges_left_and_right_of_about_half(images):
    many = np.repeat(images[:1], 400, axis=0)
    viewed = view(RandomAffine(**STILL, flip=True, seed=0), many)
    mirrored = np.abs(viewed - many[:, :, ::-1]).max(axis=(1, 2, 3)) < 1e-5
    same = np.abs(viewed - many).max(axis=(1, 2, 3)) < 1e-5
    assert np.all(mirrored ^ same)
    assert 0.4 < mirrored.mean() < 0.6


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_shift_is_a_share_of_each_side(share):
    maps = np.asarray(RandomAffine(**{**STILL, "shift": share}, seed=0).maps(2000, 20, 40))
    assert np.abs(maps[:, 2]).max() == pytest.approx(40 * share, rel=0.01)
    assert np.abs(maps[:, 5]).max() == pytest.approx(20 * share, rel=0.01)


def test_scale_above_one_enlarges():
    image = np.zeros((1, 21, 21), "float32")
    image[:, 8:13, 8:13] = 1
    viewed = view(RandomAffine(**{**STILL, "scale": (2, 2)}), image)
    assert viewed.sum() == pytest.approx(4 * image.sum(), rel=0.1)


def test_noise_has_its_standard_deviation():
    noise = view(RandomNoise(0.3, seed=0), np.full((300, 200), 5.0, "float32")) - 5
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_dropped_features_are_zero_and_the_others_as_they_were():
    x = np.random.default_rng(0).normal(size=(300, 200)).astype("float32")
    kept = view(FeatureDropout(0.3, seed=0), x)
    assert np.mean(kept == 0) == pytest.approx(0.3, rel=0.02)
    np.testing.assert_array_equal(kept[kept != 0], x[kept != 0])


@pytest.mark.parametrize("layer", LAYERS)
def test_samples_stay_as_they_are_outside_training(layer, images):
    np.testing.assert_array_equal(layer()(images), images)
    np.testing.assert_array_equal(layer()(images, training=False), images)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_call_gives_other_views_and_a_seed_the_same_ones_again(layer, images):
    one, two = layer(seed=1), layer(seed=1)
    first, second = view(one, images), view(one, images)
    np.testing.assert_array_equal(view(two, images), first)
    np.testing.assert_array_equal(view(two, images), second)
    assert np.any(first != second)
    assert np.any(view(layer(seed=2), images) != first)


@pytest.mark.parametrize("layer", LAYERS)
def test_each_sample_of_a_batch_has_a_view_of_its_own(layer, images):
    viewed = view(layer(seed=0), np.repeat(images[:1], 6, axis=0))
    assert len({sample.tobytes() for sample in viewed}) == 6


@pytest.mark.parametrize(
    "layer",
    [
        RandomAffine(0.1, (0.9, 1.5), 0.2, 0.3, True, 0.5, name="turned"),
        RandomNoise(0.7, name="noise"),
        FeatureDropout(0.4, name="dropout"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layer_in_a_saved_model_comes_back_with_all_arguments_and_its_views(
    layer, images, tmp_path
):
    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    model.save(tmp_path / "views.keras")
    loaded = keras.models.load_model(tmp_path / "views.keras")
    assert loaded.layers[-1].get_config() == layer.get_config()
    np.testing.assert_array_equal(
        view(type(layer).from_config(layer.get_config()), images), view(loaded, images)
    )


def test_views_work_in_a_dataset_and_of_batches_of_unknown_size(images):
    import tensorflow as tf

    layer = RandomAffine(seed=0)
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(2)
    batches = list(dataset.map(lambda batch: layer(batch, training=True)))
    assert [tuple(batch.shape) for batch in batches] == [
        (2, 9, 12, 1),
        (2, 9, 12, 1),
        (1, 9, 12, 1),
    ]


@pytest.mark.parametrize("layer", LAYERS)
def test_half_precision_gives_half_precision(layer, images):
    viewed = layer(dtype="mixed_bfloat16")(images, training=True)
    assert keras.backend.standardize_dtype(viewed.dtype) == "bfloat16"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomAffine(rotation=-1), "Expected `rotation` .* Received: rotation=-1"),
        (lambda: RandomAffine(shear=np.inf), "Expected `shear` .* Received: shear=inf"),
        (lambda: RandomAffine(shift="a"), "Expected `shift` .* Received: shift='a'"),
        (lambda: RandomAffine(scale=1.2), "Expected `scale` .* Received: scale=1.2"),
        (lambda: RandomAffine(scale=(2, 1)), "Expected `scale` .* Received: scale=\\(2, 1\\)"),
        (lambda: RandomAffine(seed=-1), "Expected `seed` .* Received: seed=-1"),
        (lambda: RandomNoise(-0.1), "Expected `stddev` .* Received: stddev=-0.1"),
        (lambda: FeatureDropout(1.0), "Expected `rate` .* Received: rate=1.0"),
        (lambda: view(RandomAffine(), np.ones((3, 4))), r"Expected images .* shape \(3, 4\)"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 8, 1), (3, 8, 8, 3), (3, 64)])
def test_picture_shows_each_image_above_its_views(shape):
    images = np.random.default_rng(0).random(shape, dtype="float32")
    figure = kdec.plots.views(images, RandomNoise(0.1, seed=0), n_views=2)
    shown = [np.asarray(ax.get_images()[0].get_array()) for ax in figure.axes]
    assert len(shown) == 9
    np.testing.assert_allclose(np.ravel(shown[:3]), np.ravel(images), rtol=1e-6)
    expected = RandomNoise(0.1, seed=0)
    for row in (shown[3:6], shown[6:]):
        np.testing.assert_allclose(np.ravel(row), np.clip(view(expected, images), 0, 1).ravel())
