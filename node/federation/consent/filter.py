"""Rows of a part that pass while it streams: those whose key is among the allowed ones, and nothing else.

Reads an open source piece by piece and gives what is left as a source of its own, in memory that does not grow with
the file. What cannot be read as what it says it is ends the stream with an error at once: never are rows passed on
unread, and a reader always sees that the rest is missing. Which columns and forms there are is settled before the
first byte. The columnar libraries are loaded when a stream is filtered, not before.
"""

import json
import threading
from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import orjson

from node.errors import Stopped
from node.federation.consent.parquet_reading import Reading
from node.federation.consent.rows import CSV, JSONL, MAX_ROW, as_filtered, blocks, broken, form_of, unnamed
from node.federation.moving import Part, Source

# Opens a part anew from a byte on.
Opens = Callable[[int], AbstractContextManager[Source]]


class Filtered:
    """What is left of an open part, as a source. It takes the part's own source over, and lets go of it when closed."""

    def __init__(self, source: Source, column: str, allowed: Set[str], opens: Opens) -> None:
        """Let rows pass whose `column` holds one of the allowed keys.

        Args:
            source: The part, open at its first byte.
            column: Whom a row is about; for JSON lines the member of that name.
            allowed: Keys, as texts. A number in a row is compared as it is written.
            opens: Opens the same bytes from another position on, as Parquet needs it.

        Raises:
            NotAgreed: It has no rows, whoever reads it.
        """
        self.part = as_filtered(source.part)
        form = form_of(source.part)
        if not form:
            raise unnamed(f"{self.part.name} is neither CSV nor JSON lines nor Parquet")
        self._opened = _Opened(source, opens)
        self._pieces = _pieces(form, source.part, column, allowed, self._opened)
        self._rest = memoryview(b"")

    def read(self, most: int) -> bytes:
        """Give the next bytes, at most so many; empty at the end.

        Raises:
            ConsentUnknown: What came cannot be read as rows.
            NotAgreed: It names nobody by that column.
            Unavailable: The origin went away or changed.
        """
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        given, self._rest = self._rest[:most], self._rest[most:]
        return bytes(given)

    def close(self) -> None:
        """Let go of it; repeatable, and from any thread."""
        self._opened.close()


class _Opened:
    """The sources that were opened for one stream, so that all of them are let go."""

    def __init__(self, first: Source, opens: Opens) -> None:
        self._first = first
        self._opens = opens
        self._held = ExitStack()
        self._source: Source | None = None
        self._reading: Reading | None = None
        self._lock = threading.Lock()
        self._closed = False

    def first(self) -> Source:
        """Give the source that was open from the beginning."""
        return self._first

    def at(self, start: int) -> Source:
        """Open from a byte on, and let go of what was opened before. Raises Stopped once all was closed."""
        self._held.close()
        opened = self._held.enter_context(self._opens(start))
        with self._lock:
            self._source = opened
            closed = self._closed
        if closed:
            self._held.close()
            raise Stopped("The stream was closed.")
        return opened

    def reading(self, reading: Reading) -> Iterator[bytes]:
        """Give what a child reads, and end it with all else."""
        self._reading = reading
        return iter(reading)

    def close(self) -> None:
        """Let go of what is open; nothing is opened any more. From another thread, a read that blocks ends."""
        with self._lock:
            self._closed = True
            source = self._source
        if source is not None:
            source.close()
        self._first.close()
        if self._reading is not None:
            self._reading.close()


def _pieces(form: str, part: Part, column: str, allowed: Set[str], opened: _Opened) -> Iterator[bytes]:
    if form == JSONL:
        return json_rows(opened.first().read, column, allowed)
    if form == CSV:
        from node.federation.consent.filter_csv import csv_rows  # numpy and arrow: 0.2 s, and few streams need them

        return csv_rows(opened.first().read, column, allowed)
    if part.size is None:
        raise broken(f"the size of {part.name} is not known, and Parquet is read from its end")
    return opened.reading(Reading("rows", opened.at, part.size, column=column, allowed=allowed))


def json_rows(read: Callable[[int], bytes], column: str, allowed: Set[str]) -> Iterator[bytes]:
    """Give the lines that pass, as they came; one that names the person several times alike is written anew."""
    # Line by line: Arrow's reader skips empty lines, takes two objects in one line for two rows, and gives up where one
    # key is a number, so nobody could say that its rows are these lines.
    name = json.dumps(column, ensure_ascii=False).encode()
    has_rows = is_named = False
    for lines in _lines(read):
        has_rows = has_rows or any(line.strip() for line in lines)
        # A name that is spelt with escapes may be this one.
        is_named = is_named or any(name in line or b"\\" in line for line in lines)
        kept = [passed for line in lines if (passed := _passed(line, column, name, allowed))]
        if kept:
            yield b"".join(kept)
    if has_rows and not is_named:
        raise unnamed("no line of the part has their member")


def _passed(line: bytes, column: str, name: bytes, allowed: Set[str]) -> bytes:
    if not line.strip():
        return b""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise broken("a line is no JSON object") from error
    if not isinstance(row, dict):
        raise broken("a line is no JSON object")
    key = row.get(column)
    if isinstance(key, bool) or not isinstance(key, str | int) or str(key) not in allowed:
        return b""
    # A name may be spelt with escapes: then it is not found as it is written.
    if line.count(name) == 1 and b"\\u" not in line and b"\\/" not in line:
        return line
    return _passed_once(line, row, column)


def _passed_once(line: bytes, row: dict[str, Any], column: str) -> bytes:
    """Give a line of which nobody can say that it is about another person, if it is one.

    Of a member that is named twice some readers take the first, some the last: where these differ, whose row it is
    cannot be known.
    """
    try:
        members: list[tuple[str, object]] = json.loads(line, object_pairs_hook=list)
        said = [json.dumps(value) for name, value in members if name == column]
        if len(said) == 1:
            return line
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) if len(set(said)) == 1 else b""
    except (RecursionError, orjson.JSONEncodeError) as error:
        raise broken("a line has members too deep within others") from error


def _lines(read: Callable[[int], bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for piece in blocks(read):
        whole, newline, tail = piece.rpartition(b"\n")
        if not newline:
            rest += tail
        else:
            lines, rest = (rest + whole).split(b"\n"), tail
            yield [line + b"\n" for line in lines]
        if len(rest) > MAX_ROW:
            raise broken(f"a line has more than {MAX_ROW} bytes")
    if rest:
        yield [rest + b"\n"]
