"""Comparing heads: is a city telling us the same history as it tells others? Other peers' copies of its notes say so.

Only what the origin itself signed counts, for it or against it. A head that is smaller than ours must be the root of
our own tree at that size; a larger one is remembered, and compared when we have come as far. Two signed notes that
cannot be of one history are evidence that anyone can check, with our tree's proof between their sizes. A head that the
origin did not sign says nothing of the origin, and is noted about the peer that showed it.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.db import Database, Tx
from node.errors import NodeError, NotFound
from node.federation.client import Head, PeerClient
from node.federation.exchange.history import b64, opened_now
from node.federation.peers.peers import Peer, Peers
from node.journal import Reader, note
from node.journal.note import Checkpoint

ASKED_AT_ONCE = 3
CACHE_MS = 60_000
MAX_SEEN = 100  # of one collection: every peer shows one
_logger = logging.getLogger("citynode.heads")
_SEE = (
    "INSERT INTO seen_head (collection, seen_by, size, root, note, at, compared) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (collection, seen_by) DO UPDATE SET size = excluded.size, root = excluded.root,"
    " note = excluded.note, at = excluded.at, compared = excluded.compared"
)


# Peer, its heads, now.
Notice = Callable[[str, Sequence[Head], int], None]


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found. `doubtful` names peers that showed a note which the origin did not sign."""

    asked: tuple[str, ...]
    agreeing: tuple[str, ...]
    waiting: tuple[str, ...]
    doubtful: tuple[str, ...]
    contradiction: str = ""


@dataclass(slots=True)
class _Found:
    agreeing: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    contradiction: str = ""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A note of the origin as another peer showed it, its signature checked."""

    by: str
    checkpoint: Checkpoint
    note: str


@dataclass(slots=True)
class _Cached:
    at_ms: int
    etag: str = ""
    heads: tuple[Head, ...] = ()


class Heads:
    """Compares what several peers hold of one collection."""

    def __init__(
        self, db: Database, reader: Reader, peers: Peers, client: PeerClient, *, notice: Notice | None = None
    ) -> None:
        """Compare with these journals; `notice` hears every list, since it may show more of us than we hold."""
        self._db = db
        self._reader = reader
        self._peers = peers
        self._client = client
        self._notice = notice
        self._cache: dict[str, _Cached] = {}

    def compare(self, peer: str, iri: str, local: str, now_ms: int) -> Compared:
        """Compare our mirror of a peer's collection with what other active peers hold of it.

        Call it after a pull. A contradiction holds the origin apart, with the evidence.

        Args:
            peer: The origin.
            iri: The collection, as its origin names it.
            local: Its name here.
            now_ms: The time; other peers' lists are asked for at most once a minute.
        """
        others = self._others(peer, now_ms)
        found = _Found()
        for other in others:
            for head in self._heads_of(other, now_ms):
                if head.collection == iri:
                    self._take(peer, other, iri, head, now_ms, found)
        with self._db.read() as tx:
            shown = self._remembered(tx, iri)
        for one, other_one in _rivals(shown):
            self._contradict(peer, iri, (one, other_one), self._evidence_of_two(peer, one, other_one), now_ms, found)
        for each in shown:
            self._judge(peer, iri, local, each, now_ms, found)
        return Compared(
            tuple(other.name for other in others),
            tuple(found.agreeing),
            tuple(found.waiting),
            tuple(found.doubtful),
            found.contradiction,
        )

    def _others(self, origin: str, now_ms: int) -> list[Peer]:
        """Choose whom to ask: three of the active peers, others with every minute."""
        able = [
            peer for peer in self._peers.list() if peer.name != origin and peer.state == "active" and peer.exchanges
        ]
        if not able:
            return []
        first = now_ms // CACHE_MS % len(able)
        return (able[first:] + able[:first])[:ASKED_AT_ONCE]

    def _heads_of(self, peer: Peer, now_ms: int) -> Sequence[Head]:
        held = self._cache.get(peer.url)
        if held is not None and 0 <= now_ms - held.at_ms < CACHE_MS:
            return held.heads
        try:
            told = self._client.heads(peer.url, held.etag if held else "")
        except NodeError as error:
            # Its silence is no sign of anything: it is asked again in a minute.
            _logger.info("%s was not asked for its heads: %s", peer.name, error)
            self._cache[peer.url] = _Cached(now_ms, held.etag if held else "", held.heads if held else ())
            return ()
        if told is not None:
            held = _Cached(now_ms, told.etag, told.heads)
            if self._notice is not None:
                self._notice(peer.name, told.heads, now_ms)
        elif held is not None:
            held.at_ms = now_ms
        self._cache[peer.url] = held or _Cached(now_ms)
        return self._cache[peer.url].heads

    def _take(self, origin: str, other: Peer, iri: str, head: Head, now_ms: int, found: _Found) -> None:
        """Remember a head another peer shows, if the origin signed it with a key that is in force.

        One that only a former key signed is passed over: it may be an old copy, or of whoever came to have that key.
        """
        keys = self._peers.keys(origin, "checkpoint")
        try:
            checkpoint = opened_now(head.checkpoint, note.origin_of(iri), keys, now_ms)
        except NodeError as error:
            found.doubtful.append(other.name)
            self._doubt(other, iri, head, error, now_ms)
            return
        if checkpoint is None:
            return
        with self._db.write() as tx:
            sql = "SELECT size, root, compared FROM seen_head WHERE collection = ? AND seen_by = ?"
            size, root, compared = tx.row(sql, iri, other.name) or (-1, b"", False)
            if (size, bytes(root)) != (checkpoint.size, checkpoint.root):
                row = (iri, other.name, checkpoint.size, checkpoint.root, head.checkpoint, now_ms, False)
                tx.run(_SEE, *row)
            elif compared:
                found.agreeing.append(other.name)

    def _doubt(self, other: Peer, iri: str, head: Head, error: NodeError, now_ms: int) -> None:
        summary = f"It shows a checkpoint of {iri} that no pinned key of its city signed."
        _logger.warning("%s: %s %s", other.name, summary, error)
        with self._db.write() as tx:
            self._peers.witness(
                tx, other.name, kind="unsigned-head", summary=summary, body=head.checkpoint, at_ms=now_ms
            )

    def _remembered(self, tx: Tx, iri: str) -> list[_Shown]:
        # A row of nobody says how long a history was that an approved epoch gave up; what is shorter may be of that.
        given_up = tx.row("SELECT size FROM seen_head WHERE collection = ? AND seen_by = ''", iri) or (-1,)
        sql = "SELECT seen_by, size, root, note FROM seen_head WHERE collection = ? AND NOT compared AND size > ?"
        origin = note.origin_of(iri)
        return [
            _Shown(by, Checkpoint(origin, size, bytes(root)), text)
            for by, size, root, text in tx.rows(f"{sql} ORDER BY seen_by LIMIT {MAX_SEEN}", iri, given_up[0])
        ]

    def _judge(self, peer: str, iri: str, local: str, shown: _Shown, now_ms: int, found: _Found) -> None:
        """Compare one remembered head with our own tree, if that has come so far."""
        theirs = shown.checkpoint
        with self._db.read() as tx:
            try:
                ours = self._reader.root(tx, local, theirs.size)
            except NotFound:
                found.waiting.append(shown.by)
                return
            evidence = {} if ours == theirs.root else self._evidence(tx, peer, local, shown, ours)
        if evidence:
            self._contradict(peer, iri, (shown,), evidence, now_ms, found)
            return
        found.agreeing.append(shown.by)
        with self._db.write() as tx:
            sql = "UPDATE seen_head SET compared = TRUE WHERE collection = ? AND seen_by = ? AND size = ? AND root = ?"
            tx.run(sql, iri, shown.by, theirs.size, theirs.root)

    def _contradict(
        self, peer: str, iri: str, shown: Sequence[_Shown], evidence: dict[str, object], now_ms: int, found: _Found
    ) -> None:
        """Hold the origin apart: what it signed for us and for others cannot be of one history."""
        by, size = " and ".join(each.by for each in shown), shown[0].checkpoint.size
        summary = f"{iri} has two histories, both signed: what {by} shows differs at {size} entries."
        found.contradiction = summary
        self._peers.quarantine(peer, "split-view", summary, json.dumps(evidence), now_ms)

    def _evidence(self, tx: Tx, peer: str, local: str, shown: _Shown, ours: bytes) -> dict[str, object]:
        """Write down what contradicts what, so that anyone with the city's key can check it."""
        held = self._reader.newest_checkpoint(tx, local)
        size, top = shown.checkpoint.size, note.checkpoint_of(note.parse(held).text).size if held else 0
        proof = self._reader.consistency(tx, local, size, top) if size <= top else []
        tree = {"held": held, "held_root": b64(ours), "consistency": [b64(each) for each in proof]}
        return self._claim(peer, shown) | tree

    def _evidence_of_two(self, peer: str, one: _Shown, other: _Shown) -> dict[str, object]:
        return self._claim(peer, one) | {"held": other.note, "held_by": other.by}

    def _claim(self, peer: str, shown: _Shown) -> dict[str, object]:
        origin = shown.checkpoint.origin
        keys = [note.verifier_key(origin, key.raw) for key in self._peers.keys(peer, "checkpoint")]
        told = {"shown_by": shown.by, "shown": shown.note, "size": shown.checkpoint.size}
        return {"kind": "split-view", "origin": origin, "keys": keys, **told}


def _rivals(shown: Sequence[_Shown]) -> list[tuple[_Shown, _Shown]]:
    """Find the first two notes of one size and different roots; nobody's tree is needed to see that."""
    for index, one in enumerate(shown):
        for other in shown[index + 1 :]:
            if one.checkpoint.size == other.checkpoint.size and one.checkpoint.root != other.checkpoint.root:
                return [(one, other)]
    return []
