"""Streams that run now: one watcher in each process looks five times a second whether each may still go on.

What stands in the database is looked at and nothing else, so a stream ends within half a second whoever suspended or
revoked what it runs under, in whatever process, and whether or not the other city heard of it. It ends whether its
reader takes bytes or not. Where it cannot be known whether a stream may go on, it may not. The thread lives as long as
there are streams, and a little longer: starting one costs more than a request for a few bytes. Nothing that goes wrong
ends it: whatever cannot be answered is not known.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from node.errors import Unavailable

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
        moved: Callable[[Running], str] = lambda _: "",
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch.

        Args:
            stopped: Tells by a transfer's pid why nothing of it may flow now; empty if it may.
            noted: Is told of all streams every two seconds.
            moved: Tells why what a stream reads from is not what it reads any more; empty if it is.
            every_s: How often is looked.
            clock: Gives seconds that never go back.
        """
        self._stopped, self._noted, self._moved, self._every_s, self._clock = stopped, noted, moved, every_s, clock
        self._running: set[Running] = set()
        self._lock, self._noting = threading.Lock(), threading.Lock()
        self._watched = False

    def add(self, stream: Running) -> None:
        """Watch a stream. Raises Unavailable where nobody can."""
        with self._lock:
            if not self._watched:
                _start(self._watch, "data-live")
                self._watched = True
            self._running.add(stream)

    def remove(self, stream: Running) -> None:
        """Watch it no longer; repeatable."""
        with self._lock:
            self._running.discard(stream)

    def __len__(self) -> int:
        """Count the streams that run."""
        return len(self._running)

    def _watch(self) -> None:
        noted_at = busy_at = self._clock()
        seen: dict[object, float] = {}
        while self._clock() - busy_at < LINGERS_S or self._is_needed():
            with self._lock:
                streams = list(self._running)
            if streams:
                self._look(streams, seen)
                noted_at = self._tell(streams, noted_at)
                busy_at = self._clock()
            time.sleep(self._every_s)

    def _is_needed(self) -> bool:
        with self._lock:
            self._watched = bool(self._running)
            return self._watched

    def _look(self, streams: Sequence[Running], seen: dict[object, float]) -> None:
        """Cut what may not go on."""
        pids = {stream.transfer for stream in streams}
        for gone in seen.keys() - pids - set(streams):
            del seen[gone]
        codes = {pid: self._code(pid, partial(self._stopped, pid), seen) for pid in pids}
        for stream in streams:
            code = codes[stream.transfer] or self._code(stream, partial(self._moved, stream), seen)
            if code:
                _cut(stream, code)

    def _code(self, subject: object, asked: Callable[[], str], seen: dict[object, float]) -> str:
        try:
            code = asked()
        except Exception as error:  # noqa: BLE001  (whatever it is: who cannot be answered may not go on)
            _logger.warning("whether %s may go on cannot be known: %r", subject, error)
            return UNKNOWN if self._clock() - seen.setdefault(subject, self._clock()) >= BLIND_S else ""
        seen[subject] = self._clock()
        return code

    def _tell(self, streams: Sequence[Running], noted_at: float) -> float:
        """Let the books know what lives; give when they last heard."""
        if self._clock() - noted_at < NOTED_EVERY_S or self._noting.locked():
            return noted_at
        with suppress(Unavailable):  # at the next look
            # Writing may wait for who else writes, and nobody is to go on reading because of that.
            _start(lambda: self._note(streams), "data-noted")
        return self._clock()

    def _note(self, streams: Sequence[Running]) -> None:
        with self._noting:
            try:
                self._noted(streams)
            except Exception as error:  # noqa: BLE001  (they hear it the next time)
                _logger.warning("the streams that run could not be noted: %r", error)


def _start(work: Callable[[], None], name: str) -> None:
    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError as error:
        raise Unavailable("This machine begins no more threads.", fix="Raise its bound of processes.") from error


def _cut(stream: Running, code: str) -> None:
    _logger.info("transfer %s is cut: %s", stream.transfer, code)
    try:
        stream.cut(code)
    except Exception:  # one that cannot be ended well keeps no other going
        _logger.exception("a stream of transfer %s did not end well", stream.transfer)
