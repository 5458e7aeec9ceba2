"""Followers: readers of journals that keep something made of them, and a cursor for how far they have come.

Effect and cursor move in one transaction, so a crash leaves a follower behind but never wrong, and what was caught
up twice was applied once. Everything a follower keeps can be thrown away: `rebuild` gives what living gave, also of
a mirror, where stubs are filled late and an erasure may take what a record stood on.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from node.db import Tx
from node.journal.collection import Collection
from node.journal.entry import Entry, Opening
from node.journal.reading import Reader, newest_of

BATCH = 500
Payloads = Callable[[Iterable[str]], dict[str, bytes]]


class Follower(Protocol):
    """Something that follows all journals.

    `apply` gets entries of one collection in order, without gaps, each once. An entry whose opening is None was
    erased (or in a mirror withheld or refused) and changes nothing. Of an `erase` entry what was kept *of* the entry
    `opening.target` must go; in a mirror a record may have stood on it, and then stands on what `newest_of` gives. A
    put with `refused` has no payload here, and its record is not kept. `payloads` gives payloads by digest; erased
    ones are missing. The newest entry of a record may come again, alone: see `late_in`.
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


def keep_up_in(tx: Tx, reader: Reader, follower: Follower, collection: Collection, entries: Sequence[Entry]) -> None:
    """Let a follower take in entries that this transaction has written, without reading them again.

    One that lags behind them catches up as `catch_up_in` does.
    """
    tx.lock(f"follower/{follower.name}")
    if not entries or cursor(tx, follower, collection) != entries[0].seq - 1:
        catch_up_in(tx, reader, follower, collection.name)
        return
    for start in range(0, len(entries), BATCH):
        _apply(tx, reader, follower, collection, entries[start : start + BATCH])


def late_in(tx: Tx, reader: Reader, follower: Follower, name: str, entries: Sequence[Entry]) -> None:
    """Let a follower take in entries of a mirror that were stubs when it passed them (`Journals.fill`).

    It gets the newest entry of each of their records as of its cursor, so an older state never comes back; what it
    has not passed yet it will see in order.
    """
    tx.lock(f"follower/{follower.name}")
    collection = reader.get(tx, name)
    seen = cursor(tx, follower, collection)
    late: dict[int, Entry] = {}
    for entry in entries:
        if entry.seq <= seen and entry.opening is not None:
            record = entry.opening.record
            newest = newest_of(tx, collection, record, upto=seen) if record else entry
            late |= {newest.seq: newest} if newest else {}
    if late:
        in_order = [late[seq] for seq in sorted(late)]
        follower.apply(tx, collection, in_order, lambda digests: reader.payloads(tx, digests))


def gone_in(tx: Tx, reader: Reader, follower: Follower, name: str, seqs: Sequence[int], *, at_ms: int) -> None:
    """Let a follower forget what it kept of entries of a mirror that were blanked here (`Journals.take_away`).

    It is told so as if erasures had come, at the place where it stands; what it has not passed yet it meets as stubs.
    """
    tx.lock(f"follower/{follower.name}")
    collection = reader.get(tx, name)
    seen = cursor(tx, follower, collection)
    gone = [Entry(collection.iri, seen, at_ms, b"", Opening("erase", b"", target=seq)) for seq in seqs if seq <= seen]
    for start in range(0, len(gone), BATCH):
        follower.apply(tx, collection, gone[start : start + BATCH], lambda digests: reader.payloads(tx, digests))


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
        _apply(tx, reader, follower, collection, entries)
    return len(entries)


def _apply(tx: Tx, reader: Reader, follower: Follower, collection: Collection, entries: Sequence[Entry]) -> None:
    follower.apply(tx, collection, entries, lambda digests: reader.payloads(tx, digests))
    sql = (
        "INSERT INTO cursor (follower, collection_id, seq) VALUES (?, ?, ?)"
        " ON CONFLICT (follower, collection_id) DO UPDATE SET seq = excluded.seq"
    )
    tx.run(sql, follower.name, collection.id, entries[-1].seq)
