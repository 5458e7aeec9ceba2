"""What is told to the city a mirror comes from: which entries this node refuses, and which erasures it has obeyed.

Both cities see a refusal, and the origin sees who has not yet confirmed an erasure. Nothing counts as told before the
origin has answered, and what was not told is told the next time; saying it twice changes nothing there. Owns the
columns that say so (`refusal.reported_at`, `erasure_told.at`) and the table `refusal_lifted`: what is held now after
it had been reported as refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from node.db import Database, Tx
from node.federation.check import QUIET
from node.federation.client import PeerClient
from node.federation.peers.peers import Follow, Peers

BATCH = 500
_QUIET = tuple(sorted(QUIET))
# What is nobody's fault is not told.
_REFUSED = (
    "SELECT r.seq, r.code FROM refusal r JOIN collection c ON c.id = r.collection_id WHERE c.name = ?"  # noqa: S608
    f" AND r.reported_at IS NULL AND r.code NOT IN ({', '.join('?' * len(_QUIET))})"
    " AND r.seq > ? ORDER BY r.seq LIMIT ?"
)
_LIFTED = (
    "SELECT l.seq, '' FROM refusal_lifted l JOIN collection c ON c.id = l.collection_id WHERE c.name = ?"
    " AND l.seq > ? ORDER BY l.seq LIMIT ?"
)
_ERASED = (
    "SELECT e.target FROM erasure_told e JOIN collection c ON c.id = e.collection_id WHERE c.name = ?"
    " AND e.at IS NULL AND e.target > ? ORDER BY e.target LIMIT ?"
)
_OF = "collection_id = (SELECT id FROM collection WHERE name = ?)"
_REPORTED = f"UPDATE refusal SET reported_at = ? WHERE {_OF} AND seq = ? AND code = ?"  # noqa: S608 - no values
_LIFT = (
    "INSERT INTO refusal_lifted (collection_id, seq, at) SELECT id, ?, ? FROM collection WHERE name = ?"
    " ON CONFLICT DO NOTHING"
)
_LIFT_TOLD = f"DELETE FROM refusal_lifted WHERE {_OF} AND seq = ?"  # noqa: S608
# From `name/` up to `name0`, the character after the slash, stand the mirrors of a peer.
_SHOWN = (
    "SELECT c.name, r.seq, r.code, r.detail, r.record, r.at, r.reported_at FROM refusal r JOIN collection c"  # noqa: S608
    f" ON c.id = r.collection_id WHERE r.code NOT IN ({', '.join('?' * len(_QUIET))})"
    " AND (? = '' OR (c.name >= ? AND c.name < ?)) ORDER BY c.name, r.seq LIMIT ?"
)
_CONFIRMED = f"UPDATE erasure_told SET at = ? WHERE {_OF} AND target = ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry of a mirror that is refused here; `reported_at` is None while its origin does not know."""

    collection: str
    seq: int
    code: str
    detail: str
    record: str
    at_ms: int
    reported_at: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """How much an origin was told: refusals, refusals taken back, erasures confirmed."""

    refusals: int = 0
    lifted: int = 0
    erasures: int = 0

    def __bool__(self) -> bool:
        """Tell whether there was anything to tell."""
        return bool(self.refusals or self.lifted or self.erasures)


class Reports:
    """Tells origins. Safe to share by threads: what is told twice is told once."""

    def __init__(self, db: Database, peers: Peers, client: PeerClient) -> None:
        """Read and keep in this database, speak through this client."""
        self._db = db
        self._peers = peers
        self._client = client

    def waiting(self, name: str) -> bool:
        """Tell whether a peer has still to hear something; a few reads by key."""
        return any(
            self._rows(sql, each, 0, 1) for each in self._peers.follows(name) for sql in (_REFUSED, _LIFTED, _ERASED)
        )

    def send(self, name: str, now_ms: int, stop: Event | None = None) -> Told:
        """Tell a peer everything it has not heard, batch by batch; what was told before an error stays told.

        Raises:
            PeerUnreachable: It did not answer; the rest is told the next time.
            Refused: It would not hear it; likewise.
            JournalBusy: What was erased still stands in a file that somebody reads; likewise.
        """
        url = self._peers.get(name).url
        refusals = lifted = erasures = 0
        for follow in self._peers.follows(name):
            refusals += self._refusals(url, follow, _REFUSED, now_ms, stop)
            lifted += self._refusals(url, follow, _LIFTED, now_ms, stop)
            erasures += self._erasures(url, follow, now_ms, stop)
        return Told(refusals, lifted, erasures)

    def refused(self, name: str = "", *, limit: int = 1_000) -> list[Refusal]:
        """Give what is refused of a peer, or of all, by mirror and entry; what nobody is to blame for is left out."""
        rows = self._db.hot().rows(_SHOWN, (*_QUIET, name, f"{name}/", f"{name}0", limit))
        return [Refusal(*row) for row in rows]

    def lift(self, tx: Tx, local: str, seqs: Sequence[int], at_ms: int) -> None:
        """Note that entries of a mirror, which were reported as refused, are held now."""
        tx.many(_LIFT, [(seq, at_ms, local) for seq in seqs])

    def _refusals(self, url: str, follow: Follow, sql: str, now_ms: int, stop: Event | None) -> int:
        told = last = 0
        while rows := self._rows(sql, follow, last, BATCH):
            said = [{"seq": seq, "code": code} for seq, code in rows]
            self._client.tell_refusals(url, follow.iri, said, stop=stop)
            with self._db.write() as tx:
                if sql is _LIFTED:
                    tx.many(_LIFT_TOLD, [(follow.local, seq) for seq, _ in rows])
                else:
                    # A code that changed meanwhile has still to be told.
                    tx.many(_REPORTED, [(now_ms, follow.local, seq, code) for seq, code in rows])
            told, last = told + len(rows), rows[-1][0]
        return told

    def _erasures(self, url: str, follow: Follow, now_ms: int, stop: Event | None) -> int:
        told = last = 0
        while rows := self._rows(_ERASED, follow, last, BATCH):
            # Confirmed is what is gone from the files as well.
            self._db.scrub()
            self._client.confirm_erasures(url, follow.iri, [row[0] for row in rows], stop=stop)
            with self._db.write() as tx:
                tx.many(_CONFIRMED, [(now_ms, follow.local, row[0]) for row in rows])
            told, last = told + len(rows), rows[-1][0]
        return told

    def _rows(self, sql: str, follow: Follow, after: int, limit: int) -> list[tuple[int, str]]:
        codes = _QUIET if sql is _REFUSED else ()
        return [(row[0], row[-1]) for row in self._db.hot().rows(sql, (follow.local, *codes, after, limit))]
