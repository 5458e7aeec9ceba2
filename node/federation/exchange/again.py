"""Asking again for what is held as a stub: after a right was gained, a fault mended, or a page broken on its way.

What the way may have broken is asked for by itself, three times; the rest when a person says so. Whatever comes goes
through all checks of `intake` again. An entry that had been reported to its origin as refused, and is held now, is
taken back there (`reports`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import orjson

from node.db import Database
from node.errors import Malformed, NotFound
from node.federation.check import PASSING
from node.federation.client import MAX_SEQS, PeerClient
from node.federation.exchange.intake import Intake
from node.federation.peers.peers import Follow, Peer, Peers
from node.federation.refusals.reports import Reports
from node.journal import Reader, note

MAX_TRIES = 3
MAX_ENVELOPE_BYTES = 128 * 1024
_PASSING = tuple(sorted(PASSING))
_MARKS = ", ".join("?" * len(_PASSING))
_STUBS = (
    "SELECT r.seq, r.reported_at IS NOT NULL FROM refusal r JOIN collection c ON c.id = r.collection_id"
    " WHERE c.name = ? AND r.seq > ? AND r.seq <= ?{} ORDER BY r.seq LIMIT ?"
)
_BY_ITSELF = f" AND (r.tries < 0 OR (r.code IN ({_MARKS}) AND r.tries < {MAX_TRIES}))"
_STILL = "SELECT r.seq FROM refusal r JOIN collection c ON c.id = r.collection_id WHERE c.name = ? AND r.seq > ?"


@dataclass(frozen=True, slots=True)
class Asked:
    """How many stubs were asked for again, and how many of them are held now."""

    asked: int = 0
    filled: int = 0

    def __bool__(self) -> bool:
        """Tell whether any was asked for."""
        return bool(self.asked)

    def __add__(self, other: "Asked") -> "Asked":
        """Count both together."""
        return Asked(self.asked + other.asked, self.filled + other.filled)


class Again:
    """Asks for stubs again. Safe to share by threads."""

    def __init__(
        self,
        *,
        reader: Reader,
        peers: Peers,
        client: PeerClient,
        intake: Intake,
        reports: Reports,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what is needed."""
        self._reader = reader
        self._db: Database = reader.db
        self._peers = peers
        self._client = client
        self._intake = intake
        self._reports = reports
        self._clock_ms = clock_ms

    def ask(self, name: str, collection: str = "", *, every: bool, stop: Event | None = None) -> Asked:
        """Ask a peer again for what of it is held as stubs.

        Args:
            name: A peer that exchanges.
            collection: Its name at the peer; empty for all that are followed.
            every: Whatever the code; else only what may have been broken on its way, each at most three times.
            stop: Ends it within a second.

        Raises:
            NotFound: That collection is not followed.
            PeerUnreachable: It did not answer; what was filled stays.
            Refused: Its answer does not hold.
        """
        peer = self._peers.get(name)
        follows = [self._peers.followed(name, collection)] if collection else self._peers.follows(name)
        found = Asked()
        for follow in follows:
            if not follow.paused:
                found += self._of(peer, follow, every=every, stop=stop)
        return found

    def _of(self, peer: Peer, follow: Follow, *, every: bool, stop: Event | None) -> Asked:
        size, restricted = self._signed(follow)
        found, last = Asked(), 0
        while rows := self._stubs(follow, last, size, every=every):
            seqs = [seq for seq, _ in rows]
            url, name = peer.url, follow.collection
            data = self._client.stubs(url, name, seqs, size, token=restricted, stop=stop)
            given = _given(data, seqs)
            accepted = self._intake.refill(data, follow, peer, self._clock_ms())
            self._take_back(follow, [seq for seq, reported in rows if reported and seq in given], last)
            found, last = found + Asked(len(given), accepted.entries), max(given)
        return found

    def _signed(self, follow: Follow) -> tuple[int, bool]:
        """Give the newest size that is held and was signed, and whether reading it takes a token."""
        with self._db.read() as tx:
            try:
                held = self._reader.get(tx, follow.local)
                text = self._reader.newest_checkpoint(tx, follow.local)
            except NotFound:
                return 0, False
        signed = note.checkpoint_of(note.parse(text).text).size if text else 0
        return signed, held.visibility == "restricted"

    def _stubs(self, follow: Follow, after: int, size: int, *, every: bool) -> list[tuple[int, bool]]:
        sql = _STUBS.format("" if every else _BY_ITSELF)
        codes = () if every else _PASSING
        rows = self._db.hot().rows(sql, (follow.local, after, size, *codes, MAX_SEQS))
        return [(int(row[0]), bool(row[1])) for row in rows]

    def _take_back(self, follow: Follow, reported: Sequence[int], after: int) -> None:
        if not reported:
            return
        still = {row[0] for row in self._db.hot().rows(_STILL, (follow.local, after))}
        with self._db.write() as tx:
            self._reports.lift(tx, follow.local, [seq for seq in reported if seq not in still], self._clock_ms())


def _given(data: bytes, asked: Sequence[int]) -> frozenset[int]:
    """Read which entries an answer holds; at least one, and none that was not asked for."""
    try:
        said = orjson.loads(data[: data.find(b"\n", 0, MAX_ENVELOPE_BYTES) + 1])
        given = frozenset(said["seqs"])
    except (ValueError, TypeError, KeyError) as error:
        raise Malformed("The answer does not name the entries that it holds.") from error
    if not given or not given <= set(asked):
        raise Malformed("The answer holds other entries than those that were asked for.")
    return given
