"""Laws of the rounds: what is due is done, once, by one worker; nothing that goes wrong ends them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from node.errors import JournalBusy
from node.jobs.federation import Rounds
from node.outbound import Reply
from tests.federation.cities import HELSINKI, LONDON, NAME, City, Request, cities

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

MIRROR = f"helsinki/{NAME}"
Two = tuple[City, City]


class Clock:
    """The wall clock, moved by hand."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return clock_ms() + self.ahead_ms


@pytest.fixture
def two(tmp_path: Path, migrated: Path) -> Iterator[Two]:
    """Helsinki, and London which follows it; they know each other."""
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        london.meet(helsinki)
        helsinki.meet(london, follow=())
        yield helsinki, london


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rounds(two: Two, clock: Clock) -> Iterator[Rounds]:
    made = two[1].rounds(clock=clock)
    yield made
    made._pool.shutdown()
    made._aside.shutdown()


def until(law: Callable[[], object], what: str = "", within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not law():
        assert time.monotonic() < end, what or "it did not happen"
        time.sleep(0.005)


def looked(rounds: Rounds) -> None:
    rounds.look()
    until(rounds.idle, "a round did not end")


def polls(city: City) -> int:
    return sum(1 for each in city.wire.asked if each.path == "/checkpoints" and each.asker == "london")


def test_a_follow_is_pulled_at_once_and_then_by_the_timetable(two: Two, rounds: Rounds, clock: Clock) -> None:
    helsinki, london = two
    helsinki.publish_many(3)
    looked(rounds)
    assert london.size(MIRROR) == 3
    before = polls(london)
    for _ in range(5):
        clock.ahead_ms += 1_500
        looked(rounds)
    assert polls(london) == before, "it is not asked before its time"
    clock.ahead_ms += london.node.settings.peer_poll_s * 1000
    looked(rounds)
    assert polls(london) == before + 1


def test_a_nudge_is_followed_at_once_and_settled(two: Two, rounds: Rounds, clock: Clock) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    looked(rounds)
    helsinki.publish(helsinki.put(2))
    helsinki.node.federation.notices.tell(1)
    clock.ahead_ms += 500
    looked(rounds)
    assert london.size(MIRROR) == 2
    assert london.node.federation.notices.nudges() == []


def test_a_storm_of_nudges_is_few_pulls(two: Two, rounds: Rounds, clock: Clock) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    looked(rounds)
    before = polls(london)
    for number in range(2, 22):
        helsinki.publish(helsinki.put(number))
        helsinki.node.federation.notices.tell(number)
        rounds.look()
    until(rounds.idle)
    clock.ahead_ms += 500
    looked(rounds)
    assert london.size(MIRROR) == 21
    assert polls(london) - before < 40


def test_a_silent_peer_is_asked_again_by_its_patience_and_a_nudge_ends_it(
    two: Two, rounds: Rounds, clock: Clock
) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    london.wire.down.add(HELSINKI)
    looked(rounds)
    peer = london.node.federation.peers.get("helsinki")
    assert peer.failures == 1
    before = polls(london)
    looked(rounds)
    assert polls(london) == before
    clock.ahead_ms += 10_000
    looked(rounds)
    assert polls(london) == before + 1
    assert london.node.federation.peers.get("helsinki").failures == 2
    with london.node.db.write() as tx:
        london.node.federation.peers.change(tx, "helsinki", failures=9, open_until=clock() + 3_600_000)
    clock.ahead_ms += 10_000
    looked(rounds)
    assert polls(london) == before + 1
    london.wire.down.clear()
    helsinki.node.federation.notices.tell(1)
    looked(rounds)
    assert london.size(MIRROR) == 1
    assert london.node.federation.peers.get("helsinki").failures == 0


def test_our_changes_are_told_while_the_rounds_are_made(two: Two, clock: Clock) -> None:
    helsinki, london = two
    london.pull(helsinki)
    rounds = helsinki.rounds(clock=clock)
    looked(rounds)
    helsinki.publish_many(2)
    looked(rounds)
    assert london.node.federation.notices.nudges() == [], "changes are gathered first"
    clock.ahead_ms += 1_200
    looked(rounds)
    (nudge,) = london.node.federation.notices.nudges()
    assert nudge.sizes == {helsinki.iri: 2}
    rounds._pool.shutdown()
    rounds._aside.shutdown()


def test_a_change_is_held_by_the_peer_within_two_seconds(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    stop = threading.Event()
    both = [threading.Thread(target=city.rounds(chance=lambda: 0.99).run, args=(stop,)) for city in two]
    for each in both:
        each.start()
    try:
        until(lambda: london.sql("SELECT size FROM collection WHERE name = ?", MIRROR) == [(1,)])
        helsinki.publish(helsinki.put(2, "New"))
        begun = time.monotonic()
        until(lambda: helsinki.record(2) in london.shown(MIRROR))
        took_s = time.monotonic() - begun
    finally:
        stop.set()
        ended = time.monotonic()
        for each in both:
            each.join()
    assert took_s < 4, "2 s on a machine of its own; see benchmarks"
    assert time.monotonic() - ended < 2, "a stop is heard within a second"


def test_of_two_workers_one_makes_the_rounds(two: Two, clock: Clock) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    one, other = london.rounds(clock=clock), london.rounds(clock=clock)
    one._stop.set(), other._stop.set()
    one._stop.clear()
    looked(one)
    before = polls(london)
    clock.ahead_ms += 10**6
    assert one._holds(clock())
    looked(other)
    assert polls(london) == before
    one._release()
    other._stop.clear()
    looked(other)
    assert polls(london) == before + 1
    for each in (one, other):
        each._pool.shutdown()
        each._aside.shutdown()


@pytest.mark.parametrize("error", [JournalBusy("Busy."), ValueError("A fault of ours.")])
def test_nothing_that_goes_wrong_ends_the_rounds(
    two: Two, rounds: Rounds, clock: Clock, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    helsinki, london = two
    helsinki.publish_many(1)

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(london.node.federation.exchanging.visits), "visit", broken)
        looked(rounds)
    with monkeypatch.context() as patch:
        patch.setattr(type(london.node.federation.notices), "nudges", broken)
        rounds._version = None
        looked(rounds)
    clock.ahead_ms += 10_000
    looked(rounds)
    assert london.size(MIRROR) == 1


def test_a_stop_ends_a_pull_under_way_within_a_second(two: Two) -> None:
    helsinki, london = two
    helsinki.publish_many(1)
    begun = threading.Event()

    def slow(request: Request, reply: Reply) -> Reply:
        if request.path.endswith("/entries"):
            begun.set()
        return reply

    helsinki.wire.bend = slow
    stop = threading.Event()
    thread = threading.Thread(target=london.rounds().run, args=(stop,))
    thread.start()
    assert begun.wait(20)
    stop.set()
    ended = time.monotonic()
    thread.join()
    assert time.monotonic() - ended < 2
    assert london.sql("SELECT count(*) FROM lease WHERE name IN ('federation', 'pull/helsinki')") == [(0,)]
