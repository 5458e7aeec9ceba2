"""The walk of every kind of knowledge, made of its table: written in a file, linted, published, read in all forms,
mirrored at another city, verified and found there, and withdrawn.

A kind that is added to `TABLES` walks without a line here. What kinds say to each other across cities walks too.
"""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyoxigraph
import pytest

from node.assembly.clock import clock_ms
from node.catalog.author.folder import Folder
from node.catalog.author.office import Written
from node.catalog.submission_rules import CITY_SAYS
from node.journal import Draft, catch_up
from node.records import KINDS
from node.vocab.contexts import CONTEXT_V1
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.writing import payload_of
from tests.federation.agreed import agree, change
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

FORMS = {"ttl": "TURTLE", "jsonld": "JSON_LD", "rdf": "RDF_XML", "nt": "N_TRIPLES"}
WORD = "quokka"  # in no example
Two = tuple[City, City]


@pytest.fixture(scope="module")
def two(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Helsinki and London, who know each other and follow nothing yet."""
    folder = tmp_path_factory.mktemp("walk")
    with cities(folder, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london, follow=())
        london.meet(helsinki, follow=())
        yield helsinki, london


# ---------------------------------------------------------------- steps


def authored(city: City, kind: str, name: str, said: dict[str, Any] | None = None, **more: Any) -> Written:
    """Write the files of an example, read them again, and lint them: no fault may be in an example."""
    table, authoring = TABLES[kind], city.node.knowledge.authoring
    said = example_of(table) | {"title": {"en": f"A {WORD} {name}", "fi": f"Kvokka {name}"}} if said is None else said
    folder = Folder(city.node.settings.data / table.command, table, "en")
    folder.write(name, said | more, instead=True)
    written = folder.read(name)
    problems = authoring.problems_of(kind, written)
    assert [each for each in problems if each.level == "error"] == []
    return written


def published(city: City, kind: str, *many: Written, collection: str = "") -> list[str]:
    """Publish and give the IRIs."""
    outcome = city.node.knowledge.authoring.publish(kind, many, collection=collection)
    assert outcome.refused == ()
    return list(outcome.put)


def follow(city: City, other: City, *collections: str) -> None:
    city.node.federation.peers.follow(other.name, list(collections), at_ms=clock_ms())


def lines_of(body: bytes, form: str) -> bytes:
    """The canonical lines of a document."""
    if form == "jsonld":
        told = json.loads(body)
        listed = told["@context"] if isinstance(told["@context"], list) else [told["@context"]]
        told["@context"] = [CONTEXT_V1["@context"] if isinstance(one, str) else one for one in listed]
        body = json.dumps(told).encode()
    quads = pyoxigraph.parse(body, format=getattr(pyoxigraph.RdfFormat, FORMS[form]))
    return "".join(sorted({f"{quad.triple} .\n" for quad in quads})).encode()


def read_everywhere(city: City, iri: str, *, mirrored: bool = False) -> None:
    """Read a record in every form, at its own address or by its IRI at who mirrors it: always exactly its payload."""
    held = city.node.shelf.by_iri(iri)
    assert held is not None
    payload = city.node.shelf.payload(held)
    path = iri.removeprefix(city.url)
    for form in FORMS:
        address = f"/records.{form}?iri={quote(iri, safe='')}" if mirrored else f"{path}.{form}"
        reply = city.get(address)
        assert reply.status == 200, (address, reply.body)
        assert lines_of(reply.body, form) == payload, address
    page = city.get(f"/records?iri={quote(iri, safe='')}" if mirrored else path, accept="text/html")
    assert page.status == 200
    assert WORD in page.body.decode()


def found(city: City, word: str = WORD) -> set[str]:
    """Let the index catch up, and search."""
    for reading in city.node.finding.readings:
        reading.catch_up(threading.Event())
    reply = city.get(f"/search?q={word}&limit=100", accept="application/json")
    assert reply.status == 200, reply.body
    return {each["iri"] for each in json.loads(reply.body)["hits"]}


def walk(two: Two, kind: str) -> None:
    """The whole walk."""
    helsinki, london = two
    table, name = TABLES[kind], f"walk-{kind}"
    written = authored(helsinki, kind, name)
    (iri,) = published(helsinki, kind, written)
    assert iri == f"{helsinki.url}/{KINDS[kind]}/{name}"
    assert published(helsinki, kind, written) == []  # the same again writes nothing
    read_everywhere(helsinki, iri)

    follow(london, helsinki, table.collection)
    assert london.pull(helsinki).pulled.level
    mirror = f"helsinki/{table.collection}"
    assert london.shown(mirror) == helsinki.shown(table.collection)
    assert london.verify(mirror, helsinki) == helsinki.size(table.collection)
    read_everywhere(london, iri, mirrored=True)
    assert iri in found(london)

    helsinki.node.knowledge.authoring.withdraw(kind, name)
    london.pull(helsinki)
    assert helsinki.get(f"/{KINDS[kind]}/{name}").status == 410
    assert london.node.shelf.by_iri(iri) is None
    assert london.get(f"/records.ttl?iri={quote(iri, safe='')}").status in (404, 410)
    assert iri not in found(london)
    assert london.verify(mirror, helsinki) == helsinki.size(table.collection)


# ---------------------------------------------------------------- the walk


def test_a_practice_walks_to_another_city_and_back_out(two: Two) -> None:
    walk(two, "practice")


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(TABLES.keys() - {"practice"}))
def test_every_kind_walks_to_another_city_and_back_out(two: Two, kind: str) -> None:
    walk(two, kind)


# ---------------------------------------------------------------- between cities


def said_of(kind: str, **more: Any) -> dict[str, Any]:
    return example_of(TABLES[kind]) | more


def titled(text: str) -> dict[str, str]:
    return {"en": text}


def at(city: City, iri: str) -> str:
    """Where a city shows a record: at its address if it is its own, else by its IRI."""
    return iri.removeprefix(city.url) if iri.startswith(city.url) else f"/records?iri={quote(iri, safe='')}"


def page(city: City, iri: str, language: str = "en") -> str:
    """The page of a record, of ours or of a mirror, as a stranger reads it."""
    reply = city.get(at(city, iri), accept="text/html", **{"accept-language": language})
    assert reply.status == 200, reply.body
    return reply.body.decode()


def exchange(one: City, other: City, *collections: str) -> None:
    """Each follows these collections of the other, and reads what is new there."""
    for city, peer in ((one, other), (other, one)):
        follow(city, peer, *collections)
        city.pull(peer)


def publish_new(city: City, kind: str, name: str, **more: Any) -> str:
    """Write and publish one record; give its IRI."""
    (iri,) = published(city, kind, authored(city, kind, name, said_of(kind, **more)))
    return iri


@pytest.mark.slow
def test_an_adoption_shows_on_the_practice_of_another_city_and_back(two: Two) -> None:
    helsinki, london = two
    practice = publish_new(helsinki, "practice", "snow", title=titled("Snow yards by camera"))
    # London has not mirrored the practice yet: its page says so instead of hiding the link or making one up.
    adoption = publish_new(london, "adoption", "snow-here", title=titled("Gritting bins by camera"), practice=practice)
    before = page(london, adoption)
    assert practice in before
    assert "Snow yards by camera" not in before

    exchange(helsinki, london, "practices", "adoptions")
    after = page(london, adoption)
    assert "Snow yards by camera" in after
    assert before.count("not mirrored here") == after.count("not mirrored here") + 1
    for city in (helsinki, london):
        assert "Gritting bins by camera" in page(city, practice)
        assert "London" in page(city, practice)

    london.node.knowledge.authoring.withdraw("adoption", "snow-here")
    helsinki.pull(london)
    assert "Gritting bins by camera" not in page(helsinki, practice)


def asked(city: City) -> list[str]:
    """The questions that `citynode tasks` names."""
    return [each.iri for each in city.node.knowledge.tasks.due(clock_ms()) if each.what == "question"]


@pytest.mark.slow
def test_questions_and_answers_travel_as_records_of_their_cities(two: Two) -> None:
    helsinki, london = two
    practice = publish_new(helsinki, "practice", "kerbs", title=titled("Kerbs by car"))
    question = publish_new(london, "question", "rain", title=titled("And in the rain?"), about=practice)
    assert asked(helsinki) == []
    exchange(helsinki, london, "practices", "questions")
    assert asked(helsinki) == [question], "a question about a record of ours waits for us"
    assert asked(london) == [], "it is about no record of London's"
    helsinki.node.federation.peers.block("london")
    assert asked(helsinki) == [], "of who is blocked nothing is heard"
    helsinki.node.federation.peers.approve("london", by="a person", at_ms=clock_ms())
    answer = publish_new(helsinki, "answer", "rain", title=titled("Wipers help"), question=question)
    assert asked(helsinki) == []
    exchange(helsinki, london, "answers")
    for city in (helsinki, london):
        assert "And in the rain?" in page(city, practice)
        assert "Wipers help" in page(city, practice)
        assert "Wipers help" in page(city, question)
    assert city.node.shelf.by_iri(answer) is not None


@pytest.mark.slow
def test_a_joint_challenge_is_one_record_of_each_city(two: Two) -> None:
    helsinki, london = two
    lead = publish_new(
        helsinki,
        "challenge",
        "heat",
        title=titled("Cooler streets"),
        cities=[{"name": titled("London"), "homepage": london.url}],
    )
    part = publish_new(london, "challenge", "heat", title=titled("Cooler streets in London"), part_of=lead)
    exchange(helsinki, london, "challenges")
    for city in (helsinki, london):
        assert "Cooler streets in London" in page(city, lead)
        assert f'href="{at(city, part)}"' in page(city, lead).replace("&amp;", "&")
        assert "Cooler streets</" in page(city, part)
        assert city.verify("challenges") == city.size("challenges")


@pytest.mark.slow
def test_a_submitted_reuse_shows_on_the_dataset_of_another_city(two: Two) -> None:
    helsinki, london = two
    helsinki.publish(helsinki.put(1, "Street trees"))
    for follower in helsinki.node.followers:
        catch_up(helsinki.node.journals, follower)
    dataset = helsinki.record(1)
    described = said_of("reuse", title="Which tree is this", datasets=[dataset], link="https://trees.example.org/app")
    described = {name: value for name, value in described.items() if name not in CITY_SAYS}
    queue = london.node.knowledge.submissions
    got = queue.submit({"kind": "reuse", "described": described, "email": "ada@example.org"}, caller="203.0.113.5")
    exchange(helsinki, london, "reuses")
    assert "Which tree is this" not in page(helsinki, dataset)
    record = queue.accept(got.id).record
    helsinki.pull(london)
    shown = page(helsinki, dataset)
    assert "Which tree is this" in shown
    assert record in shown or quote(record, safe="") in shown
    assert "London" in shown
    assert "ada@example.org" not in shown


# ---------------------------------------------------------------- what is restricted


@pytest.mark.slow
def test_a_restricted_practice_is_seen_by_a_peer_with_an_agreement_alone(two: Two) -> None:
    helsinki, london = two
    helsinki.node.create_collection("drafts", title="Restricted", visibility="restricted", at_ms=clock_ms())
    written = authored(helsinki, "practice", "secret", said_of("practice", title=titled("A wombat in secret")))
    (iri,) = published(helsinki, "practice", written, collection="drafts")
    path = iri.removeprefix(HELSINKI)
    as_a_peer = {
        name.lower(): value for name, value in london.federation.token_source.headers(HELSINKI, "GET", iri).items()
    }

    def told(city: City) -> list[int]:
        ways = (path, f"{path}.ttl", f"{path}.html", f"/records.ttl?iri={iri}", "/collections/drafts")
        return [city.get(each).status for each in ways]

    assert told(helsinki) == [404] * 5
    assert helsinki.get(path, **as_a_peer).status == 404
    assert iri not in found(helsinki, "wombat")
    follow(london, helsinki, "drafts")
    london.pull(helsinki)
    assert london.node.shelf.by_iri(iri) is None

    agreement = agree(helsinki.node, london.node, "drafts")
    london.pull(helsinki)
    held = london.node.shelf.by_iri(iri)
    assert held is not None
    assert london.shown("helsinki/drafts") == helsinki.shown("drafts")
    # It came for London; whoever comes to London without a name sees no more than before.
    assert told(london) == [404] * 5
    _, secret = london.federation.named_tokens.issue("grace", staff=True, now_ms=clock_ms())
    reply = london.get(f"/records.nt?iri={iri}", authorization=f"Bearer {secret}")
    assert (reply.status, reply.body) == (200, london.node.shelf.payload(held))
    assert "no-store" in reply.headers["cache-control"]
    for city in two:
        assert iri not in found(city, "wombat")

    change(helsinki.node, agreement, "revoked")
    london.pull(helsinki)
    again = london.federation.token_source.headers(HELSINKI, "GET", iri)
    assert helsinki.get(path, **{name.lower(): value for name, value in again.items()}).status in (403, 404)


@pytest.mark.slow
def test_a_practice_that_moves_into_a_restricted_collection_is_withdrawn_at_its_readers(two: Two) -> None:
    helsinki, london = two
    helsinki.node.create_collection("inner", title="Inner", visibility="restricted", at_ms=clock_ms())
    written = authored(helsinki, "practice", "moving", said_of("practice", title=titled("A numbat that moves")))
    (iri,) = published(helsinki, "practice", written)
    exchange(helsinki, london, "practices")
    assert london.node.shelf.by_iri(iri) is not None
    published(helsinki, "practice", written, collection="inner")
    london.pull(helsinki)
    assert london.node.shelf.by_iri(iri) is None
    assert helsinki.get(iri.removeprefix(HELSINKI)).status in (404, 410)
    assert london.verify("helsinki/practices", helsinki) == helsinki.size("practices")


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(TABLES))
def test_what_another_city_writes_to_do_harm_does_none_here(two: Two, kind: str) -> None:
    """No desk of theirs is needed to sign a record: it is written as if there were none."""
    helsinki, london = two
    table, slug = TABLES[kind], f"harm-{kind}"
    harm = (
        "<script>alert(1)</script> [x](javascript:alert(2)) ![y](https://spy.example/pixel.png) <img src=x onerror=y()>"
    )
    said = example_of(table)
    for field in table.fields:
        if field.by_language:
            said[field.name] = [{"en": harm}] if field.many else {"en": harm}
    iri = f"{london.url}/{KINDS[kind]}/{slug}"
    london.node.create_collection("harm", title="Harm", visibility="public", at_ms=clock_ms(), exist_ok=True)
    london.publish(Draft(iri, slug, kind, "put", payload_of(table, iri, said)), collection="harm")
    follow(helsinki, london, "harm")
    helsinki.pull(london)
    shown = page(helsinki, iri)
    assert "alert(1)" in shown  # it is shown, and as text
    assert not re.search(
        r"<script[^>]*>\s*alert|href=[\"']?\s*javascript:|<img[^>]*(onerror|spy\.example)", shown, re.IGNORECASE
    )
    block = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', shown, re.DOTALL)
    assert block is None or json.loads(block[1])
