"""Witnessing: this city cosigns the checkpoints of other cities' collections (C2SP tlog-witness, cosignature/v1).

A cosignature says that every checkpoint of the collection seen here so far continues the one before it. So the newest
one that was cosigned is compared and replaced in one transaction: of two that race, the later must continue the
earlier. Known are the public collections of peers that a person admitted, under the keys pinned with them; our own are
not cosigned here. Answers are those of the standard, status by status, and say nothing else.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import Malformed, Refuted
from node.federation.exchange.history import opened_now
from node.federation.peers.peers import Peer, Peers
from node.journal import note, tree
from node.journal.note import Checkpoint
from node.keys import Keyring, PublicKey
from node.records import EVIDENCE, is_collection_name

MAX_BODY_BYTES = 68 * 1024  # a note of 64 KiB, a proof of 63 lines
MAX_ORIGINS = 1_000  # of one peer
_MAX_PROOF = 63
_ADMITTED = ("approved", "active")
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})\Z")
_PLAIN = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"

Answer = tuple[int, str, bytes]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, read: the size the caller believes is known here, its proof, and the new checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: note.SignedNote
    checkpoint: Checkpoint

    @property
    def text(self) -> str:
        return self.note.render()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest checkpoint that was cosigned of one origin."""

    size: int
    root: bytes
    note: str


_NOTHING = _Seen(0, tree.EMPTY_ROOT, "")


class Witness:
    """The witness of this city."""

    def __init__(self, db: Database, keyring: Keyring, peers: Peers, *, base_url: str) -> None:
        """Cosign with the key of purpose `witness`, under the base URL without its scheme as the name."""
        self._db = db
        self._keyring = keyring
        self._peers = peers
        self.name = witness_name(base_url)

    def key(self) -> str:
        """Give the verifier key of the cosignatures."""
        return note.verifier_key(self.name, self._keyring.public_key("witness"), note.COSIGNATURE)

    def add_checkpoint(self, body: bytes, now_ms: int) -> Answer:
        """Answer one add-checkpoint request: status, media type, body.

        200 with the cosignature line · 400 no such request · 403 not signed by a key that is trusted now · 404 a
        collection of nobody who is known · 409 with the size that is known here · 422 not consistent with what is known
        here. Two notes of one size and different roots are kept as evidence, and the peer is held apart.
        """
        try:
            asked = _read(body)
        except Malformed as error:
            return _said(400, error.message)
        peer = self._peer_of(asked.checkpoint.origin)
        if peer is None:
            return _said(404, "This origin is no collection of a city that is known here.")
        keys = [] if peer.quarantine else self._peers.keys(peer.name, "checkpoint")
        if not _is_signed(asked, keys, now_ms):
            return _said(403, "No key that is trusted for this origin signed the checkpoint.")
        if asked.old > asked.checkpoint.size:
            return _said(400, "The old size is larger than the checkpoint's.")
        answer, seen = self._cosign(peer, asked, now_ms)
        if seen.note and (seen.size, seen.root) != (asked.checkpoint.size, asked.checkpoint.root):
            self._judge(peer, seen, asked, keys, now_ms)
        return answer

    def held(self, origin_hash: str) -> str | None:
        """Give the cosigned checkpoint of the origin with this SHA-256 (lower-case hex), or None."""
        for (origin,) in self._db.hot().rows("SELECT origin FROM witnessed"):
            # How much evidence a city has is its own business: it is cosigned, and shown to nobody.
            secret = origin.endswith(f"/collections/{EVIDENCE}")
            if not secret and hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                row = self._db.hot().row("SELECT note FROM witnessed WHERE origin = ?", (origin,))
                return str(row[0]) if row else None
        return None

    def _peer_of(self, origin: str) -> Peer | None:
        base, _, name = origin.rpartition("/collections/")
        if not is_collection_name(name):
            return None
        for peer in self._peers.list():
            if peer.state in _ADMITTED and witness_name(peer.url) == base:
                return peer
        return None

    def _cosign(self, peer: Peer, asked: _Asked, now_ms: int) -> tuple[Answer, _Seen]:
        origin, new = asked.checkpoint.origin, asked.checkpoint
        with self._db.write() as tx:
            tx.lock(f"witness/{origin}")
            seen = _seen(tx, origin)
            if asked.old != seen.size:
                return (409, _SIZE, b"%d\n" % seen.size), seen
            if not _continues(seen, asked):
                return _said(422, "The checkpoint is not proven to continue the one that is known here."), seen
            if not seen.note and _count(tx, origin) >= MAX_ORIGINS:
                return _said(
                    403, f"More than {MAX_ORIGINS} collections of {peer.title or peer.name} are not cosigned."
                ), seen
            line = self._line(asked.note.text, now_ms)
            _keep(tx, new, note.with_lines(_only(asked.note, origin), [line]), now_ms)
        return (200, _PLAIN, line.encode()), seen

    def _line(self, text: str, now_ms: int) -> str:
        key = self._keyring.public_key("witness")
        return note.cosign(
            self.name, key, text, at_s=now_ms // 1000, sign=lambda message: self._keyring.sign("witness", message)
        ).line()

    def _judge(self, peer: Peer, seen: _Seen, asked: _Asked, keys: Sequence[PublicKey], now_ms: int) -> None:
        """Hold a peer apart if two of its notes contradict each other; a wrong proof alone says nothing of it.

        Anybody may send a peer's public note with a made-up proof, so only what the peer itself signed counts.
        """
        new = asked.checkpoint
        if seen.size != new.size or seen.root == new.root:
            return
        told = {
            "kind": "two-histories",
            "origin": new.origin,
            "size": new.size,
            "notes": [seen.note, asked.text],
            "keys": [note.verifier_key(new.origin, key.raw) for key in keys],
        }
        summary = f"Two checkpoints of {new.origin}, both of {new.size} entries and both signed, have different roots."
        self._peers.quarantine(peer.name, "two-histories", summary, json.dumps(told), now_ms)


def witness_name(url: str) -> str:
    """Give the key name of the witness at a base URL: the URL without its scheme."""
    return url.partition("://")[2]


def _is_signed(asked: _Asked, keys: Sequence[PublicKey], now_ms: int) -> bool:
    """Tell whether a key that is in force now signed the checkpoint, and every signature of a known key holds."""
    try:
        return opened_now(asked.text, asked.checkpoint.origin, keys, now_ms) is not None
    except (Malformed, Refuted):
        return False


def _read(body: bytes) -> _Asked:
    if len(body) > MAX_BODY_BYTES:
        raise Malformed("The request is too long.")
    try:
        head, mark, text = body.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise Malformed("The request is not UTF-8.") from error
    first, *rest = head.split("\n")
    old = _OLD.match(first)
    if not old or not mark or len(rest) > _MAX_PROOF:
        raise Malformed("The request is `old N`, at most 63 hashes, an empty line and a checkpoint.")
    signed = note.parse(text)
    return _Asked(int(old.group(1)), tuple(map(_hash, rest)), signed, note.checkpoint_of(signed.text))


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("A line of the proof is no base64.") from error
    if len(raw) != tree.HASH_BYTES or base64.b64encode(raw).decode() != line:
        raise Malformed("A line of the proof is no hash.")
    return raw


def _continues(seen: _Seen, asked: _Asked) -> bool:
    new = asked.checkpoint
    if new.size == 0 and new.root != tree.EMPTY_ROOT:
        return False
    return tree.verify_consistency(seen.size, new.size, asked.proof, seen.root, new.root)


def _seen(tx: Tx, origin: str) -> _Seen:
    row = tx.row("SELECT size, root, note FROM witnessed WHERE origin = ?", origin)
    return _Seen(row[0], bytes(row[1]), row[2]) if row else _NOTHING


def _count(tx: Tx, origin: str) -> int:
    # `0` is the character after `/`: everything between the two begins with this prefix.
    base = origin.rpartition("/")[0]
    row = tx.row("SELECT count(*) FROM witnessed WHERE origin >= ? AND origin < ?", f"{base}/", f"{base}0")
    return int(row[0]) if row else 0


def _only(signed: note.SignedNote, origin: str) -> str:
    """Give the note with the origin's own signatures alone: those of others were not looked at."""
    own = tuple(signature for signature in signed.signatures if signature.name == origin)
    return note.SignedNote(signed.text, own).render()


def _keep(tx: Tx, new: Checkpoint, text: str, now_ms: int) -> None:
    tx.run(
        "INSERT INTO witnessed (origin, size, root, note, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin)"
        " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at",
        new.origin,
        new.size,
        new.root,
        text,
        now_ms,
    )


def _said(status: int, message: str) -> Answer:
    return status, _PLAIN, message.encode() + b"\n"
