"""Laws of the simulator on an agreement's page: it decides by this agreement's rules alone, and names the clause."""

from types import SimpleNamespace
from typing import Any

import pytest

from node.federation.agreements.records import Statement, payload_of, record_in
from node.federation.agreements.text import read_text
from node.federation.policy.purposes import purpose_named
from node.keys import Keyring
from node.web.agreements.allowed import Trial, spot_of, trial_of
from node.web.agreements.view import AgreementView, view_of
from node.web.wording.words import known
from tests.federation.agreed import MARKETING, RESEARCH, atom, permits, signed

HELSINKI, LONDON = "http://127.0.0.1:8001", "http://127.0.0.1:8002"
PLANS, MAPS = f"{HELSINKI}/collections/plans", f"{HELSINKI}/collections/maps"
MADE, DAY = 1_800_000_000_000, 86_400_000
NAMES = {HELSINKI: "Helsinki", LONDON: "London"}


def city(url: str, keyring: Keyring) -> SimpleNamespace:
    return SimpleNamespace(settings=SimpleNamespace(base_url=url, federation="https://f.example/"), keyring=keyring)


@pytest.fixture
def view(keyring: Keyring) -> AgreementView:
    limits = [atom("dateTime", "lt", "2028-01-01T00:00:00Z"), atom("purpose", "isA", RESEARCH)]
    rules = permits("read", constraint=limits) | {"prohibition": [{"action": "odrl:sell"}]}
    rules["permission"] += permits("index")["permission"]
    cities = (city(HELSINKI, keyring), city(LONDON, keyring))
    made = read_text(signed(*cities, [PLANS, MAPS], rules, at_ms=MADE))
    record = record_in(made.iri, HELSINKI)
    payload = payload_of(record, made, Statement(made.iri, made.signed, "in-force", ""), at_ms=MADE)
    found = view_of(record, payload, "en", MADE + DAY, lambda url: NAMES.get(url, url))
    assert found is not None
    return found


def asked(view: AgreementView, *, state: str = "in-force", now_ms: int = MADE + DAY, **query: str) -> Trial:
    return trial_of(view, query, now_ms, lambda iri: iri.rpartition("/")[2], state=state)


def test_nothing_asked_is_answered_with_the_form_alone(view: AgreementView) -> None:
    trial = asked(view)
    assert trial.answer is None
    assert {each.value for each in trial.choices["act"]} >= {"read", "index", "use", "distribute", "sell"}
    assert [each.label for each in trial.choices["what"]] == ["plans", "maps"]


@pytest.mark.parametrize(
    ("query", "allowed", "why"),
    [
        ({"act": "index"}, True, "agreement.try.yes"),
        ({"act": "read", "purpose": RESEARCH}, True, "agreement.try.yes"),
        ({"act": "read"}, False, "agreement.no.unknown"),
        ({"act": "read", "purpose": MARKETING}, False, "agreement.no.not-satisfied"),
        ({"act": "distribute"}, False, "agreement.no.no-clause"),
        ({"act": "sell"}, False, "agreement.no.prohibited"),
    ],
)
def test_an_answer_is_yes_or_no_with_its_reason(view: AgreementView, query: Any, allowed: bool, why: str) -> None:
    answer = asked(view, **query).answer
    assert answer is not None
    assert (answer.allowed, answer.why) == (allowed, why)
    assert known(answer.why)
    assert not answer.operand or known(answer.operand)


def test_the_clause_that_decides_is_named_by_its_number_and_place(view: AgreementView) -> None:
    answer = asked(view, act="read", purpose=MARKETING).answer
    assert answer is not None
    said = {one.number: one.text for section in view.sections for one in section.sentences}
    assert said[answer.number] == answer.sentence
    assert answer.spot == spot_of(answer.number) == f"c{answer.number.replace('.', '-')}"
    assert answer.operand == "agreement.operand.purpose"


def test_a_term_that_has_ended_allows_nothing(view: AgreementView) -> None:
    answer = asked(view, act="read", purpose=RESEARCH, now_ms=1_830_297_600_000).answer
    assert answer is not None
    assert (answer.allowed, answer.why) == (False, "agreement.no.ended")


@pytest.mark.parametrize("state", ["suspended", "revoked", "expired", "agreed", "not-yet", "superseded"])
def test_an_agreement_that_is_not_in_force_allows_nothing(view: AgreementView, state: str) -> None:
    answer = asked(view, state=state, act="index").answer
    assert answer is not None
    assert (answer.allowed, answer.why) == (False, "agreement.no.state")


@pytest.mark.parametrize("hostile", ["", "<b>", "\x00", "x" * 5_000, "../../etc", "odrl:read"])
def test_what_is_no_choice_counts_as_not_said(view: AgreementView, hostile: str) -> None:
    trial = asked(view, act=hostile, what=hostile, purpose=hostile, channel=hostile)
    assert trial.answer is None
    assert not any(each.chosen for listed in trial.choices.values() for each in listed)


def test_purposes_are_offered_in_the_language_of_the_sentences_and_the_chosen_one_stays(view: AgreementView) -> None:
    chosen = [each for each in asked(view, act="read", purpose=RESEARCH).choices["purpose"] if each.chosen]
    assert [(each.value, each.label) for each in chosen] == [(purpose_named("AcademicResearch"), "Academic Research")]
