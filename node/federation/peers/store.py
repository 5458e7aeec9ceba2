"""The book of peers: who they are, their pinned keys, what is followed of them, what was found against them.

Owns the tables `peer`, `peer_key`, `evidence` and `follow`; nobody else queries them. Evidence and keys are never
removed: old notes are still checked by old keys. Asks nobody outside; the acts of a peer's life that need its
statement are in `peers`. Every method is one transaction unless it takes one.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

from node.db import Database, Row, Tx
from node.errors import Conflict, NodeError, NotFound
from node.federation.peers.backoff import Backoff, asked_ms
from node.federation.peers.states import EXCHANGING, TRUSTED, Act, State, after
from node.keys import PublicKey, Purpose
from node.stale import check_mark, mark_of

MAX_PEERS = 500
MAX_FOLLOWS = 1_000
MAX_EVIDENCE = 1_000
MAX_EVIDENCE_BYTES = 512 * 1024
# A sign of life is written at most this often: a peer that asks a thousand times a minute must not cost us as many
# commits.
_COARSE_MS = 10_000
OWN = ""  # the owner of our own namespaces


@dataclass(frozen=True, slots=True)
class Peer:
    """A city as it stands in the book. Times in ms, 0 for never; `namespaces` are those that a person approved.

    `follows_all` holds the themes with which all that it names as public is followed, also what comes later; None where
    only what was named is.
    """

    name: str
    url: str
    title: str
    fingerprint: str
    state: State
    quarantine: str
    note: str
    namespaces: tuple[str, ...]
    statement: str = field(repr=False)
    statement_seen_at: int
    statement_expires_at: int
    added_at: int
    approved_at: int
    approved_by: str
    last_out_at: int
    last_in_at: int
    failures: int
    open_until: int
    last_error_code: str
    last_error: str
    last_error_at: int
    follows_all: tuple[str, ...] | None = None

    @property
    def exchanges(self) -> bool:
        """Tell whether anything may be exchanged with it, either way."""
        return self.state in EXCHANGING and not self.quarantine


@dataclass(frozen=True, slots=True)
class Follow:
    """One collection of a peer that is mirrored here, under `local`; no themes means all of it."""

    peer: str
    collection: str
    iri: str
    local: str
    themes: tuple[str, ...]
    created_at: int
    paused: bool
    etag: str
    known_size: int
    known_note: str = field(repr=False)
    known_at: int
    checked_at: int
    level_at: int
    last_error_code: str
    last_error: str
    last_error_at: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something found against a peer, or done with its keys; `body` is what anyone can check."""

    id: int
    peer: str
    at: int
    kind: str
    summary: str
    body: str = field(repr=False)


_PEER = ", ".join(each.name for each in fields(Peer))
_FOLLOW = ", ".join(each.name for each in fields(Follow))
_KEY = "purpose, kid, alg, jwk, since, until, endorsed_by"
_LISTS = {"namespaces", "themes"}
_PEER_CHANGES = frozenset(each.name for each in fields(Peer)) - {"name", "added_at"}
_FOLLOW_CHANGES = frozenset(each.name for each in fields(Follow)) - {"peer", "collection", "local", "created_at"}


class PeerStore:
    """Reads and keeps the book. Safe to share by threads."""

    def __init__(self, db: Database, *, chance: Callable[[], float], backoff: Backoff | None = None) -> None:
        """Keep it in this database; `chance` gives a fresh number from 0 up to 1 for the jitter."""
        self.db = db
        self._chance = chance
        self._backoff = backoff or Backoff()

    # ---------------------------------------------------------------- peers

    def list(self) -> Sequence[Peer]:
        """Give every peer in order of name."""
        rows = self.db.hot().rows(f"SELECT {_PEER} FROM peer ORDER BY name")  # noqa: S608 - names of columns
        return [_peer(row) for row in rows]

    def get(self, name: str) -> Peer:
        """Give one peer.

        Raises:
            NotFound: There is none of that name.
        """
        row = self.db.hot().row(f"SELECT {_PEER} FROM peer WHERE name = ?", (name,))  # noqa: S608
        if row is None:
            raise NotFound(
                f"There is no peer {name!r}.",
                fix="List them: citynode peers list",
            ).on_page("no.peer", name=name[:63])
        return _peer(row)

    def by_url(self, url: str) -> Peer | None:
        """Find the peer with exactly this base URL."""
        row = self.db.hot().row(f"SELECT {_PEER} FROM peer WHERE url = ?", (url,))  # noqa: S608
        return _peer(row) if row else None

    def insert(self, tx: Tx, peer: Peer) -> None:
        """Write a new peer.

        Raises:
            Conflict: Its name or address is taken, or there are 500 already.
        """
        taken = tx.row("SELECT name, url FROM peer WHERE name = ? OR url = ?", peer.name, peer.url)
        if taken:
            what = f"named {peer.name}" if taken[0] == peer.name else f"at {peer.url}: {taken[0]}"
            raise Conflict(
                f"There is a peer {what} already.", fix=f"Look at it: citynode peers show {taken[0]}"
            ).on_page("no.peer.taken", field="name", name=str(taken[0]), url=peer.url)
        count = tx.row("SELECT count(*) FROM peer")
        if count and count[0] >= MAX_PEERS:
            raise Conflict(
                f"This node has {MAX_PEERS} peers, which is the most it takes.",
                fix="Ask those you follow for what they mirror.",
            ).on_page("no.peer.full", most=MAX_PEERS)
        columns = _columns(peer)
        marks = ", ".join("?" * len(columns))
        tx.run(f"INSERT INTO peer ({', '.join(columns)}) VALUES ({marks})", *columns.values())  # noqa: S608

    def change(self, tx: Tx, name: str, **changes: object) -> None:
        """Write some columns of a peer."""
        _update(tx, "peer", _PEER_CHANGES, changes, {"name": name})

    def move(self, tx: Tx, name: str, act: Act) -> State:
        """Do what an act does to a peer's state, and give the new one.

        Raises:
            NotFound: There is none of that name.
            Conflict: It cannot be done in its state.
        """
        tx.lock(f"peer/{name}")
        row = tx.row("SELECT state FROM peer WHERE name = ?", name)
        if row is None:
            raise NotFound(
                f"There is no peer {name!r}.",
                fix="List them: citynode peers list",
            ).on_page("no.peer", name=name[:63])
        state = after(act, cast("State", row[0]), name=name)
        if state != row[0]:
            self.change(tx, name, state=state)
        return state

    def pause(self, name: str) -> State:
        """Stop all exchange with a peer for a while."""
        with self.db.write() as tx:
            return self.move(tx, name, "pause")

    def resume(self, name: str) -> State:
        """End a pause; the next exchange makes the peer active again."""
        with self.db.write() as tx:
            state = self.move(tx, name, "resume")
            self.change(tx, name, failures=0, open_until=0)
        return state

    def block(self, name: str) -> State:
        """Stop all exchange with a peer and hide what is held of it; only a new approval ends that."""
        with self.db.write() as tx:
            return self.move(tx, name, "block")

    # ---------------------------------------------------------------- keys

    def keys(self, name: str, purpose: Purpose, *, at_ms: int | None = None) -> Sequence[PublicKey]:
        """Give the pinned keys of a peer for one purpose, the newest first.

        Args:
            name: Empty list for a peer that is unknown or was never approved.
            purpose: What the keys are for; each key has one purpose.
            at_ms: Only those that were good at this time; without it also historic ones, for old signatures.
        """
        sql = f"SELECT {_KEY} FROM peer_key WHERE peer = ? AND purpose = ? ORDER BY since DESC, kid"  # noqa: S608
        found = [_key(row) for row in self.db.hot().rows(sql, (name, purpose))]
        return [key for key in found if at_ms is None or _is_good(key, at_ms)]

    def all_keys(self, name: str) -> Sequence[PublicKey]:
        """Give every pinned key of a peer."""
        sql = f"SELECT {_KEY} FROM peer_key WHERE peer = ? ORDER BY purpose, since DESC, kid"  # noqa: S608
        return [_key(row) for row in self.db.hot().rows(sql, (name,))]

    def pin(self, tx: Tx, name: str, keys: Sequence[PublicKey], at_ms: int) -> None:
        """Pin keys, or note what has become of pinned ones: the end of their time may be set and brought nearer."""
        sql = (
            f"INSERT INTO peer_key (peer, first_seen_at, {_KEY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT (peer, kid) DO UPDATE SET until = CASE WHEN peer_key.until IS NULL THEN excluded.until"
            " WHEN excluded.until IS NULL THEN peer_key.until WHEN excluded.until < peer_key.until"
            " THEN excluded.until ELSE peer_key.until END"
        )
        tx.many(
            sql,
            [
                (name, at_ms, k.purpose, k.kid, k.alg, json.dumps(dict(k.jwk)), k.since_ms, k.until_ms, k.endorsed_by)
                for k in keys
            ],
        )

    def retire(self, tx: Tx, name: str, kids: Sequence[str], at_ms: int) -> None:
        """End the time of pinned keys now; they still check what they signed before."""
        sql = "UPDATE peer_key SET until = ? WHERE peer = ? AND kid = ? AND (until IS NULL OR until > ?)"
        tx.many(sql, [(at_ms, name, kid, at_ms) for kid in kids])

    # ---------------------------------------------------------------- namespaces

    def own_namespaces(self) -> Sequence[str]:
        """Give the prefixes that are ours; `peers` knows them."""
        return ()

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        """Give every approved prefix with who declared it; our own have the owner `""`.

        The longest prefix of an IRI decides; one with two owners gives neither of them authority (formats.md 2).
        """
        table: dict[str, set[str]] = {prefix: {OWN} for prefix in self.own_namespaces()}
        for peer in self.list():
            if peer.state in TRUSTED:
                for prefix in peer.namespaces:
                    table.setdefault(prefix, set()).add(peer.name)
        return {prefix: frozenset(owners) for prefix, owners in table.items()}

    # ---------------------------------------------------------------- evidence

    def witness(self, tx: Tx, name: str, *, kind: str, summary: str, body: str, at_ms: int) -> None:
        """Keep evidence about a peer; the same twice in a row is kept once, and of one kind at most a thousand."""
        body = (
            body
            if len(body.encode()) <= MAX_EVIDENCE_BYTES
            else body.encode()[:MAX_EVIDENCE_BYTES].decode("utf-8", "ignore")
        )
        last = tx.row("SELECT kind, body FROM evidence WHERE peer = ? ORDER BY id DESC LIMIT 1", name)
        count = tx.row("SELECT count(*) FROM evidence WHERE peer = ? AND kind = ?", name, kind)
        if (last is None or (last[0], last[1]) != (kind, body)) and (count is None or count[0] < MAX_EVIDENCE):
            sql = "INSERT INTO evidence (peer, at, kind, summary, body) VALUES (?, ?, ?, ?, ?)"
            tx.run(sql, name, at_ms, kind, summary, body)

    def quarantine(self, name: str, kind: str, summary: str, body: str, at_ms: int) -> None:
        """Hold a peer apart, with the evidence: nothing is exchanged either way until a person approves it again."""
        with self.db.write() as tx:
            self.witness(tx, name, kind=kind, summary=summary, body=body, at_ms=at_ms)
            tx.run("UPDATE peer SET quarantine = ? WHERE name = ? AND quarantine = ''", summary, name)

    def remember(self, name: str, kind: str, summary: str, said: Mapping[str, str], peer: Peer, at_ms: int) -> None:
        """Keep what a person did about a peer, beside the statement it was about."""
        body = json.dumps({**said, "statement": peer.statement})
        with self.db.write() as tx:
            self.witness(tx, name, kind=kind, summary=summary, body=body, at_ms=at_ms)

    def evidence(self, name: str) -> Sequence[Evidence]:
        """Give what is kept about a peer, oldest first."""
        sql = "SELECT id, peer, at, kind, summary, body FROM evidence WHERE peer = ? ORDER BY id"
        return [Evidence(*row) for row in self.db.hot().rows(sql, (name,))]

    # ---------------------------------------------------------------- contact

    def heard(self, name: str, at_ms: int) -> None:
        """Note that a peer asked us something; kept to ten seconds."""
        peer = self.get(name)
        if at_ms - peer.last_in_at >= _COARSE_MS:
            with self.db.write() as tx:
                self.change(tx, name, last_in_at=at_ms)

    def answered(self, name: str, at_ms: int) -> None:
        """Note that an exchange with a peer succeeded: failures are over, and an approved peer becomes active."""
        peer = self.get(name)
        if peer.state == "active" and not peer.failures and at_ms - peer.last_out_at < _COARSE_MS:
            return
        with self.db.write() as tx:
            changes: dict[str, object] = {"last_out_at": at_ms, "failures": 0, "open_until": 0}
            if peer.exchanges:
                self.move(tx, name, "exchange")
            self.change(tx, name, **changes)

    def failed(self, name: str, error: NodeError, at_ms: int) -> None:
        """Note that an exchange with a peer failed, and when to try next."""
        with self.db.write() as tx:
            row = tx.row("SELECT failures FROM peer WHERE name = ?", name)
            if row is None:
                return
            wait = self._backoff.wait_ms(row[0] + 1, self._chance(), asked_ms=asked_ms(error))
            self.change(tx, name, failures=row[0] + 1, open_until=at_ms + wait, **_error(error, at_ms))

    def due(self, name: str, now_ms: int) -> bool:
        """Tell whether a peer may be asked now: it exchanges, and its failures do not say to wait."""
        peer = self.get(name)
        return peer.exchanges and now_ms >= peer.open_until

    # ---------------------------------------------------------------- follows

    def follows(self, name: str = "") -> Sequence[Follow]:
        """Give what is followed of a peer, or of all, in order of local name."""
        sql = f"SELECT {_FOLLOW} FROM follow"  # noqa: S608 - names of columns
        found = self.db.hot().rows(f"{sql} WHERE peer = ? ORDER BY local", (name,)) if name else None
        rows = self.db.hot().rows(f"{sql} ORDER BY local") if found is None else found
        return [_follow(row) for row in rows]

    def followed(self, name: str, collection: str) -> Follow:
        """Give one follow; NotFound if that collection of the peer is not followed."""
        found = [each for each in self.follows(name) if each.collection == collection]
        if not found:
            raise NotFound(
                f"{collection} of {name} is not followed.", fix=f"citynode peers follow {name} {collection}"
            ).on_page("no.peer.unfollowed", name=name, collection=collection)
        return found[0]

    def insert_follow(self, tx: Tx, follow: Follow) -> None:
        """Write a follow, or the themes and the end of a pause of one that is there."""
        count = tx.row("SELECT count(*) FROM follow")
        if count and count[0] >= MAX_FOLLOWS:
            raise Conflict(
                f"This node follows {MAX_FOLLOWS} collections, which is the most it takes.",
            ).on_page("no.peer.follows", most=MAX_FOLLOWS)
        columns = _columns(follow)
        marks = ", ".join("?" * len(columns))
        tx.run(
            f"INSERT INTO follow ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT (peer, collection)"  # noqa: S608
            " DO UPDATE SET themes = excluded.themes, paused = excluded.paused",
            *columns.values(),
        )

    def check_follows(self, tx: Tx, name: str, mark: str) -> None:
        """Make sure that what is followed of a peer is what was shown, under its lock. Raises Changed."""
        rows = tx.rows("SELECT collection, themes FROM follow WHERE peer = ?", name)
        every = tx.row("SELECT follows_all FROM peer WHERE name = ?", name)
        follows = [(str(collection), json.loads(themes)) for collection, themes in rows]
        check_mark(mark, *_follow_facts(follows, every=bool(every and every[0])))

    def check_note(self, tx: Tx, name: str, mark: str, *, wanted: str) -> None:
        """Make sure that the note about a peer is the one that was shown, or the wanted one. Raises Changed."""
        tx.lock(f"peer/{name}")
        row = tx.row("SELECT note FROM peer WHERE name = ?", name)
        if row is not None and row[0] != wanted:
            check_mark(mark, row[0])

    def change_follow(self, tx: Tx, name: str, collection: str, **changes: object) -> None:
        """Write some columns of a follow, in the transaction of whoever learnt them."""
        _update(tx, "follow", _FOLLOW_CHANGES, changes, {"peer": name, "collection": collection})

    def follow_failed(self, name: str, collection: str, error: NodeError, at_ms: int) -> None:
        """Note why a followed collection could not be brought level."""
        with self.db.write() as tx:
            self.change_follow(tx, name, collection, **_error(error, at_ms))

    def unfollow(self, name: str, collection: str) -> None:
        """Stop mirroring a collection; what is held of it stays. Ends the following of all that comes, too."""
        self.followed(name, collection)
        with self.db.write() as tx:
            tx.lock(f"peer/{name}")
            tx.run("DELETE FROM follow WHERE peer = ? AND collection = ?", name, collection)
            self.change(tx, name, follows_all=None)


def mark_of_follows(follows: Iterable[tuple[str, Sequence[str]]], *, every: bool) -> str:
    """Name what is followed of a peer (`stale`): collections with their themes, and whether all that comes is."""
    return mark_of(*_follow_facts(follows, every=every))


def _follow_facts(follows: Iterable[tuple[str, Sequence[str]]], *, every: bool) -> tuple[object, ...]:
    return sorted((collection, list(themes)) for collection, themes in follows), every


def owners_of(table: Mapping[str, frozenset[str]], iri: str) -> frozenset[str]:
    """Give who declared the longest prefix of an IRI in the table of `namespaces`; nobody, if none is one."""
    for end in range(len(iri), 0, -1):
        if iri[end - 1] in "/#" and iri[:end] in table:
            return table[iri[:end]]
    return frozenset()


def _is_good(key: PublicKey, at_ms: int) -> bool:
    return key.since_ms <= at_ms and (key.until_ms is None or at_ms < key.until_ms)


def _error(error: NodeError, at_ms: int) -> dict[str, object]:
    said = "".join(c if c.isprintable() else " " for c in str(error))[:500]
    return {"last_error_code": error.code, "last_error": said, "last_error_at": at_ms}


def _columns(value: Peer | Follow) -> dict[str, object]:
    return {each.name: _cell(each.name, getattr(value, each.name)) for each in fields(value)}


def _cell(name: str, value: object) -> object:
    if name == "follows_all":
        return json.dumps(list(value)) if isinstance(value, tuple) else ""
    return json.dumps(list(cast("Sequence[str]", value))) if name in _LISTS else value


def _update(tx: Tx, table: str, known: frozenset[str], changes: Mapping[str, object], key: Mapping[str, str]) -> None:
    if not changes.keys() <= known:
        raise ValueError(f"{table} has no column {sorted(changes.keys() - known)}")
    sets = ", ".join(f"{name} = ?" for name in changes)
    where = " AND ".join(f"{name} = ?" for name in key)
    values = [_cell(name, value) for name, value in changes.items()]
    tx.run(f"UPDATE {table} SET {sets} WHERE {where}", *values, *key.values())  # noqa: S608 - names of columns


def _peer(row: Row) -> Peer:
    said: dict[str, Any] = dict(zip((each.name for each in fields(Peer)), row, strict=True))
    every = tuple(json.loads(said["follows_all"])) if said["follows_all"] else None
    return Peer(**(said | {"namespaces": tuple(json.loads(said["namespaces"])), "follows_all": every}))


def _follow(row: Row) -> Follow:
    said: dict[str, Any] = dict(zip((each.name for each in fields(Follow)), row, strict=True))
    return Follow(**(said | {"themes": tuple(json.loads(said["themes"])), "paused": bool(said["paused"])}))


def _key(row: Row) -> PublicKey:
    purpose, kid, alg, jwk, since, until, endorsed_by = row
    return PublicKey(
        purpose=purpose,
        kid=kid,
        alg=alg,
        jwk=json.loads(jwk),
        since_ms=since,
        until_ms=until,
        endorsed_by=endorsed_by,
        endorsement="",
    )
