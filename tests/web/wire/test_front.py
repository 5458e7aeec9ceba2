"""Replies from memory are true: they are those a router would give now."""

import pytest

from node.journal import Draft
from node.web.reading import Reading
from node.web.wire.answer import Document, encode
from node.web.wire.front import Front, Keeper
from tests.web.cities import AT_MS, BASE, PARKING, City, parking, small
from tests.web.client import Client

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

HERE = "/datasets/parking.ttl"


def front_of(client: Client) -> Front:
    return client.app


def test_the_second_reply_comes_from_memory_and_is_the_same(city: City, client: Client) -> None:
    first, second = client.get(HERE), client.get(HERE)
    assert front_of(client).hits == 1
    assert second.content == first.content
    without = [{k: v for k, v in one.headers.items() if k != "x-request-id"} for one in (first, second)]
    assert without[0] == without[1]
    assert client.head(HERE).content == b""
    assert client.get(HERE, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert (front_of(client).hits, front_of(client).fresh) == (2, 1)


def test_every_reply_can_be_named(city: City, client: Client) -> None:
    tag = client.get(HERE).headers["etag"]
    replies = [client.get(HERE), client.head(HERE), client.get(HERE, headers={"if-none-match": tag})]
    replies += [client.ask("OPTIONS", HERE), client.get("/datasets/" + "x" * 5000), client.get("/nothing")]
    ids = [reply.headers["x-request-id"] for reply in replies]
    assert len(set(ids)) == len(ids)
    assert client.get(HERE, headers={"x-request-id": "proxy-7"}).headers["x-request-id"] == "proxy-7"
    assert client.get(HERE, headers={"x-request-id": "a b"}).headers["x-request-id"] != "a b"
    assert front_of(client).fresh == 1


def test_a_changed_record_is_seen_at_once(city: City, client: Client) -> None:
    old = [client.get(HERE) for _ in range(2)][1]
    city.put(Draft(PARKING.record, "parking", "dataset", "put", parking(title="New title")), at_ms=AT_MS + 9)
    new = client.get(HERE)
    assert "New title" in new.text
    assert new.headers["etag"] != old.headers["etag"]


def test_another_records_change_leaves_a_reply_in_memory(city: City, client: Client) -> None:
    client.get(HERE)
    iri, slug, body = small(1)
    city.put(Draft(iri, slug, "dataset", "put", body))
    client.get(HERE)
    assert front_of(client).hits == 1


def test_pages_are_made_anew_after_any_change(city: City, client: Client) -> None:
    page = [client.get("/datasets/parking.html").text for _ in range(2)][1]
    assert front_of(client).hits == 1
    iri, slug, body = small(1)
    city.put(Draft(iri, slug, "dataset", "put", body))
    assert client.get("/datasets/parking.html").text != page  # the checkpoint has grown


def test_languages_and_codings_never_share_a_reply(client: Client) -> None:
    for _ in range(2):
        assert 'lang="fi"' in client.get("/datasets/parking.html", headers={"accept-language": "fi"}).text[:60]
        assert 'lang="sv"' in client.get("/datasets/parking.html", headers={"accept-language": "sv"}).text[:60]
        assert "content-encoding" not in client.get(HERE).headers
        assert client.get(HERE, headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_a_chosen_language_is_not_kept_for_others(client: Client) -> None:
    assert 'lang="fi"' in client.get("/datasets/parking.html?lang=fi").text[:60]
    assert 'lang="en"' in client.get("/datasets/parking.html").text[:60]


def test_memory_is_bounded(city: City) -> None:
    keeper = Keeper(Reading(city.shelf), max_bytes=100_000)
    for number in range(200):
        made = encode(Document(b"x" * 5_000, "text/turtle", tag=str(number)), gzipped=False)
        keeper.put((f"/datasets/{number}", "ttl", False, ""), made, still=None, version=city.shelf.version())
    assert 5 < len(keeper) <= 100_000 // 5_000
    huge = encode(Document(b"x" * 50_000, "text/turtle", tag="huge"), gzipped=False)
    keeper.put(("/datasets/huge", "ttl", False, ""), huge, still=None, version=0)
    assert len(keeper) <= 100_000 // 5_000


def test_a_path_prefix_left_on_by_a_proxy_is_taken_off(city: City) -> None:
    city.base_url = "https://city.example/data"
    client = Client(city.app(), "https://city.example")
    for path in ("/data/datasets/parking.ttl", "/datasets/parking.ttl", "/data"):
        assert client.get(path).status_code == 200
    assert 'href="/data/catalog"' in client.page("/data/")
    client.close()


def test_errors_are_not_kept(city: City, client: Client) -> None:
    assert client.get("/datasets/set-00001").status_code == 404
    iri, slug, body = small(1)
    city.put(Draft(iri, slug, "dataset", "put", body))
    assert client.get("/datasets/set-00001", headers={"accept": "*/*"}).status_code == 200
    assert client.get(f"{BASE}/datasets/set-00001.ttl").status_code == 200
