"""An ODRL Compliance Report on one request: which clause was active, and what each of its parts came to, as JSON-LD.

Vocabulary: Compliance Report Model 0.9, to which we add a third state of satisfaction (unknown) and the decision as a
whole. Made on demand from the plain evaluator, for audits and for people who ask why. Every part has an IRI; the same
policy, request and moment give the same report, so two cities can compare theirs.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from node.federation.policy import terms, values
from node.federation.policy.evaluate import (
    DutyState,
    Finding,
    Judged,
    Request,
    Truth,
    World,
    assess,
    evaluate,
)
from node.federation.policy.model import Atomic, Duty, Policy

_REPORT = "https://w3id.org/force/compliance-report#"
_CONTEXT = {
    "report": _REPORT,
    "odrl": terms.ODRL,
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "citynode-odrl": terms.OWN,
}
_RULES = {
    terms.PERMISSION: "report:PermissionReport",
    terms.PROHIBITION: "report:ProhibitionReport",
    terms.OBLIGATION: "report:DutyReport",
}
_PREMISES = {"action": "report:ActionReport", "target": "report:TargetReport", "party": "report:PartyReport"}
_SATISFACTION = {
    Truth.SATISFIED: "report:Satisfied",
    Truth.UNSATISFIED: "report:Unsatisfied",
    Truth.UNKNOWN: "citynode-odrl:Unknown",
}
# Performance and deontic state of a duty.
_DUTY = {
    DutyState.FULFILLED: ("report:Performed", "report:Fulfilled"),
    DutyState.VIOLATED: ("report:Unperformed", "report:Violated"),
    DutyState.NOT_SET: ("report:Unknown", "report:NonSet"),
}


def compliance_report(policy: Policy, request: Request, world: World) -> dict[str, Any]:
    """Report on every rule of the policy, in order, and on the decision."""
    stem = "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, repr((policy.id, request, world.now_ms))))
    decision = evaluate(policy, request, world)
    findings = assess(policy, request, world)
    report: dict[str, Any] = {
        "@context": _CONTEXT,
        "@id": stem,
        "@type": "report:PolicyReport",
        "report:policy": {"@id": policy.id},
        "report:policyRequest": _request(request, f"{stem}#request"),
        "report:ruleReport": [_rule(one, f"{stem}#{number}", stem) for number, one in enumerate(findings, 1)],
        "citynode-odrl:allowed": decision.allowed,
    }
    if world.now_ms is not None:
        report["dct:created"] = {"@value": values.time_text(world.now_ms), "@type": "xsd:dateTime"}
    if decision.code:
        report["citynode-odrl:code"] = decision.code
    if decision.clause:
        report["citynode-odrl:clause"] = {"@id": decision.clause}
    return report


def _request(request: Request, request_id: str) -> dict[str, Any]:
    action = terms.ACTIONS.get(request.action)
    asked: dict[str, Any] = {
        "@id": f"{request_id}-1",
        "odrl:action": {"@id": action.iri if action else terms.ODRL + request.action},
    }
    for member, value in (("odrl:target", request.target), ("odrl:assignee", request.party)):
        if value:
            asked[member] = {"@id": value}
    claims = (
        ("purpose", request.purpose),
        ("recipient", request.recipient),
        ("spatial", request.spatial),
        ("deliveryChannel", request.channel),
    )
    said = [
        {
            "@id": f"{request_id}-1-{name}",
            "odrl:leftOperand": {"@id": terms.OPERANDS[name].iri},
            "odrl:operator": {"@id": terms.OPERATORS["eq"].iri},
            "odrl:rightOperand": value,
        }
        for name, value in claims
        if value
    ]
    if said:
        asked["odrl:constraint"] = said
    return {"@id": request_id, "@type": "odrl:Request", "odrl:permission": asked}


def _rule(finding: Finding, report_id: str, stem: str) -> dict[str, Any]:
    rule = finding.rule
    report: dict[str, Any] = {
        "@id": report_id,
        "@type": _RULES[rule.kind],
        "report:rule": {"@id": rule.id},
        "report:ruleRequest": {"@id": f"{stem}#request-1"},
        "report:attemptState": {"@id": "report:Attempted"},
        "report:activationState": {"@id": "report:Active" if finding.active else "report:Inactive"},
    }
    premises = [
        {"@id": f"{report_id}-{name}", "@type": _PREMISES[name], **_satisfaction(verdict)}
        for name, verdict in finding.premises.items()
    ]
    premises += _constraints(finding.refinements, f"{report_id}-r") + _constraints(
        finding.constraints, f"{report_id}-c"
    )
    if premises:
        report["report:premiseReport"] = premises
    if rule.kind == terms.OBLIGATION:
        report |= _states(finding.duties[0][1])
    elif finding.duties:
        report["report:conditionReport"] = [
            _duty(duty, state, f"{report_id}-d{number}") for number, (duty, state) in enumerate(finding.duties, 1)
        ]
    return report


def _duty(duty: Duty, state: DutyState, report_id: str) -> dict[str, Any]:
    return {"@id": report_id, "@type": "report:DutyReport", "report:rule": {"@id": duty.id}, **_states(state)}


def _states(state: DutyState) -> dict[str, Any]:
    performed, deontic = _DUTY[state]
    return {"report:performanceState": {"@id": performed}, "report:deonticState": {"@id": deontic}}


def _constraints(judged: Sequence[Judged], stem: str) -> list[dict[str, Any]]:
    return [_constraint(one, f"{stem}{number}") for number, one in enumerate(judged, 1)]


def _constraint(judged: Judged, report_id: str) -> dict[str, Any]:
    constraint = judged.constraint
    report: dict[str, Any] = {
        "@id": report_id,
        "@type": "report:ConstraintReport",
        "report:constraint": {"@id": constraint.id},
        **_satisfaction(judged.verdict),
    }
    if not isinstance(constraint, Atomic):
        report["report:constraintLogicalOperand"] = {"@id": terms.ODRL + constraint.kind}
        report["report:premiseReport"] = _constraints(judged.parts, f"{report_id}-")
        return report
    report["report:constraintOperator"] = {"@id": terms.ODRL + constraint.operator}
    report["report:constraintRightOperand"] = list(constraint.right)
    if judged.found:
        report["report:constraintLeftOperand"] = judged.found
    return report


def _satisfaction(verdict: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a verdict
    return {"report:satisfactionState": {"@id": _SATISFACTION[Truth.of(verdict)]}}
