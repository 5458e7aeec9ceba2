"""Where a page ended: opaque cursors, bound to the question they were given for. No index, no clock.

Sorted by change, title or quality, a cursor holds the last record's sort key, which no other record has, so pages stay
whole while the catalogue changes. Sorted by relevance it counts the documents passed in one generation of the index.
A cursor says nothing that its holder has not seen, so it is not signed; every value in it is checked.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from node.catalog.search.query import MAX_DEPTH, Query, Sort
from node.errors import Malformed

_MAX_CURSOR = 1_000
_KEYS: dict[Sort, type] = {"relevance": type(None), "changed": int, "quality": int, "title": str}


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a page: `passed` documents of the `generation`, or the sort key of the last one (text or number)."""

    generation: str
    passed: int = 0
    key: str | int | None = None


def written(query: Query, ended: Ended) -> str:
    """Spell a cursor for the question."""
    body = json.dumps([_mark(query), ended.generation, ended.passed, ended.key], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read(query: Query, sort: Sort) -> Ended | None:
    """Read the question's cursor; None if it has none. `sort` is the order that the answer is given in.

    Raises:
        Malformed: It is none of ours, or was given for another question.
    """
    if not query.cursor:
        return None
    mark, generation, passed, key = _parts(query.cursor)
    if mark != _mark(query) or not isinstance(key, _KEYS[sort]):
        raise Malformed(
            "The cursor belongs to another question.", fix="Follow the link to the next page as it was given."
        ).on_page("refuse.cursor")
    return Ended(generation, passed, key)


def _parts(cursor: str) -> tuple[str, str, int, str | int | None]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        body = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)) if len(cursor) < _MAX_CURSOR else []
    except (ValueError, binascii.Error, RecursionError):
        body = []
    match body:
        case [str() as mark, str() as generation, int() as passed, (str() | int() | None) as key] if (
            not isinstance(passed, bool)
            and not isinstance(key, bool)
            and 0 <= passed <= MAX_DEPTH
            and not (isinstance(key, int) and abs(key) >> 63)
        ):
            return mark, generation, passed, key
    raise Malformed(
        "The cursor cannot be read.", fix="Start at the first page, and follow the links as they are given."
    ).on_page("refuse.cursor")


def _mark(query: Query) -> str:
    """Name a question without its page: the same for every page of one answer."""
    told = [
        query.text,
        sorted((name, sorted(values)) for name, values in query.filters.items()),
        sorted((name, sorted(values)) for name, values in query.excluded.items()),
        query.bbox,
        query.place,
        query.period,
        query.changed_ms,
        query.entered_ms,
        sorted(query.iris),
        query.sort,
        query.reverse,
        query.grouped,
        query.language if query.sort == "title" else "",
    ]
    return hashlib.blake2s(json.dumps(told).encode(), digest_size=6).hexdigest()
