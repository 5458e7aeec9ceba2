"""Our pages in a real browser: nothing is asked of anybody else, nothing fails, they fit, everything has a name."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import PROGRAM, Tab, browser
from tests.cluster.rig import City, catalogue, city

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium).")
PAGES = ["/", "/catalog", "/collections/open-data", "/datasets/d1", "/docs", "/runs"]
NAMELESS = """
[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, img")]
  .filter(e => e.checkVisibility())
  .filter(e => !(e.ariaLabel || e.alt || e.title || e.textContent.trim() || e.labels?.length))
  .filter(e => !e.getAttribute("aria-labelledby"))
  .filter(e => !(e.tagName === "IMG" && e.getAttribute("alt") === ""))
  .map(e => e.outerHTML.slice(0, 120))
"""
SKIPPED_HEADINGS = """
[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(e => +e.tagName[1])
  .filter((level, n, all) => n && level > all[n - 1] + 1).length
"""


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("node")
    with city(folder / "node") as one:
        one.say("sources", "add", "own", catalogue(folder / "c.ttl", 30), "--kind", "dcat")
        one.say("harvest", "run", "own")
        yield one.start()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nobody_else_and_nothing_fails(helsinki: City, tab: Tab, page: str) -> None:
    tab.visit(helsinki.base_url + page)
    assert {urlsplit(url).netloc for url in tab.asked if url.startswith("http")} == {urlsplit(helsinki.base_url).netloc}
    assert tab.said == []


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_window(helsinki: City, tab: Tab, page: str, width: int) -> None:
    tab.visit(helsinki.base_url + page, width=width)
    assert tab.value("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", [*PAGES, "/no-such-page"])
def test_a_page_can_be_found_through_by_those_who_do_not_see_it(helsinki: City, tab: Tab, page: str) -> None:
    tab.visit(helsinki.base_url + page)
    assert tab.value("document.documentElement.lang")
    assert tab.value("document.title")
    assert tab.value("document.querySelectorAll('h1').length") == 1
    assert tab.value("document.querySelectorAll('main').length") == 1
    assert tab.value(NAMELESS) == []
    assert tab.value(SKIPPED_HEADINGS) == 0


def test_a_page_can_be_seen(helsinki: City, tab: Tab, tmp_path: Path) -> None:
    tab.visit(helsinki.base_url + "/")
    (tmp_path / "page.png").write_bytes(tab.picture())
    assert len(tab.picture()) > 5_000
