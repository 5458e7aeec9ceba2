"""Evidence on both databases: written, found by what it is about, settled, read anew, and erased."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.db import Database
from node.federation.evidence.office import Evidence, Sources
from node.federation.evidence.proofs import Hand
from node.federation.evidence.statements import COLLECTION
from node.federation.evidence.store import EvidenceFollower
from node.journal import rebuild
from node.journal.journal import Journals
from node.keys import Keyring

BASE, OTHER, AT = "https://london.example", "https://helsinki.example", 1_800_000_000_000


@pytest.fixture
def evidence(db: Database, tmp_path: Path) -> Evidence:
    ring = Keyring.create(tmp_path / "keys", now_ms=AT - 1_000)
    sources = Sources(lambda _: (), lambda _: "", lambda _: "", lambda _: (), lambda *_: ())
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
    assert [each.transfer for each in store.list(transfer="p2")] == ["p2"]
    assert len(store.list(agreement="urn:agreement", since_ms=AT + 1)) == 2
    assert len(store.list(limit=1)) == 1
    assert store.settled(["p1", "p2", "p3"]) == {"p1"}
    assert evidence.sign(AT + 20)
    lived = store.list()
    rebuild(evidence._journals, EvidenceFollower(BASE))
    assert store.list() == lived
    assert evidence.erase(lived[0].record, now_ms=AT + 30) == 2
    assert [each.kind for each in store.list()] == ["cut", "cut"]
    with db.read() as tx:
        assert evidence._journals.get(tx, COLLECTION).size == 6


def test_a_transaction_that_fails_leaves_nothing(evidence: Evidence, db: Database) -> None:
    def broken() -> None:
        with db.write() as tx:
            evidence.cut(tx, transfer("p1"), why="Revoked.", now_ms=AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert evidence.store.list() == []
    assert not evidence.sign(AT)
