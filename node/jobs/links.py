"""The rounds of asking strangers' servers: links that are tried, files that are looked at as city models.

Each is one thread of the worker, under a lease, in no hurry and in nobody's way: of all workers on one database one
does it, so that politeness is counted once. What is due stands in the database. A round that fails is tried again after
a while; nothing waits for it.
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from node.db import Database
from node.errors import NodeError
from node.lease import Lease

LEASE_MS = 600_000  # longer than the longest round
_BUSY_S = 0.5
_IDLE_S = 5.0
_WAIT_S = 60.0


class Trying(Protocol):
    """What tries links (`node.catalog.quality.checker`) or looks at models (`node.catalog.models.rounds`)."""

    def round(self, stop: threading.Event) -> int:
        """Try what is due now; give how many were tried."""


class LinkRounds:
    """Tries what is due until it is stopped."""

    def __init__(
        self,
        checker: Trying,
        db: Database,
        *,
        clock_ms: Callable[[], int],
        name: str = "links",
        length_ms: int = LEASE_MS,
    ) -> None:
        """Plan nothing yet; `name` is that of lease and thread, `length_ms` more than the longest round."""
        self._checker = checker
        self._clock_ms = clock_ms
        self._name = name
        self._length_ms = length_ms
        self._lease = Lease(db, name, length_ms=length_ms)
        self._held_ms: int | None = None
        self._logger = logging.getLogger(f"citynode.{name}")

    def start(self, stop: threading.Event) -> threading.Thread:
        """Begin; the thread ends soon after `stop` is set."""
        thread = threading.Thread(target=self._run, args=(stop,), name=self._name)
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
                self._logger.warning("the lease runs out by itself: %s", error)

    def look(self, stop: threading.Event) -> float:
        """Try what is due, if that is ours to do; give the seconds until the next look."""
        try:
            if not self._holds():
                return _WAIT_S
            tried = self._checker.round(stop)
        except NodeError as error:
            self._logger.warning("%s put off: %s", self._name, error)
            return _WAIT_S
        except Exception:
            self._logger.exception("%s failed", self._name)
            return _WAIT_S
        if tried:
            self._logger.debug("%s: %s were tried", self._name, tried)
        return _BUSY_S if tried else _IDLE_S

    def _holds(self) -> bool:
        """Keep the lease, writing only every third part of its length."""
        now_ms = self._clock_ms()
        if self._held_ms is None or not 0 <= now_ms - self._held_ms < self._length_ms // 3:
            self._held_ms = now_ms if self._lease.hold(now_ms) else None
        return self._held_ms is not None
