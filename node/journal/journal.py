"""Writing journals: the only place where entries, payloads and checkpoints come from.

Few hands import this (an import contract names them). Numbers are dense because they are given inside the write
lock; a failed transaction leaves no gap, no tile and no payload behind. Time and salts come in as arguments. The
cost of an entry is its payload's hash and compression; everything else is batched.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from node.db import Database, Row, Tx
from node.errors import Malformed, Refuted, TooLarge
from node.journal import collection as collections
from node.journal import note
from node.journal.collection import Collection
from node.journal.entry import MAX_AT_MS, SALT_BYTES, Draft, Entry, Opening, digest_text, key_of
from node.journal.erase import blank
from node.journal.reading import ENTRY_COLUMNS, Reader, newest_states, row_of
from node.journal.tree import Frontier, Tile
from node.keys import Keyring
from node.records import KINDS, MAX_PAYLOAD_BYTES

MAX_DRAFTS = 1_000
Salts = Callable[[], bytes]

_INSERT_ENTRY = (
    f"INSERT INTO entry (collection_id, leaf, record_key, {ENTRY_COLUMNS})"  # noqa: S608 - names of columns, no values
    f" VALUES (?, ?, ?, {', '.join('?' * 10)})"
)
_INSERT_TILE = "INSERT INTO tile (collection_id, level, idx, hash) VALUES (?, ?, ?, ?)"


def random_salt() -> bytes:
    """Give 16 random bytes."""
    return os.urandom(SALT_BYTES)


class Journals(Reader):
    """The door to all journals of one database, for those who may write."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        super().__init__(db)
        self._keyring = keyring

    def create(self, tx: Tx, *, name: str, iri: str, title: str, visibility: str, at_ms: int) -> Collection:
        """Open a new, empty collection; sign its checkpoint of size 0 after the commit.

        Raises:
            Malformed: The name, IRI or visibility cannot be used.
            Conflict: The name or the IRI is taken.
        """
        return collections.insert(tx, name=name, iri=iri, title=title, visibility=visibility, at_ms=at_ms)

    def change(self, tx: Tx, name: str, *, title: str | None = None, visibility: str | None = None) -> Collection:
        """Give a collection another title or visibility; None leaves it as it is."""
        old = self._locked(tx, name)
        new = replace(old, title=old.title if title is None else title, visibility=visibility or old.visibility)
        collections.check_words(new.title, new.visibility)
        collections.save(tx, new)
        return new

    def append(
        self, tx: Tx, name: str, drafts: Sequence[Draft], *, at_ms: int, salts: Salts = random_salt
    ) -> list[Entry]:
        """Write drafts at the end of the journal, in order, all or none.

        A draft equal to the newest entry of its record is skipped, so a repeated harvest writes nothing; so is the
        withdrawal of a record that is not there.

        Args:
            tx: A write transaction; until it commits nobody else sees the entries.
            name: The collection.
            drafts: At most 1,000; each payload at most 1 MiB of canonical N-Quads.
            at_ms: Milliseconds since the epoch; a time before the newest entry is raised to that.
            salts: Gives 16 fresh random bytes per call.

        Returns:
            The entries written, ascending by `seq`; empty if nothing changed.

        Raises:
            JournalBusy: Another writer held the lock for 5 s. Safe to retry.
            Malformed: A draft is none.
            TooLarge: Too many drafts, or too large a payload.
        """
        _check_drafts(drafts, at_ms)
        collection = self._locked(tx, name)
        batch = _Batch(collection, max(at_ms, collection.last_at_ms), salts)
        states = newest_states(tx, collection.id, [draft.record for draft in drafts])
        for draft in drafts:
            digest = sha256(draft.payload).digest() if draft.payload is not None else None
            if _is_news(draft.op, digest, states.get(draft.record)):
                states[draft.record] = (draft.op, digest)
                batch.add(draft, digest)
        self._write(tx, batch)
        return batch.entries

    def erase(self, tx: Tx, name: str, seq: int, *, at_ms: int, salts: Salts = random_salt) -> Entry:
        """Destroy salt, opening and payload of one entry, and append the entry that says so.

        The state of every record stays what it was: an entry on which its record stands must be superseded or
        withdrawn first, and a withdrawal goes only after everything before it. A payload that another entry still
        holds stays. Call `Database.scrub` after the commit, so that the files forget as well.

        Raises:
            NotFound: There is no such entry.
            Conflict: It is erased already, says an erasure itself, or its record stands on it.
        """
        collection = self._locked(tx, name)
        tx.lock("payloads")
        gone = blank(tx, collection, seq)
        if gone:
            self.store.forget(tx, gone, at_ms=at_ms)
        batch = _Batch(collection, max(at_ms, collection.last_at_ms), salts)
        batch.add_opening(Opening("erase", salts(), target=seq))
        self._write(tx, batch)
        return batch.entries[0]

    def checkpoint(self, name: str, *, at_ms: int) -> str:
        """Sign the committed size and root of a collection; give the signed note.

        Opens transactions of its own, so call it outside any. The same size gives the same note.

        Raises:
            Refuted: A larger size was signed before: the database is older than what the world has seen.
        """
        with self.db.read() as tx:
            collection = self.get(tx, name)
            held = _held_note(tx, collection)
        if held:
            return held
        # What a read transaction sees is durable: only now may it be signed (formats: checkpoints).
        origin = note.origin_of(collection.iri)
        checkpoint = note.Checkpoint(origin, collection.size, collection.root)
        text = note.signed(checkpoint, self._keyring.public_key("checkpoint"), self._sign)
        with self.db.write() as tx:
            return _keep_note(tx, collection, text, at_ms)

    def public_key(self) -> bytes:
        """Give the public key that signs checkpoints."""
        return self._keyring.public_key("checkpoint")

    def _sign(self, message: bytes) -> bytes:
        return self._keyring.sign("checkpoint", message)

    def _locked(self, tx: Tx, name: str) -> Collection:
        tx.lock(f"journal/{name}")
        return collections.load(tx, name)

    def _write(self, tx: Tx, batch: "_Batch") -> None:
        if not batch.entries:
            return
        # Shared, so that no erasure drops a payload in the moment a new entry comes to need it.
        tx.lock_shared("payloads")
        self.store.write(tx, batch.payloads, at_ms=batch.at_ms)
        tx.many(_INSERT_ENTRY, batch.rows)
        tx.many(_INSERT_TILE, [(batch.collection.id, tile.level, tile.idx, tile.hash) for tile in batch.tiles])
        collections.save(tx, batch.collection.grown(batch.frontier, batch.at_ms))


@dataclass(slots=True)
class _Batch:
    """What one append is going to write."""

    collection: Collection
    at_ms: int
    salts: Salts
    entries: list[Entry] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    payloads: dict[bytes, bytes] = field(default_factory=dict)
    tiles: list[Tile] = field(default_factory=list)
    frontier: Frontier = field(init=False)

    def __post_init__(self) -> None:
        self.frontier = _frontier(self.collection)

    def add(self, draft: Draft, digest: bytes | None) -> None:
        named = digest_text(digest) if digest is not None else ""
        self.add_opening(Opening(draft.op, self.salts(), draft.record, draft.slug, draft.kind, named))
        if digest is not None and draft.payload is not None:
            self.payloads[digest] = draft.payload

    def add_opening(self, opening: Opening) -> None:
        seq = self.frontier.size + 1
        entry = Entry(self.collection.iri, seq, self.at_ms, opening.commitment(), opening)
        leaf = entry.leaf()
        key = key_of(opening.record) if opening.record else None
        self.tiles += self.frontier.append(leaf)
        self.entries.append(entry)
        self.rows.append((self.collection.id, leaf, key, *row_of(entry)))


def _frontier(collection: Collection) -> Frontier:
    try:
        frontier = Frontier.from_bytes(collection.size, collection.frontier)
    except ValueError as error:
        raise _damaged(collection) from error
    if frontier.root() != collection.root:
        raise _damaged(collection)
    return frontier


def _damaged(collection: Collection) -> Refuted:
    # Never build on a damaged head: the next checkpoint would sign the damage.
    return Refuted(f"The head of {collection.name} is damaged.", fix="Run citynode journal verify.")


def _is_news(op: str, digest: bytes | None, newest: tuple[str, bytes | None] | None) -> bool:
    if op == "withdraw":
        return newest is not None and newest[0] == "put"
    return newest != (op, digest)


def _check_drafts(drafts: Sequence[Draft], at_ms: int) -> None:
    if len(drafts) > MAX_DRAFTS:
        raise TooLarge(f"An append takes at most {MAX_DRAFTS} drafts.")
    if not 0 <= at_ms <= MAX_AT_MS:
        raise Malformed("The time of an append is milliseconds since 1970, before the year 10000.")
    for draft in drafts:
        _check_draft(draft)


def _check_draft(draft: Draft) -> None:
    if draft.op not in {"put", "withdraw"} or (draft.op == "put") != (draft.payload is not None):
        raise Malformed(f"A draft of {draft.record} is neither a put with a payload nor a withdrawal without one.")
    if not draft.record or not draft.slug or draft.kind not in KINDS:
        raise Malformed(f"A draft of {draft.record or '(no IRI)'} lacks its IRI, its slug or a known kind.")
    if not _is_text(draft.record) or not _is_text(draft.slug):
        raise Malformed("The IRI or the slug of a record holds NUL or half a character.")
    if draft.payload is not None and len(draft.payload) > MAX_PAYLOAD_BYTES:
        raise TooLarge(f"The payload of {draft.record} is larger than 1 MiB.")


_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def _is_text(text: str) -> bool:
    """Tell whether both databases and JCS can hold it: PostgreSQL takes no NUL, UTF-8 no lone surrogate."""
    return _NO_TEXT.search(text) is None


def _held_note(tx: Tx, collection: Collection) -> str | None:
    sql = "SELECT size, note FROM checkpoint WHERE collection_id = ? ORDER BY size DESC LIMIT 1"
    row = tx.row(sql, collection.id)
    if row and row[0] > collection.size:
        raise Refuted(
            f"{collection.name} has {collection.size} entries, but {row[0]} were signed.",
            fix="Fetch the signed tail back from mirrors, or open a new epoch.",
        )
    return str(row[1]) if row and row[0] == collection.size else None


def _keep_note(tx: Tx, collection: Collection, text: str, at_ms: int) -> str:
    sql = (
        "INSERT INTO checkpoint (collection_id, size, note, signed_at, crc) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING"
    )
    crc = collections.checkpoint_checksum(collection.id, collection.size, text, at_ms)
    tx.run(sql, collection.id, collection.size, text, at_ms, crc)
    row = tx.row("SELECT note FROM checkpoint WHERE collection_id = ? AND size = ?", collection.id, collection.size)
    return str(row[0]) if row else text
