"""What was found of each record, and how it was day by day: owner of the tables `quality` and `quality_day`.

Written by `keeper` alone, read by search (points), pages and commands. All of it can be thrown away and made again, but
the days: what a day was like cannot be told later. Touches its own tables, and reads those of the shelf beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.catalog.quality.metrics import PLACES, WITHIN, comparable, points_of
from node.catalog.quality.summary import Summary, read, summary_of, written
from node.db import HotReader, Tx
from node.journal import key_of

DAY_MS = 86_400_000
MAX_DAYS = 400  # how many days are kept of each subject
_CHUNK = 400
_OF = "(SELECT id FROM collection WHERE name = ?)"
# Names (of sources) lead to slugs, slugs to records: only what a city harvests itself has a source.
_OF_SOURCES = (
    "SELECT n.source, q.metrics, count(*) FROM name n JOIN shelf s ON s.kind = n.kind AND s.slug = n.slug"
    " JOIN collection c ON c.id = s.collection_id AND c.name NOT LIKE '%/%'"
    " JOIN quality q ON q.collection_id = s.collection_id AND q.record_key = s.record_key"
    " WHERE n.live AND n.source <> '' GROUP BY n.source, q.metrics"
)
_SOURCES = "SELECT name FROM source WHERE collection = ? ORDER BY name"


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of one record: points of those that could be told, and the marks of every metric."""

    collection_id: int
    record_key: int
    marks: str
    digest: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Scored:
    """One record of a list, with what is kept of it."""

    iri: str
    record_key: int
    points: int
    max_known: int
    marks: str


class Qualities:
    """Reads what was found; safe in every thread."""

    def __init__(self, hot: HotReader) -> None:
        """Read through a database's hot connection."""
        self._hot = hot

    def points(self, tx: Tx, records: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Give comparable points of records (collection id, record key); those that were not measured are left out."""
        found: dict[tuple[int, int], int] = {}
        for collection_id, keys in _by_collection(records).items():
            for start in range(0, len(keys), _CHUNK):
                part = keys[start : start + _CHUNK]
                sql = "SELECT record_key, points, max_known FROM quality WHERE collection_id = ?"
                rows = tx.rows(f"{sql} AND record_key IN ({', '.join('?' * len(part))})", collection_id, *part)
                found |= {(collection_id, key): comparable(points, known) for key, points, known in rows}
        return found

    def of(self, collection: str, iri: str) -> Found | None:
        """Give what is kept of one record."""
        row = self._hot.row(
            "SELECT collection_id, record_key, metrics, digest, at FROM quality"  # noqa: S608
            f" WHERE collection_id = {_OF} AND record_key = ?",
            (collection, key_of(iri)),
        )
        return Found(*row) if row else None

    def counts(self) -> dict[str, dict[str, int]]:
        """Count, for every collection, how many records have which marks."""
        rows = self._hot.rows(
            "SELECT c.name, q.metrics, q.n FROM (SELECT collection_id, metrics, count(*) AS n FROM quality"
            " GROUP BY collection_id, metrics) q JOIN collection c ON c.id = q.collection_id ORDER BY c.name"
        )
        return _nested(rows)

    def counts_of(self, collection: str) -> dict[str, int]:
        """Count how many records of a collection have which marks."""
        sql = f"SELECT metrics, count(*) FROM quality WHERE collection_id = {_OF} GROUP BY metrics"  # noqa: S608
        return {str(marks): int(number) for marks, number in self._hot.rows(sql, (collection,))}

    def counts_of_sources(self) -> dict[str, dict[str, int]]:
        """Count, for every source of this city, how many of its records have which marks."""
        return _nested(self._hot.rows(_OF_SOURCES))

    def summary(self, collection: str) -> Summary:
        """Sum up a collection."""
        return summary_of(self.counts_of(collection))

    def records(self, collection: str, *, failing: str = "", after: int | None = None, limit: int) -> list[Scored]:
        """List measured records in order of their key: all, or those that fail a metric.

        Args:
            collection: Its local name.
            failing: The name of a metric; empty for every record. Who fails it only for want of what it is measured at
                (see `WITHIN`) is listed with those who lack that.
            after: The key of the last record of the page before.
            limit: At most so many.
        """
        where = f" AND substr(q.metrics, {PLACES[failing] + 1}, 1) = '-'" if failing else ""
        where += f" AND substr(q.metrics, {PLACES[WITHIN[failing]] + 1}, 1) = '+'" if failing in WITHIN else ""
        where += " AND q.record_key > ?" if after is not None else ""
        params: list[object] = [collection] if after is None else [collection, after]
        rows = self._hot.rows(
            "SELECT s.iri, q.record_key, q.points, q.max_known, q.metrics FROM quality q"  # noqa: S608
            " JOIN shelf s ON s.collection_id = q.collection_id AND s.record_key = q.record_key"
            f" WHERE q.collection_id = {_OF}{where} AND s.digest IS NOT NULL ORDER BY q.record_key LIMIT ?",
            (*params, limit),
        )
        return [Scored(*row) for row in rows]

    def position(self) -> int:
        """Give the number of the last change that was measured; 0 before the first."""
        row = self._hot.row("SELECT n FROM reader WHERE name = 'quality'")
        return int(row[0]) if row else 0

    def size(self) -> int:
        """Count the records that are measured."""
        row = self._hot.row("SELECT count(*) FROM quality")
        return int(row[0]) if row else 0

    def days(self, subject: str, *, since: int = 0) -> list[tuple[int, Summary]]:
        """Give how a subject (`collection:NAME`, `source:NAME`) was, by day since the epoch, the oldest first."""
        sql = "SELECT day, summary FROM quality_day WHERE subject = ? AND day >= ? ORDER BY day"
        rows = self._hot.rows(sql, (subject, since))
        return [(int(day), found) for day, text in rows if (found := read(text)) is not None]

    def sources(self, collection: str) -> list[str]:
        """Name the sources that feed a collection of ours, in order of name."""
        return [str(row[0]) for row in self._hot.rows(_SOURCES, (collection,))]

    def subjects(self) -> list[str]:
        """List what there are days of."""
        return [str(row[0]) for row in self._hot.rows("SELECT DISTINCT subject FROM quality_day ORDER BY subject")]


def save(tx: Tx, found: Iterable[Found]) -> None:
    """Keep what was found of records."""
    tx.many(
        "INSERT INTO quality (collection_id, record_key, points, max_known, metrics, digest, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection_id, record_key) DO UPDATE SET points = excluded.points,"
        " max_known = excluded.max_known, metrics = excluded.metrics, digest = excluded.digest, at = excluded.at",
        [
            (each.collection_id, each.record_key, *points_of(each.marks), each.marks, each.digest, each.at_ms)
            for each in found
        ],
    )


def remove(tx: Tx, records: Sequence[tuple[int, int]]) -> None:
    """Forget records (collection id, record key)."""
    tx.many("DELETE FROM quality WHERE collection_id = ? AND record_key = ?", list(records))


def doubt(tx: Tx) -> None:
    """Take every record for one that changed since; what was found of it stays until it is measured anew."""
    tx.run("UPDATE quality SET digest = ''")


def drop_doubted(tx: Tx) -> None:
    """Forget the records that were not measured since they were doubted: nobody has them any more."""
    tx.run("DELETE FROM quality WHERE digest = ''")


def save_day(tx: Tx, day: int, summaries: Mapping[str, Summary]) -> None:
    """Keep how subjects are on a day; a later call of the same day takes the place of the earlier."""
    tx.many(
        "INSERT INTO quality_day (subject, day, summary) VALUES (?, ?, ?)"
        " ON CONFLICT (subject, day) DO UPDATE SET summary = excluded.summary",
        [(subject, day, written(summary)) for subject, summary in summaries.items()],
    )
    tx.run("DELETE FROM quality_day WHERE day < ?", day - MAX_DAYS)


def _nested(rows: Iterable[Sequence[object]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, marks, number in rows:
        found.setdefault(str(name), {})[str(marks)] = int(str(number))
    return found


def _by_collection(records: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for collection_id, key in records:
        found.setdefault(collection_id, []).append(key)
    return found
