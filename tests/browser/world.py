"""A real browser for people's journeys, once in each language that our pages speak.

A world is one language on one kind of device: English at a desk, Finnish on a phone without script, Swedish at a desk
without script. In each, a reader and a city's team walk the same ways through the same cities. Whatever a journey does
is done by what a page offers: a link, a field, a button, found by the words that its reader sees. Every page that is
seen is looked at: nothing is asked of anybody else, nothing is said on the console, axe finds nothing; its picture is
kept.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from node.testing import City
from node.web.wording.words import words
from tests.browser.chromium import PROGRAM

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".axe/node_modules/axe-core/axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PICTURES = ROOT / ".pictures"
PASSWORD = "nine lorries of melting snow"  # noqa: S105
ARGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
LOCALES = {"en": "en-GB", "fi": "fi-FI", "sv": "sv-SE"}
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
AXE_RUN = """tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(
  v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))"""
# Without script a refusal is a page, and the browser says on its console that it was one.
_A_REFUSAL = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass(frozen=True, slots=True)
class Device:
    """One way to read: a language, a kind of device, with script or without."""

    language: str
    kind: str
    script: bool

    @property
    def name(self) -> str:
        return f"{self.language}-{self.kind}{'' if self.script else '-no-script'}"


DEVICES = (Device("en", "desk", True), Device("fi", "phone", False), Device("sv", "desk", False))


@dataclass
class Visitor:
    """One person with a browser of their own; `t` says what a page says in their language."""

    device: Device
    page: Page
    home: str
    said: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def t(self, key: str, **values: object) -> str:
        return words(self.device.language, key, **values)

    def open(self, path: str) -> None:
        """Go to an address of this city, and look at the page."""
        self.page.goto(path if path.startswith("http") else self.home + path)
        self.look()

    def follow(self, link: "str | Locator", *, within: str = "main") -> None:
        """Follow a link by its words, or by itself."""
        found = self.page.locator(within).get_by_role("link", name=link).first if isinstance(link, str) else link
        found.click()
        self.settle()

    def press(self, button: "str | Locator", *, within: str = "main") -> None:
        """Press a button by its words, or by itself."""
        found = (
            self.page.locator(within).get_by_role("button", name=button).first if isinstance(button, str) else button
        )
        found.click()
        self.settle()

    def settle(self) -> None:
        """Wait until the page is there, scripts and all, then look at it."""
        self.page.wait_for_load_state("load")
        if self.device.script:
            self.page.wait_for_load_state("networkidle")
        self.look()

    def unfold(self) -> None:
        """Open every fold; as a reader would who looks for something."""
        folds = self.page.locator("main details:not([open]) > summary:visible")
        for _ in range(40):
            if not folds.count():
                return
            folds.first.click()

    def keys_to(self, selector: str, *, most: int = 80) -> Locator:
        """Go on with the Tab key, as one who has no mouse, until something has the focus."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.page.locator(selector).and_(self.page.locator(":focus")).count():
                return self.page.locator(":focus")
        raise AssertionError((self.page.url, selector, "no key leads there"))

    def main(self) -> str:
        """Give the words of the page."""
        return self.page.locator("main").inner_text()

    def look(self) -> None:
        """See that the page asks nobody else, fails nowhere, fits, and can be used by everyone; keep its picture."""
        elsewhere = {urlsplit(url).netloc for url in self.asked if url.startswith("http")} - {
            urlsplit(self.home).netloc
        }
        assert elsewhere == set(), (self.page.url, elsewhere)
        said = [line for line in self.said if not _A_REFUSAL.search(line)]
        assert said == [], (self.page.url, said)
        self.said.clear()
        self.asked.clear()
        name = name_of(self.page.url)
        if name not in self.seen:
            self.seen.add(name)
            self._picture(name)
            self._axe()

    def _picture(self, name: str) -> None:
        folder = PICTURES / self.device.name
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True, animations="disabled")
        wide = self.page.evaluate("document.documentElement.scrollWidth") if self.device.script else 0
        assert wide <= WIDTHS[self.device.kind][0], (self.page.url, wide)

    def _axe(self) -> None:
        # Without script nothing can be run in the page: the same pages are looked at with it, in the other worlds.
        if self.device.script and AXE.is_file():
            self.page.evaluate(AXE.read_text())
            found = self.page.evaluate(AXE_RUN, AXE_TAGS)
            assert found == [], (self.page.url, json.dumps(found, indent=1))


def name_of(url: str) -> str:
    """Name a page by its path; numbers and long names are one."""
    path = urlsplit(url).path.strip("/") or "home"
    path = re.sub(r"(/desk/welcome|/reports|/submissions|/desk/inbox)/(?!new)[^/]+", r"\1/n", f"/{path}")
    return re.sub(r"[^a-z0-9-]+", "_", re.sub(r"[0-9a-f-]{12,}|\d+", "n", path.strip("/").lower()))[:80]


@dataclass
class World:
    """A device, and a way to send people to cities with it; `kept` is what one journey leaves for another."""

    device: Device
    browser: Browser
    opened: list[BrowserContext] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def visitor(self, city: City) -> Visitor:
        """Give somebody a browser of their own, with nothing in it."""
        width, height = WIDTHS[self.device.kind]
        context = self.browser.new_context(
            locale=LOCALES[self.device.language],
            viewport={"width": width, "height": height},
            java_script_enabled=self.device.script,
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        self.opened.append(context)
        page = context.new_page()
        made = Visitor(self.device, page, city.base_url)
        page.on("console", lambda said: made.said.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: made.said.append(str(error)))
        page.on("request", lambda request: made.asked.add(request.url))
        return made

    def close(self) -> None:
        for context in self.opened:
            context.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser that Debian has."""
    assert PROGRAM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(PROGRAM), args=ARGS, env=dict(os.environ))
        try:
            yield browser
        finally:
            browser.close()
