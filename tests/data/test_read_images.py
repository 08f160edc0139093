"""`data.read` on folders of images: pixels, sizes, labels, and files that cannot be trusted."""

import json
import os
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from kdec.data import preparation_from_config, read

GREY = np.array([[0, 51], [102, 255]], np.uint8)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    return path


def save(path, pixels, mode=None, **options):
    path.parent.mkdir(exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class TestPixels:
    def test_grey_files_are_divided_by_255_and_sorted_by_name(self, folder):
        save(folder / "b.png", GREY)
        save(folder / "a.PNG", GREY.T)
        data = read(folder)
        assert data.name == "photos"
        assert data.samples.tolist() == ["a.PNG", "b.png"]
        assert data.x.dtype == np.float32
        np.testing.assert_array_equal(data.x, np.float32([GREY.T, GREY]) / np.float32(255))

    def test_colours(self, folder):
        pixels = noise(5, 4)
        save(folder / "a.png", pixels)
        save(folder / "b.png", pixels[:, :, 0])
        expected = np.float32([pixels, np.repeat(pixels[:, :, :1], 3, axis=2)]) / np.float32(255)
        np.testing.assert_array_equal(read(folder).x, expected)
        np.testing.assert_array_equal(read(folder, color=True).x, expected)
        grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float32) / np.float32(255)
        np.testing.assert_array_equal(read(folder, color=False).x, [grey, expected[1, :, :, 0]])

    @pytest.mark.parametrize("color", [False, True])
    def test_16_bits_are_not_cut_off(self, color, folder):
        deep = np.array([[0, 13107], [26214, 65535]], np.uint16)
        save(folder / "deep.png", deep)
        save(folder / "plain.png", GREY.T)
        data = read(folder, color=color or None)
        expected = np.repeat((deep / 65535)[..., None], 3, axis=-1) if color else deep / 65535
        np.testing.assert_allclose(data.x[0], expected, rtol=1e-6)

    @pytest.mark.parametrize("is_grey", [False, True])
    def test_palette(self, is_grey, folder):
        colors = np.array([[0, 0, 0], [255, 0, 0], [10, 20, 30], [9, 9, 9]], np.uint8)
        if is_grey:
            colors[:] = colors[:, :1]
        for name, indices in (("a", [[0, 1], [2, 3]]), ("b", [[3, 1], [2, 0]])):
            image = Image.fromarray(np.array(indices, np.uint8), mode="L")
            image.putpalette(colors.tobytes())
            image.save(folder / f"{name}.png")
        expected = (colors[:, 0] if is_grey else colors)[[[0, 1], [2, 3]]] / 255
        np.testing.assert_allclose(read(folder).x[0], expected, rtol=1e-6)

    def test_one_bit(self, folder):
        save(folder / "a.png", GREY, "1")
        save(folder / "b.png", 255 - GREY, "1")
        assert set(np.unique(read(folder).x)) == {0, 1}

    def test_what_is_transparent_is_white(self, folder):
        pixels = np.zeros((1, 3, 4), np.uint8)
        pixels[0, :, 3] = [0, 255, 51]
        save(folder / "a.png", pixels)
        save(folder / "b.png", pixels[:, ::-1])
        assert np.round(read(folder, color=False).x[0] * 255).tolist() == [[255, 0, 204]]
        assert read(folder).x.shape == (2, 1, 3, 3)

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    def test_exif_turns_an_image(self, suffix, folder):
        pixels = np.kron(np.array([[0, 80], [160, 240], [40, 200]]), np.ones((8, 8)))
        exif = Image.Exif()
        exif[274] = 6  # to be turned by 90 degrees, clockwise
        save(folder / f"a.{suffix}", pixels.astype(np.uint8), exif=exif)
        save(folder / f"b.{suffix}", np.rot90(pixels).astype(np.uint8))
        data = read(folder)
        assert data.x.shape == (2, 16, 24)
        np.testing.assert_allclose(data.x[0] * 255, np.rot90(pixels, -1), atol=6)


class TestSize:
    def test_mixed_sizes_become_64_and_keep_their_proportions(self, folder):
        tall = np.zeros((400, 200), np.uint8)
        tall[100:300] = np.repeat([[51, 204]], 100)  # two halves of the square in its middle
        save(folder / "tall.png", tall)
        save(folder / "wide.png", noise(80, 90))
        x = read(folder, color=False).x
        assert x.shape == (2, 64, 64)
        np.testing.assert_allclose(x[0, 3:-3, :29], 0.2, rtol=1e-6)
        np.testing.assert_allclose(x[0, 3:-3, 35:], 0.8, rtol=1e-6)

    def test_own_size_is_kept_up_to_128(self, folder):
        for size, expected in ((128, 128), (129, 64)):
            for name in "ab":
                save(folder / f"{name}.png", noise(size, 7, ord(name)))
            assert read(folder).x.shape[1:3] == (expected, 7 if size == 128 else 64)

    @pytest.mark.parametrize(("size", "shape"), [(3, (3, 3)), ((2, 5), (2, 5)), ([4, 1], (4, 1))])
    def test_size_that_is_asked_for(self, size, shape, folder):
        for name in "ab":
            save(folder / f"{name}.png", noise(8, 9, ord(name)))
        assert read(folder, size=size).x.shape == (2, *shape, 3)

    def test_large_photo_is_reduced_as_pillow_does(self, folder):
        smooth = np.add.outer(np.arange(600.0), np.arange(900.0)) / 1500 * 255
        for name, pixels in (("a", smooth), ("b", smooth[::-1])):
            save(folder / f"{name}.jpg", pixels.astype(np.uint8), quality=95)
        with Image.open(folder / "a.jpg") as photo:
            expected = np.asarray(ImageOps.fit(photo, (64, 64)))
        np.testing.assert_allclose(read(folder).x[0] * 255, expected, atol=2)

    def test_overshoot_is_cut_off(self, folder):
        steps = np.kron(np.eye(4) * 65535, np.ones((20, 20))).astype(np.uint16)
        save(folder / "a.png", steps)
        save(folder / "b.png", steps[::-1])
        x = read(folder, size=33).x
        assert (x.min(), x.max()) == (0, 1)


class TestLabels:
    def test_sub_folders_are_labels_if_asked(self, folder):
        for name in ("dog/deep/1.png", "cat/1.png", "cat/2.png"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            save(folder / name, noise(3, 3, len(name)))
        data = read(folder, labels="folder")
        assert data.samples.tolist() == ["cat/1.png", "cat/2.png", "dog/deep/1.png"]
        assert data.y.tolist() == [0, 0, 1]
        assert data.classes == {0: "cat", 1: "dog"}
        assert read(folder).y is None

    def test_image_outside_any_sub_folder(self, folder):
        save(folder / "cat" / "1.png", GREY)
        save(folder / "2.png", GREY.T)
        with pytest.raises(ValueError, match=r"in a sub-folder.*1 outside, such as '2\.png'"):
            read(folder, labels="folder")

    def test_column_name(self, folder):
        save(folder / "2.png", GREY)
        with pytest.raises(ValueError, match=r"labels='folder'.*Received: labels='kind'"):
            read(folder, labels="kind")


class TestBrokenFiles:
    @pytest.fixture
    def broken(self, folder):
        """Two sound images, a truncated photo, an empty file, a text, and a damaged PNG."""
        save(folder / "a.jpg", noise(90, 90))
        save(folder / "b.png", noise(90, 90, 1))
        content = (folder / "a.jpg").read_bytes()
        (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
        (folder / "empty.png").touch()
        (folder / "text.jpeg").write_text("text")
        content = (folder / "b.png").read_bytes()
        (folder / "hurt.png").write_bytes(content[:400] + bytes(400) + content[800:])
        return folder

    def test_are_left_out_named_and_counted(self, broken, caplog):
        data = read(broken)
        assert data.samples.tolist() == ["a.jpg", "b.png"]
        assert data.x.shape == (2, 90, 90, 3)
        np.testing.assert_array_equal(data.x[1], noise(90, 90, 1) / np.float32(255))
        assert sorted(data.left_out) == ["cut.jpg", "empty.png", "hurt.png", "text.jpeg"]
        assert "truncated" in data.left_out["cut.jpg"]
        assert data.left_out["text.jpeg"] == "neither PNG nor JPEG"
        assert "Left out 4 of 6 files" in caplog.text
        assert all(name in caplog.text for name in data.left_out)

    def test_are_an_error_if_strict(self, broken):
        with pytest.raises(ValueError, match=r"that can be read in .*Received: 4 of 6 .*cut\.jpg"):
            read(broken, strict=True)

    def test_none_is_sound(self, folder):
        (folder / "text.png").write_text("text")
        with pytest.raises(ValueError, match=r"Received: 1 of 1 that cannot: 'text\.png'"):
            read(folder)

    def test_only_one_is_sound(self, folder):
        save(folder / "a.png", GREY)
        (folder / "text.png").write_text("text")
        with pytest.raises(ValueError, match=r"at least 2 samples in the folder photos"):
            read(folder)

    def test_other_formats_are_not_decoded(self, folder):
        for name in "ab":
            save(folder / f"{name}.png", noise(4, 4, ord(name)))
        save(folder / "c.gif", GREY)
        (folder / "c.gif").rename(folder / "c.png")
        assert read(folder).left_out == {"c.png": "neither PNG nor JPEG"}

    def test_folder_without_images(self, folder):
        (folder / "notes.txt").write_text("text")
        save(folder / ".hidden.png", GREY)
        save(folder / ".thumbnails" / "a.png", GREY)
        with pytest.raises(ValueError, match=r"images \(\.png, \.jpg, \.jpeg\) .*Received: none"):
            read(folder)

    @pytest.mark.parametrize("side", [10_000, 20_000])
    def test_small_file_of_too_many_pixels_is_named(self, side, folder):
        save(folder / "a.png", GREY)
        save(folder / "bomb.png", GREY)
        content = bytearray((folder / "bomb.png").read_bytes())
        content[16:24] = side.to_bytes(4, "big") * 2
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
        (folder / "bomb.png").write_bytes(content)
        with pytest.raises(ValueError, match=rf"bomb\.png to have at most .*{side**2} pixels"):
            read(folder)


class TestLinks:
    def test_out_of_the_folder_are_not_followed(self, folder, tmp_path):
        for name in "ab":
            save(folder / f"{name}.png", noise(4, 4, ord(name)))
        save(tmp_path / "outside" / "secret.png", noise(4, 4))
        os.symlink(tmp_path / "outside" / "secret.png", folder / "file.png")
        os.symlink(tmp_path / "outside", folder / "album")
        data = read(folder)
        assert data.samples.tolist() == ["a.png", "b.png"]
        reasons = {"file.png": "a link that leaves the folder", "album": "a link to a folder"}
        assert data.left_out == reasons

    def test_inside_are_followed_and_circles_are_not(self, folder):
        for name in "ab":
            save(folder / f"{name}.png", noise(4, 4, ord(name)))
        os.symlink("a.png", folder / "c.png")
        os.symlink("circle.png", folder / "circle.png")
        os.symlink("nowhere.png", folder / "dead.png")
        data = read(folder)
        assert data.samples.tolist() == ["a.png", "b.png", "c.png"]
        assert data.left_out == {"circle.png": "no file", "dead.png": "no file"}

    def test_folder_may_be_a_link_itself(self, folder, tmp_path):
        for name in "ab":
            save(folder / f"{name}.png", noise(4, 4, ord(name)))
        os.symlink(folder, tmp_path / "link")
        assert len(read(tmp_path / "link").x) == 2

    def test_pipe_is_no_image(self, folder):
        for name in "ab":
            save(folder / f"{name}.png", noise(4, 4, ord(name)))
        os.mkfifo(folder / "pipe.png")
        assert read(folder).left_out == {"pipe.png": "no file"}


def test_new_images_get_the_size_and_colours_of_the_old(folder, tmp_path):
    for name in "ab":
        save(folder / f"{name}.png", noise(6, 5, ord(name)))
    stored = json.loads(json.dumps(read(folder).preparation.get_config()))
    save(tmp_path / "new" / "one.png", np.full((12, 10), 51, np.uint8))
    data = read(tmp_path / "new", preparation=preparation_from_config(stored))
    np.testing.assert_allclose(data.x, np.full((1, 6, 5, 3), 0.2), rtol=1e-6)
