"""Laws of keeping readings level: in their order, after every commit, and none held up by another that fails."""

import threading
import time
from dataclasses import dataclass, field

import pytest

from node.catalog.readings import ReadingStatus
from node.errors import Unavailable
from node.jobs import readings
from node.jobs.readings import Keeping


@dataclass
class Database:
    version: int = 1

    def data_version(self) -> int:
        return self.version


@dataclass
class Kept:
    name: str
    asked: list[str]
    fails: list[Exception] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def catch_up(self, stop: threading.Event) -> int:
        self.asked.append(self.name)
        if self.fails:
            raise self.fails.pop()
        return self.counts.pop() if self.counts else 0

    def rebuild(self, stop: threading.Event) -> int:
        return 0

    def status(self) -> ReadingStatus:
        return ReadingStatus(self.name, "level", 0, 0, 0, 0)


def test_after_a_commit_each_is_asked_in_its_order_and_else_none() -> None:
    db, asked, stop = Database(), [], threading.Event()
    keeping = Keeping([Kept("quality", asked), Kept("search", asked)], db, "test")
    for version in (1, 1, 2):
        db.version = version
        keeping.look(stop)
    assert asked == ["quality", "search"] * 2


def test_one_that_did_something_is_asked_again_at_once_since_it_may_not_be_at_its_end() -> None:
    db, asked, stop = Database(), [], threading.Event()
    keeping = Keeping([Kept("quality", asked, counts=[500, 5_000]), Kept("search", asked)], db, "test")
    for _ in range(5):
        keeping.look(stop)
    assert asked == ["quality", "search"] * 3


@pytest.mark.parametrize("error", [Unavailable("busy"), ValueError("a fault of ours")])
def test_one_that_fails_holds_up_no_other_and_is_asked_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(readings.time, "monotonic", lambda: now)
    db, asked, stop = Database(), [], threading.Event()
    keeping = Keeping([Kept("quality", asked, [error]), Kept("search", asked)], db, "test")
    keeping.look(stop)
    assert asked == ["quality", "search"]
    db.version = 2
    keeping.look(stop)
    assert asked[2:] == ["search"], "it has time to recover"
    now += 1.1
    keeping.look(stop)
    assert asked[3:] == ["quality", "search"], "without any commit"


def test_the_thread_ends_soon_after_it_is_told_to() -> None:
    db, asked, stop = Database(), [], threading.Event()
    thread = Keeping([Kept("search", asked)], db, "test").start(stop)
    until = time.monotonic() + 5
    while not asked and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    thread.join(2)
    assert asked == ["search"]
    assert not thread.is_alive()
