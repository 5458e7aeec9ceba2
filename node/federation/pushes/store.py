"""The books of data that were pushed, of both ends: what we have brought, and what was brought to us.

Owns the tables `push` (as provider, one row a part) and `incoming` (as consumer). `got` counts only bytes that are safe
on the disk, so an upload goes on there after any crash; `digest` is of all bytes of a part, and empty until they were
proven. Nothing here reads a file or speaks to anybody.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace

from node.db import Database, Row, Tx
from node.federation.moving import Moved, Part

WAITING, DONE, FAILED = "waiting", "done", "failed"
MAX_ERROR = 500
# An upload of which the books have heard nothing for so long keeps no room for itself; each tells them oftener.
LIVES_MS = 15_000
_RESERVED = (
    "SELECT transfer, sum(size - got) FROM incoming"
    " WHERE NOT whole AND size > got AND changed_at > ? AND NOT (transfer = ? AND part = ?) GROUP BY transfer"
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """How far a part has come to us. `size` is -1 where nobody said it; `whole` once all of it is here and proven."""

    transfer: str
    part: str
    size: int
    got: int
    media_type: str
    etag: str
    digest: str
    filtered: bool
    whole: bool

    @property
    def moved(self) -> Moved:
        """Give what our books say of it in a receipt."""
        return Moved(self.part, self.media_type, self.got, self.digest, self.filtered)


@dataclass(frozen=True, slots=True)
class Brought:
    """How far we have brought a part; `tries` counts the attempts that brought nothing further."""

    transfer: str
    part: str
    state: str
    media_type: str
    etag: str
    size: int
    sent: int
    digest: str
    filtered: bool
    tries: int
    due_at: int
    error: str

    @property
    def moved(self) -> Moved:
        """Give what our books say of it in a receipt."""
        return Moved(self.part, self.media_type, self.sent, self.digest, self.filtered)


_ARRIVED = ", ".join(each.name for each in fields(Arrived))
_BROUGHT = ", ".join(each.name for each in fields(Brought))


class IncomingStore:
    """What was brought to us. Safe to share by threads and by processes."""

    def __init__(self, db: Database) -> None:
        """Keep it in this database."""
        self.db = db

    def get(self, transfer: str, part: str) -> Arrived | None:
        """Give a part; None if nothing of it has come."""
        sql = f"SELECT {_ARRIVED} FROM incoming WHERE transfer = ? AND part = ?"  # noqa: S608
        row = self.db.hot().row(sql, (transfer, part))
        return _arrived(row) if row else None

    def of(self, transfer: str) -> list[Arrived]:
        """Give the parts of a transfer by name."""
        sql = f"SELECT {_ARRIVED} FROM incoming WHERE transfer = ? ORDER BY part"  # noqa: S608
        return [_arrived(row) for row in self.db.hot().rows(sql, (transfer,))]

    def all(self) -> list[tuple[str, int]]:
        """Give every transfer of which anything has come, and when that changed last."""
        sql = "SELECT transfer, max(changed_at) FROM incoming GROUP BY transfer ORDER BY transfer"
        return [(str(row[0]), int(row[1])) for row in self.db.hot().rows(sql)]

    def count(self, transfer: str) -> int:
        """Count the parts of a transfer of which anything has come."""
        row = self.db.hot().row("SELECT count(*) FROM incoming WHERE transfer = ?", (transfer,))
        return int(row[0]) if row else 0

    def begin(self, one: Arrived, *, at_ms: int, room: Callable[[Mapping[str, int]], None]) -> None:
        """Write that an upload begins, if there is room for it; of two at once the second sees the first.

        Args:
            one: The part.
            at_ms: The time.
            room: Is told how many bytes are announced in others that come now, by transfer; raises if it is too much.
        """
        with self.db.write() as tx:
            tx.lock("incoming")
            room(_reserved(tx.rows(_RESERVED, *_beside(one, at_ms))))
            self._put(tx, one, at_ms)

    def reserved(self, beside: Arrived, *, at_ms: int) -> Mapping[str, int]:
        """Give how many bytes are announced and have not come, by transfer, of uploads that run beside this one."""
        return _reserved(self.db.hot().rows(_RESERVED, _beside(beside, at_ms)))

    def lives(self, one: Arrived, *, at_ms: int) -> None:
        """Note that an upload runs still."""
        with self.db.write() as tx:
            tx.run("UPDATE incoming SET changed_at = ? WHERE transfer = ? AND part = ?", at_ms, one.transfer, one.part)

    def put(self, one: Arrived, *, at_ms: int) -> None:
        """Write how far a part has come."""
        with self.db.write() as tx:
            self._put(tx, one, at_ms)

    @staticmethod
    def _put(tx: Tx, one: Arrived, at_ms: int) -> None:
        sql = (
            f"INSERT INTO incoming ({_ARRIVED}, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT (transfer, part) DO UPDATE SET size = excluded.size, got = excluded.got,"
            " media_type = excluded.media_type, etag = excluded.etag, digest = excluded.digest,"
            " filtered = excluded.filtered, whole = excluded.whole, changed_at = excluded.changed_at"
        )
        values = (one.transfer, one.part, one.size, one.got, one.media_type, one.etag, one.digest)
        tx.run(sql, *values, one.filtered, one.whole, at_ms)

    def forget(self, transfer: str) -> None:
        """Remove what is known of a transfer's parts: their files are gone."""
        with self.db.write() as tx:
            tx.run("DELETE FROM incoming WHERE transfer = ?", transfer)


class PushStore:
    """What we bring. Safe to share by threads and by processes."""

    def __init__(self, db: Database) -> None:
        """Keep it in this database."""
        self.db = db

    def of(self, transfer: str) -> list[Brought]:
        """Give the parts of a transfer by name."""
        sql = f"SELECT {_BROUGHT} FROM push WHERE transfer = ? ORDER BY part"  # noqa: S608
        return [_brought(row) for row in self.db.hot().rows(sql, (transfer,))]

    def plan(self, transfer: str, parts: list[str], *, at_ms: int) -> None:
        """Note which parts are to be brought; those that are noted already stay as they are."""
        sql = (
            "INSERT INTO push (transfer, part, state, due_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (transfer, part) DO NOTHING"
        )
        with self.db.write() as tx:
            for part in parts:
                tx.run(sql, transfer, part, WAITING, at_ms)

    def failed(self, one: Brought, error: str, *, tries: int, due_ms: int, final: bool) -> None:
        """Note why a part did not arrive, and when it is tried again, if it is."""
        sql = (
            "UPDATE push SET state = ?, error = ?, tries = ?, due_at = ? WHERE transfer = ? AND part = ? AND state = ?"
        )
        state = FAILED if final else WAITING
        with self.db.write() as tx:
            tx.run(sql, state, error[:MAX_ERROR], tries, due_ms, one.transfer, one.part, WAITING)

    def done(self, transfer: str, part: Part, sent: int, digest: str) -> None:
        """Note that a part has arrived whole: the other side has said so."""
        sql = (
            "UPDATE push SET state = ?, error = '', media_type = ?, etag = ?, size = ?, sent = ?, digest = ?,"
            " filtered = ? WHERE transfer = ? AND part = ?"
        )
        values = (DONE, part.media_type, part.etag, sent, sent, digest, part.filtered)
        with self.db.write() as tx:
            tx.run(sql, *values, transfer, part.name)


def _beside(one: Arrived, at_ms: int) -> tuple[object, ...]:
    return at_ms - LIVES_MS, one.transfer, one.part


def _reserved(rows: Iterable[Row]) -> Mapping[str, int]:
    return {str(transfer): int(many) for transfer, many in rows}


# SQLite knows no truth but 0 and 1.
def _arrived(row: Row) -> Arrived:
    found = Arrived(*row)
    return replace(found, filtered=bool(found.filtered), whole=bool(found.whole))


def _brought(row: Row) -> Brought:
    found = Brought(*row)
    return replace(found, filtered=bool(found.filtered))
