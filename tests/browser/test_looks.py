"""Every page of the desk, and of the portal what people's journeys left there, looked at in each language.

A page is opened once and seen as many see it: light and dark, at a desk and on a phone, folded and unfolded, and in
the narrowest window that has to do. axe finds nothing, nothing is asked of anybody else, nothing is said on the console
and nothing jumps. The pictures are kept. In English all of it, in the other languages what their words can break.
"""

import json
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import test_journeys as journeys
from tests.browser.chromium import PROGRAM
from tests.browser.towns import Towns
from tests.browser.world import AXE, AXE_RUN, AXE_TAGS, LOCALES, PICTURES, Device, World, name_of

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here (apt install chromium)."),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here: .ci/axe brings it, with npm."),
]
DESK = [
    "/desk", "/desk/sources", "/desk/sources/own", "/desk/sources/own/change", "/desk/sources/own/leave",
    "/desk/add-source", "/desk/runs", "/desk/runs/1", "/desk/runs/1/added",
    "/desk/peers", "/desk/new-peer", "/desk/peers/london", "/desk/peers/london/review",
    "/desk/peer-table", "/desk/keys", "/desk/numbers",
    "/desk/agreements", "/desk/agreements?ended=true", "/desk/agreements/new", "/desk/agreements/offers",
    "/desk/agreements/try", "{agreement}", "{verify}",
    "/desk/data", "/desk/data/get", "/desk/data/origins", "/desk/data/withdrawals", "/desk/data/evidence",
    "/desk/records", "/desk/records/practice/example", "/desk/records/ai-system/example",
    "/desk/records/practice/example/history", "/desk/records/practice/example/preview", "/desk/corrections",
    "{correction}", "/desk/submissions", "/desk/submissions?decided=1", "{submission}", "/desk/inbox",
    "/desk/inbox?show=settled", "{report}",
    "/desk/account", "/desk/account/phone", "/desk/people", "/desk/people/aino", "/desk/audit", "/desk/no-such-page",
]  # fmt: skip
PORTAL = [
    "/", "/search", "/search?q=kerbside", "/search?q=qwxzqwxz", "/datasets/kerbs", "/agreements", "{public}",
    "/numbers", "/join", "/federation", "{compare}", "/practices", "/ai-systems", "/report?iri={kerbs}",
    "/request-access?iri={kerbs}", "/submissions/new", "/desk/sign-in", "{standing}", "/no-such-page",
]  # fmt: skip
STILL = ("/", "/search?q=kerbside", "/datasets/kerbs")
JUMPS = """new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.jumped = (window.jumped || 0) + one.value;
}).observe({type: "layout-shift", buffered: true})"""
# Inputs of fields that begin at one height and do not themselves: a hint or a label of two lines may not move them.
ASKEW = """() => {
  const rows = new Map(), shown = ".field > :is(input:not([type=hidden], [type=checkbox], [type=radio]), select)";
  for (const one of document.querySelectorAll(shown)) {
    if (!one.offsetParent) continue;
    const field = one.parentElement, key = `${Math.round(field.getBoundingClientRect().top)}`;
    rows.set(key, [...(rows.get(key) || []), [one.id, Math.round(one.getBoundingClientRect().top)]]);
  }
  return [...rows.values()].filter(row => new Set(row.map(one => one[1])).size > 1);
}"""
UNFOLD = "document.querySelectorAll('main details').forEach(fold => fold.open = true)"
FOUND = "[...document.querySelectorAll('main a')].map(a => a.getAttribute('href'))"


class Eye:
    """A reader or a clerk with script, who looks at one page after the other."""

    def __init__(self, page: Page, home: str, device: Device) -> None:
        self.page, self.home, self.device = page, home, device
        self.said: list[str] = []
        self.asked: set[str] = set()
        page.on("console", lambda one: self.said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))

    def open(self, path: str) -> int:
        self.said.clear()
        self.asked.clear()
        reply = self.page.goto(self.home + path, wait_until="load")
        assert reply is not None
        return reply.status

    def axe(self, *tags: str) -> None:
        found = self.page.evaluate(AXE_RUN, [*tags] or AXE_TAGS)
        assert found == [], (self.page.url, json.dumps(found, indent=1))

    def picture(self, how: str) -> None:
        folder = PICTURES / f"{self.device.language}-{how}"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name_of(self.page.url)}.png", full_page=True, animations="disabled")

    def fits(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 800})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (self.page.url, wide)

    def first(self, path: str, sign: str) -> str:
        """Give the first address on a page that has a sign."""
        self.open(path)
        found: list[str] = self.page.evaluate(FOUND)
        assert any(sign in one for one in found), (path, sign, found)
        return next(one for one in found if sign in one)


@pytest.fixture(scope="session")
def known(world: World, cities: Towns) -> dict[str, str]:
    """Give the addresses of what the journeys made; those that were not walked are walked now."""
    if "agreement" not in world.kept:
        journeys.test_two_people_on_two_nodes_make_an_agreement(world, cities)
    if "standing" not in world.kept:
        journeys.test_a_readers_report_reaches_the_city_that_the_record_is_of_and_its_answer_comes_back(world, cities)
    if "submission" not in world.kept:
        journeys.test_what_a_reader_submits_is_read_by_a_person_and_then_published(world, cities)
    kerbs, theirs = (quote(cities.portals[name].iri("kerbs"), safe="") for name in ("helsinki", "london"))
    return {
        "kerbs": kerbs,
        "standing": urlsplit(world.kept["standing"]).path,
        "compare": f"/compare?iri={kerbs}&iri={theirs}",
        "correction": f"/desk/corrections/edit?iri={kerbs}",
        "submission": f"/desk/submissions/{urlsplit(world.kept['submission']).path.rpartition('/')[2]}",
    }


def _eye(world: World, browser: Browser, home: str) -> Iterator[Eye]:
    context = browser.new_context(locale=LOCALES[world.device.language], reduced_motion="reduce")
    context.add_init_script(JUMPS)
    yield Eye(context.new_page(), home, world.device)
    context.close()


@pytest.fixture(scope="session")
def reader(world: World, browser: Browser, cities: Towns, known: dict[str, str]) -> Iterator[Eye]:
    for eye in _eye(world, browser, cities.helsinki.base_url):
        eye.page.context.add_init_script(path=AXE)
        known["public"] = eye.first("/agreements", "/agreements/")
        yield eye


@pytest.fixture(scope="session")
def clerk(world: World, browser: Browser, cities: Towns, known: dict[str, str]) -> Iterator[Eye]:
    for eye in _eye(world, browser, cities.helsinki.base_url):
        aino = journeys.clerk(world, cities, cities.helsinki, "aino")
        eye.page.context.add_cookies(aino.page.context.cookies())  # type: ignore[arg-type]
        eye.page.context.add_init_script(path=AXE)
        known["agreement"] = eye.first("/desk/agreements", "name=")
        known["verify"] = eye.first(known["agreement"], "/verify")
        known["report"] = eye.first("/desk/inbox?show=settled", "/desk/inbox/")
        yield eye


@pytest.mark.parametrize("path", ["/desk/records/practice/example", "/desk/records/ai-system/example", "/desk/audit"])
def test_inputs_side_by_side_stand_level(clerk: Eye, path: str) -> None:
    clerk.page.set_viewport_size({"width": 1280, "height": 900})
    clerk.open(path)
    clerk.page.evaluate(UNFOLD)
    assert clerk.page.evaluate(ASKEW) == []


@pytest.mark.parametrize("path", DESK)
def test_a_page_of_the_desk_is_for_everyone(clerk: Eye, known: dict[str, str], path: str) -> None:
    _look(clerk, path.format_map(known))


@pytest.mark.parametrize("path", PORTAL)
def test_a_page_of_the_portal_is_for_everyone(reader: Eye, known: dict[str, str], path: str) -> None:
    _look(reader, path.format_map(known))


def _look(eye: Eye, path: str) -> None:
    """See a page as many see it."""
    wide, dark = eye.device.kind == "desk", eye.device.language == "sv"
    eye.page.emulate_media(color_scheme="dark" if dark else "light")
    eye.page.set_viewport_size({"width": 1280 if wide else 390, "height": 900})
    status = eye.open(path)
    assert status == (404 if path.endswith("no-such-page") else 200), status
    eye.axe()
    eye.picture(("wide" if wide else "narrow") + ("-dark" if dark else ""))
    if path in STILL:
        assert (eye.page.evaluate("window.jumped") or 0) <= 0.02
    if eye.device.language == "en":
        eye.page.emulate_media(color_scheme="dark")
        eye.axe("wcag2aa")
        eye.page.set_viewport_size({"width": 390, "height": 900})
        eye.axe()
        eye.picture("narrow-dark")
    eye.fits(320)
    eye.page.evaluate(UNFOLD)
    eye.fits(320)
    if not dark:
        eye.axe()
    assert eye.asked == {urlsplit(eye.home).netloc}
    assert [line for line in eye.said if status != 404 or "404" not in line] == []
