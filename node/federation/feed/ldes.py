"""A collection as a Linked Data Event Stream, as DCAT-AP Feeds wants it: what any European portal can follow.

Each entry that can be read is a member (`as:Create`, `as:Update`, `as:Delete`) named by its collection and seq; erased
ones are none. Pages hold a hundred seqs each and never grow once full; the root leads to them by time, beyond a hundred
pages by way of parts. A reading of the journals, of signed sizes only; knows no caller and writes no RDF syntax.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from node.db import Tx
from node.errors import NotFound
from node.federation.feed.feed import digest_shown, signed_size
from node.journal import Collection, Entry, Reader
from node.journal.entry import at_text
from node.vocab import trig
from node.vocab.ntriples import Triple, literal
from node.vocab.terms import AS, DCT, LDES, RDF, TREE, XSD
from node.vocab.trig import Member

PAGE = 100  # seqs a page
FAN = 100  # pages a part, and the most the root leads to directly
SHAPE_PATH = "/shapes/feed.ttl"
_TRUE = literal("true", datatype=XSD.boolean)


@dataclass(frozen=True, slots=True)
class Event:
    """One member before it is written: `digest` is empty for a withdrawal."""

    iri: str
    act: str
    record: str
    at_ms: int
    digest: str

    def about(self) -> tuple[Triple, ...]:
        """Say what happened to which record, and when."""
        me = f"<{self.iri}>"
        at = literal(at_text(self.at_ms), datatype=XSD.dateTime)
        return (
            (me, f"<{RDF.type}>", f"<{self.act}>"),
            (me, f"<{AS.object}>", f"<{self.record}>"),
            (me, f"<{AS.published}>", at),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """One document of the stream: what it says of itself, its members, and whether it is as it will stay."""

    head: tuple[Triple, ...]
    events: tuple[Event, ...]
    final: bool

    def tag(self, form: str) -> str:
        """Name the bytes it is written to; payloads are in it by their digests."""
        said = repr((self.head, self.events)).encode()
        return f"{hashlib.sha256(said).hexdigest()[:32]}-{trig.VERSIONS[form]}"


class Stream:
    """Reads collections as event streams. Safe in every thread; numbers of pages and parts count from 1."""

    def __init__(self, reader: Reader, base_url: str) -> None:
        """Read through the journals; documents stand below `base_url`."""
        self._reader = reader
        self._base = base_url

    def root(self, name: str) -> Node:
        """Give the view of a collection: where its pages are, by time. Raises NotFound."""
        with self._reader.db.read() as tx:
            return _View(self._reader, self._base, tx, name).root()

    def part(self, name: str, number: int) -> Node:
        """Give a part: where a hundred pages are. Raises NotFound."""
        with self._reader.db.read() as tx:
            return _View(self._reader, self._base, tx, name).part(number)

    def page(self, name: str, number: int) -> Node:
        """Give a page of members. Raises NotFound."""
        with self._reader.db.read() as tx:
            return _View(self._reader, self._base, tx, name).page(number)

    def member(self, name: str, seq: int) -> Node:
        """Give a single member. Raises NotFound, also for what was erased."""
        with self._reader.db.read() as tx:
            return _View(self._reader, self._base, tx, name).member(seq)

    def members(self, node: Node) -> Iterator[Member]:
        """Give a node's members ready to be written, in order; one that was erased meanwhile is left out."""
        for start in range(0, len(node.events), 10):
            events = node.events[start : start + 10]
            held = self._reader.store.some([event.digest for event in events if event.digest])
            for event in events:
                payload = held.get(event.digest)
                if payload is not None or not event.digest:
                    yield Member(event.iri, event.about(), payload)


class _View:
    """One collection's stream in one transaction."""

    def __init__(self, reader: Reader, base_url: str, tx: Tx, name: str) -> None:
        self._reader, self._tx, self._name = reader, tx, name
        self._collection: Collection = reader.get(tx, name)
        self._size = signed_size(tx, self._collection)
        self._pages = -(-self._size // PAGE)
        self._here = f"{base_url}/collections/{name}/feed"
        self._shape = base_url + SHAPE_PATH + "#Activity"
        self._stream = f"{self._collection.iri}/feed#stream"

    def root(self) -> Node:
        head = [*self._context(), (f"<{self._stream}>", f"<{DCT.title}>", literal(self._collection.title))]
        if self._pages <= FAN:
            links = [(f"{self._here}/pages/{n}", *self._span(n, n)) for n in range(1, self._pages + 1)]
        else:
            parts = range(1, -(-self._pages // FAN) + 1)
            links = [(f"{self._here}/parts/{n}", *self._span((n - 1) * FAN + 1, n * FAN)) for n in parts]
        return Node((*head, *self._relations(self._here, links)), (), final=False)

    def part(self, number: int) -> Node:
        first = (number - 1) * FAN + 1
        if number < 1 or first > self._pages:
            raise NotFound(f"The feed of {self._name} has no part {number}.", fix=f"It begins at {self._here}.")
        here, last = f"{self._here}/parts/{number}", min(number * FAN, self._pages)
        links = [(f"{self._here}/pages/{n}", *self._span(n, n)) for n in range(first, last + 1)]
        final = self._is_full(number * FAN)
        return Node((*self._context(here, final=final), *self._relations(here, links)), (), final)

    def page(self, number: int) -> Node:
        if not 1 <= number <= self._pages:
            raise NotFound(f"The feed of {self._name} has no page {number}.", fix=f"It begins at {self._here}.")
        here, final = f"{self._here}/pages/{number}", self._is_full(number)
        after = (number - 1) * PAGE
        events = self._events(after, min(number * PAGE, self._size))
        return Node((*self._context(here, final=final), *self._listed(events)), tuple(events), final)

    def member(self, seq: int) -> Node:
        events = self._events(seq - 1, seq) if 1 <= seq <= self._size else []
        if not events:
            raise NotFound(f"{self._name} has no entry {seq} that can be read.", fix=f"Its feed is at {self._here}.")
        page = f"{self._here}/pages/{-(-seq // PAGE)}"
        here = (f"<{events[0].iri}>", f"<{DCT.isPartOf}>", f"<{page}>")
        return Node((here,), tuple(events), final=True)

    def _is_full(self, number: int) -> bool:
        return number * PAGE <= self._size

    def _context(self, here: str = "", *, final: bool = False) -> list[Triple]:
        """Say which stream this is, how it is to be read, and what is kept: on every page, as DCAT-AP Feeds asks."""
        stream, root, kept = f"<{self._stream}>", f"<{self._here}>", f"<{self._here}#retention>"
        said = [
            (stream, RDF.type, f"<{LDES.EventStream}>"),
            (stream, LDES.timestampPath, f"<{AS.published}>"),
            (stream, LDES.versionOfPath, f"<{AS.object}>"),
            (stream, LDES.versionCreateObject, f"<{AS.Create}>"),
            (stream, LDES.versionUpdateObject, f"<{AS.Update}>"),
            (stream, LDES.versionDeleteObject, f"<{AS.Delete}>"),
            (stream, TREE.shape, f"<{self._shape}>"),
            (stream, TREE.view, root),
            (root, RDF.type, f"<{TREE.Node}>"),
            # More is held than that, but what was superseded may be erased: this much is sure.
            (root, LDES.retentionPolicy, kept),
            (kept, RDF.type, f"<{LDES.LatestVersionSubset}>"),
            (kept, LDES.amount, literal("1", datatype=XSD.integer)),
        ]
        if here:
            said += [(f"<{here}>", RDF.type, f"<{TREE.Node}>"), (f"<{here}>", DCT.isPartOf, root)]
        if final:
            said.append((f"<{here}>", LDES.immutable, _TRUE))
        return [(subject, f"<{predicate}>", value) for subject, predicate, value in said]

    def _listed(self, events: list[Event]) -> list[Triple]:
        return [(f"<{self._stream}>", f"<{TREE.member}>", f"<{event.iri}>") for event in events]

    def _relations(self, here: str, links: list[tuple[str, int, int, bool]]) -> list[Triple]:
        """Lead to other nodes by the times of their members; the upper bound only where no member will follow."""
        seqs = sorted({seq for _, first, last, _ in links for seq in (first, last)})
        at = {seq: literal(at_text(ms), datatype=XSD.dateTime) for seq, ms in self._times(seqs)}
        said: list[Triple] = []
        for node, first, last, full in links:
            mark = f"{here}#{'-'.join(node.rsplit('/', 2)[1:])}"
            bounds = [("from", TREE.GreaterThanOrEqualToRelation, at[first])]
            bounds += [("to", TREE.LessThanOrEqualToRelation, at[last])] if full else []
            for word, kind, value in bounds:
                relation = f"<{mark}-{word}>"
                said += [
                    (f"<{here}>", f"<{TREE.relation}>", relation),
                    (relation, f"<{RDF.type}>", f"<{kind}>"),
                    (relation, f"<{TREE.path}>", f"<{AS.published}>"),
                    (relation, f"<{TREE.value}>", value),
                    (relation, f"<{TREE.node}>", f"<{node}>"),
                ]
        return said

    def _span(self, first: int, last: int) -> tuple[int, int, bool]:
        """Give the first and last seq of some pages, and whether the last of them is full."""
        return (first - 1) * PAGE + 1, min(last * PAGE, self._size), self._is_full(last)

    def _times(self, seqs: list[int]) -> list[tuple[int, int]]:
        if not seqs:
            return []
        marks = ", ".join("?" * len(seqs))
        sql = f"SELECT seq, at FROM entry WHERE collection_id = ? AND seq IN ({marks})"  # noqa: S608 - marks only
        return [(int(row[0]), int(row[1])) for row in self._tx.rows(sql, self._collection.id, *seqs)]

    def _events(self, after: int, until: int) -> list[Event]:
        entries = self._reader.entries(self._tx, self._name, after=after, limit=until - after)
        here = self._held(after, until)
        return [event for entry in entries if (event := self._event(entry, here)) is not None]

    def _held(self, after: int, until: int) -> set[int]:
        """Tell which of these entries have their payload here."""
        sql = "SELECT e.seq FROM entry e JOIN payload p ON p.digest = e.digest WHERE e.collection_id = ?"
        rows = self._tx.rows(sql + " AND e.seq > ? AND e.seq <= ?", self._collection.id, after, until)
        return {int(row[0]) for row in rows}

    def _event(self, entry: Entry, here: set[int]) -> Event | None:
        opening = entry.opening
        held = entry.seq in here and digest_shown(entry)
        if opening is None or opening.op == "erase" or (opening.op == "put" and not held):
            return None
        act = AS.Delete
        if opening.op == "put":
            was = self._reader.digest_before(self._tx, self._name, entry)
            act = AS.Update if was else AS.Create
        # Ten digits, so that of two members of one time the later also sorts later: some readers go by that.
        iri = f"{self._collection.iri}/entries/{entry.seq:010d}"
        return Event(iri, act, opening.record, entry.at_ms, opening.digest)
