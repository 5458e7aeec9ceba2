"""Parquet that came from anywhere, read by a child process with limits: the node's side, which never parses a byte.

The library that reads Parquet ends its process at some damaged files and takes any memory at others. So a child asks
for the bytes of the file piece by piece, and gives back what it makes of them in pieces that wait until they are taken:
nothing is held here but one of each. A child that dies, falls silent or says what it should not is a file that cannot
be read. There is room for a few at once; a child starts with the first read and ends with the last, or when it is let
go of, which any thread may do.
"""

import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Set
from itertools import islice
from types import TracebackType
from typing import Literal, Protocol, Self

import orjson

from node.children import Child
from node.errors import ConsentUnknown, NodeError, NotAgreed, Stopped, Unavailable
from node.federation.consent.rows import broken

AT_ONCE = 8
# What each child says begins so: what it is, a place in the file or nothing, how many bytes.
HEAD = struct.Struct("!cQI")
GIVES, WANTS, REFUSES, ENDS = b"G", b"W", b"R", b"E"
MAX_PIECE, MAX_WANTED = 256 * 1024, 1024 * 1024
# Beyond what the libraries and the keys take.
_MEMORY = 1024 * 1024 * 1024
_SILENT_S, _DYING_S = 60.0, 2.0
_KEYS_AT_ONCE = 2_000
_MAX_NAMES = 1024 * 1024
# Read on rather than opened anew: a short way ahead.
_AHEAD = 1024 * 1024
_MODULE = "node.federation.consent.parquet_child"
_rooms = threading.BoundedSemaphore(AT_ONCE)

Work = Literal["rows", "keys", "names"]


class Opened(Protocol):
    """The bytes of a file from some place on."""

    def read(self, most: int, /) -> bytes:
        """Give the next bytes, at most so many; empty at the end."""

    def close(self) -> None:
        """Let go of it."""


class Reading:
    """What a child makes of one file, piece by piece."""

    def __init__(
        self,
        work: Work,
        opens: Callable[[int], Opened],
        size: int,
        *,
        column: str = "",
        allowed: Set[str] = frozenset(),
    ) -> None:
        """Have the file read that `opens` opens from a byte on.

        Args:
            work: A file of the rows whose key in `column` is allowed; the keys of all rows, each in a line of JSON; or
                the names of the columns, a list in JSON.
            opens: Opens it; what is opened is closed here.
            size: How long it is.
            column: Whom a row is about.
            allowed: The keys that pass.
        """
        self._work, self._column, self._allowed = work, column, allowed
        self._file = _Places(opens, size)
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._closed = self._done = False

    def __iter__(self) -> Iterator[bytes]:
        """Give all of it."""
        return iter(self.next, b"")

    def __enter__(self) -> Self:
        """Take it for a while."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let go of it."""
        self.close()

    def next(self) -> bytes:
        """Give the next piece; empty at the end.

        Raises:
            ConsentUnknown: It cannot be read as Parquet, or not within the limits.
            NotAgreed: It does not have the column, or has it twice.
            Unavailable: Too many are read at once, or what `opens` or the file raises.
            Stopped: It was closed.
        """
        try:
            with self._lock:
                return self._next()
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Let go of it; repeatable, and from any thread, which ends a read that waits for the child."""
        self._closed = True
        child = self._child
        if child is not None:
            child.process.kill()
        # Whoever is reading sees it dead, and then lets go of the pipes.
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()

    # ---------------------------------------------------------------- inside

    def _next(self) -> bytes:
        if self._done:
            return b""
        try:
            piece = self._heard(self._child or self._started())
        except _SilentError as silent:
            raise self._why(silent) from None
        except BaseException:
            self._give_up()
            raise
        if not piece:
            self._done = True
            self._let_go()
        return piece

    def _started(self) -> Child:
        if self._closed:
            raise Stopped("The stream was closed.")
        if not _rooms.acquire(blocking=False):
            raise Unavailable("Too many Parquet files are being read at once.", fix="Ask again in a moment.")
        try:
            child = Child(_MODULE)
        except OSError as error:
            _rooms.release()
            raise Unavailable(f"No process can be started: {error.strerror}.", fix="Ask again later.") from error
        self._child = child
        if self._closed:
            raise Stopped("The stream was closed.")
        os.set_blocking(child.to.fileno(), False)
        asked = {"work": self._work, "column": self._column, "size": self._file.size, "memory_bytes": _MEMORY}
        _send(child, orjson.dumps(asked) + b"\n")
        keys = iter(self._allowed)
        while some := list(islice(keys, _KEYS_AT_ONCE)):
            _send(child, orjson.dumps(some) + b"\n")
        _send(child, b"\n")
        return child

    def _heard(self, child: Child) -> bytes:
        """Give the child what it wants until it gives something."""
        while True:
            kind, place, length = HEAD.unpack(_receive(child, HEAD.size))
            if kind == WANTS and length <= MAX_WANTED:
                found = self._file.read(place, length)
                _send(child, len(found).to_bytes(4) + found)
            elif kind == GIVES and 0 < length <= MAX_PIECE:
                return _receive(child, length)
            elif kind == REFUSES and length <= MAX_PIECE:
                raise _refusal(_receive(child, length))
            elif kind == ENDS:
                return b""
            else:
                raise _SilentError

    def _why(self, silent: "_SilentError") -> NodeError:
        """Say what became of a child that says nothing more."""
        child = self._child
        code = child.end(0 if silent.is_slow else _DYING_S) if child else 0
        was_closed = self._closed
        self._give_up()
        if was_closed:
            return Stopped("The stream was closed.")
        if silent.is_slow:
            return broken(f"its Parquet takes longer than {_SILENT_S:g} s to read on")
        return broken(f"its Parquet is damaged, or takes more than {_MEMORY >> 20} MiB to read ({code})")

    def _give_up(self) -> None:
        # Whoever asks again must not take what has come for all there is.
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        self._file.let_go()
        if self._child is not None:
            self._child.end()
            self._child = None
            _rooms.release()


def names_in(opens: Callable[[int], Opened], size: int) -> list[str]:
    """Name the columns of a Parquet file. Raises what a reading does."""
    told = b""
    with Reading("names", opens, size) as reading:
        for piece in reading:
            told += piece
            if len(told) > _MAX_NAMES:
                raise broken("it has too many columns")
    try:
        names: list[str] = orjson.loads(told)
    except ValueError as error:
        raise broken("its columns have no names that can be read") from error
    return names


class _SilentError(Exception):
    """Nothing comes any more, or what makes no sense; in `is_slow` whether there was nothing in time."""

    def __init__(self, *, is_slow: bool = False) -> None:
        super().__init__()
        self.is_slow = is_slow


def _refusal(told: bytes) -> NodeError:
    try:
        message, fix, operand = orjson.loads(told)
    except ValueError:
        raise _SilentError from None
    return NotAgreed(message, operand=operand, fix=fix) if operand else ConsentUnknown(message, fix=fix)


def _send(child: Child, data: bytes) -> None:
    rest, deadline = memoryview(data), time.monotonic() + _SILENT_S
    while rest:
        if not child.ready(max(0.0, deadline - time.monotonic()), writing=True):
            raise _SilentError(is_slow=True)
        try:
            rest = rest[os.write(child.to.fileno(), rest[: 64 * 1024]) :]
        except BlockingIOError:
            continue  # there is room in the pipe, and not for this much
        except BrokenPipeError:
            return  # it ended, and what it said before is read next


def _receive(child: Child, length: int) -> bytes:
    found, deadline = bytearray(), time.monotonic() + _SILENT_S
    while len(found) < length:
        if not child.ready(max(0.0, deadline - time.monotonic())):
            raise _SilentError(is_slow=True)
        piece = os.read(child.answers.fileno(), length - len(found))
        if not piece:
            raise _SilentError
        found += piece
    return bytes(found)


class _Places:
    """A file that can be read anywhere, out of one that is opened from a place on."""

    def __init__(self, opens: Callable[[int], Opened], size: int) -> None:
        self.size = size
        self._opens = opens
        self._opened: Opened | None = None
        self._at = 0

    def read(self, place: int, length: int) -> bytes:
        """Read there; shorter only where it ends."""
        wanted = min(length, max(0, self.size - place))
        if not wanted:
            return b""
        opened = self._placed(place)
        found = bytearray()
        while len(found) < wanted and (piece := opened.read(wanted - len(found))):
            found += piece
        self._at += len(found)
        return bytes(found)

    def _placed(self, place: int) -> Opened:
        """Give what stands there: a short way ahead is read over, any other is opened anew."""
        if self._opened is None or not 0 <= place - self._at <= _AHEAD:
            self.let_go()
            self._opened, self._at = self._opens(place), place
        while self._at < place:
            skipped = self._opened.read(place - self._at)
            if not skipped:
                break
            self._at += len(skipped)
        return self._opened

    def let_go(self) -> None:
        """Close what is open; repeatable."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
