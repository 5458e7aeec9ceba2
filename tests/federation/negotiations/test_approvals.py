"""Laws of approvals: of a digest, by persons, and what we do next follows from them alone."""

from dataclasses import replace

from node.db import Database
from node.federation.negotiation import FINAL, STATES, Negotiation
from node.federation.negotiations.approvals import Approvals, ApprovedDecider
from tests.federation.agreement_rig import T0, negotiation_of, text_of

TERMS = "sha256:1"
OURS = {("provider", "REQUESTED"): "agree", ("provider", "ACCEPTED"): "agree", ("consumer", "OFFERED"): "accept",
        ("consumer", "AGREED"): "verify"}  # fmt: skip


def standing(role: str, state: str, *, terms: str = TERMS, sending: tuple[str, ...] = ()) -> Negotiation:
    base = negotiation_of(text_of())
    return replace(base, role=role, state=state, terms=terms, sending=sending)  # type: ignore[arg-type]


def decider(approvals: Approvals, *, automatic: bool = False) -> ApprovedDecider:
    return ApprovedDecider(approvals, is_automatic=lambda _: automatic)


def test_one_person_is_one_person_however_often_they_approve(db: Database) -> None:
    approvals = Approvals(db, required=2)
    assert approvals.give("n", TERMS, "maija", T0)
    assert not approvals.give("n", TERMS, "maija", T0 + 1)
    assert approvals.missing("n", TERMS) == 1
    approvals.give("n", TERMS, "pekka", T0 + 2)
    assert approvals.missing("n", TERMS) == 0
    assert [each.person for each in approvals.of("n", TERMS)] == ["maija", "pekka"]


def test_an_approval_is_of_these_terms_of_this_negotiation(db: Database) -> None:
    approvals = Approvals(db, required=1)
    approvals.give("n", TERMS, "maija", T0)
    assert approvals.missing("n", "sha256:2") == 1
    assert approvals.missing("m", TERMS) == 1


def test_approvals_of_a_draft_go_along_as_far_as_the_terms_are_the_same(db: Database) -> None:
    approvals = Approvals(db, required=1)
    approvals.give("draft", TERMS, "maija", T0)
    approvals.give("draft", "sha256:2", "pekka", T0)
    with db.write() as tx:
        approvals.carry(tx, "draft", "n", TERMS)
        approvals.carry(tx, "draft", "n", TERMS)
    assert [each.person for each in approvals.of("n", TERMS)] == ["maija"]
    assert approvals.of("n", "sha256:2") == []


def test_nothing_is_said_without_approval_and_the_right_thing_with_it(db: Database) -> None:
    wanted = {**OURS, ("provider", "VERIFIED"): "finalize"}
    nobody, somebody = Approvals(db, required=2), Approvals(db, required=1)
    somebody.give(standing("provider", "").pid, TERMS, "maija", T0)
    for asked in (standing(role, state) for role in ("provider", "consumer") for state in STATES):
        key = (asked.role, asked.state)
        without, step = decider(nobody).next(asked), decider(somebody).next(asked)
        assert (without.kind if without else None) == ("finalize" if key == ("provider", "VERIFIED") else None)
        assert (step.kind if step else None) == wanted.get(key)
        assert decider(somebody).next(replace(asked, sending=("offer",))) is None
        assert step is None or asked.state not in FINAL


def test_only_a_provider_agrees_automatically(db: Database) -> None:
    approvals = Approvals(db, required=2)
    for (role, state), kind in OURS.items():
        step = decider(approvals, automatic=True).next(standing(role, state))
        assert (step.kind if step else None) == (kind if role == "provider" else None)


def test_persons_are_waited_for_only_where_they_can_do_something(db: Database) -> None:
    approvals = Approvals(db, required=1)
    asked = decider(approvals)
    assert {key for key in OURS if asked.waits_for_us(standing(*key))} == set(OURS)
    assert not asked.waits_for_us(standing("provider", "OFFERED"))
    approvals.give(standing("consumer", "OFFERED").pid, TERMS, "maija", T0)
    assert not asked.waits_for_us(standing("consumer", "OFFERED"))
