"""An origin that hangs holds the threads of who asks for it, and of nobody else."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from node.errors import TooManyRequests
from node.web.data.threads import Threads


class Hanging:
    """Work that ends when it is told to; knows how much of it goes on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = 0

    def __call__(self) -> str:
        self.begun += 1
        assert self.over.wait(5)
        return "answered"


async def begun(hanging: Hanging, many: int) -> None:
    for _ in range(200):
        if hanging.begun == many:
            break
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.01)
    assert hanging.begun == many


def asks(threads: Threads, work: Callable[[], str], peer: str = "london", pid: str = "a") -> "asyncio.Task[str]":
    return asyncio.create_task(threads.in_turn(peer, pid, work))


def test_who_asks_for_what_hangs_holds_half_of_its_turns_and_no_others() -> None:
    async def run() -> None:
        threads, hanging = Threads(4), Hanging()
        waiting = [asks(threads, hanging) for _ in range(40)]
        await begun(hanging, 2)
        async with asyncio.timeout(1):
            assert await asks(threads, lambda: "other transfer", pid="b") == "other transfer"
            assert await asks(threads, lambda: "other city", peer="ghent") == "other city"
            assert await threads.quick(lambda: "known") == "known"
        hanging.over.set()
        assert set(await asyncio.gather(*waiting)) == {"answered"}
        assert not threads._waiting
        assert not threads._taken

    asyncio.run(run())


def test_a_city_has_so_many_turns_over_all_its_transfers() -> None:
    async def run() -> None:
        threads, hanging = Threads(4), Hanging()
        waiting = [asks(threads, hanging, pid=str(at)) for at in range(9)]
        await begun(hanging, 4)
        hanging.over.set()
        await asyncio.gather(*waiting)

    asyncio.run(run())


def test_who_gets_no_turn_in_time_is_told_to_come_again() -> None:
    async def run() -> None:
        threads, hanging = Threads(2, waits_s=0.05), Hanging()
        first = asks(threads, hanging)
        await begun(hanging, 1)
        asked_at = time.monotonic()
        with pytest.raises(TooManyRequests) as refused:
            await asks(threads, hanging)
        assert refused.value.retry_after_s > 0
        assert time.monotonic() - asked_at < 1
        hanging.over.set()
        assert await first == "answered"
        assert await asks(threads, lambda: "again") == "again"

    asyncio.run(run())


def test_a_turn_is_given_back_when_its_work_has_ended_and_not_when_nobody_waits_for_it() -> None:
    async def run() -> None:
        threads, hanging = Threads(2, waits_s=0.05), Hanging()
        first = asks(threads, hanging)
        await begun(hanging, 1)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        with pytest.raises(TooManyRequests):
            await asks(threads, lambda: "too early")
        hanging.over.set()
        assert await asks(Threads(2), lambda: "meanwhile") == "meanwhile"
        threads._waits_s = 1
        assert await asks(threads, lambda: "now") == "now"

    asyncio.run(run())
