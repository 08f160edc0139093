"""The page of a report: its parts, put into the template, written whole or not at all."""

import base64
import hashlib
import math
import os
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.colors import to_hex
from plotly.offline import get_plotlyjs

from kdec import metrics
from kdec.plots import label_colors, printable
from kdec.report import pictures
from kdec.report.cards import cards
from kdec.report.choosing import MAX_POINTS, choose_examples, choose_points
from kdec.report.contents import Contents
from kdec.report.features import profile
from kdec.report.heat_map import heat_map
from kdec.report.rows import Rows
from kdec.report.view import project, view

_MAX_LETTERS = 80
_MAX_LEFT_OUT = 100
# Typical samples of a cluster, and as many doubtful ones.
_MAX_IMAGES, _MAX_ROWS = 8, 5


def write_report(path: str | os.PathLike, contents: Contents) -> Path:
    """Write a clustering as one HTML page that opens without a network.

    It shows what `contents` has: sizes, the embedding in 3-D, which turns and shows the sample that
    one points at, typical and doubtful samples of each cluster, by which columns clusters differ,
    agreement with known labels, the choice of the number of clusters, learning curves, and how all
    of it was made. At most 20,000 samples are drawn, as many of each cluster as there are, or the
    same number; the page says so. It has at most 15 MB with up to 1,000 clusters.

    Nothing out of `contents` becomes markup. The file is there whole, or as it was before.

    Args:
        path: File to write, in a folder that exists.
        contents: What to show.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is no such folder.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from kdec.report import Contents, write_report
        >>> x = np.random.default_rng(0).normal(size=(50, 4))
        >>> contents = Contents(
        ...     title="Fifty points", x=x, labels=x[:, 0] > 0, confidence=np.ones(50), codes=x
        ... )
        >>> write_report(f"{tempfile.mkdtemp()}/report.html", contents).name
        'report.html'
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Expected a folder that exists. Received: {path.parent}")
    page = render(contents)
    partial = path.with_name(f"partial_{path.name}")
    try:
        # Half of a surrogate pair, as in a file's name of another encoding, becomes "?".
        partial.write_text(page, encoding="utf-8", errors="replace")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def render(contents: Contents) -> str:
    """Return the page of a report."""
    k = contents.n_clusters
    of_clusters = rows = None
    if not contents.has_images:
        of_clusters = profile(contents)
        rows = Rows(contents, of_clusters)
    colors = [to_hex(color) for color in label_colors(k)]
    examples = choose_examples(
        contents.labels,
        contents.confidence,
        contents.codes,
        k,
        most=_MAX_IMAGES if contents.has_images else _MAX_ROWS,
    )
    drawn = choose_points(contents.labels, k, MAX_POINTS)
    points, centers, axes = project(contents.codes, contents.centers)
    environment = _environment()
    agreement = _agreement(contents)
    scripts = [Markup(get_plotlyjs()), Markup(_part(environment, "page.js"))]
    return environment.get_template("page.html").render(
        contents=contents,
        kind=_kind(contents),
        colors=colors,
        cards=cards(contents, examples, of_clusters, rows),
        heat_map=None if of_clusters is None else heat_map(contents, of_clusters),
        n_drawn=len(drawn),
        view={
            "colors": colors,
            "axes": axes,
            **view(contents, drawn, points[drawn], centers, rows),
        },
        still=pictures.embedding(points[drawn], contents.labels[drawn], centers),
        agreement=agreement,
        figure_names=list(dict.fromkeys(name for row in agreement.values() for name in row)),
        confusion=None if contents.y is None else pictures.confusion(contents),
        choice=None if contents.choice is None else pictures.choice(contents),
        curves=list(pictures.curves(contents)),
        left_out=list(contents.left_out.items())[:_MAX_LEFT_OUT],
        style=Markup(_part(environment, "page.css")),
        scripts=scripts,
        digests=[_digest(script) for script in scripts],
    )


def _environment():
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kdec.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": _figure,
        "grouped": "{:,}".format,
        "percent": "{:.0%}".format,
        "printable": lambda name: printable(name, _MAX_LETTERS),
        "signed": _signed,
    }
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return environment


def _figure(value):
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return printable(value, _MAX_LETTERS)


def _signed(value):
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}") if abs(value) >= 0.05 else "0.0"


def _part(environment, name):
    return environment.loader.get_source(environment, name)[0]


def _digest(script: str) -> str:
    """Return what the page's security policy calls a script, so that no other can run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _kind(contents: Contents) -> str:
    """Say what the samples are, in a few words."""
    n, *shape = contents.x.shape
    if contents.has_images:
        color = "in colour" if shape[2:] == [3] else "grey"
        return f"{n:,} images of {shape[1]} \N{MULTIPLICATION SIGN} {shape[0]} pixels, {color}"
    if contents.table is not None:
        return f"{n:,} rows of {contents.table.shape[1]:,} columns, {shape[0]:,} features"
    return f"{n:,} vectors of {shape[0]:,} features"


def _agreement(contents: Contents) -> dict[str, dict[str, float]]:
    """Return the figures of this clustering, and of those that it is compared with, by name."""
    own = contents.metrics
    if own is None and contents.y is not None:
        own = {
            name.upper(): getattr(metrics, function)(contents.class_names, contents.labels)
            for name, function in (("acc", "accuracy"), ("nmi", "nmi"), ("ari", "ari"))
        }
    return {**({"this clustering": own} if own else {}), **contents.comparison}
