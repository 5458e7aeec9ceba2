"""The journal of evidence as a table: a follower that reads statements into `receipt`, and the questions asked of it.

The table can be thrown away and read again; rebuilt equals lived. Only this city's own collection `evidence` is read,
never a mirror of that name. What was erased is gone from the table in the same transaction.
"""

from collections.abc import Sequence

from node.db import Database, Row, Tx
from node.errors import Malformed, NotFound
from node.federation.evidence.statements import COLLECTION, KIND, Statement, statement_in
from node.journal import Collection, Entry, Payloads

_COLUMNS = "record, kind, document, at, transfer, agreement, peer, dataset"
_PUT = (
    f"INSERT INTO receipt ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record) DO UPDATE SET"  # noqa: S608
    " kind = excluded.kind, document = excluded.document, at = excluded.at, transfer = excluded.transfer,"
    " agreement = excluded.agreement, peer = excluded.peer, dataset = excluded.dataset"
)
MAX_LISTED = 1_000


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
            raise NotFound(f"There is no evidence {record[:200]}.", fix="List it: citynode evidence list")
        return found[0]

    def list(
        self, *, transfer: str = "", agreement: str = "", since_ms: int = 0, limit: int = MAX_LISTED
    ) -> Sequence[Statement]:
        """Give statements, the newest first: of a transfer (our id), of an agreement, from a moment on."""
        asked = [("transfer = ?", transfer), ("agreement = ?", agreement), ("at >= ?", since_ms)]
        named = [(sql, value) for sql, value in asked if value]
        where = " AND ".join(sql for sql, _ in named) or "1 = 1"
        return self._where(where, tuple(value for _, value in named), min(limit, MAX_LISTED))

    def settled(self, transfers: Sequence[str]) -> frozenset[str]:
        """Tell which of these transfers have a receipt, a difference, or what one end alone can say."""
        found: set[str] = set()
        for start in range(0, len(transfers), 500):
            part = transfers[start : start + 500]
            marks = ", ".join("?" * len(part))
            kinds = "('receipt', 'difference', 'one-sided')"
            sql = f"SELECT DISTINCT transfer FROM receipt WHERE kind IN {kinds} AND transfer IN ({marks})"  # noqa: S608
            found |= {str(row[0]) for row in self._db.hot().rows(sql, tuple(part))}
        return frozenset(found)

    def held(self, tx: Tx, record: str) -> Statement | None:
        """Give one as this transaction sees it, or None."""
        row = tx.row(f"SELECT {_COLUMNS} FROM receipt WHERE record = ?", record)  # noqa: S608
        return Statement(*row) if row else None

    def _where(self, where: str, values: Sequence[object], limit: int) -> Sequence[Statement]:
        sql = f"SELECT {_COLUMNS} FROM receipt WHERE {where} ORDER BY at DESC, record DESC LIMIT ?"  # noqa: S608
        rows: list[Row] = self._db.hot().rows(sql, (*values, limit))
        return [Statement(*row) for row in rows]
