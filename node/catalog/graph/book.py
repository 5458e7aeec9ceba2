"""The book of a triple store: which record stands in which graph, how far was read, and what is being written just now.

A file of its own beside the store (SQLite), because a store cannot say where the triples of a record are once that is
gone. What is about to be written is noted before and crossed out after, so that a crash at any moment is mended by
writing it once more. Belongs to one process at a time (`alone`). Touches nothing else; all of it can be thrown away.
"""

import contextlib
import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.errors import AlreadyRunning, Unavailable

VERSION = "1"
# After a power cut a store may have lost what it wrote last. So long before that it had reached the disk for sure.
SETTLED_MS = 120_000
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_CHUNK = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place (collection_id INTEGER, record_key INTEGER, graph TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (collection_id, record_key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS place_in_graph ON place (graph);
CREATE TABLE IF NOT EXISTS seen (collection_id INTEGER PRIMARY KEY, shown INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS unsettled (graph TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (collection_id INTEGER, hash INTEGER, times INTEGER NOT NULL,
  PRIMARY KEY (collection_id, hash)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY, graph TEXT NOT NULL, gone INTEGER NOT NULL,
  triple BLOB NOT NULL);
"""
_NAMES = ("meta", "place", "seen", "unsettled", "said", "pending")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its graph, and the digest of the payload that is in it."""

    graph: str
    digest: str


Key = tuple[int, int]


class Book:
    """An open book. Every method outside `changed` sees what was committed."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it anew if it is damaged or of another version."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._opened()

    def _opened(self) -> sqlite3.Connection:
        try:
            db = _connected(self._path)
            if _meta(db, "version") in ("", VERSION):
                return db
        except sqlite3.DatabaseError:
            pass
        else:
            db.close()
        for each in self._path.parent.glob(f"{self._path.name}*"):
            if each.suffix != ".lock":
                each.unlink(missing_ok=True)
        return _connected(self._path)

    def close(self) -> None:
        """Close it."""
        self._db.close()

    @contextlib.contextmanager
    def changed(self) -> Iterator[None]:
        """Do several things, all or none; on the disk when it ends. Raises Unavailable if the disk is full."""
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The book of the triple store cannot be written: {error}.") from error

    def reset(self, born: str, until: int) -> None:
        """Forget everything: the store is empty, and is to be filled up to change `until`."""
        with self.changed():
            for name in _NAMES:
                self._db.execute(f"DELETE FROM {name}")  # noqa: S608 (names of our own tables)
            self._set("version", VERSION)
            self._set("born", born)
            self._set("until", str(until))
            self._set("boot", _boot())

    @property
    def born(self) -> str:
        """Give the word of the store that this is the book of; empty before the first."""
        return _meta(self._db, "born")

    @property
    def until(self) -> int:
        """Give the change up to which the store is filled for the first time."""
        return int(_meta(self._db, "until") or 0)

    @property
    def position(self) -> int:
        """Give the change up to which was read; after a start of the machine, one that had settled by then."""
        if _meta(self._db, "boot") == _boot():
            return int(_meta(self._db, "position") or 0)
        return _marks(self._db)[0][1]

    @property
    def doubted(self) -> int:
        """Give the change up to which what was written may be lost, since the machine was started anew; else 0."""
        return 0 if _meta(self._db, "boot") == _boot() else int(_meta(self._db, "position") or 0)

    def save(self, position: int, *, now_ms: int) -> None:
        """Remember how far was read; within `changed`."""
        marks = _marks(self._db)
        if now_ms - marks[-1][0] > SETTLED_MS:
            self._set("marks", json.dumps([marks[-1], (now_ms, position)]))
        self._set("position", str(position))
        self._set("boot", _boot())

    def places(self, keys: Iterable[Key]) -> dict[Key, Place]:
        """Find where records stand; those that stand nowhere are left out."""
        sql = "SELECT graph, digest FROM place WHERE collection_id = ? AND record_key = ?"
        found = {key: self._db.execute(sql, key).fetchone() for key in keys}
        return {key: Place(*row) for key, row in found.items() if row}

    def of(self, collection_id: int) -> list[int]:
        """Give the keys of the records of a collection."""
        sql = "SELECT record_key FROM place WHERE collection_id = ?"
        return [int(row[0]) for row in self._db.execute(sql, (collection_id,))]

    def in_graph(self, graph: str) -> list[str]:
        """Give the digests of what stands in a graph."""
        return [row[0] for row in self._db.execute("SELECT digest FROM place WHERE graph = ?", (graph,))]

    def count(self) -> int:
        """Count the records."""
        return int(self._db.execute("SELECT count(*) FROM place").fetchone()[0])

    def put(self, key: Key, place: Place | None) -> None:
        """Let a record stand somewhere, or nowhere."""
        if place is None:
            self._db.execute("DELETE FROM place WHERE collection_id = ? AND record_key = ?", key)
        else:
            self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)", (*key, place.graph, place.digest))

    def seen(self) -> dict[int, bool]:
        """Give every collection that was met, and whether its records were to be shown here."""
        return {int(row[0]): bool(row[1]) for row in self._db.execute("SELECT collection_id, shown FROM seen")}

    def see(self, shown: dict[int, bool]) -> None:
        """Remember that."""
        self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", list(shown.items()))

    def unsettled(self) -> list[str]:
        """Give the graphs whose content is to be written."""
        return [row[0] for row in self._db.execute("SELECT graph FROM unsettled")]

    def unsettle(self, graphs: Iterable[str]) -> None:
        """Note graphs that are to be written."""
        self._db.executemany("INSERT OR IGNORE INTO unsettled VALUES (?)", [(graph,) for graph in graphs])

    def settle(self, graphs: Iterable[str]) -> None:
        """Cross out graphs that were written."""
        self._db.executemany("DELETE FROM unsettled WHERE graph = ?", [(graph,) for graph in graphs])

    def times(self, collection_id: int, hashes: Sequence[int]) -> dict[int, int]:
        """Say how many records of a collection assert each triple."""
        found: dict[int, int] = {}
        for start in range(0, len(hashes), _CHUNK):
            part = hashes[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT hash, times FROM said WHERE collection_id = ? AND hash IN ({marks})"  # noqa: S608
            found |= dict(self._db.execute(sql, (collection_id, *part)).fetchall())
        return found

    def count_said(self, collection_id: int, times: dict[int, int]) -> None:
        """Remember that; what nobody asserts any more is forgotten."""
        rows = [(collection_id, hashed, number) for hashed, number in times.items()]
        self._db.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", [row for row in rows if row[2] > 0])
        gone = [row[:2] for row in rows if row[2] <= 0]
        self._db.executemany("DELETE FROM said WHERE collection_id = ? AND hash = ?", gone)

    def forget(self, collection_id: int) -> None:
        """Forget the records of a collection, and what they assert."""
        for name in ("place", "said"):
            self._db.execute(f"DELETE FROM {name} WHERE collection_id = ?", (collection_id,))  # noqa: S608

    def pend(self, rows: Iterable[tuple[str, bool, bytes]]) -> None:
        """Note triples that are to be added to graphs, or taken out of them, in this order."""
        self._db.executemany("INSERT INTO pending (graph, gone, triple) VALUES (?, ?, ?)", list(rows))

    def pending(self, limit: int) -> list[tuple[int, str, bool, bytes]]:
        """Give the first that are noted."""
        rows = self._db.execute("SELECT id, graph, gone, triple FROM pending ORDER BY id LIMIT ?", (limit,))
        return [(row[0], row[1], bool(row[2]), row[3]) for row in rows]

    def done(self, upto: int) -> None:
        """Cross out what was written, up to a number."""
        self._db.execute("DELETE FROM pending WHERE id <= ?", (upto,))

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep everybody else away from a book. Raises AlreadyRunning if somebody has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning("The triple store is being written by another process.") from error
        yield


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_TABLES)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _meta(db: sqlite3.Connection, name: str) -> str:
    row: Any = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def _marks(db: sqlite3.Connection) -> list[tuple[int, int]]:
    """Give up to two times and positions, the earlier first; at the beginning there was nothing."""
    return [(int(at), int(n)) for at, n in json.loads(_meta(db, "marks") or "[[0, 0]]")]


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return "unknown"
