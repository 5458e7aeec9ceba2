"""Whole copies of a node's database, and back: one file each, complete or not there.

SQLite's own backup is used, so a copy may be taken while the node runs. Nothing here knows a table but the one that
every node's database has. Imports only `db`, `errors`, and of `keys` how a file is brought to the disk.
"""

import os
import sqlite3
from pathlib import Path

from node.db import Database, make_private, translated
from node.errors import Conflict, NotFound, Refused, Refuted
from node.keys.files import sync


def backup(db: Database, to: Path) -> None:
    """Copy the whole database into a new file, while it is in use; the file appears complete or not at all.

    Raises:
        Refused: The database is PostgreSQL, or `to` exists.
    """
    if db.path is None:
        raise Refused("This node is on PostgreSQL.", fix="Take the backup with pg_dump.")
    _copied(db.path, to)


def restore(file: Path, to: Path) -> None:
    """Copy a backup to the place of a database that does not exist yet, after checking that it is whole.

    Raises:
        NotFound: There is no such backup.
        Refuted: The backup is damaged, or is no database of a node.
        Conflict: `to` exists.
    """
    _copied(file, to)


def _copied(source: Path, to: Path) -> None:
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    if to.exists():
        raise Conflict(f"{to} exists already.", fix="Name another file, or move it away.")
    draft = to.with_name(to.name + ".part")
    draft.unlink(missing_ok=True)
    make_private(draft)
    try:
        _copy(source, draft)
        os.link(draft, to)  # unlike a rename this never replaces a file that appeared meanwhile
    except sqlite3.Error as error:
        raise translated(error) from error
    finally:
        draft.unlink(missing_ok=True)
    sync(to.parent)


def _copy(source: Path, to: Path) -> None:
    origin, copy = sqlite3.connect(source), sqlite3.connect(to)
    try:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it to forget
        _check_whole(copy, source)
    finally:
        copy.close()
        origin.close()
    sync(to)


def _check_whole(copy: sqlite3.Connection, source: Path) -> None:
    found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise Refuted(f"{source} is damaged: {found}.", fix="Take another backup.")
    if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        raise Refuted(f"{source} is not the database of a node.")
