"""Reads strangers' JSON into one record a line; runs in the child process only.

The document is scanned once for where its records start and end (16 bytes of memory a record), then each record is
read and written by itself: memory is bounded by the largest record, and one record's failure never harms the next.
Before the records stands one line with the document's other small members, which adapters need for counts and pages.
"""

from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from node.errors import Malformed, TooLarge
from node.vocab.decode import Window, head_of, mapped, plain_copy, refuse_html
from node.vocab.json_scan import MAX_DEPTH, Members, NotJson, View, elements, end_of, loads, skip_space
from node.vocab.notes import Notes, Report, shorten

_MAX_MEMBER_BYTES = 64 << 10
_MAX_MEMBERS = 64
_MAX_RECORD_BYTES = 8 << 20
_MAX_NAME_BYTES = 1024
_FIX = "Whoever publishes the document must mend it."


@dataclass(slots=True)
class _Found:
    """Where the records are (start, end, depth in turn) and what stands around them."""

    spans: "array[int]" = field(default_factory=lambda: array("Q"))
    envelope: dict[str, Any] = field(default_factory=dict)

    def add(self, start: int, end: int, depth: int) -> None:
        self.spans.extend((start, end, depth))

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        parts = iter(self.spans)
        return zip(parts, parts, parts, strict=True)


class _NotThere(Exception):  # noqa: N818  (never leaves this module)
    """No list at this path."""


def read_json(path: Path, to: Path, scratch: Path, *, records: str) -> Report:
    """Write `path` as lines to `to`; see `Parser.json_to_lines` for what holds. `scratch` is a folder for copies."""
    refuse_html(head_of(path), "JSON")
    with mapped(plain_copy(path, scratch / "plain")) as view, to.open("wb") as out:
        return _Reader(view, out).read(records)


class _Reader:
    """One document being read."""

    def __init__(self, view: View, out: BinaryIO) -> None:
        self._view = view
        self._out = out
        self._notes = Notes()
        self._report = Report()

    def read(self, records: str) -> Report:
        start = skip_space(self._view, 0)
        if start >= len(self._view):
            raise Malformed("The document is empty.", fix="Check the address: it should give JSON.")
        try:
            self._read(start, records)
        except NotJson as error:
            raise self._no_json(error.at) from error
        self._report.findings = self._notes.findings()
        return self._report

    def _read(self, start: int, records: str) -> None:
        if "" in records.split("|") and self._view[start : start + 1] == b"{" and self._is_lines(start):
            self._write({})
            self._read_lines(start)
            return
        found = self._find(start, records)
        self._write(found.envelope)
        window = Window(self._view)
        for at, end, depth in found:
            window.passed(at)
            try:
                self._write(self._record(at, end, depth))
            except Malformed as error:
                raise NotJson(at) from error
            self._report.records += 1

    def _write(self, value: object) -> None:
        self._out.write(orjson.dumps(value) + b"\n")

    # Where the records are

    def _find(self, start: int, records: str) -> _Found:
        for path in records.split("|"):
            with suppress(_NotThere):
                found = _Found()
                end = self._descend(start, [key for key in path.split(".") if key], found, found.envelope)
                rest = skip_space(self._view, end)
                if rest < len(self._view):
                    raise NotJson(rest)
                return found
        raise self._no_list(start, records)

    def _descend(self, at: int, path: list[str], found: _Found, around: dict[str, Any]) -> int:
        """Follow the path from the value at `at`, filling `found`; gives the value's end."""
        first = self._view[at : at + 1]
        if not path:
            return self._collect(at, found)
        if first != b"{":
            raise _NotThere
        walk, there = Members(self._view, at), False
        for key, start in walk:
            if key == path[0] and not there:
                there = True
                inner: dict[str, Any] = {}
                walk.end = self._descend(start, path[1:], found, inner)
                if path[1:]:
                    around[key] = inner
            else:
                walk.end = self._keep(around, key, start)
        if not there:
            raise _NotThere
        return walk.closed

    def _collect(self, at: int, found: _Found) -> int:
        if self._view[at : at + 1] != b"[":
            if self._view[at : at + 1] != b"{" or at != skip_space(self._view, 0):
                raise _NotThere
            end, depth = end_of(self._view, at)
            found.add(at, end, depth)
            return end
        end = at
        for start, end, depth in elements(self._view, at):
            if depth >= 0:
                found.add(start, end, depth)
        return end

    def _keep(self, around: dict[str, Any], key: str, start: int) -> int:
        """Add a member to the envelope if it is small and there is room; gives where it ends."""
        end, depth = end_of(self._view, start)
        if end - start <= _MAX_MEMBER_BYTES and depth <= MAX_DEPTH and len(around) < _MAX_MEMBERS:
            with suppress(Malformed, TooLarge):
                around[key] = loads(self._view[start:end], self._notes)
        return end

    # One record

    def _record(self, at: int, end: int, depth: int) -> Any:  # noqa: ANN401  (JSON)
        if end - at > _MAX_RECORD_BYTES:
            return self._refused(at, "too-large", f"The record has {end - at} bytes, more than {_MAX_RECORD_BYTES}.")
        if depth > MAX_DEPTH:
            return self._refused(at, "too-deep", f"The record nests {depth} levels, more than {MAX_DEPTH}.")
        record = loads(self._view[at:end], self._notes)
        return record if isinstance(record, dict) else _no_object(record)

    def _refused(self, at: int, code: str, message: str) -> dict[str, Any]:
        """Name a record that cannot be given by its own short texts."""
        names: dict[str, Any] = {}
        if self._view[at : at + 1] == b"{":
            for key, start in Members(self._view, at):
                end, depth = end_of(self._view, start)
                if end - start <= _MAX_NAME_BYTES and depth == 0 and len(names) < _MAX_MEMBERS:
                    names[key] = loads(self._view[start:end], self._notes)
        return names | {"_refused": code, "_message": message}

    # JSON lines

    def _is_lines(self, start: int) -> bool:
        """Tell JSON lines by their first line being a whole object, or by another object after the first."""
        try:
            end, _ = end_of(self._view, start)
        except NotJson:
            return _line_end(self._view, start) < len(self._view) and self._is_object(
                start, _line_end(self._view, start)
            )
        return skip_space(self._view, end) < len(self._view) and _line_end(self._view, start) >= end

    def _is_object(self, start: int, end: int) -> bool:
        with suppress(Malformed, TooLarge):
            return isinstance(loads(self._view[start:end], Notes()), dict)
        return False

    def _read_lines(self, at: int) -> None:
        number, window = 0, Window(self._view)
        while at < len(self._view):
            end = _line_end(self._view, at)
            number += 1
            window.passed(at)
            if skip_space(self._view, at) < end:
                self._read_line(at, end, number)
            at = end + 1

    def _read_line(self, at: int, end: int, number: int) -> None:
        try:
            value_end, depth = end_of(self._view, skip_space(self._view, at))
            record = self._record(skip_space(self._view, at), min(end, max(value_end, end)), depth)
        except (NotJson, Malformed) as error:
            reason = (
                f"Line {number}: {error.message if isinstance(error, Malformed) else 'the line is no whole JSON value'}"
            )
            if skip_space(self._view, min(end + 1, len(self._view))) >= len(self._view):
                self._report.incomplete = reason
                return
            record = {"_refused": "malformed", "_message": reason}
        self._write(record)
        self._report.records += 1

    # What is wrong

    def _no_json(self, at: int) -> Malformed:
        """Say where it stops being JSON, as a real parser sees it if the document is small enough for one."""
        if len(self._view) <= _MAX_RECORD_BYTES:
            try:
                loads(self._view[:], Notes())
            except Malformed as error:
                return Malformed(f"No JSON. {error.message}", fix=_FIX)
        line = self._view[:at].count(b"\n") + 1
        return Malformed(f"No JSON. Line {line}: it stops being JSON here, or ends too early.", fix=_FIX)

    def _no_list(self, start: int, records: str) -> Malformed:
        wanted = " or ".join(path or "the top level" for path in records.split("|"))
        keys: list[str] = []
        if self._view[start : start + 1] == b"{":
            keys = [key for key, _ in Members(self._view, start)][:12]
        there = f"its members are {shorten(', '.join(keys))}" if keys else "it is no object"
        return Malformed(f"There is no list of records at {wanted}; {there}.", fix="Check the address and the kind.")


def _no_object(record: object) -> dict[str, str]:
    return {"_refused": "malformed", "_message": f"The record is no object but {shorten(str(record), 40)!r}."}


def _line_end(view: View, at: int) -> int:
    end = view.find(b"\n", at)
    return len(view) if end < 0 else end
