"""What a record said before: its versions as its journal keeps them, and what changed from one to the next.

Changes are told by field, language and sentence, as its author wrote it and never as lines of a payload. A version
whose payload is gone (erased, or dropped after its time) is told with nothing to compare. Reads journals, writes
nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

import orjson

from node.errors import NotFound
from node.journal import Entry, Reader
from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Field, KindTable
from node.vocab.kinds.reading import said_in

MOST = 100
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
Op = Literal["same", "del", "ins"]


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a record; `said` is None where its payload is gone, and for a withdrawal."""

    collection: str
    seq: int
    at_ms: int
    op: str
    digest: str
    said: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in one place: the fields that lead there, outermost first, each with its number in a list (0: none).

    `pieces` are the sentences or values with what became of each; of codes they are the codes.
    """

    path: tuple[tuple[Field, int], ...]
    language: str
    pieces: tuple[tuple[Op, str], ...]

    @property
    def field(self) -> Field:
        """Give the field that holds the value."""
        return self.path[-1][0]


class Histories:
    """Reads what records said. Safe to share by threads."""

    def __init__(self, reader: Reader) -> None:
        """Read these journals."""
        self._reader = reader

    def of(self, table: KindTable, iri: str) -> list[Version]:
        """List the versions of a record of ours, the newest first; at most 100 of each collection."""
        found: list[tuple[str, Entry]] = []
        with self._reader.db.read() as tx:
            for each in self._reader.collections(tx):
                if not each.is_mirror:
                    entries = self._reader.of_record(tx, each.name, iri, limit=MOST)
                    found += [(each.name, entry) for entry in entries]
            digests = {entry.opening.digest for _, entry in found if entry.opening and entry.opening.digest}
            payloads = self._reader.payloads(tx, digests)
        versions = [_version(table, iri, name, entry, payloads) for name, entry in found]
        # The same moment in two collections is a move: it left the one and came into the other.
        return sorted(versions, key=lambda one: (one.at_ms, one.op == "put", one.seq), reverse=True)

    def said(self, table: KindTable, iri: str, collection: str, seq: int) -> dict[str, Any]:
        """Give what a version of a record said, to be taken up again: without the day on which it changed.

        Raises:
            NotFound: There is no such version, or its text is gone.
        """
        found = next((one for one in self.of(table, iri) if (one.collection, one.seq) == (collection, seq)), None)
        if found is None or found.said is None:
            raise NotFound(
                "There is no such version, or its text is gone.",
                fix="Look at the history again.",
            ).on_page("no.record.version")
        return {name: value for name, value in found.said.items() if name != "modified"}


def _version(table: KindTable, iri: str, name: str, entry: Entry, payloads: Mapping[str, bytes]) -> Version:
    opening = entry.opening
    assert opening is not None  # noqa: S101  (found by its record, which an erased entry has not)
    payload = payloads.get(opening.digest) if opening.op == "put" else None
    said = said_in(table, iri, payload) if payload is not None else None
    return Version(name, entry.seq, entry.at_ms, opening.op, opening.digest, said)


def changes(table: KindTable, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Tell what changed from one description to another, in the order of the table's fields."""
    return list(_changes(table.fields, before, after, ()))


def _changes(
    fields: Sequence[Field], before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[tuple[Field, int], ...]
) -> Iterator[Change]:
    for field in fields:
        old, new = before.get(field.name), after.get(field.name)
        if old == new or (is_missing(old) and is_missing(new)):
            continue
        if field.form == "group":
            yield from _of_groups(field, old, new, path)
        elif field.by_language and not field.many:
            yield from _of_texts(field, old, new, path)
        else:
            yield Change((*path, (field, 0)), "", _of_values(_spelt(field, old), _spelt(field, new)))


def _of_groups(field: Field, old: Any, new: Any, path: tuple[tuple[Field, int], ...]) -> Iterator[Change]:  # noqa: ANN401 (a group or several)
    if not field.many:
        yield from _changes(field.fields, old or {}, new or {}, (*path, (field, 0)))
        return
    for number, (one, other) in enumerate(_aligned(old or [], new or []), 1):
        if one != other:
            yield from _changes(field.fields, one, other, (*path, (field, number)))


def _aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Pair the groups that are the same, and those between them in their order."""
    matcher = SequenceMatcher(None, [_key(each) for each in old], [_key(each) for each in new], autojunk=False)
    for _, a0, a1, b0, b1 in matcher.get_opcodes():
        for offset in range(max(a1 - a0, b1 - b0)):
            yield (old[a0 + offset] if a0 + offset < a1 else {}, new[b0 + offset] if b0 + offset < b1 else {})


def _key(group: object) -> bytes:
    return orjson.dumps(group, option=orjson.OPT_SORT_KEYS)


def _of_texts(field: Field, old: Any, new: Any, path: tuple[tuple[Field, int], ...]) -> Iterator[Change]:  # noqa: ANN401 (texts)
    before, after = old or {}, new or {}
    for tag in dict.fromkeys([*before, *after]):
        one, other = str(before.get(tag, "")), str(after.get(tag, ""))
        if one != other:
            yield Change((*path, (field, 0)), tag, tuple(pieces(one, other)))


def pieces(before: str, after: str) -> Iterator[tuple[Op, str]]:
    """Compare two texts sentence by sentence; of what stayed, only the neighbours of a change are given."""
    old, new = _sentences(before), _sentences(after)
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (what, a0, a1, b0, b1) in enumerate(codes):
        if what == "equal":
            same = old[a0:a1]
            if len(same) > 2:
                first = [] if number == 0 else same[:1]
                last = [] if number == len(codes) - 1 else same[-1:]
                same = [*first, "…", *last]
            yield "same", " ".join(same)
            continue
        if a1 > a0:
            yield "del", " ".join(old[a0:a1])
        if b1 > b0:
            yield "ins", " ".join(new[b0:b1])


def _sentences(text: str) -> list[str]:
    return [each.strip() for each in _SENTENCE.split(text) if each.strip()]


def _spelt(field: Field, value: Any) -> list[str]:  # noqa: ANN401 (of any form)
    values = list(value) if isinstance(value, list | tuple) else [] if is_missing(value) else [value]
    if field.by_language:
        return [f"{text} ({tag})" for each in values for tag, text in each.items()]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _of_values(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[Op, str], ...]:
    gone: list[tuple[Op, str]] = [("del", each) for each in old if each not in new]
    return (*gone, *(("ins", each) for each in new if each not in old))
