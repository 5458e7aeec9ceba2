"""Walks through JSON too large to be read at once: arrays value by value, nests of numbers in pieces of a megabyte.

Builds on the scanner of the vocabulary (`json_scan`) and adds what city models are made of: nests of arrays that hold
nothing but numbers. Those are flattened and read by a real parser, a megabyte at a time, so that memory does not follow
the file and their brackets cost no Python. Works on bytes mapped from a file; runs in the child process only.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from node.catalog.models.tally import Budget
from node.errors import TooLarge
from node.vocab.decode import Window
from node.vocab.json_scan import NotJson, View, end_of, loads, skip_space
from node.vocab.notes import Notes

_PIECE = 1 << 20
_BRACKETS = (b"[", b"{")
_VALUE_BYTES = 1 << 20
_NUMBERS = re.compile(rb"[\s\d,\[\]+\-.eEnul]*+")
_FLAT = bytes.maketrans(b"[]", b"  ")
_EMPTY = re.compile(rb"\[\s*\]")
# Numbers that no float holds, which the parser would not call numbers.
_ENDLESS = re.compile(rb"\b\d{300,}+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b\d+(?:\.\d+)?[eE]\+?\d{3,}")
_OPENING = re.compile(rb"(?:\[\s*)*+")
_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_SPACE = rb"[ \t\r\n]*+"
_KEY = rb'"((?:[^"\\]++|\\.)*+)"' + _SPACE + rb":" + _SPACE
# What stands before a member: its key, or the end of the object instead.
_FIRST = re.compile(_SPACE + rb"(?:(\})|" + _KEY + rb")", re.DOTALL)
_NEXT = re.compile(_SPACE + rb"(?:(\})|," + _SPACE + _KEY + rb")", re.DOTALL)
_PLAIN = re.compile(rb'"([^"\\\x00-\x1f\x80-\xff]*+)"')
# What may stand at the end of a document that is cut off behind a value or within a key.
_CUT = re.compile(rb'[ \t\r\n]*+,?+[ \t\r\n]*+(?:"(?:[^"\\]++|\\.)*+(?:\\?|"[ \t\r\n]*+:?[ \t\r\n]*+))?\Z', re.DOTALL)


def _nest(levels: int) -> bytes:
    """Write the expression for brackets nested up to so many levels, whatever else is in them."""
    inner = b"|" + _nest(levels - 1) if levels > 1 else b""
    return rb'[\[{](?:[^"\[\]{}]++|' + _TEXT + inner + rb")*+[\]}]"


# One expression finds the end of almost any value; what nests deeper is gone through bracket by bracket.
_NEST = re.compile(_nest(7), re.DOTALL)


class NotNumbers(Exception):  # noqa: N818  (never leaves the readers)
    """An array that should hold numbers alone holds something else."""


class Walk:
    """One document being walked through."""

    def __init__(self, view: View, budget: Budget) -> None:
        """Look at nothing yet."""
        self.view = view
        self.budget = budget
        self.notes = Notes()
        self._window = Window(view)

    def passed(self, at: int) -> None:
        """Say that nothing before this byte is needed again; and look at the clock."""
        self.budget.check()
        self._window.passed(at)

    def first(self, at: int) -> bytes:
        """Give the byte at a place, empty at the end."""
        return self.view[at : at + 1]

    def skip(self, at: int) -> int:
        """Give where the value that starts here ends; raise NotJson where none does."""
        found = _NEST.match(self.view, at) if self.first(at) in _BRACKETS else None
        if found:
            return found.end()
        try:
            return end_of(self.view, at)[0]
        except NotJson as error:
            raise self.broken(error.at) from error

    def value(self, at: int) -> tuple[Any, int]:
        """Read a small value; gives it and where it ends.

        Raises:
            TooLarge: More than a megabyte, or nested too deep.
            Malformed: No JSON.
        """
        if plain := _PLAIN.match(self.view, at):
            return plain[1].decode(), plain.end()
        end = self.skip(at)
        if end - at > _VALUE_BYTES:
            raise TooLarge(f"It has {end - at} bytes, more than {_VALUE_BYTES}.")
        return loads(self.view[at:end], self.notes), end

    def broken(self, at: int) -> NotJson:
        """Say that it stops being JSON here; at the end of the document if all that is wrong is that it is cut off."""
        return NotJson(len(self.view) if _CUT.match(self.view, at) else at)

    def place(self, at: int) -> str:
        """Say where a byte is, for people: line and column."""
        lines = last = 0
        for start in range(0, at, _PIECE):
            piece = self.view[start : min(start + _PIECE, at)]
            found = piece.count(b"\n")
            if found:
                lines, last = lines + found, start + piece.rfind(b"\n") + 1
        return f"line {lines + 1}, column {at - last + 1}"

    def depth_at(self, at: int) -> int:
        """Count the brackets that open, one behind the other, at a place."""
        found = _OPENING.match(self.view, at, at + 256)
        return found.group().count(b"[") if found else 0


class Members:
    """The members of the object that opens at `at`: iterating gives each key and where its value starts.

    Whoever follows a value into its depths sets `end` to where it ended, so that it is not gone through twice. After
    the last member `closed` is the place behind the object. `twice` is told every key that stands a second time.
    """

    def __init__(self, walk: Walk, at: int, *, twice: Callable[[str], None] | None = None) -> None:
        """Look at nothing yet."""
        self._walk = walk
        self._at = at
        self._twice = twice
        self.end = 0
        self.closed = at

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield key and start of value; raise NotJson where it is none."""
        view, at, seen, twice = self._walk.view, self._at + 1, set[bytes](), self._twice
        before = _FIRST
        while True:
            found = before.match(view, at)
            if found is None:
                raise self._walk.broken(at)
            if found[1]:
                self.closed = found.end()
                return
            key, start, self.end, before = found[2], found.end(), 0, _NEXT
            if twice is not None:
                if key in seen:
                    twice(self._key(key))
                seen.add(key)
            yield self._key(key), start
            at = self.end or self._walk.skip(start)

    def _key(self, text: bytes) -> str:
        if b"\\" not in text:
            try:
                return text.decode()
            except UnicodeDecodeError:
                pass
        return str(loads(b'"' + text + b'"', self._walk.notes))


class Items:
    """The values of the array that opens at `at`: iterating gives each one's number and where it starts.

    Like `Members`: whoever knows where a value ended sets `end`. After the last value `closed` is behind the array.
    """

    def __init__(self, walk: Walk, at: int) -> None:
        """Look at nothing yet."""
        self._walk = walk
        self._at = at
        self.end = 0
        self.closed = at

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield number and start of value; raise NotJson where it is none."""
        view = self._walk.view
        at = skip_space(view, self._at + 1)
        number = 0
        while self._walk.first(at) != b"]":
            self.end = 0
            yield number, at
            number += 1
            at = skip_space(view, self.end or self._walk.skip(at))
            mark = self._walk.first(at)
            if mark == b",":
                at = skip_space(view, at + 1)
            elif mark != b"]":
                raise self._walk.broken(at)
        self.closed = at + 1


class Numbers:
    """A nest of arrays of numbers and nulls, flattened, in pieces; then `end` is behind it and `opened` its brackets.

    Iterating raises NotNumbers where there is something else in it, and NotJson where it is no JSON.
    """

    def __init__(self, walk: Walk, at: int) -> None:
        """Look at nothing yet."""
        self._walk = walk
        self._at = at
        self.end = at
        self.opened = 0

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield the numbers of each piece; integers past 64 bits come as floats, what no float holds as 1e300."""
        for at, piece in self.pieces():
            yield _flat(at, piece)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield start and text of each piece, cut at commas."""
        at, depth, view = self._at, 0, self._walk.view
        while True:
            stop = _stop(view, at)
            ends = stop - at < _PIECE
            piece = view[at:stop]
            cut = piece.rfind(b"]" if ends else b",") + 1
            piece = piece[:cut]
            opened = piece.count(b"[")
            depth += opened - piece.count(b"]")
            self.opened += opened
            if not cut or depth < 0 or (ends and depth):
                raise NotNumbers
            self.end = at + cut
            yield at, piece
            self._walk.passed(at)
            if depth == 0:
                self.end = at + piece.rfind(b"]") + 1
                return
            at += cut


def _stop(view: View, at: int) -> int:
    found = _NUMBERS.match(view, at, at + _PIECE)
    return found.end() if found else at


def _flat(at: int, piece: bytes) -> list[Any]:
    try:
        return _parsed(piece)
    except orjson.JSONDecodeError:
        pass
    try:
        return _parsed(_ENDLESS.sub(b"1e300", _EMPTY.sub(b"null", piece)))
    except orjson.JSONDecodeError as error:
        raise NotJson(at) from error


def _parsed(piece: bytes) -> list[Any]:
    # A piece that is not the last is cut behind a comma.
    text = piece.removesuffix(b",").translate(_FLAT)
    values: list[Any] = orjson.loads(b"[" + text + b"]")
    return values
