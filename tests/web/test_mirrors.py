"""Laws of the pages and documents of what is held of other cities."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.assembly.clock import clock_ms
from node.journal import catch_up
from node.outbound import Reply
from tests.federation.cities import HELSINKI, LONDON, City, cities

MIRROR = "helsinki/open-data"
DAY_MS = 86_400_000


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    """Helsinki, and London which holds a copy of its three records beside one of its own."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.publish_many(3)
        london.publish(london.put(1, "London's own"))
        london.meet(helsinki)
        london.pull(helsinki)
        for city in (helsinki, london):
            for follower in city.node.followers:
                catch_up(city.node.journals, follower)
        yield helsinki, london


def at(city: City, number: int, more: str = "") -> str:
    return f"/records{more}?iri={quote(city.record(number), safe='')}"


def page(city: City, path: str) -> str:
    reply = city.get(path, accept="text/html")
    assert reply.status == 200, reply.body
    return reply.body.decode()


def links(reply: Reply) -> str:
    return reply.headers["link"]


def test_a_mirrored_record_has_the_bytes_of_its_origin_in_every_form(two: tuple[City, City]) -> None:
    helsinki, london = two
    for suffix in ("ttl", "nt", "rdf"):
        assert london.get(at(helsinki, 2, f".{suffix}")).body == helsinki.get(f"/datasets/d2.{suffix}").body
    assert london.get(at(helsinki, 2), accept="application/n-triples").body == helsinki.payload(2, "Title 2")


def test_a_mirrored_record_names_its_origin_as_canonical_and_itself_as_a_copy(two: tuple[City, City]) -> None:
    helsinki, london = two
    reply = london.get(at(helsinki, 2), accept="text/turtle")
    assert f'<{HELSINKI}/datasets/d2>; rel="canonical"' in links(reply)
    assert f'<{LONDON}{at(helsinki, 2, "/proof")}>; rel="describedby"' in links(reply)
    assert f'<link rel="canonical" href="{HELSINKI}/datasets/d2">' in page(london, at(helsinki, 2))


def test_slugs_of_two_cities_never_meet(two: tuple[City, City]) -> None:
    helsinki, london = two
    assert "London&#39;s own" in page(london, "/datasets/d1")
    assert "Title 1" in page(london, at(helsinki, 1))
    assert london.get("/datasets/d2").status == 404


def test_the_page_of_a_copy_says_whose_it_is_and_how_it_stands(two: tuple[City, City]) -> None:
    helsinki, london = two
    told = page(london, at(helsinki, 2))
    assert "This is Helsinki’s record" in told
    assert "In step with Helsinki" in told


def test_a_silent_origin_makes_its_copies_stale_and_takes_nothing_away(two: tuple[City, City]) -> None:
    helsinki, london = two
    london.wire.down.add(HELSINKI)
    follow = london.federation.peers.followed("helsinki", "open-data")
    with london.node.db.write() as tx:
        london.federation.peers.change_follow(tx, "helsinki", "open-data", checked_at=follow.checked_at - DAY_MS)
        london.federation.peers.change(tx, "helsinki", last_out_at=clock_ms() - DAY_MS)
    told = page(london, at(helsinki, 2))
    assert "Helsinki’s node is away; our copy is still good" in told
    assert london.get(at(helsinki, 2, ".nt")).body == helsinki.payload(2, "Title 2")
    assert "Helsinki’s node is away" in page(london, "/federation")


def test_a_mirrored_collection_is_listed_and_paged_under_its_peers_name(two: tuple[City, City]) -> None:
    helsinki, london = two
    assert f"/collections/{MIRROR}" in page(london, "/catalog")
    reply = london.get(f"/collections/{MIRROR}", accept="application/n-triples")
    assert all(helsinki.record(number) in reply.body.decode() for number in (1, 2, 3))
    assert f'<{helsinki.iri}>; rel="via"' in links(reply)
    assert f'<link rel="canonical" href="{helsinki.iri}">' in page(london, f"/collections/{MIRROR}")


def test_the_proof_of_a_copy_is_signed_by_its_origin(two: tuple[City, City]) -> None:
    helsinki, london = two
    proof = json.loads(london.get(at(helsinki, 2, "/proof"), accept="application/json").body)
    assert proof == json.loads(helsinki.get("/datasets/d2/proof", accept="application/json").body) | {
        "collection": MIRROR
    }
    assert "signed" in page(london, at(helsinki, 2, "/proof"))


def test_what_this_city_publishes_itself_is_its_own_alone(two: tuple[City, City]) -> None:
    helsinki, london = two
    dump = gzip.decompress(london.get("/catalog.nq.gz").body).decode()
    assert london.record(1) in dump
    assert helsinki.record(1) not in dump
    assert HELSINKI not in london.get("/sitemap.xml").body.decode()


def test_a_blocked_city_is_shown_no_more(two: tuple[City, City]) -> None:
    helsinki, london = two
    london.federation.peers.block("helsinki")
    assert london.get(at(helsinki, 2)).status == 404
    assert london.get(f"/collections/{MIRROR}").status == 404
    assert json.loads(london.get("/federation.json").body) == {"cities": []}
    assert london.get("/datasets/d1").status == 200


def test_the_cities_are_told_to_programs_without_what_is_the_staffs(two: tuple[City, City]) -> None:
    _, london = two
    (told,) = json.loads(london.get("/federation", accept="application/json").body)["cities"]
    assert (told["name"], told["city"], told["url"], told["state"]) == ("helsinki", "Helsinki", HELSINKI, "active")
    (mirror,) = told["mirrors"]
    assert (mirror["entries"], mirror["known_entries"], mirror["records"], mirror["stale"]) == (3, 3, 3, False)
    assert set(told) == {"name", "city", "url", "state", "since", "answered_at", "stale", "mirrors"}
