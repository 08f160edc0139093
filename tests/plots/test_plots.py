"""Pictures: what they show, what they refuse, and that they leave Matplotlib as it was."""

import itertools
import warnings
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

from kdec import plots
from kdec.plots.points import PALETTE, label_colors


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def a_choice(n_clusters):
    """What `kdec.choose_n_clusters` returns: 3 of 4 resamples for three clusters, 1 for none."""
    table = pd.DataFrame(
        {
            "n_clusters": [2, 3, 4],
            "inertia": [9.0, 4.0, 3.0],
            "silhouette": [0.4, 0.7, 0.5],
            "stability": [0.8, 1.0, 0.6],
            "votes": [0.0, 0.75, 0.0],
        }
    )
    return SimpleNamespace(table=table, n_clusters=n_clusters, reason="A reason.")


PICTURES = {
    "embedding_3d": lambda: plots.embedding_3d(
        np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 3, np.eye(5)
    ),
    "embedding_2d": lambda: plots.embedding_2d(np.random.default_rng(0).normal(size=(20, 4))),
    "confusion_matrix": lambda: plots.confusion_matrix([0, 0, 1, 2], [3, 3, 4, 5]),
    "centroid_images": lambda: plots.centroid_images(np.zeros((10, 8, 8)), titles=range(10)),
    "choice_of_k": lambda: plots.choice_of_k(a_choice(3)),
    "image_rows": lambda: plots.image_rows({"a": np.zeros((3, 4, 4)), "b": np.ones((3, 4, 4))}),
    "reconstructions": lambda: plots.reconstructions(np.zeros((12, 64)), np.ones((12, 64))),
    "views": lambda: plots.views(np.zeros((3, 8, 8)), lambda x, training: x),
    "learning_curves": lambda: plots.learning_curves({"loss": [2, 1], "acc": [0.1, 0.2]}),
    "curve_band": lambda: plots.curve_band([[1, 2, 3], [2, 3, 4]]),
    "curve_grid": lambda: plots.curve_grid({"a": [1, 2], "b": [[1, 2], [3, 4]]}),
    "elbow": lambda: plots.elbow([1, 2, 3], [9, 4, 3], [np.nan, 0.5, 0.4]),
    "clusters_2d": lambda: plots.clusters_2d(
        [[0, 1], [2, 3]], ["a", "b"], paths=np.ones((3, 2, 2))
    ),
}


NO_PICTURES = {"embedding_3d_animation", "label_colors", "printable"}


def test_every_public_picture_is_tried_here():
    assert set(PICTURES) == set(plots.__all__) - NO_PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_one_figure_and_leaves_matplotlib_as_it_was(name, monkeypatch, tmp_path):
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("show was called"))
    settings, backend = dict(matplotlib.rcParams), matplotlib.get_backend()
    picture = PICTURES[name]()
    assert isinstance(picture, Axes | Figure)
    assert plt.get_fignums() == [picture.figure.number]
    picture.figure.savefig(tmp_path / "picture.png")
    assert dict(matplotlib.rcParams) == settings
    assert matplotlib.get_backend() == backend


def test_many_pictures_that_are_closed_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, picture in itertools.product(range(4), PICTURES.values()):
            if picture is not PICTURES["embedding_2d"]:
                plt.close(picture().figure)


@pytest.mark.parametrize(
    ("draw", "projection"),
    [
        (lambda ax: plots.embedding_3d(np.eye(4), ax=ax), "3d"),
        (lambda ax: plots.embedding_2d(np.eye(8), ax=ax), None),
        (lambda ax: plots.confusion_matrix([0, 1], [0, 1], ax=ax), None),
        (lambda ax: plots.curve_band([1, 2], ax=ax), None),
        (lambda ax: plots.elbow([1, 2], [2, 1], ax=ax), None),
        (lambda ax: plots.clusters_2d([[0, 1]], ax=ax), None),
    ],
)
def test_picture_goes_on_the_axes_that_are_given(draw, projection):
    ax = plt.figure().add_subplot(projection=projection)
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


# Machado, Oliveira and Fernandes, 2009, severity 1.0, applied to linear RGB.
LINEAR_RGB_SEEN_WITH = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ_OF_LINEAR_RGB = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)


class TestPalette:
    """Colours of labels."""

    def smallest_distance(self, colors, vision):
        rgb = np.array([to_rgb(color) for color in colors])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(linear @ np.transpose(LINEAR_RGB_SEEN_WITH[vision]), 0, 1)
        xyz = seen @ XYZ_OF_LINEAR_RGB.T / XYZ_OF_LINEAR_RGB.sum(axis=1)
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        lab = np.stack(
            [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
        )
        return min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))

    @pytest.mark.parametrize("vision", LINEAR_RGB_SEEN_WITH)
    def test_ten_colors_and_white_are_far_apart_for_every_vision(self, vision):
        # Matplotlib's ten default colours reach 4.6, 7.2 and 15.2 for the three deficiencies.
        assert self.smallest_distance([*PALETTE[:10], "white"], vision) > 25

    @pytest.mark.parametrize("n_labels", [1, 10, 20, 21, 300])
    def test_as_many_distinct_colors_as_labels(self, n_labels):
        colors = label_colors(n_labels)
        assert colors.shape == (n_labels, 4)
        assert len(np.unique(colors, axis=0)) >= min(n_labels, 256)


class TestEmbedding3d:
    """Embeddings in three dimensions, still and turning."""

    def test_three_features_are_drawn_as_they_are(self, rng):
        z = rng.normal(size=(30, 3))
        ax = plots.embedding_3d(z)
        assert_allclose(np.transpose(ax.collections[0]._offsets3d), z)
        assert ax.get_legend() is None

    def test_more_features_are_projected_on_the_principal_components(self, rng):
        z = rng.normal(size=(200, 6)) * [5, 1, 4, 0.1, 3, 0.2]
        ax = plots.embedding_3d(z)
        drawn = np.transpose(ax.collections[0]._offsets3d)
        singular_values = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)
        assert_allclose(np.linalg.norm(drawn, axis=0), singular_values[:3], rtol=1e-6)
        share = singular_values[0] ** 2 / np.sum(singular_values**2)
        assert ax.get_xlabel() == f"PC 1 ({share:.0%})"

    def test_centroids_go_through_the_same_projection(self, rng):
        z = rng.normal(size=(50, 8)) + 3
        points, centroids = plots.embedding_3d(z, centroids=z[[4, 9]]).collections
        assert_allclose(
            np.transpose(centroids._offsets3d), np.transpose(points._offsets3d)[[4, 9]], rtol=1e-6
        )

    def test_centroid_inside_the_cloud_is_seen(self, rng):
        def count_black(**kwargs):
            figure = plots.embedding_3d(z, np.zeros(len(z), int), **kwargs).figure
            image = pixels(figure)
            middle = image[150:-150, 190:390]
            return np.count_nonzero(middle.max(axis=-1) < 40)

        z = rng.normal(size=(20000, 3))
        assert count_black() == 0
        assert count_black(centroids=np.zeros((1, 3))) > 30

    def test_legend_names_string_labels_and_centroids(self, rng):
        names = np.array(["cat", "dog"])[np.arange(20) % 2]
        ax = plots.embedding_3d(rng.normal(size=(20, 3)), names, np.zeros((1, 3)))
        assert legend_texts(ax) == ["cat", "dog", "centroid"]

    @pytest.mark.parametrize("names", [["a", "b"], ["a very long name of a class", "another one"]])
    def test_legend_lies_inside_the_figure_beside_the_axes(self, names, rng):
        y = np.array(names)[np.arange(20) % 2]
        ax = plots.embedding_3d(rng.normal(size=(20, 3)), y)
        ax.figure.canvas.draw()
        legend = ax.get_legend().get_window_extent()
        assert legend.x1 <= ax.figure.bbox.x1
        assert legend.x0 >= ax.get_window_extent().x1 - 1

    def test_forty_labels_all_stand_in_the_legend(self, rng):
        ax = plots.embedding_3d(rng.normal(size=(400, 3)), np.arange(400) % 40)
        assert legend_texts(ax) == [str(label) for label in range(40)]

    @pytest.mark.parametrize(
        ("z", "kwargs", "message"),
        [
            (np.zeros((5, 2)), {}, r"at least 3 features. Received: shape \(5, 2\).*clusters_2d"),
            (np.eye(2, 5), {}, r"at least 3 samples.*Received: shape \(2, 5\)"),
            (np.zeros(5), {}, r"`z` to have the shape \(n, d\) with n > 0. Received: shape \(5,\)"),
            (np.zeros((0, 3)), {}, r"Received: shape \(0, 3\)"),
            ([[0, np.nan, 1], [1, 1, 1]], {}, "`z` to be finite. Received: .* in 1 of 2"),
            (np.eye(3), {"y": [1, 2]}, r"`y` to have the shape \(3,\).*Received: shape \(2,\)"),
            (np.eye(4), {"centroids": np.eye(3)}, r"`centroids` to have the shape \(n, 4\)"),
        ],
    )
    def test_shapes_that_do_not_fit_are_rejected_before_any_figure(self, z, kwargs, message):
        with pytest.raises(ValueError, match=message):
            plots.embedding_3d(z, **kwargs)
        assert plt.get_fignums() == []

    def test_flat_axes_are_rejected(self):
        with pytest.raises(ValueError, match="projection='3d'"):
            plots.embedding_3d(np.eye(3), ax=plt.figure().add_subplot())

    def test_animation_turns_once_and_closes_its_figure(self, rng, tmp_path):
        z = rng.normal(size=(100, 4))
        path = plots.embedding_3d_animation(
            z, np.arange(100) % 3, z[:2], path=tmp_path / "turn.gif", n_frames=5, dpi=40
        )
        assert path == tmp_path / "turn.gif"
        assert plt.get_fignums() == []
        with Image.open(path) as film:
            assert film.n_frames == 5
            assert film.info["loop"] == 0
            frames = []
            for index in range(5):
                film.seek(index)
                frames.append(np.asarray(film.convert("RGB")))
        assert all(np.any(a != b) for a, b in itertools.combinations(frames, 2))
        assert all(np.all(frame[0, 0] == 255) for frame in frames)

    def test_animation_into_an_absent_folder_is_rejected_before_any_figure(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("kdec.plots.embeddings.embedding_3d", None)
        with pytest.raises(
            FileNotFoundError, match=r"Expected `path` .*folder.*Received: .*x\.gif"
        ):
            plots.embedding_3d_animation(np.eye(3), path=tmp_path / "absent" / "x.gif")

    @pytest.mark.parametrize("name", ["n_frames", "frames_per_second"])
    @pytest.mark.parametrize("value", [0, 1.5])
    def test_animation_without_whole_frames_is_rejected(self, name, value, tmp_path):
        message = f"`{name}` to be a positive int. Received: {name}={value}"
        with pytest.raises(ValueError, match=message):
            plots.embedding_3d_animation(np.eye(3), path=tmp_path / "x.gif", **{name: value})


class TestEmbedding2d:
    """t-SNE."""

    def test_separate_groups_stay_separate(self, rng):
        y = np.repeat([0, 1], 30)
        z = rng.normal(size=(60, 5)) + 50 * y[:, None]
        ax = plots.embedding_2d(z, y)
        points, colors = ax.collections[0].get_offsets(), ax.collections[0].get_facecolors()
        first = np.all(colors[:, :3] == to_rgb(PALETTE[0]), axis=1)
        assert first.sum() == 30
        spread = max(np.ptp(points[first], axis=0).max(), np.ptp(points[~first], axis=0).max())
        gap = np.linalg.norm(points[first].mean(axis=0) - points[~first].mean(axis=0))
        assert gap > spread

    def test_large_sets_are_sampled_with_their_labels_and_repeatably(self, rng):
        z = rng.normal(size=(300, 4))
        y = np.where(z[:, 0] > 0, "right", "left")
        first, second = (plots.embedding_2d(z, y, max_samples=80, random_state=1) for _ in "ab")
        assert len(first.collections[0].get_offsets()) == 80
        assert_array_equal(first.collections[0].get_offsets(), second.collections[0].get_offsets())
        assert legend_texts(first) == ["left", "right"]

    @pytest.mark.parametrize(
        ("z", "options", "message"),
        [
            (np.zeros((1, 5)), {}, r"at least 2 samples.*\(1, 5\)"),
            (np.eye(9), {"max_samples": 0}, "`max_samples`"),
        ],
    )
    def test_too_few_samples_are_rejected_before_any_figure(self, z, options, message):
        with pytest.raises(ValueError, match=message):
            plots.embedding_2d(z, **options)
        assert plt.get_fignums() == []


class TestConfusionMatrix:
    """Clusters against labels."""

    @staticmethod
    def ticks(axis):
        return [label.get_text() for label in axis.get_ticklabels()]

    def test_matched_counts_lie_on_the_diagonal(self):
        y_true = ["a"] * 4 + ["b"] * 5 + ["c"] * 3
        y_pred = [2, 2, 2, 0, 7, 7, 7, 7, 0, 0, 0, 0]
        ax = plots.confusion_matrix(y_true, y_pred)
        assert self.ticks(ax.xaxis) == ["2", "7", "0"]
        assert self.ticks(ax.yaxis) == ["a", "b", "c"]
        counts = [text.get_text() for text in ax.texts]
        assert counts == ["3", "", "1", "", "4", "1", "", "", "3"]
        assert ax.get_title() == "ACC 0.8333"
        shares = ax.collections[0].get_array()
        assert_allclose(shares, [[0.75, 0, 0.25], [0, 0.8, 0.2], [0, 0, 1]])

    def test_clusters_without_a_label_come_last(self):
        ax = plots.confusion_matrix([0, 0, 0, 1, 1], [8, 5, 5, 3, 3])
        assert self.ticks(ax.xaxis) == ["5", "3", "8"]

    def test_labels_without_a_cluster_keep_their_row(self):
        ax = plots.confusion_matrix([0, 0, 1, 2, 2], [1, 1, 1, 0, 0])
        assert self.ticks(ax.xaxis) == ["1", "0"]
        assert self.ticks(ax.yaxis) == ["0", "1", "2"]

    def test_boolean_clusters_are_names_not_a_mask(self):
        ax = plots.confusion_matrix([0, 0, 1, 1], np.array([False, True, True, True]))
        assert self.ticks(ax.xaxis) == ["False", "True"]
        assert [text.get_text() for text in ax.texts] == ["1", "1", "", "2"]

    def test_large_tables_are_drawn_without_numbers(self):
        ax = plots.confusion_matrix(np.arange(300) % 5, np.arange(300) % 30)
        assert len(ax.texts) == 0

    def test_different_lengths_are_rejected_before_any_figure(self):
        with pytest.raises(ValueError, match="same length"):
            plots.confusion_matrix([0, 1], [0])
        assert plt.get_fignums() == []


class TestImages:
    """Grids and rows of images."""

    @pytest.mark.parametrize("shape", [(6, 4, 5), (6, 4, 5, 1), (6, 4, 5, 3), (6, 16)])
    def test_every_layout_of_images_is_drawn(self, shape, rng):
        images = rng.random(shape)
        figure = plots.centroid_images(images)
        drawn = [ax.images[0].get_array() for ax in figure.axes]
        assert_allclose(drawn, images.reshape(np.shape(drawn)))

    def test_integers_run_to_255_and_floats_to_one(self):
        image = np.array([[0, 51], [102, 255]])
        for scaled in (image, image.astype(np.uint8), image / 255):
            (ax,) = plots.centroid_images(scaled[None]).axes
            assert_allclose(ax.images[0].get_array(), [[0, 0.2], [0.4, 1]])
            assert ax.images[0].get_clim() == (0, 1)

    def test_values_beyond_the_range_are_clipped(self):
        (ax,) = plots.centroid_images([[[-0.5, 0.5], [1.0, 1.5]]]).axes
        assert_allclose(ax.images[0].get_array(), [[0, 0.5], [1, 1]])

    def test_titles_stand_above_their_images(self):
        figure = plots.centroid_images(np.zeros((7, 9)), titles=range(7), n_columns=3)
        assert [ax.get_title() for ax in figure.axes] == list("0123456")

    def test_titles_may_be_a_series_of_any_index(self):
        titles = pd.Series(["a", "b", "c"], index=[5, 6, 7])
        figure = plots.centroid_images(np.zeros((3, 9)), titles=titles)
        assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]

    def test_rows_keep_their_order_and_names(self):
        figure = plots.image_rows(
            {"before": np.zeros((2, 3, 3)), "after": np.ones((2, 3, 3))}, titles=["x", "y"]
        )
        assert [ax.get_ylabel() for ax in figure.axes] == ["before", "", "after", ""]
        assert [ax.get_title() for ax in figure.axes] == ["x", "y", "", ""]
        assert [ax.images[0].get_array().mean() for ax in figure.axes] == [0, 0, 1, 1]

    def test_reconstructions_show_the_first_n(self):
        x = np.linspace(0, 1, 20).repeat(4).reshape(20, 4)
        figure = plots.reconstructions(x, 1 - x, n=3)
        drawn = np.array([ax.images[0].get_array() for ax in figure.axes]).reshape(2, 3, 4)
        assert_allclose(drawn, [x[:3], 1 - x[:3]])

    @pytest.mark.parametrize(
        ("draw", "message"),
        [
            (lambda: plots.centroid_images(np.zeros((3, 5))), r"Received: shape \(3, 5\)"),
            (lambda: plots.centroid_images(np.zeros((3, 4, 4, 2))), r"shape \(3, 4, 4, 2\)"),
            (lambda: plots.centroid_images(np.zeros((0, 4, 4))), r"k > 0. Received: shape \(0, 4"),
            (lambda: plots.centroid_images(np.zeros(4)), r"`images` .*Received: shape \(4,\)"),
            (lambda: plots.centroid_images(np.zeros((2, 4)), titles="a"), "2 titles. Received: 1"),
            (lambda: plots.centroid_images(np.zeros((2, 4)), n_columns=0), "`n_columns`"),
            (lambda: plots.image_rows({}), "Expected `rows`"),
            (
                lambda: plots.image_rows({"a": np.zeros((2, 4)), "b": np.zeros((3, 4))}),
                "same number of images each. Received: {'a': 2, 'b': 3}",
            ),
            (lambda: plots.reconstructions(np.zeros((2, 4)), np.zeros((3, 4))), "2 and 3"),
            (lambda: plots.reconstructions(np.zeros((2, 4)), np.zeros((2, 4)), n=0), "n=0"),
        ],
    )
    def test_wrong_images_are_rejected_before_any_figure(self, draw, message):
        with pytest.raises(ValueError, match=message):
            draw()
        assert plt.get_fignums() == []


class TestCurves:
    """Learning curves, bands and grids."""

    def test_each_quantity_has_a_panel_over_the_steps(self):
        history = {"loss": [3.0, 2.0, 1.0], "delta_label": [None, 0.5, np.nan], "acc": [0, 1, 1]}
        figure = plots.learning_curves(history, steps=[0, 140, 280], xlabel="step")
        assert [ax.get_title() for ax in figure.axes] == ["loss", "delta_label", "acc"]
        lines = [ax.lines[0] for ax in figure.axes]
        for line, values in zip(lines, history.values(), strict=True):
            assert_array_equal(line.get_xdata(), [0, 140, 280])
            assert_array_equal(line.get_ydata(), np.array(values, float))
        assert {ax.get_xlabel() for ax in figure.axes} == {"step"}

    def test_validation_shares_the_panel_of_training(self):
        history = SimpleNamespace(history={"loss": [3, 2], "val_loss": [4, 3]})
        (ax,) = plots.learning_curves(history).axes
        assert legend_texts(ax) == ["loss", "val_loss"]
        assert_array_equal(ax.lines[1].get_xdata(), [1, 2])

    def test_only_values_over_two_decades_get_a_logarithmic_axis(self):
        history = {"wide": [1, 0.1, 0.001], "narrow": [1, 0.5], "zero": [1, 0.001, 0], "": [None]}
        figure = plots.learning_curves(history)
        assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear", "linear", "linear"]

    def test_keys_choose_and_order_the_panels(self):
        figure = plots.learning_curves({"a": [1], "b": [2], "c": [3]}, keys=["c", "a"])
        assert [ax.get_title() for ax in figure.axes] == ["c", "a"]

    def test_band_is_one_standard_deviation_around_the_mean(self):
        runs = np.array([[0.0, 1.0, 4.0], [2.0, 3.0, 4.0]])
        ax = plots.curve_band(runs, steps=[0, 5, 10])
        *thin, mean = ax.lines
        assert_array_equal([line.get_ydata() for line in thin], runs)
        assert_array_equal(mean.get_ydata(), [1, 2, 4])
        band = ax.collections[0].get_paths()[0].vertices
        assert_allclose(np.unique(band[band[:, 0] == 0, 1]), [1 - 2**0.5, 1 + 2**0.5])
        assert_allclose(np.unique(band[band[:, 0] == 10, 1]), [4])

    def test_single_run_is_a_line_without_band(self):
        ax = plots.curve_band([0.1, 0.2])
        assert len(ax.lines) == 1
        assert len(ax.collections) == 0

    def test_grid_has_common_axes_and_reference_lines(self):
        figure = plots.curve_grid(
            {"shallow": [0.5, 0.6], "deep": [[0.7, 0.8], [0.6, 0.9]]}, references={"deep": 0.8195}
        )
        shallow, deep = figure.axes
        assert shallow.get_ylim() == deep.get_ylim()
        assert_array_equal(deep.lines[-1].get_ydata(), [0.8195, 0.8195])
        assert [text.get_text() for text in deep.texts] == ["0.8195"]
        assert len(shallow.lines) == 1

    @pytest.mark.parametrize(
        ("draw", "message"),
        [
            (lambda: plots.learning_curves({}), "Expected `history`"),
            (lambda: plots.learning_curves([1, 2]), "Expected `history`"),
            (lambda: plots.learning_curves({"a": [1]}, keys=["b"]), r"out of \['a'\].*\['b'\]"),
            (lambda: plots.learning_curves({"a": [1]}, keys=[]), "Expected `keys`"),
            (lambda: plots.learning_curves({"a": [[1, 2]]}), r"history\['a'\].*\(1, 2\)"),
            (lambda: plots.learning_curves({"a": [1, 2]}, steps=[0]), r"`steps`.*\(2,\) of 'a'"),
            (lambda: plots.curve_band([]), "`runs`.*not empty"),
            (lambda: plots.curve_band(np.zeros((2, 2, 2))), r"`runs`.*\(2, 2, 2\)"),
            (lambda: plots.curve_band([1, 2], steps=[1, 2, 3]), r"`steps`.*\(3,\)"),
            (
                lambda: plots.curve_grid({"a": [1, 2]}, n_columns=0),
                "`n_columns` to be a positive int",
            ),
            (lambda: plots.curve_grid({}), "at least one curve"),
            (lambda: plots.curve_grid({"a": [1]}, references={"b": 1}), r"`references`.*\['b'\]"),
        ],
    )
    def test_wrong_curves_are_rejected_before_any_figure(self, draw, message):
        with pytest.raises(ValueError, match=message):
            draw()
        assert plt.get_fignums() == []


class TestPartitions:
    """Clusters in the plane and the elbow."""

    def test_paths_run_from_ring_to_centroid(self):
        paths = np.array([[[0, 0], [5, 5]], [[1, 0], [5, 6]], [[2, 0], [5, 7]]], float)
        ax = plots.clusters_2d([[0, 0], [5, 5]], [0, 1], paths=paths)
        assert_array_equal([line.get_xydata() for line in ax.lines], paths.transpose(1, 0, 2))
        _, rings, centroids = ax.collections
        assert_array_equal(rings.get_offsets(), paths[0])
        assert_array_equal(centroids.get_offsets(), paths[-1])
        assert legend_texts(ax) == ["0", "1", "centroid"]

    def test_both_axes_have_the_same_scale(self):
        assert plots.clusters_2d([[0, 0], [100, 1]]).get_aspect() == 1

    def test_elbow_shows_inertia_and_silhouette_on_two_scales(self):
        ax = plots.elbow(range(1, 4), [9.0, 4.0, 3.0], [np.nan, 0.5, 0.4])
        _, twin = ax.figure.axes
        assert_array_equal(ax.lines[0].get_xydata(), [[1, 9], [2, 4], [3, 3]])
        assert_array_equal(twin.lines[0].get_ydata(), [np.nan, 0.5, 0.4])
        assert twin.get_ylabel() == "silhouette"

    def test_elbow_of_a_dict(self):
        inertias = {1: 9.0, 2: 4.0}
        ax = plots.elbow(inertias.keys(), inertias.values())
        assert_array_equal(ax.lines[0].get_xydata(), [[1, 9], [2, 4]])

    def test_elbow_has_whole_numbers_on_axes_of_its_own(self):
        ticks = plots.elbow([1, 2, 3], [9.0, 4.0, 3.0]).get_xticks()
        assert_array_equal(ticks, ticks.astype(int))

    @pytest.mark.parametrize("locator", [FixedLocator([1, 3]), LogLocator(), NullLocator()])
    def test_elbow_leaves_the_ticks_of_given_axes(self, locator):
        ax = plt.figure().add_subplot()
        ax.xaxis.set_major_locator(locator)
        plots.elbow([1, 2, 3], [9.0, 4.0, 3.0], ax=ax)
        assert ax.xaxis.get_major_locator() is locator

    @pytest.mark.parametrize(
        ("draw", "message"),
        [
            (lambda: plots.clusters_2d(np.eye(3)), r"`x` to have the shape \(n, 2\)"),
            (lambda: plots.clusters_2d(np.eye(2), [1]), r"`labels` to have the shape \(2,\)"),
            (lambda: plots.clusters_2d(np.eye(2), centroids=np.eye(3)), "`centroids`"),
            (lambda: plots.clusters_2d(np.eye(2), paths=np.eye(2)), r"`paths`.*shape \(2, 2\)"),
            (lambda: plots.elbow([1, 2], [1]), r"same shape \(m,\).*\(2,\), \(1,\)"),
            (lambda: plots.elbow([1, 2], [1, 2], [1]), r"\(2,\), \(2,\), \(1,\)"),
            (lambda: plots.elbow([], []), "m > 0"),
        ],
    )
    def test_wrong_arrays_are_rejected_before_any_figure(self, draw, message):
        with pytest.raises(ValueError, match=message):
            draw()
        assert plt.get_fignums() == []


def test_labels_of_which_some_are_missing_are_drawn():
    labels = np.array([None, "b", "a"], object)
    assert legend_texts(plots.clusters_2d(np.eye(3, 2), labels)) == ["None", "a", "b"]


def test_embedding_3d_without_variance_has_shares_of_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plots.embedding_3d(np.ones((5, 4)))
    assert ax.get_xlabel() == "PC 1 (0%)"


def test_embedding_fallen_to_one_point_has_a_picture(run_python):
    # In a process of its own, since t-SNE from principal components without spread kills it.
    code = (
        "import numpy as np, matplotlib; matplotlib.use('Agg')\n"
        "from kdec import plots\n"
        "for z in (np.zeros((50, 10)), np.full((50, 3), 1e-30, 'float32')):\n"
        "    print(len(plots.embedding_2d(z).collections[0].get_offsets()))"
    )
    assert run_python(code).split() == ["50", "50"]


def test_choice_of_k_shows_measures_votes_and_the_suggestion():
    figure = plots.choice_of_k(a_choice(3))
    *curves, votes = figure.axes
    for ax, values in zip(curves, ([9, 4, 3], [0.4, 0.7, 0.5], [0.8, 1, 0.6]), strict=True):
        assert_allclose(ax.lines[0].get_ydata(), values)
        assert_array_equal(ax.lines[1].get_xdata(), [3, 3])
    assert_allclose([bar.get_height() for bar in votes.patches], [0, 0.75, 0, 0.25])
    assert votes.get_xticklabels()[0].get_text() == "none"
    assert figure.get_suptitle() == "A reason."


def test_choice_of_k_marks_none_where_no_clusters_were_found():
    *curves, votes = plots.choice_of_k(a_choice(None), title="Noise").figure.axes
    assert [len(ax.lines) for ax in curves] == [1, 1, 1]
    assert to_rgb(votes.patches[-1].get_facecolor()) == to_rgb(PALETTE[1])


def test_choice_of_k_needs_a_choice():
    with pytest.raises(TypeError, match="a list without"):
        plots.choice_of_k([2, 3])
