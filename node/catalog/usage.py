"""How often the catalogue is used: downloads by record and searches by outcome, one number a day. Owns `usage`.

Nothing of a visitor is ever here: no address, no text that was searched for, no time finer than a day. Each web process
counts in memory and adds its counts to the table now and then, so that a reader never waits for the database; what was
counted since is lost if a process is killed, and that is all right.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

from node.db import Database
from node.errors import NodeError

What = Literal["download", "search"]
DAY_MS = 86_400_000
FLUSH_S = 60.0
KEPT_DAYS = 400
MOST_KEYS = 20_000
MOST_LISTED = 100
_ADD = (
    'INSERT INTO usage (day, what, about, "count") VALUES (?, ?, ?, ?)'
    ' ON CONFLICT (day, what, about) DO UPDATE SET "count" = usage."count" + excluded."count"'
)
_DAYS = 'SELECT day, SUM("count") FROM usage WHERE what = ? AND day >= ? GROUP BY day ORDER BY day'
_ABOUT = (
    'SELECT about, SUM("count") AS many FROM usage WHERE what = ? AND day >= ?'
    " GROUP BY about ORDER BY many DESC, about LIMIT ?"
)
log = structlog.get_logger("citynode.usage")


@dataclass(frozen=True, slots=True)
class Used:
    """How often something was used on a day since the epoch."""

    day: int
    count: int


class Usage:
    """Counts, and tells what was counted. Safe to share by threads; every process has its own."""

    def __init__(self, db: Database, *, clock_ms: Callable[[], int]) -> None:
        """Keep in this database; the clock says which day it is, UTC."""
        self._db, self._clock_ms = db, clock_ms
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int, str, str]] = Counter()

    # ------------------------------------------------------------ counting

    def count(self, what: What, about: str) -> None:
        """Count one use, in memory; of very many different things in one minute only that they were used."""
        day = self._clock_ms() // DAY_MS
        with self._lock:
            key = (day, what, about)
            if key not in self._counts and len(self._counts) >= MOST_KEYS:
                key = (day, what, "")
            self._counts[key] += 1

    def flush(self) -> int:
        """Add what was counted to the table; give how many uses that were.

        Raises:
            JournalBusy: Another writer held the lock; nothing is lost, it is added the next time.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return 0
        rows = [(*key, many) for key, many in sorted(counts.items())]
        try:
            with self._db.write() as tx:
                tx.many(_ADD, rows)
                tx.run("DELETE FROM usage WHERE day < ?", rows[-1][0] - KEPT_DAYS)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
        return counts.total()

    @contextmanager
    def counting(self, every_s: float = FLUSH_S) -> Iterator[None]:
        """Add what is counted to the table every so often, in a thread of its own, and once more at the end."""
        stop = threading.Event()

        def often() -> None:
            while not stop.wait(every_s):
                self._try()

        thread = threading.Thread(target=often, name="usage", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except NodeError as error:
            log.warning("counts wait for the next minute", why=str(error))

    # ------------------------------------------------------------ telling

    def days(self, what: What, *, since: int) -> Sequence[Used]:
        """Give how often something was used, by day since the epoch, the oldest first; days without are left out."""
        return [Used(int(day), int(many)) for day, many in self._db.hot().rows(_DAYS, (what, since))]

    def most(self, what: What, *, since: int, limit: int = 10) -> Sequence[tuple[str, int]]:
        """Give what was used most since a day, and how often, most first; of one that has no name here too."""
        rows = self._db.hot().rows(_ABOUT, (what, since, min(limit, MOST_LISTED)))
        return [(str(about), int(many)) for about, many in rows]
