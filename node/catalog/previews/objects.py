"""JSON: a list of objects as rows, wherever it stands; one object a line as well.

Objects within objects are named with dots; what is deeper than that, and lists, stay as the text they are written with.
Of several lists the longest is taken. Pure work on values and lines; the limits are those of the child process.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from node.catalog.previews.cells import Book
from node.catalog.previews.values import CELL, COLUMNS, Preview, refused

_LOOKED_AT = 200
_LINE = 4 << 20
_DEEP = 4


def preview_lines(path: Path, *, deadline: float, whole: bool = True) -> Preview:
    """Look inside JSON lines. Raises Malformed."""
    with path.open("rb") as file:
        lines = _lines(file, whole=whole)
        head = [row for row, _ in zip(lines, range(_LOOKED_AT), strict=False)]
        if not any(head):
            raise refused("rows", "No line of it is an object.", fix="Write one JSON object a line.")
        return Preview("table", "JSON", _book(head, lines, deadline).table(whole=whole))


def _lines(file: Iterable[bytes], *, whole: bool) -> Iterator[Mapping[str, Any]]:
    for line in file:
        if not line.strip():
            continue
        if len(line) > _LINE:
            raise refused("json", "One of its lines is longer than 4 MiB.", fix="Write one object a line.")
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            if whole:
                raise refused(
                    "json", f"One of its lines is no JSON: {error}.", fix="Write one object a line."
                ) from error
            return
        if isinstance(row, dict):
            yield row


def preview(document: object, *, deadline: float) -> Preview:
    """Look inside a JSON document that was read. Raises Malformed where it has no list of objects."""
    rows = _list_in(document, _DEEP)
    if not any(rows):
        raise refused(
            "rows", "It has no list of objects, so there are no rows to show.", fix="Nothing is wrong with it."
        )
    return Preview("table", "JSON", _book(rows[:_LOOKED_AT], iter(rows[_LOOKED_AT:]), deadline).table())


def table_of(rows: Iterator[Mapping[str, Any]], *, deadline: float) -> Book:
    """Give the table of objects that are one like the other, such as the properties of features."""
    return _book(list(itertools.islice(rows, _LOOKED_AT)), rows, deadline)


def _list_in(value: object, depth: int) -> list[dict[str, Any]]:
    """Find the longest list of objects, near the top first."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    if not isinstance(value, dict) or depth == 0:
        return []
    found = [_list_in(each, depth - 1) for each in value.values() if isinstance(each, list | dict)]
    return max(found, key=len, default=[])


def _book(head: Sequence[Mapping[str, Any]], rest: Iterable[Mapping[str, Any]], deadline: float) -> Book:
    names = list(dict.fromkeys(name for row in head for name in flat(row)))
    book = Book(names, deadline=deadline)
    for rows in (head, rest):
        book.read(([told.get(name, "") for name in names[:COLUMNS]] for told in map(flat, rows)), blank=True)
    return book


def flat(row: Mapping[str, Any]) -> dict[str, str]:
    """Write an object as cells; one within it by names with a dot."""
    cells: dict[str, str] = {}
    for name, value in row.items():
        inner = value.items() if isinstance(value, dict) and len(value) <= 20 else ()
        if inner:
            cells |= {f"{name}.{below}": _text(each) for below, each in inner}
        else:
            cells[name] = _text(value)
    return cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, dict | list):
        return str(value)[: 2 * CELL]
    try:
        return orjson.dumps(value).decode()[: 2 * CELL]
    except TypeError:  # a number or a character that only the other reader takes
        return json.dumps(value)[: 2 * CELL]
