"""How well each peer could be reached, day by day: what the thirty bars beside a city's name stand for.

Counts visits by the worker, those that failed and those that were slow; one row for a peer and a day (UTC). A day on
which nobody asked says nothing, and is shown as such: a node that was off is no fault of its peers. Owns the table
`peer_day`; it can be lost without harm, since nothing is decided by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from node.db import Database

Reach = Literal["full", "part", "away", "unknown"]
DAY_MS = 86_400_000
SHOWN_DAYS = 30
_KEPT_DAYS = 400
# A peer whose news come twice a second must not cost as many commits; failures are bounded by the waits after them.
_COARSE_MS = 60_000
# One visit in so many may fail or be slow, on a day that counts as good: a restart of theirs is no bad day.
_TOLERATED = 20
_COUNT = (
    "INSERT INTO peer_day (peer, day, visits, failures, slow) VALUES (?, ?, 1, ?, ?) ON CONFLICT (peer, day) DO UPDATE"
    " SET visits = peer_day.visits + 1, failures = peer_day.failures + excluded.failures,"
    " slow = peer_day.slow + excluded.slow"
)


@dataclass(frozen=True, slots=True)
class PeerDay:
    """One day, counted since the epoch, of one peer."""

    day: int
    visits: int = 0
    failures: int = 0
    slow: int = 0

    @property
    def at_ms(self) -> int:
        """Give the beginning of the day."""
        return self.day * DAY_MS

    @property
    def reach(self) -> Reach:
        """Say how the day went: nobody asked, never answered, answered with trouble, or as it should."""
        if not self.visits:
            return "unknown"
        if self.failures >= self.visits:
            return "away"
        return "part" if (self.failures + self.slow) * _TOLERATED > self.visits else "full"


class PeerDays:
    """Keeps and gives the days. Safe to share by threads."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self._db = db
        self._noted: dict[str, int] = {}

    def note(self, peer: str, at_ms: int, *, failed: bool = False, slow: bool = False) -> None:
        """Count one visit; of those that went well at most one a minute."""
        plain = not failed and not slow
        if plain and 0 <= at_ms - self._noted.get(peer, -_COARSE_MS) < _COARSE_MS:
            return
        if plain:
            self._noted[peer] = at_ms
        day = at_ms // DAY_MS
        with self._db.write() as tx:
            tx.run(_COUNT, peer, day, int(failed), int(slow))
            tx.run("DELETE FROM peer_day WHERE peer = ? AND day < ?", peer, day - _KEPT_DAYS)

    def of(self, peer: str, now_ms: int) -> Sequence[PeerDay]:
        """Give the last thirty days of a peer, oldest first, today last."""
        sql = "SELECT day, visits, failures, slow FROM peer_day WHERE peer = ? AND day > ?"
        first = now_ms // DAY_MS - SHOWN_DAYS
        return _filled({row[0]: PeerDay(*row) for row in self._db.hot().rows(sql, (peer, first))}, first)

    def all(self, now_ms: int) -> Mapping[str, Sequence[PeerDay]]:
        """Give the last thirty days of every peer that has been asked in them."""
        first = now_ms // DAY_MS - SHOWN_DAYS
        sql = "SELECT peer, day, visits, failures, slow FROM peer_day WHERE day > ?"
        found: dict[str, dict[int, PeerDay]] = {}
        for peer, *rest in self._db.hot().rows(sql, (first,)):
            found.setdefault(str(peer), {})[int(rest[0])] = PeerDay(*rest)
        return {peer: _filled(days, first) for peer, days in found.items()}


def no_days(now_ms: int) -> Sequence[PeerDay]:
    """Give thirty days on which nobody asked."""
    return _filled({}, now_ms // DAY_MS - SHOWN_DAYS)


def _filled(days: Mapping[int, PeerDay], first: int) -> Sequence[PeerDay]:
    return tuple(days.get(day) or PeerDay(day) for day in range(first + 1, first + 1 + SHOWN_DAYS))
