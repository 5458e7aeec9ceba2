"""Evidence on both databases: written, found by what it is about, settled, read anew, and erased."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, Malformed
from node.federation.evidence.office import Evidence, Sources
from node.federation.evidence.proofs import Hand
from node.federation.evidence.statements import COLLECTION, Kind, bound_ms
from node.federation.evidence.store import EvidenceFollower
from node.federation.moved import StatementWish
from node.federation.transfers.moves import new
from node.federation.transfers.store import Said, TransferStore
from node.federation.transfers.wire import NS_RECEIPT
from node.journal import rebuild
from node.journal.journal import Journals
from node.keys import Keyring

BASE, OTHER, AT = "https://london.example", "https://helsinki.example", 1_800_000_000_000


@pytest.fixture
def evidence(db: Database, tmp_path: Path) -> Evidence:
    ring = Keyring.create(tmp_path / "keys", now_ms=AT - 1_000)
    sources = Sources(lambda _: (), lambda _: "", lambda _: "", lambda _: (), lambda *_: (), lambda *_: None)
    hand = Hand(ring, url=BASE, federation="urn:federation")
    followers = (EvidenceFollower(BASE),)
    return Evidence(Journals(db, ring), hand, sources, followers=followers, receipt_days=7)


def transfer(pid: str) -> Any:
    return SimpleNamespace(
        pid=pid, peer=OTHER, other_pid=f"{pid}-there", agreement="urn:agreement", dataset="urn:dataset", receipt=""
    )


def test_statements_are_written_found_settled_read_anew_and_erased(evidence: Evidence, db: Database) -> None:
    store = evidence.store
    with db.write() as tx:
        for number, pid in enumerate(("p1", "p2")):
            evidence.cut(tx, transfer(pid), why="Revoked.", now_ms=AT + number)
        evidence.concluded(tx, transfer("p1"), "", now_ms=AT + 10)
        assert [each.kind for each in store.list()] == [], "nobody sees it before it is committed"
    assert [(each.kind, each.transfer) for each in store.list()] == [("one-sided", "p1"), ("cut", "p2"), ("cut", "p1")]
    assert [each.transfer for each in store.list(StatementWish(transfer="p2"))] == ["p2"]
    assert len(store.list(StatementWish(agreement="urn:agreement", since_ms=AT + 1))) == 2
    assert len(store.list(limit=1)) == 1
    assert store.settled(["p1", "p2", "p3"]) == {"p1"}
    assert evidence.sign(AT + 20)
    lived = store.list()
    rebuild(evidence._journals, EvidenceFollower(BASE))
    assert store.list() == lived
    assert evidence.erase(lived[0].record, now_ms=AT + 30) == 2
    assert [each.kind for each in store.list()] == ["cut", "cut"]
    assert store.settled(["p1", "p2", "p3"]) == {"p1"}, "it was settled, whatever of it is left"
    rebuild(evidence._journals, EvidenceFollower(BASE))
    assert store.settled(["p1", "p2", "p3"]) == {"p1"}
    with db.write() as tx:
        evidence.concluded(tx, transfer("p1"), "", now_ms=AT + 40)
    assert [each.kind for each in store.list()] == ["cut", "cut"], "nor is it stated again"
    with db.read() as tx:
        assert evidence._journals.get(tx, COLLECTION).size == 6


def test_a_receipt_is_forgotten_in_every_message_of_its_transfer_and_in_no_other(db: Database) -> None:
    transfers, body = TransferStore(db), f'{{"@id":"m","{NS_RECEIPT}":"signed"}}'
    with db.write() as tx:
        for pid in ("p1", "p2"):
            transfers.insert(tx, new("consumer", OTHER, AT, pid=pid, state="COMPLETED", receipt="signed"))
            transfers.say(tx, pid, Said(AT, "out", "complete", "m", "digest", "", body))
            sent = ("transfer", pid, OTHER, "complete", OTHER, body, AT, AT, AT)
            columns = "kind, subject, peer, step, url, body, made_at, due_at, done_at"
            tx.run(f"INSERT INTO outgoing ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *sent)  # noqa: S608
        transfers.forget_receipt(tx, "p1")
        transfers.forget_receipt(tx, "nobody's")
    assert [transfers.get(pid).receipt for pid in ("p1", "p2")] == ["", "signed"]
    assert [transfers.messages(pid)[0].body for pid in ("p1", "p2")] == ['{"@id":"m"}', body]
    sent = [row[0] for row in db.hot().rows("SELECT body FROM outgoing ORDER BY id")]
    assert sent == ['{"@id":"m"}', body]


def test_a_statement_is_found_by_the_beginning_of_a_name_where_it_is_the_only_one(
    evidence: Evidence, db: Database
) -> None:
    store = evidence.store
    with db.write() as tx:
        for pid in ("aaaa-1", "aaaa-2", "bbbb-1"):
            said = {"transfer": pid, "agreement": f"{BASE}/agreements/{pid}-agreed"}
            evidence.put(tx, "cut", pid, said, other=OTHER, at_ms=AT)
    found = store.list()[0]
    assert store.transfer_named("bbbb") == store.transfer_named("bbbb-1") == "bbbb-1"
    assert store.agreement_named("bbbb") == f"{BASE}/agreements/bbbb-1-agreed"
    assert store.record_named(found.record.rpartition("/")[2][:12]) == found.record
    for nothing in ("", "b", "%", "cccc", "bbb%", "b_bb", "https://x"):
        assert (store.transfer_named(nothing), store.agreement_named(nothing), store.record_named(nothing)) == ("",) * 3
    for several in (store.transfer_named, store.agreement_named):
        with pytest.raises(Conflict, match="Several"):
            several("aaaa")


def test_what_is_wanted_of_a_kind_and_between_two_moments_is_found(evidence: Evidence, db: Database) -> None:
    with db.write() as tx:
        for number in range(5):
            kind: Kind = "cut" if number % 2 else "one-sided"
            evidence.put(tx, kind, str(number), {"transfer": f"p{number}"}, other=OTHER, at_ms=AT + number)
    wish = StatementWish(kind="cut", since_ms=AT + 1, until_ms=AT + 2)
    assert [each.at_ms for each in evidence.store.list(wish)] == [AT + 1]
    assert [each.at_ms - AT for each in evidence.store.list(StatementWish(since_ms=AT + 1, until_ms=AT + 3))] == [
        3,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("", 0, 0), ("2026-11-22", 1_795_305_600_000, 1_795_391_999_999),
        ("2026-11-22T10:00:00Z", 1_795_341_600_000, 1_795_341_600_000),
    ],
)  # fmt: skip
def test_a_bound_is_a_day_or_a_moment(text: str, first: int, last: int) -> None:
    assert (bound_ms(text), bound_ms(text, is_end=True)) == (first, last)
    for wrong in ("soon", "2026-13-01", "22.11.2026", "2026-11-22T10:00"):
        with pytest.raises(Malformed):
            bound_ms(wrong)


def test_a_transaction_that_fails_leaves_nothing(evidence: Evidence, db: Database) -> None:
    def broken() -> None:
        with db.write() as tx:
            evidence.cut(tx, transfer("p1"), why="Revoked.", now_ms=AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert evidence.store.list() == []
    assert not evidence.sign(AT)
