"""The table of submissions: what waits for a person, and how it was decided.

Owns the table `submission`. A row holds what a stranger sent only until a person has decided; then the description and
the mail address are emptied in the same statement, and what stays says that something like it was here. Secrets and
callers are kept as hashes alone, callers for one day. Nothing here decides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.db import Row, Tx

DAY_MS = 86_400_000
# A refused one is forgotten after a while; an accepted one says where its record is for as long as it stands.
KEPT_MS = 180 * DAY_MS
_COLUMNS = "id, kind, said, contact, state, reason, at, decided_at, record, secret, title_key, url_key"
OPEN = ("waiting", "accepting")
_OPEN = "state IN ('waiting', 'accepting')"
_FORGET = "DELETE FROM submission WHERE state = 'refused' AND decided_at < ?"


@dataclass(frozen=True, slots=True)
class Submitted:
    """One row as it stands.

    Attributes:
        said: The description as JSON; empty once decided.
        contact: The mail address to ask at; empty once decided, or if none was given.
        state: `waiting`, `accepting` (a person has said yes and the record is being written), `accepted`, `refused`.
        record: The slug that it gets, from `accepting` on the only one it will ever get.
        secret: The hash of what its sender asks about it with.
    """

    id: str
    kind: str
    said: str
    contact: str
    state: str
    reason: str
    at_ms: int
    decided_ms: int
    record: str
    secret: str
    title_key: str
    url_key: str


def add(tx: Tx, new: Submitted, *, caller: str) -> None:
    """Keep a new one."""
    values = (new.id, new.kind, new.said, new.contact, new.state, "", new.at_ms, 0, "", new.secret)
    tx.run(
        f"INSERT INTO submission ({_COLUMNS}, caller) VALUES ({', '.join('?' * 13)})",  # noqa: S608
        *(*values, new.title_key, new.url_key, caller),
    )


def one(tx: Tx, name: str) -> Submitted | None:
    """Find one by its id."""
    row = tx.row(f"SELECT {_COLUMNS} FROM submission WHERE id = ?", name)  # noqa: S608
    return _submitted(row) if row else None


def beginning(tx: Tx, name: str) -> list[Submitted]:
    """Find those whose ids begin so, two at most: enough to tell whether it is one."""
    sql = f"SELECT {_COLUMNS} FROM submission WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"  # noqa: S608
    return [_submitted(row) for row in tx.rows(sql, name, f"{name}~")]


def listed(tx: Tx, *, waiting: bool, limit: int) -> list[Submitted]:
    """List those that wait, the longest waiting first, or those that are decided, the last first."""
    order = f"{_OPEN} ORDER BY at, id" if waiting else f"NOT {_OPEN} ORDER BY decided_at DESC, id"
    return [_submitted(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM submission WHERE {order} LIMIT ?", limit)]  # noqa: S608


def waiting(tx: Tx) -> int:
    """Count those that wait."""
    row = tx.row(f"SELECT count(*) FROM submission WHERE {_OPEN}")  # noqa: S608
    return int(row[0]) if row else 0


def times_of(tx: Tx, caller: str, *, since_ms: int) -> Sequence[int]:
    """Give when a caller submitted since then, the oldest first."""
    return [
        int(at)
        for (at,) in tx.rows("SELECT at FROM submission WHERE caller = ? AND at > ? ORDER BY at", caller, since_ms)
    ]


def alike(tx: Tx, kind: str, title_key: str, url_key: str) -> list[Submitted]:
    """Find those of the same title or address that wait or were accepted."""
    sql = (
        f"SELECT {_COLUMNS} FROM submission WHERE kind = ? AND state <> 'refused'"  # noqa: S608
        " AND (title_key = ? OR (url_key <> '' AND url_key = ?)) ORDER BY at LIMIT 20"
    )
    return [_submitted(row) for row in tx.rows(sql, kind, title_key, url_key)]


def reserved(tx: Tx, kind: str, slug: str, *, but: str) -> bool:
    """Tell whether a slug is promised or was given to another one."""
    sql = "SELECT 1 FROM submission WHERE kind = ? AND record = ? AND state <> 'refused' AND id <> ? LIMIT 1"
    return tx.row(sql, kind, slug, but) is not None


def begin(tx: Tx, name: str, slug: str) -> bool:
    """Promise a slug to one that waits; tell whether it still waited."""
    return bool(
        tx.run("UPDATE submission SET state = 'accepting', record = ? WHERE id = ? AND state = 'waiting'", slug, name)
    )


def give_back(tx: Tx, name: str) -> None:
    """Let one wait again whose record could not be written; its slug stays promised, in case it was."""
    tx.run("UPDATE submission SET state = 'waiting' WHERE id = ? AND state = 'accepting'", name)


def decide(tx: Tx, name: str, state: str, *, was: str, reason: str, at_ms: int) -> bool:
    """Settle one and forget who sent it and what; tell whether it stood as it was believed to."""
    sql = (
        "UPDATE submission SET state = ?, reason = ?, decided_at = ?, said = '', contact = '', caller = ''"
        " WHERE id = ? AND state = ?"
    )
    return bool(tx.run(sql, state, reason, at_ms, name, was))


def tidy(tx: Tx, now_ms: int) -> int:
    """Forget callers after a day, and what was refused long ago; give how many."""
    forgotten = tx.run("UPDATE submission SET caller = '' WHERE caller <> '' AND at <= ?", now_ms - DAY_MS)
    return forgotten + tx.run(_FORGET, now_ms - KEPT_MS)


def decided_since(tx: Tx, since_ms: int) -> bool:
    """Tell whether one was decided since then, so that its words left the table."""
    return tx.row("SELECT 1 FROM submission WHERE decided_at > ? LIMIT 1", since_ms) is not None


def _submitted(row: Row) -> Submitted:
    return Submitted(*row)
