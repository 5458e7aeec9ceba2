"""Laws of forgetting: nothing goes while a city may hold a row, and then nothing stays by which somebody is known."""

from dataclasses import dataclass, field

import pytest

from node.assembly.consenting import _without
from node.federation.consent.post import Answered
from node.federation.consent.retention import DAY_MS, Retention
from node.federation.moved import UnfilteredTold
from tests.federation.consent.withdrawal_rig import AGREEMENT, DATASET, GHENT, LONDON, Rig, heard

DAYS = 30


@dataclass
class Time:
    """A city's books of consent, and who has said that all is deleted."""

    rig: Rig
    said: dict[str, int] = field(default_factory=dict)

    def forget(self, *, days: int = DAYS) -> int:
        return Retention(self.rig.store, deleted=lambda: self.said, days=days).forget(self.rig.now_ms)

    def kept(self, agreement: str = AGREEMENT) -> dict[str, int]:
        tables = ("consent_read", "consent_went", "withdrawal")
        counts = {
            each: self.rig.db.hot().row(f"SELECT count(*) FROM {each} WHERE agreement = ?", (agreement,))  # noqa: S608
            for each in tables
        }
        return {name: row[0] for name, row in counts.items() if row and row[0]}

    def deleted(self, agreement: str = AGREEMENT) -> None:
        self.said[agreement] = self.rig.now_ms


@pytest.fixture
def time(rig: Rig) -> Time:
    return Time(rig)


def told(rig: Rig, *subjects: str) -> list[str]:
    """Let these withdraw and be told; give the ids."""
    before = {each.id for each in rig.store.each("out")}
    rig.withdraw(*subjects)
    rig.watch()
    rig.deliver()
    return [each.id for each in rig.store.each("out") if each.id not in before]


def test_what_is_settled_is_forgotten_whole_after_its_time_and_nobody_is_told_anew(time: Time) -> None:
    rig = time.rig
    rig.withdrawals.hear(LONDON, Answered("erased", told(rig, "r-2")))
    time.deleted()
    rig.now_ms += DAYS * DAY_MS - 1
    assert time.forget() == 0
    rig.now_ms += 1
    assert time.forget(days=0) == 0, "0 keeps it"
    assert time.kept() == {"consent_read": 1, "consent_went": 1, "withdrawal": 2}
    assert time.forget() == 3
    assert (time.kept(), time.forget()) == ({}, 0)
    assert told(rig, "r-1", "r-3") == [], "who has deleted everything is told of nobody"


def test_nothing_goes_while_the_other_city_may_hold_a_row(time: Time) -> None:
    rig = time.rig
    rig.withdrawals.hear(LONDON, Answered("erased", told(rig, "r-2")))
    rig.now_ms += 10 * DAYS * DAY_MS
    assert time.forget() == 0, "what was erased is one row of many"
    (late,) = told(rig, "r-1")
    time.deleted()
    rig.now_ms += 10 * DAYS * DAY_MS
    assert time.forget() == 0, "one withdrawal is not answered"
    rig.withdrawals.hear(LONDON, Answered("acknowledged", [late]))
    assert time.forget() == 0, "nor by this"
    rig.withdrawals.hear(LONDON, Answered("erased", [late]))
    assert time.forget() == 0, "that was just now"
    rig.now_ms += DAYS * DAY_MS
    assert time.forget() > 0
    assert time.kept() == {}


def test_what_is_kept_of_other_agreements_stays(time: Time) -> None:
    rig, other = time.rig, AGREEMENT + "2"
    rig.read(GHENT, other)
    before = time.kept(other)
    time.deleted()
    rig.now_ms += DAYS * DAY_MS
    assert time.forget() == 1
    assert (time.kept(), time.kept(other)) == ({}, before)
    (one,) = told(rig, "r-2")
    (each,) = [each for each in rig.store.each("out") if each.id == one]
    assert each.peer == GHENT


def test_a_look_that_began_before_tells_nobody_of_everybody(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = time.rig
    reads = rig.store.reads()
    time.deleted()
    rig.now_ms += DAYS * DAY_MS
    assert time.forget() == 1
    monkeypatch.setattr(rig.store, "reads", lambda *_: reads)
    assert told(rig, "r-1", "r-2") == [], "whose rows went is forgotten, so it could have been anybody's"


def test_what_we_erased_is_forgotten_once_the_other_city_knows_it(time: Time) -> None:
    rig = time.rig
    heard(rig, "r-1", "r-2")
    first, _ = rig.heard_of()
    rig.now_ms += 10 * DAYS * DAY_MS
    assert time.forget() == 0, "they wait"
    rig.acknowledgements.answer([first.id], "erased", by="ada")
    rig.now_ms += 10 * DAYS * DAY_MS
    assert time.forget() == 0, "the other city does not know it"
    rig.deliver()
    assert time.forget() == 0, "it was told just now"
    rig.now_ms += DAYS * DAY_MS
    assert time.forget() == 1
    (left,) = rig.heard_of()
    assert left.id != first.id
    assert [kind for kind, _, _ in rig.stated] == ["withdrawal", "withdrawal", "erasure"], "what was signed stays"


def test_who_has_deleted_everything_is_not_counted_among_those_who_got_all_rows() -> None:
    left = [(UnfilteredTold(LONDON, f"{AGREEMENT}{n}", DATASET, "", 5, 6), "residents") for n in range(2)]
    assert list(_without(left, {f"{AGREEMENT}1": 7})) == left[:1]
