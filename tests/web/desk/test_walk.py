"""Laws of all the desk: no link leads nowhere, every page is in its reader's language, no form breaks the node.

Walks whatever the areas show, so that a new page is tried as soon as another links to it.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from node.catalog import names
from node.staff.rights import ROLES
from tests.web.desk.rig import Browser, at_desk
from tests.web.find_rig import Rig
from tests.web.finding import found_city
from tests.web.walk import Page, Sheet, walked

pytestmark = pytest.mark.slow
MOST_PAGES = 150
# For whoever is not signed in, or comes back from elsewhere.
APART = {"/desk/sign-in"}
HOSTILE = (
    "",
    "\u0000\u0007",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "{{ 7*7 }} %s %n {0}",
    "' OR 1=1 --",
    "../../../../etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "99999999999999999999999999",
    "-1",
    "\ud7ff\U0010ffff\u202e\u0301" * 10,
    "a" * 5_000,
    "%ZZ%00",
    "1e999",
    "[" * 500,
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("walk"), migrated) as made:
        shelf = made.node.shelf
        helds = [held for name in ("open-data", "plans") for held in shelf.page(name, offset=0, limit=10)]
        with made.node.db.write() as tx:  # as if a source had brought them: what it brings can be corrected
            names.save(tx, "hri", {held.iri: names.Named(held.iri, held.slug, held.kind) for held in helds}, live=True)
        made.read()
        yield made


def _gets(rig: Rig) -> list[str]:
    """The addresses below the desk that can be looked at, as templates."""
    app = rig.client.app._app._app
    return sorted(
        route.path for route in app.routes if "GET" in (route.methods or ()) and route.path.startswith("/desk")
    )


def _in_desk(path: str) -> bool:
    return path.startswith("/desk") and "lang=" not in path


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_every_link_of_the_desk_leads_to_a_page_in_the_readers_language(rig: Rig, language: str) -> None:
    with at_desk(rig, *ROLES, name=f"walker-{language}", language=language) as browser:
        for path, reply in walked(browser.get, browser.base, "/desk", _in_desk, MOST_PAGES):
            assert reply.status_code in (200, 303), (path, reply.status_code, reply.text[:500])
            if reply.headers.get("content-type", "").startswith("text/html"):
                assert Page(browser.base + path, reply.text).lang == language, path


def test_every_area_can_be_reached_from_the_menu(rig: Rig) -> None:
    rig.node.staff.trail.begin(who="seeker", way="desk", source="192.0.2.1", act="run.start", target="hri")
    with at_desk(rig, *ROLES, name="seeker") as browser:
        found = {path.partition("?")[0] for path, _ in walked(browser.get, browser.base, "/desk", _in_desk, MOST_PAGES)}
    assert {path for path in _gets(rig) if "{" not in path} - found - APART == set()


def test_a_viewer_is_shown_pages_and_never_a_fault(rig: Rig) -> None:
    with at_desk(rig, "viewer", name="viewer") as browser:
        for path, reply in walked(browser.get, browser.base, "/desk", _in_desk, MOST_PAGES):
            assert reply.status_code in (200, 303, 403), (path, reply.status_code)


def _forms(browser: Browser) -> dict[tuple[str, str], tuple[str, Sheet]]:
    found: dict[tuple[str, str], tuple[str, Sheet]] = {}
    for path, reply in walked(browser.get, browser.base, "/desk", _in_desk, MOST_PAGES):
        if reply.headers.get("content-type", "").startswith("text/html"):
            for form in Page(browser.base + path, reply.text).forms:
                key = (form.method, urlsplit(form.action).path)
                if _in_desk(key[1]) and key[1] != "/desk/sign-out" and key not in found:
                    found[key] = (path, form)
    return found


def _send(browser: Browser, form: Sheet, fields: dict[str, list[str]]) -> int:
    where = urlsplit(form.action)
    path = where.path + (f"?{where.query}" if where.query else "")
    if form.method == "get":
        return browser.send_query(path, fields).status_code
    return browser.press(path, {name: each for name, each in fields.items() if name != "token"}).status_code


def _back(rig: Rig, browser: Browser) -> None:
    """Sign in again, even where a form just shut the account out."""
    with rig.node.db.write() as tx:
        tx.run("UPDATE staff SET state = 'active' WHERE name = 'breaker'")
    browser.sign_in("breaker", ROLES)


def test_no_form_of_the_desk_breaks_the_node(rig: Rig) -> None:
    with at_desk(rig, *ROLES, name="breaker") as browser:
        forms = _forms(browser)
        assert forms
        for (method, action), (page, form) in forms.items():
            for hostile in HOSTILE:
                _back(rig, browser)
                if browser.get(page).status_code != 200:
                    break  # what the form was about is gone by now: that is an answer too
                fields = {name: ([hostile] if name in form.free else each) for name, each in form.fields.items()}
                status = _send(browser, form, fields)
                assert status < 500 or status == 502, (method, action, hostile[:40], status)
            _back(rig, browser)
            browser.get(page)
            assert _send(browser, form, {}) < 500, (method, action, "nothing")
            unknown = {"\u2603": ["\u2603"] * 300, **{key: ["x", "y", "z"] for key in form.fields}}
            assert _send(browser, form, unknown) < 500, (method, action, "twice")


def test_no_address_of_the_desk_breaks_the_node(rig: Rig) -> None:
    with at_desk(rig, *ROLES, name="asker") as browser:
        for shape in _gets(rig):
            for hostile in ("%00", "x" * 300, "..", "-1", "99999999999999999999", "%F0%9F%98%80", "a%2Fb", "'--"):
                path = shape
                while "{" in path:
                    path = path[: path.index("{")] + hostile + path[path.index("}") + 1 :]
                for query in ("", f"?page={hostile}&q={hostile}&lang={hostile}&kind={hostile}&before={hostile}"):
                    status = browser.get(path + query).status_code
                    assert status < 500 or status == 502, (path, query, status)
