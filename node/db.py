"""The node's database: transactions, hot reads, migrations. SQLite by default, PostgreSQL by setting.

Nothing here knows a table's meaning; the SQL text lives with the owner of the table, written once with `?`
placeholders for both databases. Write transactions are `BEGIN IMMEDIATE` on SQLite, so its one write lock is taken
before anything is read; on PostgreSQL they are read-committed and owners take advisory locks by name. Whoever
waits longer than 5 s gets `JournalBusy`. Lower errors become ours here and nowhere else. Imports only `errors`.
"""

import hashlib
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from node.errors import Conflict, JournalBusy, Misconfigured, Refuted, Unavailable

if TYPE_CHECKING:
    from sqlmodel import Session

Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgresql"]
BUSY_MS = 5_000
# Alembic keeps its context in module globals: one migration at a time in a process, whatever the database allows.
_MIGRATING = threading.Lock()
MIGRATIONS = Path(__file__).parent / "migrations"

# Order matters: the page size only counts before the file exists. 8 KiB pages waste less beside payload rows of
# 1 to 3 KiB. FULL, because a checkpoint is signed over what was committed. secure_delete, because erased
# openings and payloads must not stay readable in free pages.
_PRAGMAS = (
    "PRAGMA page_size=8192",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA cache_size=-32768",
)
_URL_HELP = "Write sqlite:////absolute/path/node.db or postgresql://user@host/name."
# A snapshot of PostgreSQL names exactly which transactions are visible: equal snapshots see equal data.
_VERSION_SQL: dict[Dialect, str] = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT hashtextextended(pg_current_snapshot()::text, 0)",
}
_SCRUB: dict[Dialect, tuple[str, ...]] = {
    "sqlite": ("PRAGMA query_only=OFF", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "postgresql": ("VACUUM entry", "VACUUM payload", "VACUUM problem_report", "VACUUM submission"),
}
# An operator may have turned durable commits off for the whole server; not for us (see `_PRAGMAS`).
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


class Tx:
    """One transaction. SQL has `?` placeholders in both databases; values are int, str, bytes, bool or None."""

    def __init__(self, conn: sa.Connection, dialect: Dialect) -> None:
        self.conn = conn
        self.dialect: Dialect = dialect
        self._raw: Any = conn.connection.driver_connection
        self._session: Session | None = None

    def run(self, sql: str, *params: object) -> int:
        """Execute one statement and give the number of rows it touched."""
        return int(self._execute(sql, params).rowcount)

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute one statement once per row, in order; nothing happens without rows."""
        if rows:
            try:
                self._raw.cursor().executemany(self._spelled(sql), rows)
            except Exception as error:
                raise translated(error) from error

    def row(self, sql: str, *params: object) -> Row | None:
        """Give the first row, or None."""
        try:
            found: Row | None = self._execute(sql, params).fetchone()
        except Exception as error:
            raise translated(error) from error
        return found

    def rows(self, sql: str, *params: object) -> list[Row]:
        """Give all rows."""
        try:
            found: list[Row] = self._execute(sql, params).fetchall()
        except Exception as error:
            raise translated(error) from error
        return found

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, at most 5 s; held until this transaction ends.

        SQLite has one write lock, taken already: nothing to do there.
        """
        if self.dialect == "postgresql":
            self.row("SELECT pg_advisory_xact_lock(?)", _lock_key(name))

    def lock_shared(self, name: str) -> None:
        """Like `lock`, but held together with other sharers; only `lock` of the same name is kept out."""
        if self.dialect == "postgresql":
            self.row("SELECT pg_advisory_xact_lock_shared(?)", _lock_key(name))

    @property
    def session(self) -> "Session":
        """A SQLModel session in this transaction, for administrative tables; flushed when the transaction ends."""
        if self._session is None:
            from sqlmodel import Session  # 0.3 s to import, and the hot processes never need it

            self._session = Session(bind=self.conn)
        return self._session

    def finish(self) -> None:
        """Flush and leave the session, if there was one; the transaction's owner commits."""
        if self._session is not None:
            self._session.flush()
            self._session.close()

    def _execute(self, sql: str, params: Sequence[object]) -> Any:  # noqa: ANN401 - a cursor of either driver
        try:
            return self._raw.cursor().execute(self._spelled(sql), params)
        except Exception as error:
            raise translated(error) from error

    def _spelled(self, sql: str) -> str:
        return sql if self.dialect == "sqlite" else _psycopg_sql(sql)


class HotReader:
    """Asks in microseconds: one raw connection per thread, each statement a transaction of its own."""

    def __init__(self, connect: Callable[[], Any], dialect: Dialect) -> None:
        self._connect = connect
        self._spell: Callable[[str], str] = _psycopg_sql if dialect == "postgresql" else str
        self._local = threading.local()

    def row(self, sql: str, params: Sequence[object] = ()) -> Row | None:
        """Give the first row, or None."""
        connection = self._connection()
        try:
            found: Row | None = connection.execute(self._spell(sql), params).fetchone()
        except Exception as error:
            raise self._failed(error) from error
        return found

    def rows(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Give all rows."""
        connection = self._connection()
        try:
            found: list[Row] = connection.execute(self._spell(sql), params).fetchall()
        except Exception as error:
            raise self._failed(error) from error
        return found

    def close(self) -> None:
        """Close every thread's connection; a later read opens a new one."""
        self._local = threading.local()

    def _connection(self) -> Any:  # noqa: ANN401 - a connection of either driver
        try:
            return self._local.held.connection
        except AttributeError:
            self._local.held = _Held(self._connect())
            return self._local.held.connection

    def _failed(self, error: Exception) -> Exception:
        # A broken connection must not stay with its thread for ever.
        held = getattr(self._local, "held", None)
        if getattr(getattr(held, "connection", None), "closed", False):
            self._local = threading.local()
        return translated(error)


class _Held:
    """A connection that closes when its thread, or its reader, is gone."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """The door to one database; cheap to make, nothing is opened before the first use. Safe to share by threads."""

    def __init__(self, url: str) -> None:
        """Take `sqlite:////absolute/path/node.db` or `postgresql://…`; anything else is `Misconfigured`."""
        self._url = _parsed(url)
        self.dialect: Dialect = "sqlite" if self._url.get_backend_name() == "sqlite" else "postgresql"
        self._writer, self._reader = self._engines()
        self._hot = HotReader(self._connect, self.dialect)
        self._version_lock = threading.Lock()
        self._version_holder: _Held | None = None

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self._url.database or "") if self.dialect == "sqlite" else None

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open one write transaction: committed and durable on exit, rolled back on any error.

        Never open a second one inside it: on SQLite it would wait for itself.

        Raises:
            JournalBusy: Another writer held the lock for 5 s. Safe to retry.
        """
        with self._transaction(self._writer) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open one read transaction: every statement sees the same snapshot, and none may write."""
        with self._transaction(self._reader) as tx:
            yield tx

    def hot(self) -> HotReader:
        """Give the reader for hot paths; one per database."""
        return self._hot

    def unwaited(self, *first: str) -> HotReader:
        """Give statements of SQLite that may write and whose commits do not wait for the disk; the caller closes it.

        They survive the process, and a power cut once anything later has waited. `first` begins each connection.
        """
        more = ("PRAGMA synchronous=NORMAL", *first)
        return HotReader(lambda: self._connect_sqlite(read_only=False, more=more), self.dialect)

    def data_version(self) -> int:
        """Give a number that differs whenever something was committed since; only equality means anything.

        Numbers of two processes cannot be compared. Costs about 2 us on SQLite, one round trip on PostgreSQL.
        """
        with self._version_lock:
            if self._version_holder is None:
                self._version_holder = _Held(self._connect())
            try:
                found = self._version_holder.connection.execute(_VERSION_SQL[self.dialect]).fetchone()[0]
            except Exception as error:
                self._version_holder = None
                raise translated(error) from error
        return int(found)

    def upgrade(self) -> None:
        """Bring the tables to the newest revision, creating them if there are none; safe at every start.

        Raises:
            Misconfigured: They are those of a newer program.
        """
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with _MIGRATING, self.write() as tx:
            tx.lock("migrations")
            self._refuse_newer(_revision(tx))
            config.attributes["connection"] = tx.conn
            command.upgrade(config, "head")

    def revision(self) -> str:
        """Give the revision the tables are at; empty before the first `upgrade`."""
        with self.read() as tx:
            return _revision(tx)

    def newest_revision(self) -> str:
        """Give the revision this program wants, from the names of its migrations."""
        return max(path.stem[1:5] for path in (MIGRATIONS / "versions").glob("r[0-9]*.py"))

    def check_revision(self) -> None:
        """Look whether this program can work with the tables.

        Raises:
            Misconfigured: They are those of an older or a newer program; the words say which, and what to do.
        """
        held, wanted = self.revision(), self.newest_revision()
        self._refuse_newer(held)
        if held != wanted:
            raise Misconfigured(
                f"The tables are at {held or 'none'}, and this program wants {wanted}.",
                fix="Run citynode db upgrade first.",
            )

    def _refuse_newer(self, held: str) -> None:
        if held > (wanted := self.newest_revision()):
            raise Misconfigured(
                f"The tables are at revision {held}, and this program knows {wanted}.", fix="Install the newer program."
            )

    def scrub(self) -> None:
        """Overwrite in the files what transactions have removed; call it after an erasure was committed.

        SQLite zeroes removed rows at once, but its write-ahead log keeps their old pages until it is emptied;
        PostgreSQL keeps old row versions until a vacuum. Backups are out of reach.

        Raises:
            JournalBusy: A transaction that still sees the old state went on for 5 s. Safe to retry.
        """
        held = _Held(self._connect())
        try:
            results = [held.connection.execute(statement) for statement in _SCRUB[self.dialect]]
            left = results[-1].fetchone()[0] if self.dialect == "sqlite" else 0
        except Exception as error:
            raise translated(error) from error
        if left:
            raise JournalBusy("Somebody still reads what was removed.", fix="Try again.")

    def close(self) -> None:
        """Close every connection; the database may be used again afterwards."""
        self._hot.close()
        self._version_holder = None
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Iterator[Tx]:
        try:
            with engine.connect() as conn, conn.begin():
                tx = Tx(conn, self.dialect)
                yield tx
                tx.finish()
        except (sqlite3.Error, sa.exc.DBAPIError) as error:
            raise translated(error) from error

    def _engines(self) -> tuple[sa.Engine, sa.Engine]:
        if self.dialect == "sqlite":
            return self._sqlite_engine("BEGIN IMMEDIATE"), self._sqlite_engine("BEGIN", read_only=True)
        try:
            writer = sa.create_engine(self._url, pool_pre_ping=True, isolation_level="READ COMMITTED")
        except ModuleNotFoundError as error:
            raise Misconfigured("PostgreSQL needs psycopg.", fix="Run pip install 'citynode[postgres]'.") from error
        sa.event.listen(writer, "connect", _prepare_postgresql)
        reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return writer, reader

    def _sqlite_engine(self, begin: str, *, read_only: bool = False) -> sa.Engine:
        engine = sa.create_engine(self._url, creator=lambda: self._connect_sqlite(read_only=read_only))
        sa.event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
        return engine

    def _connect(self) -> Any:  # noqa: ANN401 - a connection of either driver
        if self.dialect == "sqlite":
            return self._connect_sqlite(read_only=True)
        import psycopg  # only nodes on PostgreSQL load it

        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            return psycopg.connect(url, autocommit=True, prepare_threshold=0)
        except psycopg.Error as error:
            raise translated(error) from error

    def _connect_sqlite(self, *, read_only: bool, more: Sequence[str] = ()) -> sqlite3.Connection:
        path = str(self._url.database)
        if not os.path.exists(path):  # noqa: PTH110 - measured: this runs on every new connection
            make_private(Path(path))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        try:
            for statement in (*_PRAGMAS, f"PRAGMA query_only={int(read_only)}", *more):
                connection.execute(statement)
        except sqlite3.Error as error:
            connection.close()
            raise translated(error) from error
        return connection


def _revision(tx: Tx) -> str:
    if not sa.inspect(tx.conn).has_table("alembic_version"):
        return ""
    found = tx.row("SELECT version_num FROM alembic_version")
    return str(found[0]) if found else ""


def make_private(path: Path) -> None:
    """Make an empty file of a database. Salts of restricted collections will lie in it: nobody else may read it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Misconfigured(f"The database {path} cannot be made: {error.strerror}.") from error


def _prepare_postgresql(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = {BUSY_MS}")
    connection.execute(_DURABLE)
    connection.autocommit = False


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise Misconfigured("The database URL cannot be read.", fix=_URL_HELP) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database and Path(parsed.database).is_absolute() and not parsed.query:
        return parsed
    raise Misconfigured(f"No database of this kind: {parsed.render_as_string()}.", fix=_URL_HELP)


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


_MARKS = re.compile(r"'[^']*'|[?%]")


@lru_cache(maxsize=2048)
def _psycopg_sql(sql: str) -> str:
    """Spell `?` as psycopg's `%s`; a quoted text keeps its question marks."""
    return _MARKS.sub(lambda m: "%s" if m.group() == "?" else m.group().replace("%", "%%"), sql)


def translated(error: Exception) -> Exception:
    """Give our error for one of a driver or of SQLAlchemy; what is no failure of the database comes back as it is."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return _from_sqlite(original)
    if type(original).__module__.partition(".")[0] == "psycopg":
        return _from_postgresql(original)
    return error


def _from_sqlite(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return JournalBusy("Another process holds the database.", fix="Try again.")
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return Unavailable(f"The database file cannot be used: {error}.", fix="Look at the disk and its free space.")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or "decode to UTF-8" in str(error):
        return Refuted(f"The database file is damaged: {error}.", fix="Restore a backup.")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return Conflict(f"The database holds something else there already: {error}.")
    return error


_BUSY_STATES = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure


def _from_postgresql(error: Exception) -> Exception:
    state: str = getattr(error, "sqlstate", None) or ""
    if state in _BUSY_STATES:
        return JournalBusy("Another process holds the database.", fix="Try again.")
    if state[:2] == "23":
        return Conflict(f"The database holds something else there already: {error}.")
    if state[:2] in {"08", "53", "57", "58"} or (not state and type(error).__name__ == "OperationalError"):
        return Unavailable(f"The database does not answer: {error}.", fix="Look at the PostgreSQL server.")
    return error
