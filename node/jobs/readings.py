"""Keeps the readings level: looks ten times a second whether something was committed, and lets them catch up.

In the worker, in threads of their own, without a lease: a reading on this host's disk is this host's alone, and one
that two may write to keeps others out by itself. A reading that fails is tried again after a while that grows; it never
holds up the others, nor the worker.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from node.catalog.readings import Reading
from node.errors import NodeError, Stopped

_logger = logging.getLogger("citynode.readings")
LOOK_S = 0.1
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
# Some fall behind without a commit here: a triple store that was started anew, an index that somebody deleted.
_LOOK_ANYWAY_S = 5.0


class Versioned(Protocol):
    """The database, as far as it tells that something changed."""

    def data_version(self) -> int:
        """Give a number that differs whenever something was committed since."""


class Keeping:
    """One thread that keeps some readings level, one after the other."""

    def __init__(self, readings: Sequence[Reading], db: Versioned, name: str) -> None:
        """Keep these level with this database; `name` is the thread's."""
        self._readings = tuple(readings)
        self._db = db
        self._name = name
        self._waits = dict.fromkeys((each.name for each in readings), _FIRST_WAIT_S)
        self._not_before = dict.fromkeys((each.name for each in readings), 0.0)
        self._seen: int | None = None
        self._looked = 0.0

    def start(self, stop: threading.Event) -> threading.Thread:
        """Begin; the thread ends soon after `stop` is set."""
        thread = threading.Thread(target=self._run, args=(stop,), name=self._name)
        thread.start()
        return thread

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_S):
            try:
                self.look(stop)
            except NodeError as error:
                _logger.warning("readings put off: %s", error)
            except Exception:
                _logger.exception("readings failed")

    def look(self, stop: threading.Event) -> None:
        """Let every reading catch up whose turn it is."""
        now, version = time.monotonic(), self._db.data_version()
        waiting = any(0.0 < each <= now for each in self._not_before.values())
        if version == self._seen and not waiting and now - self._looked < _LOOK_ANYWAY_S:
            return
        self._seen, self._looked = version, now
        for reading in self._readings:
            if not stop.is_set() and self._not_before[reading.name] <= now:
                self._catch_up(reading, stop)

    def _catch_up(self, reading: Reading, stop: threading.Event) -> None:
        """Let one catch up; where it did something it may not be at its end, so all are asked again at once."""
        try:
            begun = time.monotonic()
            count = reading.catch_up(stop)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 (whatever it was, the others must go on)
            self._put_off(reading.name, error)
            return
        self._waits[reading.name], self._not_before[reading.name] = _FIRST_WAIT_S, 0.0
        if count:
            self._seen = None
            took_ms = int((time.monotonic() - begun) * 1000)
            _logger.info("%s took in %s records", reading.name, count, extra={"took_ms": took_ms})

    def _put_off(self, name: str, error: Exception) -> None:
        wait = self._waits[name]
        self._not_before[name] = time.monotonic() + wait
        self._waits[name] = min(2 * wait, _LONGEST_WAIT_S)
        known = error if isinstance(error, NodeError) else None
        _logger.warning("%s is put off for %.0f s: %s", name, wait, known or type(error).__name__, exc_info=not known)
