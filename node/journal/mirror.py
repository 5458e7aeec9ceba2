"""Mirrors: the journal of another city, kept here to the byte as its origin wrote it.

Entries come with their numbers, times and commitments; nothing is renumbered or signed here. Where the opening was
withheld, erased or refused only the entry stands (a *stub*), so the tree is whole whatever a reader may see. Why
something is not kept is a row in `refusal`: a stub without one was erased. The codes in `NAMED` keep a put's opening
and leave out the payload alone, so that followers see which record has no state here now, whatever it said before. An
erasure of the origin is obeyed whatever stands on its target. Checks of signatures and of what a payload says come
before this and are not made here; `journal.journal` is the door.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from node.db import Row, Tx
from node.errors import Conflict, Malformed, NotFound, Refuted, TooLarge
from node.journal import collection as collections
from node.journal.collection import Collection
from node.journal.entry import MAX_AT_MS, Entry, Opening, digest_text, key_of
from node.journal.erase import BLANK, unheld
from node.journal.payloads import PayloadStore
from node.journal.reading import ENTRY_COLUMNS, entry_of, row_of, stub_row_of
from node.journal.tree import Frontier, Tile

MAX_ENTRIES = 1_000
MAX_DETAIL = 200
WITHHELD = "withheld"
NOT_FOLLOWED = "not-followed"
PERSONAL_DATA = "personal-data"
NAMED = frozenset({NOT_FOLLOWED, PERSONAL_DATA})
BAD_ERASURE = "bad-erasure"
AGREEMENT_ENDED = "agreement-ended"

INSERT_ENTRY = (
    f"INSERT INTO entry (collection_id, leaf, record_key, {ENTRY_COLUMNS})"  # noqa: S608 - names of columns, no values
    f" VALUES (?, ?, ?, {', '.join('?' * 10)})"
)
INSERT_TILE = "INSERT INTO tile (collection_id, level, idx, hash) VALUES (?, ?, ?, ?)"
_INSERT_REFUSAL = (
    "INSERT INTO refusal (collection_id, seq, code, detail, record, at, tries) VALUES (?, ?, ?, ?, ?, ?, 0)"
    " ON CONFLICT (collection_id, seq) DO UPDATE SET code = excluded.code, detail = excluded.detail,"
    " record = excluded.record, at = excluded.at, tries = refusal.tries + 1,"
    " reported_at = CASE WHEN refusal.code = excluded.code THEN refusal.reported_at ELSE NULL END"
)
_INSERT_ERASURE = "INSERT INTO erasure_told (collection_id, target, at) VALUES (?, ?, NULL) ON CONFLICT DO NOTHING"
_FORGET_REFUSAL = "DELETE FROM refusal WHERE collection_id = ? AND seq = ?"
# The origin was told that it is refused here; it will be told that it no longer is.
_LIFT = (
    "INSERT INTO refusal_lifted (collection_id, seq, at) SELECT collection_id, seq, ? FROM refusal"
    " WHERE collection_id = ? AND seq = ? AND reported_at IS NOT NULL ON CONFLICT DO NOTHING"
)
_FILL = (
    "UPDATE entry SET op = ?, record = ?, slug = ?, kind = ?, digest = ?, salt = ?, target = ?, record_key = ?"
    " WHERE collection_id = ? AND seq = ?"
)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """One entry as it came from its origin, after it was checked.

    `payload` comes with an accepted `put`. `refused` is the code for which it was refused, with `detail` and the record
    if that is known; its opening and payload are then left out, for codes in `NAMED` the payload alone. `hashes` are
    the leaf's and the payload's (or empty), from a caller that computed them and compared both with what the opening
    and the signed tree say: megabytes are not hashed twice.
    """

    entry: Entry
    payload: bytes | None = None
    refused: str = ""
    detail: str = ""
    record: str = ""
    hashes: tuple[bytes, bytes] | None = None


def write(
    tx: Tx, store: PayloadStore, collection: Collection, arrived: Sequence[Arrived], *, at_ms: int
) -> tuple[Collection, list[Entry]]:
    """Write entries after those that are held; see `Journals.mirror`. The caller holds the journal's lock.

    Gives the collection as it stands, and the entries as `Reader.entries` would.
    """
    if len(arrived) > MAX_ENTRIES:
        raise TooLarge(f"A mirror takes at most {MAX_ENTRIES} entries at once.")
    if not arrived:
        return collection, []
    erasing = _Erasures(tx, collection, arrived)
    batch = _Batch(collection, at_ms)
    for each in erasing.settled:
        batch.add(each, erased=each.entry.seq in erasing.targets)
    # Exclusive with an erasure, so that no other transaction comes to need a payload in the moment it is dropped.
    (tx.lock if erasing.held else tx.lock_shared)("payloads")
    store.write(tx, batch.payloads, at_ms=at_ms)
    tx.many(INSERT_ENTRY, batch.rows)
    tx.many(INSERT_TILE, [(collection.id, tile.level, tile.idx, tile.hash) for tile in batch.tiles])
    tx.many(_INSERT_REFUSAL, batch.refusals)
    erasing.obey(tx, store, at_ms=at_ms)
    grown = collection.grown(batch.frontier, batch.last_at_ms)
    collections.save(tx, grown)
    return grown, batch.entries


@dataclass(slots=True)
class _Batch:
    """The rows that one page becomes."""

    collection: Collection
    at_ms: int
    entries: list[Entry] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    payloads: dict[bytes, bytes] = field(default_factory=dict)
    tiles: list[Tile] = field(default_factory=list)
    frontier: Frontier = field(init=False)
    last_at_ms: int = field(init=False)

    def __post_init__(self) -> None:
        self.frontier = collections.frontier_of(self.collection)
        self.last_at_ms = self.collection.last_at_ms

    def add(self, arrived: Arrived, *, erased: bool) -> None:
        entry = self._checked(arrived)
        if (arrived.refused and arrived.refused not in NAMED) or erased:
            entry = replace(entry, opening=None)
        opening = entry.opening
        key, row = (None, stub_row_of(entry)) if opening is None else (_key(opening), row_of(entry))
        if opening is not None and not arrived.refused:
            self.payloads.update(_kept(opening, arrived.payload, arrived.hashes[1] if arrived.hashes else b""))
        leaf = arrived.hashes[0] if arrived.hashes else entry.leaf()
        self.tiles += self.frontier.append(leaf)
        self.rows.append((self.collection.id, leaf, key, *row))
        code = arrived.refused or (WITHHELD if opening is None else "")
        refused = "" if erased else code
        self.entries.append(replace(entry, refused=refused) if refused else entry)
        if refused:
            self.refusals.append(_refusal(self.collection, arrived, code, self.at_ms))

    def _checked(self, arrived: Arrived) -> Entry:
        entry, expected = arrived.entry, self.frontier.size + 1
        if (entry.collection, entry.seq) != (self.collection.iri, expected):
            raise Conflict(f"{self.collection.name} goes on with entry {expected}, not with {entry.seq} of another.")
        if not self.last_at_ms <= entry.at_ms <= MAX_AT_MS:
            raise Malformed(f"The time of entry {expected} lies before that of the entry before it.")
        if arrived.hashes is None:
            _check_commitment(entry)
        self.last_at_ms = entry.at_ms
        return entry


def _refusal(collection: Collection, arrived: Arrived, code: str, at_ms: int) -> Row:
    return (collection.id, arrived.entry.seq, code, arrived.detail[:MAX_DETAIL], arrived.record, at_ms)


def _key(opening: Opening) -> int | None:
    return key_of(opening.record) if opening.op != "erase" else None


def _check_commitment(entry: Entry) -> None:
    if entry.opening is not None and entry.opening.commitment() != entry.commitment:
        raise Refuted(f"The opening of entry {entry.seq} does not match its commitment.")


def _kept(opening: Opening, payload: bytes | None, digest: bytes = b"") -> Mapping[bytes, bytes]:
    """Give what goes into the store with an opening; Malformed or Refuted unless the two belong together."""
    if (opening.op == "put") != (payload is not None):
        raise Malformed("A put comes with its payload, and nothing else does.")
    if payload is None:
        return {}
    digest = digest or sha256(payload).digest()
    if digest_text(digest) != opening.digest:
        raise Refuted(f"The payload of {opening.record} does not have the digest of its entry.")
    return {digest: payload}


class _Erasures:
    """What the entries of one page erase: targets in the page itself, and targets that are held."""

    def __init__(self, tx: Tx, collection: Collection, arrived: Sequence[Arrived]) -> None:
        self._collection = collection
        self.targets: set[int] = set()
        self.held: dict[int, bytes | None] = {}  # targets in the table, with the digest that stands there
        self._new = {each.entry.seq: each.entry.opening for each in arrived}
        asked = [each.entry.opening.target for each in arrived if _is_erasure(each)]  # type: ignore[union-attr]
        self._rows = _held_rows(tx, collection, [target for target in asked if target <= collection.size])
        self.settled = [self._settle(each) if _is_erasure(each) else each for each in arrived]

    def _settle(self, arrived: Arrived) -> Arrived:
        """Note the target of an erasure; one that names nothing that can be erased becomes a stub."""
        target = arrived.entry.opening.target if arrived.entry.opening else 0
        fault = self._fault(target, arrived.entry.seq)
        if fault:
            return Arrived(arrived.entry, refused=BAD_ERASURE, detail=fault)
        self.targets.add(target)
        if target in self._rows:
            self.held[target] = self._rows[target][1]
        return arrived

    def _fault(self, target: int, seq: int) -> str:
        if not 1 <= target < seq:
            return f"It erases entry {target}, which does not come before it."
        if target in self.targets:
            return f"It erases entry {target} a second time."
        opening = self._new.get(target)
        op, code = (opening.op if opening else None, "") if target in self._new else self._standing(target)
        if op == "erase":
            return f"It erases entry {target}, which says an erasure."
        return f"It erases entry {target} a second time." if op is None and code is None else ""

    def _standing(self, target: int) -> tuple[str | None, str | None]:
        op, _, code = self._rows.get(target, (None, None, None))
        return op, code

    def obey(self, tx: Tx, store: PayloadStore, *, at_ms: int) -> None:
        """Blank the targets that were held, and drop the payloads that nothing else holds."""
        seqs = sorted(self.held)
        tx.many(BLANK, [(self._collection.id, seq) for seq in seqs])
        # A refusal names the record; it goes with the opening.
        tx.many(_FORGET_REFUSAL, [(self._collection.id, seq) for seq in seqs])
        if self._collection.is_mirror:
            tx.many(_INSERT_ERASURE, [(self._collection.id, target) for target in sorted(self.targets)])
        for digest in unheld(tx, [digest for digest in self.held.values() if digest is not None]):
            if tx.run("DELETE FROM payload WHERE digest = ?", digest):
                store.forget(tx, digest, at_ms=at_ms)


def _is_erasure(arrived: Arrived) -> bool:
    return arrived.entry.opening is not None and arrived.entry.opening.op == "erase" and not arrived.refused


def _held_rows(
    tx: Tx, collection: Collection, seqs: Sequence[int]
) -> dict[int, tuple[str | None, bytes | None, str | None]]:
    """Give op, digest and code of refusal of entries that are held."""
    found: dict[int, tuple[str | None, bytes | None, str | None]] = {}
    for start in range(0, len(seqs), _CHUNK):
        part = seqs[start : start + _CHUNK]
        sql = (
            "SELECT e.seq, e.op, e.digest, r.code FROM entry e LEFT JOIN refusal r ON r.collection_id = e.collection_id"  # noqa: S608 - marks
            f" AND r.seq = e.seq WHERE e.collection_id = ? AND e.seq IN ({', '.join('?' * len(part))})"
        )
        found.update({row[0]: (row[1], row[2], row[3]) for row in tx.rows(sql, collection.id, *part)})
    return found


def fill(
    tx: Tx,
    store: PayloadStore,
    collection: Collection,
    seq: int,
    opening: Opening,
    payload: bytes | None,
    *,
    at_ms: int,
    code: str = NOT_FOLLOWED,
) -> Entry:
    """Give a stub its opening and payload; see `Journals.fill`. The caller holds the journal's lock."""
    row = tx.row(f"SELECT {ENTRY_COLUMNS} FROM entry WHERE collection_id = ? AND seq = ?", collection.id, seq)  # noqa: S608
    if row is None:
        raise NotFound(f"{collection.name} has no entry {seq}.")
    op, _, before = _held_rows(tx, collection, [seq])[seq]
    if before is None:
        raise Conflict(f"Entry {seq} of {collection.name} is {'erased' if op is None else 'held already'}.")
    entry = replace(entry_of(collection.iri, row), opening=opening)
    _check_commitment(entry)
    arrived = Arrived(entry, payload, code if opening.op == "put" and payload is None else "")
    erasing = _Erasures(tx, collection, [arrived])
    if erasing.settled[0].refused == BAD_ERASURE:
        raise Malformed(erasing.settled[0].detail)
    kept = {} if arrived.refused else _kept(opening, payload)
    (tx.lock if erasing.held else tx.lock_shared)("payloads")
    store.write(tx, kept, at_ms=at_ms)
    _, _, _, *columns = row_of(entry)
    tx.run(_FILL, *columns, _key(opening), collection.id, seq)
    if arrived.refused:
        refuse(tx, collection, arrived, at_ms=at_ms)
    else:
        tx.run(_LIFT, at_ms, collection.id, seq)
        tx.run(_FORGET_REFUSAL, collection.id, seq)
    erasing.obey(tx, store, at_ms=at_ms)
    return replace(entry, refused=arrived.refused)


def take_away(
    tx: Tx, store: PayloadStore, collection: Collection, seqs: Sequence[int], code: str, *, at_ms: int
) -> list[int]:
    """Blank entries that may be held no longer; see `Journals.take_away`. The caller holds the journal's lock."""
    held = _held_rows(tx, collection, seqs)
    gone = [seq for seq in seqs if held.get(seq, (None, None, None))[0] not in (None, "erase")]
    tx.lock("payloads")
    tx.many(BLANK, [(collection.id, seq) for seq in gone])
    tx.many(_INSERT_REFUSAL, [(collection.id, seq, code, "", "", at_ms) for seq in gone])
    for digest in unheld(tx, [digest for seq in gone if (digest := held[seq][1]) is not None]):
        if tx.run("DELETE FROM payload WHERE digest = ?", digest):
            store.forget(tx, digest, at_ms=at_ms)
    return gone


def refuse(tx: Tx, collection: Collection, arrived: Arrived, *, at_ms: int) -> None:
    """Note that a stub was asked for again, and why it is still refused; one that has its opening keeps its code."""
    op, _, before = _held_rows(tx, collection, [arrived.entry.seq]).get(arrived.entry.seq, (None, None, None))
    if op is not None and before and arrived.refused not in NAMED:
        arrived = replace(arrived, refused=before)
    tx.run(_INSERT_REFUSAL, *_refusal(collection, arrived, arrived.refused or WITHHELD, at_ms))
