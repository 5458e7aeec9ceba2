"""Laws of the door for uploads: who hardly sends is let go, and only waiting for bytes counts."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from node.errors import Unavailable
from node.web.data import incoming
from node.web.data.incoming import IncomingDoor

PIECE = b"x" * 1_000


class Clock:
    """A clock that goes on as one waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


class Arrival:
    """What came; writing takes a while."""

    def __init__(self, clock: Clock, slow_s: float = 0.0) -> None:
        self.clock, self.slow_s, self.got = clock, slow_s, 0

    def write(self, piece: bytes) -> None:
        self.clock.now_s += self.slow_s
        self.got += len(piece)

    def check(self) -> None:
        pass


class Sender:
    """A request whose body comes in pieces, each after a while."""

    def __init__(self, clock: Clock, waits: Sequence[float]) -> None:
        self.clock, self.left = clock, iter(waits)

    async def receive(self) -> Any:
        wait_s = next(self.left, None)
        if wait_s is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.clock.now_s += wait_s
        return {"type": "http.request", "body": PIECE, "more_body": True}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    with monkeypatch.context() as patched:
        patched.setattr(incoming, "time", made)
        yield made


class Halting:
    """A request of which some bytes come, and then nothing any more."""

    def __init__(self) -> None:
        self.left = iter([PIECE])

    async def receive(self) -> Any:
        piece = next(self.left, None)
        if piece is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": piece, "more_body": True}


def read(arrival: Arrival, sender: "Sender | Halting", stall_s: float = 30.0) -> None:
    door = IncomingDoor(cast("Any", None), cast("Any", type("Silent", (), {"stall_s": stall_s})), cast("Any", None))
    asyncio.run(door._read(cast("Any", sender), cast("Any", arrival)))


def test_who_sends_a_little_now_and_then_is_let_go_after_a_minute(clock: Clock) -> None:
    arrival = Arrival(clock)
    with pytest.raises(Unavailable, match="4,096 bytes") as refused:
        read(arrival, Sender(clock, [2.0] * 100))
    assert clock.now_s == 60
    assert refused.value.retry_after_s == 60
    assert arrival.got >= 29 * len(PIECE), "what came before it stays"


def test_who_sends_fast_at_first_and_hardly_then_is_let_go_too(clock: Clock) -> None:
    with pytest.raises(Unavailable):
        read(Arrival(clock), Sender(clock, [*[0.0] * 1_000, *[2.0] * 100]))
    assert clock.now_s <= 120


def test_the_least_pace_is_enough(clock: Clock) -> None:
    arrival = Arrival(clock)
    read(arrival, Sender(clock, [0.2] * 1_000))
    assert arrival.got == 1_000 * len(PIECE)


def test_a_slow_disk_of_ours_is_nobodys_fault(clock: Clock) -> None:
    arrival = Arrival(clock, slow_s=10.0)
    read(arrival, Sender(clock, [0.2] * 400))
    assert arrival.got == 400 * len(PIECE)


def test_who_sends_nothing_any_more_may_come_again_and_what_came_is_kept() -> None:
    arrival = Arrival(Clock())
    with pytest.raises(Unavailable, match="Nothing came") as refused:
        read(arrival, Halting(), stall_s=0.1)
    assert refused.value.retry_after_s == 1
    assert arrival.got == len(PIECE)
