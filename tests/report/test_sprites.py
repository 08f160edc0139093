"""Images as small ones."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from kdec.report.sprites import data_uri, make_sheet, thumbnails, value_range


def opened(address):
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_sheet_has_the_images_row_by_row():
    tiles = np.arange(7, dtype=np.uint8)[:, None, None] * np.ones((7, 2, 3), np.uint8)
    sheet = make_sheet(tiles)
    assert (sheet.width, sheet.height, sheet.columns) == (3, 2, 3)
    assert sheet.image.size == (9, 6)
    pixels = np.asarray(sheet.image)
    assert pixels[::2, ::3].ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 0]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 8, 8), (3, 8, 8)),
        ((5, 8, 8, 1), (3, 8, 8)),
        ((5, 8, 8, 2), (3, 8, 8)),
        ((5, 8, 8, 3), (3, 8, 8, 3)),
        ((5, 40, 80), (3, 16, 32)),
        ((5, 80, 2, 3), (3, 32, 1, 3)),
    ],
)
def test_thumbnails_of_any_shape(shape, expected):
    images = np.random.default_rng(0).random(shape)
    assert thumbnails(images, 32, (0, 1), rows=np.array([4, 0, 2])).shape == expected


def test_small_images_stay_what_they_are():
    images = np.arange(256).reshape(1, 16, 16) / 255
    [tile] = thumbnails(images, 32, value_range(images), rows=np.array([0]))
    assert np.array_equal(tile.ravel(), np.arange(256))
    assert np.array_equal(np.asarray(opened(data_uri(Image.fromarray(tile)))), tile)


def test_values_beyond_0_and_1_are_black_and_white_at_their_ends():
    images = np.array([[[-2.0, 0.0], [1.0, 2.0]]])
    assert value_range(images) == (-2, 2)
    assert value_range(images / 255 + 0.1) == (0, 1)
    [tile] = thumbnails(images, 32, value_range(images), rows=np.array([0]))
    assert tile.ravel().tolist() == [0, 128, 191, 255]


def test_large_sheet_becomes_worse_until_it_fits():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    assert len(data_uri(image, max_bytes=20_000)) < 1.4 * 20_000 < len(data_uri(image))
    assert opened(data_uri(image, max_bytes=20_000)).size == (200, 200)
