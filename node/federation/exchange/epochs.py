"""Epochs: how a collection goes on after signed history was lost for good, and how its mirrors come to accept that.

A city that cannot get its own signed tail back says so in a statement under its entity key: which collection, from
which size and root it goes on, why, and what it gives up. To peers that is a broken history like any other, until a
person approves the statement; their mirror is then cut back to the size it names, if the root there is ours too. What
was cut off is kept as evidence. Nothing of this happens by itself.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from node.db import Database, Tx
from node.errors import Conflict, Malformed, NodeError, NotFound, Refuted
from node.federation.client import PeerClient
from node.federation.peers.peers import Peer, Peers
from node.journal import Collection, Follower, Reader, behind, catch_up, epoch, note
from node.journal.tree import HASH_BYTES
from node.keys import Keyring
from node.keys.jwt import read_jwt, unchecked_claims

TYP = "epoch+jwt"
MAX_REASON = 1_000
MAX_STATEMENT_BYTES = 80 * 1024
MAX_EPOCHS = 100
_MAX_EVIDENCE_ENTRIES = 500
# The kinds of evidence that a new epoch explains, and that its approval therefore settles.
_SETTLED = ("broken-history", "split-view", "two-histories")
_KEEP = (
    "INSERT INTO epoch (collection_id, epoch, from_size, root, statement, at, approved_at, approved_by)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection_id, epoch) DO UPDATE SET from_size = excluded.from_size,"
    " root = excluded.root, statement = excluded.statement, at = excluded.at, approved_at = excluded.approved_at,"
    " approved_by = excluded.approved_by WHERE epoch.approved_at = 0"
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What a new epoch of a collection would give up: what is here, what was signed, and the note that says so."""

    collection: Collection
    signed: int
    note: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch statement says. `abandons` is the newest note that was given up, if the city knew one."""

    collection: str
    number: int
    from_size: int
    root: bytes
    reason: str
    issued_ms: int
    abandons: str
    statement: str


def read_epoch(statement: str, keys: Sequence[Mapping[str, Any]], *, iri: str) -> Epoch:
    """Read a statement that one of a city's entity keys signed, about this collection.

    Raises:
        Malformed: It is no such statement, or speaks of another collection.
        BadSignature: None of the keys signed it.
    """
    _, claims = read_jwt(statement, keys, typ=TYP, max_bytes=MAX_STATEMENT_BYTES)
    match claims:
        case {
            "collection": str(collection),
            "epoch": int(number),
            "from_size": int(size),
            "root": str(root),
            "reason": str(reason),
            "iat": int(issued),
        } if 0 < number < 1 << 31 and 0 <= size < 1 << 53 and len(reason) <= MAX_REASON and 0 <= issued < 1 << 38:
            pass
        case _:
            raise Malformed("An epoch statement lacks what it should say.")
    if collection != iri:
        raise Malformed(f"The epoch statement is about {collection[:200]}, not about {iri}.")
    abandons = claims.get("abandons", "")
    if not isinstance(abandons, str):
        raise Malformed("What an epoch statement gives up is a checkpoint.")
    return Epoch(iri, number, size, _root(root), reason, issued * 1000, abandons, statement)


def abandoned_size(statement: str) -> int:
    """Give the size of the note that a statement of our own gives up; 0 if it names none."""
    try:
        abandons = unchecked_claims(statement, max_bytes=MAX_STATEMENT_BYTES).get("abandons", "")
        return note.checkpoint_of(note.parse(abandons).text).size if isinstance(abandons, str) else 0
    except NodeError:
        return 0


class Epochs:
    """Our own epochs, and those of the cities that are mirrored here."""

    def __init__(
        self,
        db: Database,
        reader: Reader,
        keyring: Keyring,
        peers: Peers,
        client: PeerClient,
        *,
        base_url: str,
        followers: Sequence[Follower],
    ) -> None:
        self._db = db
        self._reader = reader
        self._keyring = keyring
        self._peers = peers
        self._client = client
        self._base_url = base_url
        self._followers = tuple(followers)

    # ----------------------------------------------------------------- ours

    def open(self, name: str, reason: str, now_ms: int, *, common: int | None = None) -> Epoch:
        """Let an own collection go on from what it has, with a signed statement; sign its checkpoint afterwards.

        Args:
            name: The collection.
            reason: Why, for everyone to read.
            now_ms: Now.
            common: Where another history that was signed parted from ours; mirrors are cut back to there, and then
                take what is here after it. All that is here, if it is left out.

        Raises:
            Conflict: It is a mirror, or nothing that was signed is missing.
            Malformed: No reason is given, or a very long one.
        """
        check_reason(reason)
        with self._db.write() as tx:
            tx.lock(f"journal/{name}")
            collection = self._reader.get(tx, name)
            lost = self._lost(tx, collection)
            fresh = epoch.opened(tx, self._reader, name, collection.epoch + 1)
            size = fresh.size if common is None else min(common, fresh.size)
            begun = replace(fresh, size=size, root=self._reader.root(tx, name, size))
            statement = self._statement(begun, reason.strip(), lost, now_ms)
            row = (fresh.id, fresh.epoch, begun.size, begun.root, statement, now_ms, now_ms, "this city")
            tx.run(_KEEP, *row)
            epoch.drop_notes(tx, fresh.id, fresh.size)
            tx.run("DELETE FROM cosignature WHERE collection_id = ? AND size > ?", fresh.id, fresh.size)
            behind.clear(tx, name)
        return Epoch(fresh.iri, fresh.epoch, begun.size, begun.root, reason.strip(), now_ms, lost, statement)

    def loss(self, name: str, reason: str) -> Loss:
        """Say what `open` would give up; raises what it would raise, and changes nothing."""
        check_reason(reason)
        with self._db.read() as tx:
            collection = self._reader.get(tx, name)
            lost = self._lost(tx, collection)
        return Loss(collection, note.checkpoint_of(note.parse(lost).text).size, lost)

    def _lost(self, tx: Tx, collection: Collection) -> str:
        """Give the newest note that is known of what is lost; Conflict if nothing is."""
        if collection.is_mirror:
            raise Conflict(f"{collection.name} is a mirror; only its origin opens an epoch of it.")
        marked = behind.marked(tx, collection.name)
        newest = self._reader.newest_checkpoint(tx, collection.name)
        signed = note.checkpoint_of(note.parse(newest).text).size if newest else 0
        # A mark of no more than is here is of a fork, which a note of ours does not explain.
        if marked is not None and (marked.size >= signed or signed <= collection.size):
            return marked.note
        if newest is not None and signed > collection.size:
            return newest
        if behind.restored_ms(tx):
            raise Conflict(
                f"Not known yet whether anything that was signed of {collection.name} is missing here: the database"
                " was restored, and not every peer has answered since.",
                fix="Run citynode recover --check first.",
            )
        raise Conflict(
            f"Nothing that was signed of {collection.name} is missing here.",
            fix="A new epoch breaks every mirror; open one only when citynode recover says that the tail is lost.",
        )

    def _statement(self, collection: Collection, reason: str, lost: str, now_ms: int) -> str:
        claims: dict[str, object] = {
            "iss": self._base_url,
            "collection": collection.iri,
            "epoch": collection.epoch,
            "from_size": collection.size,
            "root": base64.b64encode(collection.root).decode(),
            "reason": reason,
            "iat": now_ms // 1000,
        }
        return self._keyring.jwt("entity", TYP, claims | ({"abandons": lost} if lost else {}))

    def published(self, name: str) -> list[str]:
        """Give the statements of a collection, oldest first: all of an own one, of a mirror those that hold here."""
        sql = (
            "SELECT e.statement FROM epoch e JOIN collection c ON c.id = e.collection_id"
            " WHERE c.name = ? AND e.approved_at > 0 ORDER BY e.epoch"
        )
        return [str(row[0]) for row in self._db.hot().rows(sql, (name,))]

    # -------------------------------------------------------------- peers'

    def look(self, peer: str, collection: str, now_ms: int) -> Epoch | None:
        """Ask a peer whose history broke whether it opened an epoch; keep its statement for a person to judge.

        Gives the newest statement that is not yet approved, or None. Statements that are kept here already may be by a
        key whose time is over; such a key offers nothing new.

        Raises:
            PeerUnreachable: It gave no answer.
            Malformed, BadSignature: What it gave is no statement of its city about this collection.
        """
        who, follow = self._peers.get(peer), self._peers.followed(peer, collection)
        keys = self._peers.keys(peer, "entity")
        every, now = [key.jwk for key in keys], [key.jwk for key in keys if key.is_in_force(now_ms)]
        with self._db.read() as tx:
            restricted = self._reader.get(tx, follow.local).visibility == "restricted"
        found = self._client.epochs(who.url, collection, token=restricted)
        told = [read_epoch(each, every, iri=follow.iri) for each in found[-MAX_EPOCHS:]]
        with self._db.write() as tx:
            held = self._reader.get(tx, follow.local)
            kept = {row[0] for row in tx.rows("SELECT statement FROM epoch WHERE collection_id = ?", held.id)}
            fresh = [each for each in told if each.number > held.epoch]
            for each in fresh:
                if each.statement not in kept:
                    read_epoch(each.statement, now, iri=follow.iri)
            for each in fresh:
                row = (held.id, each.number, each.from_size, each.root, each.statement, now_ms, 0, "")
                tx.run(_KEEP, *row)
        return max(fresh, key=lambda each: each.number, default=None)

    def offered(self, peer: str, collection: str) -> Epoch | None:
        """Give the newest statement of a followed collection that waits for a person, or None."""
        follow = self._peers.followed(peer, collection)
        sql = (
            "SELECT e.statement FROM epoch e JOIN collection c ON c.id = e.collection_id"
            " WHERE c.name = ? AND e.approved_at = 0 ORDER BY e.epoch DESC LIMIT 1"
        )
        row = self._db.hot().row(sql, (follow.local,))
        keys = [key.jwk for key in self._peers.keys(peer, "entity")]
        return read_epoch(row[0], keys, iri=follow.iri) if row else None

    def approve(self, peer: str, collection: str, *, by: str, now_ms: int) -> Epoch:
        """Accept a peer's new epoch: cut our mirror back to where it begins, and let the exchange go on.

        Raises:
            NotFound: No statement waits for approval.
            Refuted: The statement's root is not that of our mirror at that size: it rewrites also what came before.
        """
        offered = self.offered(peer, collection)
        if offered is None:
            raise NotFound(
                f"No new epoch of {collection} of {peer} waits for approval.", fix=f"citynode peers show {peer}"
            )
        who, follow = self._peers.get(peer), self._peers.followed(peer, collection)
        with self._db.write() as tx:
            self._cut(tx, who, follow.local, offered, now_ms)
            row = (follow.local,)
            sql = "SELECT id FROM collection WHERE name = ?"
            (number,) = tx.row(sql, *row) or (0,)
            tx.run(
                "UPDATE epoch SET approved_at = ?, approved_by = ? WHERE collection_id = ? AND epoch <= ?"
                " AND approved_at = 0",
                now_ms,
                by,
                number,
                offered.number,
            )
            known = min(follow.known_size, offered.from_size)
            self._peers.change_follow(tx, peer, collection, known_size=known, known_note="", etag="")
            self._settle(tx, who, offered)
        for follower in self._followers:
            catch_up(self._reader, follower)
        return offered

    def _cut(self, tx: Tx, peer: Peer, local: str, offered: Epoch, now_ms: int) -> None:
        held = self._reader.get(tx, local)
        if held.size >= offered.from_size:
            if self._reader.root(tx, local, offered.from_size) != offered.root:
                raise Refuted(
                    f"The epoch begins at {offered.from_size} entries with another root than our mirror has there.",
                    fix="Do not approve it before that city has explained what it rewrote.",
                )
            self._keep_evidence(tx, peer, held, offered, now_ms)
            self._remember(tx, held, now_ms)
            epoch.truncate(tx, self._reader, local, offered.from_size, followers=self._followers)
            for table, column in (("refusal", "seq"), ("erasure_told", "target")):
                tx.run(f"DELETE FROM {table} WHERE collection_id = ? AND {column} > ?", held.id, offered.from_size)  # noqa: S608
        epoch.opened(tx, self._reader, local, offered.number)
        self._unwitness(tx, offered)

    def _keep_evidence(self, tx: Tx, peer: Peer, held: Collection, offered: Epoch, now_ms: int) -> None:
        """Keep what the mirror gives up: the origin's note over it, and the entries themselves, as many as fit."""
        newest = self._reader.newest_checkpoint(tx, held.name)
        entries = self._reader.entries(tx, held.name, after=offered.from_size, limit=_MAX_EVIDENCE_ENTRIES)
        proof = self._reader.consistency(tx, held.name, offered.from_size, held.size)
        body = {
            "kind": "epoch",
            "statement": offered.statement,
            "held": newest,
            "size": held.size,
            "root": base64.b64encode(held.root).decode(),
            "consistency": [base64.b64encode(each).decode() for each in proof],
            "entries": [entry.document() for entry in entries],
        }
        summary = (
            f"Epoch {offered.number} of {held.iri} from {offered.from_size} entries was approved: {offered.reason}"
        )
        self._peers.witness(tx, peer.name, kind="epoch", summary=summary, body=json.dumps(body), at_ms=now_ms)

    def _remember(self, tx: Tx, held: Collection, now_ms: int) -> None:
        """Note how far the abandoned history went, for other peers will show it until they have approved, too.

        It stands in `seen_head` as shown by nobody: `heads` lets smaller heads pass. A fork that hides among them is
        found as soon as the new history is longer than the old, because forks do not grow together again.
        """
        tx.run(
            "INSERT INTO seen_head (collection, seen_by, size, root, note, at, compared)"
            " VALUES (?, '', ?, ?, '', ?, TRUE) ON CONFLICT (collection, seen_by) DO UPDATE SET size = excluded.size,"
            " root = excluded.root, at = excluded.at WHERE seen_head.size < excluded.size",
            held.iri,
            held.size,
            held.root,
            now_ms,
        )

    def _unwitness(self, tx: Tx, offered: Epoch) -> None:
        """Let the witness go on from where the epoch begins."""
        origin = note.origin_of(offered.collection)
        tx.lock(f"witness/{origin}")
        tx.run(
            "UPDATE witnessed SET size = ?, root = ?, note = '' WHERE origin = ? AND size > ?",
            offered.from_size,
            offered.root,
            origin,
            offered.from_size,
        )
        tx.run(
            "DELETE FROM seen_head WHERE collection = ? AND size > ? AND seen_by <> ''",
            offered.collection,
            offered.from_size,
        )

    def _settle(self, tx: Tx, peer: Peer, offered: Epoch) -> None:
        """Lift the quarantine if this collection's broken history was its reason."""
        origin = note.origin_of(offered.collection)
        for evidence in reversed(self._peers.evidence(peer.name)):
            if evidence.kind in _SETTLED and evidence.summary == peer.quarantine and origin in evidence.body:
                self._peers.change(tx, peer.name, quarantine="", failures=0, open_until=0)
                return


def check_reason(reason: str) -> None:
    """Refuse a reason that says nothing, or too much."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Malformed("A new epoch needs a reason that others can judge.", fix="Say --reason TEXT.")


def _root(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("The root of an epoch statement is no base64.") from error
    if len(raw) != HASH_BYTES:
        raise Malformed("The root of an epoch statement has 32 bytes.")
    return raw
