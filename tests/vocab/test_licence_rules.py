"""Laws of licences together: may they be combined, what must be done, and that every answer has a source."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import Malformed
from node.vocab import licence_rules as rules
from node.vocab.licence_rules import combine, main_codes, rule_of
from node.vocab.lists import LICENCES

KNOWN = sorted(code for code in (concept.code for concept in LICENCES) if rule_of(code))
IRI = "http://publications.europa.eu/resource/authority/licence/"

# What lawyers of the licences' own houses say; the sources stand in the tables.
SAID = [
    (("CC_BY_4_0", "OGL_3_0"), "yes", "yes", ()),
    (("CC_BY_4_0", "CC0", "ODC_BY"), "yes", "yes", ()),
    (("CC_BY_4_0", "ODC_BL"), "ask", "yes", ("ODC_BL",)),
    (("NLOD_2_0", "ODC_BL"), "ask", "yes", ("ODC_BL",)),
    (("OGL_3_0", "ODC_BL"), "yes", "yes", ("ODC_BL",)),
    (("CC_BYSA_4_0", "ODC_BL"), "no", "yes", ()),
    (("CC_BYSA_3_0", "CC_BYSA_4_0"), "yes", "yes", ("CC_BYSA_4_0",)),
    (("CC_BYSA_4_0", "CC_BYNC_4_0"), "no", "no", ()),
    (("CC_BYNC_4_0", "CC_BYNCSA_4_0"), "yes", "no", ("CC_BYNCSA_4_0",)),
    (("CC_BYSA_4_0", "CC_BYNCSA_4_0"), "no", "no", ()),
    (("CC_BYND_4_0", "CC0"), "no", "yes", ()),
    (("CC_BYND_4_0", "CC_BYND_4_0"), "no", "yes", ()),
    (("IODL_1_0", "ODC_BL"), "yes", "yes", ("ODC_BL",)),
    (("IODL_1_0", "IODL_2_0"), "yes", "yes", ("IODL_1_0", "CC_BYSA_3_0", "CC_BYSA_4_0", "ODC_BL")),
    (("DLDE_BY_2_0", "ETALAB_2_0"), "yes", "yes", ()),
    (("CC0", ""), "ask", "ask", ()),
    (("CC0", "https://city.example/terms"), "ask", "ask", ()),
    (("CC0", "MIT"), "ask", "ask", ()),
]


@pytest.mark.parametrize(("codes", "may", "commercial", "result"), SAID)
def test_pairs_are_answered_as_their_texts_say(
    codes: tuple[str, ...], may: str, commercial: str, result: tuple[str, ...]
) -> None:
    found = combine(codes)
    assert (found.may, found.commercial, found.result) == (may, commercial, result)


def test_three_share_alike_licences_of_which_each_two_go_together_need_one_for_all() -> None:
    assert combine(["IODL_1_0", "ODC_BL"]).may == combine(["IODL_1_0", "CC_BYSA_3_0"]).may == "yes"
    assert combine(["IODL_1_0", "ODC_BL", "CC_BYSA_3_0"]).may == "no"


licences = st.lists(st.sampled_from([*KNOWN, "", "MIT", "https://x.example/"]), min_size=1, max_size=6)


@settings(max_examples=20)
@given(licences)
def test_order_and_repetition_change_nothing(codes: list[str]) -> None:
    one, other = combine([*codes, codes[0]]), combine([codes[0], *reversed(codes), *codes])
    assert (one.may, one.commercial, set(one.result)) == (other.may, other.commercial, set(other.result))
    assert {due.code for due in one.duties} == {due.code for due in other.duties}


@settings(max_examples=20)
@given(licences, st.sampled_from(KNOWN))
def test_one_more_licence_never_turns_a_no_into_a_yes_nor_takes_a_duty_away(codes: list[str], more: str) -> None:
    before, after = combine([*codes, codes[0]]), combine([*codes, codes[0], more])
    order = ("no", "ask", "yes")
    assert order.index(after.may) <= order.index(before.may)
    assert {due.code for due in before.duties} <= {due.code for due in after.duties}
    assert before.commercial != "no" or after.commercial == "no"


@settings(max_examples=20)
@given(licences)
def test_every_answer_says_why_in_each_language(codes: list[str]) -> None:
    found = combine(codes)
    assert found.reasons
    for language in ("en", "fi", "sv", "nl"):
        said = [found.sentence(language), *(each.sentence(language) for each in (*found.reasons, *found.duties))]
        assert all(text and "{" not in text for text in said)


@settings(max_examples=20)
@given(licences)
def test_a_result_carries_every_condition_of_its_parts(codes: list[str]) -> None:
    found = combine([*codes, codes[0]])
    for code in found.result:
        rule = rule_of(code)
        assert rule is not None
        assert code in rule.accepts, "what is published under it can be published under it again"
        assert found.commercial != "no" or "non-commercial" in rule.duties or found.may != "yes"


def test_a_code_an_iri_and_another_name_are_one_licence() -> None:
    assert combine([IRI + "CC_BY_4_0"]) == combine(["CC_BY_4_0"])
    assert [due.code for due in combine(["CC_BY"]).duties] == [due.code for due in combine(["CC_BY_4_0"]).duties]


@pytest.mark.parametrize("code", KNOWN)
def test_rules_and_the_table_of_licences_say_the_same(code: str) -> None:
    concept, rule = LICENCES.by_code(code), rule_of(code)
    assert concept is not None
    assert rule is not None
    assert rule.sources
    assert all(source.startswith(("https://", "http://")) for source in rule.sources)
    assert (concept.facts["commercial"] == "n") == ("non-commercial" in rule.duties)
    assert (concept.facts["changes"] == "n") == ("no-changes" in rule.duties)
    assert (concept.facts["share_alike"] == "y") == bool(rule.accepts) == ("share-alike" in rule.duties)
    assert (concept.facts["attribution"] == "y") == ("name-source" in rule.duties)
    assert all(rule_of(other) for other in rule.accepts)


def test_every_word_is_used_and_every_pair_is_of_licences_we_read() -> None:
    used = {f"duty.{duty}" for code in KNOWN if (rule := rule_of(code)) for duty in rule.duties}
    used |= {f"verdict.{answer}" for answer in ("yes", "no", "ask")} | {"apart"}
    whys = {why for _, why, _ in rules._pairs().values()}
    made = {"unknown", "none", "unread", "no-changes", "share-alike", "commercial", "result", "attribution", "free"}
    used |= {f"why.{why}" for why in whys | made}
    assert set(rules._words()) == used
    assert all(rule_of(one) and rule_of(other) for one, other in rules._pairs())
    assert all(source for _, _, source in rules._pairs().values())


def test_the_matrix_shows_the_licences_that_cities_use() -> None:
    wanted = {"CC_BY_4_0", "CC0", "CC_BYSA_4_0", "ODC_BL", "ODC_BY", "ODC_PDDL", "OGL_3_0", "DLDE_BY_2_0"}
    assert wanted | {"ETALAB_2_0", "IODL_2_0", "NLOD_2_0"} <= set(main_codes())
    assert all(combine(pair).may in ("yes", "no", "ask") for pair in itertools.product(main_codes(), repeat=2))


@pytest.mark.parametrize("codes", [[], [f"https://x.example/{n}" for n in range(51)]])
def test_nothing_and_too_much_are_refused(codes: list[str]) -> None:
    with pytest.raises(Malformed, match="cannot be combined"):
        combine(codes)
