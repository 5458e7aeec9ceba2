"""The rounds of pulls: data of other cities that somebody asked this node to get, brought by the worker.

A few at a time, and fewer of one city, each in a thread of its own, since one may take hours. What is due stands in
the database, and whoever takes a pull holds it by a lease there, so two workers never bring the same one and a killed
one's are taken up again.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from node.errors import NodeError

_logger = logging.getLogger("citynode.pulls")
AT_ONCE = 3
AT_ONCE_OF_ONE = 2  # of one city, so that one that hardly sends anything does not stop all the others
LOOK_S = 0.5


class Office(Protocol):
    """The desk of pulls."""

    def due(self, now_ms: int) -> Sequence[tuple[int, str]]:
        """Give number and city of those that may go on now."""

    def go_on(self, number: int, stop: threading.Event) -> None:
        """Go on with one."""


class PullRounds:
    """Brings what is due until it is stopped."""

    def __init__(self, office: Office, *, clock_ms: Callable[[], int]) -> None:
        """Plan nothing yet."""
        self._office, self._clock_ms = office, clock_ms
        self._running: dict[int, Future[None]] = {}
        self._city: dict[int, str] = {}

    def start(self, stop: threading.Event) -> threading.Thread:
        """Begin; the thread ends soon after `stop` is set, and what it was at stays for the next worker."""
        thread = threading.Thread(target=self._run, args=(stop,), name="pulls")
        thread.start()
        return thread

    def _run(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull") as pool:
            while not stop.wait(LOOK_S):
                try:
                    self.look(pool, stop)
                except NodeError as error:
                    _logger.warning("pulls put off: %s", error)
                except Exception:
                    _logger.exception("pulls failed")

    def look(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        """Begin with what is due, as far as there is room."""
        self._running = {number: each for number, each in self._running.items() if not _ended(number, each)}
        self._city = {number: self._city[number] for number in self._running}
        for number, city in self._office.due(self._clock_ms()):
            if len(self._running) == AT_ONCE:
                return
            of_one = sum(self._city[each] == city for each in self._running)
            if number not in self._running and of_one < AT_ONCE_OF_ONE:
                self._city[number] = city
                self._running[number] = pool.submit(self._office.go_on, number, stop)


def _ended(number: int, future: "Future[None]") -> bool:
    if not future.done():
        return False
    fault = future.exception()
    if fault is not None:
        _logger.error("pull %s failed", number, exc_info=fault)
    return True
