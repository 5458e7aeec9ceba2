"""Streams that run now: one watcher in each process looks five times a second whether each may still go on.

What stands in the database is looked at and nothing else, so a stream ends within half a second whoever suspended or
revoked what it runs under, in whatever process, and whether or not the other city heard of it. It ends whether its
reader takes bytes or not. Where it cannot be known whether a stream may go on, it may not. The thread lives as long as
there are streams, and a little longer: starting one costs more than a request for a few bytes.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from node.errors import NodeError

EVERY_S = 0.2
# The books hear of living streams that often; well within `streams.LOST_MS`.
NOTED_EVERY_S = 2.0
LINGERS_S = 5.0
# How long an answer may be missing: with the last look before and the cut after, it stays within the second.
BLIND_S = 0.5
UNKNOWN = "unknown"
_logger = logging.getLogger("citynode.data")


class Running(Protocol):
    """A stream, as far as the watcher knows it."""

    @property
    def transfer(self) -> str:
        """Give the pid of its transfer."""

    def cut(self, code: str) -> None:
        """End it at once; never blocks."""


class Live:
    """The streams of one process. Safe to share by threads."""

    def __init__(
        self,
        stopped: Callable[[str], str],
        noted: Callable[[Sequence[Running]], None],
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch.

        Args:
            stopped: Tells by a transfer's pid why nothing of it may flow now; empty if it may.
            noted: Is told of all streams every two seconds.
            every_s: How often is looked.
            clock: Gives seconds that never go back.
        """
        self._stopped, self._noted, self._every_s, self._clock = stopped, noted, every_s, clock
        self._running: set[Running] = set()
        self._lock, self._noting = threading.Lock(), threading.Lock()
        self._watched = False

    def add(self, stream: Running) -> None:
        """Watch a stream."""
        with self._lock:
            self._running.add(stream)
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="data-live", daemon=True).start()

    def remove(self, stream: Running) -> None:
        """Watch it no longer; repeatable."""
        with self._lock:
            self._running.discard(stream)

    def __len__(self) -> int:
        """Count the streams that run."""
        return len(self._running)

    def _watch(self) -> None:
        noted_at = busy_at = self._clock()
        seen: dict[str, float] = {}
        while self._clock() - busy_at < LINGERS_S or self._is_needed():
            with self._lock:
                streams = list(self._running)
            if streams:
                noted_at = self._look(streams, seen, noted_at)
                busy_at = self._clock()
            time.sleep(self._every_s)

    def _is_needed(self) -> bool:
        with self._lock:
            self._watched = bool(self._running)
            return self._watched

    def _look(self, streams: Sequence[Running], seen: dict[str, float], noted_at: float) -> float:
        """Cut what may not go on; give when the books last heard."""
        pids = {stream.transfer for stream in streams}
        for gone in seen.keys() - pids:
            del seen[gone]
        for pid in pids:
            code = self._code(pid, seen)
            if code:
                self._cut((each for each in streams if each.transfer == pid), code)
        if self._clock() - noted_at < NOTED_EVERY_S or self._noting.locked():
            return noted_at
        # Writing may wait for who else writes, and nobody is to go on reading because of that.
        threading.Thread(target=self._note, args=(streams,), name="data-noted", daemon=True).start()
        return self._clock()

    def _note(self, streams: Sequence[Running]) -> None:
        with self._noting:
            try:
                self._noted(streams)
            except NodeError as error:
                _logger.warning("the streams that run could not be noted: %s", error)

    def _code(self, pid: str, seen: dict[str, float]) -> str:
        try:
            code = self._stopped(pid)
        except NodeError as error:
            _logger.warning("whether transfer %s may go on cannot be known: %s", pid, error)
            return UNKNOWN if self._clock() - seen.setdefault(pid, self._clock()) >= BLIND_S else ""
        seen[pid] = self._clock()
        return code

    @staticmethod
    def _cut(streams: Iterable[Running], code: str) -> None:
        for stream in streams:
            _logger.info("transfer %s is cut: %s", stream.transfer, code)
            stream.cut(code)
