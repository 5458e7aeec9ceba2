"""Cutting a journal back leaves what never having grown would have left; a mark keeps one that is behind as it is."""

import pytest

from node.db import Database
from node.errors import BrokenHistory, NotFound
from node.journal import behind, catch_up, epoch
from node.journal.behind import Behind
from node.journal.journal import Journals
from node.journal.verify import verify
from tests.journal.rig import NAME, Newest, put, salts, withdraw


def grow(journals: Journals, count: int, start: int = 0, seed: int = 0) -> None:
    with journals.db.write() as tx:
        drafts = [put(number, f"Title {number}") for number in range(start, start + count)]
        journals.append(tx, NAME, drafts, at_ms=2_000 + start, salts=salts(seed))


def stored(db: Database) -> list[list[tuple[object, ...]]]:
    tables = ("collection", "entry", "tile", "checkpoint")
    with db.read() as tx:
        return [tx.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables] + [  # noqa: S608
            tx.rows("SELECT digest FROM payload ORDER BY digest")
        ]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512])
def test_a_journal_that_was_cut_back_is_the_one_that_never_grew(journals: Journals, size: int):
    grow(journals, size)
    journals.checkpoint(NAME, at_ms=9_000)
    before = stored(journals.db)
    grow(journals, 600 - size, size, seed=1)
    journals.checkpoint(NAME, at_ms=9_001)
    with journals.db.write() as tx:
        cut = epoch.truncate(tx, journals, NAME, size, followers=())
    assert cut.size == size
    assert stored(journals.db) == before
    verify(journals, NAME, journals.public_keys())
    grow(journals, 3, 1_000, seed=2)
    journals.checkpoint(NAME, at_ms=9_002)
    assert verify(journals, NAME, journals.public_keys()).size == size + 3


def test_a_payload_that_is_left_somewhere_stays(journals: Journals):
    with journals.db.write() as tx:
        journals.append(tx, NAME, [put(1), put(2)], at_ms=2_000)
        journals.append(tx, NAME, [withdraw(1)], at_ms=2_001)
        (again,) = journals.append(tx, NAME, [put(1)], at_ms=2_002)
    with journals.db.write() as tx:
        epoch.truncate(tx, journals, NAME, 3, followers=())
        assert again.opening is not None
        assert journals.payloads(tx, [again.opening.digest])
    verify(journals, NAME, journals.public_keys())


def test_readings_begin_again(journals: Journals):
    newest = Newest()
    grow(journals, 5)
    catch_up(journals, newest)
    with journals.db.write() as tx:
        epoch.truncate(tx, journals, NAME, 2, followers=[newest])
    catch_up(journals, newest)
    assert newest.seen == [(NAME, 1), (NAME, 2)]
    assert len(newest.state[NAME]) == 2


def test_what_is_not_there_cannot_be_cut(journals: Journals):
    grow(journals, 2)
    for size in (-1, 3):
        with journals.db.write() as tx, pytest.raises(NotFound):
            epoch.truncate(tx, journals, NAME, size, followers=())


def test_a_mark_keeps_everyone_from_writing_and_the_largest_stays(journals: Journals):
    grow(journals, 2)
    with journals.db.write() as tx:
        behind.mark(tx, Behind(NAME, 9, "note", "london", 1))
        behind.mark(tx, Behind(NAME, 5, "older", "oslo", 2))
    for act in (lambda: grow(journals, 1, 7), lambda: journals.checkpoint(NAME, at_ms=1)):
        with pytest.raises(BrokenHistory, match="2 entries, but london holds 9"):
            act()
    with journals.db.write() as tx, pytest.raises(BrokenHistory):
        journals.erase(tx, NAME, 1, at_ms=1)
    with journals.db.write() as tx:
        behind.clear(tx, NAME)
    grow(journals, 1, 7)


def test_a_restore_holds_all_own_collections_back(journals: Journals):
    with journals.db.write() as tx:
        behind.mark_restored(tx, 77)
        assert behind.restored_ms(tx) == 77
    with pytest.raises(BrokenHistory, match="backup"):
        grow(journals, 1)
    with journals.db.write() as tx:
        behind.clear_restored(tx)
    grow(journals, 1)
