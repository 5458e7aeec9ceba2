"""Who is signed in: a random token in the browser, its hash here, two ends in time. May touch the database.

A session ends when it was idle too long, when it is too old, when somebody revokes it, and when the roles or the
password of its account change. Nothing of it can be made from what is kept here.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.db import Database, Row
from node.errors import Unauthenticated

IDLE_MS = 8 * 3_600_000
LONGEST_MS = 24 * 3_600_000
FRESH_MS = 15 * 60_000
# Seen is written at most so often: a page with ten parts is one visit.
_SEEN_EVERY_MS = 60_000
_COLUMNS = "s.hash, s.name, p.shown, p.roles, s.at, s.seen_at, s.proved_at, s.ends_at, s.about, s.source"


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `id` names it to its owner and opens nothing; times are milliseconds since 1970 UTC."""

    id: str
    name: str
    shown: str
    roles: frozenset[str]
    at_ms: int
    seen_at_ms: int
    proved_at_ms: int
    ends_at_ms: int
    about: str
    source: str


class Sessions:
    """The sessions of one node."""

    def __init__(
        self,
        db: Database,
        clock_ms: Callable[[], int],
        secret: Callable[[], str],
        *,
        idle_ms: int = IDLE_MS,
        longest_ms: int = LONGEST_MS,
    ) -> None:
        """Keep sessions; `secret` gives a new unguessable token (at least 128 bits) each time."""
        self._db, self._clock_ms, self._secret = db, clock_ms, secret
        self._idle_ms, self._longest_ms = idle_ms, longest_ms

    def open(self, name: str, *, about: str = "", source: str = "local") -> str:
        """Sign an account in and give the token for its browser; sweeps away what has ended.

        Raises:
            Unauthenticated: It is disabled, or was never active.
        """
        token, now = self._secret(), self._clock_ms()
        with self._db.write() as tx:
            tx.run("DELETE FROM staff_session WHERE ends_at < ? OR seen_at < ?", now, now - self._idle_ms)
            if tx.run("UPDATE staff SET seen_at = ? WHERE name = ? AND state = 'active'", now, name) != 1:
                raise Unauthenticated(
                    "This account lets nobody in.", error="state", fix="Ask an administrator."
                ).on_page("no.staff.closed")
            tx.run(
                "INSERT INTO staff_session (hash, name, at, seen_at, proved_at, ends_at, about, source)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(_hash(token), name, now, now, now, now + self._longest_ms, about[:80], source),
            )
        return token

    def find(self, token: str) -> Session | None:
        """Give the session of a token while it lasts and its account is active."""
        if not 20 <= len(token) <= 100:
            return None
        now = self._clock_ms()
        with self._db.read() as tx:
            row = tx.row(
                f"SELECT {_COLUMNS} FROM staff_session s JOIN staff p ON p.name = s.name"  # noqa: S608 - our own names
                " WHERE s.hash = ? AND s.ends_at > ? AND s.seen_at > ? AND p.state = 'active'",
                *(_hash(token), now, now - self._idle_ms),
            )
        if row is None:
            return None
        if now - row[5] > _SEEN_EVERY_MS:
            with self._db.write() as tx:
                tx.run("UPDATE staff_session SET seen_at = ? WHERE hash = ?", now, row[0])
        return _session(row)

    def prove(self, token: str) -> None:
        """Remember that the person has just proved again who they are."""
        with self._db.write() as tx:
            tx.run("UPDATE staff_session SET proved_at = ? WHERE hash = ?", self._clock_ms(), _hash(token))

    def is_fresh(self, session: Session) -> bool:
        """Tell whether the person proved who they are within the last quarter of an hour."""
        return self._clock_ms() - session.proved_at_ms <= FRESH_MS

    def end(self, token: str) -> None:
        """Sign out."""
        with self._db.write() as tx:
            tx.run("DELETE FROM staff_session WHERE hash = ?", _hash(token))

    def of(self, name: str) -> Sequence[Session]:
        """List the sessions of an account, the newest first."""
        now = self._clock_ms()
        with self._db.read() as tx:
            rows = tx.rows(
                f"SELECT {_COLUMNS} FROM staff_session s JOIN staff p ON p.name = s.name"  # noqa: S608 - our own names
                " WHERE s.name = ? AND s.ends_at > ? AND s.seen_at > ? ORDER BY s.at DESC",
                *(name, now, now - self._idle_ms),
            )
        return [_session(row) for row in rows]

    def revoke(self, name: str, session_id: str = "") -> int:
        """End one session of an account, or all of them; gives how many ended."""
        with self._db.write() as tx:
            if not session_id:
                return tx.run("DELETE FROM staff_session WHERE name = ?", name)
            rows = tx.rows("SELECT hash FROM staff_session WHERE name = ?", name)
            wanted = [each for (each,) in rows if hmac.compare_digest(_id(each), session_id)]
            return sum(tx.run("DELETE FROM staff_session WHERE hash = ?", each) for each in wanted)


def csrf_of(token: str) -> str:
    """Give what a form of a session must bring along: nobody can make it without the token."""
    return hmac.new(token.encode(), b"citynode desk form", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _id(kept: str) -> str:
    return hashlib.sha256(f"id:{kept}".encode()).hexdigest()[:16]


def _session(row: Row) -> Session:
    kept, name, shown, roles, at, seen_at, proved_at, ends_at, about, source = row
    return Session(_id(kept), name, shown, frozenset(roles.split()), at, seen_at, proved_at, ends_at, about, source)
