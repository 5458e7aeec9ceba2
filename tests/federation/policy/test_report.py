"""Compliance Reports: every part named, no blank nodes, the same for the same facts, and true to the decision."""

import json

from pyoxigraph import BlankNode, RdfFormat, parse

from node.federation.policy import Request, World, compliance_report, evaluate, read_rules, terms

IRI = "https://helsinki.example/agreements/1"
REPORT = "https://w3id.org/force/compliance-report#"
POLICY = read_rules(
    {
        "permission": [
            {
                "action": "odrl:read",
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": terms.DPV + "ResearchAndDevelopment"},
                    {
                        "or": [
                            {"leftOperand": "count", "operator": "lteq", "rightOperand": "3"},
                            {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "P1M"},
                        ]
                    },
                ],
                "duty": [
                    {
                        "action": "odrl:delete",
                        "constraint": [
                            {"leftOperand": "dateTime", "operator": "lt", "rightOperand": "2030-01-01T00:00:00Z"}
                        ],
                    }
                ],
            }
        ],
        "prohibition": [{"action": "odrl:sell"}],
        "obligation": [{"action": "odrl:inform"}],
    },
    policy_id=IRI,
)
WORLD = World(1_800_000_000_000, 1_799_999_000_000, {f"{IRI}#p1": 2})
ASKED = Request("read", purpose=terms.DPV + "AcademicResearch", recipient="https://london.example")


def quads_of(report: dict) -> list:
    return list(parse(json.dumps(report), format=RdfFormat.JSON_LD))


def test_a_report_is_linked_data_in_which_everything_has_a_name() -> None:
    quads = quads_of(compliance_report(POLICY, ASKED, WORLD))
    assert not [quad for quad in quads if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode)]
    said = {quad.predicate.value.removeprefix(REPORT) for quad in quads}
    assert {"policy", "policyRequest", "ruleReport", "rule", "ruleRequest", "activationState"} <= said
    assert {"premiseReport", "conditionReport", "deonticState", "performanceState", "satisfactionState"} <= said
    assert {"constraint", "constraintLogicalOperand", "constraintLeftOperand", "constraintRightOperand"} <= said


def test_a_report_says_what_was_decided_and_with_what_was_compared() -> None:
    report = compliance_report(POLICY, ASKED, WORLD)
    assert report["citynode-odrl:allowed"] is True
    assert report["citynode-odrl:clause"] == {"@id": f"{IRI}#p1"}
    assert report["dct:created"]["@value"] == "2027-01-15T08:00:00.000Z"
    purpose, joined = report["report:ruleReport"][0]["report:premiseReport"][1:]
    assert purpose["report:constraintLeftOperand"] == ASKED.purpose
    assert [one["report:constraintLeftOperand"] for one in joined["report:premiseReport"]] == ["3", "PT1000S"]
    prohibition, obligation = report["report:ruleReport"][1:]
    assert prohibition["report:activationState"] == {"@id": "report:Inactive"}
    assert obligation["report:deonticState"] == {"@id": "report:NonSet"}


def test_a_no_has_its_code_and_what_was_not_said_is_unknown() -> None:
    report = compliance_report(POLICY, Request("read"), WORLD)
    assert evaluate(POLICY, Request("read"), WORLD).code == report["citynode-odrl:code"] == "unknown"
    states = {quad.object.value for quad in quads_of(report) if quad.predicate.value == REPORT + "satisfactionState"}
    assert terms.OWN + "Unknown" in states


def test_the_same_facts_give_the_same_report_and_others_another() -> None:
    assert compliance_report(POLICY, ASKED, WORLD) == compliance_report(POLICY, ASKED, WORLD)
    others = [
        compliance_report(POLICY, Request("index"), WORLD),
        compliance_report(POLICY, ASKED, World(1_800_000_000_001)),
    ]
    assert len({one["@id"] for one in (*others, compliance_report(POLICY, ASKED, WORLD))}) == 3


def test_a_report_without_a_clock_has_no_date() -> None:
    assert "dct:created" not in compliance_report(POLICY, ASKED, World(None))
