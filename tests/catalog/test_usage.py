"""Laws of the counts of use: what is counted is in the table once, by day, and nothing else is."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from node.catalog import usage
from node.catalog.usage import DAY_MS, KEPT_DAYS, Usage
from node.db import Database
from node.errors import NodeError

TODAY = 20_780
TREES = "https://helsinki.example/datasets/trees"


@dataclass
class Rig:
    db: Database
    now_ms: int = TODAY * DAY_MS + 5

    def usage(self) -> Usage:
        return Usage(self.db, clock_ms=lambda: self.now_ms)

    def rows(self) -> list[tuple[object, ...]]:
        with self.db.read() as tx:
            return tx.rows('SELECT day, what, about, "count" FROM usage ORDER BY day, what, about')


@pytest.fixture
def rig(lasting_db: Database) -> Iterator[Rig]:
    yield Rig(lasting_db)
    with lasting_db.write() as tx:
        tx.run("DELETE FROM usage")


def test_counts_are_added_to_what_every_process_counted(rig: Rig) -> None:
    one, other = rig.usage(), rig.usage()
    for counter in (one, one, other):
        counter.count("download", TREES)
    one.count("search", "none")
    assert (rig.rows(), one.flush(), other.flush(), one.flush()) == ([], 3, 1, 0)
    assert rig.rows() == [(TODAY, "download", TREES, 3), (TODAY, "search", "none", 1)]


def test_days_are_told_apart_and_old_ones_are_forgotten(rig: Rig) -> None:
    counter = rig.usage()
    for days in (0, 1, KEPT_DAYS + 1):
        rig.now_ms = (TODAY + days) * DAY_MS
        counter.count("download", TREES)
        counter.flush()
    assert [row[0] for row in rig.rows()] == [TODAY + 1, TODAY + KEPT_DAYS + 1]
    assert [(each.day, each.count) for each in counter.days("download", since=TODAY + 2)] == [
        (TODAY + KEPT_DAYS + 1, 1)
    ]


def test_what_was_used_most_comes_first(rig: Rig) -> None:
    counter = rig.usage()
    for name, many in (("a", 1), ("b", 3), ("c", 3)):
        for _ in range(many):
            counter.count("download", name)
    counter.flush()
    assert counter.most("download", since=TODAY, limit=2) == [("b", 3), ("c", 3)]
    assert counter.most("search", since=TODAY) == []


def test_memory_is_bounded_however_many_things_are_named(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST_KEYS", 3)
    counter = rig.usage()
    for number in range(10):
        counter.count("download", f"d{number}")
    assert counter.flush() == 10
    assert [(row[2], row[3]) for row in rig.rows()] == [("", 7), ("d0", 1), ("d1", 1), ("d2", 1)]


def test_nothing_is_lost_while_the_database_is_busy(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = rig.usage()
    counter.count("download", TREES)
    real, broken = rig.db.write, NodeError("busy")

    def busy() -> None:
        raise broken

    monkeypatch.setattr(rig.db, "write", busy)
    with pytest.raises(NodeError):
        counter.flush()
    monkeypatch.setattr(rig.db, "write", real)
    counter.count("download", TREES)
    assert counter.flush() == 2


def test_a_process_adds_its_counts_now_and_then_and_at_its_end(rig: Rig) -> None:
    counter = rig.usage()
    with counter.counting(every_s=0.01):
        counter.count("download", TREES)
        for _ in range(500):
            if rig.rows():
                break
            threading.Event().wait(0.01)
        assert rig.rows() == [(TODAY, "download", TREES, 1)]
    with counter.counting(every_s=60):
        counter.count("download", TREES)
    assert rig.rows() == [(TODAY, "download", TREES, 2)]
    assert "usage" not in {thread.name for thread in threading.enumerate()}
