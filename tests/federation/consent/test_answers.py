"""Laws of answers that were not taken: they are known as such, told again, and told no more once they were taken."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from node.db import Database
from node.errors import Conflict, NotFound
from node.federation.consent.post import our_id, read_answer
from node.federation.consent.store import ConsentStore, Withdrawal
from node.federation.consent.withdrawals import DAY_MS
from node.federation.dialogues.outgoing import GIVE_UP_MS, KEEP_MS, Outbox
from node.migrations.versions import r0012_taken_answers
from tests.federation.consent.withdrawal_rig import GHENT, HELSINKI, LONDON, Rig, bytes_of, heard


def untold(rig: Rig) -> int:
    return sum(each.count for each in rig.store.untold(rig.now_ms))


def refused(rig: Rig) -> None:
    """Let what is sent now be refused for good."""
    rig.wire.deaf = True
    assert rig.withdrawals.round(rig.now_ms) == 0
    rig.wire.deaf = False


def one(rig: Rig) -> Withdrawal:
    heard(rig, "r-1")
    (held,) = rig.heard_of()
    return held


def test_an_answer_that_was_taken_is_told_no_more(rig: Rig) -> None:
    held = one(rig)
    rig.acknowledgements.answer([], "acknowledged", by="ada")
    assert untold(rig) == 1
    assert rig.acknowledgements.tell_again() == [], "it waits already"
    assert len(rig.deliver()) == 1
    assert untold(rig) == 0
    assert rig.acknowledgements.tell_again([held.id]) == []
    assert rig.acknowledgements.tell_again() == []
    rig.acknowledgements.answer([], "erased", by="ada")
    assert untold(rig) == 1, "of what was said since nothing was taken"
    assert len(rig.deliver()) == 1
    assert untold(rig) == 0


def test_an_answer_that_was_refused_for_good_is_sent_again_with_what_was_signed(rig: Rig) -> None:
    held = one(rig)
    rig.acknowledgements.answer([], "erased", by="ada")
    refused(rig)
    assert rig.deliver() == []
    assert untold(rig) == 1
    (again,) = rig.acknowledgements.tell_again()
    assert again.id == held.id
    assert rig.acknowledgements.tell_again() == [], "saying so twice sends it once"
    ((what, said),) = rig.deliver()
    assert what == "erasure"
    answer = read_answer(bytes_of(said))
    assert (answer.state, [our_id(HELSINKI, each) for each in answer.ids]) == ("erased", [held.id])
    (statement,) = [said for kind, _, said in rig.stated if kind == "erasure"]
    assert [each.text for each in answer.words] == [bytes_of(dict(sorted(statement.items()))).decode()]
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal", "erasure"], "nothing is stated anew"


def test_what_was_not_taken_for_a_week_is_known_when_the_message_is_long_forgotten(rig: Rig) -> None:
    one(rig)
    rig.acknowledgements.answer([], "acknowledged", by="ada")
    rig.wire.away = True
    rig.now_ms += GIVE_UP_MS
    rig.withdrawals.round(rig.now_ms)
    rig.now_ms += KEEP_MS + DAY_MS
    assert Outbox(rig.db, chance=lambda: 0.5).forget(rig.now_ms) == 1
    rig.wire.away = False
    assert untold(rig) == 1
    assert rig.acknowledgements.remind(rig.now_ms) == 1
    assert len(rig.deliver()) == 1
    assert (untold(rig), rig.acknowledgements.remind(rig.now_ms)) == (0, 0)


def test_what_is_refused_is_told_again_once_a_day_by_itself(rig: Rig) -> None:
    one(rig)
    rig.acknowledgements.answer([], "acknowledged", by="ada")
    refused(rig)
    assert rig.acknowledgements.remind(rig.now_ms) == 0, "it was told just now"
    rig.now_ms += DAY_MS
    assert rig.acknowledgements.remind(rig.now_ms) == 1
    assert rig.acknowledgements.remind(rig.now_ms) == 0, "it waits"
    refused(rig)
    assert rig.acknowledgements.remind(rig.now_ms + DAY_MS) == 1


def test_each_is_told_again_as_it_stands_and_without_a_word_that_was_erased(rig: Rig) -> None:
    heard(rig, "r-1", "r-2", "r-3")
    first, second, third = rig.heard_of()
    rig.acknowledgements.answer([], "acknowledged", by="ada")
    rig.acknowledgements.answer([second.id, third.id], "erased", by="ada")
    refused(rig)
    refused(rig)
    rig.stated = [each for each in rig.stated if each[1] != third.id]
    assert len(rig.acknowledgements.tell_again()) == 3
    answers = [read_answer(bytes_of(said)) for _, said in rig.deliver()]
    told = [(each.state, [our_id(HELSINKI, one) for one in each.ids], len(each.words)) for each in answers]
    assert told == [("acknowledged", [first.id], 1), ("erased", [second.id], 1), ("erased", [third.id], 0)]
    assert untold(rig) == 0


def test_what_was_not_answered_or_is_not_there_cannot_be_sent_again(rig: Rig) -> None:
    held = one(rig)
    with pytest.raises(Conflict, match="not answered"):
        rig.acknowledgements.tell_again([held.id])
    with pytest.raises(NotFound):
        rig.acknowledgements.tell_again(["nobody"])
    assert rig.acknowledgements.tell_again() == []


def test_answers_of_before_count_as_taken_but_where_something_was_refused_or_waits(db: Database) -> None:
    store, outbox = ConsentStore(db), Outbox(db, chance=lambda: 0.5)
    with db.write() as tx:
        for n, peer in enumerate((HELSINKI, LONDON, GHENT)):
            where = (peer, "urn:a", "urn:d", "", "", "cd" * 32, 5, 6)
            for kind, acknowledged, erased in (("new", 0, 0), ("known", 7, 0), ("gone", 7, 8)):
                said = {"acknowledged_at": acknowledged, "erased_at": erased}
                store.put(tx, Withdrawal(f"{n}-{kind}", "in", *where, **said))
        store.put(tx, Withdrawal("out", "out", *where, acknowledged_at=7))
        for peer in (HELSINKI, LONDON):
            said = {"kind": "withdrawal", "subject": peer, "peer": peer, "step": "answer", "url": peer, "body": "{}"}
            number = outbox.put(tx, **said, at_ms=5)
            if peer == HELSINKI:
                outbox.close(tx, number, at_ms=6)
        tx.run("DROP INDEX withdrawal_told")
        tx.run("ALTER TABLE withdrawal DROP COLUMN told_at")
        with Operations.context(MigrationContext.configure(tx.conn)):
            r0012_taken_answers.upgrade()
    told = {each.id: each.told_at for each in store.each(None)}
    taken = {"0-new": 0, "0-known": 7, "0-gone": 8, "2-new": 0, "2-known": 7, "2-gone": 8}
    assert told == {**taken, "1-new": 0, "1-known": 0, "1-gone": 0, "out": 0}
