"""The database's door: transactions, hot reads, migrations, backup, on both databases where both can."""

# ruff: noqa: PT012, S608 - a whole transaction is what fails

import sqlite3
import stat
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from node.copies import backup, restore
from node.db import _SCRUB, Database, translated
from node.errors import Conflict, JournalBusy, Misconfigured, NotFound, Refused, Refuted, Unavailable
from tests.conftest_db import Server

PUT = "INSERT INTO setting (key, value) VALUES (?, ?)"
GET = "SELECT value FROM setting WHERE key = ?"


def test_what_a_write_transaction_did_is_there_when_it_ends(db: Database):
    with db.write() as tx:
        assert tx.run(PUT, "a", "1") == 1
        tx.many(PUT, [("b", "2"), ("c", "3")])
        tx.many(PUT, [])
    with db.read() as tx:
        assert tx.row(GET, "a") == ("1",)
        assert tx.rows("SELECT key FROM setting ORDER BY key") == [("a",), ("b",), ("c",)]
        assert tx.row(GET, "none") is None


def test_an_error_leaves_nothing_behind(db: Database):
    with pytest.raises(ZeroDivisionError), db.write() as tx:
        tx.run(PUT, "a", "1")
        _ = 1 / 0
    assert db.hot().rows("SELECT * FROM setting") == []


def test_a_taken_key_is_a_conflict(db: Database):
    with pytest.raises(Conflict), db.write() as tx:
        tx.many(PUT, [("a", "1"), ("a", "2")])


def test_a_read_transaction_sees_one_snapshot_and_cannot_write(db: Database):
    with db.read() as tx:
        assert tx.rows("SELECT * FROM setting") == []
        with db.write() as other:
            other.run(PUT, "a", "1")
        assert tx.rows("SELECT * FROM setting") == []
    with pytest.raises(Exception, match="read"), db.read() as tx:
        tx.run(PUT, "b", "1")


def test_question_marks_in_quoted_text_and_percent_signs_stay(db: Database):
    with db.read() as tx:
        assert tx.row("SELECT '?', 'a%b', ?", "x") == ("?", "a%b", "x")


def test_truth_values_and_bytes_come_back(db: Database):
    insert = (
        "INSERT INTO source (name, kind, location, collection, created_at, keep_contacts, paused)"
        " VALUES (?, 'ckan', 'http://x', 'open-data', 1, ?, FALSE)"
    )
    with db.write() as tx:
        tx.run(insert, "hri", True)
        tx.run("INSERT INTO dictionary VALUES (40000, 1, 100, ?, ?, ?)", b"", b"\x00\xff", b"")
    with db.read() as tx:
        assert tx.row("SELECT name FROM source WHERE keep_contacts AND NOT paused") == ("hri",)
        assert tx.row("SELECT digest, body FROM dictionary") == (b"\x00\xff", b"")


def test_ids_of_runs_are_given_and_never_again(db: Database):
    insert = "INSERT INTO run (source, state, dry) VALUES ('hri', 'queued', ?) RETURNING id"
    with db.write() as tx:
        first = tx.row(insert, False)
        tx.run("DELETE FROM run")
        second = tx.row(insert, True)
    assert first is not None
    assert second is not None
    assert second[0] > first[0]


def test_a_session_shares_the_transaction(db: Database):
    with pytest.raises(ZeroDivisionError), db.write() as tx:
        tx.session.execute(sa.text("INSERT INTO setting (key, value) VALUES ('a', '1')"))
        assert tx.row(GET, "a") == ("1",)
        _ = 1 / 0
    with db.write() as tx:
        assert tx.session.execute(sa.text("SELECT count(*) FROM setting")).scalar() == 0
        tx.session.execute(sa.text("INSERT INTO setting (key, value) VALUES ('b', '1')"))
    assert db.hot().row(GET, ("b",)) == ("1",)


def test_the_hot_reader_serves_threads_and_refuses_writes(db: Database):
    with db.write() as tx:
        tx.run(PUT, "a", "1")
    found = []
    threads = [threading.Thread(target=lambda: found.append(db.hot().row(GET, ("a",)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("1",)] * 8
    with pytest.raises(Exception, match="no_such_table"):
        db.hot().row("SELECT * FROM no_such_table")
    with pytest.raises(Exception, match="no_such_table"):
        db.hot().rows("SELECT * FROM no_such_table")
    with pytest.raises(Exception, match="no_such_table"), db.read() as tx:
        tx.rows("SELECT * FROM no_such_table")


def test_what_is_unwaited_is_written_at_once_and_waits_for_no_disk(tmp_path: Path):
    db = Database(f"sqlite:///{tmp_path / 'node.db'}")
    sql = db.unwaited("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
    assert sql.rows("INSERT INTO t VALUES (1) RETURNING n") == [(1,)]
    assert db.hot().rows("SELECT n FROM t") == [(1,)]
    normal, full = (1,), (2,)
    assert (sql.row("PRAGMA synchronous"), db.hot().row("PRAGMA synchronous")) == (normal, full)
    with db.write() as tx:
        assert tx.row("PRAGMA synchronous") == full
    sql.close()
    db.close()


def test_the_data_version_changes_with_every_commit_and_not_without(db: Database):
    before = db.data_version()
    assert db.data_version() == before
    seen = {before}
    for number in range(3):
        with db.write() as tx:
            tx.run(PUT, str(number), "")
        seen.add(db.data_version())
    assert len(seen) == 4


def test_upgrading_twice_is_upgrading_once(db: Database):
    assert db.revision() == db.newest_revision()
    db.upgrade()
    assert db.revision() == db.newest_revision()


def test_an_empty_database_has_no_revision(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    assert database.revision() == ""
    database.close()


def test_two_starts_at_once_migrate_once(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'node.db'}"
    databases = [Database(url) for _ in range(2)]
    failures = []

    def start(database: Database) -> None:
        try:
            database.upgrade()
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=start, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert databases[0].revision() == databases[0].newest_revision()
    for database in databases:
        database.close()


def test_a_second_writer_is_told_to_try_again(db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("node.db.BUSY_MS", 100)
    monkeypatch.setattr("node.db._PRAGMAS", ("PRAGMA busy_timeout=100",))
    other = Database(db._url.render_as_string(hide_password=False))
    with db.write() as tx:
        tx.lock("one")
        with pytest.raises(JournalBusy), other.write() as second:
            second.lock("one")
    other.close()


def test_sharers_of_a_lock_do_not_wait_for_each_other(db: Database):
    if db.dialect == "sqlite":
        pytest.skip("SQLite has one write lock and no sharers")
    with db.write() as tx, db.write() as other:
        tx.lock_shared("one")
        other.lock_shared("one")


def test_sqlite_is_durable_private_and_never_leaves_what_was_removed(tmp_path: Path):
    path = tmp_path / "node.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    with database.read() as tx:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)):
            assert tx.row(f"PRAGMA {pragma}") == (value,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with database.write() as tx:
        tx.run(PUT, "secret", "a-very-secret-text")
    with database.write() as tx:
        tx.run("DELETE FROM setting")
    database.scrub()
    assert not any(b"a-very-secret-text" in file.read_bytes() for file in tmp_path.iterdir())
    database.close()


def test_postgresql_scrubs_by_vacuum(db: Database):
    db.scrub()
    assert db.path is None or db.path.exists()


def test_what_is_still_read_cannot_be_scrubbed_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    database.upgrade()
    monkeypatch.setattr("node.db._PRAGMAS", ("PRAGMA busy_timeout=50",))
    with database.read() as tx:
        tx.rows("SELECT * FROM setting")
        with database.write() as other:
            other.run(PUT, "a", "1")
        with pytest.raises(JournalBusy):
            database.scrub()
    database.scrub()
    database.close()


@pytest.mark.postgres
def test_a_connection_that_broke_is_replaced(postgres: Server):
    database, killer = Database(postgres.url), Server(postgres.named("postgres"))
    for ask in (database.data_version, lambda: database.hot().row("SELECT 1"), lambda: database.hot().rows("SELECT 1")):
        ask()
        name = postgres.url.rsplit("/", 1)[1]
        killer.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with pytest.raises(Unavailable):
            ask()
        ask()
    database.close()


def test_a_file_that_is_no_database_is_refuted(tmp_path: Path):
    (tmp_path / "node.db").write_bytes(b"no database" * 1000)
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    for ask in (database.upgrade, database.data_version, database.scrub, lambda: database.hot().row("SELECT 1")):
        with pytest.raises(Refuted, match="damaged"):
            ask()
    database.close()


def test_a_scrub_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    monkeypatch.setitem(_SCRUB, "sqlite", ("INSERT INTO no_such_table VALUES (1)",))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.scrub()
    database.close()


def test_postgresql_without_its_driver_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match="psycopg"):
        Database("postgresql://localhost/none")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///node.db", "mysql://x/y", "nonsense", "sqlite:////a?mode=ro"])
def test_other_urls_stop_the_start(url: str):
    with pytest.raises(Misconfigured):
        Database(url)


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path):
    with pytest.raises(Misconfigured, match="cannot be made"):
        Database(f"sqlite:///{tmp_path / 'none' / 'node.db'}").upgrade()


def test_a_server_that_is_not_there_is_unavailable():
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    for ask in (database.upgrade, database.data_version, lambda: database.hot().row("SELECT 1"), database.scrub):
        with pytest.raises(Unavailable):
            ask()
    database.close()


def test_lower_errors_become_ours():
    class Fake(sqlite3.OperationalError):
        def __init__(self, code: int) -> None:
            super().__init__("fake")
            self.sqlite_errorcode = code

    assert isinstance(translated(Fake(sqlite3.SQLITE_FULL)), Unavailable)
    assert isinstance(translated(Fake(sqlite3.SQLITE_CORRUPT)), Refuted)
    assert isinstance(translated(Fake(sqlite3.SQLITE_BUSY_SNAPSHOT)), JournalBusy)
    plain = ValueError("not the database's")
    assert translated(plain) is plain


def test_a_backup_restores_to_the_same_data(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    database.upgrade()
    with database.write() as tx:
        tx.run(PUT, "a", "1")
        with pytest.raises(ZeroDivisionError), database.read():
            _ = 1 / 0
    backup(database, tmp_path / "backup.db")
    with database.write() as tx:
        tx.run(PUT, "later", "1")
    restore(tmp_path / "backup.db", tmp_path / "again.db")
    again = Database(f"sqlite:///{tmp_path / 'again.db'}")
    assert again.hot().rows("SELECT key FROM setting") == [("a",)]
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))
    for opened in (database, again):
        opened.close()


def test_a_backup_replaces_nothing_and_a_restore_takes_only_whole_nodes(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    database.upgrade()
    (tmp_path / "there").write_text("no database " * 1000)
    with pytest.raises(Conflict):
        backup(database, tmp_path / "there")
    with pytest.raises(NotFound):
        restore(tmp_path / "none", tmp_path / "to")
    with pytest.raises(Refuted):
        restore(tmp_path / "there", tmp_path / "to")
    sqlite3.connect(tmp_path / "other.db").close()
    (tmp_path / "other.db").touch()
    with pytest.raises(Refuted, match="not the database of a node"):
        restore(tmp_path / "other.db", tmp_path / "to")
    backup(database, tmp_path / "backup.db")
    damaged = bytearray((tmp_path / "backup.db").read_bytes())
    damaged[8192 * 4 : 8192 * 4 + 64] = b"\xee" * 64
    (tmp_path / "damaged.db").write_bytes(damaged)
    with pytest.raises(Refuted):
        restore(tmp_path / "damaged.db", tmp_path / "to")
    assert not (tmp_path / "to").exists()
    database.close()


@pytest.mark.postgres
def test_a_postgresql_node_is_backed_up_by_its_own_tool(tmp_path: Path):
    with pytest.raises(Refused, match="pg_dump"):
        backup(Database("postgresql://localhost/none"), tmp_path / "x")
