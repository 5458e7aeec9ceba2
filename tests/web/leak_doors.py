"""Every door of a city at which something restricted might show: a door to come joins `DOORS`."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

from node.web.wire.negotiate import FORMS
from tests.catalog.rig import BASE
from tests.web.leak_rig import GONE, MIRRORED, SECRET, TOUCHED, WORD, Door, World

DSP = ["https://w3id.org/dspace/2025/1/context.jsonld"]


def _collections(world: World) -> list[str]:
    return [WORD, f"london/{WORD}", world.pair, f"london/{world.pair}"]


def _records(world: World) -> list[str]:
    own = [f"/datasets/{WORD}", f"/datasets/{WORD}-gone", f"/agreements/{world.agreement.rpartition('/')[2]}"]
    iris = [SECRET, GONE, MIRRORED, world.agreement]
    beside = ("/proof", "/proof.json", "/findings", "/findings.json", "/cite.bib", "/cite.ris")
    found = [path + tail for path in own for tail in ("", *(f".{form}" for form in FORMS), *beside)]
    for tail in ("", *(f".{form}" for form in FORMS), *beside):
        found += [f"/records{tail}?iri={iri}" for iri in iris]
    return found


def _below(*tails: str) -> Callable[[World], list[str]]:
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


def _queries(path: str) -> Callable[[World], Sequence[str]]:
    dataset = urlencode({"named-graph-uri": f"{BASE}/collections/{WORD}", "query": SPARQL[1]})
    return lambda _: [*(f"{path}?query={quote(one)}" for one in QUERIES), f"{path}?{dataset}"]


def _searches(world: World) -> list[str]:
    found = [f"/search{form}?q={WORD}" for form in SEARCH_FORMS]
    found += [f"/search?{name}={WORD}" for name in ("publisher", "keyword", "place")]
    found += [f"/search?{name}={value}" for name in ("collection", "city") for value in _collections(world)]
    found += [f"/search?q={text}" for text in (f"{WORD}*", f"title:{WORD}", f"-{WORD}", f"collection:{WORD}")]
    # Near the word, or beginning as it does: none of them may be put right, or found.
    found += [f"/search?q={WORD[:-1]}", f"/search?q={WORD}e"]
    return [*found, *(f"/search?iri={iri}" for iri in (SECRET, GONE, MIRRORED, world.agreement))]


def _ckan(world: World) -> list[str]:
    shows = [f"{what}_show?id={WORD}" for what in ("package", "organization", "group")]
    shows += [f"package_show?id={quote(iri, safe='')}" for iri in (SECRET, MIRRORED)]
    asks = [f"q={WORD}", f"fq=name:{WORD}", f"fq=tags:{WORD}", f"fq=organization:{WORD}", f"q={WORD}&facet.field=tags"]
    return [f"/api/3/action/{each}" for each in (*shows, *(f"package_search?{ask}" for ask in asks))]


OGC_LISTS = [f"/ogc/collections/{name}/items" for name in ("_all", "open-data")]


def _ogc(world: World) -> list[str]:
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
    Door("read back", general=["/federation/held"]),
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
