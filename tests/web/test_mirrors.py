"""Laws of the pages and documents of what is held of other cities."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.assembly.clock import clock_ms
from node.errors import PeerUnreachable
from node.journal import Draft, catch_up
from node.outbound import Reply
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = "helsinki/open-data"
DAY_MS = 86_400_000
DCT = "http://purl.org/dc/terms/"


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


def published_by(city: City, name: str) -> Draft:
    """Draft a record that says who publishes it."""
    it, agent = f"{city.url}/datasets/own", f"{city.url}/.well-known/genid/agent"
    lines = [
        f'<{agent}> <http://xmlns.com/foaf/0.1/name> "{name}" .\n',
        f"<{it}> <{DCT}publisher> <{agent}> .\n",
        f'<{it}> <{DCT}title> "Own"@en .\n',
        f"<{it}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .\n",
    ]
    return Draft(it, "own", "dataset", "put", "".join(sorted(lines)).encode())


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


def test_a_mirrored_record_that_its_city_withdrew_is_gone_here_too(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.publish(helsinki.withdrawn(2))
    london.pull(helsinki)
    for city in (helsinki, london):
        for follower in city.node.followers:
            catch_up(city.node.journals, follower)
    there = json.loads(helsinki.get(at(helsinki, 2), accept="application/json").body)
    for path in (at(helsinki, 2), at(helsinki, 2, ".ttl"), at(helsinki, 2, "/relations.json")):
        reply = london.get(path, accept="application/json")
        here = json.loads(reply.body)
        assert (reply.status, here["detail"], here["record"]) == (410, there["detail"], helsinki.record(2)), path
    assert here["mirror"] == MIRROR
    reply = london.get(at(helsinki, 2), accept="text/html")
    assert (reply.status, b"Withdrawn by Helsinki on" in reply.body) == (410, True)
    assert london.get(at(helsinki, 9)).status == 404
    london.federation.peers.block("helsinki")
    assert london.get(at(helsinki, 2)).status == 404, "of who is blocked nothing is told"


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


def test_a_visit_that_failed_is_told_at_once(two: tuple[City, City]) -> None:
    helsinki, london = two
    london.federation.peers.failed("helsinki", PeerUnreachable("It is away."), clock_ms())
    for path in (at(helsinki, 2), f"/collections/{MIRROR}", "/catalog", "/federation"):
        told = page(london, path)
        assert "Helsinki does not answer just now; our copy is still good" in told, path
        assert "Last answer" in told, path
        assert "In step with Helsinki" not in told, path
    (told,) = json.loads(london.get("/federation.json").body)["cities"]
    assert (told["away"], told["stale"], told["mirrors"][0]["away"]) == (True, False, True)


@pytest.mark.parametrize("path", [f"/collections/{MIRROR}.nt", "/catalog.nt"])
def test_we_do_not_speak_in_another_citys_name(two: tuple[City, City], path: str) -> None:
    helsinki, london = two
    lines = london.get(path).body.decode().splitlines()
    said = [line.removeprefix(f"<{helsinki.iri}> ") for line in lines if line.startswith(f"<{helsinki.iri}> ")]
    assert f"<{DCT}publisher> <{HELSINKI}/#city> ." in said
    assert f'<{DCT}title> "Open data of Helsinki" .' in said
    assert not [line for line in said if "London" in line or "description" in line or "language" in line]
    # Of our addresses only the page of the copy may stand there.
    assert all("hydra/core#view" in line for line in said if LONDON in line)
    city = [line for line in lines if line.startswith(f"<{HELSINKI}/#city> ")]
    assert any('foaf/0.1/name> "Helsinki"' in line for line in city)
    assert any(f"foaf/0.1/homepage> <{HELSINKI}/>" in line for line in city)


def test_the_page_of_a_copied_collection_is_ours_and_says_what_it_was_made_from(two: tuple[City, City]) -> None:
    helsinki, london = two
    body = london.get(f"/collections/{MIRROR}.nt").body.decode()
    view = f"<{LONDON}/collections/{MIRROR}?page=1>"
    assert f"{view} <{DCT}source> <{helsinki.iri}> ." in body
    assert f"{view} <{DCT}publisher> <{LONDON}/#city> ." in body
    assert f"<{DCT}source>" not in london.get("/collections/open-data.nt").body.decode()


def test_the_front_page_tells_what_is_new_in_every_city(two: tuple[City, City]) -> None:
    _, london = two
    told = page(london, "/")
    new = told[told.index("New this week") :]
    assert "London&#39;s own" in new
    assert "Title 1" in new
    assert re.search('<span class="city" data-city="[a-z]+">Helsinki</span>', new)
    assert "1 record in Open data of London" in told
    assert "3 records in Helsinki’s Open data of Helsinki" in told


def test_a_visitor_checks_a_copy_without_a_node_and_only_the_city_checks_its_journal(two: tuple[City, City]) -> None:
    helsinki, london = two
    told = page(london, at(helsinki, 2, "/proof"))
    assert "--identity FINGERPRINT" in told
    assert "citynode journal" not in told
    own = page(helsinki, "/datasets/d2/proof")
    assert own.index("citynode verify") < own.index("On Helsinki’s own node:") < own.index("citynode journal proof")


def test_the_witnesses_that_cosigned_are_named_beside_the_checkpoint(two: tuple[City, City]) -> None:
    helsinki, london = two
    path = at(helsinki, 2, "/proof")
    assert "ghent.example" not in page(london, path)
    line = f"\u2014 ghent.example {base64.b64encode(bytes(76)).decode()}\n"
    with london.node.db.write() as tx:
        tx.run(
            "INSERT INTO cosignature (collection_id, size, witness, line, at)"
            " SELECT id, size, ?, ?, ? FROM collection WHERE name = ?",
            "ghent", line, clock_ms(), MIRROR,
        )  # fmt: skip
    assert "cosignatures in the name of ghent.example, whose keys are not known here" in page(london, path)


def test_the_banner_of_a_copy_stands_in_the_column_of_the_text(two: tuple[City, City]) -> None:
    helsinki, london = two
    header = page(london, at(helsinki, 2)).split('<div class="leaf rec">')[1].split("</header>")[0]
    assert header.index("<h1") < header.index('class="note')


def test_a_city_that_publishes_a_record_itself_is_named_once(two: tuple[City, City]) -> None:
    helsinki, london = two
    helsinki.publish(published_by(helsinki, "Helsinki"))
    london.pull(helsinki)
    for follower in london.node.followers:
        catch_up(london.node.journals, follower)
    iri = quote(f"{HELSINKI}/datasets/own", safe="")
    for path, stop in ((f"/records?iri={iri}", "<h1"), (f"/collections/{MIRROR}", "%2Fdatasets%2Fown")):
        kind = page(london, path).split(stop)[0].rsplit('class="kind"', 1)[1]
        assert kind.count("Helsinki<") == 1, path


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
    assert (told["away"], mirror["away"]) == (False, False)
    assert set(told) == {
        *("name", "city", "url", "state", "since", "answered_at", "stale", "away", "mirrors"),
        *("place", "days", "agreements"),
    }
