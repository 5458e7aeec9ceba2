import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Malformed
from node.federation.policy import read_rules, terms, wording
from node.federation.policy.model import Atomic, Constraint, Duty, Logical, Policy, Rule
from node.federation.policy.reading import rebased
from node.federation.policy.sentences import (
    Parties,
    Sentence,
    Terms,
    parse,
    plain,
    read_plain,
    sections,
    sentences,
)
from tests.federation.policy.strategies import policies

ID = "https://helsinki.example/agreements/1"
PARTIES = Parties("Helsinki", "London", {"https://london.example": "London", "urn:x:y": "Some <other> name"})
DPV = "https://w3id.org/dpv#"
LANGS = wording.LANGUAGES


def policy_of(*rules: Rule) -> Policy:
    return rebased(Policy(ID, rules), ID)


def permission(action: str = "use", *constraints: Constraint, duties: tuple[Duty, ...] = ()) -> Rule:
    return Rule("", terms.PERMISSION, action, constraints, duties)


def atomic(left: str, operator: str, *right: str) -> Atomic:
    return Atomic("", left, operator, right)


def number_of(said: list[Sentence], clause: str) -> str:
    return next((one.number for one in said if clause in one.clauses), "")


def texts(policy: Policy, lang: str = "en", about: dict | None = None, parties: Parties = PARTIES) -> dict[str, str]:
    return {one.number: one.text for one in sentences(policy, about or {}, parties, lang)}


# ------------------------------------------------------------- the law


@settings(max_examples=40)
@given(policies(ID))
def test_the_rules_read_back_from_their_sentences_are_the_same_rules_in_every_language(policy: Policy) -> None:
    for lang in LANGS:
        said = sentences(policy, {}, PARTIES, lang)
        assert parse(said, PARTIES, lang, policy_id=ID) == policy


@settings(max_examples=10)
@given(policies(ID), st.sampled_from(LANGS))
def test_the_plain_text_alone_gives_the_rules_back(policy: Policy, lang: str) -> None:
    about = {"title": "2.1 London may sell what is covered.", "note": "x\n2.9 London may sell what is covered."}
    text = plain(Terms(policy, about, PARTIES), lang)
    assert parse(read_plain(text), PARTIES, lang, policy_id=ID) == policy


@pytest.mark.parametrize(
    "name", ["London", "City of London", "may not", "2.1", "London must tell", "a <b> “c”", "Ле-Мон", "tai, ja"]
)
def test_whatever_a_city_is_called_its_sentences_give_the_rules_back(name: str) -> None:
    duty = Duty("", "inform", (atomic("elapsedTime", "lteq", "P30D"),))
    policy = policy_of(permission("read", atomic("recipient", "isAnyOf", "urn:x:y"), duties=(duty,)))
    for lang in LANGS:
        for parties in (Parties(name, "London"), Parties("Helsinki", name), Parties(name)):
            assert parse(sentences(policy, {}, parties, lang), parties, lang, policy_id=ID) == policy


def test_every_term_of_the_profile_has_words() -> None:
    pairs = {(operand.name, operator) for operand in terms.OPERANDS.values() for operator in operand.operators}
    assert pairs == wording.CONSTRAINTS.keys()
    deadlines = {(left, operator) for left, operator in pairs if terms.OPERANDS[left].deadline}
    assert {pair for pair in deadlines if pair[1] in ("lt", "lteq")} == wording.DEADLINES.keys()
    granted = {one.name for one in terms.ACTIONS.values() if one.kinds & {terms.PERMISSION, terms.PROHIBITION}}
    assert granted == {name for name in wording.ACTIONS if not name.startswith("not:")}
    owed = {one.name for one in terms.ACTIONS.values() if terms.DUTY in one.kinds}
    assert owed == {name for name in wording.DUTIES if ":" not in name}
    assert terms.LOGIC.keys() == wording.LOGIC.keys()
    assert terms.CHANNELS.keys() == wording.CHANNELS.keys()


def test_an_exact_text_is_shown_as_it_is_and_what_would_turn_the_line_is_escaped() -> None:
    policy = policy_of(permission("use", atomic("recipient", "isAnyOf", "urn:a\u202e>b", "urn:b")))
    said = texts(policy)["2.1"]
    assert said.isprintable()
    assert "<urn:a\\u{202e}\\u{3e}b> or <urn:b>" in said
    assert parse(sentences(policy, {}, PARTIES, "en"), PARTIES, "en", policy_id=ID) == policy


# ------------------------------------------------------------- what it reads like


def test_a_permission_says_who_what_for_what_and_until_when() -> None:
    purpose = atomic("purpose", "isAnyOf", DPV + "PublicPolicyMaking", DPV + "AcademicResearch")
    policy = policy_of(permission("use", purpose, atomic("dateTime", "lt", "2028-01-01T00:00:00Z")))
    assert texts(policy)["2.1"] == (
        "London may fetch the covered data and use them, but only for the purpose of “Public Policy Making” or"
        " “Academic Research” or a kind of any of these and until the end of 31 December 2027."
    )
    assert texts(policy, "fi")["2.1"].endswith("ja 31. joulukuuta 2027 loppuun asti.")
    assert texts(policy, "sv")["2.1"].endswith("och till utgången av den 31 december 2027.")


def test_what_is_joined_stands_in_lists_with_marks_of_their_own() -> None:
    inner = Logical("", "and", (atomic("count", "lteq", "1000"), atomic("recipient", "eq", "https://london.example")))
    joined = Logical("", "or", (atomic("dateTime", "gt", "2027-01-01T12:30:00Z"), inner))
    policy = policy_of(permission("read", joined, atomic("elapsedTime", "lt", "PT24H")))
    assert texts(policy)["2.1"] == (
        "London may search and read the covered records at their origin, but only under all of these conditions:"
        " (1) where at least one of these holds: (a) after 12:30 UTC on 1 January 2027;"
        " (b) where all of these hold: (i) at most 1,000 times in all;"
        " (ii) for the recipient London <https://london.example> alone;"
        " (2) less than 24 hours after the making of this agreement."
    )


def test_neighbours_that_differ_in_their_action_share_a_sentence_and_duties_name_every_clause_that_owes_them() -> None:
    owed = Duty("", "attribute")
    other = permission("use", atomic("count", "lteq", "1"), duties=(owed, Duty("", "inform")))
    policy = policy_of(permission("index", duties=(owed,)), permission("read", duties=(owed,)), other)
    said = sentences(policy, {}, PARTIES, "en")
    by_number = {one.number: one for one in said}
    assert by_number["2.1"].text == (
        "London may (a) mirror the covered records and search the mirror and"
        " (b) search and read the covered records at their origin."
    )
    assert by_number["3.1"].text == "For what is allowed in 2.1 and 2.2, London must name Helsinki as the source."
    assert by_number["3.2"].text == "For what is allowed in 2.2, London must tell Helsinki what it did."
    assert by_number["2.1"].clauses == (f"{ID}#p1", f"{ID}#p2")
    assert by_number["3.1"].clauses == (f"{ID}#p1-d1", f"{ID}#p2-d1", f"{ID}#p3-d1")
    assert [one.clause for one in said if one.number.startswith(("2.1", "2.2", "3."))] == ["p1", "p3", "p1-d1", "p3-d2"]


def test_every_rule_constraint_and_duty_is_found_under_a_number() -> None:
    duty = Duty("", "delete", (atomic("dateTime", "lt", "2028-02-01T00:00:00Z"),))
    joined = Logical("", "xone", (atomic("count", "lt", "5"),))
    forbidden = Rule("", terms.PROHIBITION, "sell")
    policy = policy_of(permission("use", joined, duties=(duty,)), forbidden, Rule("", terms.OBLIGATION, "reviewPolicy"))
    said = sentences(policy, {}, PARTIES, "sv")
    found = {
        name: number_of(said, f"{ID}#{name}") for name in ("p1", "p1-c1", "p1-c1-1", "p1-d1", "p1-d1-c1", "n1", "o1")
    }
    assert found == {
        "p1": "2.1", "p1-c1": "2.1", "p1-c1-1": "2.1", "p1-d1": "3.1", "p1-d1-c1": "3.1", "n1": "2.2", "o1": "3.2",
    }  # fmt: skip
    assert number_of(said, f"{ID}#p9") == ""


def test_the_same_clause_stands_in_the_terms_of_the_profile_beside_the_sentence() -> None:
    joined = Logical("", "or", (atomic("purpose", "isA", DPV + "PublicBenefit"), atomic("count", "lt", "5")))
    said = sentences(policy_of(permission("use", joined)), {}, PARTIES, "en")
    machine = next(one.machine for one in said if one.number == "2.1")
    assert machine == "permission: use · or(purpose isA dpv:PublicBenefit; count lt 5)"


def test_an_offer_speaks_of_the_other_city() -> None:
    policy = policy_of(permission("index", duties=(Duty("", "attribute"),)))
    said = texts(policy, parties=Parties("Helsinki"), about={"covers": ["https://helsinki.example/collections/open"]})
    assert said["1.1"] == "Helsinki opens this to the other city: <https://helsinki.example/collections/open>."
    assert said["2.1"].startswith("The other city may mirror")
    assert said["3.1"] == "For what is allowed in 2.1, the other city must name Helsinki as the source."


def test_what_stands_beside_the_rules_is_said_too() -> None:
    about = {
        "title": "Plans", "template": "restricted-data/1", "covers": ["https://h.example/collections/plans"],
        "partOf": "https://h.example/declarations/1", "replaces": f"{ID}0", "public": True, "review": "2027-11-30",
        "contacts": ["data@h.example", "data@l.example"], "note": "The data contain no personal data.",
    }  # fmt: skip
    said = " ".join(texts(policy_of(permission()), about=about).values())
    for shown in (
        "<https://h.example/collections/plans>", "<https://h.example/declarations/1>", f"<{ID}0>",
        "Both cities publish", "30 November 2027", "data@h.example; data@l.example",
        "The data contain no personal data.", "restricted-data/1",
    ):  # fmt: skip
        assert shown in said


def test_a_deletion_is_due_when_the_agreement_ends_or_by_its_own_deadline() -> None:
    by = Duty("", "delete", (atomic("dateTime", "lt", "2028-02-01T00:00:00Z"),))
    said = texts(policy_of(permission("use", duties=(Duty("", "delete"), by))))
    assert said["3.1"].endswith("delete its copies of what is covered when this agreement ends.")
    assert said["3.2"].endswith("delete its copies of what is covered, at the latest by the end of 31 January 2028.")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (("2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"), "The last permission ends with 31 December 2028;"),
        (("2028-01-01T12:00:00Z",), "The last permission ends at 12:00 UTC on 1 January 2028;"),
        (("2028-01-01T00:00:00Z", ""), "This agreement names no last day;"),
    ],
)
def test_the_last_day_is_that_of_the_permission_that_ends_last(ends: tuple[str, ...], said: str) -> None:
    rules = [permission("use", *([atomic("dateTime", "lt", end)] if end else [])) for end in ends]
    assert texts(policy_of(*rules))["4.1"].startswith(said)


def test_no_last_day_is_named_where_a_length_of_time_ends_it() -> None:
    said = texts(policy_of(permission("use", atomic("elapsedTime", "lteq", "P1Y"))))
    assert said["4.1"].startswith("Either city may suspend or revoke it")


def test_how_unknown_facts_and_kinds_are_decided_is_said_where_it_matters() -> None:
    bare = texts(policy_of(permission()))
    assert "2.2" in bare
    assert "2.3" not in bare
    full = texts(policy_of(permission("use", atomic("purpose", "isA", DPV + "PublicBenefit"))))
    assert full["2.3"].startswith("A condition that nobody can tell")
    assert full["2.4"].startswith("A purpose takes in its kinds")


# ------------------------------------------------------------- refusals


def test_a_sentence_with_one_word_changed_is_refused() -> None:
    said = sentences(policy_of(permission("use", atomic("count", "lteq", "10"))), {}, PARTIES, "en")
    changed = [Sentence("", one.number, one.text.replace("at most", "at least")) for one in said]
    with pytest.raises(Malformed, match="says nothing that a rule can say"):
        parse(changed, PARTIES, "en")


def test_a_duty_for_a_clause_that_allows_nothing_is_refused() -> None:
    said = [
        Sentence("", "2.1", "London may not sell what is covered."),
        Sentence("", "3.1", "For what is allowed in 2.1, London must name Helsinki as the source."),
    ]
    with pytest.raises(Malformed, match=r"clause 2\.1"):
        parse(said, PARTIES, "en")


def test_a_rule_that_narrows_its_target_or_its_parties_is_never_shown_as_something_near_it() -> None:
    for odd in ({"target": "urn:x"}, {"assignee": "urn:x"}, {"refinements": (atomic("urn:p", "eq", "x"),)}):
        with pytest.raises(Malformed, match="narrows"):
            sentences(Policy(ID, (Rule(f"{ID}#p1", terms.PERMISSION, "use", **odd),)), {}, PARTIES, "en")


def test_a_term_without_words_is_refused() -> None:
    with pytest.raises(Malformed, match="cannot be said"):
        sentences(policy_of(permission("use", atomic("purpose", "lt", "x"))), {}, PARTIES, "en")


@pytest.mark.parametrize("lang", ["de", "", "EN"])
def test_a_language_that_is_not_written_is_refused(lang: str) -> None:
    with pytest.raises(Malformed, match="not written"):
        plain(Terms(policy_of(permission()), {"title": "x"}, PARTIES), lang)


def test_rules_may_come_as_json() -> None:
    rules = {"permission": [{"action": "odrl:index"}]}
    assert sections(Terms(rules, {}, PARTIES), "en") == sections(
        Terms(read_rules(rules, policy_id="urn:citynode:sentences"), {}, PARTIES), "en"
    )
