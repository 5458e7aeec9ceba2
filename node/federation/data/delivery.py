"""One stream of a part: chunk after chunk, each counted, the last only after everything about it was found right.

A chunk is always held back: when it is given away it is known whether it was the last one, and if so the books are
closed before. What may not be sent, changed meanwhile or is not what was announced ends here with an error, never with
an end that looks like one. One reader; `cut` comes from any thread and ends a read that blocks.
"""

import hashlib
import threading
from collections.abc import Callable

from node.errors import OriginChanged, Stopped
from node.federation.data.streams import Beginning, Ended, How, Streams, used_up
from node.federation.moving import Personal, Source

CHUNK_BYTES = 512 * 1024
SLICE_BYTES = 8 * 1024 * 1024


class Delivery:
    """An open stream. Whoever opened it ends it, however it went."""

    def __init__(
        self,
        asked: Beginning,
        source: Source,
        streams: Streams,
        *,
        row: int,
        reserved: int,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take a source that stands at the first byte that was asked for, and the row that was opened for it."""
        self.asked, self.row, self.sent, self.finished = asked, row, 0, False
        self.lies = ""  # where the part lay when it was opened
        self.marked: Personal | None = None  # how its dataset was about residents then
        self._source, self._streams, self._reserved, self._clock_ms = source, streams, reserved, clock_ms
        self._read, self._held, self._begun = 0, b"", False
        self._hash = hashlib.sha256() if asked.is_whole else None
        self._over, self._ended, self._why = False, False, ""
        self._then: list[Callable[[], None]] = []
        self._when_cut: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def transfer(self) -> str:
        """Give the pid of the transfer."""
        return self.asked.transfer

    @property
    def why(self) -> str:
        """Say by which code it was cut; empty while it was not."""
        return self._why

    def ends_with(self, then: Callable[[], None]) -> None:
        """Call this when it ends."""
        self._then.append(then)

    def when_cut(self, then: Callable[[], None]) -> None:
        """Call this, in whatever thread, when it is cut; at once if it was."""
        with self._lock:
            self._when_cut.append(then)
            cut = bool(self._why)
        if cut:
            then()

    def next(self) -> bytes:
        """Give the next bytes, at most `CHUNK_BYTES`; empty after the last. Blocks.

        Raises:
            Stopped: It was cut.
            NotAgreed: The agreement lets no more bytes through.
            Unavailable: Its origin went away, changed, or has other bytes than were announced.
        """
        return b"" if self.finished else self._next()

    def cut(self, code: str) -> None:
        """End it at once; whatever is being read is let go of."""
        with self._lock:
            if self._why:
                return
            self._why = code
            told = list(self._when_cut)
        for each in told:
            each()
        self._source.close()

    def end(self, how: How, *, sent: int | None = None) -> None:
        """Let go of everything and close the books; repeatable.

        Args:
            how: How it ended.
            sent: How many bytes went on, where that is less than `next` gave away.
        """
        with self._lock:
            if self._ended:
                return
            self._ended = True
        gone = self.sent if sent is None else min(sent, self.sent)
        if how != "done" or not self.finished:
            how = "broken" if how == "done" else how
            # The books may have been closed too early: the last chunk was read, and never went.
            self._close(Ended(how, gone, "", self.asked.measures, self._reserved), again=gone < self.sent)
        for each in self._then:
            each()

    def drop(self) -> None:
        """Let go of everything as though it had never begun: for one of which nothing was given away; repeatable."""
        with self._lock:
            if self._ended:
                return
            self._ended = self._over = True
        self._source.close()
        for each in self._then:
            each()
        self._streams.forget(self.row, self.asked.measures, self._reserved)

    # ---------------------------------------------------------------- reading

    def _next(self) -> bytes:
        chunk = self._held if self._begun else self._taken()
        self._begun = True
        self._held = self._taken() if chunk else b""
        if self._why:
            raise Stopped(f"The stream was cut ({self._why}).")
        self._reserve(len(chunk))
        if self._hash is not None:
            self._hash.update(chunk)
        if not self._held:
            self._finish(self.sent + len(chunk))
        self.sent += len(chunk)
        return chunk

    def _taken(self) -> bytes:
        """Read on. Beyond what was announced nothing may come, and nothing of that may be missing."""
        length = self.asked.length
        left = CHUNK_BYTES if length is None else length - self._read
        at_end = self.asked.ends == self.asked.part.size
        if left == 0 and not at_end:
            return b""
        found = self._source.read(min(left, CHUNK_BYTES) or 1)
        self._read += len(found)
        if length is not None and (self._read > length or (not found and self._read < length)):
            more = "more" if self._read > length else "less"
            raise OriginChanged(f"{self.asked.part.name} has {more} bytes than it had.", fix="Ask for it again.")
        return found

    def _reserve(self, many: int) -> None:
        """Take bytes out of what the agreement lets through, a slice at a time."""
        asked = self.asked
        lacking = self.sent + many - self._reserved
        if not asked.measures or lacking <= 0:
            return
        left = SLICE_BYTES if asked.length is None else asked.length - self._reserved
        granted = self._streams.more(asked.measures, max(lacking, min(SLICE_BYTES, left)), least=lacking)
        if not granted:
            raise used_up(asked.measures)
        self._reserved += granted

    def _finish(self, sent: int) -> None:
        digest = f"sha256:{self._hash.hexdigest()}" if self._hash else ""
        announced = self.asked.part.digest
        if digest and announced and digest != announced:
            raise OriginChanged(f"{self.asked.part.name} is not what it was.", fix="Ask for it again.")
        self._close(Ended("done", sent, digest, self.asked.measures, self._reserved))
        self._reserved = sent
        self.finished = True

    def _close(self, ended: Ended, *, again: bool = False) -> None:
        with self._lock:
            if self._over and not again:
                return
            self._over = True
        self._source.close()
        self._streams.end(self.row, ended, self._clock_ms())
