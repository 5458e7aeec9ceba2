"""The books of the door: every stream of a part, from which byte on, how much was sent, and how it ended.

A row stands before the first byte leaves and is closed before the last one does, so that whoever has everything finds
us knowing it: receipts are compared with these rows. A stream of a process that died is told by `seen_at`, which each
living one renews. Owns the table `data_stream`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from node.db import Database, Row, Tx
from node.errors import NotAgreed, TooManyRequests
from node.federation.data.quotas import Measure, give_back, reserve
from node.federation.moved import Streamed
from node.federation.moving import Moved, Part

How = Literal["done", "handed", "cut", "gone", "stalled", "broken"]
# A stream that nobody has seen for so long is over, however it looks.
LOST_MS = 10_000
RETRY_S = 5
MAX_TOLD = 200  # streams of one transfer, to whoever looks on
# A peer that has as many as it may gets no row.
_BEGIN = (
    "INSERT INTO data_stream (transfer, part, etag, begins, whole, process, begun_at, seen_at)"
    " SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM data_stream s JOIN transfer t ON t.pid = s.transfer"
    " WHERE t.peer = ? AND s.ended_at = 0 AND s.seen_at > ?) < ? RETURNING id"
)
_SEEN = "UPDATE data_stream SET sent = ?, seen_at = ? WHERE id = ? AND ended_at = 0"
_END = "UPDATE data_stream SET sent = ?, whole = ?, digest = ?, ended_at = ?, how = ? WHERE id = ? RETURNING id"
_FORGET = "DELETE FROM data_stream WHERE id = ? RETURNING id"
_LOST = "UPDATE data_stream SET ended_at = ?, how = 'broken' WHERE ended_at = 0 AND seen_at <= ?"
_OF = "SELECT part, etag, begins, sent, digest, whole, how FROM data_stream WHERE transfer = ? ORDER BY id"
_TOLD = "SELECT part, begins, sent, begun_at, ended_at, how FROM data_stream WHERE transfer = ? ORDER BY id LIMIT ?"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A stream that is about to begin. `ends` is the byte after the last one, None where nobody knows it yet."""

    transfer: str
    peer: str
    part: Part
    begins: int
    ends: int | None
    measures: Sequence[Measure] = ()

    @property
    def length(self) -> int | None:
        """How many bytes it will be."""
        return None if self.ends is None else self.ends - self.begins

    @property
    def is_whole(self) -> bool:
        """Tell whether it goes from the first byte to the last."""
        return self.begins == 0 and (self.ends is None or self.ends == self.part.size)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stream ended; `digest` is of what was sent, if all of the part went in it."""

    how: How
    sent: int
    digest: str = ""
    measures: Sequence[Measure] = ()
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    part: str
    etag: str
    begins: int
    sent: int
    digest: str
    whole: bool
    how: str


class _Quick:
    """One statement in a transaction of its own that survives the process, and a power cut once anything later does.

    A request for a few bytes takes two of them, and would wait for the disk twice as long as for all the rest. What is
    written later and waits for the disk, such as a receipt, takes all that was written before along.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._sql = db.unwaited() if db.dialect == "sqlite" else None

    def rows(self, sql: str, *params: object) -> list[Row]:
        if self._sql is not None:
            return self._sql.rows(sql, params)
        with self._db.write() as tx:
            tx.run("SET LOCAL synchronous_commit = off")
            tx.lock("data_stream")
            return tx.rows(sql, *params)


class Streams:
    """Keeps the books. Safe to share by threads; every process of a node has its own over the same rows."""

    def __init__(self, db: Database, *, process: str, most: int) -> None:
        """Take what names this process, and how many streams one peer may have at once."""
        self._db, self._process, self._most = db, process, most
        self._quick = _Quick(db)

    def begin(self, asked: Beginning, slice_bytes: int, now_ms: int) -> tuple[int, int]:
        """Open a row; give its id and how many bytes are reserved for it.

        A stream of at most `slice_bytes` is reserved whole; a longer one begins with a slice, if what is left would do
        for all of it now.

        Raises:
            TooManyRequests: The peer has as many streams as it may.
            NotAgreed: A clause does not let so many bytes through any more.
        """
        row = self._row(asked, now_ms)
        if not asked.measures:
            return self._begun(self._quick.rows(_BEGIN, *row)), 0
        with self._db.write() as tx:
            tx.lock("data_stream")
            return self._begun(tx.rows(_BEGIN, *row)), self._reserved(tx, asked, slice_bytes)

    def hand_over(self, asked: Beginning, now_ms: int) -> None:
        """Note that a server beside us sends it: nobody here will know how much of it went. Raises TooManyRequests."""
        row = self._begun(self._quick.rows(_BEGIN, *self._row(asked, now_ms)))
        self._quick.rows(_END, 0, False, "", now_ms, "handed", row)  # noqa: FBT003 (a column)

    def more(self, measures: Sequence[Measure], many: int, *, least: int) -> int:
        """Reserve more bytes for a stream that goes on; 0 if less than `least` are left."""
        with self._db.write() as tx:
            return reserve(tx, measures, many, least=least)

    def seen(self, rows: Iterable[tuple[int, int]], now_ms: int) -> None:
        """Note of streams, by id, how much each has sent and that it lives; end those that nobody has seen."""
        with self._db.write() as tx:
            tx.many(_SEEN, [(sent, now_ms, row) for row, sent in rows])
            tx.run(_LOST, now_ms, now_ms - LOST_MS)

    def end(self, row: int, ended: Ended, now_ms: int) -> None:
        """Close a row; what was reserved and not sent is given back."""
        cells = (ended.sent, bool(ended.digest), ended.digest, now_ms, ended.how, row)
        if not ended.measures:
            self._quick.rows(_END, *cells)
            return
        with self._db.write() as tx:
            tx.rows(_END, *cells)
            give_back(tx, ended.measures, ended.reserved - ended.sent)

    def forget(self, row: int, measures: Sequence[Measure], reserved: int) -> None:
        """Take out a row of which no byte went: its part was not there. What was reserved is given back."""
        if not measures:
            self._quick.rows(_FORGET, row)
            return
        with self._db.write() as tx:
            tx.rows(_FORGET, row)
            give_back(tx, measures, reserved)

    def delivered(self, transfer: str, parts: Mapping[str, Part]) -> Sequence[Moved]:
        """Say what went out whole in a transfer, by part; of several times the last.

        Args:
            transfer: Its pid here.
            parts: The parts as they stand now, by name: what went in pieces has the digest that all of it has.
        """
        return _told(self._rows(transfer), parts)

    def story(self, transfer: str) -> Sequence[Streamed]:
        """Tell every stream of a transfer, in order, also those that run."""
        return [Streamed(*row) for row in self._db.hot().rows(_TOLD, (transfer, MAX_TOLD))]

    def _rows(self, transfer: str) -> list[_Row]:
        rows = self._db.hot().rows(_OF, (transfer,))
        return [
            _Row(str(part), str(etag), int(begins), int(sent), str(digest), bool(whole), str(how))
            for part, etag, begins, sent, digest, whole, how in rows
        ]

    def _row(self, asked: Beginning, now_ms: int) -> tuple[object, ...]:
        part = asked.part
        cells = (asked.transfer, part.name, part.etag, asked.begins, False, self._process, now_ms, now_ms)
        return *cells, asked.peer, now_ms - LOST_MS, self._most

    def _begun(self, rows: list[Row]) -> int:
        if not rows:
            raise TooManyRequests(
                f"You read {self._most} parts here at once, as many as one city may.",
                retry_after_s=RETRY_S,
                fix="Wait until one of them ends.",
            )
        return int(rows[0][0])

    @staticmethod
    def _reserved(tx: Tx, asked: Beginning, slice_bytes: int) -> int:
        length = asked.length
        if not asked.measures or length == 0:
            return 0
        want = slice_bytes if length is None else min(length, slice_bytes)
        # Of a long one all must be there now, though only a slice is taken: better a "no" than a part of it.
        granted = reserve(tx, asked.measures, length or want, least=length or 1)
        if not granted:
            raise used_up(asked.measures)
        give_back(tx, asked.measures, granted - want)
        return min(granted, want)


def used_up(measures: Sequence[Measure]) -> NotAgreed:
    """Say that a clause lets no more bytes through."""
    first = measures[0]
    return NotAgreed(
        "The agreement does not let so many bytes through any more (volume).",
        fix="Ask for fewer of them, or agree anew.",
        agreement=first.agreement,
        clause=first.rule,
        operand="volume",
    )


def _told(rows: Sequence[_Row], parts: Mapping[str, Part]) -> Sequence[Moved]:
    found = dict[str, Moved]()
    for row in rows:
        part = parts.get(row.part)
        if row.whole:
            kind, filtered = (part.media_type, part.filtered) if part else ("", False)
            found[row.part] = Moved(row.part, kind, row.sent, row.digest, filtered)
    for name in dict.fromkeys(row.part for row in rows):
        joined = _joined([row for row in rows if row.part == name], parts.get(name))
        if name not in found and joined is not None:
            found[name] = joined
    return list(found.values())


def _joined(rows: Sequence[_Row], part: Part | None) -> Moved | None:
    """Put together what went in pieces, all of the version that went last.

    If that is the part as it stands, they must make all of it, and it has its digest; of another, or of one that cannot
    be read now, it is known how far they reach from the first byte on, and nothing else.
    """
    pieces = [row for row in rows if row.etag == rows[-1].etag]
    if part is None or part.etag != rows[-1].etag or part.size is None:
        reached = _reached((row.begins, row.begins + row.sent) for row in pieces)
        return Moved(rows[-1].part, "", reached, "") if reached else None
    reached = _reached((row.begins, _ends(row, part.size)) for row in pieces)
    whole = reached == part.size or any(row.how == "handed" for row in pieces)
    return Moved(part.name, part.media_type, part.size, part.digest, part.filtered) if whole else None


def _reached(pieces: Iterable[tuple[int, int]]) -> int:
    """Say how far pieces reach without a gap, from the first byte on."""
    reached = 0
    for begins, ends in sorted(pieces):
        reached = max(reached, ends) if begins <= reached else reached
    return reached


def _ends(row: _Row, size: int) -> int:
    """Say how far a stream may have come: in doubt, where its process died or nobody saw its end, to the last byte."""
    return size if row.how in ("", "broken") else row.begins + row.sent
