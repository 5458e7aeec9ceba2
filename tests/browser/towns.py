"""Two cities that know each other for all journeys, and in each language one that was just made, with their portals.

Everything is done by the commands that operators use. The portal is a web server on loopback with a catalogue for each
city and the files it names, so that previews have something to look into.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from node.records import KINDS
from node.testing import City, wait_for
from node.testing.cluster import QUICK
from node.vocab.kinds import TABLES, example_of

MADE = ("helsinki", "london")
ENVIRON = {
    **QUICK,
    "CITYNODE_WITHDRAW_THRESHOLD_PERCENT": "10",
    "CITYNODE_LANGUAGES": "en,fi,sv",
    "CITYNODE_REPORTS_PER_DAY": "100",
    "CITYNODE_SUBMISSIONS_PER_DAY": "100",
}
LICENCE = "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"
THEME = "http://publications.europa.eu/resource/authority/data-theme/TRAN"
CSV = "street,spaces,hours\nAleksanterinkatu,12,8-18\nBulevardi,7,9-21\nEsplanadi,31,0-24\n"
_PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: a test's output is about the test."""


@dataclass
class Portal:
    """The catalogue of one city on the portal: datasets by name and title, with a file each."""

    folder: Path
    base: str
    name: str
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{self.base}/{self.name}.ttl"

    def iri(self, key: str) -> str:
        """Give what its catalogue calls a dataset, which is what every city calls it."""
        return f"{self.base}/{self.name}/{key}"

    def write(self) -> None:
        """Write the catalogue as it stands now, whole."""
        home = f"{self.base}/{self.name}"
        said = [_PREFIXES, f'<{home}> a dcat:Catalog ; dct:title "Portal of {self.name}"@en .']
        for key, title in self.titles.items():
            (self.folder / f"{self.name}-{key}.csv").write_text(CSV)
            said.append(f"""
<{home}> dcat:dataset <{home}/{key}> .
<{home}/{key}> a dcat:Dataset ; dct:title "{title}"@en ; dct:identifier "{key}" ; dcat:keyword "parking"@en ;
  dct:description "{title}: every place along a street, with its hours. Counted each spring."@en ;
  dcat:theme <{THEME}> ; dct:publisher <{home}/office> ; dct:issued "2026-01-02" ; dct:modified "2026-11-01" ;
  dcat:contactPoint [ a vcard:Organization ; vcard:fn "Data desk" ; vcard:hasEmail <mailto:data@city.example> ] ;
  dcat:distribution [ a dcat:Distribution ; dct:title "Places as CSV"@en ; dct:license <{LICENCE}> ;
    dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ;
    dcat:downloadURL <{home}-{key}.csv> ; dcat:accessURL <{home}-{key}.csv> ] .
<{home}/office> a foaf:Organization ; foaf:name "Streets of {self.name}"@en .""")
        part = self.folder / f"{self.name}.part"
        part.write_text("\n".join(said))
        part.rename(self.folder / f"{self.name}.ttl")


@contextmanager
def portal_server(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its base URL."""

    class Files(_Quiet):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | {".ttl": "text/turtle", ".csv": "text/csv"}

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Towns:
    """Helsinki and London, who mirror each other; `accounts` are (city, name) of those who work at their desks."""

    helsinki: City
    london: City
    portals: dict[str, Portal]
    accounts: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Begun:
    """A city that was just made; `first_link` is for whoever begins there."""

    city: City
    first_link: str
    portal: Portal


@contextmanager
def towns(folder: Path) -> Iterator[Towns]:
    """Put up the two, side by side."""
    with ExitStack() as stack:
        base = stack.enter_context(portal_server(folder))
        portals = {name: _portal(folder, base, name) for name in (*MADE, "turku")}
        made = [City(folder / name, name=name.title(), environ=ENVIRON) for name in MADE]
        for one in made:
            stack.callback(one.end)
        _side_by_side(_put_up, [(one, portals[one.slug]) for one in made])
        _side_by_side(_introduce, [(made[0], made[1]), (made[1], made[0])])
        _side_by_side(_mirror, [(made[0], made[1]), (made[1], made[0])])
        yield Towns(made[0], made[1], portals)


@contextmanager
def begun(folder: Path, portal: Portal) -> Iterator[Begun]:
    """Make Turku, and nothing more."""
    one = City(folder / "turku", name="Turku", environ=ENVIRON)
    try:
        said = one.say("init", "--name", "Turku", "--base-url", one.base_url)
        link = next(word for word in said.split() if "/desk/welcome/" in word)
        yield Begun(one.start(), link, portal)
    finally:
        one.end()


def _portal(folder: Path, base: str, name: str) -> Portal:
    made = Portal(folder, base, name, {f"parking-{n}": f"Parking of {name}, part {n}" for n in range(1, 6)})
    made.titles["kerbs"] = f"Kerbside parking in {name}"
    made.write()
    return made


def _side_by_side(what: Callable[..., None], cities: Iterable[tuple[Any, ...]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(what, *each) for each in cities]:
            done.result()


def _put_up(one: City, portal: Portal) -> None:
    """Make a city with a harvest and, in the first, a record of every kind that people write."""
    one.make()
    one.say("sources", "add", "own", portal.address, "--kind", "dcat")
    one.say("harvest", "run", "own")
    one.start()
    if one.slug == MADE[0]:
        for kind, table in TABLES.items():
            said = _of_this_city(example_of(table), portal.iri("kerbs"))
            one.api("PUT", f"/{KINDS[kind]}/example", {"said": said})


def _of_this_city(said: dict[str, Any], dataset: str) -> dict[str, Any]:
    """Let an example name a dataset that is there."""
    return said | ({"datasets": [dataset]} if "datasets" in said else {})


def _introduce(here: City, there: City) -> None:
    here.say("peers", "add", there.say("peers", "invite").splitlines()[0], "--name", there.slug)
    here.say("peers", "approve", there.slug, "--yes")


def _mirror(here: City, there: City) -> None:
    here.say("peers", "follow", there.slug, "--all")
    here.say("exchange", "run", there.slug, "--wait")


def until_read(one: City, collection: str, count: int) -> None:
    """Wait until a city holds so many records of a collection."""

    def holds() -> bool:
        return any(
            each["collection"] == collection and each["records"] >= count for each in one.json("catalog", "stats")
        )

    wait_for(holds, f"{one.name} to hold {count} of {collection}", one.log, within_s=120, every_s=1.0)
