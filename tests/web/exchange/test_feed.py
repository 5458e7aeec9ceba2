"""The feed over HTTP: one address per question, answers that any cache can keep, and a "no" that tells nothing."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest
import zstandard

from node.federation.feed.feed_pages import MEDIA_TYPE
from node.journal import Draft
from node.web.wire import packing
from node.web.wire.packing import coding_of, packed, packed_whole
from tests.federation.feed_rig import leaf, noted_root, read, root_over
from tests.web.cities import AT_MS, BASE, City, parking, small
from tests.web.client import Client

HERE = "/collections/open-data"
CODINGS = ["", "gzip", "zstd", "gzip, zstd"]


def many(count: int, start: int = 0) -> list[Draft]:
    return [Draft(it, slug, "dataset", "put", body) for it, slug, body in map(small, range(start, start + count))]


def plain(reply: httpx.Response) -> bytes:
    """Give the body, whatever httpx made of its coding."""
    assert reply.status_code == 200, reply.text
    return reply.content


def erase(city: City, seq: int) -> None:
    with city.db.write() as tx:
        city.journals.erase(tx, "open-data", seq, at_ms=AT_MS + 9_000)
    city.journals.checkpoint("open-data", at_ms=AT_MS + 9_001)


def test_a_stranger_can_rebuild_the_journal_from_pages(city: City, client: Client) -> None:
    city.put(*many(30))
    lines, after = [], 0
    while True:
        reply = client.get(f"{HERE}/entries?after={after}&limit=7")
        assert reply.headers["content-type"] == MEDIA_TYPE
        page = read(plain(reply))
        lines += page.lines
        after = page.envelope["end"]
        if after == page.envelope["size"]:
            break
    assert [line["entry"]["seq"] for line in lines] == list(range(1, 33))
    note = client.get(f"{HERE}/checkpoint").text
    assert page.envelope["checkpoint"] == note
    assert root_over([leaf(line) for line in lines]) == noted_root(note)


@pytest.mark.parametrize("accepted", CODINGS)
def test_a_page_is_the_same_in_every_coding_and_has_a_tag_for_each(city: City, client: Client, accepted: str) -> None:
    city.put(*many(30))
    address = f"{HERE}/entries?after=2&size=32"
    reply = client.get(address, headers={"accept-encoding": accepted})
    assert plain(reply) == plain(client.get(address))
    assert reply.headers.get("content-encoding", "") == accepted.split(", ")[-1]
    assert reply.headers["vary"] == "Accept-Encoding"
    assert reply.headers["cache-control"] == "public, max-age=3600"
    assert client.get(f"{HERE}/entries?after=2").headers["cache-control"] == "public, no-cache"
    again = client.get(address, headers={"accept-encoding": accepted, "if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", reply.headers["etag"])
    assert again.headers["cache-control"] == reply.headers["cache-control"]
    other = client.get(address, headers={"accept-encoding": "identity" if accepted else "gzip"})
    assert other.headers["etag"] != reply.headers["etag"]


def test_a_head_has_the_headers_of_a_get(city: City, client: Client) -> None:
    city.put(*many(300))
    for path in (
        "/entries?after=0",
        "/entries?seqs=1,2",
        "/checkpoint",
        "/tile/0/000",
        "/tile/0/001.p/46",
        "/snapshot",
    ):
        got, head = client.get(HERE + path), client.head(HERE + path)
        assert (head.status_code, head.content) == (200, b"")
        names = got.headers.keys() - {"x-request-id", "content-length"}
        assert {name: head.headers[name] for name in names} == {name: got.headers[name] for name in names}


def test_an_erasure_changes_the_tag_and_leaves_nothing_behind(city: City, client: Client) -> None:
    secret = parking(title="Maija Meikalainen")
    city.put(Draft(f"{BASE}/datasets/x", "x", "dataset", "put", secret))
    city.put(Draft(f"{BASE}/datasets/x", "x", "dataset", "put", parking(title="Clean")))
    address = f"{HERE}/entries?after=0&size=4"
    before = [client.get(address, headers={"accept-encoding": coding}) for coding in CODINGS for _ in range(2)]
    assert all(b"Maija" in plain(reply) for reply in before)
    erase(city, 3)
    for coding, old in zip([coding for coding in CODINGS for _ in range(2)], before, strict=True):
        new = client.get(address, headers={"accept-encoding": coding, "if-none-match": old.headers["etag"]})
        assert b"Maija" not in plain(new)
        assert read(plain(new)).lines[2].keys() == {"entry"}
    for tail in ("/snapshot", "/entries?seqs=3", "/feed/pages/1"):
        assert b"Maija" not in plain(client.get(HERE + tail))


def test_single_entries_come_by_their_numbers(city: City, client: Client) -> None:
    city.put(*many(30))
    reply = client.get(f"{HERE}/entries?seqs=9,3,3&size=32")
    assert read(plain(reply)).seqs == [3, 9]
    assert reply.headers["cache-control"] == "public, no-cache"
    tagged = client.get(f"{HERE}/entries?seqs=3,9&size=32", headers={"if-none-match": reply.headers["etag"]})
    assert tagged.status_code == 304


def test_an_older_note_stays_at_its_size(city: City, client: Client) -> None:
    old = client.get(f"{HERE}/checkpoint")
    assert old.headers["content-type"] == "text/plain; charset=utf-8"
    city.put(*many(3))
    assert client.get(f"{HERE}/checkpoint?size=2").text == old.text
    assert client.get(f"{HERE}/checkpoint").text != old.text
    assert client.get(f"{HERE}/checkpoint?size=3").status_code == 404
    fresh = client.get(f"{HERE}/checkpoint?size=2", headers={"if-none-match": old.headers["etag"]})
    assert fresh.status_code == 304


@pytest.mark.parametrize("accepted", CODINGS)
def test_a_snapshot_is_its_pages_one_after_the_other(city: City, client: Client, accepted: str) -> None:
    city.put(*many(1_100))
    reply = client.get(f"{HERE}/snapshot?size=1102", headers={"accept-encoding": accepted})
    first, second = (plain(client.get(f"{HERE}/entries?after={n}&size=1102")) for n in (0, 1_000))
    assert plain(reply) == first + second
    assert (reply.headers["content-type"], reply.headers["cache-control"]) == (MEDIA_TYPE, "public, max-age=3600")
    assert client.get(f"{HERE}/snapshot?size=7").status_code == 404


def test_tiles_stand_where_c2sp_says(city: City, client: Client) -> None:
    city.put(*many(300))
    full, part = client.get(f"{HERE}/tile/0/000"), client.get(f"{HERE}/tile/0/001.p/46")
    assert full.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert part.headers["cache-control"] == "public, max-age=3600"
    assert full.headers["content-type"] == "application/octet-stream"
    assert [len(full.content), len(part.content)] == [256 * 32, 46 * 32]
    hashes = [body[at : at + 32] for body in (full.content, part.content) for at in range(0, len(body), 32)]
    assert root_over(hashes) == noted_root(client.get(f"{HERE}/checkpoint").text)
    upper = client.get(f"{HERE}/tile/1/000.p/1").content
    assert upper == root_over(hashes[:256])
    again = client.get(f"{HERE}/tile/0/000", headers={"if-none-match": full.headers["etag"]})
    assert again.status_code == 304


NO_TILES = [
    *["0/001", "0/001.p/47", "0/001.p/0", "0/000.p/256", "0/000.p/257", "0/000.p/", "0/0", "0/00", "0/0000"],
    *["0/x000/000", "0/x001/000", "0/001/000", "1/000", "64/000", "99/000", "00/000", "-1/000", "0/-01", "0/"],
    *["entries/000", "0/x999/x999/x999/x999/x999/999.p/1", "0/" + "x999/" * 40 + "999", "0/000.p/046", "0/０００"],
    *["0/000/", "0/000.p/1/", "0/000%00", "0//000", "data/000", ""],
]


def test_tiles_that_are_none(city: City, client: Client) -> None:
    city.put(*many(300))
    for tile in NO_TILES:
        assert client.get(f"{HERE}/tile/{tile}").status_code == 404, tile


HUGE = "9" * 30


NONSENSE = [
    *["after=-1", "after=x", "after=1.5", "after=01", f"after={HUGE}", "after=%00", "after=%C2%B2", "after=1e3"],
    *["limit=0", "limit=-1", "limit=1001", f"limit={HUGE}", "limit=x", "size=-1", "size=x", f"size={HUGE}"],
    *["seqs=0", "seqs=-1", "seqs=x", "seqs=1,", "seqs=,1", "seqs=1,,2", f"seqs={HUGE}", "seqs=1;2"],
    *["seqs=1&after=0", "seqs=1&limit=5", "seqs=" + ",".join(map(str, range(1, 202)))],
]


def test_a_question_that_makes_no_sense_is_malformed(client: Client) -> None:
    for query in NONSENSE:
        reply = client.get(f"{HERE}/entries?{query}")
        assert (reply.status_code, reply.json()["type"]) == (400, f"{BASE}/problems/malformed"), query
        assert len(reply.content) < 1_000


def test_what_is_past_the_end_is_not_found(client: Client) -> None:
    far = 999_999_999_999_999_999
    for query in ("after=3", f"after={far}", "size=1", "size=3", f"size={far}", "seqs=3", "seqs=1,3", f"seqs={far}"):
        assert client.get(f"{HERE}/entries?{query}").status_code == 404, query


def test_a_very_long_question_is_turned_away_before_it_is_read(client: Client) -> None:
    assert client.get(f"{HERE}/entries?seqs=" + "1," * 5_000).status_code == 414


TAILS = ["entries", "entries?after=0&size=1", "entries?seqs=1", "checkpoint", "checkpoint?size=1", "snapshot"]
TAILS += ["tile/0/000", "tile/0/000.p/1", "tile/nonsense"]


def test_a_restricted_collection_looks_like_none(city: City, client: Client) -> None:
    city.open("secret", "Secret", visibility="restricted")
    city.put(*many(3), collection="secret")
    with city.db.write() as tx:
        iri = "http://peer.example/collections/secret"
        city.journals.create(tx, name="peer/secret", iri=iri, title="", visibility="restricted", at_ms=AT_MS)
    for tail in TAILS:
        compare(client, f"/collections/secret/{tail}", f"/collections/strang/{tail}")
        compare(client, f"/collections/peer/secret/{tail}", f"/collections/peer/strang/{tail}")


def compare(client: Client, hidden: str, missing: str) -> None:
    """The same to the byte, but for the name that the caller wrote itself."""
    one, other = client.get(hidden), client.get(missing)
    assert one.status_code == other.status_code == 404
    assert one.text.replace("secret", "strang") == other.text
    assert unmarked(one) == unmarked(other)


def unmarked(reply: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name != "x-request-id"}


def test_a_collection_that_becomes_restricted_is_gone_at_once(city: City, client: Client) -> None:
    address = f"{HERE}/entries?after=0"
    tag = client.get(address).headers["etag"]
    with city.db.write() as tx:
        city.journals.change(tx, "open-data", visibility="restricted")
    assert client.get(address, headers={"if-none-match": tag}).status_code == 404
    assert client.get("/checkpoints").json() == {"checkpoints": []}


def test_names_are_read_once_decoded(city: City, client: Client) -> None:
    expected = client.get(f"{HERE}/checkpoint").content
    assert client.get("/collections/open%2Ddata/checkpoint").content == expected
    for name in ("open-data%00", "OPEN-DATA", "open-data%20", "..", "%2e%2e%2fopen-data", "open-data%2F", "%FF", "'--"):
        assert client.get(f"/collections/{name}/checkpoint").status_code == 404, name


def test_a_mirror_is_read_under_its_peers_name(city: City, client: Client) -> None:
    with city.db.write() as tx:
        iri = "http://peer.example/collections/data"
        city.journals.create(tx, name="peer/data", iri=iri, title="Data", visibility="public", at_ms=AT_MS)
    assert client.get("/collections/peer/data/entries").status_code == 404  # nothing of it is held in full yet
    assert client.get("/collections/peer/data/checkpoint").status_code == 404
    assert [one["name"] for one in client.get("/checkpoints").json()["checkpoints"]] == ["open-data"]


def test_heads_are_made_once_and_asked_for_cheaply(city: City, client: Client) -> None:
    reply = client.get("/checkpoints")
    again = client.get("/checkpoints", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    city.put(*many(3))
    changed = client.get("/checkpoints", headers={"if-none-match": reply.headers["etag"]})
    assert [one["size"] for one in changed.json()["checkpoints"]] == [5]
    assert client.get("/checkpoints", headers={"accept": "text/turtle"}).status_code == 406


def test_ten_changes_cost_little_on_the_wire(city: City, client: Client) -> None:
    city.put(*many(1_000))
    changed = [
        Draft(f"{BASE}/datasets/p{n}", f"p{n}", "dataset", "put", parking(title=hashlib.sha256(bytes([n])).hexdigest()))
        for n in range(10)
    ]
    city.put(*changed)
    body = plain(client.get(f"{HERE}/entries?after=1002"))
    assert len(read(body).lines) == 10
    for coding in ("gzip", "zstd"):
        assert len(packed_whole(body, coding)) < 30_000


# ---------------------------------------------------------------- packing


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        *[("", ""), ("identity", ""), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd")],
        *[("zstd;q=0", ""), ("zstd;q=0.5, gzip", "gzip"), ("*", "gzip"), ("br", ""), ("gzip;q=0, zstd;q=0", "")],
        *[("zstd;q=0.1, identity", ""), ("x" * 3_000 + ", zstd", "")],
    ],
)
def test_the_coding_is_one_that_is_taken(accepted: str, coding: str) -> None:
    assert coding_of(accepted) == coding


@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
def test_what_is_packed_comes_out_again_and_is_the_same_each_time(coding: str) -> None:
    pieces = [json.dumps({"n": n}).encode() * 50 for n in range(200)]
    unpack = {
        "": bytes,
        "gzip": gzip.decompress,
        "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    }
    streamed = b"".join(packed(pieces, coding))
    assert unpack[coding](streamed) == b"".join(pieces)
    assert streamed == b"".join(packed(iter(pieces), coding))
    assert unpack[coding](packed_whole(b"".join(pieces), coding)) == b"".join(pieces)


def test_packed_bodies_are_kept_while_their_tag_stands_and_within_bounds() -> None:
    now = [0.0]
    shelf = packing.Store(max_bytes=400, clock=lambda: now[0])
    shelf.put("a", "1", b"x" * 100)
    assert shelf.find("a", "1") == b"x" * 100
    assert shelf.find("a", "2") is None
    assert shelf.find("a", "1") is None  # dropped by the look before
    for name in "abcdef":
        shelf.put(name, "1", b"x" * 100)
    assert [name for name in "abcdef" if shelf.find(name, "1")] == ["c", "d", "e", "f"]
    shelf.put("large", "1", b"x" * 101)
    assert shelf.find("large", "1") is None
    now[0] = 3_601.0
    shelf.put("new", "1", b"x")
    assert len(shelf) == 1


def test_every_address_in_the_guide_answers(client: Client) -> None:
    guide = (Path(__file__).resolve().parents[3] / "docs" / "feeds.md").read_text()
    asked = re.findall(
        r"^curl -s (?:--compressed )?(?:-H '([^']*)' )?'?https://city\.example(/[^' ]*)", guide, re.MULTILINE
    )
    assert len(asked) == 12
    for header, path in asked:
        name, _, value = header.partition(": ")
        reply = client.get(path.replace("SIZE", "2"), headers={name.lower(): value} if name else {})
        assert reply.status_code == 200, path
        assert reply.headers.get("etag") or "snapshot" in path
    for path in re.findall(r"`(/shapes/[^`#]*)", guide):
        assert client.get(path).status_code == 200
