"""Laws of all public pages: no link leads nowhere, every page speaks its reader's language, no address breaks the node.

Walks from the front page over whatever is there, so that a new page is tried as soon as another links to it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from node.errors import NodeError
from node.web.wire.problems import STATUS
from tests.web.find_rig import Rig
from tests.web.finding import found_city
from tests.web.walk import Page, walked

pytestmark = pytest.mark.slow
MOST_PAGES = 300
# What programs read, and where one leaves the portal.
_APART = ("/desk", "/static", "/api", "/feed", "/tiles", "/ogc", "/stac", "/dsp", "/.well-known", "/oauth")
_TWINS = (".ttl", ".jsonld", ".rdf", ".nt", ".nq", ".gz", ".json", ".csv", ".atom", ".xml", ".txt", ".bib", ".ris")
HOSTILE = (
    "%00",
    "%ff%fe",
    "-1",
    "99999999999999999999",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "%27%20OR%201%3D1--",
    "..%2F..%2Fetc%2Fpasswd",
    "http%3A%2F%2F169.254.169.254%2F",
    "%F0%9F%98%80" * 30,
    "a" * 3_000,
    "%5B" * 300,
    "%E2%80%AE%CC%81",
    "1e999",
    "NaN",
    "*:*",
)
NAMES = (
    "q", "page", "kind", "city", "format", "theme", "licence", "access", "language", "quality", "fresh", "use", "sort",
    "from", "to", "bbox", "place", "west", "lat", "iri", "set", "lang", "offset", "limit", "modified_since",
)  # fmt: skip


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Rig]:
    with found_city(tmp_path_factory.mktemp("walk"), migrated) as made:
        made.node.journals.checkpoint("open-data", at_ms=2_000)
        made.read()
        yield made


def _is_a_page(path: str) -> bool:
    # The mirror of this rig was put there by hand and has no checkpoint to prove anything by.
    name = path.partition("?")[0]
    return name != "/records/proof" and not name.startswith(_APART) and not name.endswith(_TWINS)


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_every_link_of_the_portal_leads_to_a_page_in_the_readers_language(rig: Rig, language: str) -> None:
    base = rig.node.settings.base_url
    spoken = {"accept": "text/html, */*;q=0.1", "accept-language": language}
    pages = 0
    for path, reply in walked(lambda at: rig.client.get(at, headers=spoken), base, "/", _is_a_page, MOST_PAGES):
        assert reply.status_code in (200, 302, 303, 307, 308), (path, reply.status_code)
        if reply.headers.get("content-type", "").startswith("text/html"):
            pages += 1
            if "lang=" not in path:
                assert Page(base + path, reply.text).lang == language, path
    assert pages > 30


def _templates(rig: Rig) -> list[str]:
    app = rig.client.app
    while not hasattr(app, "routes"):
        app = app._app
    found = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    return sorted(path for path in found if not path.startswith("/desk"))


def test_no_public_address_breaks_the_node(rig: Rig) -> None:
    ours = {status for error, status in STATUS.items() if error is not NodeError and status >= 500}
    for template in _templates(rig):
        for n, hostile in enumerate(HOSTILE):
            path = template
            while "{" in path:
                path = path[: path.index("{")] + hostile[:200] + path[path.index("}") + 1 :]
            query = "&".join(f"{name}={hostile}" for name in NAMES[n % 3 :: 3])
            reply = rig.client.get(f"{path}?{query}", headers={"accept": "text/html"})
            assert reply.status_code < 500 or reply.status_code in ours, (template, hostile[:30], reply.status_code)
            if reply.headers.get("content-type", "").startswith("text/html"):
                assert "<script>alert" not in reply.text, (template, hostile[:30])
