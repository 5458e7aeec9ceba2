"""Followers: readers of journals that keep something made of them, and a cursor for how far they have come.

Effect and cursor move in one transaction, so a crash leaves a follower behind but never wrong, and what was caught
up twice was applied once. Everything a follower keeps can be thrown away: `rebuild` gives what living gave.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from node.db import Tx
from node.journal.collection import Collection
from node.journal.entry import Entry
from node.journal.reading import Reader

BATCH = 500
Payloads = Callable[[Iterable[str]], dict[str, bytes]]


class Follower(Protocol):
    """Something that follows all journals.

    `apply` gets entries of one collection in order, without gaps, each once. An entry whose opening is None was
    erased and changes nothing. An `erase` entry changes no record's newest state either: what was kept *of* the
    entry `opening.target` must go. `payloads` gives payloads by digest; erased ones are missing.
    """

    @property
    def name(self) -> str:
        """A stable name for the cursor."""

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        """Take the entries in, writing through `tx` alone."""

    def clear(self, tx: Tx) -> None:
        """Forget everything, as before the first entry."""


def catch_up(reader: Reader, follower: Follower) -> int:
    """Apply everything committed that the follower has not seen; give the number of entries.

    Opens a transaction per 500 entries, so other writers get their turn. Takes no lock when there is nothing to do.
    """
    with reader.db.read() as tx:
        behind = [c.name for c in reader.collections(tx) if cursor(tx, follower, c) < c.size]
    return sum(_catch_up_with(reader, follower, name) for name in behind)


def _catch_up_with(reader: Reader, follower: Follower, name: str) -> int:
    total = 0
    while True:
        with reader.db.write() as tx:
            done = _step(tx, reader, follower, reader.get(tx, name))
        total += done
        if done < BATCH:
            return total


def catch_up_in(tx: Tx, reader: Reader, follower: Follower, name: str) -> int:
    """Apply everything of one collection, also what this transaction appended; give the number of entries."""
    collection, total = reader.get(tx, name), 0
    while True:
        done = _step(tx, reader, follower, collection)
        total += done
        if done < BATCH:
            return total


def rebuild(reader: Reader, follower: Follower) -> int:
    """Clear the follower and let it read everything again; give the number of entries.

    Clearing is one transaction and catching up many: until the end readers see a part, and a crash in between is
    mended by the next `catch_up`.
    """
    with reader.db.write() as tx:
        tx.lock(f"follower/{follower.name}")
        follower.clear(tx)
        tx.run("DELETE FROM cursor WHERE follower = ?", follower.name)
    return catch_up(reader, follower)


def cursor(tx: Tx, follower: Follower, collection: Collection) -> int:
    """Give the seq of the last entry the follower has applied; 0 before the first."""
    sql = "SELECT seq FROM cursor WHERE follower = ? AND collection_id = ?"
    row = tx.row(sql, follower.name, collection.id)
    return int(row[0]) if row else 0


def _step(tx: Tx, reader: Reader, follower: Follower, collection: Collection) -> int:
    tx.lock(f"follower/{follower.name}")
    seen = cursor(tx, follower, collection)
    entries = reader.entries(tx, collection.name, after=seen, limit=BATCH)
    if entries:
        follower.apply(tx, collection, entries, lambda digests: reader.payloads(tx, digests))
        sql = (
            "INSERT INTO cursor (follower, collection_id, seq) VALUES (?, ?, ?)"
            " ON CONFLICT (follower, collection_id) DO UPDATE SET seq = excluded.seq"
        )
        tx.run(sql, follower.name, collection.id, entries[-1].seq)
    return len(entries)
