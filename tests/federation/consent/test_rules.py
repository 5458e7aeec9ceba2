"""Laws of data about persons: nothing moves that the agreement does not give a reason for, and the code says which."""

import itertools

import pytest

from node.errors import Malformed
from node.federation.agreements.text import read_about
from node.federation.consent.rules import judge, names_purposes
from node.federation.moving import Personal
from node.federation.policy.bases import LEGAL, NOT_PERSONAL, TRANSFER, is_consent
from node.federation.policy.model import Atomic, Constraint, Logical, Policy, Rule
from node.federation.policy.terms import DPV

PURPOSE = DPV + "AcademicResearch"
WHOLE = Personal("subject", "residents")
BY_CONSENT = {"legalBasis": DPV + "Consent", "transferBasis": "adequacy"}
BY_LAW = {"legalBasis": DPV + "PublicInterest", "transferBasis": "within-eea"}


def test_data_about_nobody_need_no_reason() -> None:
    assert judge(None, {}, "", is_bound=False).allowed


@pytest.mark.parametrize(
    ("personal", "about", "purpose", "code"),
    [
        (WHOLE, BY_CONSENT, "", "purpose-needed"),
        (WHOLE, {}, PURPOSE, "legal-basis-needed"),
        (WHOLE, {"transferBasis": "adequacy"}, PURPOSE, "legal-basis-needed"),
        (WHOLE, {**BY_CONSENT, "legalBasis": "https://example.org/mine"}, PURPOSE, "legal-basis-needed"),
        (WHOLE, {"legalBasis": DPV + "Consent"}, PURPOSE, "transfer-basis-needed"),
        (WHOLE, {**BY_CONSENT, "transferBasis": "friendship"}, PURPOSE, "transfer-basis-needed"),
        (WHOLE, {**BY_CONSENT, "transferBasis": NOT_PERSONAL}, PURPOSE, "transfer-basis-denied"),
        (Personal("subject", ""), BY_CONSENT, PURPOSE, "consent-source-needed"),
        (Personal("", "residents"), BY_CONSENT, PURPOSE, "subject-column-needed"),
    ],
)
def test_what_is_missing_has_a_code_a_sentence_and_a_way_on(
    personal: Personal, about: dict[str, str], purpose: str, code: str
) -> None:
    verdict = judge(personal, about, purpose, is_bound=True)
    assert (verdict.allowed, verdict.code) == (False, code)
    assert verdict.message
    assert verdict.fix


def test_rows_are_told_apart_where_and_only_where_the_basis_is_consent() -> None:
    for legal, transfer in itertools.product(LEGAL, set(TRANSFER) - {NOT_PERSONAL}):
        verdict = judge(WHOLE, {"legalBasis": legal, "transferBasis": transfer}, PURPOSE, is_bound=True)
        assert verdict.allowed
        assert verdict.by_consent == is_consent(legal) == ("Consent" in legal)


def test_an_agreement_by_consent_hands_out_nothing_of_which_nobody_said_whose_it_is() -> None:
    assert judge(None, BY_LAW, PURPOSE, is_bound=False).allowed
    assert judge(None, BY_CONSENT, PURPOSE, is_bound=True).code == "residents-unsaid"


FOR_RESEARCH = Atomic("c", "purpose", "isAnyOf", (PURPOSE,))
NOT_FOR_SALE = Atomic("c", "purpose", "isNoneOf", (DPV + "Marketing",))
UNTIL = Atomic("d", "dateTime", "lteq", ("2030-01-01T00:00:00Z",))


@pytest.mark.parametrize(
    ("constraints", "named"),
    [
        ((FOR_RESEARCH,), True), ((UNTIL, FOR_RESEARCH), True), ((), False), ((UNTIL,), False),
        ((NOT_FOR_SALE,), False),
        ((Logical("l", "and", (UNTIL, FOR_RESEARCH)),), True), ((Logical("l", "or", (UNTIL, FOR_RESEARCH)),), False),
        ((Logical("l", "or", (FOR_RESEARCH, FOR_RESEARCH)),), True), ((Logical("l", "xone", (UNTIL,)),), False),
    ],
)  # fmt: skip
def test_an_agreement_for_any_purpose_opens_nothing_about_residents(
    constraints: tuple[Constraint, ...], named: bool
) -> None:
    use = Rule("r", "permission", "use", constraints)
    assert names_purposes(Policy("p", (use,))) is named
    assert not names_purposes(Policy("p", (use, Rule("s", "permission", "use")))), "one that names none is enough"
    assert not names_purposes(Policy("p", ()))
    assert judge(WHOLE, BY_LAW, PURPOSE, is_bound=False).code == "purpose-needed"


def test_without_consent_as_the_basis_no_source_and_no_column_are_needed() -> None:
    assert judge(Personal(), BY_LAW, PURPOSE, is_bound=True).allowed


def test_an_agreement_names_bases_of_the_tables_or_none() -> None:
    assert read_about(BY_CONSENT) == BY_CONSENT
    assert read_about({"legalBasis": "", "transferBasis": ""}) == {}
    for bent in ({"legalBasis": "Consent"}, {"transferBasis": "friendship"}, {"legalBasis": 7}, {"transferBasis": [1]}):
        with pytest.raises(Malformed):
            read_about({**BY_CONSENT, **bent})
