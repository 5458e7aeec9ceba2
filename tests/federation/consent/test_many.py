"""Laws of many withdrawals: however many there are, none is hidden behind the others."""

import pytest

from node.errors import Conflict, Malformed
from node.federation.consent import acknowledgements as hearing
from node.federation.consent import store as keeping
from node.federation.consent.office import ConsentOffice
from node.federation.consent.post import Answered, our_id
from node.federation.consent.store import Withdrawal
from node.federation.consent.withdrawals import DAY_MS
from node.federation.dialogues.outgoing import GIVE_UP_MS
from tests.federation.consent.withdrawal_rig import AGREEMENT, DATASET, GHENT, HELSINKI, LONDON, Rig

MANY = 43


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PAGE", 7)
    monkeypatch.setattr(hearing, "ANSWERED_AT_ONCE", 20)


def fill(rig: Rig, direction: str, peer: str, count: int, **said: int) -> None:
    with rig.db.write() as tx:
        for number in range(count):
            name = f"{number:032x}"
            where = (peer, AGREEMENT, DATASET, "", "ab" * 16, "00" * 32, rig.now_ms, rig.now_ms)
            rig.store.put(tx, Withdrawal(our_id(peer, name), direction, *where, **said))  # type: ignore[arg-type]


@pytest.fixture
def office(rig: Rig) -> ConsentOffice:
    return ConsentOffice(
        rig.store, rig.noticed.sources, rig.withdrawals, rig.acknowledgements, personal=dict,
        credentials=None, check_url=print, base_url=HELSINKI, clock_ms=lambda: rig.now_ms,  # type: ignore[arg-type]
    )  # fmt: skip


def test_who_was_given_up_is_reminded_though_many_others_wait_to_be_erased(rig: Rig) -> None:
    fill(rig, "out", LONDON, 30, acknowledged_at=1)
    rig.withdraw("r-2")
    rig.watch()
    rig.wire.away = True
    rig.now_ms += GIVE_UP_MS
    assert rig.deliver() == []
    rig.wire.away = False
    rig.now_ms += DAY_MS
    assert rig.withdrawals.remind(rig.now_ms) == 1
    (key,) = rig.told()["withdrawals"]
    rig.withdrawals.hear(LONDON, Answered("acknowledged", [key["id"]]))
    assert rig.withdrawals.remind(rig.now_ms + 9 * DAY_MS) == 0


def test_all_means_all(rig: Rig) -> None:
    fill(rig, "in", HELSINKI, MANY)
    assert len(rig.acknowledgements.answer([], "acknowledged", by="ada")) == MANY
    assert {each.state for each in rig.heard_of()} == {"acknowledged"}
    assert sum(len(said["ids"]) for _, said in rig.deliver()) == MANY
    with pytest.raises(Conflict):
        rig.acknowledgements.answer([], "acknowledged", by="ada")
    assert len(rig.acknowledgements.answer([], "erased", by="ada")) == MANY
    assert {(each.state, each.salt) for each in rig.heard_of()} == {("erased", "")}


def test_all_that_were_heard_when_somebody_looked_are_erased_and_none_that_came_since(rig: Rig) -> None:
    fill(rig, "in", HELSINKI, 3)
    looked_ms = rig.now_ms
    rig.now_ms += 1
    fill(rig, "in", GHENT, 1)
    assert len(rig.acknowledgements.answer([], "erased", by="ada", until_ms=looked_ms)) == 3
    assert [each.peer for each in rig.heard_of("open")] == [GHENT]


def test_a_noisy_city_hides_nobody_elses(rig: Rig, office: ConsentOffice) -> None:
    fill(rig, "in", HELSINKI, 20)
    rig.now_ms += 1
    fill(rig, "in", GHENT, 2)
    fill(rig, "out", LONDON, 9)
    assert len(list(office.each_withdrawal())) == 31
    assert {each.peer for each in office.withdrawals(peer=GHENT)} == {GHENT}
    walked, after = [], ""
    while found := office.withdrawals(direction="in", after=after, limit=7):
        walked += [each.name for each in found]
        after = found[-1].cursor
    assert (len(walked), len(set(walked))) == (22, 22)
    waiting = {(each.direction, each.peer): each.count for each in office.waiting(rig.now_ms)}
    assert waiting == {("in", HELSINKI): 20, ("in", GHENT): 2, ("out", LONDON): 9}
    assert all(each.direction == "in" for each in office.waiting(rig.now_ms - 1)), "a day has not gone yet"


@pytest.mark.parametrize("cursor", ["x", "1", ".", "-1.x", "9" * 30 + ".x", "1.\n", "٣.x"])
def test_a_cursor_that_is_none_is_refused(office: ConsentOffice, cursor: str) -> None:
    with pytest.raises(Malformed):
        office.withdrawals(after=cursor)
