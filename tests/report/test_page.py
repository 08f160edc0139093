"""The page as text: what it says, that names are no markup, that it is written whole."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kdec
from kdec.report import Contents, write_report
from kdec.report.page import render

INLINE = {"b", "bdi", "code", "small", "strong"}


class Page(HTMLParser):
    """A page taken apart: its tags with their attributes, the texts outside of scripts, data."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.inside = [], [], ""
        self.data = ""
        self.feed(Path(path).read_text(encoding="utf-8"))
        self.close()
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag if tag in ("script", "style") else ""
        if tag not in INLINE:
            self.texts.append(" ")
        self.is_data = dict(attributes).get("id") == "view-data"

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if not self.inside:
            self.texts.append(data)
        elif self.inside == "script" and self.is_data:
            self.data += data


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes a report, without the still embedding, and takes it apart."""
    monkeypatch.setattr("kdec.report.pictures.embedding", lambda *_: "data:image/webp;base64,")
    return lambda contents: Page(write_report(tmp_path / "report.html", contents))


def test_names_are_no_markup(written, hostile_contents):
    page = written(hostile_contents)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "view-data"}, {}, {}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert sources and all(source.startswith("data:image/") for source in sources)
    # What is not shortened is there as it stands.
    assert hostile_contents.title in page.text
    rows = json.loads(page.data)["rows"]
    assert any(column["name"].startswith("kind <scr") for column in rows)
    assert any("<script>" in value for column in rows for value in column["values"])


def test_page_says_what_it_was_given(written):
    digits = kdec.load_data("digits")
    labels = np.where(digits.y == 9, 8, digits.y)
    page = written(
        Contents.of(
            digits,
            title="My digits",
            source="digits.npy",
            labels=labels,
            confidence=np.full(1797, 0.75),
            codes=digits.flat[:, 10:20],
            method="Labels stood in for clusters.",
            notes=["One file could not be read."],
            left_out={"broken.png": "truncated"},
            comparison={"k-means": {"ACC": 0.5, "silhouette": 0.25}},
            choice=pd.DataFrame({"stability": [np.nan, 0.875]}, index=[8, 9]),
            suggestion=9,
            reason="Labels are stable.",
            history={"contrast": {"loss": [3, 2, 1]}},
            command="kdec cluster digits.npy --k 9",
            seed=3,
            seconds={"training": 12.34},
            versions={"kdec": "0.3.0"},
        )
    )
    for text in (
        *("My digits", "1,797 images of 8", "8 pixels, grey from digits.npy, in 9 clusters"),
        *("Labels stood in for clusters.", "One file could not be read.", "75% mean confidence"),
        *(
            "broken.png: truncated",
            "Suggested: 9. Labels are stable.",
            "clusters stability 8 9 0.875",
        ),
        *("kdec cluster digits.npy --k 9", "seed 3", "training 12.3", "kdec 0.3.0"),
        "k-means 0.5 0.25",
    ):
        assert text in page.text
    accuracy = kdec.metrics.accuracy(digits.y, labels)
    assert f"this clustering {accuracy:.4g}" in page.text
    assert "are drawn" not in page.text
    data = json.loads(page.data)
    assert len(data["names"]) == 1797
    assert data["sheet"]["columns"] == 43
    assert data["axes"][0].startswith("PC 1 (")


def test_what_is_not_known_has_no_section(written):
    x = np.random.default_rng(0).random((30, 6, 6, 3))
    labels = np.arange(30) % 2
    page = written(Contents(title="", x=x, labels=labels, confidence=np.ones(30), codes=x[:, 0, 0]))
    headings = {"The samples", "Sizes", "The clusters", "How it was made"}
    assert {text for text in page.texts if text in headings} == headings
    assert "images of 6 \N{MULTIPLICATION SIGN} 6 pixels, in colour" in page.text
    for absent in ("known labels", "In what the clusters differ", "Learning curves", "How many"):
        assert absent not in page.text


@pytest.mark.parametrize(
    "given",
    [
        {"x": [[1.0, 2.0]], "labels": [0], "confidence": [1], "codes": [[0.5]]},
        {
            "x": np.ones((3, 2)),
            "labels": [0, 1, 1],
            "confidence": [1, 1, 1],
            "codes": np.ones((3, 9)),
        },
        {"x": np.ones((2, 4)), "labels": [5, 0], "confidence": [0, 0], "codes": np.eye(2, 4)},
        {"x": np.ones((2, 1, 90)), "labels": [0, 0], "confidence": [1, 0], "codes": np.eye(2)},
        {"x": np.eye(4) > 0, "labels": [0, 1] * 2, "confidence": [1, 0] * 2, "codes": np.eye(4)},
    ],
    ids=["one sample", "equal samples", "empty clusters", "flat images", "booleans"],
)
def test_odd_data_have_a_page(written, given):
    page = written(Contents(title="Odd", **given))
    assert len(json.loads(page.data)["names"]) == len(given["x"])


def test_names_of_any_letters_are_written(written, make_contents):
    names = ["\udce9.png", "a\x00b", "\u202egnp.exe", "猫.png", "a\nb", ""] * 2
    data = json.loads(written(make_contents(samples=names, title="\ud800")).data)
    assert data["names"][3:6] == ["猫.png", "a b", ""]


def test_points_left_out_are_counted_on_the_page(written, monkeypatch):
    monkeypatch.setattr("kdec.report.page.MAX_POINTS", 100)
    labels = np.repeat([0, 1], [180, 20])
    x = np.random.default_rng(0).normal(size=(200, 3))
    page = written(Contents(title="", x=x, labels=labels, confidence=np.ones(200), codes=x))
    assert "100 of 200 samples are drawn" in page.text
    assert len(json.loads(page.data)["names"]) == 100


def test_old_page_stays_when_the_new_one_cannot_be_written(tmp_path, monkeypatch, make_contents):
    path = tmp_path / "report.html"
    path.write_text("old")

    def write_some(self, text, **options):
        self.write_bytes(text[:1000].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write_some)
    with pytest.raises(OSError, match="No space left"):
        write_report(path, make_contents(title="New"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_absent_folder_is_said_before_the_work(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected a folder.*Received: .*absent"):
        write_report(tmp_path / "absent" / "report.html", None)


def test_same_contents_make_the_same_page(make_contents):
    assert render(make_contents()) == render(make_contents())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "rows"])
def test_70_000_samples_in_1_000_clusters_are_at_most_15_megabytes(tmp_path, kind):
    rng = np.random.default_rng(0)
    n, k = 70_000, 1000
    labels = np.arange(n) % k
    # Noise, which no format makes small.
    x = rng.random((n, 28, 28, 3) if kind == "images" else (n, 60), dtype=np.float32)
    contents = Contents(
        title="Noise",
        x=x,
        labels=labels,
        confidence=rng.random(n),
        codes=rng.normal(size=(n, 10)),
        centers=rng.normal(size=(k, 10)),
        decoded=x[:k],
        samples=[f"a folder/of the year 2026/with long names/photo {i:06d}.jpg" for i in range(n)],
        y=labels // 10,
        history={"contrast": {"loss": np.ones(1000)}},
    )
    assert write_report(tmp_path / "report.html", contents).stat().st_size < 15e6
