"""Reading journals: collections, entries, payloads, checkpoints and proofs. Nobody can write through this.

Entries come with their openings; what a peer may not see is cut off by whoever answers the peer. Subtree hashes come
from the stored tiles and leaf hashes, so a proof costs a few hundred rows at any size. Whoever writes is in
`journal.journal`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from node.db import Database, Row, Tx
from node.errors import NotFound
from node.journal import collection as collections
from node.journal import tree
from node.journal.collection import Collection
from node.journal.entry import Entry, Opening, digest_bytes, digest_text, key_of
from node.journal.payloads import PayloadStore

ENTRY_COLUMNS = "seq, at, commitment, op, record, slug, kind, digest, salt, target"
_ENTRIES = f"SELECT {ENTRY_COLUMNS} FROM entry WHERE collection_id = ?"  # noqa: S608 - names of columns, no values
_NEWEST = (
    "SELECT e.record, e.op, e.digest FROM (SELECT record_key, max(seq) AS seq FROM entry WHERE collection_id = ?"
    " AND record_key IN ({}) GROUP BY record_key) AS newest JOIN entry AS e"
    " ON e.collection_id = ? AND e.seq = newest.seq"
)
MAX_LIMIT = 10_000


class Reader:
    """The reading half of all journals of one database."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.store = PayloadStore(db)

    def get(self, tx: Tx, name: str) -> Collection:
        """Give one collection; NotFound if there is none of that name."""
        return collections.load(tx, name)

    def collections(self, tx: Tx) -> list[Collection]:
        """Give all collections in the order they were created."""
        return collections.load_all(tx)

    def entries(self, tx: Tx, name: str, *, after: int = 0, limit: int = 500) -> list[Entry]:
        """Give up to `limit` (at most 10,000) entries after seq `after`, ascending; empty at the end."""
        collection = self.get(tx, name)
        sql = f"{_ENTRIES} AND seq > ? ORDER BY seq LIMIT ?"
        rows = tx.rows(sql, collection.id, after, min(limit, MAX_LIMIT))
        return _with_refusals(tx, collection, [entry_of(collection.iri, row) for row in rows])

    def entry(self, tx: Tx, name: str, seq: int) -> Entry:
        """Give one entry; NotFound if the journal is shorter."""
        collection = self.get(tx, name)
        row = tx.row(f"{_ENTRIES} AND seq = ?", collection.id, seq)
        if row is None:
            raise NotFound(f"{name} has no entry {seq}.")
        return _with_refusals(tx, collection, [entry_of(collection.iri, row)])[0]

    def newest(self, tx: Tx, name: str, record: str) -> Entry | None:
        """Give the newest entry of a record that is not erased, or None; it may be a withdrawal."""
        return newest_of(tx, self.get(tx, name), record)

    def of_record(self, tx: Tx, name: str, record: str, *, limit: int = 100) -> list[Entry]:
        """Give the entries of a record that are not erased, the newest first."""
        collection = self.get(tx, name)
        sql = f"{_ENTRIES} AND record_key = ? AND record = ? ORDER BY seq DESC LIMIT ?"
        rows = tx.rows(sql, collection.id, key_of(record), record, min(limit, MAX_LIMIT))
        return _with_refusals(tx, collection, [entry_of(collection.iri, row) for row in rows])

    def digest_before(self, tx: Tx, name: str, entry: Entry) -> str | None:
        """Give the digest that stood before an entry of its record; None if the record was not live then."""
        if entry.opening is None:
            return None
        sql = "SELECT op, digest FROM entry WHERE collection_id = ? AND record_key = ? AND record = ? AND seq < ?"
        record = entry.opening.record
        row = tx.row(sql + " ORDER BY seq DESC LIMIT 1", self.get(tx, name).id, key_of(record), record, entry.seq)
        return digest_text(row[1]) if row and row[0] == "put" else None

    def payloads(self, tx: Tx, digests: Iterable[str]) -> dict[str, bytes]:
        """Give the payloads that are here, by digest; erased ones are missing."""
        return self.store.read(tx, digests)

    def newest_checkpoint(self, tx: Tx, name: str) -> str | None:
        """Give the newest signed note of a collection, or None before the first."""
        collection = self.get(tx, name)
        sql = "SELECT note FROM checkpoint WHERE collection_id = ? ORDER BY size DESC LIMIT 1"
        row = tx.row(sql, collection.id)
        return str(row[0]) if row else None

    def inclusion(self, tx: Tx, name: str, seq: int, size: int) -> list[bytes]:
        """Prove that entry `seq` is in the tree of the first `size` entries (RFC 9162, 2.1.3).

        Raises:
            NotFound: There is no such entry, or the journal is shorter than `size`.
        """
        hashes = self._hashes(tx, name, size)
        if not 1 <= seq <= size:
            raise NotFound(f"{name} has no entry {seq} among its first {size}.")
        return tree.inclusion(seq - 1, size, hashes.complete)

    def consistency(self, tx: Tx, name: str, old: int, new: int) -> list[bytes]:
        """Prove that the tree of `new` entries continues the tree of `old` (RFC 9162, 2.1.4).

        Raises:
            NotFound: `old` is larger than `new`, or the journal is shorter than `new`.
        """
        hashes = self._hashes(tx, name, new)
        if not 0 <= old <= new:
            raise NotFound(f"{name} has no tree of {old} entries within {new}.")
        return tree.consistency(old, new, hashes.complete)

    def root(self, tx: Tx, name: str, size: int) -> bytes:
        """Give the root of the tree over the first `size` entries; NotFound if the journal is shorter."""
        hashes = self._hashes(tx, name, size)
        return tree.subtree(0, size, hashes.complete) if size else tree.EMPTY_ROOT

    def frontier(self, tx: Tx, name: str, size: int) -> tree.Frontier:
        """Give the tree of the first `size` entries as it can grow on; NotFound if the journal is shorter."""
        hashes, roots, start = self._hashes(tx, name, size), [], 0
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                roots.append(hashes.complete(height, start >> height))
                start += 1 << height
        return tree.Frontier(size, roots)

    def tile(self, tx: Tx, name: str, level: int, index: int) -> list[bytes]:
        """Give the up to 256 hashes of one C2SP tile: level 0 holds leaves, each higher one full tiles below it."""
        return _Hashes(tx, self.get(tx, name).id).row(level, index)

    def _hashes(self, tx: Tx, name: str, size: int) -> "_Hashes":
        collection = self.get(tx, name)
        if not 0 <= size <= collection.size:
            raise NotFound(f"{name} has {collection.size} entries, not {size}.")
        return _Hashes(tx, collection.id)


class _Hashes:
    """The stored hashes of one tree, by tiles of 256; keeps those it has read for the length of one question."""

    def __init__(self, tx: Tx, collection_id: int) -> None:
        self._tx = tx
        self._id = collection_id
        self._seen: dict[tuple[int, int], list[bytes]] = {}

    def complete(self, height: int, index: int) -> bytes:
        """Give the root of the complete subtree of 2**height leaves with this index."""
        level, rest = divmod(height, tree.TILE_HEIGHT)
        tile, offset = divmod(index << rest, 256)
        return tree.root_of(self.row(level, tile)[offset : offset + (1 << rest)])

    def row(self, level: int, index: int) -> list[bytes]:
        """Give the hashes of one tile, as many as there are."""
        if (level, index) not in self._seen:
            start, end = index * 256, index * 256 + 256
            if level == 0:
                sql = "SELECT leaf FROM entry WHERE collection_id = ? AND seq > ? AND seq <= ? ORDER BY seq"
                found = self._tx.rows(sql, self._id, start, end)
            else:
                sql = "SELECT hash FROM tile WHERE collection_id = ? AND level = ? AND idx >= ? AND idx < ?"
                found = self._tx.rows(sql + " ORDER BY idx", self._id, level, start, end)
            self._seen[level, index] = [row[0] for row in found]
        return self._seen[level, index]


def newest_of(tx: Tx, collection: Collection, record: str, *, upto: int | None = None) -> Entry | None:
    """Give the newest entry of a record, up to seq `upto` if that is given, as `Reader.newest` does."""
    sql = f"{_ENTRIES} AND record_key = ? AND record = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
    row = tx.row(sql, collection.id, key_of(record), record, collection.size if upto is None else upto)
    return _with_refusals(tx, collection, [entry_of(collection.iri, row)])[0] if row else None


def _with_refusals(tx: Tx, collection: Collection, entries: list[Entry]) -> list[Entry]:
    """Say of each entry of a mirror what of it was refused here."""
    if not collection.is_mirror or not entries:
        return entries
    sql = "SELECT seq, code FROM refusal WHERE collection_id = ? AND seq >= ? AND seq <= ?"
    codes = {row[0]: str(row[1]) for row in tx.rows(sql, collection.id, entries[0].seq, entries[-1].seq)}
    return [replace(each, refused=codes[each.seq]) if each.seq in codes else each for each in entries]


def entry_of(collection: str, row: Row) -> Entry:
    """Make an entry of a row of `ENTRY_COLUMNS`."""
    seq, at_ms, commitment, op, record, slug, kind, digest, salt, target = row
    if op is None:
        return Entry(collection, seq, at_ms, commitment, None)
    if op == "erase":
        return Entry(collection, seq, at_ms, commitment, Opening(op, salt, target=target))
    named = digest_text(digest) if digest is not None else ""
    return Entry(collection, seq, at_ms, commitment, Opening(op, salt, record, slug, kind, named))


def row_of(entry: Entry) -> Row:
    """Make the values of `ENTRY_COLUMNS` from an entry whose opening is known."""
    o = entry.opening
    if o is None:
        raise ValueError("an entry is written with its opening")
    if o.op == "erase":
        return (entry.seq, entry.at_ms, entry.commitment, o.op, None, None, None, None, o.salt, o.target)
    digest = digest_bytes(o.digest) if o.op == "put" else None
    return (entry.seq, entry.at_ms, entry.commitment, o.op, o.record, o.slug, o.kind, digest, o.salt, None)


def stub_row_of(entry: Entry) -> Row:
    """Make the values of `ENTRY_COLUMNS` from an entry without its opening."""
    return (entry.seq, entry.at_ms, entry.commitment, *(None,) * 7)


def newest_states(tx: Tx, collection_id: int, records: Sequence[str]) -> dict[str, tuple[str, bytes | None]]:
    """Give (op, raw digest) of the newest entry of each of these records that has one."""
    found: dict[str, tuple[str, bytes | None]] = {}
    for start in range(0, len(records), 500):
        found.update(_newest_states(tx, collection_id, records[start : start + 500]))
    return found


def _newest_states(tx: Tx, collection_id: int, records: Sequence[str]) -> dict[str, tuple[str, bytes | None]]:
    keys = {record: key_of(record) for record in records}
    marks = ", ".join("?" * len(keys))
    found: dict[str, tuple[str, bytes | None]] = {}
    for record, op, digest in tx.rows(_NEWEST.format(marks), collection_id, *keys.values(), collection_id):
        found[record] = (op, digest)
    if found.keys() <= keys.keys() and len(set(keys.values())) == len(keys):
        return found
    # Somebody made two IRIs with one key: rare enough to ask for each record by its name.
    one = "SELECT op, digest FROM entry WHERE collection_id = ? AND record_key = ? AND record = ?"
    rows = {
        record: tx.row(one + " ORDER BY seq DESC LIMIT 1", collection_id, key, record) for record, key in keys.items()
    }
    return {record: (row[0], row[1]) for record, row in rows.items() if row}
