"""Every collection is an event stream that a stranger's reader follows: whole, valid, cacheable, and true."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib

from node.catalog import harvest
from node.federation.feed import ldes
from node.federation.feed.ldes import Stream
from node.journal import Draft
from node.journal.journal import Journals
from node.vocab.contexts import CONTEXT_V1_BYTES
from tests.catalog.rig import LastingParser, make_city
from tests.portal_server import PortalServer, page
from tests.web.cities import AT_MS, BASE, NOISE_IRI, PARKING, PREFIX, City, noise, parking, payload, small
from tests.web.client import Client

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

FEED = "/collections/open-data/feed"
AS = "https://www.w3.org/ns/activitystreams#"
TREE = "https://w3id.org/tree#"
LDES = "https://w3id.org/ldes#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DEFAULT = ox.DefaultGraph()


def trig(client: Client, address: str) -> list[ox.Quad]:
    reply = client.get(address, headers={"accept": "application/trig"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/trig"), reply.text
    return list(ox.parse(reply.content, format=ox.RdfFormat.TRIG))


def objects(quads: list[ox.Quad], predicate: str, subject: str = "") -> list[str]:
    found = [q for q in quads if q.graph_name == DEFAULT and q.predicate.value == predicate]
    return [q.object.value for q in found if not subject or q.subject.value == subject]


def walk(client: Client, start: str = FEED) -> list[ox.Quad]:
    """Follow the relations as an LDES client does."""
    waiting, seen, quads = [f"{BASE}{start}"], set(), []
    while waiting:
        address = waiting.pop()
        if address not in seen:
            seen.add(address)
            found = trig(client, address)
            quads += found
            waiting += objects(found, TREE + "node")
    return quads


def members(quads: list[ox.Quad]) -> list[str]:
    return objects(quads, TREE + "member")


def put(number: int, title: str) -> Draft:
    it, slug, _ = small(number)
    body = payload((it, "rdf:type", "dcat:Dataset"), (it, "dct:title", f'"{title}"@en'))
    return Draft(it, slug, "dataset", "put", body)


def many(count: int) -> list[Draft]:
    return [Draft(it, slug, "dataset", "put", body) for it, slug, body in map(small, range(count))]


def withdraw(number: int) -> Draft:
    it, slug, _ = small(number)
    return Draft(it, slug, "dataset", "withdraw")


def erase(city: City, seq: int) -> None:
    with city.db.write() as tx:
        city.journals.erase(tx, "open-data", seq, at_ms=AT_MS + 9_000)
    city.journals.checkpoint("open-data", at_ms=AT_MS + 9_001)


def test_the_view_says_what_it_is_and_what_is_kept(client: Client) -> None:
    root = trig(client, FEED)
    stream = f"{BASE}{FEED}#stream"
    assert objects(root, RDF_TYPE, stream) == [LDES + "EventStream"]
    assert objects(root, LDES + "timestampPath", stream) == [AS + "published"]
    assert objects(root, LDES + "versionOfPath", stream) == [AS + "object"]
    assert objects(root, TREE + "view", stream) == [f"{BASE}{FEED}"]
    assert objects(root, TREE + "shape", stream) == [f"{BASE}/shapes/feed.ttl#Activity"]
    (kept,) = objects(root, LDES + "retentionPolicy", f"{BASE}{FEED}")
    assert objects(root, RDF_TYPE, kept) == [LDES + "LatestVersionSubset"]
    assert objects(root, LDES + "amount", kept) == ["1"]
    assert not any(isinstance(term, ox.BlankNode) for quad in walk(client) for term in (quad.subject, quad.object))


def test_each_entry_is_a_member_once_with_its_payload_in_the_graph_of_its_name(city: City, client: Client) -> None:
    city.put(*many(250), at_ms=AT_MS + 1_000)
    city.put(put(1, "Newer"), withdraw(2), at_ms=AT_MS + 2_000)
    quads = walk(client)
    names = members(quads)
    assert sorted(names) == [f"{BASE}/collections/open-data/entries/{seq:010d}" for seq in range(1, 255)]
    graphs: dict[str, set[str]] = {}
    for quad in quads:
        if quad.graph_name != DEFAULT:
            graphs.setdefault(quad.graph_name.value, set()).add(f"{quad.triple} .")
    assert graphs.keys() == set(names) - {names_of(254)}
    assert graphs[names_of(1)] == set(parking().decode().splitlines())
    assert graphs[names_of(2)] == set(noise().decode().splitlines())
    acts = {name: objects(quads, RDF_TYPE, name) for name in map(names_of, (1, 253, 254))}
    assert [acts[names_of(seq)] for seq in (1, 253, 254)] == [[AS + "Create"], [AS + "Update"], [AS + "Delete"]]
    assert objects(quads, AS + "object", names_of(253)) == objects(quads, AS + "object", names_of(4))
    assert objects(quads, AS + "published", names_of(254)) == ["2026-11-21T03:40:02.000Z"]


def names_of(seq: int) -> str:
    return f"{BASE}/collections/open-data/entries/{seq:010d}"


def test_both_forms_and_both_readers_say_the_same(city: City, client: Client) -> None:
    # A title that ends strings and graphs if it is written carelessly, and an IRI that looks like one of our terms.
    odd = f"{BASE}/datasets/odd"
    said = payload((odd, "rdf:type", "dcat:Dataset"), (odd, "dct:title", '"Odd \\"\\u0001} <x> ."@en'))
    lines = [*said.splitlines(keepends=True), f"<{odd}> <https://example.org/ns#y> <dcat:Thing> .\n".encode()]
    city.put(Draft(odd, "odd", "dataset", "put", b"".join(sorted(lines))), put(1, "x"))
    city.put(withdraw(1))
    for address in (FEED, f"{FEED}/pages/1"):
        one = set(trig(client, address))
        said = client.get(address, headers={"accept": "application/ld+json"})
        assert said.headers["content-type"] == "application/ld+json"
        inline = said.content.replace(
            f'"@context":"{BASE}/contexts/v1.jsonld"'.encode(), CONTEXT_V1_BYTES.strip()[1:-1], 1
        )
        assert set(ox.parse(inline, format=ox.RdfFormat.JSON_LD)) == one
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # rdflib warns of itself
            stranger = rdflib.Dataset()
            stranger.parse(data=client.get(address).text, format="trig")
        assert len(list(stranger.quads())) == len(one)


def test_pages_that_are_full_never_grow_and_say_so(city: City, client: Client) -> None:
    city.put(*many(150))
    full, last = client.get(f"{FEED}/pages/1"), client.get(f"{FEED}/pages/2")
    assert full.headers["cache-control"] == "public, max-age=3600, immutable"
    assert last.headers["cache-control"] == client.get(FEED).headers["cache-control"] == "public, no-cache"
    assert objects(trig(client, f"{FEED}/pages/1"), LDES + "immutable", f"{BASE}{FEED}/pages/1") == ["true"]
    assert "ldes:immutable" not in last.text
    city.put(*[put(number, "New") for number in range(1_000, 1_100)])
    again = client.get(f"{FEED}/pages/1", headers={"if-none-match": full.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{FEED}/pages/1").content == full.content
    moved = client.get(f"{FEED}/pages/2", headers={"if-none-match": last.headers["etag"]})
    assert moved.status_code == 200
    assert client.get(f"{FEED}/pages/4").status_code == 404


def test_an_unchanged_view_is_not_sent_twice(city: City, client: Client) -> None:
    for form in ("application/trig", "application/ld+json"):
        for coding in ("", "gzip", "zstd"):
            headers = {"accept": form, "accept-encoding": coding}
            reply = client.get(FEED, headers=headers)
            again = client.get(FEED, headers=headers | {"if-none-match": reply.headers["etag"]})
            assert (again.status_code, again.headers["etag"]) == (304, reply.headers["etag"])
            head = client.head(FEED, headers=headers)
            assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", reply.headers["etag"])
    assert (
        len({client.get(FEED, headers={"accept": form}).headers["etag"] for form in ("application/trig", "*/*")}) == 1
    )


def test_relations_bound_the_times_of_their_pages(city: City, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldes, "PAGE", 3)
    monkeypatch.setattr(ldes, "FAN", 4)
    for number in range(30):
        city.put(put(number, f"t{number}"), at_ms=AT_MS + 1_000 * number)
    root = trig(client, FEED)
    assert sorted(set(objects(root, TREE + "node"))) == [f"{BASE}{FEED}/parts/{n}" for n in (1, 2, 3)]
    assert client.get(f"{FEED}/parts/1").headers["cache-control"].endswith("immutable")
    assert client.get(f"{FEED}/parts/3").headers["cache-control"] == "public, no-cache"
    assert client.get(f"{FEED}/parts/4").status_code == 404
    assert len(members(walk(client))) == 32
    check_bounds(client, f"{BASE}{FEED}")


def check_bounds(client: Client, address: str) -> list[str]:
    """Check that everything below a node lies within what leads to it; give the times found there."""
    quads, times = trig(client, address), []
    for target in sorted(set(objects(quads, TREE + "node"))):
        below = check_bounds(client, target)
        relations = [q.subject.value for q in quads if q.predicate.value == TREE + "node" and q.object.value == target]
        for relation in relations:
            ((kind,), (bound,)) = objects(quads, RDF_TYPE, relation), objects(quads, TREE + "value", relation)
            assert objects(quads, TREE + "path", relation) == [AS + "published"]
            assert kind in (TREE + "GreaterThanOrEqualToRelation", TREE + "LessThanOrEqualToRelation")
            assert all(time >= bound if "Greater" in kind else time <= bound for time in below)
        times += below
    return times + objects(quads, AS + "published")


def test_an_erased_entry_is_no_member(city: City, client: Client) -> None:
    city.put(put(1, "Maija"), put(1, "Clean"))
    before = client.get(f"{FEED}/pages/1")
    assert "Maija" in before.text
    erase(city, 3)
    after = client.get(f"{FEED}/pages/1", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "Maija" not in after.text
    quads = trig(client, f"{FEED}/pages/1")
    assert sorted(members(quads)) == [names_of(1), names_of(2), names_of(4)]
    assert client.get(names_of(3)).status_code == client.get(names_of(5)).status_code == 404


def test_a_member_can_be_asked_for_by_its_name(client: Client) -> None:
    quads = trig(client, names_of(1))
    assert objects(quads, AS + "object") == [PARKING.record]
    assert trig(client, f"{BASE}/collections/open-data/entries/1") == quads
    assert objects(quads, "http://purl.org/dc/terms/isPartOf") == [f"{BASE}{FEED}/pages/1"]
    for wrong in ("0", "99", "x", "-1", "0000000000", "00001", "1.5", "9" * 30, "1%00"):
        assert client.get(f"/collections/open-data/entries/{wrong}").status_code in (400, 404), wrong


@pytest.mark.parametrize(
    "tail", ["pages/0", "pages/2", "pages/x", "parts/0", "parts/2", "pages/01", "pages/" + "9" * 40]
)
def test_pages_that_are_not_there(client: Client, tail: str) -> None:
    assert client.get(f"{FEED}/{tail}").status_code in (400, 404)


def test_what_is_no_feed_form_is_not_acceptable(client: Client) -> None:
    assert client.get(FEED, headers={"accept": "application/pdf"}).status_code == 406
    assert client.get(FEED, headers={"accept": "text/html,*/*;q=0.5"}).headers["content-type"] == "application/trig"


def test_a_restricted_collection_has_no_stream(city: City, client: Client) -> None:
    city.open("secret", "Secret", visibility="restricted")
    city.put(put(1, "Hidden"), collection="secret")
    for tail in ("feed", "feed/pages/1", "feed/parts/1", "entries/1"):
        shown, strange = client.get(f"/collections/secret/{tail}"), client.get(f"/collections/strange/{tail}")
        assert shown.status_code == strange.status_code == 404
        assert shown.text.replace("secret", "strange") == strange.text


def test_every_member_is_what_our_shape_says(city: City, client: Client) -> None:
    city.put(*many(20))
    city.put(put(1, "Newer"), withdraw(2))
    shape = client.get("/shapes/feed.ttl")
    assert shape.headers["content-type"].startswith("text/turtle")
    shapes = rdflib.Graph().parse(data=shape.text, format="turtle", publicID=f"{BASE}/shapes/feed.ttl")
    assert (rdflib.URIRef(f"{BASE}/shapes/feed.ttl#Activity"), None, None) in shapes
    data = rdflib.Graph()
    for quad in trig(client, f"{FEED}/pages/1"):
        if quad.graph_name == DEFAULT:
            data.parse(data=f"{quad.triple} .", format="nt")
    conforms, _, text = pyshacl.validate(data, shacl_graph=shapes)
    assert conforms, text
    data.parse(data=f'<{names_of(1)}> <{AS}published> "yesterday" .', format="nt")
    assert not pyshacl.validate(data, shacl_graph=shapes)[0]


def test_all_shapes_are_served_and_nothing_else(client: Client) -> None:
    for name in ("feed", "hvd", "kinds", "mandatory", "recommended"):
        assert list(ox.parse(client.get(f"/shapes/{name}.ttl").content, format=ox.RdfFormat.TURTLE, base_iri=BASE))
    for name in ("other", "..%2Fterms", "feed.ttl"):
        assert client.get(f"/shapes/{name}.ttl").status_code == 404


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


def test_our_own_harvester_follows_it_to_the_same_digests(
    portal: PortalServer, founded: Path, tmp_path: Path, migrated: Path, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harvest, "Parser", LastingParser)
    origin = City(city.db, Journals(city.db, city.journals._keyring), base_url=portal.url)
    origin.open("feeding", "Feeding")
    drafts = [
        Draft(it.replace(BASE, portal.url), slug, "dataset", "put", body.replace(BASE.encode(), portal.url.encode()))
        for it, slug, body in [*map(small, range(230)), (NOISE_IRI, "melukartta", noise())]
    ]
    origin.put(*drafts, collection="feeding")
    changed = [
        Draft(d.record, d.slug, d.kind, "put", (d.payload or b"").replace(b"One of many.", b"Newer."))
        for d in drafts[:9]
    ]
    # All at one time, as after a clock that was set back: the order of members decides.
    origin.put(*changed, Draft(drafts[20].record, drafts[20].slug, "dataset", "withdraw"), collection="feeding")
    origin.put(*drafts[:3], collection="feeding")
    with origin.db.write() as tx:
        origin.journals.erase(tx, "feeding", 1, at_ms=AT_MS)
    origin.journals.checkpoint("feeding", at_ms=AT_MS)
    client = Client(origin.app(), portal.url)
    start = "/collections/feeding/feed"
    for tail in ("", *(f"/pages/{n}" for n in (1, 2, 3))):
        reply = client.get(start + tail)
        portal.pages[start + tail] = page(reply.content, reply.headers["content-type"], etag=reply.headers["etag"])
    client.close()
    folder = tmp_path / "harvester"
    folder.mkdir()
    shutil.copy(migrated, folder / "node.db")
    follower = make_city(folder)
    try:
        follower.add(portal.url + start)
        run = follower.run()
        assert run.state == "succeeded", run.reason
        held = {one.iri: one.digest for one in origin.shelf.page("feeding", offset=0, limit=1_000)}
        assert len(held) == 230
        assert follower.digests() == held
    finally:
        follower.node.close()
        LastingParser.end_all()


def test_a_member_erased_while_its_page_is_written_is_not_announced(city: City, client: Client) -> None:
    city.put(put(1, "Maija"), put(1, "Clean"))
    stream = Stream(city.journals, BASE)
    node = stream.page("open-data", 1)
    erase(city, 3)
    assert len(list(stream.members(node))) == len(node.events) - 1
    assert PREFIX["dct"] in str(next(iter(stream.members(node))).payload)
