"""Our pages in a real browser: nothing is asked of anybody else, nothing fails, they fit, everyone can use them."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.chromium import PROGRAM, Tab
from tests.cluster.rig import City

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium).")
GOOD = [
    "/", "/catalog", "/collections/open-data", "/collections/open-data?page=2", "/collections/odd", "/datasets/d1",
    "/datasets/html", "/datasets/long", "/datasets/bare", "/datasets/machine", "/datasets/files", "/services/service",
    "/series/series", "/datasets/html/findings", "/datasets/html/proof", "/docs", "/runs", "/runs/1", "/runs/2",
    "/problems/withdrawn", "/federation", "/federation?lang=fi", "/collections/london/open-data",
    "/search", "/search?q=title&city=helsinki&format=-PDF&place=Helsinki&lang=fi", "/search?q=qwxzqwxz&city=london",
    "/numbers", "/numbers?lang=fi", "/join", "/join?lang=sv", "/report?iri=https%3A%2F%2Fcity.example%2Fid%2Flondon1",
    "/submissions/new?lang=fi", "/agreements", "/agreements?lang=sv", "/reuses", "/models?lang=fi", "/quality",
    "/quality?lang=sv", "/licences", "/search?lang=sv", "/?lang=fi", "/?lang=sv", "/desk/sign-in",
    "/desk/sign-in?lang=fi",
    "/about", "/accessibility?lang=fi", "/privacy?lang=sv", "/compare", "/sets", "/challenges", "/ai-systems?lang=sv",
    "/compare?iri=https%3A%2F%2Fcity.example%2Fid%2Flondon1&iri=https%3A%2F%2Fcity.example%2Fid%2Flondon2",
    "/knowledge", "/practices?lang=fi", "/practices/example", "/practices/example?lang=sv", "/ai-systems/example",
    "/ai-systems/example?lang=fi", "/questions/example", "/challenges/example", "/reuses/example",
    "/practices/example/relations", "/datasets/d1/relations",
    *(f"/records{more}?iri=https%3A%2F%2Fcity.example%2Fid%2Flondon1" for more in ("", "/proof", "/findings")),
]  # fmt: skip
BAD = [
    "/search?bbox=1", "/search?from=x&lang=fi", "/no-such-page", "/datasets/none", "/collections/odd?page=abc",
    "/collections/odd?page=99", "/agreements/none", "/report?iri=x&lang=sv",
]  # fmt: skip
AXE = Path(__file__).parents[2] / ".axe/node_modules/axe-core/axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = f"""
axe.run(document, {{runOnly: {json.dumps(AXE_TAGS)}}}).then(r => JSON.stringify({{
  passed: r.passes.length,
  found: r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])
}}))
"""
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
_A_REFUSAL = "the server responded with a status of 4"
FOLD = "document.querySelectorAll('details').forEach(fold => fold.open = false)"
UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"


@pytest.fixture(scope="module", params=[*GOOD, *BAD])
def seen(request: pytest.FixtureRequest, helsinki: City, tab: Tab) -> Tab:
    """Give a tab with a page; pytest asks everything of one page before it turns to the next."""
    tab.scheme("light")
    tab.visit(helsinki.base_url + str(request.param))
    return tab


def test_a_page_asks_nobody_else_and_nothing_fails(helsinki: City, seen: Tab) -> None:
    asked = {urlsplit(url).netloc for url in seen.asked if url.startswith("http")}
    assert asked == {urlsplit(helsinki.base_url).netloc}
    # The browser says of a refusal that it was one, and nothing else is said.
    is_bad = seen.value("location.pathname + location.search") in BAD
    assert [_A_REFUSAL in line for line in seen.said] == [True] * is_bad


def test_a_page_can_be_found_through_by_those_who_do_not_see_it(seen: Tab) -> None:
    assert seen.value("document.documentElement.lang")
    assert seen.value("document.title")
    assert seen.value("document.querySelectorAll('h1').length") == 1
    assert seen.value("document.querySelectorAll('main').length") == 1
    assert seen.value(NAMELESS) == []
    assert seen.value(SKIPPED_HEADINGS) == 0


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here: .ci/axe brings it, with npm.")
def test_axe_finds_nothing(seen: Tab) -> None:
    seen.value(AXE.read_text() + ";0")
    for scheme, width, fold in (("light", 1280, "0"), ("dark", 1280, "0"), ("light", 390, UNFOLD), ("dark", 390, "0")):
        seen.scheme(scheme)
        seen.wide(width)
        seen.value(fold)
        result = json.loads(seen.promised(RUN_AXE))
        assert result["passed"] > 10
        assert result["found"] == [], (scheme, width)
    seen.value(FOLD)


def test_a_page_fits_its_window(seen: Tab) -> None:
    for fold in (FOLD, UNFOLD):
        seen.value(fold)
        for width in (320, 768):
            seen.wide(width)
            assert seen.value("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", ["/", "/datasets/html", "/datasets/files", "/runs/2", "/datasets/html/proof"])
def test_a_page_fits_with_text_twice_as_large(helsinki: City, tab: Tab, page: str) -> None:
    tab.visit(helsinki.base_url + page, width=390)
    tab.value("document.documentElement.style.fontSize = '200%'")
    assert tab.value("document.documentElement.scrollWidth") <= 390


def test_the_first_key_leads_past_the_menu(helsinki: City, tab: Tab) -> None:
    tab.visit(helsinki.base_url + "/datasets/html")
    tab.press("Tab")
    assert tab.value("document.activeElement.className") == "skip"
    assert tab.value("document.activeElement.getBoundingClientRect().top") >= 0
    tab.press("Enter")
    assert tab.value("document.activeElement.id") == "main"


def test_every_key_press_goes_to_something_that_shows_it(helsinki: City, tab: Tab) -> None:
    tab.visit(helsinki.base_url + "/datasets/html")
    seen = set()
    for _ in range(25):
        tab.press("Tab")
        outline = tab.value("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", tab.value("document.activeElement.outerHTML.slice(0, 120)")
        seen.add(tab.value("document.activeElement.outerHTML"))
    assert len(seen) > 15


def test_the_seal_opens_with_a_key(helsinki: City, tab: Tab) -> None:
    tab.visit(helsinki.base_url + "/datasets/html")
    tab.value("document.querySelector('.seal > summary').focus()")
    tab.press("Enter")
    assert tab.value("document.querySelector('.seal').open")


def test_print_is_light_and_unfolded_and_without_menus(helsinki: City, tab: Tab) -> None:
    tab.scheme("dark", media="print")
    tab.visit(helsinki.base_url + "/datasets/html")
    assert tab.value("getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert tab.value("getComputedStyle(document.querySelector('.menu')).display") == "none"
    assert tab.value("document.querySelector('.all .pairs').checkVisibility({contentVisibilityAuto: true})")
    tab.scheme("")


def test_a_page_can_be_seen(helsinki: City, tab: Tab, tmp_path: Path) -> None:
    tab.visit(helsinki.base_url + "/")
    (tmp_path / "page.png").write_bytes(tab.picture())
    assert len(tab.picture()) > 5_000
