"""The rounds of trying links: one thread of the worker, under a lease, in no hurry and in nobody's way.

Of all workers on one database one tries links, so that politeness is counted once. What is due stands in the database.
A round that fails is tried again after a while; nothing waits for it.
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from node.db import Database
from node.errors import NodeError
from node.lease import Lease

_logger = logging.getLogger("citynode.links")
LEASE_MS = 600_000  # longer than the longest round
_BUSY_S = 0.5
_IDLE_S = 5.0
_WAIT_S = 60.0


class Trying(Protocol):
    """What tries links (`node.catalog.quality.checker`)."""

    def round(self, stop: threading.Event) -> int:
        """Try what is due now; give how many were tried."""


class LinkRounds:
    """Tries links until it is stopped."""

    def __init__(self, checker: Trying, db: Database, *, clock_ms: Callable[[], int]) -> None:
        """Plan nothing yet."""
        self._checker = checker
        self._clock_ms = clock_ms
        self._lease = Lease(db, "links", length_ms=LEASE_MS)
        self._held_ms: int | None = None

    def start(self, stop: threading.Event) -> threading.Thread:
        """Begin; the thread ends soon after `stop` is set."""
        thread = threading.Thread(target=self._run, args=(stop,), name="links")
        thread.start()
        return thread

    def _run(self, stop: threading.Event) -> None:
        wait_s = _IDLE_S
        while not stop.wait(wait_s):
            wait_s = self.look(stop)
        if self._held_ms is not None:
            try:
                self._lease.release()
            except NodeError as error:
                _logger.warning("the lease runs out by itself: %s", error)

    def look(self, stop: threading.Event) -> float:
        """Try what is due, if that is ours to do; give the seconds until the next look."""
        try:
            if not self._holds():
                return _WAIT_S
            tried = self._checker.round(stop)
        except NodeError as error:
            _logger.warning("links put off: %s", error)
            return _WAIT_S
        except Exception:
            _logger.exception("links failed")
            return _WAIT_S
        if tried:
            _logger.debug("%s links were tried", tried)
        return _BUSY_S if tried else _IDLE_S

    def _holds(self) -> bool:
        """Keep the lease, writing only every third part of its length."""
        now_ms = self._clock_ms()
        if self._held_ms is None or not 0 <= now_ms - self._held_ms < LEASE_MS // 3:
            self._held_ms = now_ms if self._lease.hold(now_ms) else None
        return self._held_ms is not None
