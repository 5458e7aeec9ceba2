"""Payloads come back bit for bit, small at rest, whatever dictionary they were written with."""

# ruff: noqa: PT012 - a whole transaction is what fails

import random
from pathlib import Path

import pytest
import zstandard

from node.db import Database
from node.errors import NotFound, Refuted
from node.journal import Draft
from node.journal.entry import digest_text
from node.journal.journal import Journals
from node.journal.payloads import PayloadStore
from node.journal.verify import verify
from node.records import digest_of
from tests.journal.rig import NAME, iri_of

WORDS = [f"http://publications.europa.eu/resource/authority/{n:x}" for n in range(1000, 1400)]


def described(number: int) -> bytes:
    choice = random.Random(number)
    lines = [f'<{iri_of(number)}> <{choice.choice(WORDS)}> "{choice.choice(WORDS)}"@fi .' for _ in range(20)]
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def append(journals: Journals, payloads: list[bytes]) -> None:
    drafts = [Draft(digest_of(p), f"s{n}", "dataset", "put", p) for n, p in enumerate(payloads)]
    with journals.db.write() as tx:
        journals.append(tx, NAME, drafts, at_ms=1)


def test_payloads_come_back_before_and_after_training(journals: Journals):
    payloads = [described(n) for n in range(450)] + [b"", b"\x00" * 1000, random.Random(1).randbytes(5000)]
    append(journals, payloads[:40])
    append(journals, payloads[40:430])
    append(journals, payloads[430:])
    with journals.db.read() as tx:
        found = PayloadStore(journals.db).read(tx, map(digest_of, payloads))
        assert tx.row("SELECT count(*) FROM dictionary") == (1,)
        assert tx.row("SELECT count(*) FROM payload WHERE dictionary_id IS NULL") == (40,)
    assert found == {digest_of(p): p for p in payloads}
    assert PayloadStore(journals.db).some(map(digest_of, payloads)) == found
    assert all(journals.store.one(digest_of(p)) == p for p in payloads)


def test_a_dictionary_makes_small_payloads_much_smaller(journals: Journals):
    payloads = [described(n) for n in range(700)]
    append(journals, payloads[:40])
    append(journals, payloads[40:])
    sql = "SELECT sum(length(body)) / count(*) FROM payload WHERE dictionary_id IS "
    with journals.db.read() as tx:
        plain, trained = tx.row(sql + "NULL"), tx.row(sql + "NOT NULL")
    assert plain
    assert trained
    assert trained[0] < plain[0] * 0.75


def foreign(number: int) -> bytes:
    """Describe something in the words of another portal."""
    choice = random.Random(-number)
    return "".join(
        f'<urn:x:{number}> <urn:y:{n}> "{choice.choice(WORDS)[::-1] * 3}"@nl .\n' for n in range(20)
    ).encode()


def dictionaries(journals: Journals) -> int:
    with journals.db.read() as tx:
        row = tx.row("SELECT count(*) FROM dictionary")
    return int(row[0]) if row else -1


def test_a_portal_of_another_kind_gets_a_dictionary_of_its_own_and_none_a_second(journals: Journals):
    append(journals, [described(n) for n in range(300)])
    assert dictionaries(journals) == 1
    append(journals, [foreign(n) for n in range(1, 300)])
    assert dictionaries(journals) == 2
    append(journals, [described(n) for n in range(300, 600)])
    append(journals, [foreign(n) for n in range(300, 600)])
    append(journals, [foreign(1000)])
    assert dictionaries(journals) == 2
    wanted = [described(n) for n in range(600)] + [foreign(n) for n in range(1, 600)] + [foreign(1000)]
    assert PayloadStore(journals.db).some(map(digest_of, wanted)) == {digest_of(p): p for p in wanted}
    verify(journals, NAME, [])


def test_a_dictionary_goes_with_an_erased_payload_that_it_learnt_from(journals: Journals):
    # In place 1, since one sample in four is held back to try the dictionary on.
    secret = b'<http://x/1> <urn:y> "Matti Meikalainen, Mannerheimintie 1" .\n' * 30
    others = [described(n) for n in range(150)]
    append(journals, [others[0], secret, *others[1:]])
    record = digest_of(secret)
    with journals.db.write() as tx:
        ((number, body),) = tx.rows("SELECT id, body FROM dictionary")
        assert b"Meikalainen" in body
        journals.append(tx, NAME, [Draft(record, "s1", "dataset", "put", b"clean")], at_ms=1)
        journals.erase(tx, NAME, 2, at_ms=2)
    with journals.db.read() as tx:
        assert all(b"Meikalainen" not in row[0] for row in tx.rows("SELECT body FROM dictionary"))
        assert tx.row("SELECT count(*) FROM dictionary WHERE id = ?", number) == (0,)
    assert PayloadStore(journals.db).some(map(digest_of, others)) == {digest_of(p): p for p in others}
    verify(journals, NAME, [])
    with pytest.raises(NotFound):
        journals.store.one(digest_of(secret))


def test_a_dictionary_stays_when_it_learnt_nothing_of_what_is_erased(journals: Journals):
    append(journals, [described(n) for n in range(150)])
    append(journals, [b"later"])
    with journals.db.write() as tx:
        before = tx.rows("SELECT id FROM dictionary")
        journals.append(tx, NAME, [Draft(digest_of(b"later"), "s0", "dataset", "withdraw")], at_ms=1)
        journals.erase(tx, NAME, 151, at_ms=2)
        assert tx.rows("SELECT id FROM dictionary") == before


@pytest.mark.parametrize("padding", [b"", b"\x00" * 100], ids=["too-little", "too-much-alike"])
def test_what_teaches_nothing_is_kept_plain(journals: Journals, monkeypatch: pytest.MonkeyPatch, padding: bytes):
    def refuses(*_: object, **__: object) -> None:
        raise zstandard.ZstdError("cannot train dict: Src size is incorrect")

    monkeypatch.setattr(zstandard, "train_dictionary", refuses)
    append(journals, [bytes([n]) + padding for n in range(250)])
    with journals.db.read() as tx:
        assert tx.row("SELECT count(*) FROM dictionary") == (0,)
        kept = b"\x05" + padding
        assert journals.payloads(tx, [digest_of(kept)]) == {digest_of(kept): kept}


def test_a_dictionary_of_a_transaction_that_failed_is_gone(journals: Journals):
    drafts = [Draft(iri_of(n), f"s{n}", "dataset", "put", described(n)) for n in range(300)]
    with pytest.raises(ZeroDivisionError), journals.db.write() as tx:
        journals.append(tx, NAME, drafts, at_ms=1)
        _ = 1 / 0
    append(journals, [described(n) for n in range(1000, 1300)])
    assert PayloadStore(journals.db).one(digest_of(described(1234))) == described(1234)


def test_a_payload_that_is_not_here_is_missing_or_not_found(journals: Journals):
    digest = digest_text(b"\x01" * 32)
    with journals.db.read() as tx:
        assert journals.payloads(tx, [digest]) == {}
    with pytest.raises(NotFound):
        journals.store.one(digest)


def test_damage_is_refuted_when_it_is_read(db: Database, journals: Journals):
    append(journals, [described(n) for n in range(300)])
    append(journals, [b"plain"])
    with db.write() as tx:
        tx.run("UPDATE payload SET body = ?", b"\x28\xb5\x2f\xfd nonsense")
    with pytest.raises(Refuted, match="payload"):
        PayloadStore(db).one(digest_of(b"plain"))
    with db.write() as tx:
        tx.run("UPDATE dictionary SET body = ?", b"other")
    for store, digest in ((PayloadStore(db), digest_of(described(7))),):
        with pytest.raises(Refuted, match="dictionary"):
            store.one(digest)


def test_training_is_bounded(journals: Journals, tmp_path: Path):
    big = [described(n) * 10 for n in range(400)]
    append(journals, big)
    with journals.db.read() as tx:
        row = tx.row("SELECT max(length(body)) FROM dictionary")
    assert row
    assert 0 < row[0] <= 110 * 1024
