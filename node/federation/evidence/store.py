"""The journal of evidence as a table: a follower that reads statements into `receipt`, and the questions asked of it.

The table can be thrown away and read again; rebuilt equals lived. Only this city's own collection `evidence` is read,
never a mirror of that name. What was erased is gone from the table in the same transaction. Of which transfers
that was stands beside, in `evidence_erased`: the journal keeps that an entry is gone, but not what it was about.
"""

import re
from collections.abc import Sequence

from node.db import Database, Row, Tx
from node.errors import Conflict, Malformed, NotFound
from node.federation.evidence.statements import COLLECTION, KIND, Statement, statement_in
from node.federation.moved import StatementWish
from node.journal import Collection, Entry, Payloads

_COLUMNS = "record, kind, document, at, transfer, agreement, peer, dataset"
_PUT = (
    f"INSERT INTO receipt ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record) DO UPDATE SET"  # noqa: S608
    " kind = excluded.kind, document = excluded.document, at = excluded.at, transfer = excluded.transfer,"
    " agreement = excluded.agreement, peer = excluded.peer, dataset = excluded.dataset"
)
MAX_LISTED = 1_000
EVERYTHING = StatementWish()
_NAME = re.compile(r"[A-Za-z0-9._-]{4,}", re.ASCII)


class EvidenceFollower:
    """Keeps the table level with the journal; cursor and effect share a transaction."""

    name = "evidence"

    def __init__(self, base_url: str) -> None:
        """Follow as the city at `base_url`."""
        self._base = base_url

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        """Take in what entries of our evidence state; those of other journals change nothing."""
        if collection.name != COLLECTION:
            return
        told = [each for each in entries if each.opening and each.opening.kind == KIND]
        held = payloads([each.opening.digest for each in told if each.opening and each.opening.digest])
        for entry in told:
            if entry.opening is None:
                continue
            if entry.opening.op == "withdraw":
                tx.run("DELETE FROM receipt WHERE record = ?", entry.opening.record)
            elif entry.opening.digest in held:  # else it was erased since, and the entry that follows withdraws it
                self._put(tx, entry.opening.record, held[entry.opening.digest])

    def clear(self, tx: Tx) -> None:
        """Forget everything, as before the first entry."""
        tx.run("DELETE FROM receipt")

    def _put(self, tx: Tx, record: str, payload: bytes) -> None:
        try:
            found = statement_in(record, payload, self._base)
        except Malformed:
            return  # somebody else's record in a collection of this name: no evidence of ours
        row = (found.transfer, found.agreement, found.other, found.dataset)
        tx.run(_PUT, found.record, found.kind, found.text, found.at_ms, *row)


class EvidenceStore:
    """Reads statements. Safe to share by threads."""

    def __init__(self, db: Database) -> None:
        """Read this database."""
        self._db = db

    def get(self, record: str) -> Statement:
        """Give one statement. Raises NotFound."""
        found = self._where("record = ?", (record,), 1)
        if not found:
            raise NotFound(
                f"There is no evidence {record[:200]}.",
                fix="List it: citynode evidence list",
            ).on_page("no.evidence")
        return found[0]

    def list(self, wish: StatementWish = EVERYTHING, *, limit: int = MAX_LISTED) -> Sequence[Statement]:
        """Give statements, the newest first, and no more than so many."""
        where, values = _asked(wish)
        return self._where(where, values, limit)

    def count(self, wish: StatementWish = EVERYTHING) -> int:
        """Count statements."""
        where, values = _asked(wish)
        row = self._db.hot().row(f"SELECT count(*) FROM receipt WHERE {where}", values)  # noqa: S608
        return int(row[0]) if row else 0

    def oldest(self, wish: StatementWish, *, after: int, limit: int) -> Sequence[Statement]:
        """Give statements, the oldest first, without so many that come before."""
        where, values = _asked(wish)
        sql = f"SELECT {_COLUMNS} FROM receipt WHERE {where} ORDER BY at, record LIMIT ? OFFSET ?"  # noqa: S608
        return [Statement(*row) for row in self._db.hot().rows(sql, (*values, limit, after))]

    def transfer_named(self, name: str) -> str:
        """Give our id of the transfer that is called so, by the whole id or its beginning; empty if there is none.

        Raises:
            Conflict: Several begin so.
        """
        return self._only("transfer", name, "", "transfers")

    def agreement_named(self, name: str) -> str:
        """Give the IRI of an agreement by itself or the beginning of what ends it; empty for none. Raises Conflict."""
        return self._only("agreement", name, "%/", "agreements")

    def record_named(self, name: str) -> str:
        """Give the IRI of a statement by itself or the beginning of what ends it; empty for none. Raises Conflict."""
        return self._only("record", name, "%/", "statements")

    def _only(self, column: str, name: str, before: str, what: str) -> str:
        exact = f"SELECT 1 FROM receipt WHERE {column} = ? LIMIT 1"  # noqa: S608
        if self._db.hot().row(exact, (name,)):
            return name
        if not _NAME.fullmatch(name):
            return ""
        sql = f"SELECT DISTINCT {column} FROM receipt WHERE {column} LIKE ? ESCAPE '!' LIMIT 2"  # noqa: S608
        like = f"{before}{name.replace('_', '!_')}%"
        found = [str(row[0]) for row in self._db.hot().rows(sql, (like,))]
        if len(found) > 1:
            raise Conflict(
                f"Several {what} begin with {name[:80]!r}.",
                fix="Give more of the name.",
            ).on_page("no.evidence.several")
        return found[0] if found else ""

    def settled(self, transfers: Sequence[str]) -> frozenset[str]:
        """Tell which of these transfers have a receipt, a difference, or what one end alone can say; or had it once."""
        found: set[str] = set()
        for start in range(0, len(transfers), 500):
            part = transfers[start : start + 500]
            marks = ", ".join("?" * len(part))
            kinds = "('receipt', 'difference', 'one-sided')"
            sql = f"SELECT DISTINCT transfer FROM receipt WHERE kind IN {kinds} AND transfer IN ({marks})"  # noqa: S608
            gone = f"SELECT transfer FROM evidence_erased WHERE transfer IN ({marks})"  # noqa: S608
            for each in (sql, gone):
                found |= {str(row[0]) for row in self._db.hot().rows(each, tuple(part))}
        return frozenset(found)

    def is_erased(self, tx: Tx, transfer: str) -> bool:
        """Tell whether what was stated of the end of a transfer was erased."""
        return tx.row("SELECT 1 FROM evidence_erased WHERE transfer = ?", transfer) is not None

    def note_erased(self, tx: Tx, transfer: str) -> None:
        """Remember that what was stated of the end of a transfer was erased, so that nobody states it again."""
        tx.run("INSERT INTO evidence_erased (transfer) VALUES (?) ON CONFLICT DO NOTHING", transfer)

    def held(self, tx: Tx, record: str) -> Statement | None:
        """Give one as this transaction sees it, or None."""
        row = tx.row(f"SELECT {_COLUMNS} FROM receipt WHERE record = ?", record)  # noqa: S608
        return Statement(*row) if row else None

    def _where(self, where: str, values: Sequence[object], limit: int) -> Sequence[Statement]:
        sql = f"SELECT {_COLUMNS} FROM receipt WHERE {where} ORDER BY at DESC, record DESC LIMIT ?"  # noqa: S608
        rows: list[Row] = self._db.hot().rows(sql, (*values, limit))
        return [Statement(*row) for row in rows]


def _asked(wish: StatementWish) -> tuple[str, tuple[object, ...]]:
    """Write a wish in SQL: the condition, and what stands in it."""
    asked = [
        ("transfer = ?", wish.transfer),
        ("agreement = ?", wish.agreement),
        ("kind = ?", wish.kind),
        ("at >= ?", wish.since_ms),
        ("at <= ?", wish.until_ms),
    ]
    named = [(sql, value) for sql, value in asked if value]
    return " AND ".join(sql for sql, _ in named) or "1 = 1", tuple(value for _, value in named)
