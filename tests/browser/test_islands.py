"""Maps, models and copies in a real browser: they draw, keys work them, and everything is said without them."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from node.web.wording.words import words
from tests.browser.chromium import PROGRAM
from tests.browser.test_pages import AXE, AXE_TAGS
from tests.catalog.models.samples import cityjson
from tests.catalog.previews.made import geojson, picture, square
from tests.catalog.rig import turtle
from tests.cluster.rig import City, city
from tests.portal_server import PortalServer, page

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium).")
LONG = b"https://open-data.example/datasets/0123456789abcdef0123456789abcdef_0/about?layer=parking-areas"
ROWS = b"id;page;street;note\n" + b"".join(b"%d;%s;Aleksanterinkatu;=1+1\n" % (n, LONG) for n in range(40))
INK = """
canvas => {
  const gl = canvas.getContext("webgl2"), all = new Uint8Array(canvas.width * canvas.height * 4);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, all);
  let sum = 0, inked = 0;
  for (let n = 0; n < all.length; n += 4) {
    sum = (sum * 31 + all[n]) >>> 0;
    inked += all[n + 3] ? 1 : 0;
  }
  return [inked, sum];
}
"""


def _catalogue(files: dict[str, list[str]]) -> str:
    told = []
    for name, urls in files.items():
        box = '"POLYGON((24.7 60.1,25.3 60.1,25.3 60.3,24.7 60.3,24.7 60.1))"'
        told.append(
            f'd:{name} a dcat:Dataset ; dct:title "Title of {name}"@en ; dct:description "About it."@en ;'
            f" dct:spatial [ a dct:Location ; dcat:bbox {box} ] .\n"
        )
        for n, url in enumerate(urls):
            file = f"d:{name}-{n}"
            told.append(f'd:{name} dcat:distribution {file} . {file} a dcat:Distribution ; dct:title "Part {n}"@en ;')
            told.append(f" dcat:accessURL <{url}> ; dcat:downloadURL <{url}> .\n")
    return turtle(*told)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("islands")
    with PortalServer() as portal, city(folder / "node") as one:
        bodies = {
            "a.csv": ROWS,
            "b.geojson": geojson(square(24.9, 60.1), square(25.1, 60.2)),
            "c.png": picture(800, 500),
            "d.csv": b"\x00\x01",
            "m.city.json": cityjson(blocks=5),
        }
        for name, body in bodies.items():
            portal.pages[f"/{name}"] = page(body)
        at = {name: f"{portal.url}/{name}" for name in bodies}
        files = {"mixed": [at[n] for n in ("a.csv", "b.geojson", "c.png", "d.csv")], "model": [at["m.city.json"]]}
        (folder / "c.ttl").write_text(_catalogue(files | {"area": []}))
        one.say("sources", "add", "own", folder / "c.ttl", "--kind", "dcat")
        one.say("harvest", "run", "own")
        assert "1 refused, 4 seen" in one.say("previews", "read")
        one.start()
        yield one


@pytest.fixture
def tab(browser: Browser, town: City) -> Iterator[Page]:
    """Give a tab; whatever it says or asks of others fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=town.base_url)
    one, said = context.new_page(), list[str]()
    one.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    one.on("pageerror", lambda error: said.append(str(error)))
    asked: set[str] = set()
    one.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    yield one
    assert [line for line in said if "GPU stall" not in line] == []
    assert asked <= {urlsplit(town.base_url).netloc}
    context.close()


@pytest.mark.parametrize("width", [400, 1200])
def test_no_value_of_a_table_runs_over_its_neighbour(town: City, tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(f"{town.base_url}/datasets/mixed")
    cells = tab.locator("table.cells td", has_text="open-data.example")
    assert cells.count() > 0
    inside = "cells => cells.every(one => one.scrollWidth <= one.clientWidth + 1)"
    assert cells.evaluate_all(inside)
    assert cells.first.inner_text() == LONG.decode()


def test_a_map_draws_the_land_and_the_shapes_and_says_what_it_shows(town: City, tab: Page) -> None:
    tab.goto(f"{town.base_url}/datasets/mixed")
    tab.locator("summary", has_text="Part 1").click()
    shown = tab.locator("[data-map]")
    shown.locator("path.shape").nth(1).wait_for()
    assert shown.locator("path.shape").count() == 2
    assert shown.locator("path.shape").first.bounding_box()["width"] > 40  # type: ignore[index]
    assert shown.get_attribute("data-drawn") == "yes"
    assert shown.get_attribute("role") == "region"
    assert "Title of mixed" in (shown.get_attribute("aria-label") or "")
    shown.locator("path.shape").first.dispatch_event("click")
    assert tab.locator(".leaflet-popup-content").inner_text() == "Zone 0"


def test_a_map_is_moved_and_zoomed_by_keys(town: City, tab: Page) -> None:
    tab.goto(f"{town.base_url}/datasets/area")
    shape = tab.locator("[data-map] path.shape")
    shape.wait_for()
    tab.locator("[data-map] path.land").first.wait_for()
    before = shape.bounding_box()
    tab.locator("[data-map]").focus()
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("+")
    tab.wait_for_timeout(800)
    after = shape.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 1.5 * before["width"]
    tab.get_by_role("button", name=words("en", "map.out")).wait_for()


def test_a_model_is_drawn_and_turned_by_keys(town: City, tab: Page) -> None:
    tab.goto(f"{town.base_url}/datasets/model")
    tab.locator("[data-model]").scroll_into_view_if_needed()
    canvas = tab.locator("[data-model] canvas")
    canvas.wait_for()
    tab.wait_for_timeout(300)
    inked, first = canvas.evaluate(INK)
    assert inked > 500
    canvas.focus()
    tab.keyboard.press("ArrowLeft")
    tab.wait_for_timeout(200)
    assert canvas.evaluate(INK)[1] != first
    assert "arrow keys" in (canvas.get_attribute("aria-label") or "")


def test_without_webgl_words_say_what_the_model_holds(town: City, tab: Page) -> None:
    tab.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    tab.goto(f"{town.base_url}/datasets/model")
    tab.locator("[data-model]").scroll_into_view_if_needed()
    tab.locator("[data-model] .none").wait_for()
    assert "Building 5" in tab.locator("main").inner_text()


def test_the_credit_line_is_copied_and_that_is_told(town: City, tab: Page) -> None:
    tab.goto(f"{town.base_url}/datasets/mixed")
    tab.locator("[data-copy] button").click()
    tab.get_by_role("status").filter(has_text="Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == tab.locator("#credit").inner_text()


def test_without_script_everything_is_said_and_islands_take_no_room(town: City, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{town.base_url}/datasets/mixed")
    assert tab.locator("[data-map]").first.is_hidden()
    assert "=1+1" in tab.locator("table.cells").first.inner_text()
    tab.locator("summary", has_text="Part 1").click()
    assert "Features: 2" in tab.locator("main").inner_text()
    assert not any(one.is_visible() for one in tab.get_by_text(words("en", "inside.map.coarse")).all())
    assert tab.locator("[data-copy] button").count() == 0
    context.close()


@pytest.mark.parametrize("width", [320, 1200])
@pytest.mark.parametrize("path", ["/datasets/mixed", "/datasets/model", "/datasets/area"])
def test_pages_with_islands_fit_and_axe_finds_nothing(town: City, tab: Page, path: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.goto(town.base_url + path)
        tab.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.removeAttribute('name'); one.open = true })"
        )
        tab.wait_for_timeout(500)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        if AXE.is_file():
            tab.evaluate(AXE.read_text())
            found = tab.evaluate(
                "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map("
                "v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))",
                AXE_TAGS,
            )
            assert found == [], json.dumps(found, indent=1)


def test_a_picture_keeps_its_room_before_it_is_there(town: City, tab: Page, tmp_path: Path) -> None:
    tab.goto(f"{town.base_url}/datasets/mixed")
    image = tab.locator(".shot img")
    assert (image.get_attribute("width"), image.get_attribute("height")) == ("800", "500")
    assert (image.get_attribute("alt") or "").startswith("Small picture of")
