"""Erasure destroys everything but the entry, never breaks the tree and never changes a record's state."""

# ruff: noqa: S608 - columns are named once

from pathlib import Path

import pytest

from node.errors import Conflict, NotFound, Refuted
from node.journal import catch_up, rebuild, tree
from node.journal.entry import key_of
from node.journal.journal import Journals
from node.journal.verify import verify
from node.records import digest_of
from tests.journal.rig import NAME, Newest, iri_of, payload_of, put, withdraw

PERSON = "Maija Meikalainen 040 1234567"


def append(journals: Journals, *drafts):
    with journals.db.write() as tx:
        return journals.append(tx, NAME, drafts, at_ms=2_000)


def erase(journals: Journals, seq: int):
    with journals.db.write() as tx:
        return journals.erase(tx, NAME, seq, at_ms=3_000)


def test_an_erased_entry_keeps_its_place_and_nothing_else(journals: Journals):
    entries = append(journals, put(1, PERSON), put(1, "Clean"))
    before = [entry.leaf() for entry in entries]
    said = erase(journals, 1)
    assert said.opening is not None
    assert (said.opening.op, said.opening.target, said.seq) == ("erase", 1, 3)
    with journals.db.read() as tx:
        held = journals.entries(tx, NAME)
        assert held[0].opening is None
        assert [entry.leaf() for entry in held] == [*before, said.leaf()]
        assert journals.payloads(tx, [digest_of(payload_of(iri_of(1), PERSON))]) == {}
        row = tx.row("SELECT op, record, record_key, slug, kind, digest, salt, target FROM entry WHERE seq = 1")
        assert row == (None,) * 8
        proof = journals.inclusion(tx, NAME, 1, 3)
        assert tree.verify_inclusion(before[0], 0, 3, proof, journals.get(tx, NAME).root)
    assert verify(journals, NAME, []).erased == 1


def test_nothing_of_it_is_left_in_the_files(journals: Journals):
    if journals.db.path is None:
        pytest.skip("the files of PostgreSQL are its own; a vacuum is all we can ask for")
    (entry, _) = append(journals, put(1, PERSON), put(1, "Clean"))
    assert entry.opening
    folder = Path(journals.db.path).parent
    assert any(entry.opening.salt in file.read_bytes() for file in folder.glob("node.db*"))
    erase(journals, 1)
    journals.db.scrub()
    for file in folder.glob("node.db*"):
        assert entry.opening.salt not in file.read_bytes()
        assert bytes.fromhex(entry.opening.digest[7:]) not in file.read_bytes()


def test_what_a_record_stands_on_is_not_erased(journals: Journals):
    append(journals, put(1), put(2), withdraw(2))
    for seq in (1, 3):
        with pytest.raises(Conflict, match="stands on"):
            erase(journals, seq)
    erase(journals, 2)
    erase(journals, 3)
    with journals.db.read() as tx:
        assert journals.newest(tx, NAME, iri_of(2)) is None
        assert tx.row("SELECT count(*) FROM entry WHERE record_key = ?", key_of(iri_of(2))) == (0,)
    assert append(journals, withdraw(2)) == []
    verify(journals, NAME, [])


def test_an_erasure_happens_once_and_is_not_erased(journals: Journals):
    append(journals, put(1), put(1, "b"))
    erase(journals, 1)
    for seq in (1, 3):
        with pytest.raises(Conflict):
            erase(journals, seq)
    with pytest.raises(NotFound):
        erase(journals, 9)
    verify(journals, NAME, [])


def test_a_payload_that_another_entry_holds_stays(journals: Journals):
    with journals.db.write() as tx:
        journals.create(tx, name="other", iri="http://x/other", title="", visibility="public", at_ms=1)
        journals.append(tx, "other", [put(1)], at_ms=1)
    append(journals, put(1), put(1, "b"))
    erase(journals, 1)
    with journals.db.read() as tx:
        assert len(journals.payloads(tx, [digest_of(payload_of(iri_of(1), "A title"))])) == 1
    for name in (NAME, "other"):
        verify(journals, name, [])


def test_a_follower_that_lived_through_it_equals_one_rebuilt(journals: Journals):
    lived = Newest()
    append(journals, put(1, PERSON), put(2), put(1, "Clean"), withdraw(2))
    catch_up(journals, lived)
    erase(journals, 1)
    erase(journals, 2)
    erase(journals, 4)
    catch_up(journals, lived)
    state = lived.state
    assert rebuild(journals, lived) == 7
    assert lived.state == state == {NAME: {iri_of(1): payload_of(iri_of(1), "Clean")}}


def test_a_loss_that_no_entry_announces_is_refuted(journals: Journals):
    append(journals, put(1), put(1, "b"), put(2))
    erase(journals, 1)
    everything = "op = NULL, record = NULL, record_key = NULL, slug = NULL, kind = NULL, digest = NULL, salt = NULL"
    with journals.db.write() as tx:
        tx.run(f"UPDATE entry SET {everything} WHERE seq = 3")
    with pytest.raises(Refuted, match="entry 3 has lost its opening"):
        verify(journals, NAME, [])


def test_an_announced_erasure_that_was_undone_is_refuted(journals: Journals):
    append(journals, put(1), put(1, "b"))
    with journals.db.read() as tx:
        columns = "op, record, record_key, slug, kind, digest, salt"
        row = tx.row(f"SELECT {columns} FROM entry WHERE seq = 1")
        assert row is not None
    kept = payload_of(iri_of(1), "A title")
    erase(journals, 1)
    with journals.db.write() as tx:
        tx.run("UPDATE entry SET record_key = 7 WHERE seq = 1")
    with pytest.raises(Refuted, match="entry 1: a part of its erased opening is left"):
        verify(journals, NAME, [])
    with journals.db.write() as tx:
        names = columns.replace(",", " = ?,") + " = ?"
        tx.run(f"UPDATE entry SET {names} WHERE seq = 1", *row)
        journals.store.write(tx, {row[5]: kept}, at_ms=1)
    with pytest.raises(Refuted, match="entry 1 should be erased"):
        verify(journals, NAME, [])
