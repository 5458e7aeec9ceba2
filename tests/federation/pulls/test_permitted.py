"""Laws of what a pull may: which agreement it goes by, what is said where none permits, and what ends it on the way."""

import time

import pytest

from node.errors import NotAgreed, Refused
from node.federation.policy.terms import DPV
from node.federation.transfer import Step
from tests.federation.agreed import RESEARCH, SERVICES, atom, change, now_ms, permits
from tests.federation.agreed import agree as agreed
from tests.federation.cities import Request
from tests.federation.data.door_rig import BODY, PART
from tests.federation.pulls.rig import Own, agree, got, office

pytestmark = pytest.mark.slow


def test_a_revocation_ends_it_clearly_and_removes_what_is_not_whole(two: Own) -> None:
    two.lay()
    agreement = agree(two)

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent:
            change(two.helsinki.node, agreement, "revoked", reason="It is over.")
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    with pytest.raises(NotAgreed, match="revoked"):
        got(two)
    pull = office(two.london).list(ended=True)[0]
    assert pull.state == "failed"
    assert not list((two.folder / "here").iterdir())


def test_a_suspension_stops_it_and_it_goes_on_afterwards(two: Own) -> None:
    two.lay()
    agree(two)
    held: list[str] = []

    def snap(_: Request, sent: int, __: int) -> int | None:
        if sent and not held:
            theirs = two.helsinki.federation.moving.transfers
            held.extend(each.pid for each in theirs.open() if each.dataset == two.dataset)
            theirs.step(held[0], Step("suspend", code="pause", reasons=("We look at something.",)))
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    pull = got(two, wait_s=1)
    assert pull.state == "stopped"
    assert "We look at something." in pull.said
    two.helsinki.federation.moving.transfers.step(held[0], Step("resume"))
    assert got(two).state == "done"
    assert (two.folder / "here" / PART).read_bytes() == BODY


def test_without_an_agreement_nothing_is_requested_and_the_reason_is_told(two: Own) -> None:
    two.lay()
    with pytest.raises(NotAgreed, match="No agreement"):
        got(two)
    agree(two, atom("purpose", "isAnyOf", [RESEARCH]))
    with pytest.raises(NotAgreed, match="AcademicResearch"):
        got(two)
    with pytest.raises(NotAgreed):
        got(two, purpose=SERVICES)
    assert not [each for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert got(two, purpose="AcademicResearch").state == "done"


def test_a_part_that_is_not_there_is_refused_with_one_reason(two: Own) -> None:
    two.lay()
    agree(two)
    with pytest.raises(Refused) as told:
        got(two, part="none.csv")
    assert told.value.code == "refused", "there is an agreement: it is the wish that is wrong"
    assert told.value.message.startswith("Our request was refused: ")
    assert str(told.value).count("Mend what it names") == 1


def test_access_is_asked_for_once_and_the_pull_goes_on_when_it_is_agreed(two: Own) -> None:
    two.lay()
    for _ in range(2):
        pull = got(two, purpose="AcademicResearch", ask=True, wait_s=0)
        assert (pull.state, bool(pull.negotiation)) == ("stopped", True)
    theirs = two.helsinki.federation.dsp.negotiations.list()
    assert [each.state for each in theirs if each.target == two.dataset] == ["REQUESTED"]
    agree(two, atom("purpose", "isAnyOf", [RESEARCH]))
    assert got(two, purpose="AcademicResearch", ask=True).state == "done"


def two_agreements(two: Own) -> tuple[str, str]:
    """One that permits it, and a newer one that Helsinki refuses for good: nobody said whose data these are."""
    helsinki, london = two.helsinki.node, two.london.node
    older = agreed(helsinki, london, records=[two.dataset], rules=permits("use"), at_ms=now_ms() - 60_000)
    by_consent = {"legalBasis": DPV + "Consent", "transferBasis": "adequacy"}
    newer = agreed(helsinki, london, records=[two.dataset], rules=permits("use"), **by_consent)
    return older, newer


def test_an_agreement_that_is_refused_does_not_hide_one_that_permits(two: Own) -> None:
    two.lay()
    older, newer = two_agreements(two)
    pull = got(two)
    assert (pull.state, pull.agreement) == ("done", older)
    tried = [each.agreement for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted((older, newer))


def test_an_agreement_that_is_named_is_the_only_one_that_is_tried(two: Own) -> None:
    two.lay()
    older, newer = two_agreements(two)
    with pytest.raises(Refused, match="not marked"):
        got(two, agreement=newer)
    assert got(two, agreement=older.rpartition("/")[2][:8], ask=True).agreement == older
    with pytest.raises(NotAgreed, match="No agreement"):
        got(two, agreement=f"{two.helsinki.url}/agreements/none")
    tried = [each.agreement for each in two.london.federation.moving.transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted((older, newer))


def test_what_every_agreement_is_refused_for_fails_and_may_be_tried_again(two: Own) -> None:
    two.lay()
    agreed_on = [
        agreed(
            two.helsinki.node, two.london.node, records=[two.dataset], rules=permits("use"), legalBasis=DPV + "Consent"
        )
        for _ in range(2)
    ]
    desk, transfers = office(two.london), two.london.federation.moving.transfers
    with pytest.raises(Refused):
        got(two)
    tried = [each.agreement for each in transfers.list() if each.dataset == two.dataset]
    assert sorted(tried) == sorted(agreed_on), "each once"
    failed = desk.list(ended=True)[0]
    desk.resume(failed.id)
    with pytest.raises(Refused):
        got(two)
    assert len([each for each in transfers.list() if each.dataset == two.dataset]) == 4
