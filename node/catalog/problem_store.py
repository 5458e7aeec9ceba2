"""The table of problem reports: what readers say is wrong with a record, and how far it has come.

Owns the table `problem_report`. A row keeps the mailbox of who reported only until it is settled, and the text beyond
that only if the city publishes it; callers are hashes, kept for one day. A report about another city's record stands
here and there, each city with its own row; `theirs` is what the other calls it. Nothing here decides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from node.db import Row, Tx
from node.stale import mark_of

DAY_MS = 86_400_000
KEPT_MS = 365 * DAY_MS
# A city that says nothing for so long about a report will not ask its reader, and later not settle it either.
SILENT_MS = 90 * DAY_MS
OPEN = ("received", "sent", "looking", "undelivered")
_OPEN = "state IN ('received', 'sent', 'looking', 'undelivered')"


@dataclass(frozen=True, slots=True)
class Report:
    """One row as it stands.

    Attributes:
        id: Names it in public; nobody can guess one.
        iri: The record's.
        title: What the record was called when it was reported.
        kind: What sort of problem it is, one of `problem_reports.KINDS`.
        said: What the reader wrote; empty once it is settled and not shown.
        language: In which language that is.
        contact: Where the reader may be asked; empty once it is settled, and never given to another city.
        state: `received`, `sent`, `undelivered`, `looking`, `mended` or `declined`.
        reason: What the city answers.
        peer: Base URL of the city it goes to or came from; empty where no other is concerned.
        theirs: What that city calls it.
        way: `reader` of this node about a record of ours, `sent` to its city, or `received` from one.
        shown: Whether its text is published.
    """

    id: str
    iri: str
    title: str
    kind: str
    said: str
    language: str
    contact: str
    state: str
    reason: str
    peer: str
    theirs: str
    way: str
    shown: bool
    at: int
    changed_at: int

    @property
    def mark(self) -> str:
        """Name the answer as it stands (`stale`)."""
        return mark_of(self.reason)

    @property
    def is_open(self) -> bool:
        """Tell whether it is not settled yet."""
        return self.state in OPEN


_COLUMNS = ", ".join(each.name for each in fields(Report))
_ADD = f"INSERT INTO problem_report ({_COLUMNS}, caller) VALUES ({', '.join('?' * 16)})"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM problem_report"  # noqa: S608


def add(tx: Tx, new: Report, *, caller: str) -> None:
    """Keep a new one."""
    values = [getattr(new, each.name) for each in fields(Report)]
    tx.run(_ADD, *values, caller)


def one(tx: Tx, name: str) -> Report | None:
    """Find one by its id."""
    row = tx.row(f"{_ONE} WHERE id = ?", name)
    return _report(row) if row else None


def beginning(tx: Tx, name: str) -> list[Report]:
    """Find those whose ids begin so, two at most: enough to tell whether it is one."""
    rows = tx.rows(f"{_ONE} WHERE id >= ? AND id < ? ORDER BY id LIMIT 2", name, f"{name}~")
    return [_report(row) for row in rows]


def of_peer(tx: Tx, peer: str, theirs: str) -> Report | None:
    """Find what a city has told us before under its own name for it."""
    row = tx.row(f"{_ONE} WHERE peer = ? AND theirs = ? AND way = 'received'", peer, theirs)
    return _report(row) if row else None


def listed(tx: Tx, *, settled: bool, limit: int) -> list[Report]:
    """List those that are open, this city's before others' and the oldest first, or the settled, the last first."""
    # What is another city's to settle comes last, so that it never hides what is ours.
    ours = "CASE WHEN way = 'sent' AND state <> 'undelivered' THEN 1 ELSE 0 END"
    order = f"NOT {_OPEN} ORDER BY changed_at DESC, id" if settled else f"{_OPEN} ORDER BY {ours}, at, id"
    return [_report(row) for row in tx.rows(f"{_ONE} WHERE {order} LIMIT ?", limit)]


def of_record(tx: Tx, iri: str) -> list[Report]:
    """List the open ones of a record."""
    return [_report(row) for row in tx.rows(f"{_ONE} WHERE iri = ? AND {_OPEN} ORDER BY at LIMIT 100", iri)]


def count_open(tx: Tx, *, peer: str = "") -> int:
    """Count those that are open and this city's to settle, of everybody or of one city that told us."""
    more, given = (" AND peer = ?", (peer,)) if peer else ("", ())
    row = tx.row(f"SELECT count(*) FROM problem_report WHERE {_OPEN} AND way <> 'sent'{more}", *given)  # noqa: S608
    return int(row[0]) if row else 0


def count_readers(tx: Tx) -> int:
    """Count those that are open and came from readers here, about records of ours."""
    row = tx.row(f"SELECT count(*) FROM problem_report WHERE {_OPEN} AND way = 'reader'")  # noqa: S608
    return int(row[0]) if row else 0


def count_sent(tx: Tx, peer: str, *, since_ms: int) -> int:
    """Count what was reported here about a city's records since then."""
    sql = "SELECT count(*) FROM problem_report WHERE way = 'sent' AND peer = ? AND at > ?"
    row = tx.row(sql, peer, since_ms)
    return int(row[0]) if row else 0


def times_of(tx: Tx, caller: str, *, since_ms: int) -> Sequence[int]:
    """Give when a caller reported since then, the oldest first."""
    sql = "SELECT at FROM problem_report WHERE caller = ? AND at > ? ORDER BY at"
    return [int(at) for (at,) in tx.rows(sql, caller, since_ms)]


def move(tx: Tx, name: str, state: str, *, was: Sequence[str], reason: str, at_ms: int) -> bool:
    """Let one go on; tell whether it stood where it was believed to."""
    marks = ", ".join("?" * len(was))
    sql = f"UPDATE problem_report SET state = ?, reason = ?, changed_at = ? WHERE id = ? AND state IN ({marks})"  # noqa: S608
    return bool(tx.run(sql, state, reason, at_ms, name, *was))


def settle(tx: Tx, name: str, *, shown: bool) -> None:
    """Forget who reported it, and what, unless that is published."""
    tx.run("UPDATE problem_report SET contact = '', caller = '', shown = ? WHERE id = ?", shown, name)
    if not shown:
        tx.run("UPDATE problem_report SET said = '' WHERE id = ?", name)


def sort(tx: Tx, name: str, kind: str, at_ms: int) -> None:
    """Say what sort of problem one is."""
    tx.run("UPDATE problem_report SET kind = ?, changed_at = ? WHERE id = ?", kind, at_ms, name)


def called(tx: Tx, name: str, theirs: str) -> None:
    """Note what the other city calls it."""
    tx.run("UPDATE problem_report SET theirs = ? WHERE id = ?", theirs, name)


def tidy(tx: Tx, now_ms: int) -> int:
    """Forget callers after a day, what was settled long ago, and what another city never settles; give how many."""
    silent = "way = 'sent' AND state IN ('received', 'sent', 'looking') AND changed_at < ?"
    forgotten = tx.run("UPDATE problem_report SET caller = '' WHERE caller <> '' AND at <= ?", now_ms - DAY_MS)
    ended = f"DELETE FROM problem_report WHERE (NOT {_OPEN} AND changed_at < ?) OR ({silent})"  # noqa: S608
    forgotten += tx.run(ended, now_ms - KEPT_MS, now_ms - KEPT_MS)
    mailboxes = f"UPDATE problem_report SET contact = '' WHERE contact <> '' AND {silent}"  # noqa: S608
    return forgotten + tx.run(mailboxes, now_ms - SILENT_MS)


def settled_since(tx: Tx, since_ms: int) -> bool:
    """Tell whether one was settled since then, so that its words left the table."""
    return tx.row(f"SELECT 1 FROM problem_report WHERE NOT {_OPEN} AND changed_at > ? LIMIT 1", since_ms) is not None  # noqa: S608


def _report(row: Row) -> Report:
    return replace(Report(*row), shown=bool(row[12]))
