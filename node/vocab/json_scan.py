"""Finds its way in JSON text without reading it into memory; runs in the child process only.

Works on bytes mapped from a file. Brackets and strings alone tell where a value ends and how deep it is nested, so a
list of a million records is cut into its records by one regular expression, and each is then read by a real parser.
What is no JSON is found by that parser, or by a bracket that is not where it must be.
"""

import json
import mmap
import re
from collections.abc import Iterator
from typing import Any

import orjson

from node.errors import Malformed, TooLarge
from node.vocab.decode import Window, decode
from node.vocab.notes import Notes

MAX_DEPTH = 64

View = mmap.mmap | bytes

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,\[\]{}":]++')
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_MAX_DIGITS = 18  # what surely fits into 64 bits
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPEN, _CLOSE = b"[{", b"]}"


class NotJson(Exception):  # noqa: N818  (says where, and is turned into Malformed by whoever knows the document)
    """A bracket, a comma or a value is missing at this byte."""

    def __init__(self, at: int) -> None:
        """Remember where."""
        super().__init__(at)
        self.at = at


def skip_space(view: View, at: int) -> int:
    """Give the place of the next byte that is no white space; the length of the view if there is none."""
    found = _SPACE.match(view, at)
    return found.end() if found else at


def end_of(view: View, at: int) -> tuple[int, int]:
    """Give where the value that starts at `at` ends, and how many levels it nests (0 for a text or a number)."""
    first = view[at : at + 1]
    if first and first in _OPEN:
        return _end_of_brackets(view, at)
    found = _STRING.match(view, at) if first == b'"' else _SCALAR.match(view, at)
    if found is None:
        raise NotJson(at)
    return found.end(), 0


def _end_of_brackets(view: View, at: int) -> tuple[int, int]:
    depth = deepest = 0
    while True:
        found = _TO_BRACKET.match(view, at)
        if found is None:
            raise NotJson(len(view))
        at = found.end()
        if found[1] in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
            if depth == 0:
                return at, deepest


def depth_of(view: View) -> int:
    """Give how many levels of brackets a whole text nests, good JSON or not."""
    depth = deepest = at = 0
    window = Window(view)
    while found := _TO_BRACKET.match(view, at):
        at = found.end()
        window.passed(at)
        depth += 1 if found[1] in _OPEN else -1
        deepest = max(deepest, depth)
    return deepest


def elements(view: View, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and depth of each value of the array that opens at `at`; last the array's own end, depth -1."""
    window = Window(view)
    at = skip_space(view, at + 1)
    if view[at : at + 1] == b"]":
        yield at + 1, at + 1, -1
        return
    while True:
        end, depth = end_of(view, at)
        yield at, end, depth
        window.passed(end)
        at = skip_space(view, end)
        mark = view[at : at + 1]
        if mark == b"]":
            yield at + 1, at + 1, -1
            return
        if mark != b",":
            raise NotJson(at)
        at = skip_space(view, at + 1)


class Members:
    """The members of the object that opens at `at`: iterating gives each key and where its value starts.

    Whoever follows a value into its depths sets `end` to where it ended, so that it is not gone through twice. After
    the last member `closed` is the place behind the object.
    """

    def __init__(self, view: View, at: int) -> None:
        """Look at nothing yet."""
        self._view = view
        self._at = at
        self.end = 0
        self.closed = at

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield key and start of value; raise NotJson where it is none."""
        at = skip_space(self._view, self._at + 1)
        mark = self._view[at : at + 1]
        while mark != b"}":
            key, start = self._member(at)
            self.end = 0
            yield key, start
            at = skip_space(self._view, self.end or end_of(self._view, start)[0])
            mark = self._view[at : at + 1]
            if mark == b",":
                at = skip_space(self._view, at + 1)
            elif mark != b"}":
                raise NotJson(at)
        self.closed = at + 1

    def _member(self, at: int) -> tuple[str, int]:
        key = _STRING.match(self._view, at)
        if key is None:
            raise NotJson(at)
        colon = skip_space(self._view, key.end())
        if self._view[colon : colon + 1] != b":":
            raise NotJson(colon)
        return str(loads(key.group(), Notes())), skip_space(self._view, colon + 1)


def _whole(digits: str) -> int | str:
    """Read a whole number; a longer one (an attack, or a code) stays text, as it was written."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def loads(body: bytes, notes: Notes) -> Any:  # noqa: ANN401  (JSON)
    """Read JSON; in a second try stray bytes, raw control characters, lone surrogates and NaN are mended and noted.

    Raises:
        Malformed: With line and column within `body`.
        TooLarge: Nested too deep for any parser.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value = json.loads(decode(body), strict=False, parse_constant=lambda _: None, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise Malformed(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise TooLarge("It is nested too deep.") from error
    notes.note("text-mended", "", "Characters or numbers that JSON may not have were mended")
    return _scrubbed(value)


def _scrubbed(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_scrubbed(each) for each in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _scrubbed(each) for key, each in value.items()}
    return value
