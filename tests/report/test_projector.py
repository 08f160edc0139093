"""Files for TensorBoard's projector."""

import numpy as np
import pytest
from PIL import Image

from kdec import export_projector


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_embedding_is_written_by_rows(tmp_path):
    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    folder = export_projector(tmp_path / "new" / "log", z)
    np.testing.assert_allclose(np.loadtxt(folder / "tensors.tsv", delimiter="\t"), z, rtol=1e-5)
    assert lines(folder / "metadata.tsv") == ["sample", "0", "1", "2", "3", "4"]
    assert not (folder / "sprite.png").exists()
    assert "sprite" not in (folder / "projector_config.pbtxt").read_text()


def test_label_with_tabs_and_newlines_stays_in_its_cell(tmp_path):
    labels = np.array(["a\tb", "c\nd\r\ne", "", "\udce9", "é\u2028f"], dtype=object)
    export_projector(tmp_path, np.eye(5), labels)
    assert lines(tmp_path / "metadata.tsv") == [
        *("label\tsample", "a b\t0", "c d  e\t1", "\t2", "?\t3", "é f\t4")
    ]


def test_images_are_in_one_sheet_that_the_projector_can_show(tmp_path, monkeypatch):
    monkeypatch.setattr("kdec.report.projector._MAX_SHEET_SIDE", 256)
    images = np.zeros((10, 128, 64))
    images[7] = 1
    export_projector(tmp_path, np.eye(10), images=images)
    sprite = np.asarray(Image.open(tmp_path / "sprite.png"))
    assert max(sprite.shape) <= 256
    # Four in a row: the eighth is the last of the second row.
    height, width = sprite.shape[0] // 3, sprite.shape[1] // 4
    assert (height, width) == (64, 32)
    assert sprite[height:, 3 * width :][:height].min() == 255
    assert sprite.mean() == pytest.approx(255 / 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3),), r"`z` to have the shape \(n, d\)"),
        ((np.full((3, 2), np.nan),), "finite"),
        ((np.zeros((3, 2)), [1, 2]), r"`labels` to have the shape \(3,\). Received: shape \(2,\)"),
        ((np.zeros((3, 2)), None, np.zeros((2, 8, 8))), "`images` to have the shape"),
        ((np.zeros((3, 2)), None, np.zeros((3, 64))), "`images` to have the shape"),
    ],
)
def test_wrong_arguments_leave_no_folder(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export_projector(tmp_path / "log", *arguments)
    assert not (tmp_path / "log").exists()


@pytest.mark.slow
def test_tensorboard_shows_it(tmp_path):
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
    from werkzeug.test import Client

    z = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    export_projector(tmp_path, z, ["a", "b\tc", "", "d", "e"], np.zeros((5, 8, 6)))
    routes = ProjectorPlugin(TBContext(logdir=str(tmp_path))).get_plugin_apps()

    def get(route):
        return Client(routes[route]).get("/?run=.&name=embedding")

    [found] = get("/info").json["embeddings"]
    assert found["tensorShape"] == [5, 3]
    assert found["sprite"]["singleImageDim"] == [6, 8]
    shown = np.frombuffer(get("/tensor").data, "float32").reshape(5, 3)
    np.testing.assert_allclose(shown, z, rtol=1e-5)
    assert get("/metadata").data.decode().split("\n")[1:4] == ["a\t0", "b c\t1", "\t2"]
    assert get("/sprite_image").mimetype == "image/png"
