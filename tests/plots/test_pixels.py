"""Images of any type, range and layout: which grey or colour each value is drawn in."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.testing import assert_allclose, assert_array_equal

from kdec import plots
from kdec.plots.pixels import MISSING


def same(x, training):
    return x


# Each takes images of any kind and draws them in its first row.
DRAW = {
    "centroid_images": plots.centroid_images,
    "image_rows": lambda images, **options: plots.image_rows({"a": images}, **options),
    "reconstructions": lambda images, **options: plots.reconstructions(images, images, **options),
    "views": lambda images, **options: plots.views(images, same, n_views=1, **options),
}
every_plot = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)


def drawn(figure):
    return [ax.images[0].get_array() for ax in figure.axes]


def rendered(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


RANGES = {
    "booleans": (np.array([False, True]), [0, 1]),
    "mask of uint8": (np.uint8([0, 1]), [0, 1]),
    "mask of int64": (np.int64([0, 1]), [0, 1]),
    "uint8": (np.uint8([0, 51, 255]), [0, 0.2, 1]),
    "int64 to 200": (np.int64([0, 51, 200]), [0, 0.2, 200 / 255]),
    "int8 with negatives": (np.int8([-128, -1, 127]), [0, 127 / 255, 1]),
    "uint16": (np.uint16([0, 13107, 65535]), [0, 0.2, 1]),
    "uint16 of 12 bits": (np.uint16([95, 2095, 4095]), [0, 0.5, 1]),
    "classes": (np.int64([0, 4, 16]), [0, 0.25, 1]),
    "float16 to 1": (np.float16([0, 0.25, 1]), [0, 0.25, 1]),
    "float32 that is dark": (np.float32([0, 0.125, 0.25]), [0, 0.125, 0.25]),
    "float32 beyond [0, 1]": (np.float32([-0.5, 0.5, 1.5]), [0, 0.5, 1]),
    "float16 to 255": (np.float16([0, 51, 255]), [0, 0.2, 1]),
    "float32 to 255": (np.float32([0, 51, 255]), [0, 0.2, 1]),
    "float64 to 16": (np.array([0.0, 4, 16]), [0, 0.25, 1]),
    "float32 around zero": (np.float32([-1, 0, 1]), [0, 0.5, 1]),
    "float32 around zero, half": (np.float32([-0.5, 0, 0.5]), [0, 0.5, 1]),
    "all the same": (np.float32([7, 7]), [0.5, 0.5]),
    "black": (np.int64([0, 0]), [0, 0]),
    "white": (np.uint8([255, 255]), [1, 1]),
}


@every_plot
@pytest.mark.parametrize("name", RANGES)
def test_values_of_every_range_are_seen(draw, name):
    values, greys = RANGES[name]
    picture = draw(values.reshape(1, 1, -1))
    assert_allclose(drawn(picture)[0], [greys], atol=1e-7)
    assert picture.axes[0].images[0].get_clim() == (0, 1)


def test_the_largest_floats_have_a_range():
    largest = np.finfo("float64").max
    (image,) = drawn(plots.centroid_images([[[-largest, 0, largest]]]))
    assert_allclose(image, [[0, 0.5, 1]])


def test_bfloat16_of_a_layer_is_drawn():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    (image,) = drawn(plots.centroid_images(np.array([[[0, 0.5, 1]]], ml_dtypes.bfloat16)))
    assert_array_equal(image, [[0, 0.5, 1]])


@every_plot
def test_pixels_of_255_and_of_1_are_the_same_picture(draw):
    images = np.float32([[[0, 51], [102, 255]], [[255, 0], [0, 51]]])
    expected = rendered(draw(images / 255))
    assert set(np.unique(expected)) >= {0, 51, 102, 255}
    assert_array_equal(rendered(draw(images)), expected)
    assert_array_equal(rendered(draw(images.astype("uint8"))), expected)


GREY = np.random.default_rng(0).random((2, 3, 5)).astype("float32")
COLOR = np.random.default_rng(1).random((2, 4, 4, 3)).astype("float32")
FIRST = np.moveaxis(COLOR, -1, 1)
LAYOUTS = {
    "grey": (GREY, GREY, None),
    "grey, channel last": (GREY[..., None], GREY, None),
    "grey, channel first": (GREY[:, None], GREY, None),
    "grey, flat": (GREY.reshape(2, -1), GREY, (3, 5)),
    "grey, flat, channel first": (GREY.reshape(2, -1), GREY, [1, 3, 5]),
    "grey, shape given for no need": (GREY, GREY, np.array([3, 5])),
    "grey, flat and square": (GREY[:, :, :3].reshape(2, -1), GREY[:, :, :3], None),
    "colour": (COLOR, COLOR, None),
    "colour, channels first": (FIRST, COLOR, None),
    "colour, flat and square": (COLOR.reshape(2, -1), COLOR, None),
    "colour, flat": (COLOR[:, 1:].reshape(2, -1), COLOR[:, 1:], (3, 4, 3)),
    "colour, flat, channels first": (FIRST.reshape(2, -1), COLOR, (3, 4, 4)),
    "colour of 255": (COLOR * 255 / COLOR.max(), COLOR / COLOR.max(), None),
}


@every_plot
@pytest.mark.parametrize("name", LAYOUTS)
def test_images_of_every_layout_are_drawn(draw, name):
    images, expected, image_shape = LAYOUTS[name]
    assert_allclose(drawn(draw(images, image_shape=image_shape))[:2], expected, rtol=1e-6)


def test_flat_colours_as_cifar_has_them():
    images = np.random.default_rng(0).random((1, 3072))
    (last,) = drawn(plots.centroid_images(images))
    (first,) = drawn(plots.centroid_images(images, image_shape=(3, 32, 32)))
    assert_array_equal(last, images.reshape(32, 32, 3))
    assert_array_equal(first, images.reshape(3, 32, 32).transpose(1, 2, 0))


@every_plot
def test_range_that_is_given_counts(draw):
    picture = draw(np.float32([[[0, 10, 20, 40]]]), value_range=(10, 30))
    assert_allclose(drawn(picture)[0], [[0, 0, 0.5, 1]])


def test_all_images_of_a_row_share_a_range_and_rows_do_not():
    figure = plots.image_rows({"a": [[[0.0, 100]], [[0, 200]]], "b": [[[0.0, 0.5]], [[0, 1]]]})
    assert_allclose(np.array(drawn(figure))[:, 0, 1], [100 / 255, 200 / 255, 0.5, 1])


def test_views_keep_the_range_of_the_images():
    picture = plots.views(np.float32([[[0, 1]]]), lambda x, training: x + 1, n_views=1)
    assert_array_equal(np.array(drawn(picture))[:, 0], [[0, 1], [1, 1]])


@every_plot
def test_missing_values_are_seen_and_infinite_ones_clipped(draw):
    (image, *_) = drawn(draw(np.float32([[[np.nan, -np.inf, 0, 51, 255, np.inf]]])))
    assert_array_equal(np.ma.getmaskarray(image), [[True] + [False] * 5])
    assert_allclose(image[0, 1:], [0, 0, 0.2, 1, 1])


def test_missing_values_have_a_color_that_no_grey_has():
    figure = plots.centroid_images(np.full((1, 2, 2), np.nan))
    height, width = rendered(figure).shape[:2]
    middle = rendered(figure)[height // 2, width // 2, :3]
    assert_allclose(middle / 255, MISSING, atol=1 / 255)
    colors = np.zeros((1, 2, 2, 3))
    colors[0, 0, 0, 1] = np.nan
    (image,) = drawn(plots.centroid_images(colors))
    assert_array_equal(image[:, :, 0], [[MISSING[0], 0], [0, 0]])


@every_plot
@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (np.zeros((1, 2, 2), complex), {}, TypeError, "real numbers.*Received: dtype complex128"),
        (np.array([[["a"]]]), {}, TypeError, "real numbers.*Received: dtype <U1"),
        ([[[1], [1, 2]]], {}, ValueError, "Received: .* different (shapes|lengths)"),
        (np.zeros((1, 2, 5, 5)), {}, ValueError, r"Received: shape \(1, 2, 5, 5\)"),
        (np.zeros((2, 6)), {"image_shape": (2, 4)}, ValueError, r"\(k, 8\).*shape \(2, 6\)"),
        (np.zeros((2, 4, 2)), {"image_shape": (2, 4)}, ValueError, r"\(k, 2, 4\).*\(2, 4, 2\)"),
        (np.zeros((2, 6)), {"image_shape": 6}, ValueError, "`image_shape` to be .*Received: 6"),
        (np.zeros((2, 6)), {"image_shape": (2, -3)}, ValueError, "`image_shape` to be"),
        (np.zeros((2, 6)), {"image_shape": (2, 3.5)}, ValueError, "`image_shape` to be"),
        (np.zeros((2, 8)), {"image_shape": (2, 2, 2)}, ValueError, "`image_shape` to be"),
        (np.zeros((2, 4)), {"value_range": (1, 0)}, ValueError, r"`value_range`.*\(1, 0\)"),
        (np.zeros((2, 4)), {"value_range": (0, np.inf)}, ValueError, "`value_range`"),
        (np.zeros((2, 4)), {"value_range": 255}, ValueError, "`value_range`.*Received: 255"),
    ],
)
def test_what_is_no_image_is_rejected_before_any_figure(draw, images, options, error, message):
    with pytest.raises(error, match=f"Expected .*{message}"):
        draw(images, **options)
    assert plt.get_fignums() == []
