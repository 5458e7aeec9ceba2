"""What waits to be taken by another city: messages of negotiations, notices of agreements. Owns the table `outgoing`.

A message is written in the transaction that decides it, and counts once the other side has taken it. Messages of one
subject go out in order, one at a time. Whoever sends one claims it first by moving its time, so that two processes
never send the same at once; if the sender dies, the claim runs out and it is sent again. Failures wait longer each
time; a peer that does not answer costs one attempt for all its messages of a round.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import groupby
from operator import attrgetter

from node.db import Database, Row, Tx
from node.errors import NodeError, Refused, TooManyRequests, Unauthenticated, Unavailable
from node.federation.peers.backoff import Backoff, asked_ms, is_the_peers

LEASE_MS = 180_000  # longer than one attempt can take
GIVE_UP_MS = 7 * 86_400_000
KEEP_MS = 30 * 86_400_000  # how long a message is kept after it was taken or given up
MAX_ERROR = 1_000
_AT_ONCE = 8
_ROUND = 200
_FORGOTTEN = 1_000
_logger = logging.getLogger("citynode.outgoing")
_PATIENCE = Backoff(first_ms=2_000, longest_ms=1_800_000, opens_after=8)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message that waits. `tries` counts the attempts that were begun, the present one included."""

    id: int
    kind: str
    subject: str
    peer: str
    step: str
    url: str
    body: str
    made_at: int
    tries: int
    due_at: int
    error: str

    def is_old(self, now_ms: int) -> bool:
        """Tell whether it has waited as long as anything does."""
        return now_ms - self.made_at >= GIVE_UP_MS

    def is_tried_again(self, error: NodeError, now_ms: int) -> bool:
        """Tell whether another attempt is worth it: not of what the other side does not take, nor of what is old."""
        lasting = isinstance(error, Refused) and not isinstance(error, Unauthenticated)
        return not lasting and not self.is_old(now_ms)


_COLUMNS = ", ".join(each.name for each in fields(Outgoing))
_FIRST = (
    "NOT EXISTS (SELECT 1 FROM outgoing f"
    " WHERE f.done_at = 0 AND f.kind = o.kind AND f.subject = o.subject AND f.id < o.id)"
)
Send = Callable[[Outgoing], bool]


class Outbox:
    """Keeps what waits, and says whose turn it is. Safe to share by threads and by processes."""

    def __init__(self, db: Database, *, chance: Callable[[], float]) -> None:
        """Keep it in this database; `chance` gives a fresh number from 0 up to 1 for the jitter."""
        self.db = db
        self._chance = chance

    # ---------------------------------------------------------------- what waits

    def put(self, tx: Tx, *, kind: str, subject: str, peer: str, step: str, url: str, body: str, at_ms: int) -> int:
        """Let a message wait, due at once; give its number."""
        row = tx.row(
            "INSERT INTO outgoing (kind, subject, peer, step, url, body, made_at, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            *(kind, subject, peer, step, url, body, at_ms, at_ms),
        )
        assert row is not None  # noqa: S101 - RETURNING gives a row or raises
        return int(row[0])

    def waiting(self, tx: Tx, kind: str, subject: str) -> list[Outgoing]:
        """Give what waits for a subject, the next one first."""
        sql = f"SELECT {_COLUMNS} FROM outgoing WHERE done_at = 0 AND kind = ? AND subject = ? ORDER BY id"  # noqa: S608
        return [Outgoing(*row) for row in tx.rows(sql, kind, subject)]

    def newest(self, kind: str, subject: str) -> tuple[Outgoing, int] | None:
        """Give the newest message about a subject, and when it was closed: 0 while it waits. None if there is none."""
        sql = f"SELECT {_COLUMNS}, done_at FROM outgoing WHERE kind = ? AND subject = ? ORDER BY id DESC LIMIT 1"  # noqa: S608
        row = self.db.hot().row(sql, (kind, subject))
        return (Outgoing(*row[:-1]), int(row[-1])) if row else None

    def close(self, tx: Tx, number: int, *, at_ms: int, error: str = "") -> bool:
        """Let a message wait no more, taken or given up; False if somebody else has closed it."""
        sql = "UPDATE outgoing SET done_at = ?, error = ? WHERE id = ? AND done_at = 0"
        return tx.run(sql, max(at_ms, 1), error[:MAX_ERROR], number) == 1

    def forget(self, now_ms: int) -> int:
        """Remove messages that were closed long ago, a bounded number at a time; give how many."""
        old = f"SELECT id FROM outgoing WHERE done_at > 0 AND done_at < ? LIMIT {_FORGOTTEN}"  # noqa: S608
        before = now_ms - KEEP_MS
        if self.db.hot().row(old, (before,)) is None:
            return 0
        with self.db.write() as tx:
            return tx.run(f"DELETE FROM outgoing WHERE id IN ({old})", before)  # noqa: S608

    def rewrite(self, tx: Tx, number: int, *, url: str, body: str) -> None:
        """Write a message that waits anew, where and what: something in it was not known yet."""
        tx.run("UPDATE outgoing SET url = ?, body = ? WHERE id = ? AND done_at = 0", url, body, number)

    def due(self, now_ms: int) -> bool:
        """Tell whether anything of any kind could be sent now; one read."""
        sql = "SELECT 1 FROM outgoing WHERE done_at = 0 AND due_at <= ? LIMIT 1"
        return self.db.hot().row(sql, (now_ms,)) is not None

    # ---------------------------------------------------------------- sending

    def deliver(self, kind: str, now_ms: int, send: Send, *, subject: str = "") -> int:
        """Send what is due, peers side by side and each peer's in order; give how many were taken.

        Args:
            kind: Only messages of this kind.
            now_ms: The time.
            send: Tries one and closes it if it was taken or never will be, giving True if it was taken; `Unavailable`
                and `Unauthenticated` mean that it is tried again later, as does any other `Refused`: what follows from
                an answer could not be stored here, which says nothing about the messages after it.
            subject: Only those of this subject.
        """
        due = sorted(self._due(kind, now_ms, subject), key=attrgetter("peer", "id"))
        by_peer = [list(each) for _, each in groupby(due, key=attrgetter("peer"))]
        if len(by_peer) < 2:
            return sum(self._to_peer(each, now_ms, send) for each in by_peer)
        with ThreadPoolExecutor(min(_AT_ONCE, len(by_peer)), thread_name_prefix="outgoing") as pool:
            return sum(pool.map(lambda each: self._to_peer(each, now_ms, send), by_peer))

    def _due(self, kind: str, now_ms: int, subject: str) -> Iterable[Outgoing]:
        of_subject = " AND subject = ?" if subject else ""
        sql = (
            f"SELECT {_COLUMNS} FROM outgoing o WHERE done_at = 0 AND due_at <= ? AND kind = ?{of_subject}"  # noqa: S608
            f" AND {_FIRST} ORDER BY due_at, id LIMIT {_ROUND}"
        )
        rows: list[Row] = self.db.hot().rows(sql, (now_ms, kind, *([subject] if subject else [])))
        return [Outgoing(*row) for row in rows]

    def _to_peer(self, due: list[Outgoing], now_ms: int, send: Send) -> int:
        taken = 0
        for one in due:
            claimed = self._claimed(one, now_ms)
            if claimed is None:
                continue
            try:
                taken += send(claimed)
            except (Unavailable, Unauthenticated) as error:
                self._failed(claimed, error, now_ms, for_all=is_the_peers(error))
                break
            except Refused as error:
                _logger.warning("What %s answered to our %s cannot be stored: %s", one.peer, one.step, error)
                self._failed(claimed, error, now_ms, for_all=False)
        return taken

    def _claimed(self, one: Outgoing, now_ms: int) -> Outgoing | None:
        """Take a message for ourselves as long as the lease lasts; None if it is closed or in other hands."""
        sql = (
            "UPDATE outgoing SET tries = tries + 1, due_at = ?, error = '' WHERE id = ? AND done_at = 0 AND due_at = ?"
        )
        until = now_ms + LEASE_MS
        with self.db.write() as tx:
            if tx.run(sql, until, one.id, one.due_at) != 1:
                return None
            row = tx.row(f"SELECT {_COLUMNS} FROM outgoing WHERE id = ?", one.id)  # noqa: S608
        return Outgoing(*row) if row else None

    def _failed(self, one: Outgoing, error: NodeError, now_ms: int, *, for_all: bool) -> None:
        wait = _PATIENCE.wait_ms(one.tries, self._chance(), asked_ms=asked_ms(error))
        sql = "UPDATE outgoing SET due_at = ?, error = ? WHERE id = ? AND done_at = 0"
        with self.db.write() as tx:
            tx.run(sql, now_ms + wait, str(error)[:MAX_ERROR], one.id)
            if for_all:
                # One attempt tells of all: its other messages wait as long, without having been tried. A bound on how
                # often one may come tells of messages of this kind alone.
                kind = one.kind if isinstance(error, TooManyRequests) else ""
                others = (
                    "UPDATE outgoing SET due_at = ? WHERE peer = ? AND done_at = 0 AND due_at <= ? AND ? IN ('', kind)"
                )
                tx.run(others, now_ms + wait, one.peer, now_ms, kind)
