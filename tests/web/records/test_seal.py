"""Laws of the seal: a city that has seen the journal is named as it is called, once its cosignature was checked."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.assembly.clock import clock_ms
from node.journal import catch_up
from node.web.wording.words import words
from tests.federation.agreed import agree
from tests.federation.cities import HELSINKI, LONDON, City, cities

pytestmark = pytest.mark.slow  # whole nodes with their web applications

RECORD = "/datasets/d1"
SEEN = "London has seen the checkpoint of"


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[tuple[City, City]]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        published(helsinki, 1, 2)
        for one, other in ((helsinki, london), (london, helsinki)):
            one.meet(other, follow=())
        with helsinki.node.db.write() as tx:
            tx.run("UPDATE peer SET state = 'active'")
        yield helsinki, london


def published(city: City, *numbers: int) -> None:
    city.publish(*map(city.put, numbers))
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)


def page(city: City, path: str) -> str:
    reply = city.get(path, accept="text/html")
    assert reply.status == 200, path
    return reply.body.decode()


def seen(city: City) -> None:
    """Have the city's newest checkpoints cosigned by those it asks."""
    outcomes = city.node.federation.watching.cosigning.run(clock_ms())
    assert {each.state for each in outcomes} == {"cosigned"}, outcomes


def test_a_seal_names_the_city_that_cosigned_on_every_page_that_has_one(two: tuple[City, City]) -> None:
    helsinki, london = two
    for path in ("/", RECORD, f"{RECORD}/proof"):
        assert SEEN not in page(helsinki, path)
    agree(helsinki.node, london.node, "open-data", title="Shown", public=True)
    seen(helsinki)
    for path in ("/", RECORD):
        assert SEEN in page(helsinki, path)
        assert "Signed by Helsinki, seen by London" in page(helsinki, path)
    proof = page(helsinki, f"{RECORD}/proof")
    assert SEEN in proof
    assert "cosignatures in the name of" not in proof, "its key is known here"
    (iri,) = [each.iri for each in helsinki.federation.agreeing.agreements.all()]
    assert SEEN in page(helsinki, f"/agreements/{iri.rpartition('/')[2]}")


def test_a_checkpoint_that_nobody_has_seen_yet_keeps_the_witness_of_the_one_before(two: tuple[City, City]) -> None:
    helsinki, _ = two
    seen(helsinki)
    published(helsinki, 3)
    assert "of 2 entries and cosigned" in page(helsinki, RECORD), "what it has seen covers this record"
    assert SEEN not in page(helsinki, "/datasets/d3"), "and not this one"


@pytest.mark.parametrize("what", ["forged", "blocked"])
def test_nobody_is_named_whose_signature_or_key_does_not_hold(two: tuple[City, City], what: str) -> None:
    helsinki, _ = two
    seen(helsinki)
    with helsinki.node.db.write() as tx:
        if what == "blocked":
            tx.run("UPDATE peer SET state = 'blocked'")
        else:
            line = str(tx.row("SELECT line FROM cosignature LIMIT 1")[0])
            name, _, told = line.removeprefix("\u2014 ").rpartition(" ")
            raw = bytearray(base64.b64decode(told))
            raw[20] ^= 1
            tx.run("UPDATE cosignature SET line = ?", f"\u2014 {name} {base64.b64encode(bytes(raw)).decode()}\n")
    for path in ("/", RECORD, f"{RECORD}/proof"):
        said = page(helsinki, path)
        assert SEEN not in said
        assert "seen by" not in said
    assert "cosignatures in the name of" in page(helsinki, f"{RECORD}/proof"), "by its address, unchecked"


@pytest.mark.parametrize(("language", "said"), [("fi", "todistajana London"), ("sv", "bevittnat av London")])
def test_a_seal_is_in_the_readers_language(language: str, said: str) -> None:
    assert said in words(language, "seal.by_seen_one", city="Helsinki", cities="London")
    assert "London" in words(language, "seal.seen", city="London", n="2", date="x")
