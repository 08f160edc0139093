"""Pictures of up to 1,000 clusters, and of classes with any name."""

import itertools
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

from kdec import plots
from kdec.plots.names import printable
from kdec.plots.points import PALETTE, label_colors

every_number = pytest.mark.parametrize("n_clusters", [1, 60, 300, 1000])
ODD = [
    "Ba$$in",
    "cost $5 and $6",
    "$",
    r"\frac{1}[2]^3_4",
    "_private",
    "two\nlines",
    "",
    "\u05e9\u05dc\u05d5\u05dd",
    "\U0001f600",
    "a" * 200,
]


@pytest.fixture
def fast_tsne(monkeypatch):
    class FirstFeatures:
        def __init__(self, **options):
            pass

        def fit_transform(self, z):
            return z[:, :2]

    monkeypatch.setattr("sklearn.manifold.TSNE", FirstFeatures)


def draw(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Matplotlib's font has no picture of some letters, and says so.
        warnings.filterwarnings("ignore", message="Glyph")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def clusters(n_clusters, n_features):
    rng = np.random.default_rng(0)
    centroids = rng.normal(size=(n_clusters, n_features)).repeat(2, axis=0)
    return centroids + 0.01 * rng.normal(size=centroids.shape), np.arange(n_clusters).repeat(2)


SCATTER = {
    "clusters_2d": lambda z, y: plots.clusters_2d(z[:, :2], y, z[::2, :2]),
    "embedding_2d": plots.embedding_2d,
    "embedding_3d": lambda z, y: plots.embedding_3d(z, y, z[::2]),
}
every_scatter = pytest.mark.parametrize("plot", SCATTER.values(), ids=SCATTER)


@every_scatter
@every_number
def test_many_clusters_leave_room_for_the_points_beside_the_legend(plot, n_clusters, fast_tsne):
    z, y = clusters(n_clusters, 3)
    ax = plot(z, y)
    draw(ax.figure)
    colors = ax.collections[0].get_facecolors()
    assert len(np.unique(np.round(255 * colors[:, :3]), axis=0)) == n_clusters
    legend, whole = ax.get_legend().get_window_extent(), ax.figure.bbox
    assert legend.x0 >= ax.get_window_extent().x1 - 1
    assert legend.x1 <= whole.x1
    assert whole.y0 <= legend.y0 < legend.y1 <= whole.y1
    assert ax.get_window_extent().width > whole.width / 2
    names = [
        text.get_text() for text in ax.get_legend().get_texts() if text.get_text() != "centroid"
    ]
    shown = min(n_clusters, 99)
    assert names[:shown] == [str(label) for label in range(shown)]
    assert names[shown:] == ([] if n_clusters <= 100 else [f"and {n_clusters - 99} more"])


def test_legend_beside_given_axes_says_what_it_leaves_out():
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    z, y = clusters(60, 2)
    names = np.array([f"a class with a long name {label}" for label in range(60)])
    for ax, labels, last in zip(axes, (y, names[y]), ("and 31 more", "and 46 more"), strict=True):
        plots.clusters_2d(z, labels, ax=ax)
        assert ax.get_legend().get_texts()[-1].get_text() == last
    draw(figure)
    assert all(ax.get_legend().get_window_extent().x1 <= figure.bbox.x1 for ax in axes)
    assert all(ax.get_window_extent().width > figure.bbox.width / 6 for ax in axes)


def test_a_thousand_labels_have_colors_that_are_not_white_and_stay_as_labels_come():
    colors = label_colors(1000)
    assert len(np.unique(np.round(255 * colors), axis=0)) == 1000
    assert colors[len(PALETTE) :, :3].min(axis=1).max() < 0.65
    assert_array_equal(colors[:300], label_colors(300))


def test_many_centroids_do_not_hide_the_points():
    z, y = clusters(1000, 2)
    _, centroids = plots.clusters_2d(z, y, z[::2]).collections
    assert centroids.get_sizes()[0] < 10
    assert plots.clusters_2d(z, y, z[:10]).collections[1].get_sizes()[0] == 110
    _, starts, _ = plots.clusters_2d(z, y, paths=z[None, ::2]).collections
    assert starts.get_sizes()[0] < 5


@every_number
def test_confusion_matrix_of_many_clusters(n_clusters):
    y = np.arange(n_clusters)
    ax = plots.confusion_matrix(y, y[::-1])
    assert_array_equal(ax.collections[0].get_array(), np.eye(n_clusters))
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) == n_clusters if n_clusters <= 60 else 40 < len(boxes) <= 100
    named = {
        int(tick): label.get_text()
        for tick, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    }
    assert named == {tick: str(n_clusters - 1 - tick) for tick in named}
    assert all(a.y0 >= b.y1 - 2 for a, b in itertools.pairwise(boxes))


IMAGES = {
    "centroid_images": lambda x: plots.centroid_images(x, titles=range(len(x))),
    "image_rows": lambda x: plots.image_rows(
        {"a": x[::2], "b": x[1::2]} if len(x) > 1 else {"a": x}
    ),
    "reconstructions": lambda x: plots.reconstructions(x, x, n=len(x)),
    "views": lambda x: plots.views(x, lambda images, training: images, n_views=1),
}


@pytest.mark.parametrize(
    ("plot", "n_clusters"),
    [
        # All but the first go through one room, and its largest takes seconds.
        pytest.param(plot, n, id=f"{name}-{n}", marks=[pytest.mark.slow] * (n == 1000 and i > 1))
        for i, (name, plot) in enumerate(IMAGES.items())
        for n in (1, 60, 300, 1000)
    ],
)
def test_every_one_of_many_images_is_drawn_once_and_beside_the_others(plot, n_clusters):
    x = np.random.default_rng(0).random((n_clusters, 2, 3)).astype("float32")
    figure = plot(x)
    artists = [image for ax in figure.axes for image in ax.images]
    given = x if len(artists) == n_clusters else np.concatenate([x, x])
    shown = np.array([image.get_array() for image in artists])
    assert_array_equal(np.sort(shown.reshape(-1, 6), axis=0), np.sort(given.reshape(-1, 6), axis=0))
    assert max(figure.get_size_inches()) <= 200
    if n_clusters == 300 and plot is IMAGES["centroid_images"]:
        extents = {tuple(np.round(image.get_window_extent().extents)) for image in artists}
        assert len(extents) == len(artists)
        assert len(np.unique(draw(figure))) > 100


def test_page_of_many_images_keeps_rows_together_and_names_on_top():
    x = np.linspace(0, 1, 120).reshape(60, 2, 1).astype("float32")
    figure = plots.image_rows({"up": x, "down": 1 - x}, titles=range(60), title="All")
    (ax,) = figure.axes
    first, below = ax.images[0], ax.images[11]
    assert_allclose(below.get_array(), 1 - first.get_array())
    assert first.get_extent()[:2] == below.get_extent()[:2]
    texts = [text.get_text() for text in ax.texts]
    assert sorted(texts) == sorted([str(n) for n in range(60)] + ["up", "down"] * 6)


def test_images_in_one_column_are_a_picture_that_matplotlib_can_draw(monkeypatch):
    monkeypatch.setattr("kdec.plots.image_grid._MAX_INCHES", 30)
    figure = plots.centroid_images(np.zeros((101, 1, 1)), titles=range(101), n_columns=1)
    assert max(figure.get_size_inches()) <= 30


CURVES = {
    "curve_band": lambda runs: plots.curve_band(runs, ylabel="ACC"),
    "elbow": lambda runs: plots.elbow(range(1, len(runs) + 1), runs[:, 0], runs[:, 1]),
}


@pytest.mark.parametrize("plot", CURVES.values(), ids=CURVES)
@every_number
def test_curves_of_many_clusters(plot, n_clusters):
    runs = np.random.default_rng(0).random((n_clusters, 3))
    ax = plot(runs)
    draw(ax.figure)
    if plot is CURVES["elbow"]:
        assert_array_equal(ax.lines[0].get_ydata(), runs[:, 0])
    else:
        lines = ax.lines if n_clusters == 1 else ax.lines[:-1]
        assert_array_equal([line.get_ydata() for line in lines], runs)


PANELS = {
    "learning_curves": plots.learning_curves,
    "curve_grid": plots.curve_grid,
}


@pytest.mark.parametrize("plot", PANELS.values(), ids=PANELS)
@pytest.mark.parametrize(
    "n_panels", [1, 60, *(pytest.param(n, marks=pytest.mark.slow) for n in (300, 1000))]
)
def test_panels_of_many_curves(plot, n_panels):
    check_panels(plot, n_panels)


@pytest.mark.parametrize("plot", PANELS.values(), ids=PANELS)
def test_panels_that_are_too_many_for_a_layout_lie_beside_each_other(plot, monkeypatch):
    monkeypatch.setattr("kdec.plots.curves._MAX_LARGE_PANELS", 5)
    figure = check_panels(plot, 7)
    draw(figure)
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def check_panels(plot, n_panels):
    figure = plot({str(name): [0.5, 1 + name] for name in range(n_panels)})
    assert [ax.get_title() for ax in figure.axes] == [str(name) for name in range(n_panels)]
    assert max(figure.get_size_inches()) <= 200
    if plot is plots.curve_grid:
        assert len({ax.get_ylim() for ax in figure.axes}) == 1
        assert figure.axes[0].get_ylim()[1] > n_panels
    return figure


Y = np.array(list(ODD), object).repeat(2)
X = np.random.default_rng(0).random((len(ODD), 2, 2))
HEADINGS = {"title": "Ba$$in, 200 letters: " + "a b" * 60}
NAMED = {
    "clusters_2d": lambda: plots.clusters_2d(np.eye(20, 2), Y, xlabel="$", ylabel="$$", **HEADINGS),
    "embedding_2d": lambda: plots.embedding_2d(np.eye(20, 4), Y, **HEADINGS),
    "embedding_3d": lambda: plots.embedding_3d(np.eye(20, 3), Y, **HEADINGS),
    "confusion_matrix": lambda: plots.confusion_matrix(Y, Y, **HEADINGS),
    "centroid_images": lambda: plots.centroid_images(X, ODD, **HEADINGS),
    "centroid_images, many": lambda: plots.centroid_images(
        np.tile(X, (11, 1, 1)), [*ODD] * 11, **HEADINGS
    ),
    "image_rows": lambda: plots.image_rows({name: X[:2] for name in ODD}, ["$", "$$"], **HEADINGS),
    "image_rows, many": lambda: plots.image_rows(
        {name: X.repeat(2, 0) for name in ODD}, **HEADINGS
    ),
    "reconstructions": lambda: plots.reconstructions(X, X, **HEADINGS),
    "views": lambda: plots.views(X, lambda images, training: images, **HEADINGS),
    "learning_curves": lambda: plots.learning_curves(
        {name: [1] for name in [*ODD, "val__private", "val_$"]}, xlabel="$$", **HEADINGS
    ),
    "curve_grid": lambda: plots.curve_grid(
        {name: [1] for name in ODD}, xlabel="$$", ylabel="$$", references={"$": 1}, **HEADINGS
    ),
    "curve_band": lambda: plots.curve_band([1, 2], xlabel="$$", ylabel="$$", **HEADINGS),
    "elbow": lambda: plots.elbow([1], [1], **HEADINGS),
}


def texts_in(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


@pytest.mark.parametrize("name", NAMED)
def test_any_name_is_drawn_as_it_stands_and_fits(name, fast_tsne):
    figure = NAMED[name]().figure
    draw(figure)
    texts = texts_in(figure)
    assert any(text.startswith("Ba$$in, 200") and "\n" in text for text in texts)
    if name.split(",")[0] in {"reconstructions", "views", "curve_band", "elbow"}:
        return
    for odd in ODD:  # On one line, and no longer than there is room for.
        assert any(printable(odd, letters) in texts for letters in range(8, 41))
    assert max(len(text) for text in texts if not text.startswith("Ba$$in, 200")) <= 41


@pytest.mark.parametrize("name", ["clusters_2d", "embedding_3d", "confusion_matrix"])
def test_long_names_and_titles_lie_inside_the_figure(name):
    ax = NAMED[name]()
    draw(ax.figure)
    texts = [ax.title]
    if name == "confusion_matrix":
        texts += [*ax.get_xticklabels(), *ax.get_yticklabels()]
    texts += ax.get_legend().get_texts() if ax.get_legend() else []
    for box in (text.get_window_extent() for text in texts if text.get_text()):
        assert box.x0 >= 0
        assert box.x1 <= ax.figure.bbox.x1
        assert box.y1 <= ax.figure.bbox.y1


def test_pictures_on_a_subfigure_wrap_titles_at_its_edge():
    left, right = plt.figure(figsize=(9, 4), layout="constrained").subfigures(1, 2)
    plots.clusters_2d(np.eye(2), title="word " * 20, ax=left.add_subplot())
    plots.confusion_matrix([0, 1], [0, 1], title="word " * 20, ax=right.add_subplot())
    for subfigure in (left, right):
        lines = subfigure.axes[0].get_title().split("\n")
        assert len(lines) == 3
        assert max(map(len, lines)) <= 40


def test_author_s_formula_is_a_formula_and_a_class_name_is_not():
    ax = plots.clusters_2d(np.eye(2), ["$x$", "$y$"], title="$x$", xlabel="$x$ and $$")
    assert ax.title.get_parse_math()
    assert not ax.xaxis.label.get_parse_math()
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (5, "5"),
        (None, "None"),
        ("a\r\n\tb\u2028c", "a   b c"),
        ("half of a pair \ud800", "half of a pair ?"),
        ("0123456789" * 2, "01234567890123456789"),
        ("0123456789" * 2 + "x", "0123456789…23456789x"),
    ],
)
def test_printable_names_have_one_line_and_both_ends(name, shown):
    assert printable(name, 20) == shown
