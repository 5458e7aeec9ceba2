"""Keeps what is known of quality level with the shelf, record by record, and notes once a day how everything is.

A reading that lives in the database: its position, what it found and which links it saw are written in one
transaction, and thrown away if somebody else was faster. When a link begins or ceases to answer its records are
touched, so they pass here again. Search comes after it and knows the points; where search has gone ahead, since there
was much to measure, a record whose points changed is touched, so that search reads it again. That ends: when it passes
here again its points are the same. Reads the shelf and what is known of links; writes through `store` and `links`.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.catalog.quality import links, store
from node.catalog.quality.assess import Link, Measurable, measurable
from node.catalog.quality.links import Links, Named
from node.catalog.quality.metrics import comparable, points_of
from node.catalog.quality.store import DAY_MS, Found, Qualities
from node.catalog.quality.summary import Summary, summary_of
from node.catalog.readings import ReadingStatus, State
from node.catalog.shelf import Held, Shelf
from node.catalog.touched import Change, Touched, position, save_position, touch
from node.db import Database, Tx
from node.errors import NodeError
from node.vocab import ntriples

BATCH = 500
SLICE = 5_000  # records measured at one go, so that what comes after it never waits for a million
_NOTE_MS = 300_000  # the least time between two notes of one day


@dataclass(frozen=True, slots=True)
class _Looked:
    """One change, looked at: nothing found where the record is gone or of a kind that is not measured."""

    change: Change
    found: Found | None
    links: list[Link]


class QualityKeeper:
    """The reading `quality`. Safe to call from several processes: whoever comes second does its work again."""

    name = "quality"

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        touched: Touched,
        *,
        clock_ms: Callable[[], int],
        searched: Callable[[], int] = lambda: 0,
    ) -> None:
        """Read nothing yet; `searched` tells up to which change search has read, or may be reading just now."""
        self._db = db
        self._shelf = shelf
        self._touched = touched
        self._links = Links(db.hot())
        self._qualities = Qualities(db.hot())
        self._clock_ms = clock_ms
        self._searched = searched
        self._noted: tuple[int, int] = (-1, -1)  # day, position
        self._noted_ms = 0

    def catch_up(self, stop: threading.Event) -> int:
        """Measure what changed since, at most a slice of it; give the number of records. Ends soon after `stop`."""
        at, count = self._qualities.position(), 0
        if at > self._touched.newest():
            self._restart()
            at = 0
        while not stop.is_set() and count < SLICE:
            changes = self._touched.after(at, BATCH)
            if not changes:
                self._note(at)
                break
            looked = self._look(changes)
            if self._save(looked, at, changes[-1].n):
                count += len(changes)
            at = self._qualities.position()
        return count

    def rebuild(self, stop: threading.Event) -> int:
        """Measure every record anew; what is known of links, and the days, stay."""
        self._restart()
        count = 0
        while measured := self.catch_up(stop):
            count += measured
        if not stop.is_set():
            with self._db.write() as tx:
                store.drop_doubted(tx)
                links.sweep(tx)
        return count

    def status(self) -> ReadingStatus:
        """Say how it stands."""
        try:
            at, newest, records = self._qualities.position(), self._touched.newest(), self._qualities.size()
        except NodeError as error:
            return ReadingStatus(self.name, "unreachable", 0, 0, 0, 0, str(error))
        state: State = "level" if at == newest else "behind"
        return ReadingStatus(self.name, state, at, newest, records, 0)

    def _restart(self) -> None:
        with self._db.write() as tx:
            tx.lock(self.name)
            store.doubt(tx)
            links.clear(tx)
            save_position(tx, self.name, 0)

    def _look(self, changes: Sequence[Change]) -> list[_Looked]:
        """Measure records, and what they name; nothing is written."""
        helds = [change.held for change in changes if change.held is not None]
        payloads = dict(zip(helds, self._shelf.readable(helds), strict=True))
        said = [_read(change, payloads) for change in changes]
        answers = self._links.answers(link.url for each in said if each for link in each.links)
        now_ms = self._clock_ms()
        looked = []
        for change, each in zip(changes, said, strict=True):
            if change.held is None or each is None:
                looked.append(_Looked(change, None, []))
                continue
            found = Found(change.collection_id, change.record_key, each.marks(answers), change.held.digest, now_ms)
            looked.append(_Looked(change, found, each.links))
        return looked

    def _save(self, looked: Sequence[_Looked], at: int, to: int) -> bool:
        """Write it all and the new position; False if somebody else has moved it meanwhile."""
        now_ms = self._clock_ms()
        with self._db.write() as tx:
            tx.lock(self.name)
            if position(tx, self.name) != at:
                return False
            same = _unchanged(tx, looked)
            changed = self._changed(tx, looked)
            early = self._read_too_early(changed)
            store.save(tx, [each.found for each in looked if each.found])
            store.remove(tx, [(e.change.collection_id, e.change.record_key) for e in looked if not e.found])
            named = [Named(e.change.collection_id, e.change.record_key, e.links) for e in looked]
            links.note(tx, [each for each in named if (each.collection_id, each.record_key) not in same], now_ms=now_ms)
            save_position(tx, self.name, to)
            touch(tx, _records(early))
        # Search in another process (a command) may have read the old points while the new ones were being written.
        if late := [change for change in self._read_too_early(changed) if change not in early]:
            with self._db.write() as tx:
                touch(tx, _records(late))
        return True

    def _changed(self, tx: Tx, looked: Sequence[_Looked]) -> list[Change]:
        """Give the changes of records that have other points now than were written of them, or none any more."""
        there = [each for each in looked if each.change.held is not None]
        before = self._qualities.points(tx, [(each.change.collection_id, each.change.record_key) for each in there])
        return [
            each.change
            for each in there
            if before.get((each.change.collection_id, each.change.record_key))
            != (comparable(*points_of(each.found.marks)) if each.found else None)
        ]

    def _read_too_early(self, changed: Sequence[Change]) -> list[Change]:
        """Give those that search has read, or may be reading."""
        if not changed:
            return []
        searched = self._searched()
        return [change for change in changed if change.n <= searched]

    def _note(self, at: int) -> None:
        """Note how everything is today, once a day and now and then in between."""
        now_ms = self._clock_ms()
        day = now_ms // DAY_MS
        early = day == self._noted[0] and 0 <= now_ms - self._noted_ms < _NOTE_MS
        if early or (day, at) == self._noted:
            return
        summaries = self._summaries()
        with self._db.write() as tx:
            store.save_day(tx, day, summaries)
        self._noted, self._noted_ms = (day, at), now_ms

    def _summaries(self) -> dict[str, Summary]:
        found = {f"collection:{name}": counts for name, counts in self._qualities.counts().items()}
        found |= {f"source:{name}": counts for name, counts in self._qualities.counts_of_sources().items()}
        return {subject: summary_of(counts) for subject, counts in found.items()}


def _records(changes: Sequence[Change]) -> list[tuple[int, int, str]]:
    return [(change.collection_id, change.record_key, change.iri) for change in changes]


def _read(change: Change, payloads: dict[Held, bytes]) -> Measurable | None:
    """Read a record; None if it is gone, erased, or not measured."""
    if change.held is None or not payloads[change.held]:
        return None
    return measurable(change.held.kind, change.iri, ntriples.triples_of(payloads[change.held]))


def _unchanged(tx: Tx, looked: Sequence[_Looked]) -> set[tuple[int, int]]:
    """Give the keys of records whose payload is the one that was measured last: they name what they named."""
    found: set[tuple[int, int]] = set()
    by_collection: dict[int, dict[int, str]] = {}
    for each in looked:
        if each.found:
            by_collection.setdefault(each.found.collection_id, {})[each.found.record_key] = each.found.digest
    for collection_id, digests in by_collection.items():
        keys = list(digests)
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT record_key, digest FROM quality WHERE collection_id = ? AND record_key IN ({marks})"  # noqa: S608
        found |= {(collection_id, key) for key, digest in tx.rows(sql, collection_id, *keys) if digests[key] == digest}
    return found
