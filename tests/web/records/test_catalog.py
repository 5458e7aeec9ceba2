"""The catalogue, page by page and as a whole: nothing missing, nothing twice, nothing said of a record."""

import gzip
import hashlib
import re

import httpx
import pyoxigraph
import pytest

from node.journal import Draft
from node.web.reading import Reading
from node.web.records import catalogue
from node.web.records.catalog import since_ms
from node.web.records.catalogue import Window
from tests.web.cities import AT_MS, BASE, NOISE_IRI, PARKING, City, noise, parking, small
from tests.web.client import Client

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

HYDRA = "http://www.w3.org/ns/hydra/core#"
DCAT = "http://www.w3.org/ns/dcat#"
HERE = "/collections/open-data"


def fill(city: City, count: int, *, at_ms: int = AT_MS) -> None:
    city.put(*[Draft(iri, slug, "dataset", "put", body) for iri, slug, body in map(small, range(count))], at_ms=at_ms)


def read(reply: httpx.Response) -> list[pyoxigraph.Quad]:
    assert reply.status_code == 200, reply.text
    return list(pyoxigraph.parse(reply.content, format=pyoxigraph.RdfFormat.TURTLE))


def objects(quads: list[pyoxigraph.Quad], predicate: str) -> list[str]:
    return sorted(quad.object.value for quad in quads if quad.predicate.value == predicate)


def test_following_next_finds_every_record_once(city: City, client: Client) -> None:
    fill(city, 250)
    seen: list[str] = []
    address, pages = f"{BASE}{HERE}", 0
    while address:
        quads = read(client.get(address, headers={"accept": "text/turtle"}))
        seen += objects(quads, DCAT + "dataset")
        assert objects(quads, HYDRA + "totalItems") == ["252"]
        following = objects(quads, HYDRA + "next")
        address, pages = (following[0] if following else ""), pages + 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == 252


def test_a_page_turns_both_ways_by_hydra_and_by_links(city: City, client: Client) -> None:
    fill(city, 250)
    reply = client.get(f"{HERE}?page=2", headers={"accept": "text/turtle"})
    quads = read(reply)
    for name, number in (("first", 1), ("previous", 1), ("next", 3), ("last", 3)):
        assert objects(quads, HYDRA + name) == [f"{BASE}{HERE}?page={number}"]
        assert f'<{BASE}{HERE}?page={number}>; rel="{"prev" if name == "previous" else name}"' in reply.headers["link"]
    assert objects(quads, HYDRA + "view") == [f"{BASE}{HERE}?page=2"]


def test_a_page_says_nothing_of_a_record_but_its_payload(client: Client) -> None:
    lines = {str(quad.triple) + " .\n" for quad in read(client.get(f"{HERE}.ttl"))}
    for iri, body in ((PARKING.record, parking()), (NOISE_IRI, noise())):
        own = sorted(line for line in lines if line.startswith(f"<{iri}>"))
        assert own == sorted(line for line in body.decode().splitlines(keepends=True) if line.startswith(f"<{iri}>"))


@pytest.mark.parametrize("path", ["/catalog", "/.well-known/void", HERE])
@pytest.mark.parametrize("suffix", ["ttl", "jsonld", "rdf", "nt"])
def test_each_form_of_the_catalogue_is_well_formed(client: Client, path: str, suffix: str) -> None:
    kinds = {"ttl": "TURTLE", "rdf": "RDF_XML", "nt": "N_TRIPLES"}
    reply = client.get(f"{path}.{suffix}")
    assert reply.status_code == 200
    if suffix in kinds:
        assert list(pyoxigraph.parse(reply.content, format=getattr(pyoxigraph.RdfFormat, kinds[suffix])))
    else:
        assert reply.json()["@graph"]
    assert client.get(f"{path}.{suffix}", headers={"if-none-match": reply.headers["etag"]}).status_code == 304


def test_the_catalogue_lists_its_collections_service_and_publisher(city: City, client: Client) -> None:
    city.contact_mailbox = "data@example.org"
    quads = read(client.get("/catalog.ttl"))
    assert objects(quads, DCAT + "catalog") == [f"{BASE}{HERE}"]
    assert objects(quads, DCAT + "endpointURL") == [f"{BASE}/"]
    assert objects(quads, "http://xmlns.com/foaf/0.1/name") == ["Helsinki"]
    assert "mailto:data@example.org" in objects(quads, "http://www.w3.org/2006/vcard/ns#hasEmail")
    assert not any(isinstance(quad.subject, pyoxigraph.BlankNode) for quad in quads)


def test_a_title_has_the_language_it_is_in(city: City, client: Client) -> None:
    city.open("maps", "Kartat")
    said = client.get("/catalog.nt").text
    title = "<http://purl.org/dc/terms/title>"
    for code, text in (("en", "Open data"), ("fi", "Avoin data"), ("sv", "Öppna data")):
        assert (f'<{BASE}{HERE}> {title} "{text}"@{code} .' in said) == (code in city.languages)
    assert f'<{BASE}/collections/maps> {title} "Kartat"@{city.languages[0]} .' in said
    assert '"Open data"@fi' not in said


def test_only_what_changed_since_is_listed(city: City, client: Client) -> None:
    fill(city, 3, at_ms=AT_MS + 60_000)
    for since in ("2026-11-21T03:41:00Z", "2026-11-21T05:41:00+02:00", "2026-11-21T03:41:00"):
        reply = client.get(HERE, params={"modified_since": since}, headers={"accept": "text/turtle"})
        assert len(objects(read(reply), DCAT + "dataset")) == 3, since
    assert len(objects(read(client.get(f"{HERE}.ttl?modified_since=2026-11-21")), DCAT + "dataset")) == 5
    nothing = read(client.get(f"{HERE}.ttl?modified_since=2030-01-01"))
    assert objects(nothing, DCAT + "dataset") == []
    assert "No record changed since then" in client.page(f"{HERE}?modified_since=2030-01-01")


def test_what_narrows_a_collection_stays_in_its_pages(city: City, client: Client) -> None:
    fill(city, 150)
    quads = read(client.get(f"{HERE}.ttl?modified_since=2026-01-01"))
    assert objects(quads, HYDRA + "next") == [f"{BASE}{HERE}?page=2&modified_since=2026-01-01"]


@pytest.mark.parametrize("query", ["page=abc", "page=0", "page=-1", "page=1.5", "page=", "page=99999999999", "page=²"])
def test_a_page_that_is_no_number_is_malformed(client: Client, query: str) -> None:
    reply = client.get(f"{HERE}?{query}")
    assert (reply.status_code, reply.json()["type"]) == (400, f"{BASE}/problems/malformed")


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-11-21T99:00", "20261121", "1" * 500])
def test_a_date_that_is_none_is_malformed(client: Client, value: str) -> None:
    assert client.get(HERE, params={"modified_since": value}).status_code == 400


def test_a_page_past_the_end_is_not_found(client: Client) -> None:
    assert client.get(f"{HERE}?page=2").status_code == 404
    assert client.get("/collections/nothing").status_code == 404


def test_a_time_before_time_is_the_beginning() -> None:
    assert since_ms("1960-01-01") == 0


def test_an_empty_collection_is_one_empty_page(city: City, client: Client) -> None:
    city.open("empty", "Empty")
    assert objects(read(client.get("/collections/empty.ttl")), HYDRA + "totalItems") == ["0"]
    assert "No record in this collection" in client.page("/collections/empty")
    assert Window(1, 0).links() == {"first": 1, "last": 1}


def test_the_page_changes_its_etag_with_its_records(city: City, client: Client) -> None:
    old = client.get(f"{HERE}.ttl").headers["etag"]
    assert client.get(f"{HERE}.ttl").headers["etag"] == old
    city.put(Draft(PARKING.record, "parking", "dataset", "put", parking(title="Other")), at_ms=AT_MS + 5)
    assert client.get(f"{HERE}.ttl").headers["etag"] != old


def test_a_record_that_rdf_xml_cannot_hold_is_left_out_and_linked(city: City, client: Client) -> None:
    it = f"{BASE}/datasets/odd"
    body = f'<{it}> <https://example.org/2024/> "x" .\n'.encode()
    city.put(Draft(it, "odd", "dataset", "put", body))
    reply = client.get(f"{HERE}.rdf")
    assert reply.status_code == 200
    assert f'<{it}>; rel="item"' in reply.headers["link"]
    assert PARKING.record in reply.text


def test_the_dump_has_every_record_in_its_graph_and_is_repeatable(city: City, client: Client) -> None:
    fill(city, 30)
    reply = client.get("/catalog.nq.gz")
    assert reply.headers["content-type"] == "application/gzip"
    assert reply.content == client.get("/catalog.nq.gz").content
    graphs: dict[str, list[str]] = {}
    for quad in pyoxigraph.parse(gzip.decompress(reply.content), format=pyoxigraph.RdfFormat.N_QUADS):
        graphs.setdefault(quad.graph_name.value, []).append(f"{quad.triple} .\n")
    assert len(graphs) == 33
    found = "".join(sorted(graphs[f"{BASE}/datasets/parking"]))
    assert hashlib.sha256(found.encode()).hexdigest() == hashlib.sha256(parking()).hexdigest()
    assert client.get("/catalog.nq.gz", headers={"if-none-match": reply.headers["etag"]}).status_code == 304
    fill(city, 31)
    assert client.get("/catalog.nq.gz", headers={"if-none-match": reply.headers["etag"]}).status_code == 200


def test_a_walk_loses_nothing_when_records_come_and_go(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.web.reading.BATCH", 10)
    fill(city, 95)
    seen: list[str] = []
    for turn, helds in enumerate(Reading(city.shelf).walk("open-data")):
        seen += [held.slug for held in helds]
        if turn == 2:
            it = f"{BASE}/datasets/aaa"
            city.put(Draft(it, "aaa", "dataset", "put", f'<{it}> <https://example.org/p> "x" .\n'.encode()))
        if turn == 4:
            city.put(*[Draft(small(n)[0], small(n)[1], "dataset", "withdraw") for n in range(5)])
    assert len(seen) == len(set(seen))
    assert {f"set-{n:05}" for n in range(95)} <= set(seen)


def test_checkpoints_are_given_to_the_byte(city: City, client: Client) -> None:
    note = city.proofs.checkpoint("open-data")
    assert note is not None
    assert client.get(f"{HERE}/checkpoint").text == note.note
    told = client.get("/checkpoints").json()["checkpoints"]
    assert [(one["collection"], one["checkpoint"]) for one in told] == [(f"{BASE}{HERE}", note.note)]


def test_the_context_is_the_published_one(client: Client) -> None:
    reply = client.get("/contexts/v1.jsonld")
    assert reply.headers["content-type"] == "application/ld+json"
    assert "@context" in reply.json()
    assert f'"{BASE}/contexts/v1.jsonld"' in client.get("/datasets/parking.jsonld").text


def test_void_names_the_dump_and_counts(client: Client) -> None:
    quads = read(client.get("/.well-known/void.ttl"))
    assert objects(quads, "http://rdfs.org/ns/void#dataDump") == [f"{BASE}/catalog.nq.gz"]
    assert "2" in objects(quads, "http://rdfs.org/ns/void#entities")
    assert client.get("/.well-known/void", headers={"accept": "text/html"}).status_code == 406


def test_our_own_words_have_no_blank_nodes_and_no_record_as_subject(city: City) -> None:
    info = city.shelf.collections()[0]
    helds = city.shelf.page("open-data", offset=0, limit=10)
    said = catalogue.page(city, info, helds, Window(1, 2)) + catalogue.whole(city, [info])  # type: ignore[arg-type]
    assert not {f"<{held.iri}>" for held in helds} & {subject for subject, _, _ in said}
    assert not re.search(r"_:", " ".join(term for triple in said for term in triple if term[0] != '"'))
