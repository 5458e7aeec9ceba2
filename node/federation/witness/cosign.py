"""Asking witnesses: the newest checkpoints of our public collections and our evidence go to peers, who cosign them.

What comes back is believed only if the key pinned for that witness made it over exactly our note, and now. It is kept
beside the checkpoint and served under it. Hourly, and soon after a change; a witness that refuses or does not answer is
asked again after a pause that doubles, from a minute to an hour. A witness that knows more of a collection than we do
is the sign of an old backup: state `ahead`.
"""

import base64
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from node.db import Database, Tx
from node.errors import Malformed, NodeError, Refuted
from node.federation.client import PeerClient
from node.federation.peers.peers import Peer, Peers
from node.federation.witness.witness import witness_name
from node.journal import Collection, Reader, note
from node.keys import verified
from node.records import EVIDENCE

MAX_WITNESSES = 5
FRESH_MS = 3_600_000  # an older cosignature is made anew, so that its time says something
AFTER_CHANGE_MS = 60_000  # a collection that changes every second is not sent every second
SKEW_MS = 600_000
FIRST_REST_MS = 60_000  # after a refusal or silence; each further one doubles it, up to `FRESH_MS`
_KEEP = (
    "INSERT INTO cosignature (collection_id, size, witness, line, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (collection_id, size, witness) DO UPDATE SET line = excluded.line, at = excluded.at"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one witness said to one checkpoint; `state` is cosigned, refused, unreachable or ahead."""

    collection: str
    witness: str
    size: int
    state: str
    at_ms: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One cosignature that is held."""

    collection: str
    size: int
    witness: str
    at_ms: int
    line: str


@dataclass(frozen=True, slots=True)
class _Task:
    collection: Collection
    size: int
    note: str
    witness: Peer
    known: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """How long a witness is left alone about one collection, since it gave no cosignature."""

    since_ms: int
    length_ms: int

    def holds(self, now_ms: int) -> bool:
        # A clock that was set back must not leave anybody alone for years.
        return 0 <= now_ms - self.since_ms < self.length_ms


class Cosigning:
    """Our side of witnessing."""

    def __init__(
        self, db: Database, reader: Reader, peers: Peers, client: PeerClient, *, witnesses: Sequence[str] = ()
    ) -> None:
        """Ask the peers with these names, or the first five active ones if none is named."""
        self._db = db
        self._reader = reader
        self._peers = peers
        self._client = client
        self._named = tuple(witnesses)
        # In memory: a worker that starts anew asks once more, which is what an operator expects of it.
        self._rests: dict[tuple[int, str], _Rest] = {}

    def chosen(self) -> list[Peer]:
        """Give the witnesses that are asked, at most five, none that is paused, blocked or held apart."""
        able = [peer for peer in self._peers.list() if peer.state == "active" and not peer.quarantine]
        if self._named:
            able = sorted(
                (peer for peer in able if peer.name in self._named), key=lambda peer: self._named.index(peer.name)
            )
        return able[:MAX_WITNESSES]

    def run(self, now_ms: int, *, stop: threading.Event | None = None) -> list[Outcome]:
        """Ask every chosen witness about every public collection of ours and about our evidence, now."""
        return self._ask(self._tasks(now_ms, (0, 0)), now_ms, stop)

    def run_due(self, now_ms: int, *, stop: threading.Event | None = None) -> list[Outcome]:
        """Ask only where a cosignature is missing or older than an hour, at most once a minute after changes.

        Whoever gave none is left alone for a while, longer each time.
        """
        tasks = self._tasks(now_ms, (FRESH_MS, AFTER_CHANGE_MS))
        return self._ask([task for task in tasks if not self._rests_now(task, now_ms)], now_ms, stop)

    def lines(self, collection_id: int, size: int) -> list[str]:
        """Give the cosignature lines (each with its LF) of the checkpoint of this size, oldest witness first."""
        sql = "SELECT line FROM cosignature WHERE collection_id = ? AND size = ? ORDER BY witness"
        return [str(row[0]) for row in self._db.hot().rows(sql, (collection_id, size))]

    def newest(self, collection: str) -> int:
        """Give the size of the newest checkpoint of a collection of ours that somebody cosigned, 0 for none."""
        sql = "SELECT max(s.size) FROM cosignature s JOIN collection c ON c.id = s.collection_id WHERE c.name = ?"
        row = self._db.hot().row(sql, (collection,))
        return int(row[0] or 0) if row else 0

    def held(self) -> list[Cosignature]:
        """Give the newest cosignature of every witness for every collection."""
        sql = (
            "SELECT c.name, s.size, s.witness, s.at, s.line FROM cosignature s JOIN collection c"
            " ON c.id = s.collection_id WHERE s.size = (SELECT max(n.size) FROM cosignature n"
            " WHERE n.collection_id = s.collection_id AND n.witness = s.witness) ORDER BY c.name, s.witness"
        )
        return [Cosignature(*row) for row in self._db.hot().rows(sql)]

    def _tasks(self, now_ms: int, waits: tuple[int, int]) -> list[_Task]:
        witnesses = self.chosen()
        if not witnesses:
            return []
        with self._db.read() as tx:
            return [
                task
                for collection in self._reader.collections(tx)
                if (collection.visibility == "public" or collection.name == EVIDENCE) and not collection.is_mirror
                for task in self._of(tx, collection, witnesses, now_ms, waits)
            ]

    def _of(
        self, tx: Tx, collection: Collection, witnesses: Sequence[Peer], now_ms: int, waits: tuple[int, int]
    ) -> list[_Task]:
        text = self._reader.newest_checkpoint(tx, collection.name)
        if text is None:
            return []
        size = note.checkpoint_of(note.parse(text).text).size
        tasks = []
        for witness in witnesses:
            sql = "SELECT size, at FROM cosignature WHERE collection_id = ? AND witness = ? ORDER BY size DESC LIMIT 1"
            known, at_ms = tx.row(sql, collection.id, witness.name) or (0, 0)
            if now_ms - at_ms >= waits[known != size]:
                tasks.append(_Task(collection, size, text, witness, min(known, size)))
        return tasks

    def _ask(self, tasks: Sequence[_Task], now_ms: int, stop: threading.Event | None) -> list[Outcome]:
        outcomes = []
        for task in tasks:
            if stop is not None and stop.is_set():
                break
            state, detail = self._one(task, now_ms)
            self._rest(task, state, now_ms)
            outcomes.append(Outcome(task.collection.name, task.witness.name, task.size, state, now_ms, detail))
        return outcomes

    def _rests_now(self, task: _Task, now_ms: int) -> bool:
        rest = self._rests.get((task.collection.id, task.witness.name))
        return rest is not None and rest.holds(now_ms)

    def _rest(self, task: _Task, state: str, now_ms: int) -> None:
        """Remember who gave no cosignature, and for how long it is left alone."""
        which = (task.collection.id, task.witness.name)
        before = self._rests.pop(which, None)
        if state != "cosigned":
            length_ms = min(2 * before.length_ms, FRESH_MS) if before else FIRST_REST_MS
            self._rests[which] = _Rest(now_ms, length_ms)

    def _one(self, task: _Task, now_ms: int) -> tuple[str, str]:
        try:
            status, body = self._send(task, task.known)
            if status == 409:
                known = _size_of(body)
                if known > task.size:
                    return "ahead", f"It has seen {known} entries, and this node has {task.size}."
                status, body = self._send(task, known)
            if status != 200:
                return "refused", f"It answered {status}: {body[:200].decode(errors='replace').strip()}"
            self._keep(task, body, now_ms)
        except (Malformed, Refuted) as error:
            return "refused", f"Its cosignature does not hold: {error.message}"
        except NodeError as error:
            return "unreachable", error.message
        return "cosigned", ""

    def _send(self, task: _Task, old: int) -> tuple[int, bytes]:
        with self._db.read() as tx:
            proof = self._reader.consistency(tx, task.collection.name, old, task.size)
        lines = "".join(base64.b64encode(each).decode() + "\n" for each in proof)
        # Without other witnesses' lines: they are not this one's matter.
        signed = note.parse(task.note)
        return self._client.add_checkpoint(task.witness.url, f"old {old}\n{lines}\n{signed.render()}".encode())

    def _keep(self, task: _Task, body: bytes, now_ms: int) -> None:
        line = self._line(task, body, now_ms)
        with self._db.write() as tx:
            tx.run(_KEEP, task.collection.id, task.size, task.witness.name, line, now_ms)

    def _line(self, task: _Task, body: bytes, now_ms: int) -> str:
        """Find the line of a pinned key that is in force, and check it; Refuted if there is none, or of now."""
        name = witness_name(task.witness.url)
        keys = {name: [key.raw for key in self._peers.keys(task.witness.name, "witness") if key.is_in_force(now_ms)]}
        text = note.parse(task.note).text
        for signature in note.signature_lines(body.decode(errors="replace")):
            for cosigned in note.cosignatures(note.SignedNote(text, (signature,)), keys, verified):
                if abs(cosigned.at_s * 1000 - now_ms) > SKEW_MS:
                    raise Refuted("its time is more than ten minutes from ours.")
                return signature.line()
        raise Refuted("no line of it is by a key that is pinned for this witness and in force.")


def _size_of(body: bytes) -> int:
    text = body[:20].decode(errors="replace").strip()
    if not (text.isascii() and text.isdigit()):
        raise Malformed("it gave no size.")
    return int(text)
