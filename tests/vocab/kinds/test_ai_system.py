"""Laws of the table of AI systems: all that the standards ask for has a field, risks are a chain, data is apart."""

import pytest

from node.vocab.kinds import TABLES, ai_codes, example_of, mapping
from node.vocab.kinds.ai_system import TABLE
from node.vocab.kinds.field import Code, Codes, Field
from node.vocab.kinds.mapping import Each, Group, Leaf, Rule
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import payload_of
from node.vocab.terms import AIRO, CN, DPV, DPV_AI

RECORD = "https://city.example/ai-systems/x"
# The required attributes of the Algorithmic Transparency Standard 0.3.1, but its own version and the language.
REQUIRED = (
    "publication_date last_change_date revision_date name organization department country contact_email"
    " description_short status decision_making_process domain area goal impact risks risk_category proportionality"
    " lawful_basis training_data source_data connected_data_sources algorithm_type type monitoring human_intervention"
    " objection_procedure"
)
ALL_CODES = [each for each in vars(ai_codes).values() if isinstance(each, Codes)]


def leaves(rules: tuple[Rule, ...]) -> list[Leaf]:
    found = []
    for rule in rules:
        inside = rule.parts if isinstance(rule, Group) else (rule.rules,) if isinstance(rule, Each) else ()
        found += [leaf for part in inside for leaf in leaves(part)] or ([rule] if isinstance(rule, Leaf) else [])
    return found


@pytest.mark.parametrize("attribute", REQUIRED.split())
def test_what_the_standard_of_the_cities_requires_has_a_field(attribute: str) -> None:
    reads = [leaf.field for leaf in leaves(mapping.builtin("eurocities-0.3.1").rules) if attribute in leaf.paths]
    assert len(reads) == 1
    # Dates of the entry are filled in as it is published; the AI Act's class is no law everywhere.
    if attribute not in ("publication_date", "last_change_date", "risk_category", "contact_email"):
        assert reads[0].need in ("must", "should")


def test_a_risk_leads_to_its_consequence_its_impact_and_what_is_done() -> None:
    risk = {
        "description": {"en": "Misread"},
        "consequence": {"description": {"en": "A fine"}, "impact": {"description": {"en": "An appeal"}}},
        "mitigation": [{"description": {"en": "A person looks"}}],
    }
    said = example_of(TABLE) | {"risks": [risk]}
    text = payload_of(TABLE, RECORD, said).decode()
    node = f"{RECORD}#risks-001"
    assert f"<{RECORD}> <{AIRO.hasRisk}> <{node}> ." in text
    assert f"<{node}> <{AIRO.hasConsequence}> <{node}-consequence-001> ." in text
    assert f"<{node}-consequence-001> <{AIRO.hasImpact}> <{node}-consequence-001-impact-001> ." in text
    assert f"<{node}> <{DPV.isMitigatedByMeasure}> <{node}-mitigation-001> ." in text
    assert said_in(TABLE, RECORD, text.encode())["risks"] == [risk]


def test_development_and_operational_data_are_apart() -> None:
    development, operational = TABLE.field("development_data"), TABLE.field("operational_data")
    assert development
    assert operational
    assert (development.term, operational.term) == (DPV_AI.hasTrainingData, DPV_AI.hasData)
    for each in (development, operational):
        link = each.field("datasets")
        assert link
        assert link.to == ("dataset", "dataset-series", "data-service")
        assert set(link.back) == {"en", "fi", "sv"}


def test_the_class_of_the_ai_act_may_be_left_out() -> None:
    found = TABLE.field("risk_level")
    assert found
    assert found.need == "may"
    assert TABLES["ai-system"] is TABLE


def fields(several: tuple[Field, ...]) -> list[Field]:
    return [each for one in several for each in (one, *fields(one.fields))]


def test_only_terms_of_ours_have_a_reason() -> None:
    wrong = [each.name for each in fields(TABLE.fields) if (each.term in CN) != bool(each.reason)]
    assert not wrong


@pytest.mark.parametrize("codes", ALL_CODES, ids=lambda codes: codes.name)
def test_codes_are_distinct_and_found_by_their_iri(codes: Codes) -> None:
    def iri(code: Code) -> str:
        return codes.iri_of(code.code)

    assert len({each.code for each in codes.codes}) == len({iri(each) for each in codes.codes}) == len(codes.codes)
    assert all(codes.by_iri(iri(each)) is each for each in codes.codes)
    assert all(set(each.label) == {"en", "fi", "sv"} and all(each.label.values()) for each in codes.codes)
