"""The two shapes in which records stand in a triple store (formats.md 8), and how a change of records changes it.

`ByRecord` is the public store: one graph per record, named by the record's document at its origin, so that a change
replaces a graph. `ByCollection` is the restricted one: one graph per collection, so that a caller's rights are a short
list of graphs; there a triple goes when no other record of the collection asserts it. Both note in the book what is to
be written before it is written (`take`), write it (`write`), and cross it out.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from node.catalog.graph import writing
from node.catalog.graph.book import Book, Key, Place
from node.catalog.graph.writing import Part
from node.catalog.shelf import Held
from node.errors import Refuted
from node.outbound.engine import Engine
from node.records import KINDS

_logger = logging.getLogger("citynode.graph")
_PENDING = 20_000

Payloads = Callable[[list[str]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Of:
    """A collection, as far as a store needs it."""

    id: int
    name: str
    iri: str
    visibility: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to look at again: where it is to stand from now on, None for nowhere."""

    key: Key
    of: Of
    held: Held | None


class Shape(Protocol):
    """One of the two."""

    @property
    def mends(self) -> bool:
        """Tell whether writing a record once more puts right whatever the store held of it."""

    def shows(self, visibility: str) -> bool:
        """Tell whether collections of a visibility stand in this store."""

    def take(self, book: Book, wanted: Sequence[Wanted], *, doubted: bool = False) -> set[int]:
        """Note in the book what these records change; give the collections that must be read anew as a whole.

        With `doubted`, the store may hold something else than the book says, also where nothing changed.
        """

    def write(self, book: Book, engine: Engine, *, empty: bool) -> None:
        """Write what is noted and cross it out; `empty` if nothing of it was ever in the store. Raises Unavailable."""

    def drop(self, book: Book, engine: Engine, of: Of) -> None:
        """Take out all of a collection. Raises Unavailable."""


class ByRecord:
    """The public store."""

    mends = True

    def __init__(self, payloads: Payloads) -> None:
        """Read payloads by digest."""
        self._payloads = payloads

    def shows(self, visibility: str) -> bool:
        """Show what is public."""
        return visibility == "public"

    def take(self, book: Book, wanted: Sequence[Wanted], *, doubted: bool = False) -> set[int]:
        """Note which graphs change; a record that is as it was changes none."""
        before = book.places([each.key for each in wanted])
        for each in wanted:
            old, new = before.get(each.key), _place(each)
            if old != new or doubted:
                book.put(each.key, new)
                book.unsettle({place.graph for place in (old, new) if place})
        return set()

    def write(self, book: Book, engine: Engine, *, empty: bool) -> None:
        """Write each graph anew from all records that stand in it: two collections may name one document."""
        graphs = book.unsettled()
        digests = {graph: book.in_graph(graph) for graph in graphs}
        found = _readable(self._payloads, sorted({digest for some in digests.values() for digest in some}))
        parts = [
            Part(graph, b"".join(found.get(digest, b"") for digest in digests[graph]), instead=not empty)
            for graph in graphs
        ]
        (writing.add if empty else writing.write)(engine, parts)
        with book.changed():
            book.settle(graphs)

    def drop(self, book: Book, engine: Engine, of: Of) -> None:
        """Take out the graphs of all records of a collection."""
        keys = book.of(of.id)
        for start in range(0, len(keys), 500):
            with book.changed():
                self.take(book, [Wanted((of.id, key), of, None) for key in keys[start : start + 500]])
            self.write(book, engine, empty=False)


def _place(wanted: Wanted) -> Place | None:
    held = wanted.held
    if held is None:
        return None
    graph = f"{wanted.of.iri.rpartition('/collections/')[0]}/{KINDS.get(held.kind, held.kind)}/{held.slug}"
    if not writing.is_graph(graph):
        _logger.warning("no graph can be named so: %.300r", graph)
        return None
    return Place(graph, held.digest)


class ByCollection:
    """The restricted store."""

    mends = False

    def __init__(self, payloads: Payloads) -> None:
        """Read payloads by digest."""
        self._payloads = payloads

    def shows(self, visibility: str) -> bool:
        """Show what is not public, of which the caller's rights name the graphs."""
        return visibility != "public"

    def take(self, book: Book, wanted: Sequence[Wanted], *, doubted: bool = False) -> set[int]:  # noqa: ARG002
        """Note which triples come and go, counting who asserts them.

        What a record asserted is read from its old payload. If that was erased meanwhile, nobody knows any more what
        it was: its collection has to be read anew.
        """
        before = book.places([each.key for each in wanted])
        changes = [(each, before.get(each.key)) for each in wanted if _changed(each, before.get(each.key))]
        digests = {each.held.digest for each, _ in changes if each.held} | {old.digest for _, old in changes if old}
        found = _readable(self._payloads, sorted(digests))
        lost = {each.of.id for each, old in changes if old and not found.get(old.digest)}
        by_collection: dict[int, list[tuple[Wanted, Place | None]]] = {}
        for each, old in changes:
            if each.of.id not in lost and writing.is_graph(each.of.iri):
                by_collection.setdefault(each.of.id, []).append((each, old))
        for collection_id, some in by_collection.items():
            self._count(book, collection_id, some, found)
        return lost

    def _count(
        self, book: Book, collection_id: int, some: Sequence[tuple[Wanted, Place | None]], found: Mapping[str, bytes]
    ) -> None:
        difference: Counter[int] = Counter()
        lines: dict[int, bytes] = {}
        for each, old in some:
            for payload, step in ((found.get(old.digest, b"") if old else b"", -1), (_new(each, found), 1)):
                for line in set(payload.split(b"\n")) - {b""}:
                    hashed = _hash(line)
                    lines[hashed] = line
                    difference[hashed] += step
            book.put(each.key, Place("", each.held.digest) if each.held else None)
        moved = [hashed for hashed, number in difference.items() if number]
        times = book.times(collection_id, moved)
        after = {hashed: times.get(hashed, 0) + difference[hashed] for hashed in moved}
        graph = some[0][0].of.iri
        gone = [(graph, True, lines[each]) for each in moved if times.get(each, 0) > 0 >= after[each]]
        come = [(graph, False, lines[each]) for each in moved if times.get(each, 0) <= 0 < after[each]]
        book.pend([*gone, *come])
        book.count_said(collection_id, after)

    def write(self, book: Book, engine: Engine, *, empty: bool) -> None:
        """Write the noted triples in their order."""
        while rows := book.pending(_PENDING):
            (writing.add if empty and not any(row[2] for row in rows) else writing.write)(engine, _joined(rows))
            with book.changed():
                book.done(rows[-1][0])

    def drop(self, book: Book, engine: Engine, of: Of) -> None:
        """Take out a collection's graph."""
        self.write(book, engine, empty=False)
        if writing.is_graph(of.iri):
            writing.write(engine, [Part(of.iri, b"", instead=True)])
        with book.changed():
            book.forget(of.id)


def _changed(wanted: Wanted, old: Place | None) -> bool:
    return (wanted.held.digest if wanted.held else "") != (old.digest if old else "")


def _new(wanted: Wanted, found: Mapping[str, bytes]) -> bytes:
    return found.get(wanted.held.digest, b"") if wanted.held else b""


def _hash(line: bytes) -> int:
    return int.from_bytes(blake2b(line, digest_size=8).digest(), "big", signed=True)


def _joined(rows: Sequence[tuple[int, str, bool, bytes]]) -> list[Part]:
    """Join neighbours that do the same to the same graph, so that the order stays; in parts of a bounded size."""
    parts: list[tuple[str, bool, list[bytes]]] = []
    for _, graph, gone, triple in rows:
        if not parts or parts[-1][:2] != (graph, gone) or len(parts[-1][2]) >= 2_000:
            parts.append((graph, gone, []))
        parts[-1][2].append(triple + b"\n")
    return [Part(graph, b"".join(lines), gone=gone) for graph, gone, lines in parts]


def _readable(payloads: Payloads, digests: list[str]) -> Mapping[str, bytes]:
    """Read payloads; one that is damaged in the journal's store is left out, and does not hold up the others."""
    try:
        return payloads(digests)
    except Refuted:
        found: dict[str, bytes] = {}
        for digest in digests:
            try:
                found |= payloads([digest])
            except Refuted as error:
                _logger.warning("a payload is damaged and left out: %s", error)
        return found
