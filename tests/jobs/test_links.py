"""Laws of the rounds of trying links: one worker of a database tries them, faults are waited out, a stop is heard."""

import threading
import time

from node.db import Database
from node.errors import Unavailable
from node.jobs.links import LEASE_MS, LinkRounds


class Trying:
    """What is tried: counts the rounds, and fails when told to."""

    def __init__(self) -> None:
        self.rounds = 0
        self.fault: Exception | None = None

    def round(self, stop: threading.Event) -> int:
        self.rounds += 1
        if self.fault:
            raise self.fault
        return 1


def rounds(db: Database, trying: Trying, now_ms: list[int]) -> LinkRounds:
    return LinkRounds(trying, db, clock_ms=lambda: now_ms[0])


def test_of_two_workers_one_tries_until_it_is_silent(db: Database) -> None:
    now, one, other, stop = [1_000_000], Trying(), Trying(), threading.Event()
    first, second = rounds(db, one, now), rounds(db, other, now)
    assert first.look(stop) < 1
    assert second.look(stop) > 1
    assert (one.rounds, other.rounds) == (1, 0)
    now[0] += LEASE_MS + 1
    second.look(stop)
    assert other.rounds == 1
    first.look(stop)
    assert one.rounds == 1


def test_a_fault_is_waited_out_and_ends_nothing(db: Database) -> None:
    now, trying, stop = [1_000_000], Trying(), threading.Event()
    made = rounds(db, trying, now)
    for fault in (Unavailable("The database is away."), ValueError("a fault of ours")):
        trying.fault = fault
        assert made.look(stop) >= 60
    trying.fault = None
    assert made.look(stop) < 1


def test_a_stop_is_heard_at_once(db: Database) -> None:
    stop = threading.Event()
    thread = rounds(db, Trying(), [1_000_000]).start(stop)
    begun = time.monotonic()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 1
