"""Laws of the client door: below the peer's address only, bounded, typed, and a peer's "no" becomes ours."""

import gzip
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import zstandard

from node.db import Database
from node.errors import (
    Forbidden,
    ForbiddenAddress,
    Malformed,
    NotFound,
    PeerUnreachable,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
)
from node.federation import client as clients
from node.federation.client import PAGE_TYPE, Head, PeerClient, normal_url
from tests.federation.fake_peer import FakePeer, Handle, Heard, Said, say
from tests.federation.peer_rig import Rig, rig

NOTE = "127.0.0.1/collections/open-data\n3\nabc=\n\n\u2014 x y\n"
Call = Callable[[PeerClient, str], Any]


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakePeer]:
    with FakePeer(tmp_path_factory.mktemp("peer"), prefix="/node") as running:
        yield running


@pytest.fixture
def city(lasting_db: Database, helsinki: FakePeer) -> Iterator[Rig]:
    made = rig(lasting_db)
    helsinki.says.clear()
    helsinki.requests.clear()
    helsinki.publish()
    yield made
    made.outbound.close()


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Data.Hel.FI/", "https://data.hel.fi"),
        ("https://data.hel.fi:443/node/", "https://data.hel.fi/node"),
        ("HTTPS://data.hel.fi:8443", "https://data.hel.fi:8443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://[::1]:8001/", "http://[::1]:8001"),
        ("http://helsinki.localhost:8001", "http://helsinki.localhost:8001"),
    ],
)
def test_an_address_has_one_spelling(given: str, normal: str) -> None:
    assert normal_url(given, allow_http=False) == normal
    assert normal_url(normal, allow_http=False) == normal


@pytest.mark.parametrize(
    "given",
    [
        "http://data.hel.fi",
        "http://10.0.0.1",
        "ftp://data.hel.fi",
        "https://",
        "https://u:p@data.hel.fi",
        "https://data.hel.fi/?x=1",
        "https://data.hel.fi/#x",
        "https://data.hel.fi/a/../b",
        "https://data.hel.fi/a b",
        "https://data.hel.fi/%2e%2e",
        "https://data.hel.fi:99999",
        "https://hel\u0455inki.fi",
        "https://data.hel.fi/" + "a" * 500,
        "data.hel.fi",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_base_url_is_refused(given: str) -> None:
    with pytest.raises(Malformed):
        normal_url(given, allow_http=False)


def test_http_to_other_machines_is_taken_where_we_were_told(city: Rig) -> None:
    assert normal_url("http://peer.internal:8001/", allow_http=True) == "http://peer.internal:8001"


def test_every_question_goes_where_the_wire_format_says(city: Rig, helsinki: FakePeer, tmp_path: Path) -> None:
    jsonl, text = {"Content-Type": PAGE_TYPE}, {"Content-Type": "text/plain; charset=utf-8"}
    zstd, gzipped = jsonl | {"Content-Encoding": "zstd"}, jsonl | {"Content-Encoding": "gzip"}
    tile = {"Content-Type": "application/octet-stream"}
    at = helsinki.prefix
    helsinki.says |= {
        f"{at}/collections/open-data/checkpoint": Said(NOTE.encode(), headers=text),
        f"{at}/collections/espoo/plans/entries": Said(b"{}\n", headers=jsonl),
        f"{at}/collections/open-data/entries": Said(zstandard.compress(b"page"), headers=zstd),
        f"{at}/collections/open-data/snapshot": Said(gzip.compress(b"whole"), headers=gzipped),
        f"{at}/collections/open-data/tile/1/x001/x234/067": Said(b"h" * 8192, headers=tile),
        f"{at}/collections/open-data/tile/0/000.p/3": Said(b"h" * 96, headers=tile),
        f"{at}/federation/notify": Said(b"", 202),
        f"{at}/federation/erasures": Said(b"", 204, {"Content-Length": "0"}),
        f"{at}/federation/refusals": Said(b"", 204, {"Content-Length": "0"}),
        f"{at}/witness/add-checkpoint": Said(b"3\n", 409, {"Content-Type": "text/x.tlog.size"}),
    }  # fmt: skip
    client, url = city.client, helsinki.url
    assert client.statement(url) == helsinki.says[f"{at}/.well-known/openid-federation"].body.decode()  # type: ignore[union-attr]
    assert client.note(url, "open-data") == NOTE
    client.note(url, "open-data", 3)
    client.page(url, "espoo/plans", after=0, size=9, limit=5, token=True)
    assert client.page(url, "open-data", after=7) == b"page"
    client.stubs(url, "open-data", [3, 9], 12)
    assert client.snapshot(url, "open-data", 12, tmp_path / "s") == 5
    assert len(client.tile(url, "open-data", 1, 1234067)) == 8192
    assert len(client.tile(url, "open-data", 0, 0, width=3)) == 96
    client.notify(url, [{"collection": "c", "size": 1, "checkpoint": "n"}])
    client.confirm_erasures(url, "iri", iter([1, 2]))
    client.tell_refusals(url, "iri", [{"seq": 1, "code": "x"}])
    assert client.add_checkpoint(url, b"old 0\n") == (409, b"3\n")
    assert [(heard.method, heard.path.removeprefix(at)) for heard in helsinki.requests] == [
        ("GET", "/.well-known/openid-federation"),
        ("GET", "/collections/open-data/checkpoint"),
        ("GET", "/collections/open-data/checkpoint?size=3"),
        ("GET", "/collections/espoo/plans/entries?after=0&size=9&limit=5"),
        ("GET", "/collections/open-data/entries?after=7"),
        ("GET", "/collections/open-data/entries?seqs=3,9&size=12"),
        ("GET", "/collections/open-data/snapshot?size=12"),
        ("GET", "/collections/open-data/tile/1/x001/x234/067"),
        ("GET", "/collections/open-data/tile/0/000.p/3"),
        ("POST", "/federation/notify"),
        ("POST", "/federation/erasures"),
        ("POST", "/federation/refusals"),
        ("POST", "/witness/add-checkpoint"),
    ]
    with_token = [heard.path.removeprefix(at) for heard in helsinki.requests if "authorization" in heard.headers]
    assert with_token == [
        "/collections/espoo/plans/entries?after=0&size=9&limit=5",
        "/federation/notify",
        "/federation/erasures",
        "/federation/refusals",
    ]
    said = {heard.path.removeprefix(at): heard.body for heard in helsinki.requests if heard.body}
    assert json.loads(said["/federation/erasures"]) == {"collection": "iri", "seqs": [1, 2]}
    assert said["/witness/add-checkpoint"] == b"old 0\n"


@pytest.mark.parametrize("name", ["../x", "a/b/c", "A", "a b", "a?b", "", "x" * 64, "a//b"])
def test_a_name_that_could_lead_elsewhere_is_never_asked(name: str, city: Rig, helsinki: FakePeer) -> None:
    for ask in (lambda: city.client.note(helsinki.url, name), lambda: city.client.page(helsinki.url, name, after=0)):
        with pytest.raises(Malformed):
            ask()
    assert helsinki.requests == []


def test_heads_are_read_strictly_and_a_known_list_costs_one_empty_answer(city: Rig, helsinki: FakePeer) -> None:
    head = {"collection": f"{helsinki.url}/collections/a", "name": "a", "size": 3, "checkpoint": NOTE, "key": "k"}
    helsinki.shows(head, etag='"7"')
    found = city.client.heads(helsinki.url)
    assert found is not None
    assert found.heads == (Head(head["collection"], "a", 3, NOTE),)  # type: ignore[arg-type]
    assert city.client.heads(helsinki.url, found.etag) is None
    for change in (
        {"size": -1},
        {"size": True},
        {"size": 1 << 60},
        {"name": "A"},
        {"checkpoint": 3},
        {"collection": None},
    ):
        helsinki.shows(head | change)
        with pytest.raises(Malformed):
            city.client.heads(helsinki.url)


def problem(code: str, detail: str) -> bytes:
    return json.dumps({"type": f"https://x/problems/{code}", "title": "t", "status": 1, "detail": detail}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PeerUnreachable), (302, PeerUnreachable), (204, PeerUnreachable), (400, Refused), (401, Unauthenticated),
        (403, Forbidden), (404, NotFound), (410, NotFound), (413, TooLarge), (422, Refused), (429, TooManyRequests),
        (500, PeerUnreachable), (502, PeerUnreachable), (503, PeerUnreachable), (599, PeerUnreachable),
    ],
)  # fmt: skip
def test_every_no_of_a_peer_is_one_of_ours(status: int, kind: type[Exception], city: Rig, helsinki: FakePeer) -> None:
    body = b"" if status == 204 else problem("broken-history", "You\x1b[31m have\nforked" + "x" * 999)
    headers = {"Content-Type": "application/problem+json", "Retry-After": "77"}
    helsinki.says[f"{helsinki.prefix}/checkpoints"] = Said(body, status, headers)
    with pytest.raises(kind) as caught:
        city.client.heads(helsinki.url)
    # Its code says how it sees us; it must not become a fact about it here.
    assert type(caught.value) is kind
    said = str(caught.value)
    assert str(status) in said
    assert "\x1b" not in said
    assert "\n" not in said
    assert len(said) < 600
    if status != 204:
        assert "broken-history" in said
    if isinstance(caught.value, PeerUnreachable | TooManyRequests):
        assert caught.value.retry_after_s == 77


@pytest.mark.parametrize("said", ["99999999999", "soon", "-1", "1.5", "Sat, 21 Nov 2026 10:02:00 GMT"])
def test_how_long_a_peer_asks_to_wait_is_bounded(said: str, city: Rig, helsinki: FakePeer) -> None:
    def later(request: BaseHTTPRequestHandler, heard: Heard) -> None:
        request.send_response_only(503)
        request.send_header("Date", "Sat, 21 Nov 2026 10:00:00 GMT")
        request.send_header("Retry-After", said)
        request.send_header("Content-Length", "0")
        request.end_headers()

    helsinki.says[f"{helsinki.prefix}/checkpoints"] = later
    with pytest.raises(PeerUnreachable) as caught:
        city.client.heads(helsinki.url)
    assert caught.value.retry_after_s == {"99999999999": 21_600}.get(said, 120 if "Sat" in said else 0)


@pytest.mark.parametrize("kind", ["text/html", "", "application/jwt", "application/jsonl"])
def test_another_type_than_was_asked_for_is_refused(kind: str, city: Rig, helsinki: FakePeer) -> None:
    for path, call in QUESTIONS.items():
        helsinki.says[helsinki.prefix + path] = Said(b"x", headers={"Content-Type": kind} if kind else {})
        with pytest.raises(Malformed, match="asked for"):
            call(city.client, helsinki.url)


QUESTIONS: dict[str, Call] = {
    "/.well-known/openid-federation": lambda client, url: client.statement(url),
    "/checkpoints": lambda client, url: client.heads(url),
    "/collections/a/checkpoint": lambda client, url: client.note(url, "a"),
    "/collections/a/entries": lambda client, url: client.page(url, "a", after=0),
    "/collections/a/tile/0/000": lambda client, url: client.tile(url, "a", 0, 0),
}
TYPES = {
    "/.well-known/openid-federation": "application/entity-statement+jwt",
    "/checkpoints": "application/json",
    "/collections/a/checkpoint": "text/plain",
    "/collections/a/entries": PAGE_TYPE,
    "/collections/a/tile/0/000": "application/octet-stream",
}
BOUNDS = {
    "/.well-known/openid-federation": clients.MAX_STATEMENT_BYTES,
    "/checkpoints": clients.MAX_HEADS_BYTES,
    "/collections/a/checkpoint": clients.MAX_NOTE_BYTES,
    "/collections/a/entries": clients.MAX_PAGE_BYTES,
    "/collections/a/tile/0/000": clients.MAX_TILE_BYTES,
}


@pytest.mark.parametrize("path", QUESTIONS)
def test_nothing_is_read_beyond_its_bound_also_when_it_is_packed(path: str, city: Rig, helsinki: FakePeer) -> None:
    packed = zstandard.compress(bytes(BOUNDS[path] + 1))
    for body, coding in ((packed, "zstd"), (gzip.compress(bytes(BOUNDS[path] + 1), 1), "gzip")):
        headers = {"Content-Type": TYPES[path], "Content-Encoding": coding}
        helsinki.says[helsinki.prefix + path] = Said(body, headers=headers)
        with pytest.raises(TooLarge):
            QUESTIONS[path](city.client, helsinki.url)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"checkpoints": 3}', b'{"checkpoints": [3]}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_list_of_heads_is_refused(body: bytes, city: Rig, helsinki: FakePeer) -> None:
    helsinki.says[f"{helsinki.prefix}/checkpoints"] = Said(body, headers={"Content-Type": "application/json"})
    with pytest.raises(Malformed):
        city.client.heads(helsinki.url)


def refusing_first(challenge: str, times: int) -> Handle:
    seen: list[int] = []

    def handle(request: BaseHTTPRequestHandler, heard: Heard) -> None:
        seen.append(1)
        said = Said(b"", 401, {"WWW-Authenticate": challenge}) if len(seen) <= times else Said(b"", 202)
        say(request, said)

    return handle


def test_a_token_that_no_longer_holds_is_renewed_once(city: Rig, helsinki: FakePeer) -> None:
    path = f"{helsinki.prefix}/federation/notify"
    helsinki.says[path] = refusing_first('DPoP error="invalid_token"', 1)
    city.client.notify(helsinki.url, [])
    assert [heard.headers["authorization"] for heard in helsinki.requests] == ["DPoP token-0", "DPoP token-1"]
    helsinki.requests.clear()
    helsinki.says[path] = refusing_first('DPoP error="invalid_token"', 9)
    with pytest.raises(Unauthenticated):
        city.client.notify(helsinki.url, [])
    assert len(helsinki.requests) == 2
    helsinki.requests.clear()
    helsinki.says[path] = refusing_first('DPoP error="insufficient_scope"', 1)
    with pytest.raises(Unauthenticated):
        city.client.notify(helsinki.url, [])
    assert len(helsinki.requests) == 1


def test_a_peer_at_a_forbidden_address_is_never_asked(lasting_db: Database) -> None:
    city = rig(lasting_db, loopback_allowed=False, resolver=lambda host, port: ["169.254.169.254"])
    for call in QUESTIONS.values():
        with pytest.raises(ForbiddenAddress):
            call(city.client, "https://peer.example")


def test_a_snapshot_of_another_type_is_refused(city: Rig, helsinki: FakePeer, tmp_path: Path) -> None:
    helsinki.says[f"{helsinki.prefix}/collections/a/snapshot"] = Said(b"<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(Malformed):
        city.client.snapshot(helsinki.url, "a", 1, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    helsinki.says[f"{helsinki.prefix}/collections/a/snapshot"] = Said(b"x" * 100, headers={"Content-Type": PAGE_TYPE})
    with pytest.raises(TooLarge):
        city.client.snapshot(helsinki.url, "a", 1, tmp_path / "s", max_bytes=99)
