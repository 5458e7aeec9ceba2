"""The threads of the door of data: who waits for an origin waits apart, and as many of one city as may.

Where a part lies, and who said yes to what, is asked of other machines that may hang. Who knocks is found out in a few
threads that wait for nobody; then a request takes one of its city's turns, so that an origin that hangs holds as many
threads as one city has turns, half of them for any one transfer, and never those of others. A stream that has begun has
the thread it needs: how many there are of one city is counted in the books. A turn is given back when its work has
ended, and not when nobody waits for it any more.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from node.errors import TooManyRequests

# Work that waits for the database alone.
QUICK_THREADS = 32
# All that can wait at the same moment; a thread is made when it is needed.
THREADS = 256
MOST_TURNS = 16
MOST_WAITING = 256
WAITS_S = 10.0
T = TypeVar("T")


class Threads:
    """The threads of one process. Used by one event loop."""

    def __init__(self, turns: int, *, waits_s: float = WAITS_S) -> None:
        """Give each city so many turns at once; who gets none within `waits_s` is told to come again."""
        self._turns, self._waits_s = min(max(turns, 2), MOST_TURNS), waits_s
        self._quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="data")
        self.reading = ThreadPoolExecutor(THREADS, thread_name_prefix="data-origin")
        self._taken: Counter[str | tuple[str, str]] = Counter()
        self._waiting: dict[str, list[tuple[str, asyncio.Future[None]]]] = {}

    async def quick(self, work: Callable[[], T]) -> T:
        """Do what waits for no other machine."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    async def in_turn(self, peer: str, transfer: str, work: Callable[[], T]) -> T:
        """Do what may wait for an origin, when it is this city's turn and this transfer's. Raises TooManyRequests."""
        await self._turn(peer, transfer)
        doing = asyncio.get_running_loop().run_in_executor(self.reading, work)
        doing.add_done_callback(lambda _: self._leave(peer, transfer))
        return await asyncio.shield(doing)

    # ---------------------------------------------------------------- inside

    async def _turn(self, peer: str, transfer: str) -> None:
        if self._is_free(peer, transfer):
            self._take(peer, transfer)
            return
        line = self._waiting.setdefault(peer, [])
        if len(line) >= MOST_WAITING:
            raise self._full()
        called = asyncio.get_running_loop().create_future()
        line.append((transfer, called))
        try:
            async with asyncio.timeout(self._waits_s):
                await called
        except BaseException as error:
            self._give_up(peer, transfer, called)
            if isinstance(error, TimeoutError):
                raise self._full() from error
            raise

    def _give_up(self, peer: str, transfer: str, called: "asyncio.Future[None]") -> None:
        if called.done() and not called.cancelled():  # called at the same moment
            self._leave(peer, transfer)
            return
        line = self._waiting.get(peer, [])
        line[:] = [each for each in line if each[1] is not called]
        if not line:
            self._waiting.pop(peer, None)

    def _is_free(self, peer: str, transfer: str) -> bool:
        return self._taken[peer] < self._turns and self._taken[peer, transfer] < self._turns // 2

    def _take(self, peer: str, transfer: str) -> None:
        self._taken.update((peer, (peer, transfer)))

    def _leave(self, peer: str, transfer: str) -> None:
        """Give a turn back, and the next who may have it theirs."""
        self._taken.subtract((peer, (peer, transfer)))
        self._taken = +self._taken
        for waiting in list(self._waiting.get(peer, ())):
            if waiting[1].done() or not self._is_free(peer, waiting[0]):
                continue
            self._waiting[peer].remove(waiting)
            self._take(peer, waiting[0])
            waiting[1].set_result(None)
        if not self._waiting.get(peer):
            self._waiting.pop(peer, None)

    @staticmethod
    def _full() -> TooManyRequests:
        return TooManyRequests(
            "So many of your requests wait for where their data lie that no more are taken now.",
            retry_after_s=5,
            fix="Wait until some are answered; an origin may be slow.",
        )
