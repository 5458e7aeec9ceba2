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
from node.errors import Conflict, Malformed, Refuted, TooLarge, WrongRoot
from node.journal import behind, note
from node.journal import collection as collections
from node.journal import mirror as mirrors
from node.journal.collection import Collection
from node.journal.entry import MAX_AT_MS, SALT_BYTES, Draft, Entry, Opening, digest_text, key_of
from node.journal.erase import blank
from node.journal.follow import Follower, keep_up_in
from node.journal.mirror import INSERT_ENTRY, INSERT_TILE, Arrived
from node.journal.reading import Reader, newest_states, row_of
from node.journal.tree import Frontier, Tile
from node.keys import Keyring
from node.records import KINDS, MAX_PAYLOAD_BYTES

MAX_DRAFTS = 1_000
Salts = Callable[[], bytes]


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
            Conflict: It is a mirror; only its origin continues it.
            Malformed: A draft is none.
            TooLarge: Too many drafts, or too large a payload.
        """
        _check_drafts(drafts, at_ms)
        collection = self._locked_own(tx, name)
        batch = _Batch(collection, max(at_ms, collection.last_at_ms), salts)
        states = newest_states(tx, collection.id, [draft.record for draft in drafts])
        for draft in drafts:
            digest = sha256(draft.payload).digest() if draft.payload is not None else None
            if _is_news(draft.op, digest, states.get(draft.record)):
                states[draft.record] = (draft.op, digest)
                batch.add(draft, digest)
        self._write(tx, batch)
        return batch.entries

    def append_followed(
        self, tx: Tx, name: str, drafts: Sequence[Draft], followers: Sequence[Follower], *, at_ms: int
    ) -> list[Entry]:
        """Write drafts as `append` does, however many, and let the followers take them in, in the same transaction."""
        written: list[Entry] = []
        for start in range(0, len(drafts), MAX_DRAFTS):
            entries = self.append(tx, name, drafts[start : start + MAX_DRAFTS], at_ms=at_ms)
            collection = self.get(tx, name)
            for follower in followers if entries else ():
                keep_up_in(tx, self, follower, collection, entries)
            written += entries
        return written

    def erase(self, tx: Tx, name: str, seq: int, *, at_ms: int, salts: Salts = random_salt) -> Entry:
        """Destroy salt, opening and payload of one entry, and append the entry that says so.

        The state of every record stays what it was: an entry on which its record stands must be superseded or
        withdrawn first, and a withdrawal goes only after everything before it. A payload that another entry still
        holds stays. Call `Database.scrub` after the commit, so that the files forget as well.

        Raises:
            NotFound: There is no such entry.
            Conflict: It is erased already, says an erasure itself, its record stands on it, or it is in a mirror.
        """
        collection = self._locked_own(tx, name)
        tx.lock("payloads")
        gone = blank(tx, collection, seq)
        if gone:
            self.store.forget(tx, gone, at_ms=at_ms)
        batch = _Batch(collection, max(at_ms, collection.last_at_ms), salts)
        batch.add_opening(Opening("erase", salts(), target=seq))
        self._write(tx, batch)
        return batch.entries[0]

    def mirror(self, tx: Tx, name: str, arrived: Sequence[Arrived], *, at_ms: int) -> Collection:
        """Write entries of another city at the end of its mirror, verbatim, all or none.

        Nobody has looked at signatures or payloads here but the caller; numbers, times, commitments and digests are
        checked again. An erasure blanks its target in the same transaction, whatever stands on it, and is noted in
        `erasure_told` to be confirmed; call `Database.scrub` after the commit. One that names nothing that can be
        erased is kept as a stub, refused with `bad-erasure`.

        Args:
            tx: A write transaction.
            name: A mirror, `peer/name`.
            arrived: At most 1,000, dense from our size + 1, their times not decreasing.
            at_ms: Now, for what is noted beside the entries.

        Returns:
            The collection as it stands now.

        Raises:
            Conflict: It is no mirror, or the entries do not go on where it ends.
            Malformed: A payload is missing or too many, or a time goes back.
            Refuted: A commitment or digest does not hold.
        """
        return self.mirrored(tx, name, arrived, at_ms=at_ms)[0]

    def mirrored(self, tx: Tx, name: str, arrived: Sequence[Arrived], *, at_ms: int) -> tuple[Collection, list[Entry]]:
        """Like `mirror`; also give the entries as they are kept, for `follow.keep_up_in`."""
        return mirrors.write(tx, self.store, self._locked_mirror(tx, name), arrived, at_ms=at_ms)

    def fill(
        self,
        tx: Tx,
        name: str,
        seq: int,
        opening: Opening,
        payload: bytes | None,
        *,
        at_ms: int,
        code: str = mirrors.NOT_FOLLOWED,
    ) -> Entry:
        """Give a stub of a mirror its opening and payload, which came later; a put without payload has this code.

        Followers that have passed the entry learn of it by `follow.late_in`, in the same transaction.

        Raises:
            NotFound: There is no such entry.
            Conflict: It is no mirror, or the entry is held already or was erased.
            Malformed: The payload does not go with the opening, or an erasure names nothing that can be erased.
            Refuted: The commitment or the digest does not hold.
        """
        mirror = self._locked_mirror(tx, name)
        return mirrors.fill(tx, self.store, mirror, seq, opening, payload, at_ms=at_ms, code=code)

    def refuse_again(self, tx: Tx, name: str, arrived: Arrived, *, at_ms: int) -> None:
        """Note that a stub was asked for again, and for what code it stays one; none means that it is still withheld.

        Raises:
            Conflict: It is no mirror.
        """
        mirrors.refuse(tx, self._locked_mirror(tx, name), arrived, at_ms=at_ms)

    def take_away(self, tx: Tx, name: str, seqs: Sequence[int], code: str, *, at_ms: int) -> list[int]:
        """Destroy openings and payloads of entries of a mirror; they stay as stubs, refused with this code.

        What says an erasure stays. Followers learn of it by `follow.gone_in`, in the same transaction; call
        `Database.scrub` after the commit. `fill` gives the entries back, if they come again.

        Returns:
            The seqs of the entries that were blanked now.

        Raises:
            Conflict: It is no mirror.
        """
        return mirrors.take_away(tx, self.store, self._locked_mirror(tx, name), seqs, code, at_ms=at_ms)

    def keep_note(self, tx: Tx, name: str, text: str, at_ms: int) -> None:
        """Keep the origin's note of a mirror, whose signatures the caller has checked; the newest of a size stays.

        Raises:
            Conflict: It is no mirror.
            WrongRoot: The note is of another size or root than what is held here.
        """
        collection = self._locked_mirror(tx, name)
        said = note.checkpoint_of(note.parse(text).text)
        held = note.Checkpoint(note.origin_of(collection.iri), collection.size, collection.root)
        if said != held:
            raise WrongRoot(f"{name} holds {held.size} entries; the note is of another tree.")
        _replace_note(tx, collection, text, at_ms)

    def recover(self, tx: Tx, name: str, arrived: Sequence[Arrived], *, at_ms: int) -> Collection:
        """Write the tail of an own collection back as mirrors hold it, verbatim, all or none; see `mirror`.

        Also while the collection is marked as behind: this is what ends that. The caller has checked that the entries
        are those that were signed.

        Raises:
            Conflict: It is a mirror, or the entries do not go on where it ends.
            Malformed: A payload is missing or too many, or a time goes back.
            Refuted: A commitment or digest does not hold.
        """
        return mirrors.write(tx, self.store, _own(self._locked(tx, name)), arrived, at_ms=at_ms)[0]

    def keep_own_note(self, tx: Tx, name: str, text: str, at_ms: int) -> None:
        """Keep a note of our own that a mirror held; its signature and root were checked by the caller."""
        _replace_note(tx, _own(self._locked(tx, name)), text, at_ms)

    def checkpoint(self, name: str, *, at_ms: int) -> str:
        """Sign the committed size and root of a collection; give the signed note.

        Opens transactions of its own, so call it outside any. The same size gives the same note, until the key is
        rotated: then it is signed anew, because nobody takes a new head from a key that is retired.

        Raises:
            Conflict: It is a mirror; only its origin signs it.
            BrokenHistory: It is known to be behind what was signed; see `behind`.
            Refuted: A larger size was signed before: the database is older than what the world has seen.
        """
        with self.db.read() as tx:
            collection = _own(self.get(tx, name))
            behind.check(tx, name, collection.size)
            held = _held_note(tx, collection)
        # While a replaced key overlaps, both sign: who has pinned the old one alone can still check the note.
        first, *others = [(key.raw, signer.sign) for key, signer in self._keyring.signers("checkpoint", at_ms)]
        if held and note.names_key(held, first[0]):
            return held
        # What a read transaction sees is durable: only now may it be signed (formats: checkpoints).
        checkpoint = note.Checkpoint(note.origin_of(collection.iri), collection.size, collection.root)
        text = note.signed(checkpoint, *first, also=others)
        with self.db.write() as tx:
            if not held:
                return _keep_note(tx, collection, text, at_ms)
            _replace_note(tx, collection, text, at_ms)
        return text

    def public_key(self) -> bytes:
        """Give the public key that signs checkpoints."""
        return self._keyring.public_key("checkpoint")

    def public_keys(self) -> list[bytes]:
        """Give every public key that ever signed checkpoints here, the one in use first."""
        return [key.raw for key in self._keyring.published("checkpoint")]

    def _sign(self, message: bytes) -> bytes:
        return self._keyring.sign("checkpoint", message)

    def _locked(self, tx: Tx, name: str) -> Collection:
        tx.lock(f"journal/{name}")
        return collections.load(tx, name)

    def _locked_own(self, tx: Tx, name: str) -> Collection:
        collection = _own(self._locked(tx, name))
        behind.check(tx, name, collection.size)
        return collection

    def _locked_mirror(self, tx: Tx, name: str) -> Collection:
        collection = self._locked(tx, name)
        if not collection.is_mirror:
            raise Conflict(f"{name} is no mirror; this city continues it itself.")
        return collection

    def _write(self, tx: Tx, batch: "_Batch") -> None:
        if not batch.entries:
            return
        # Shared, so that no erasure drops a payload in the moment a new entry comes to need it.
        tx.lock_shared("payloads")
        self.store.write(tx, batch.payloads, at_ms=batch.at_ms)
        tx.many(INSERT_ENTRY, batch.rows)
        tx.many(INSERT_TILE, [(batch.collection.id, tile.level, tile.idx, tile.hash) for tile in batch.tiles])
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
        self.frontier = collections.frontier_of(self.collection)

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


def _own(collection: Collection) -> Collection:
    if collection.is_mirror:
        raise Conflict(f"{collection.name} is a mirror; only its origin continues and signs it.")
    return collection


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


def _replace_note(tx: Tx, collection: Collection, text: str, at_ms: int) -> None:
    sql = "DELETE FROM checkpoint WHERE collection_id = ? AND size = ?"
    tx.run(sql, collection.id, collection.size)
    _keep_note(tx, collection, text, at_ms)
