"""Who may be asked live for whom: what an agreement lets us read and not mirror, for those who may hear the answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.federation.asking.askable import Askable, Askables
from node.federation.peers.entries import new_follow
from node.federation.rights.decisions import Decisions
from node.federation.tokens.access import Caller
from node.keys import Keyring
from tests.federation.agreed import MARKETING, RESEARCH, atom, permits
from tests.federation.agreement_rig import LONDON, T0, US, Standing, text_of

SECRETS, RECORD = f"{LONDON}/collections/secrets", f"{LONDON}/datasets/one"
STAFF = Caller("staff", "maija")
NAMES = iter(f"22222222-2222-4222-8222-{number:012d}" for number in range(10_000))
PAGES = "https://w3id.org/citynode/odrl#channel-page"
SEARCH = "https://w3id.org/citynode/odrl#channel-search"
APP = "https://app.example/"


class City(Standing):
    """A city to which others grant things."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        super().__init__(db, keyring)
        self.decisions = Decisions(db, self.agreements, base_url=US)
        self.askables = Askables(self.decisions, self.peers, clock_ms=lambda: self.now_ms)

    def granted(self, rules: Any, covers: list[str] | None = None) -> str:
        covers = covers or [SECRETS]
        return self.conclude(text_of(next(NAMES), by=LONDON, to=US, target=covers[0], rules=rules, covers=covers))

    def of(self, caller: Any = STAFF) -> list[Askable]:
        return self.askables.of(caller)


@pytest.fixture
def city(migrated: Path, tmp_path: Path, keyring: Keyring) -> Iterator[City]:
    shutil.copy(migrated, tmp_path / "node.db")  # one kind of database: nothing here is SQL
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    yield City(db, keyring)
    db.close()


def test_what_we_may_read_and_not_mirror_is_asked_live_for_our_staff(city: City) -> None:
    iri = city.granted(permits("read"))
    (london,) = city.of()
    assert (london.peer, london.url, london.city) == ("london", LONDON, "London")
    assert london.collections == {"secrets"}
    assert [detail["agreement"] for detail in london.details] == [iri]
    assert london.covers("secrets", "urn:x")
    assert not london.covers("open-data", "urn:x")


@pytest.mark.parametrize(
    "caller",
    [
        Caller(),
        Caller("peer", "oslo", url="https://oslo.example"),
        Caller("program", "app", frozenset({"read:plans"})),
    ],
    ids=lambda caller: caller.kind,
)
def test_nobody_else_hears_that_there_is_more(city: City, caller: Caller) -> None:
    city.granted(permits("read"))
    assert not city.of(caller)


def test_without_a_clause_for_live_search_nobody_is_asked(city: City) -> None:
    city.granted(permits("index"))
    city.granted(permits("read", constraint=[atom("deliveryChannel", "eq", PAGES)]))
    assert not city.of()
    city.granted(permits("read", constraint=[atom("deliveryChannel", "eq", SEARCH)]))
    assert city.of()


def test_what_ended_or_was_suspended_or_is_of_a_paused_peer_is_not_asked(city: City) -> None:
    iri = city.granted(permits("read"))
    with city.db.write() as tx:
        tx.run("UPDATE peer SET state = 'paused' WHERE name = 'london'")
    assert not city.of()
    with city.db.write() as tx:
        tx.run("UPDATE peer SET state = 'active' WHERE name = 'london'")
    assert city.of()
    city.change(iri, "suspended")
    city.now_ms += 2_000
    assert not city.of()


def test_a_collection_that_we_may_mirror_is_asked_only_while_we_do_not_follow_it(city: City) -> None:
    city.granted(permits("index", "read"))
    assert city.of()
    with city.db.write() as tx:
        city.peers.insert_follow(tx, new_follow(city.peers.get("london"), "secrets", SECRETS, (), T0))
    assert not city.of()


def test_a_single_record_is_asked_about_by_its_name(city: City) -> None:
    city.granted(permits("read"), [RECORD])
    (london,) = city.of()
    assert (london.collections, london.records) == (frozenset(), {RECORD})
    assert london.covers("whatever", RECORD)


def test_what_may_be_read_so_many_times_is_not_used_up_by_searching(city: City) -> None:
    city.granted(permits("read", constraint=[atom("count", "lteq", "5")]))
    assert not city.of()


def test_a_program_that_a_clause_names_is_asked_for_with_the_purpose_of_its_token(city: City) -> None:
    rules = permits("read", constraint=[atom("purpose", "isA", RESEARCH)])
    named = permits("read", constraint=[atom("recipient", "eq", APP), atom("purpose", "isA", RESEARCH)])
    iri = city.granted({"permission": [*rules["permission"], *named["permission"]]})

    def app(purpose: str) -> Caller:
        return Caller("program", "app", url=APP, details=[{"agreement": iri, "purpose": purpose}])

    (london,) = city.of(app(RESEARCH))
    assert [detail["purpose"] for detail in london.details] == [RESEARCH]
    assert not city.of(app(MARKETING))
    assert not city.of(Caller("program", "app", url="https://other.example/", details=app(RESEARCH).details))
