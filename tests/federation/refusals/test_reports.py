"""Laws of what origins are told: every refusal and its end, every erasure, until they have heard it; nothing twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from node.errors import JournalBusy, NotFound, PeerUnreachable
from node.federation.client import PeerClient
from node.federation.peers.peers import Peers
from node.federation.refusals import reports as module
from node.federation.refusals.refusals import Heard
from node.federation.refusals.reports import Reports, Told
from node.journal import Draft
from node.journal.journal import Journals
from node.outbound import Reply
from tests.federation.cities import GHENT, HELSINKI, LONDON, NAME, City, Request, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"
Three = tuple[City, City, City]


@pytest.fixture
def three(tmp_path: Path, migrated: Path) -> Iterator[Three]:
    """Helsinki, London which follows it, and Ghent, whose namespace London knows."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON, ghent=GHENT) as (helsinki, london, ghent):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        london.meet(ghent, follow=())
        yield helsinki, london, ghent


def of_another_city(helsinki: City, ghent: City) -> Draft:
    """A record that Helsinki publishes in Ghent's namespace."""
    data = helsinki.payload(9, "Not ours").replace(HELSINKI.encode(), GHENT.encode())
    return Draft(ghent.record(9), "d9", "dataset", "put", data)


def heard(helsinki: City) -> list[tuple[int, str, str]]:
    found: list[Heard] = helsinki.node.federation.refusals.list(NAME)
    return [(each.seq, each.peer, each.code) for each in found]


def test_a_refusal_is_shown_to_both_cities_and_taken_back_when_it_ends(three: Three) -> None:
    helsinki, london, ghent = three
    helsinki.publish(helsinki.put(1), of_another_city(helsinki, ghent), helsinki.put(2))
    visited = london.pull(helsinki)
    assert visited.pulled.level, "a refused entry is held as a stub, and the tree is whole"
    assert visited.pulled.collections[0].refused == 1
    assert visited.told.refusals == 1
    assert heard(helsinki) == [(2, "london", "foreign-record")]
    (refusal,) = london.node.federation.exchanging.reports.refused("helsinki")
    assert (refusal.collection, refusal.seq, refusal.code) == (MIRROR, 2, "foreign-record")
    assert refusal.reported_at
    assert london.node.federation.exchanging.reports.refused("ghent") == []
    assert not london.pull(helsinki).told, "it is told once"

    again = london.node.federation.exchanging.visits.retry("helsinki")
    assert (again.asked_again.asked, again.asked_again.filled) == (1, 0)
    london.node.federation.peers.block("ghent")
    again = london.node.federation.exchanging.visits.retry("helsinki", NAME)
    assert (again.asked_again.asked, again.asked_again.filled, again.told.lifted) == (1, 1, 1)
    assert heard(helsinki) == []
    assert ghent.record(9) in london.shown(MIRROR)
    assert london.verify(MIRROR, helsinki) == 3
    assert london.sql("SELECT count(*) FROM refusal_lifted") == [(0,)]


def test_what_could_not_be_told_is_told_the_next_time_batch_by_batch(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london, _ghent = three
    monkeypatch.setattr(module, "BATCH", 2)
    titleless = [
        Draft(helsinki.record(n), f"d{n}", "dataset", "put", helsinki.payload(n, "").replace(b"title", b"subject"))
        for n in range(5)
    ]
    helsinki.publish(*titleless)
    told: list[bytes] = []

    def losing(request: Request, reply: Reply) -> Reply:
        if request.path == "/federation/refusals":
            told.append(request.body)
            if len(told) == 2:
                raise PeerUnreachable("The cable was cut.")
        return reply

    helsinki.wire.bend = losing
    visited = london.pull(helsinki)
    assert visited.pulled.level, "what cannot be told does not make a pull fail"
    assert london.node.federation.peers.get("helsinki").failures == 0
    assert london.sql("SELECT count(*) FROM refusal WHERE reported_at IS NULL") == [(3,)]
    assert london.pull(helsinki).told.refusals == 3
    assert heard(helsinki) == [(seq, "london", "title-missing") for seq in range(1, 6)]


def test_what_the_origin_withholds_is_nobodys_fault_and_not_told(three: Three) -> None:
    helsinki, london, _ = three
    helsinki.publish(helsinki.put(1), helsinki.put(2))
    london.pull(helsinki)
    with london.node.db.write() as tx:
        tx.run(
            "INSERT INTO refusal (collection_id, seq, code, at) VALUES (?, 2, 'withheld', 1)",
            london.collection(MIRROR).id,
        )
    assert not london.node.federation.exchanging.reports.waiting("helsinki")
    assert london.node.federation.exchanging.reports.refused() == []


def test_an_erasure_is_not_confirmed_while_it_stands_in_a_file(three: Three, monkeypatch: pytest.MonkeyPatch) -> None:
    helsinki, london, _ = three
    helsinki.publish(helsinki.put(1), helsinki.put(1, "Newer"))
    london.pull(helsinki)
    helsinki.erase(1)

    def busy() -> None:
        raise JournalBusy("Somebody still reads what was removed.")

    with monkeypatch.context() as patch:
        patch.setattr(london.node.db, "scrub", busy)
        assert london.pull(helsinki).told.erasures == 0
    (erased,) = helsinki.node.federation.erasures.list(NAME)
    assert not erased.confirmed
    assert london.pull(helsinki).told.erasures == 1


def test_a_page_that_was_broken_on_its_way_is_asked_for_again_by_itself_three_times(three: Three) -> None:
    helsinki, london, _ = three
    helsinki.publish_many(3)

    def flipping(request: Request, reply: Reply) -> Reply:
        flipped = reply.body.replace(b"Title 2", b"Title X")
        return Reply(reply.status, reply.headers, flipped) if request.path.endswith("/entries") else reply

    helsinki.wire.bend = flipping
    visited = london.pull(helsinki)
    assert (visited.asked_again.asked, visited.asked_again.filled) == (1, 0)
    assert [london.pull(helsinki).asked_again.asked for _ in range(4)] == [1, 1, 0, 0]
    assert heard(helsinki) == [(2, "london", "digest-mismatch")]
    helsinki.wire.bend = None
    assert not london.pull(helsinki).asked_again
    assert london.retry(helsinki).filled == 1
    assert heard(helsinki) == []


@dataclass
class Origin:
    """Hears what is told."""

    refusals: list[tuple[int, str]] = field(default_factory=list)
    erasures: list[int] = field(default_factory=list)

    def tell_refusals(self, url: str, iri: str, refusals: Sequence[Mapping[str, Any]], **_: object) -> None:
        self.refusals += [(each["seq"], each["code"]) for each in refusals]

    def confirm_erasures(self, url: str, iri: str, seqs: Sequence[int], **_: object) -> None:
        self.erasures += seqs


@dataclass
class Book:
    """One peer, of which one collection is followed."""

    url: str = HELSINKI
    local: str = MIRROR
    iri: str = f"{HELSINKI}/collections/{NAME}"

    def get(self, name: str) -> "Book":
        return self

    def follows(self, name: str) -> list["Book"]:
        return [self]


def test_on_both_databases_everything_is_told_once(journals: Journals) -> None:
    db, origin = journals.db, Origin()
    with db.write() as tx:
        iri = f"{HELSINKI}/collections/mirrored"
        held = journals.create(tx, name=MIRROR, iri=iri, title="", visibility="public", at_ms=1)
        for seq, code in ((1, "title-missing"), (2, "withheld"), (3, "foreign-record")):
            tx.run("INSERT INTO refusal (collection_id, seq, code, at) VALUES (?, ?, ?, 1)", held.id, seq, code)
        tx.run("INSERT INTO erasure_told (collection_id, target, at) VALUES (?, 9, NULL)", held.id)
    reports = Reports(db, cast(Peers, Book()), cast(PeerClient, origin))
    assert reports.waiting("helsinki")
    assert [each.seq for each in reports.refused("helsinki")] == [1, 3]
    assert [each.seq for each in reports.refused()] == [1, 3]
    assert reports.refused("hel") == []
    assert reports.send("helsinki", 5) == Told(refusals=2, erasures=1)
    with db.write() as tx:
        tx.run("DELETE FROM refusal WHERE seq = 3")
        reports.lift(tx, MIRROR, [3], 6)
        reports.lift(tx, MIRROR, [3], 7)
    assert reports.send("helsinki", 8) == Told(lifted=1)
    assert origin.refusals == [(1, "title-missing"), (3, "foreign-record"), (3, "")]
    assert origin.erasures == [9]
    assert not reports.waiting("helsinki")


def test_stubs_of_what_is_not_followed_cannot_be_asked_for(three: Three) -> None:
    _helsinki, london, _ = three
    with pytest.raises(NotFound):
        london.node.federation.exchanging.again.ask("helsinki", "plans", every=True)
    assert not london.node.federation.exchanging.again.ask("helsinki", every=True), "nothing is held yet"
