"""Laws of the rounds of pulls: each is brought once at a time, a few side by side, and a fault ends no round."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.errors import JournalBusy
from node.jobs.pulls import AT_ONCE, PullRounds


class Desk:
    """A desk whose pulls last until they are let go."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.cities: dict[int, str] = {}
        self.begun: list[int] = []
        self.go = threading.Event()
        self.fault: Exception | None = None

    def due(self, now_ms: int) -> Sequence[tuple[int, str]]:
        assert now_ms == 7
        if isinstance(self.fault, JournalBusy):
            raise self.fault
        return [(each, self.cities.get(each, str(each))) for each in self.numbers]

    def go_on(self, number: int, stop: threading.Event) -> None:
        self.begun.append(number)
        if self.fault:
            raise self.fault
        while not self.go.wait(0.01) and not stop.is_set():
            pass
        self.numbers.remove(number)


def until(holds: object) -> None:
    end = time.monotonic() + 5
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_few_go_side_by_side_and_none_twice() -> None:
    desk, stop = Desk(1, 2, 3, 4, 5), threading.Event()
    rounds = PullRounds(desk, clock_ms=lambda: 7)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(3):
            rounds.look(pool, stop)
        until(lambda: len(desk.begun) == AT_ONCE)
        assert sorted(desk.begun) == [1, 2, 3]
        desk.go.set()
        until(lambda: len(desk.numbers) == 2)
        until(lambda: rounds.look(pool, stop) or len(desk.begun) == 5)
    assert sorted(desk.begun) == [1, 2, 3, 4, 5]


def test_one_city_never_has_all_the_rounds(caplog: pytest.LogCaptureFixture) -> None:
    desk, stop = Desk(1, 2, 3, 4, 5), threading.Event()
    desk.cities = dict.fromkeys((1, 2, 3, 4), "helsinki")
    rounds = PullRounds(desk, clock_ms=lambda: 7)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rounds.look(pool, stop)
        until(lambda: len(desk.begun) == AT_ONCE)
        assert sorted(desk.begun) == [1, 2, 5], "four of Helsinki wait longer, and London comes all the same"
        desk.go.set()
        until(lambda: rounds.look(pool, stop) or len(desk.begun) == 5)
    assert not caplog.records


def test_a_fault_is_written_down_and_the_next_round_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    desk, stop = Desk(1), threading.Event()
    desk.fault = RuntimeError("a fault of ours")
    rounds = PullRounds(desk, clock_ms=lambda: 7)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        until(lambda: rounds.look(pool, stop) or len(desk.begun) > 1)
    assert "pull 1 failed" in caplog.text


def test_the_thread_ends_soon_and_survives_a_busy_database(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.jobs.pulls.LOOK_S", 0.02)
    desk, stop = Desk(1), threading.Event()
    desk.fault = JournalBusy("busy")
    thread = PullRounds(desk, clock_ms=lambda: 7).start(stop)
    until(lambda: "put off" in caplog.text)
    desk.fault = None
    until(lambda: desk.begun)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
