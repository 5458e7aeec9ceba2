"""Laws of withdrawals: whoever holds a person's row hears of it, as a salted key, until it is gone."""

from collections.abc import Mapping

import pytest

from node.errors import Conflict, ConsentUnknown, NotAgreed, NotFound, Refuted, TooManyRequests, Unavailable
from node.federation.consent import acknowledgements as hearing
from node.federation.consent.post import Answered, Word, our_id, read_answer, read_told
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, write_withdrawal
from node.federation.consent.store import Withdrawal, salted_key
from node.federation.consent.withdrawals import DAY_MS
from node.federation.dialogues.outgoing import GIVE_UP_MS
from node.federation.moved import UnfilteredTold
from node.federation.moving import Personal
from tests.federation.consent.withdrawal_rig import (
    AGREEMENT,
    DATASET,
    GHENT,
    HELSINKI,
    LONDON,
    NOW,
    RESEARCH,
    Rig,
    bytes_of,
    heard,
)

# ---------------------------------------------------------------- telling


def test_a_withdrawal_is_told_once_to_the_city_that_holds_the_data(rig: Rig) -> None:
    assert rig.watch() == 0
    rig.withdraw("r-2")
    assert rig.watch() == 1
    said = rig.told()
    (key,) = said["withdrawals"]
    assert (said["agreement"], said["dataset"]) == (AGREEMENT, DATASET)
    assert key["key"] == salted_key(said["salt"], "r-2")
    assert read_told(bytes_of(said)).keys[0][2] == rig.now_ms
    rig.now_ms += DAY_MS
    assert (rig.watch(), rig.deliver()) == (0, [])


def test_nobody_is_named_in_what_is_told_kept_or_stated(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rows = rig.db.hot().rows("SELECT * FROM withdrawal") + rig.db.hot().rows("SELECT * FROM outgoing")
    for kept in (rows, rig.told(), rig.stated):
        assert "r-2" not in str(kept)
    ((kind, _, said),) = rig.stated
    assert kind == "withdrawal"
    assert "salt" not in said, "whoever reads the evidence cannot try keys"


def test_withdrawals_under_one_agreement_share_a_salt_and_others_do_not(rig: Rig) -> None:
    rig.read(GHENT, AGREEMENT + "2")
    rig.withdraw("r-1")
    rig.watch()
    rig.withdraw("r-2")
    rig.watch()
    said = [each for _, each in rig.deliver()]
    assert len(said) == 4
    assert len({(each["agreement"], each["salt"]) for each in said}) == 2


def test_a_city_is_told_only_of_consent_by_which_rows_went_to_it(rig: Rig) -> None:
    with rig.file.open("a") as file:
        file.write("r-3,2026-11-30T00:00:00Z,ConsentWithdrawn,AcademicResearch,https://oslo.example\n")
    assert rig.watch() == 0
    with rig.db.write() as tx:
        tx.run("DELETE FROM consent_read")
    rig.withdraw("r-2")
    assert rig.watch() == 0, "nothing went by consent, whatever is set today"


CHANGES = ["another source", "source anew", "another source at once", "not about persons", "no source in the setting"]


@pytest.mark.parametrize("change", CHANGES)
def test_the_duty_follows_the_rows_that_went_and_not_what_is_set_today(rig: Rig, change: str) -> None:
    rig.withdraw("r-3")
    assert rig.watch() == 1
    if change.startswith("another source"):
        if change.endswith("at once"):
            rig.store.remove("residents")
        other = rig.file.with_name("other.csv")
        other.write_text(rig.file.read_text())
        rig.store.add(ConsentSource("others", "file", str(other), at=NOW))
        rig.file, rig.marked = other, Personal("subject", "others")
    elif change == "source anew":
        rig.store.remove("residents")
        rig.store.add(ConsentSource("residents", "file", str(rig.file), at=rig.now_ms))
    else:
        rig.marked = None if change == "not about persons" else Personal("subject", "")
    rig.withdraw("r-1")
    if change in CHANGES[:3]:
        rig.read()  # the next one, and the first by that word: r-1 is there from the earlier ones
    assert rig.watch() == 1
    assert len({each.ours for each in rig.store.each("out")}) == 2
    rig.now_ms += DAY_MS
    assert rig.watch() == 0


def test_a_source_that_is_gone_though_rows_went_out_by_its_word_is_said(rig: Rig) -> None:
    rig.marked = None
    rig.store.remove("residents")
    assert list(rig.withdrawals.watch(rig.now_ms).troubles) == ["residents"]


def test_of_two_sources_that_date_a_withdrawal_otherwise_one_is_told_once(rig: Rig) -> None:
    rig.withdraw("r-2")
    other = rig.file.with_name("other.csv")
    other.write_text(rig.file.read_text())
    rig.store.add(ConsentSource("others", "file", str(other), at=NOW))
    rig.marked = Personal("subject", "others")
    rig.read()
    rig.read(GHENT, AGREEMENT + "2")
    rig.withdraw("r-2")
    assert [rig.watch() for _ in range(3)] == [1, 0, 0]
    assert [each.peer for each in rig.store.each("out")] == [LONDON]


def test_once_all_is_erased_what_comes_later_has_another_salt(rig: Rig) -> None:
    rig.withdraw("r-1")
    rig.watch()
    first = rig.told()
    (each,) = rig.store.each("out")
    rig.withdrawals.hear(LONDON, Answered("erased", [each.id]))
    assert [each.salt for each in rig.store.each("out")] == [""], "nobody can try keys any more, we neither"
    rig.withdraw("r-2")
    rig.now_ms += DAY_MS
    assert (rig.watch(), rig.watch()) == (1, 0), "whom it was told of is known without the salt"
    second = rig.told()
    assert second["salt"] != first["salt"]
    assert second["withdrawals"][0]["key"] == salted_key(second["salt"], "r-2")


def test_a_city_that_first_read_after_a_withdrawal_is_told_nothing_of_it(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.read(GHENT, AGREEMENT + "2")
    assert rig.watch() == 1
    assert [each.peer for each in rig.store.each("out")] == [LONDON]
    rig.withdraw("r-3")
    assert rig.watch() == 2


def test_a_late_note_of_an_earlier_withdrawal_reaches_who_got_the_data_meanwhile(rig: Rig) -> None:
    letter_ms = rig.now_ms
    rig.read(GHENT, AGREEMENT + "2")
    write_withdrawal(rig.store.source("residents"), "r-2", Asked("", "", ""), letter_ms)
    rig.now_ms += 9 * DAY_MS  # and nobody watched for days
    assert rig.watch() == 2


def test_a_city_to_which_nothing_has_gone_yet_is_told_nothing(rig: Rig) -> None:
    rig.withdraw("r-2")
    assert rig.watch() == 1
    assert [each.peer for each in rig.store.each("out")] == [LONDON]


def test_a_second_agreement_of_the_same_city_is_told_what_comes_after_its_first_read(rig: Rig) -> None:
    rig.withdraw("r-1")
    rig.watch()
    rig.now_ms += 60_000
    rig.read(LONDON, AGREEMENT + "2")
    rig.withdraw("r-2")
    assert rig.watch() == 2
    told = [(each.agreement, each.salted) for each in rig.store.each("out")]
    assert len(told) == len(set(told)) == 3


def test_who_consents_again_and_withdraws_again_is_told_again_once_the_first_was_erased(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rig.deliver()
    (first,) = rig.store.each("out")
    rig.withdraw("r-2")
    assert rig.watch() == 0, "it has still to be erased"
    rig.withdrawals.hear(LONDON, Answered("erased", [first.id]))
    rig.withdraw("r-2")
    assert rig.watch() == 1


def test_a_withdrawal_on_paper_that_comes_after_an_erasure_and_bears_an_earlier_day_is_told(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (first,) = rig.store.each("out")
    signed_ms = rig.now_ms + 60_000
    rig.now_ms += DAY_MS
    rig.withdrawals.hear(LONDON, Answered("erased", [first.id]))
    assert rig.watch() == 0
    rig.now_ms += DAY_MS
    write_withdrawal(rig.store.source("residents"), "r-2", Asked("", "", ""), signed_ms)
    assert (rig.watch(), rig.watch()) == (1, 0)


@pytest.mark.parametrize("purpose", [RESEARCH, ""])
def test_who_got_all_rows_before_the_dataset_was_marked_hears_of_everybody(rig: Rig, purpose: str) -> None:
    rig.withdraw("r-1", "nobody-agreed")
    rig.unfiltered = [(UnfilteredTold(GHENT, AGREEMENT + "9", DATASET, purpose, NOW, NOW), "residents")]
    assert rig.watch() == 3, "r-1 once to London; both to Ghent, though they withdrew before this was known"
    assert [each.peer for each in rig.store.each("out") if each.purpose == purpose].count(GHENT) == 2
    assert rig.watch() == 0
    rig.unfiltered = []
    rig.withdraw("r-2")
    assert rig.watch() == 2, "the duty follows the rows"


def test_a_source_that_cannot_answer_without_a_purpose_holds_up_nothing_else(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.unfiltered = [(UnfilteredTold(GHENT, "https://a.example/1", DATASET, "", NOW, NOW), "residents")]
    withdrawn = rig.noticed.sources.withdrawn

    def refuses(source: ConsentSource, asked: Asked, now_ms: int) -> Mapping[str, int]:
        if not asked.purpose:
            raise ConsentUnknown("No purpose.")
        return withdrawn(source, asked, now_ms)

    monkeypatch.setattr(rig.noticed.sources, "withdrawn", refuses)
    rig.withdraw("r-1")
    found = rig.withdrawals.watch(rig.now_ms)
    assert (found.told, list(found.troubles)) == (1, ["residents"])


def test_a_source_that_is_down_is_noted_and_the_others_are_asked(rig: Rig) -> None:
    rig.file.rename(rig.file.with_suffix(".away"))
    watched = rig.withdrawals.watch(rig.now_ms)
    assert list(watched.troubles) == ["residents"]
    assert rig.store.source("residents").trouble
    rig.file.with_suffix(".away").rename(rig.file)
    rig.withdrawals.tend(rig.now_ms)
    assert rig.store.source("residents").trouble == ""


# ---------------------------------------------------------------- answers


def test_what_a_city_answers_is_noted_and_stated_once(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (each,) = rig.store.each("out")
    rig.now_ms += 5
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 1
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 0
    assert rig.withdrawals.hear(LONDON, Answered("erased", [each.id])) == 1
    assert rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id])) == 0
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal", "acknowledgement", "erasure"]
    (told,) = rig.store.each("out")
    assert told.state == "erased"


def word(each: Withdrawal, **other: object) -> Word:
    """What London states of a withdrawal that it has erased."""
    said = {
        "type": "ErasureDone", "by": LONDON, "other": HELSINKI, "provider": HELSINKI, "withdrawal": each.id,
        "agreement": AGREEMENT, "dataset": DATASET, "purpose": each.purpose, "key": each.salted, **other,
    }  # fmt: skip
    return Word(bytes_of(said).decode(), said)


def test_the_word_of_the_city_that_answers_is_kept_as_it_was_signed(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (each,) = rig.store.each("out")
    said = word(each)
    assert rig.withdrawals.hear(LONDON, Answered("erased", [each.id], [said])) == 1
    assert rig.stated[-1][2]["word"] == said.text


@pytest.mark.parametrize("bent", [
    {"type": "ErasureAcknowledgement"}, {"by": GHENT}, {"other": GHENT}, {"withdrawal": "00" * 16}, {"key": "0" * 64},
    {"dataset": "x"}, {"agreement": "x"}, {"purpose": ""}, {"provider": LONDON}, {"signer": GHENT},
])  # fmt: skip
def test_an_answer_whose_word_is_of_something_else_changes_nothing(rig: Rig, bent: dict[str, object]) -> None:
    rig.withdraw("r-1", "r-2")
    rig.watch()
    one, other = rig.store.each("out")
    with pytest.raises((Refuted, Unavailable)):
        rig.withdrawals.hear(LONDON, Answered("erased", [one.id, other.id], [word(one), word(other, **bent)]))
    assert {each.state for each in rig.store.each("out")} == {"waiting"}


def test_only_the_city_that_was_told_may_answer(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    (each,) = rig.store.each("out")
    for peer, name in ((GHENT, each.id), (LONDON, "00" * 16)):
        with pytest.raises(NotFound):
            rig.withdrawals.hear(peer, Answered("erased", [name]))
    assert list(rig.store.each("out", "open"))


def test_who_does_not_answer_is_reminded_day_by_day_even_after_a_message_was_given_up(rig: Rig) -> None:
    rig.withdraw("r-2")
    rig.watch()
    rig.deliver()
    assert rig.withdrawals.remind(rig.now_ms + DAY_MS - 1) == 0
    rig.now_ms += DAY_MS
    assert rig.withdrawals.remind(rig.now_ms) == 1
    assert rig.withdrawals.remind(rig.now_ms) == 0, "it waits already"
    rig.wire.away = True
    rig.now_ms += GIVE_UP_MS
    assert rig.deliver() == []
    rig.wire.away = False
    rig.now_ms += DAY_MS
    rig.withdrawals.tend(rig.now_ms)
    assert len(rig.deliver()) == 1
    (each,) = rig.store.each("out")
    rig.withdrawals.hear(LONDON, Answered("acknowledged", [each.id]))
    assert rig.withdrawals.remind(rig.now_ms + 9 * DAY_MS) == 0


# ---------------------------------------------------------------- hearing


def test_what_is_heard_twice_is_kept_and_stated_once(rig: Rig) -> None:
    said = heard(rig, "r-1", "r-2")
    assert rig.acknowledgements.hear(HELSINKI, read_told(bytes_of(said))) == 0
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal"] * 2
    assert len(rig.heard_of("open")) == 2


def test_only_who_gives_us_data_under_the_agreement_is_heard(rig: Rig) -> None:
    said = read_told(bytes_of(heard(rig, "r-1")))
    for peer in (GHENT, LONDON):
        with pytest.raises(NotAgreed):
            rig.acknowledgements.hear(peer, said)
    assert our_id(HELSINKI, "ab") != our_id(GHENT, "ab"), "no peer can speak of another's"


def test_more_than_anybody_looks_through_is_not_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "MAX_OPEN", 1)
    with pytest.raises(TooManyRequests):
        heard(rig, "r-1", "r-2")
    assert rig.heard_of("open") == []


def test_the_duty_is_acknowledged_then_the_rows_are_gone_and_then_nobody_can_tell_who_it_was(rig: Rig) -> None:
    said = heard(rig, "r-1", "r-2")
    done = rig.acknowledgements.answer([], "acknowledged", by="ada")
    assert len(done) == 2
    ((_, told),) = rig.deliver()
    answer = read_answer(bytes_of(told))
    assert (answer.state, answer.ids) == ("acknowledged", [each["id"] for each in said["withdrawals"]])
    stated = [each for kind, _, each in rig.stated if kind == "acknowledgement"]
    assert [each.document for each in answer.words] == stated, "with it goes what we have signed"
    assert [each["withdrawal"] for each in stated] == answer.ids, "one withdrawal has one id in both cities"
    with pytest.raises(Conflict):
        rig.acknowledgements.answer([], "acknowledged", by="ada")
    first, second = rig.heard_of("open")
    rig.acknowledgements.answer([first.id], "erased", by="ada")
    assert all(each.salt for each in rig.heard_of())
    rig.acknowledgements.answer([second.id], "erased", by="ada")
    assert rig.heard_of("open") == []
    kept = rig.heard_of()
    assert {(each.salt, each.by, each.state) for each in kept} == {("", "ada", "erased")}
    kinds = [kind for kind, _, _ in rig.stated]
    assert kinds == ["withdrawal"] * 2 + ["acknowledgement"] * 2 + ["erasure"] * 2
    assert rig.acknowledgements.answer([first.id], "erased", by="ada") == []
    with pytest.raises(NotFound):
        rig.acknowledgements.answer(["nobody"], "erased", by="ada")


def test_saying_that_it_is_erased_also_says_that_it_was_acknowledged(rig: Rig) -> None:
    heard(rig, "r-1")
    (done,) = rig.acknowledgements.answer([], "erased", by="ada")
    (kept,) = rig.heard_of()
    assert kept.acknowledged_at == kept.erased_at > 0
    assert done.id == kept.id
