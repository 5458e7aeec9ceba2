"""Any one byte changed in the database is found, and the entry it belongs to is named."""

# ruff: noqa: PT012, S608 - rows are changed by raw SQL, as an intruder would

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from node.db import Database
from node.errors import NotFound, Refuted
from node.journal.journal import Journals
from node.journal.payloads import PayloadStore
from node.journal.reading import Reader
from node.journal.verify import verify
from tests.journal.rig import NAME, put, withdraw
from tests.journal.test_payloads import described

CHOICE = random.Random(4)
ENTRY = (
    "collection_id",
    "seq",
    "at",
    "commitment",
    "leaf",
    "op",
    "record",
    "record_key",
    "slug",
    "kind",
    "digest",
    "salt",
    "target",
)

pytestmark = pytest.mark.slow  # seconds in all
COLUMNS = {
    "entry": ENTRY,
    "payload": ("digest", "dictionary_id", "crc", "body"),
    "tile": ("collection_id", "level", "idx", "hash"),
    "checkpoint": ("collection_id", "size", "note", "signed_at", "crc"),
    "collection": ("iri", "title", "visibility", "created_at", "size", "root", "frontier", "last_at", "epoch", "crc"),
    "dictionary": ("id", "trained_at", "per_mille", "learnt_from", "digest", "body"),
}


def fill(journals: Journals) -> None:
    """Write 300 entries of every sort, with a dictionary, a tile, an erasure and three checkpoints."""
    from node.journal import Draft

    journals.checkpoint(NAME, at_ms=1)
    drafts = [Draft(f"http://x/{n}", f"s{n}", "dataset", "put", described(n)) for n in range(290)]
    for batch in ([put(1), put(2), put(1, "b"), withdraw(2)], drafts):
        with journals.db.write() as tx:
            journals.append(tx, NAME, batch, at_ms=2_000)
    journals.checkpoint(NAME, at_ms=2)
    with journals.db.write() as tx:
        journals.create(tx, name="second", iri="http://x/second", title="", visibility="public", at_ms=1)
        journals.erase(tx, NAME, 1, at_ms=3_000)
    journals.checkpoint(NAME, at_ms=3)


@pytest.fixture(scope="module")
def filled(migrated: Path, keyring, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "node.db"
    shutil.copy(migrated, path)
    journals = Journals(Database(f"sqlite:///{path}"), keyring)
    with journals.db.write() as tx:
        iri = "http://127.0.0.1:8001/collections/open-data"
        journals.create(tx, name=NAME, iri=iri, title="Open data", visibility="public", at_ms=1_000)
    fill(journals)
    journals.db.scrub()
    journals.db.close()
    return path


def changed(value: object, where: random.Random) -> object:
    """Change one byte: of the bytes, of the UTF-8, or of the number's eight bytes."""
    if isinstance(value, bytes | str):
        data = bytearray(value.encode() if isinstance(value, str) else value)
        data[where.randrange(len(data))] ^= where.randrange(1, 256)
        return bytes(data)
    assert isinstance(value, int)
    data = bytearray(value.to_bytes(8, "big", signed=True))
    data[where.randrange(8)] ^= where.randrange(1, 256)
    return int.from_bytes(data, "big", signed=True)


def flip(path: Path, table: str, column: str, where: random.Random) -> tuple[int | None, object, object]:
    """Change one byte of one column of one row by raw SQL; give the seq, if the table has one."""
    raw = sqlite3.connect(path)
    keys = {"entry": "collection_id, seq", "tile": "collection_id, level, idx"}.get(table, "rowid")
    sql = f"SELECT {keys}, {column} FROM {table} WHERE length({column}) > 0"
    rows = raw.execute(sql).fetchall()
    row = where.choice(rows)
    taken = {other[-1] for other in rows}  # a number may not become another row's
    value = next(v for v in iter(lambda: changed(row[-1], where), None) if v not in taken)
    place = "CAST(? AS TEXT)" if isinstance(row[-1], str) else "?"
    condition = " AND ".join(f"{key} = ?" for key in keys.split(", "))
    raw.execute("PRAGMA foreign_keys=OFF")
    raw.execute(f"UPDATE {table} SET {column} = {place} WHERE {condition}", (value, *row[:-1]))
    raw.commit()
    raw.close()
    return (row[1] if table == "entry" else None), row[-1], value


CASES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.mark.parametrize(("table", "column"), CASES)
def test_any_changed_byte_is_found_and_its_entry_named(filled: Path, keyring, tmp_path: Path, table: str, column: str):
    where = random.Random(f"{table}.{column}")
    for attempt in range(2):
        path = tmp_path / f"{attempt}.db"
        shutil.copy(filled, path)
        seq, old, new = flip(path, table, column, where)
        database = Database(f"sqlite:///{path}")
        with pytest.raises(Refuted) as refuted:
            for name in (NAME, "second"):
                verify(Reader(database), name, [keyring.public_key("checkpoint")])
        database.close()
        if seq is not None:
            # An entry that moved is named where it is missed.
            assert f"entry {seq}" in str(refuted.value), (old, new)
        if table in {"payload", "dictionary"}:
            assert "entry " in str(refuted.value)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), CASES)
def test_any_changed_byte_is_found_again_and_again(filled: Path, keyring, tmp_path: Path, table: str, column: str):
    where = random.Random(f"again {table}.{column}")
    for _ in range(60):
        path = tmp_path / "node.db"
        shutil.copy(filled, path)
        flip(path, table, column, where)
        database = Database(f"sqlite:///{path}")
        with pytest.raises(Refuted):
            for name in (NAME, "second"):
                verify(Reader(database), name, [keyring.public_key("checkpoint")])
        database.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET target = 0 WHERE seq = 5",
        "UPDATE entry SET digest = salt WHERE seq = 4",
        "UPDATE entry SET record = '' WHERE seq = 295",
        "UPDATE entry SET record_key = NULL WHERE seq = 5",
        "UPDATE payload SET dictionary_id = (SELECT id FROM dictionary) WHERE dictionary_id IS NULL",
        "UPDATE payload SET dictionary_id = NULL WHERE dictionary_id IS NOT NULL",
        "DELETE FROM entry WHERE seq = 295",
        "DELETE FROM entry WHERE seq = 7",
        "DELETE FROM tile",
        "DELETE FROM payload WHERE dictionary_id IS NULL",
        "INSERT INTO tile SELECT collection_id, 3, idx, hash FROM tile",
        "INSERT INTO entry SELECT collection_id, 296, at, commitment, leaf, op, record, record_key, slug, kind,"
        " digest, salt, target FROM entry WHERE seq = 6",
        "UPDATE entry SET salt = NULL WHERE seq = 6",
    ],
)
def test_rows_that_grew_shrank_or_vanished_are_found_on_both(journals: Journals, sql: str):
    fill(journals)
    verify(journals, NAME, [journals.public_key()])
    with journals.db.write() as tx:
        tx.run(sql)
    with pytest.raises(Refuted):
        verify(journals, NAME, [journals.public_key()])


def test_a_whole_journal_is_verified(journals: Journals):
    fill(journals)
    found = verify(journals, NAME, [journals.public_key()])
    assert (found.collection, found.size, found.erased, found.checkpoints) == (NAME, 295, 1, 3)
    assert found.payloads == 292
    assert verify(journals, "second", []).size == 0
    with pytest.raises(NotFound):
        verify(journals, "none", [])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE collection SET title = CAST(x'ff' AS TEXT) WHERE id = 1", "row of collection open-data"),
        ("UPDATE entry SET slug = CAST(x'ff' AS TEXT) WHERE seq = 17", "entry 17 cannot be read"),
        ("UPDATE entry SET slug = x'ff' WHERE seq = 18", "entry 18 is damaged"),
        ("UPDATE checkpoint SET note = CAST(x'ff' AS TEXT) WHERE size = 294", "checkpoint of size 294"),
    ],
)
def test_what_cannot_even_be_read_is_named(filled: Path, keyring, tmp_path: Path, sql: str, words: str):
    shutil.copy(filled, tmp_path / "node.db")
    database = Database(f"sqlite:///{tmp_path / 'node.db'}")
    with database.write() as tx:
        tx.run(sql)
    with pytest.raises(Refuted, match=words):
        verify(Reader(database), NAME, [keyring.public_key("checkpoint")])
    database.close()


def test_checkpoints_of_another_key_are_refuted(journals: Journals):
    fill(journals)
    with pytest.raises(Refuted, match="No key"):
        verify(journals, NAME, [])


def rewritten(journals: Journals, sql: str, *params: object) -> str:
    """Change rows and mend every checksum, as somebody would who holds the database but not the key."""
    from node.journal import collection as collections

    with journals.db.write() as tx:
        tx.run(sql, *params)
        collections.save(tx, collections.load(tx, NAME))
        for row in tx.rows("SELECT collection_id, size, note, signed_at FROM checkpoint"):
            tx.run("UPDATE checkpoint SET crc = ? WHERE size = ?", collections.checkpoint_checksum(*row), row[1])
    with pytest.raises(Refuted) as refuted:
        verify(journals, NAME, [journals.public_key()])
    return str(refuted.value)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE checkpoint SET size = 7 WHERE size = 294", "another tree"),
        ("UPDATE collection SET size = 200 WHERE name = 'open-data'", "were signed"),
        ("UPDATE collection SET size = 400 WHERE name = 'open-data'", "entry 296 is missing"),
        ("UPDATE collection SET last_at = 1 WHERE name = 'open-data'", "head"),
        ("UPDATE collection SET iri = 'http://x/c' WHERE name = 'open-data'", "checkpoint"),
        ("DELETE FROM tile", "entries 1 to 256"),
    ],
)
def test_a_consistent_looking_change_is_refuted(journals: Journals, sql: str, words: str):
    fill(journals)
    assert words in rewritten(journals, sql)


def resigned(journals: Journals, size: int, root: bytes) -> None:
    from node.journal import collection as collections
    from node.journal import note

    origin = "127.0.0.1:8001/collections/open-data"
    checkpoint = note.Checkpoint(origin, size, root)
    text = note.signed(checkpoint, journals.public_key(), journals._sign)
    with journals.db.write() as tx:
        crc = collections.checkpoint_checksum(1, size, text, 1)
        tx.run("DELETE FROM checkpoint WHERE size = ?", size)
        tx.run("INSERT INTO checkpoint VALUES (1, ?, ?, 1, ?)", size, text, crc)


@pytest.mark.parametrize(("size", "words"), [(0, "empty tree"), (100, "first 100 entries")])
def test_a_signed_root_that_the_entries_do_not_have_is_refuted(journals: Journals, size: int, words: str):
    fill(journals)
    resigned(journals, size, b"\x05" * 32)
    with pytest.raises(Refuted, match=words):
        verify(journals, NAME, [journals.public_key()])


def test_an_entry_that_is_older_than_the_one_before_it_is_refuted(journals: Journals, monkeypatch: pytest.MonkeyPatch):
    with journals.db.write() as tx:
        journals.append(tx, NAME, [put(1)], at_ms=5_000)
    monkeypatch.setattr("node.journal.journal.max", lambda now, last: now, raising=False)
    with journals.db.write() as tx:
        journals.append(tx, NAME, [put(2)], at_ms=4_000)
    with pytest.raises(Refuted, match="entry 2: its time"):
        verify(journals, NAME, [])


def test_one_entry_is_erased_at_most_once(journals: Journals, monkeypatch: pytest.MonkeyPatch):
    with journals.db.write() as tx:
        journals.append(tx, NAME, [put(1), put(1, "b")], at_ms=1)
        journals.erase(tx, NAME, 1, at_ms=1)
    monkeypatch.setattr("node.journal.journal.blank", lambda *_: None)
    with journals.db.write() as tx:
        journals.erase(tx, NAME, 1, at_ms=1)
    with pytest.raises(Refuted, match="entry 4 erases entry 1 a second time"):
        verify(journals, NAME, [])


def test_verification_believes_no_cache(journals: Journals):
    fill(journals)
    with journals.db.read() as tx:
        assert journals.payloads(
            tx, [e.opening.digest for e in journals.entries(tx, NAME, after=4) if e.opening and e.opening.digest]
        )
    with journals.db.write() as tx:
        tx.run("UPDATE dictionary SET trained_at = 7")
    with pytest.raises(Refuted, match="payload"):
        verify(journals, NAME, [journals.public_key()])
    assert isinstance(journals.store, PayloadStore)
