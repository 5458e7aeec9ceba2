"""Documents of records: exactly the payload, in every form, with the headers that the formats fix."""

import base64
import gzip
import hashlib
import json

import pyoxigraph
import pytest
import rdflib
import rfc8785

from node.journal import Draft, note, tree
from node.vocab.contexts import CONTEXT_V1
from node.vocab.serialise import VERSIONS
from node.web.wire import negotiate
from tests.web.cities import AT_MS, BASE, NOISE_IRI, PARKING, City, parking, payload
from tests.web.client import Client

HERE = "/datasets/parking"
DIGEST = hashlib.sha256(parking()).hexdigest()
FORMS = {name: kind for name, kind in negotiate.FORMS.items() if name != "html"}


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_read_again_gives_the_digest(client: Client, suffix: str) -> None:
    body = client.get(f"{HERE}.{suffix}").content
    if suffix == "jsonld":
        told = json.loads(body)
        listed = told["@context"] if isinstance(told["@context"], list) else [told["@context"]]
        told["@context"] = [CONTEXT_V1["@context"] if isinstance(one, str) else one for one in listed]
        body = json.dumps(told).encode()
    kind = {"ttl": "TURTLE", "jsonld": "JSON_LD", "rdf": "RDF_XML", "nt": "N_TRIPLES"}[suffix]
    found = pyoxigraph.parse(body, format=getattr(pyoxigraph.RdfFormat, kind))
    lines = sorted({f"{quad.triple} .\n" for quad in found})
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == DIGEST


def test_another_library_reads_the_same_number_of_triples(client: Client) -> None:
    count = len(parking().splitlines())
    for suffix, name in (("ttl", "turtle"), ("rdf", "xml"), ("nt", "nt")):
        assert len(rdflib.Graph().parse(data=client.get(f"{HERE}.{suffix}").text, format=name)) == count


@pytest.mark.parametrize(("suffix", "kind"), FORMS.items())
def test_accept_and_suffix_give_the_same_bytes_and_etag(client: Client, suffix: str, kind: str) -> None:
    by_suffix, by_accept = client.get(f"{HERE}.{suffix}"), client.get(HERE, headers={"accept": kind})
    assert by_suffix.content == by_accept.content
    assert by_suffix.headers["etag"] == by_accept.headers["etag"] == f'"{DIGEST[:32]}-{VERSIONS[suffix]}"'
    assert by_accept.headers["content-type"].startswith(kind)
    assert by_accept.headers["content-location"] == f"{BASE}{HERE}.{suffix}"
    assert "Accept" in by_accept.headers["vary"].split(", ")
    assert by_suffix.headers["vary"] == "Accept-Encoding"


def test_links_lead_to_everything_about_a_record(client: Client) -> None:
    links = client.get(f"{HERE}.ttl").headers["link"]
    for part in (
        f'<{BASE}{HERE}>; rel="canonical"',
        f'<{BASE}{HERE}.jsonld>; rel="alternate"; type="application/ld+json"',
        f'<{BASE}{HERE}.html>; rel="alternate"; type="text/html"',
        f'<{BASE}{HERE}/proof>; rel="describedby"',
        f'<{BASE}/collections/open-data>; rel="collection"',
        'rel="profile"',
    ):
        assert part in links


def test_an_iri_beyond_ascii_travels_in_headers(client: Client) -> None:
    reply = client.get("/datasets/melukartta.ttl")
    assert '<https://data.example.org/id/%C3%84%C3%A4ni%20kartta>; rel="describes"' in reply.headers["link"]


def test_a_known_copy_is_not_sent_again(client: Client) -> None:
    tag = client.get(f"{HERE}.ttl").headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for _ in range(2):  # from the router, then from memory
            reply = client.get(f"{HERE}.ttl", headers={"if-none-match": held})
            assert (reply.status_code, reply.content) == (304, b"")
            assert reply.headers["etag"] == tag
            assert {"vary", "cache-control", "link", "access-control-allow-origin"} <= set(reply.headers)
    assert client.get(f"{HERE}.ttl", headers={"if-none-match": '"other"'}).status_code == 200


def test_dates_are_compared_when_there_is_no_tag(client: Client) -> None:
    date = client.get(f"{HERE}.ttl").headers["last-modified"]
    assert client.get(f"{HERE}.ttl", headers={"if-modified-since": date}).status_code == 304
    assert client.get(f"{HERE}.ttl", headers={"if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status_code == 200
    assert client.get(f"{HERE}.ttl", headers={"if-modified-since": "yesterday"}).status_code == 200
    both = {"if-modified-since": date, "if-none-match": '"other"'}
    assert client.get(f"{HERE}.ttl", headers=both).status_code == 200


def test_gzip_has_an_etag_of_its_own_and_the_same_text(client: Client) -> None:
    plain = client.get(f"{HERE}.ttl")
    packed = client.get(f"{HERE}.ttl", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)
    other = client.get(f"{HERE}.ttl", headers={"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]})
    assert other.status_code == 200


def test_equal_requests_give_equal_gzip_bytes() -> None:
    assert gzip.compress(b"x" * 999, 6, mtime=0) == gzip.compress(b"x" * 999, 6, mtime=0)


def test_head_says_what_get_would(client: Client) -> None:
    for path in (
        f"{HERE}.ttl",
        HERE,
        "/catalog",
        "/collections/open-data",
        f"{HERE}/proof",
        "/nothing",
        "/catalog.nq.gz",
    ):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers.get("etag") == get.headers.get("etag")
        assert head.headers.get("content-length") == get.headers.get("content-length")


def test_anyone_may_read_from_a_browser(client: Client) -> None:
    reply = client.ask("OPTIONS", HERE, headers={"origin": "https://x.example", "access-control-request-method": "GET"})
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "GET" in reply.headers["access-control-allow-methods"]
    for path in (f"{HERE}.ttl", "/nothing", "/"):
        assert client.get(path).headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in client.get(HERE, headers={"accept": "text/html"}).headers


def test_a_form_that_does_not_exist_is_answered_with_those_that_do(client: Client) -> None:
    reply = client.get(HERE, headers={"accept": "image/png"})
    assert reply.status_code == 406
    assert reply.json()["type"] == f"{BASE}/problems/not-acceptable"
    listed = {one["media_type"]: one["href"] for one in reply.json()["available"]}
    assert listed["text/turtle"] == f"{BASE}{HERE}.ttl"
    assert set(listed) == {*FORMS.values(), "text/html"}


def test_rdf_xml_that_cannot_be_says_why(city: City, client: Client) -> None:
    it = f"{BASE}/datasets/odd"
    odd = payload((it, "dct:title", '"Odd"@en'), (it, "https://example.org/2024/", '"x"'))
    city.put(Draft(it, "odd", "dataset", "put", odd))
    assert client.get("/datasets/odd.ttl").status_code == 200
    reply = client.get("/datasets/odd.rdf")
    assert reply.status_code == 406
    assert "https://example.org/2024/" in reply.json()["detail"]


def test_a_withdrawn_record_is_gone_and_a_strange_one_not_found(city: City, client: Client) -> None:
    assert client.get(f"{HERE}.ttl").status_code == 200
    city.put(Draft(PARKING.record, PARKING.slug, PARKING.kind, "withdraw"), at_ms=AT_MS + 5)
    for path in (HERE, f"{HERE}.ttl", f"{HERE}/proof", f"{HERE}/findings"):
        reply = client.get(path)
        assert (reply.status_code, reply.json()["record"]) == (410, PARKING.record)
    for path in ("/datasets/nothing", "/datasets/nothing.ttl", "/services/parking", "/datasets/parking.doc", "/x/y/z"):
        reply = client.get(path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")


def test_a_restricted_record_looks_like_none(city: City, client: Client) -> None:
    city.open("secret", "Secret", visibility="restricted")
    hidden = Draft(f"{BASE}/datasets/hidden", "hidden", "dataset", "put", parking(title="Hidden"))
    city.put(hidden, collection="secret")
    for suffix in ("", ".ttl", "/proof", "/findings"):
        shown, strange = client.get(f"/datasets/hidden{suffix}"), client.get(f"/datasets/strange{suffix}")
        assert shown.status_code == strange.status_code == 404
        assert shown.text.replace("hidden", "strange") == strange.text
        assert {k: v for k, v in shown.headers.items() if k != "x-request-id"}.keys() == strange.headers.keys() - {
            "x-request-id"
        }
    assert client.get("/records", params={"iri": hidden.record}).status_code == 404
    for path in ("/catalog.ttl", "/.well-known/void", "/sitemap.xml", "/checkpoints", "/metrics", "/catalog", "/"):
        assert (
            "secret"
            not in client.get(path, headers={"accept": "text/html, */*"} if path in ("/", "/catalog") else {}).text
        )
    assert b"hidden" not in gzip.decompress(client.get("/catalog.nq.gz").content)
    assert client.get("/collections/secret").status_code == 404
    assert client.get("/collections/secret/checkpoint").status_code == 404


def test_a_collection_that_becomes_restricted_is_hidden_at_once(city: City, client: Client) -> None:
    assert [client.get(f"{HERE}.ttl").status_code for _ in range(2)] == [200, 200]
    with city.db.write() as tx:
        city.journals.change(tx, "open-data", visibility="restricted")
    assert client.get(f"{HERE}.ttl").status_code == 404


def test_a_record_is_found_by_its_iri(client: Client) -> None:
    reply = client.get("/records", params={"iri": NOISE_IRI}, headers={"accept": "text/turtle"})
    assert reply.status_code == 200
    assert reply.content == client.get("/datasets/melukartta.ttl").content
    assert reply.headers["content-location"] == f"{BASE}/datasets/melukartta.ttl"
    assert client.get("/records", params={"iri": "https://nobody.example/1"}).status_code == 404
    assert client.get("/records").status_code == 400
    assert client.get("/records", params={"iri": "x" * 2001}).status_code == 400


def test_the_proof_proves_the_record(city: City, client: Client) -> None:
    told = client.get(f"{HERE}/proof").json()
    assert told["digest"] == told["opening"]["digest"] == f"sha256:{DIGEST}"
    commitment = "sha256:" + hashlib.sha256(rfc8785.dumps(told["opening"])).hexdigest()
    assert told["entry"]["commit"] == commitment
    leaf = hashlib.sha256(b"\0" + rfc8785.dumps(told["entry"])).digest()
    path = [base64.b64decode(one) for one in told["inclusion"]["hashes"]]
    root = base64.b64decode(told["checkpoint"].splitlines()[2])
    place = told["inclusion"]
    assert tree.verify_inclusion(leaf, place["leaf_index"], place["tree_size"], path, root)
    assert told["checkpoint"].startswith(note.origin_of(f"{BASE}/collections/open-data") + "\n")


def test_a_record_not_yet_signed_has_no_proof_yet(city: City, client: Client) -> None:
    it = f"{BASE}/datasets/fresh"
    city.put(Draft(it, "fresh", "dataset", "put", payload((it, "dct:title", '"Fresh"@en'))), sign=False)
    assert client.get("/datasets/fresh/proof").status_code == 404
    assert "Not signed yet" in client.get("/datasets/fresh.html").text


def test_findings_are_a_document_beside_the_record(client: Client) -> None:
    told = client.get("/datasets/melukartta/findings").json()
    assert [one["code"] for one in told["findings"]] == ["licence-missing", "publisher-missing"]
    page = client.get("/datasets/melukartta/findings", headers={"accept": "text/html"})
    assert "Name a licence from the list." in page.text
    assert client.get("/datasets/parking/findings").json()["findings"] == []
    assert client.get("/datasets/melukartta/findings", headers={"accept": "text/csv"}).status_code == 406


def test_a_damaged_payload_is_our_fault_and_ends_nothing_else(city: City, client: Client) -> None:
    with city.db.write() as tx:
        tx.run("UPDATE payload SET body = ? WHERE digest = ?", b"\x00", hashlib.sha256(parking()).digest())
    broken = client.get("/datasets/parking.nt")
    assert (broken.status_code, broken.json()["type"]) == (503, f"{BASE}/problems/unavailable")
    assert client.get("/datasets/melukartta.nt").status_code == 200
    with pytest.raises(EOFError):
        gzip.decompress(client.get("/catalog.nq.gz").content)
