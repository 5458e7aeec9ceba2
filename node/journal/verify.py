"""Verification: a journal is recomputed from its openings and payloads up, and the first wrong thing is named.

Every stored byte of the collection's row, its entries, tiles, checkpoints and payloads takes part in some check: a
hash where the format has one, a checksum elsewhere. A mirror may hold stubs, each with a reason: a refusal of ours or
an erasure of the origin. One read snapshot, constant memory, so it runs beside a writer. Nothing is repaired here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.db import Row, Tx
from node.errors import Malformed, Refuted
from node.journal import collection as collections
from node.journal import note
from node.journal.collection import Collection, checkpoint_checksum
from node.journal.entry import SALT_BYTES, Entry, key_of
from node.journal.mirror import NAMED, NOT_FOLLOWED
from node.journal.payloads import PayloadStore
from node.journal.reading import ENTRY_COLUMNS, Reader, entry_of, row_of
from node.journal.tree import EMPTY_ROOT, Frontier, Tile
from node.keys import verified

_CHUNK = 500
_ROWS = f"SELECT leaf, record_key, {ENTRY_COLUMNS} FROM entry WHERE collection_id = ?"  # noqa: S608 - names of columns, no values
_NOTHING = (None,) * 7


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found right.

    `stubs` counts the entries of a mirror whose opening was refused or withheld. `signed` is the largest size that a
    checkpoint covers: of a mirror that is still being fetched it is less than `size`, and None before the first one.
    """

    collection: str
    size: int
    root: bytes
    payloads: int
    erased: int
    checkpoints: int
    stubs: int = 0
    signed: int | None = None


def verify(reader: Reader, name: str, public_keys: Sequence[bytes]) -> Verified:
    """Recompute one journal.

    Args:
        reader: Where the journals are.
        name: The collection.
        public_keys: The Ed25519 keys, one of which must have signed each checkpoint: ours, or of a mirror its origin's,
            historic ones too.

    Raises:
        NotFound: There is no such collection.
        Refuted: Something is wrong; the message names the first such thing, an entry by its seq.
    """
    with reader.db.read() as tx:
        collection = _head(tx, name)
        return _Walk(tx, reader, collection, public_keys).run()


def _head(tx: Tx, name: str) -> Collection:
    try:
        collection, crc = collections.load_row(tx, name)
        right = collections.checksum(collection) == crc
    except (TypeError, ValueError, Refuted) as error:
        raise Refuted(f"The row of collection {name} is damaged.") from error
    if not right:
        raise Refuted(f"The row of collection {name} does not match its checksum.")
    return collection


class _Walk:
    """One pass over a journal."""

    def __init__(self, tx: Tx, reader: Reader, collection: Collection, public_keys: Sequence[bytes]) -> None:
        self._tx = tx
        self._store = PayloadStore(reader.db)  # a new one: nothing here may come from a cache
        self._collection = collection
        self._keys = list(public_keys)
        self._frontier = Frontier()
        self._last_at_ms = 0
        self._erased: set[int] = set()
        self._erasing: dict[int, int] = {}
        self._refused: dict[int, str] = {}
        self._stubs = 0
        self._payloads = 0
        self._tiles = 0
        self._notes: dict[int, bytes] = {}

    def run(self) -> Verified:
        """Check everything, in the order in which the first wrong thing is named best."""
        self._notes = self._checkpoints()
        self._check_note()
        for rows in self._chunks():
            self._check_chunk(rows)
        self._check_erasures()
        self._check_head()
        self._check_tiles()
        c, signed = self._collection, max(self._notes, default=None)
        erased = len(self._erased)
        return Verified(c.name, c.size, c.root, self._payloads, erased, len(self._notes), self._stubs, signed)

    def _check_note(self) -> None:
        ahead = [size for size in self._notes if size > self._collection.size]
        if ahead:
            raise self._wrong(f"it has {self._collection.size} entries, but {max(ahead)} were signed")

    def _checkpoints(self) -> dict[int, bytes]:
        # Of every collection: a row whose collection was changed would otherwise be missed by both.
        roots = {}
        columns = "SELECT collection_id, size, note, signed_at, crc FROM checkpoint"
        for collection_id, size in self._tx.rows("SELECT collection_id, size FROM checkpoint ORDER BY 1, 2"):
            try:
                row = self._tx.row(f"{columns} WHERE collection_id = ? AND size = ?", collection_id, size)
                text = _checksummed(row)
                if collection_id == self._collection.id:
                    roots[size] = self._opened(size, text)
            except (TypeError, Malformed, Refuted) as error:
                raise self._wrong(f"a checkpoint of size {size} does not hold: {error}") from error
        return roots

    def _opened(self, size: int, text: str) -> bytes:
        origin = note.origin_of(self._collection.iri)
        checkpoint = note.opened(text, {origin: self._keys}, verified)
        if (checkpoint.origin, checkpoint.size) != (origin, size):
            raise Refuted("It speaks of another tree.")
        return checkpoint.root

    def _chunks(self) -> Iterator[list[Row]]:
        while True:
            sql = f"{_ROWS} AND seq > ? ORDER BY seq LIMIT {_CHUNK}"
            try:
                rows = self._tx.rows(sql, self._collection.id, self._frontier.size)
            except Refuted as error:
                raise self._wrong(f"entry {self._unreadable()} cannot be read: {error}") from error
            if not rows:
                return
            yield rows

    def _unreadable(self) -> int:
        """Find the row that makes its chunk unreadable, so that it can be named."""
        first = self._frontier.size + 1
        return next((seq for seq in range(first, first + _CHUNK) if not self._is_readable(seq)), first)

    def _is_readable(self, seq: int) -> bool:
        try:
            self._tx.rows(f"{_ROWS} AND seq = ?", self._collection.id, seq)
        except Refuted:
            return False
        return True

    def _check_chunk(self, rows: Sequence[Row]) -> None:
        puts = {}
        self._refused = self._refusals(rows)
        for row in rows:
            entry = self._checked(row)
            if entry.opening and entry.opening.op == "put" and entry.seq not in self._refused:
                puts[entry.seq] = entry.opening.digest
            self._grow(entry)
        right = self._store.verified(self._tx, list(set(puts.values())))
        for seq, digest in puts.items():
            if digest not in right:
                raise self._wrong(f"entry {seq}: its payload {digest} is missing or damaged")
        self._payloads += len(right)

    def _refusals(self, rows: Sequence[Row]) -> dict[int, str]:
        """Give the codes for which entries of a mirror were refused."""
        if not self._collection.is_mirror:
            return {}
        sql = "SELECT seq, code FROM refusal WHERE collection_id = ? AND seq > ? AND seq <= ?"
        found = self._tx.rows(sql, self._collection.id, self._frontier.size, self._frontier.size + len(rows))
        return {int(row[0]): str(row[1]) for row in found}

    def _checked(self, row: Row) -> Entry:
        expected = self._frontier.size + 1
        if row[2] != expected:
            raise self._wrong(f"entry {expected} is missing")
        if expected > self._collection.size:
            raise self._wrong(f"entry {expected} lies beyond the head")
        try:
            entry = entry_of(self._collection.iri, row[2:])
            fault = self._fault(entry, row)
        except (TypeError, ValueError, AttributeError, OverflowError, Malformed) as error:
            raise self._wrong(f"entry {expected} is damaged: {error}") from error
        if fault:
            raise self._wrong(f"entry {expected}: {fault}")
        return entry

    def _fault(self, entry: Entry, row: Row) -> str:
        if entry.at_ms < self._last_at_ms:
            return "its time lies before that of the entry before it"
        if entry.leaf() != row[0]:
            return "it does not hash to its leaf"
        if entry.opening is None:
            return "" if row[1] is None and row[5:] == _NOTHING else "a part of its erased opening is left"
        if len(entry.opening.salt) != SALT_BYTES or entry.opening.commitment() != entry.commitment:
            return "its opening does not match its commitment"
        key = key_of(entry.opening.record) if entry.opening.op != "erase" else None
        if key != row[1] or row_of(entry) != row[2:]:
            return "its row says more or less than its opening"
        if self._refused.get(entry.seq, NOT_FOLLOWED) not in NAMED or self._is_half(entry):
            return "it is said to be refused, and its opening is here"
        return ""

    def _is_half(self, entry: Entry) -> bool:
        return entry.seq in self._refused and entry.opening is not None and entry.opening.op != "put"

    def _grow(self, entry: Entry) -> None:
        self._last_at_ms = entry.at_ms
        if entry.opening is None:
            if entry.seq in self._refused:
                self._stubs += 1
            else:
                self._erased.add(entry.seq)
        elif entry.opening.op == "erase":
            self._note_erasure(entry.seq, entry.opening.target)
        for tile in self._frontier.append(entry.leaf()):
            self._check_tile(tile)
        if entry.seq in self._notes and self._notes[entry.seq] != self._frontier.root():
            raise self._wrong(f"its first {entry.seq} entries do not have the root that was signed")

    def _note_erasure(self, seq: int, target: int) -> None:
        if target in self._erasing:
            raise self._wrong(f"entry {seq} erases entry {target} a second time")
        self._erasing[target] = seq

    def _check_tile(self, tile: Tile) -> None:
        self._tiles += 1
        sql = "SELECT hash FROM tile WHERE collection_id = ? AND level = ? AND idx = ?"
        row = self._tx.row(sql, self._collection.id, tile.level, tile.idx)
        if row is None or row[0] != tile.hash:
            width = 256**tile.level
            entries = f"entries {tile.idx * width + 1} to {(tile.idx + 1) * width}"
            raise self._wrong(f"the tile hash of level {tile.level}, index {tile.idx} ({entries}) is missing or wrong")

    def _check_erasures(self) -> None:
        for seq in sorted(self._erased - self._erasing.keys()):
            raise self._wrong(f"entry {seq} has lost its opening, and no entry says that it was erased")
        for target in sorted(self._erasing.keys() - self._erased):
            raise self._wrong(f"entry {target} should be erased: entry {self._erasing[target]} says so")

    def _check_head(self) -> None:
        c, frontier = self._collection, self._frontier
        if frontier.size < c.size:
            raise self._wrong(f"entry {frontier.size + 1} is missing")
        if (c.root, c.frontier, c.last_at_ms) != (frontier.root(), frontier.to_bytes(), self._last_at_ms):
            raise self._wrong("its head does not match its entries")
        refused = self._tx.row("SELECT max(seq) FROM refusal WHERE collection_id = ?", c.id)
        if refused and refused[0] is not None and (refused[0] > c.size or not c.is_mirror):
            raise self._wrong(f"a refusal is kept of entry {refused[0]}, which is not there")
        if self._notes.get(0, EMPTY_ROOT) != EMPTY_ROOT:
            raise self._wrong("its checkpoint of size 0 has the root of no empty tree")

    def _check_tiles(self) -> None:
        row = self._tx.row("SELECT count(*) FROM tile WHERE collection_id = ?", self._collection.id)
        if row is None or row[0] != self._tiles:
            raise self._wrong("it holds tile hashes that belong to no complete tile")

    def _wrong(self, what: str) -> Refuted:
        return Refuted(f"Journal {self._collection.name}: {what.removesuffix('.')}.")


def _checksummed(row: Row | None) -> str:
    if row is None or checkpoint_checksum(*row[:4]) != row[4]:
        raise Refuted("It does not match its checksum.")
    return str(row[2])
