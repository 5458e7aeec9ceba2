"""Nothing restricted shows: two cities that differ by it alone answer whoever has no right to it byte for byte alike.

One city holds secrets (a restricted collection with live, withdrawn and erased records, a harvest run that made it, a
restricted mirror, an agreement, an offer); its twin has the same keys, peers and public records and none of that. Every
door is tried at every address by everybody without a right, and the work behind an address that holds a secret is the
same as behind one that holds nothing. A door to come joins `DOORS` and is tested like the others.
"""

import base64
import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from starlette.routing import Route

from node.assembly import keys_folder, make_keys
from node.db import HotReader, Tx
from node.journal import Draft, catch_up
from node.records import KINDS
from node.settings import Settings
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of as written
from node.web.assemble import build
from node.web.wire.negotiate import FORMS
from tests.catalog.graph.engines import running
from tests.catalog.rig import BASE, City, datasets, make_city
from tests.federation.agreed import agree_alone, change, now_ms, pair_of, peer, permits, stand_in
from tests.journal.rig import payload_of
from tests.web.client import Client
from tests.web.test_feed_rights import Rig

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

LONDON, OSLO = "https://london.example", "https://oslo.example"
WORD = "zanzibar"
DSP = ["https://w3id.org/dspace/2025/1/context.jsonld"]
SECRET, GONE = f"{BASE}/datasets/{WORD}", f"{BASE}/datasets/{WORD}-gone"
MIRRORED = f"{LONDON}/datasets/{WORD}"
# A public practice that names what is secret, by an address that tells nothing, and is named by what is secret.
TOUCHED, QUIET = "/practices/open", f"{BASE}/datasets/quiet"
# What may differ between any two replies.
VOLATILE = {"x-request-id", "date", "ratelimit", "ratelimit-policy", "signature", "signature-input"}


@dataclass(frozen=True)
class Door:
    """A way in: where it may show a secret if one asks for it by name, and where it may if one asks for everything."""

    name: str
    named: Callable[["World"], Sequence[str]] = lambda _: ()
    general: Sequence[str] = ()
    accept: str = "*/*"
    body: Mapping[str, Any] | None = None  # asked with POST, if there is one


def _collections(world: "World") -> list[str]:
    return [WORD, f"london/{WORD}", world.pair, f"london/{world.pair}"]


def _records(world: "World") -> list[str]:
    own = [f"/datasets/{WORD}", f"/datasets/{WORD}-gone", f"/agreements/{world.agreement.rpartition('/')[2]}"]
    iris = [SECRET, GONE, MIRRORED, world.agreement]
    beside = ("/proof", "/proof.json", "/findings", "/findings.json", "/cite.bib", "/cite.ris")
    found = [path + tail for path in own for tail in ("", *(f".{form}" for form in FORMS), *beside)]
    for tail in ("", *(f".{form}" for form in FORMS), *beside):
        found += [f"/records{tail}?iri={iri}" for iri in iris]
    return found


def _below(*tails: str) -> Callable[["World"], list[str]]:
    return lambda world: [f"/collections/{name}{tail}" for name in _collections(world) for tail in tails]


SEARCH_FORMS = ("", *(f".{form}" for form in (*FORMS, "json", "atom")))
QUALITY_FORMS = ("", ".json", *(f".{form}" for form in FORMS))
# What one sees without naming anything: everything, its counts, its order, where it goes on, and what was meant.
SEARCHES = [
    "/search?sort=changed&limit=1",
    "/search?limit=1",
    "/search?sort=quality",
    "/search?facet=collection,keyword,publisher",
    "/search?q=opem",
    "/search?q=o*",
    "/search?q=open&from=1900&to=2100",
]
CKAN = (
    "package_search", "package_list", "organization_list", "organization_list?all_fields=true", "group_list",
    "tag_list", "status_show", "current_package_list_with_resources",
    'package_search?facet.field=["tags","organization"]&rows=1000',
)  # fmt: skip
SPARQL = (
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g",
    "SELECT DISTINCT ?o { ?s <http://purl.org/dc/terms/title> ?o } ORDER BY ?o",
)
QUERIES = (
    f"SELECT * {{ <{SECRET}> ?p ?o }}",
    f"SELECT * {{ GRAPH <{BASE}/collections/{WORD}> {{ ?s ?p ?o }} }}",
    f"SELECT * FROM NAMED <{BASE}/collections/{WORD}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",  # noqa: S608 (no SQL)
    f'ASK {{ ?s ?p ?o FILTER CONTAINS(LCASE(STR(?o)), "{WORD}") }}',
)


def _queries(path: str) -> Callable[["World"], Sequence[str]]:
    dataset = urlencode({"named-graph-uri": f"{BASE}/collections/{WORD}", "query": SPARQL[1]})
    return lambda _: [*(f"{path}?query={quote(one)}" for one in QUERIES), f"{path}?{dataset}"]


def _searches(world: "World") -> list[str]:
    found = [f"/search{form}?q={WORD}" for form in SEARCH_FORMS]
    found += [f"/search?{name}={WORD}" for name in ("publisher", "keyword", "place")]
    found += [f"/search?{name}={value}" for name in ("collection", "city") for value in _collections(world)]
    found += [f"/search?q={text}" for text in (f"{WORD}*", f"title:{WORD}", f"-{WORD}", f"collection:{WORD}")]
    # Near the word, or beginning as it does: none of them may be put right, or found.
    found += [f"/search?q={WORD[:-1]}", f"/search?q={WORD}e"]
    return [*found, *(f"/search?iri={iri}" for iri in (SECRET, GONE, MIRRORED, world.agreement))]


def _ckan(world: "World") -> list[str]:
    shows = [f"{what}_show?id={WORD}" for what in ("package", "organization", "group")]
    shows += [f"package_show?id={quote(iri, safe='')}" for iri in (SECRET, MIRRORED)]
    asks = [f"q={WORD}", f"fq=name:{WORD}", f"fq=tags:{WORD}", f"fq=organization:{WORD}", f"q={WORD}&facet.field=tags"]
    return [f"/api/3/action/{each}" for each in (*shows, *(f"package_search?{ask}" for ask in asks))]


OGC_LISTS = [f"/ogc/collections/{name}/items" for name in ("_all", "open-data")]


def _ogc(world: "World") -> list[str]:
    mirrored = "iri." + base64.urlsafe_b64encode(MIRRORED.encode()).decode().rstrip("=")
    ids = [f"datasets.{WORD}", f"datasets.{WORD}-gone", mirrored, quote(SECRET, safe="")]
    catalogues = [spelt for name in _collections(world) for spelt in (name.replace("/", "."), quote(name, safe=""))]
    found = [f"/ogc/collections/{name}{tail}" for name in catalogues for tail in ("", "/items", "/sortables")]
    found += [f"/ogc/collections/{name}/items/{each}" for name in (*catalogues, "_all", "open-data") for each in ids]
    asks = [
        f"q={WORD}",
        f"externalIds={SECRET},{MIRRORED}",
        f"ids={','.join(ids[:3])}",
        "type=agreement",
        "sortby=title",
    ]
    return [*found, *(f"{path}?{ask}" for path in OGC_LISTS for ask in asks)]


NOBODYS = "00000000-0000-4000-8000-000000000000"
DOORS = [
    Door("records", _records),
    Door("record pages", _records, accept="text/html"),
    Door(
        "signed texts",
        lambda world: [
            *(f"/agreements/{world.agreement.rpartition('/')[2]}/{name}.json" for name in ("signed", "export")),
            *(
                f"/records/{name}.json?iri={iri}"
                for iri in (SECRET, GONE, MIRRORED, world.agreement)
                for name in ("signed", "export")
            ),
        ],
        general=["/agreements.json"],
    ),
    Door(
        "ways to data",
        lambda world: [f"/request-access?iri={iri}" for iri in (SECRET, GONE, MIRRORED, world.agreement)],
        general=[f"/request-access?iri={BASE}/datasets/d1"],
        accept="text/html",
    ),
    Door("register", general=["/agreements", "/agreements?page=1"], accept="text/html"),
    Door("collections", _below("", *(f".{form}" for form in FORMS), "?page=2", "?modified_since=2026-01-01")),
    Door("collection pages", _below("", "?page=2"), accept="text/html"),
    Door("feed", _below("/checkpoint", "/entries", "/entries?after=1&limit=1", "/entries?seqs=1", "/snapshot")),
    Door("tiles", _below("/tile/0/000", "/tile/0/000.p/1", "/tile/1/000")),
    Door("streams", _below("/feed", "/feed/pages/1", "/feed/parts/1", "/entries/1")),
    Door("histories", _below("/epochs", "/origin")),
    Door(
        "witness",
        lambda world: [
            f"/witness/{hashlib.sha256(f'{origin}/collections/{name}'.encode()).hexdigest()}/checkpoint"
            for origin in ("127.0.0.1:8001", "london.example")
            for name in (WORD, world.pair)
        ],
    ),
    Door("catalogue", general=["/catalog", *(f"/catalog.{form}" for form in FORMS), "/catalog.nq.gz"]),
    Door("catalogue page", general=["/", "/catalog", "/federation", "/join", "/runs"], accept="text/html"),
    Door("descriptions", general=["/.well-known/void", "/sitemap.xml", "/sitemaps/1.xml", "/robots.txt"]),
    Door("identity", general=["/.well-known/openid-federation", "/.well-known/did.json", "/openapi.json"]),
    Door("heads", general=["/checkpoints", "/federation.json"]),
    Door("runs", lambda _: ["/runs/1", "/runs/1.json"], general=["/runs.json"]),
    Door(
        "public records", general=["/datasets/d1", "/datasets/d1.ttl", "/collections/open-data", "/datasets/d1/proof"]
    ),
    Door(
        "dsp",
        lambda world: [f"/dsp/2025-1/catalog/datasets/{BASE}/collections/{name}" for name in _collections(world)],
        general=["/.well-known/dspace-version"],
    ),
    Door(
        "dsp catalogue",
        general=["/dsp/2025-1/catalog/request"],
        body={"@context": DSP, "@type": "CatalogRequestMessage"},
    ),
    Door(
        "agreements api",
        lambda world: [f"/api/agreements/one?name={world.agreement}", "/api/agreements", "/api/offers"],
    ),
    Door("public feed", general=["/collections/open-data/entries", "/collections/open-data/checkpoint"]),
    Door("search", _searches, general=[*(f"/search{form}" for form in SEARCH_FORMS), *SEARCHES]),
    Door("search pages", _searches, general=["/search", *SEARCHES], accept="text/html"),
    Door("ckan", _ckan, general=[f"/api/3/action/{name}" for name in CKAN]),
    Door("ogc", _ogc, general=["/ogc", "/ogc/", "/ogc/conformance", "/ogc/api", "/ogc/collections", *OGC_LISTS]),
    Door("ogc pages", _ogc, general=["/ogc", "/ogc/collections", *OGC_LISTS], accept="text/html"),
    Door(
        "stac",
        lambda world: [
            f"/stac/collections/{name.replace('/', '.')}{tail}"
            for name in _collections(world)
            for tail in ("", "/items", f"/items/datasets.{WORD}", f"/items/models.{WORD}")
        ],
        general=["/stac", "/stac/", "/stac/conformance", "/stac/collections"],
    ),
    Door("stac page", general=["/stac"], accept="text/html"),
    Door(
        "what readers do",
        lambda _: [
            *(f"/report?iri={iri}" for iri in (SECRET, GONE, MIRRORED)),
            *(f"/get?iri={iri}&n=1" for iri in (SECRET, GONE, MIRRORED)),
            f"/get/datasets/{WORD}/1",
            f"/reports/{WORD}",
            f"/api/reports/{WORD}",
            f"/submissions/new?about={SECRET}",
        ],
        general=["/numbers", "/numbers.json", "/submissions/new"],
        accept="text/html",
    ),
    Door(
        "sources and runs",
        lambda _: [f"/api/sources/{WORD}", f"/desk/sources/{WORD}", "/api/runs/1/rows", "/desk/runs/1/rows.csv"],
        general=["/api/sources", "/api/runs", "/api/today", "/desk", "/desk/runs/1"],
    ),
    Door(
        "records desk",
        lambda _: [
            *(f"/{place}?iri={SECRET}" for place in ("api/correction", "desk/corrections/edit")),
            *(f"/{at}/practice/{WORD}{tail}" for at in ("api/drafts", "desk/records") for tail in ("", "/history")),
            f"/desk/records?q={WORD}",
        ],
        general=["/api/drafts", "/api/corrections", "/desk/records", "/desk/corrections", "/desk/submissions"],
    ),
    Door(
        "data origins",
        lambda _: [f"/api/data/origins?dataset={SECRET}"],
        general=["/api/data/origins", "/api/data/credentials"],
    ),
    Door("data of a transfer", general=[f"/data/{NOBODYS}{below}" for below in ("", "/", "/noise.csv")]),
    Door("consent", general=["/api/consent/sources", "/api/data/withdrawals"]),
    Door("evidence", lambda _: [f"/api/evidence/{WORD}"], general=["/api/evidence", "/api/evidence/export"]),
    Door(
        "transfers",
        lambda _: [f"/dsp/2025-1/transfers/{WORD}", f"/api/data/transfers/{WORD}"],
        general=["/api/data/transfers"],
    ),
    Door("data that we get", general=["/api/data/pulls", "/api/data/pulls/1"]),
    Door("submissions", lambda _: [f"/submissions/{WORD}", f"/api/submissions/{WORD}"], general=["/submissions"]),
    Door(
        "relations",
        lambda world: [
            *(f"/datasets/{WORD}/relations{form}" for form in ("", ".json")),
            *(f"/practices/{WORD}{tail}" for tail in ("", ".ttl", "/relations")),
            *(f"/records/relations{form}?iri={iri}" for iri in (SECRET, GONE, MIRRORED) for form in ("", ".json")),
        ],
        general=[f"{path}/relations{form}" for path in (TOUCHED, "/datasets/d1") for form in ("", ".json")],
    ),
    Door(
        "previews",
        lambda _: [f"/previews/{hashlib.sha256(WORD.encode()).hexdigest()}.{end}" for end in ("json", "bin")],
    ),
    Door("touched pages", general=[TOUCHED, "/datasets/d1", f"{TOUCHED}/relations"], accept="text/html"),
    Door(
        "knowledge",
        lambda _: [f"/practices?q={WORD}", f"/questions.json?q={WORD}"],
        general=["/knowledge", "/knowledge.json", "/practices", "/practices.json", "/questions.atom", "/api/tasks"],
    ),
    Door("dcat-us", general=["/data.json", "/opensearch.xml"]),
    Door(
        "quality",
        lambda world: [
            *(f"/quality/{name}{form}" for name in _collections(world) for form in QUALITY_FORMS),
            *(f"/datasets/{WORD}/quality{form}" for form in QUALITY_FORMS),
            *(f"/records/quality{form}?iri={iri}" for iri in (SECRET, MIRRORED) for form in QUALITY_FORMS),
        ],
        general=[*(f"/quality{form}" for form in QUALITY_FORMS), "/quality/open-data"],
    ),
    Door(
        "sets",
        lambda _: [f"/compare{form}?iri={SECRET}&iri={BASE}/datasets/d1" for form in ("", ".json")],
        general=["/sets", "/sets.json", "/compare", "/licences", "/licences.json", "/collections/vocabularies"],
    ),
    Door("sparql", _queries("/sparql"), general=["/sparql", *(f"/sparql?query={quote(one)}" for one in SPARQL)]),
    Door(
        "restricted sparql",
        _queries("/sparql/restricted"),
        general=["/sparql/restricted", *(f"/sparql/restricted?query={quote(one)}" for one in SPARQL)],
    ),
]


# What a parameter of an address stands for, so that the address is that of a secret, if anything.
NAMED = {
    "plural": "datasets", "slug": WORD, "name": WORD, "peer": "london", "number": "1", "seq": "1", "code": "not-found",
    "action": "package_show", "record": quote(SECRET, safe=""), "iri": f"{BASE}/collections/{WORD}", "pid": WORD,
    "rest": "0/000", "origin": "0" * 64, "model": WORD, "kind": "practices", "form": "bib",
    "change": "added", "secret": WORD, "part": WORD, "transfer": WORD,
}  # fmt: skip
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass
class World:
    """A city, its app, and those who come to it."""

    city: City
    rig: Rig
    agreement: str = f"{BASE}/agreements/none"
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def pair(self) -> str:
        return pair_of(self.city.node, stand_in(self.city.node, LONDON))

    def enter(self, who: str, method: str, path: str, door: Door) -> httpx.Response:
        return self.ask(who, "POST" if door.body else method, path, door.accept, door.body)

    def ask(self, who: str, method: str, path: str, accept: str = "*/*", body: Any = None) -> httpx.Response:
        headers = {"accept": accept, "x-request-id": "leaks"}
        if who == "oslo":
            token = self.rig.peer_token(OSLO)
            proof = self.rig.key.proof(method, BASE + path.partition("?")[0], now_ms=now_ms(), token=token)
            headers |= {"authorization": f"DPoP {token}", "dpop": proof}
        elif who != "nobody":
            headers |= {"authorization": f"Bearer {self.secrets[who]}"}
        if body:
            headers["content-type"] = "application/json"
        return self.rig.say(method, path, headers=headers, body=body)


def _knowledge(kind: str, slug: str, **said: Any) -> Draft:
    iri = f"{BASE}/{KINDS[kind]}/{slug}"
    body = written(TABLES[kind], iri, example_of(TABLES[kind]) | {"title": {"en": slug.title()}} | said)
    return Draft(iri, slug, kind, "put", body)


def _public(city: City) -> None:
    """What both have: peers, tokens, public records."""
    node = city.node
    for name, url in (("london", LONDON), ("oslo", OSLO)):
        peer(node, name, url)
    drafts = [
        Draft(f"{BASE}/datasets/d{n}", f"d{n}", "dataset", "put", payload_of(f"{BASE}/datasets/d{n}", "Open"))
        for n in (1, 2)
    ]
    drafts.append(_knowledge("practice", "open", uses=[QUIET, f"{BASE}/datasets/d1"], review="2000"))
    with node.db.write() as tx:
        node.journals.append(tx, "open-data", drafts, at_ms=2_000, salts=lambda: b"s" * 16)


def _secret(city: City, world: World) -> None:
    """What only one has."""
    node = city.node
    node.create_collection(WORD, title=WORD.title(), visibility="restricted", at_ms=1_000)
    city.add(city.write(datasets(WORD)), f"{WORD}-portal", collection=WORD)
    city.run(f"{WORD}-portal")
    both = [
        Draft(iri, iri.rpartition("/")[2], "dataset", "put", payload_of(iri, WORD.title()))
        for iri in (SECRET, GONE, QUIET)
    ]
    both.append(_knowledge("practice", WORD, uses=[f"{BASE}/datasets/d1"], review="2000"))
    both.append(_knowledge("question", WORD, about=f"{BASE}{TOUCHED}"))
    with node.db.write() as tx:
        iri = f"{LONDON}/collections/{WORD}"
        node.journals.create(tx, name=f"london/{WORD}", iri=iri, title=WORD.title(), visibility="restricted", at_ms=1)
        node.journals.append(tx, WORD, both, at_ms=now_ms())
        node.journals.append(tx, WORD, [Draft(GONE, f"{WORD}-gone", "dataset", "withdraw", None)], at_ms=now_ms())
        tx.run(
            "INSERT INTO follow (peer, collection, iri, local, themes, created_at, paused, etag, known_size, known_at,"
            " known_note, checked_at, level_at, last_error_code, last_error, last_error_at)"
            " VALUES ('london', ?, ?, ?, '[]', 1, ?, '', 7, 1, '', 1, 1, '', '', 0)",
            *(WORD, iri, f"london/{WORD}", False),
        )
        tx.run(
            "INSERT INTO offer (iri, target, covers, about, rules, peers, automatic, published_at)"
            " VALUES (?, ?, '[]', ?, '{}', '[\"london\"]', ?, 1)",
            *(f"{BASE}/offers/{WORD}", f"{BASE}/collections/{WORD}", f'{{"title":"{WORD}"}}', False),
        )
    node.journals.checkpoint(WORD, at_ms=now_ms())
    world.agreement = agree_alone(node, LONDON, WORD, rules=permits("index", "read"), title=WORD.title())
    ended = agree_alone(node, LONDON, WORD, mirror=True, title=WORD.title())
    change(node, ended, "revoked")
    for follower in node.followers:
        catch_up(node.journals, follower)


def _made(folder: Path, migrated: Path, keys: Path) -> World:
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    settings = Settings(data=folder, name="Testville", base_url=BASE)
    shutil.copytree(keys, keys_folder(settings))
    rates = {"rate_feed_per_min": 0, "rate_public_per_min": 0, "rate_token_per_min": 0}
    city = make_city(folder, **rates, metrics=True, link_check_days=0)
    _public(city)
    return World(city, Rig(city, None, ""))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def twins(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    folder = tmp_path_factory.mktemp("twins")
    settings = Settings(data=folder / "keys", name="Testville", base_url=BASE)
    (folder / "keys").mkdir()
    make_keys(settings)
    full, empty = (_made(folder / name, migrated, keys_folder(settings)) for name in ("full", "empty"))
    stack = ExitStack()
    for world, store in product((full, empty), ("public", "restricted")):
        stack.enter_context(running(world.city.folder / "graph", store))
    _secret(full.city, full)
    empty.agreement = full.agreement
    for world in (full, empty):
        node = world.city.node
        node.journals.checkpoint("open-data", at_ms=3_000)
        for follower in node.followers:
            catch_up(node.journals, follower)
        for reading in (*node.finding.readings, *node.finding.apart):
            reading.catch_up(threading.Event())
        for name in ("program", "innovator"):
            issued = node.federation.named_tokens.issue(name, scopes=["read:open-data"], now_ms=now_ms())
            world.secrets[name] = issued[1]
        world.rig.client = Client(build(node.site), BASE)
    with stack:
        yield full, empty
        for world in (full, empty):
            world.rig.client.close()
            world.city.node.close()


def shown(reply: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in reply.headers.items() if name not in VOLATILE}
    return reply.status_code, headers, reply.content


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_with_and_without_secrets_every_door_answers_alike(twins: tuple[World, World], door: Door, who: str) -> None:
    full, empty = twins
    for path in (*door.general, *door.named(full)):
        for method in ("GET", "HEAD"):
            found, expected = (shown(world.enter(who, method, path, door)) for world in (full, empty))
            assert found == expected, (method, path)
            if path in door.general:
                assert WORD.encode() not in found[2].lower(), path


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
def test_no_address_of_a_node_tells_the_two_apart(twins: tuple[World, World], who: str) -> None:
    full, empty = twins
    app: Any = full.rig.client.app
    while not hasattr(app, "routes"):
        app = app._app
    templates = {route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())}
    for template in sorted(templates - {"/metrics"}):  # which counts what it was asked, and has a law of its own
        path = _PARAMETER.sub(lambda found: NAMED[found[1]], template)
        for query in ("", f"?iri={SECRET}&id={WORD}", f"?name={full.agreement}", f"?q={WORD}"):
            found, expected = (shown(world.ask(who, "GET", path + query)) for world in (full, empty))
            assert found == expected, path + query


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_the_methods_of_an_address_do_not_tell_what_is_there(twins: tuple[World, World], door: Door) -> None:
    full, empty = twins
    for path in door.named(full):
        for method in ("OPTIONS", "POST", "PUT", "DELETE"):
            assert shown(full.ask("nobody", method, path)) == shown(empty.ask("nobody", method, path)), (method, path)


class Counting:
    """Counts the questions that are put to the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        for kind in (HotReader, Tx):
            for name in ("row", "rows"):
                monkeypatch.setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def asked(this: Any, sql: str, *params: Any) -> Any:
            self.asked.append(sql)
            return real(this, sql, *params)

        return asked

    def during(self, act: Callable[[], object]) -> list[str]:
        """What one answer asks; now and then one tidies up besides, so the shortest of three counts."""
        act()  # what is remembered is remembered for both
        found = []
        for _ in range(3):
            self.asked.clear()
            act()
            found.append(list(self.asked))
        return min(found, key=len)


@pytest.mark.parametrize("who", ["nobody", "oslo", "program"])
@pytest.mark.parametrize(
    "door", [door for door in DOORS if door.named is not Door("").named], ids=lambda door: door.name
)
def test_a_secret_takes_as_many_questions_as_nothing(
    twins: tuple[World, World], door: Door, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, _ = twins
    counting = Counting(monkeypatch)
    for path in door.named(full):
        missing = path.replace(WORD, "qumranix").replace(full.agreement.rpartition("/")[2], "0" * 36)
        missing = missing.replace(full.pair, full.pair[:-8] + "0" * 8)
        found, expected = (
            counting.during(lambda path=one: full.enter(who, "GET", path, door))  # type: ignore[misc]
            for one in (path, missing)
        )
        assert found == expected, path


def test_metrics_have_no_label_of_a_secret(twins: tuple[World, World]) -> None:
    full, empty = twins
    names = []
    for world in (full, empty):
        for door in DOORS:
            for path in door.named(full):
                world.ask("nobody", "GET", path)
        text = world.ask("nobody", "GET", "/metrics").text
        assert WORD not in text
        names.append({line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("citynode_")})
    assert names[0] == names[1]


def test_peers_report_about_secrets_as_about_nothing(twins: tuple[World, World]) -> None:
    full, empty = twins
    for path, member in (("/federation/erasures", "seqs"), ("/federation/refusals", "refusals")):
        for iri in (f"{BASE}/collections/{WORD}", f"{BASE}/collections/{full.pair}", f"{LONDON}/collections/{WORD}"):
            said = []
            for world in (full, empty):
                token = world.rig.peer_token(OSLO)
                said.append(shown(world.rig.as_peer("POST", path, token=token, body={"collection": iri, member: []})))
            assert said[0] == said[1], (path, iri)


def test_the_party_of_an_agreement_is_told_and_hears_of_nothing_else(twins: tuple[World, World]) -> None:
    full, _ = twins
    reply = full.rig.as_peer("GET", f"/collections/{WORD}/entries", token=full.rig.peer_token(LONDON))
    assert reply.status_code == 200
    assert WORD not in full.ask("oslo", "GET", "/catalog.ttl").text
    catalogue = full.rig.as_peer("GET", "/catalog.ttl", token=full.rig.peer_token(LONDON))
    assert WORD in catalogue.text
    assert catalogue.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path", [f"/search.json?q={WORD}", f"/sparql/restricted?query={quote(QUERIES[3])}", f"/datasets/{WORD}.nt"]
)
def test_staff_finds_through_each_door_what_the_others_do_not(twins: tuple[World, World], path: str) -> None:
    told = []
    for world in twins:
        if "staff" not in world.secrets:
            named = world.city.node.federation.named_tokens
            world.secrets["staff"] = named.issue("staff", staff=True, now_ms=now_ms())[1]
        told.append(shown(world.ask("staff", "GET", path))[2])
    assert told[0] != told[1]


def test_what_is_in_memory_is_not_given_to_a_token_that_does_not_hold(twins: tuple[World, World]) -> None:
    full, _ = twins
    for _ in range(2):
        assert full.ask("nobody", "GET", "/datasets/d1.ttl").status_code == 200
    reply = full.rig.say("GET", "/datasets/d1.ttl", headers={"authorization": "Bearer cn_no"})
    assert reply.status_code == 401


def test_what_this_city_publishes_as_a_whole_has_nothing_restricted_in_it_whoever_asks(
    twins: tuple[World, World],
) -> None:
    full, empty = twins
    for path in ("/catalog.nq.gz", "/.well-known/void", "/checkpoints", "/federation.json"):
        told = [shown(world.rig.as_peer("GET", path, token=world.rig.peer_token(LONDON))) for world in (full, empty)]
        assert told[0] == told[1], path


def test_an_address_that_was_public_and_is_withdrawn_says_so_though_something_restricted_is_there_now(
    twins: tuple[World, World],
) -> None:
    full, _ = twins
    node, iri = full.city.node, f"{BASE}/datasets/moved"
    put = Draft(iri, "moved", "dataset", "put", payload_of(iri, "Moved"))
    for collection, drafts in (("open-data", [put, Draft(iri, "moved", "dataset", "withdraw", None)]), (WORD, [put])):
        for draft in drafts:
            with node.db.write() as tx:
                node.journals.append(tx, collection, [draft], at_ms=now_ms())
    for follower in node.followers:
        catch_up(node.journals, follower)
    assert full.ask("nobody", "GET", "/datasets/moved").status_code == 410
