"""Laws of who is told of whom: of those whose rows may have gone, for the purpose they went for, and of nobody else."""

import zlib
from dataclasses import replace

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from node.db import Database
from node.errors import Malformed
from node.federation.consent.post import Answered, read_told
from node.federation.consent.records import Asked
from node.federation.consent.sources import write_withdrawal
from node.federation.consent.store import ConsentRead, ConsentStore, salted_key
from node.federation.consent.went import Went, places_of
from node.federation.policy.terms import DPV
from node.migrations.versions import r0009_consent
from tests.federation.consent.withdrawal_rig import AGREEMENT, DATASET, HEAD, HELSINKI, LONDON, RESEARCH, Rig, bytes_of

PLANNING = DPV + "PublicPolicyMaking"


def of(rig: Rig, purpose: str = RESEARCH) -> ConsentRead:
    return next(each for each in rig.store.reads() if each.purpose == purpose)


def withdraw(rig: Rig, subject: str, purpose: str) -> None:
    rig.now_ms += 1_000
    write_withdrawal(rig.store.source("residents"), subject, Asked("", purpose, ""), rig.now_ms)


def test_a_city_is_not_told_of_somebody_whose_row_was_never_let_through(rig: Rig) -> None:
    rig.withdraw("r-4711")  # who never agreed, and whose key could be guessed
    assert (rig.watch(), rig.deliver(), rig.stated) == (0, [], [])
    rig.agree("r-4711")
    rig.withdraw("r-4711")
    assert rig.watch() == 0, "agreed and withdrew, and nobody read in between"
    rig.agree("r-4711")
    rig.read()
    rig.withdraw("r-4711")
    assert rig.watch() == 1


def test_whose_row_went_is_known_though_the_source_shows_nothing_of_their_yes_any_more(rig: Rig) -> None:
    rig.now_ms += 1_000
    rig.file.write_text(HEAD)
    rig.withdraw("r-2")
    assert rig.watch() == 1


def test_who_agrees_later_is_known_once_their_row_may_have_gone(rig: Rig) -> None:
    rig.agree("r-9")
    rig.read()
    rig.read()
    rig.withdraw("r-9")
    assert rig.watch() == 1


def test_of_reads_of_which_nothing_was_noted_everybody_may_have_gone(rig: Rig) -> None:
    with rig.db.write() as tx:
        tx.run("DELETE FROM consent_went")
    rig.withdraw("r-2", "r-8")
    assert rig.watch() == 2


def test_of_reads_that_began_before_anything_was_noted_everybody_may_have_gone_for_good(db: Database) -> None:
    read = ConsentRead(AGREEMENT, DATASET, LONDON, RESEARCH, "residents", "ab" * 16, 1)
    with db.write() as tx:
        tx.run("DROP TABLE consent_went")
        tx.run("ALTER TABLE withdrawal DROP COLUMN purpose")
        ConsentStore(db).begin(tx, read)
        with Operations.context(MigrationContext.configure(tx.conn)):
            r0009_consent.upgrade()
    went = Went(db)
    went.mark(read, {"r-1"})
    with db.read() as tx:
        assert went.among(tx, read, {"r-1", "r-2"}) == {"r-1", "r-2"}
        assert went.among(tx, replace(read, purpose=PLANNING), {"r-2"}) == {"r-2"}, "nothing was noted of it at all"
    went.mark(replace(read, purpose=PLANNING), {"r-1"})
    with db.read() as tx:
        assert went.among(tx, replace(read, purpose=PLANNING), {"r-1", "r-2"}) == {"r-1"}


def test_what_is_kept_of_who_went_names_nobody_and_nobody_else_can_tell(rig: Rig) -> None:
    read = of(rig)
    (row,) = rig.db.hot().rows("SELECT * FROM consent_went")
    assert "r-2" not in str(row)
    field = zlib.decompress(bytes(row[4]))
    marked = {at * 8 + bit for at, byte in enumerate(field) if byte for bit in range(8) if byte & 1 << bit}
    assert marked == set(places_of(read, ("r-1", "r-2", "r-3")).values())
    assert len(row[4]) < 10_000, "few are little to keep"


def test_a_second_process_adds_to_what_the_first_has_marked(rig: Rig) -> None:
    other = Rig(rig.db, rig.file, now_ms=rig.now_ms)
    rig.agree("r-9")
    other.now_ms = rig.now_ms
    other.read()
    rig.agree("r-10")
    rig.read()
    with rig.db.read() as tx:
        everybody = {"r-1", "r-2", "r-3", "r-9", "r-10", "r-11"}
        assert rig.noticed.went.among(tx, of(rig), everybody) == everybody - {"r-11"}


def test_each_purpose_is_told_by_itself_and_what_is_held_for_another_may_stay(rig: Rig) -> None:
    rig.agree("r-1", "r-2", purpose="PublicPolicyMaking")
    rig.read(purpose=PLANNING)
    withdraw(rig, "r-2", RESEARCH)
    assert rig.watch() == 1
    said = rig.told()
    assert (said["purpose"], read_told(bytes_of(said)).purpose) == (RESEARCH, RESEARCH)
    assert [about["purpose"] for _, _, about in rig.stated] == [RESEARCH]
    rig.withdraw("r-2")  # for all there are
    assert (rig.watch(), rig.watch()) == (1, 0)
    again = rig.told()
    assert again["purpose"] == PLANNING
    assert again["salt"] == said["salt"], "a file is looked through once for both"
    assert again["withdrawals"][0]["key"] == said["withdrawals"][0]["key"] == salted_key(said["salt"], "r-2")


def test_who_holds_rows_for_one_purpose_alone_is_told_of_that_alone(rig: Rig) -> None:
    rig.agree("r-2", purpose="PublicPolicyMaking")
    withdraw(rig, "r-2", PLANNING)
    assert rig.watch() == 0
    rig.withdraw("r-2")
    assert rig.watch() == 1
    assert [each.purpose for each in rig.store.each("out")] == [RESEARCH]


def test_each_purpose_is_reminded_and_answered_by_itself(rig: Rig) -> None:
    rig.agree("r-2", purpose="PublicPolicyMaking")
    rig.read(purpose=PLANNING)
    rig.withdraw("r-2")
    assert rig.watch() == 2
    assert {said["purpose"] for _, said in rig.deliver()} == {RESEARCH, PLANNING}
    first, second = rig.store.each("out")
    rig.withdrawals.hear(LONDON, Answered("erased", [first.id]))
    rig.now_ms += 90_000_000
    assert rig.withdrawals.remind(rig.now_ms) == 1
    assert rig.told()["purpose"] == second.purpose


def test_a_message_that_names_no_purpose_means_all_of_them(rig: Rig) -> None:
    salt = "ab" * 16
    keys = [{"id": f"{n:032x}", "key": salted_key(salt, "r-1"), "at": "2026-11-22T10:00:00.000Z"} for n in range(2)]
    said = {"agreement": AGREEMENT, "dataset": DATASET, "algorithm": "HMAC-SHA-256", "salt": salt}
    for purpose, key in (({}, keys[0]), ({"purpose": PLANNING}, keys[1])):
        rig.acknowledgements.hear(HELSINKI, read_told(bytes_of({**said, **purpose, "withdrawals": [key]})))
    assert [each.purpose for each in rig.heard_of()] == ["", PLANNING]
    file = rig.file.with_name("held.csv")
    file.write_text("subject\nr-2\nr-1\n")
    found = list(rig.acknowledgements.match(file, "subject"))
    assert {(each.row, each.withdrawal) for each in found} == {(2, each.id) for each in rig.heard_of()}


@pytest.mark.parametrize("purpose", [None, 0, 7, [], "planning", "https://x.example/\n", "https://" + "x" * 2_001])
def test_a_purpose_that_is_no_address_is_refused(rig: Rig, purpose: object) -> None:
    key = {"id": "0" * 32, "key": "0" * 64, "at": "2026-11-22T10:00:00.000Z"}
    said = {"agreement": AGREEMENT, "dataset": DATASET, "algorithm": "HMAC-SHA-256", "salt": "ab" * 16}
    with pytest.raises(Malformed):
        read_told(bytes_of({**said, "purpose": purpose, "withdrawals": [key]}))
