"""A small city to look at: real shelf, journals and proofs over SQLite, with records that show every oddity.

Made here and not mocked, so that what passes here holds in the node. The records are ours; nothing is harvested.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from node.catalog.shelf import Shelf, ShelfFollower, save_findings
from node.db import Database
from node.federation.feed.feed import Feed
from node.federation.feed.ldes import Stream
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.journal.proofs import Proofs
from node.records import Finding
from node.web.assemble import build
from node.web.ports.ports import Probe
from node.web.wire.front import Front

BASE = "http://127.0.0.1:8001"
AT_MS = 1_795_232_400_000
QUOTE = '"'
EU = "http://publications.europa.eu/resource/authority/"
PREFIX = {
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "ex": "https://example.org/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def iri(text: str) -> str:
    name, colon, local = text.partition(":")
    return f"<{PREFIX[name]}{local}>" if colon and name in PREFIX else f"<{text}>"


def payload(*triples: tuple[str, str, str]) -> bytes:
    """Write triples (prefixed names; objects as terms) in canonical form."""
    lines = {f"{iri(s)} {iri(p)} {o if o[0] == QUOTE else iri(o)} .\n" for s, p, o in triples}
    return "".join(sorted(lines)).encode()


def parking(*, title: str = "Kerbside parking areas") -> bytes:
    """A full dataset in three languages, with files, licence, period, contact and a property nobody knows."""
    it, file, table = f"{BASE}/datasets/parking", f"{BASE}/datasets/parking/json", f"{BASE}/datasets/parking/table"
    agency, team, period = (
        f"{BASE}/.well-known/genid/agency",
        f"{BASE}/.well-known/genid/team",
        f"{BASE}/.well-known/genid/period",
    )
    return payload(
        (it, "rdf:type", "dcat:Dataset"),
        (it, "dct:title", f'"{title}"@en'),
        (it, "dct:title", '"Kadunvarren pysäköintialueet"@fi'),
        (it, "dct:title", '"Parkeringsområden vid gatan"@sv-t-fi'),
        (
            it,
            "dct:description",
            '"Every on-street parking area as a polygon: who may park there, when and for how long."@en',
        ),
        (it, "dct:description", '"Jokainen kadunvarren pysäköintialue monikulmiona."@fi'),
        (it, "dcat:keyword", '"parking"@en'),
        (it, "dcat:keyword", '"kerb"@en'),
        (it, "dcat:keyword", '"pysäköinti"@fi'),
        (it, "dct:publisher", agency),
        (agency, "rdf:type", "foaf:Organization"),
        (agency, "foaf:name", '"Urban Environment Division"@en'),
        (agency, "foaf:name", '"Kaupunkiympäristön toimiala"@fi'),
        (agency, "foaf:homepage", "https://www.hel.fi/kaupunkiymparisto"),
        (it, "dcat:contactPoint", team),
        (team, "vcard:fn", '"Street data team"'),
        (team, "vcard:hasEmail", "mailto:streets@example.org"),
        (it, "dct:issued", '"2019-01-01"^^<http://www.w3.org/2001/XMLSchema#date>'),
        (it, "dct:modified", '"2026-11-21"^^<http://www.w3.org/2001/XMLSchema#date>'),
        (it, "dct:accrualPeriodicity", EU + "frequency/DAILY"),
        (it, "dct:accessRights", EU + "access-right/PUBLIC"),
        (it, "dct:language", EU + "language/FIN"),
        (it, "dct:language", EU + "language/ENG"),
        (it, "dcat:theme", EU + "data-theme/TRAN"),
        (it, "dct:temporal", period),
        (period, "rdf:type", "dct:PeriodOfTime"),
        (period, "dcat:startDate", '"2019-01-01"^^<http://www.w3.org/2001/XMLSchema#date>'),
        (it, "dcat:landingPage", "https://hri.fi/data/parking"),
        (it, "ex:colourOfKerb", '"yellow </script><b>&"'),
        (it, "dcat:distribution", file),
        (it, "dcat:distribution", table),
        (file, "rdf:type", "dcat:Distribution"),
        (file, "dct:title", '"Areas as GeoJSON"@en'),
        (file, "dct:format", EU + "file-type/GEOJSON"),
        (file, "dct:license", EU + "licence/CC_BY_4_0"),
        (file, "dcat:downloadURL", "https://example.org/parking.geojson"),
        (file, "dcat:accessURL", "https://example.org/parking.geojson"),
        (file, "dcat:byteSize", '"14000000"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'),
        (table, "rdf:type", "dcat:Distribution"),
        (table, "dct:format", EU + "file-type/CSV"),
        (table, "dct:license", EU + "licence/CC_BY_4_0"),
        (table, "dcat:accessURL", "https://example.org/parking"),
    )


def noise() -> bytes:
    """A dataset of somebody else's IRI, in Finnish only, of no licence, with HTML that would do harm."""
    it = "https://data.example.org/id/Ääni kartta".replace(" ", "%20")
    harm = (
        '"<p>Melukartta <b>2022</b>, <a href=\\"javascript:alert(1)\\">kartta</a> <script>alert(1)</script></p>'
        '<p onclick=\\"x()\\">Toinen kappale. <img src=x onerror=alert(1)></p>"@fi'
    )
    return payload(
        (it, "rdf:type", "dcat:Dataset"),
        (it, "dct:title", '"Melukartta 2022"@fi'),
        (it, "dct:description", harm),
        (it, "dct:description", '"Noise map 2022"@en-t-fi'),
        (it, "dct:license", '"free"'),
    )


NOISE_IRI = "https://data.example.org/id/Ääni%20kartta"


def small(number: int) -> tuple[str, str, bytes]:
    """One of many plain records: IRI, slug, payload."""
    slug = f"set-{number:05}"
    it = f"{BASE}/datasets/{slug}"
    return (
        it,
        slug,
        payload(
            (it, "rdf:type", "dcat:Dataset"),
            (it, "dct:title", f'"Set {number}"@en'),
            (it, "dct:description", '"One of many."@en'),
        ),
    )


@dataclass
class RunView:
    id: int
    source: str = "hri"
    state: str = "succeeded"
    dry: bool = False
    started_at: int | None = AT_MS
    heartbeat_at: int | None = AT_MS
    ended_at: int | None = AT_MS + 60_000
    stage: str = ""
    counters: dict[str, object] = field(default_factory=lambda: {"added": 3, "unchanged": 2, "refused": 1})
    reason: str = ""


@dataclass
class RowView:
    change: str
    title: str
    iri: str = ""
    owner: str = "Urban Environment Division"
    code: str = "title-missing"
    message: str = "Write a title."


@dataclass
class RunsView:
    runs: list[RunView] = field(default_factory=list)
    listed: list[RowView] = field(default_factory=list)

    def recent(self, limit: int) -> list[RunView]:
        return self.runs[:limit]

    def get(self, number: int) -> RunView | None:
        return next((run for run in self.runs if run.id == number), None)

    def rows(self, number: int, *, limit: int) -> list[RowView]:
        return self.listed[:limit]


@dataclass
class City:
    """A site for `build`, and hands to change it with."""

    db: Database
    journals: Journals
    city: str = "Helsinki"
    base_url: str = BASE
    languages: Sequence[str] = ("en", "fi", "sv")
    accent: str = "#0000bf"
    software: str = "0.1.0"
    contact_name: str = ""
    contact_mailbox: str = ""
    page_size: int = 100
    metrics: bool = True
    runs: RunsView = field(default_factory=RunsView)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    federation: Any = None
    finding: Any = None
    knowledge: Any = None
    data_desk: Any = None
    readers: Any = None
    staff: Any = None
    harvesting: Any = None
    today: Any = None
    rates: Any = None
    probes: list[Probe] = field(default_factory=lambda: [Probe("database", ok=True)])

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.journals)
        self.proofs = Proofs(self.journals, lambda _: self.journals.public_keys())
        self.feed = Feed(self.journals, lambda _: self.journals.public_keys())
        self.stream = Stream(self.journals, self.base_url)

    def ready(self) -> list[Probe]:
        return self.probes

    def open(self, name: str, title: str, *, visibility: str = "public") -> None:
        with self.db.write() as tx:
            self.journals.create(
                tx,
                name=name,
                iri=f"{self.base_url}/collections/{name}",
                title=title,
                visibility=visibility,
                at_ms=AT_MS,
            )

    def put(self, *drafts: Draft, collection: str = "open-data", at_ms: int = AT_MS, sign: bool = True) -> None:
        for start in range(0, len(drafts), 1000):
            with self.db.write() as tx:
                self.journals.append(tx, collection, drafts[start : start + 1000], at_ms=at_ms)
        catch_up(self.journals, ShelfFollower())
        if sign:
            self.journals.checkpoint(collection, at_ms=at_ms + 1000)

    def find(self, record: str, *findings: Finding, collection: str = "open-data") -> None:
        with self.db.write() as tx:
            save_findings(tx, self.journals.get(tx, collection).id, {record: findings})

    def app(self) -> Front:
        return build(self)


PARKING = Draft(f"{BASE}/datasets/parking", "parking", "dataset", "put", parking())
NOISE = Draft(NOISE_IRI, "melukartta", "dataset", "put", noise())


def found_helsinki(db: Database, journals: Journals) -> None:
    """Write a city's two records of note and their findings."""
    city = City(db, journals)
    city.open("open-data", "Open data")
    city.put(PARKING, NOISE)
    city.find(
        NOISE_IRI,
        Finding("licence-missing", "recommended", PREFIX["dct"] + "license", "Name a licence from the list."),
        Finding("publisher-missing", "recommended", PREFIX["dct"] + "publisher", "Say who publishes it."),
    )


def helsinki(db: Database, journals: Journals) -> City:
    """Give a city that was found before, with two runs."""
    city = City(db, journals)
    reason = "Page 3 of https://u:p@hri.fi/x?key=1 was empty; see /var/lib/node/spill.nt."
    city.runs.runs = [RunView(2, state="partial", reason=reason), RunView(1)]
    city.runs.listed = [RowView("refused", "Playgrounds", message="The licence is “free”. Name one from the list.")]
    return city
