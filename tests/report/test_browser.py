"""The page in a real browser, headless Chromium."""

import shutil

import numpy as np
import pytest
from chromium import Chromium
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

import kdec
from kdec.report import Contents, write_report

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = next(filter(None, map(shutil.which, PROGRAMS)), None)
IS_DRAWN = (
    "document.querySelector('#embedding canvas') && document.querySelector('#embedding').data"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not on the PATH"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(PROGRAM, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def digits_report(tmp_path_factory):
    """Digits in 30 clusters by k-means on their first eight principal components."""
    digits = kdec.load_data("digits")
    codes = PCA(8, random_state=0).fit_transform(digits.flat)
    kmeans = KMeans(30, n_init=1, random_state=0).fit(codes)
    confidence = 1 / (1 + np.sort(kmeans.transform(codes))[:, 0])
    contents = Contents.of(
        digits,
        labels=kmeans.labels_,
        confidence=confidence,
        codes=codes,
        centers=kmeans.cluster_centers_,
        decoded=np.stack([digits.x[kmeans.labels_ == k].mean(axis=0) for k in range(30)]),
    )
    return contents, write_report(tmp_path_factory.mktemp("digits") / "report.html", contents)


@pytest.fixture
def page(browser, digits_report):
    """The browser, with the report of the digits open and drawn."""
    browser.open(digits_report[1])
    browser.wait_for(IS_DRAWN)
    return browser


def sample_pointed_at(page):
    """Move the pointer over the embedding until a sample is shown, and return its row."""
    left, top, width, height = page.box("#embedding")
    for across, down in np.random.default_rng(0).uniform(0.3, 0.7, (400, 2)):
        page.point_at(left + across * width, top + down * height)
        if shown := page.evaluate("document.querySelector('#sample').dataset.sample"):
            return int(shown)
    raise AssertionError("No sample was shown")


def click(page, selector, count=1):
    left, top, width, height = page.box(selector)
    page.click(left + width / 2, top + height / 2, count)


def shown_clusters(page):
    """Return the clusters of the points that have a place."""
    place = page.evaluate("Array.from(document.querySelector('#embedding').data[0].x, isFinite)")
    return np.array(place)


def test_pointing_at_a_sample_shows_it(page, digits_report):
    contents, _ = digits_report
    row = sample_pointed_at(page)
    text = page.evaluate("document.querySelector('#sample').innerText").split()
    assert text[:4] == ["sample", str(row), "cluster", str(contents.labels[row])]
    page.wait_for("document.querySelector('#sample canvas')")
    # The middle of each pixel, as the thumbnail is drawn larger.
    drawn = page.evaluate(
        "(() => { const canvas = document.querySelector('#sample canvas');"
        "const scale = canvas.width / 8; const context = canvas.getContext('2d');"
        "const at = (i) => Math.floor((i + 0.5) * scale);"
        "return Array.from({length: 64}, (_, i) => "
        "context.getImageData(at(i % 8), at(Math.floor(i / 8)), 1, 1).data[0]); })()"
    )
    np.testing.assert_allclose(drawn, 255 * contents.x[row].ravel(), atol=1)
    assert not page.complaints()


def test_click_in_the_legend_hides_a_cluster_and_a_double_click_all_others(page, digits_report):
    labels = digits_report[0].labels
    assert shown_clusters(page).all()
    click(page, "#legend [data-cluster='3']")
    assert np.array_equal(shown_clusters(page), labels != 3)
    click(page, "#legend [data-cluster='3']")
    assert shown_clusters(page).all()
    click(page, "#legend [data-cluster='7']", count=2)
    assert np.array_equal(shown_clusters(page), labels == 7)
    assert labels[sample_pointed_at(page)] == 7
    click(page, "#show-all")
    assert shown_clusters(page).all()
    assert not page.complaints()


def test_cards_of_many_clusters_come_a_page_at_a_time(page):
    shown = "[...document.querySelectorAll('.card')].filter((card) => !card.hidden).length"
    assert page.evaluate(shown) == 20
    page.evaluate("location.hash = 'cluster-25'")
    page.wait_for(f"{shown} === 10")
    assert page.box("#cluster-25")[3] > 0
    assert not page.complaints()


def test_page_fits_a_phone_and_prints(browser, digits_report, tmp_path):
    browser.open(digits_report[1], 390, 844, is_phone=True)
    browser.wait_for(IS_DRAWN)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    browser.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") > 3
    assert not browser.complaints()


def test_names_of_users_run_no_script(browser, hostile_contents, tmp_path):
    browser.open(write_report(tmp_path / "report.html", hostile_contents))
    browser.wait_for(IS_DRAWN)
    sample_pointed_at(browser)
    assert "<script>alert(1)</script>" in browser.evaluate(
        "document.querySelector('#sample').innerText"
    )
    assert browser.evaluate("document.querySelectorAll('script').length") == 3
    assert browser.evaluate("document.querySelectorAll('img[src=x]').length") == 0
    assert not browser.complaints()
    assert "Page.javascriptDialogOpening" not in {found["method"] for found in browser.messages}
