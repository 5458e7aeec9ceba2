"""Cases of the ODRL Test Suite's kind, from Turtle: policy, request, state of the world and expected report.

Reads both the official suite and ours under `cases/`, which has the same parts and a few names more for what the suite
has no words for: counts, the moment of the agreement, when a duty was done, what a catalogue says of an asset.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from node.federation.policy import Atomic, Constraint, Duty, Logical, Policy, Request, Rule, World, compliance_report
from node.federation.policy.terms import ODRL, OWN, PROFILE

EX, REPORT = "http://example.org/", "https://w3id.org/force/compliance-report#"
DCT, RDF = "http://purl.org/dc/terms/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CLAIMS = {"purpose": "purpose", "recipient": "recipient", "spatial": "spatial", "deliveryChannel": "channel"}
KINDS = ("permission", "prohibition", "obligation")
PREMISES = ("ActionReport", "TargetReport", "PartyReport")


class Graph:
    """Triples, found by subject and predicate."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._found: dict[tuple[Any, str], list[Any]] = {}
        for text in texts:
            for quad in parse(text, format=RdfFormat.TURTLE):
                self._found.setdefault((quad.subject, quad.predicate.value), []).append(quad.object)

    def all(self, subject: Any, predicate: str) -> list[Any]:
        return sorted(self._found.get((subject, predicate), []), key=lambda term: term.value)

    def one(self, subject: Any, predicate: str) -> Any:
        return next(iter(self.all(subject, predicate)), None)

    def text(self, subject: Any, predicate: str) -> str:
        found = self.one(subject, predicate)
        return "" if found is None else str(found.value)

    def subjects(self, kind: str) -> list[Any]:
        found = [s for (s, p), o in self._found.items() if p == RDF + "type" and NamedNode(kind) in o]
        return sorted(found, key=lambda term: term.value)


@dataclass(frozen=True)
class Case:
    """One case; `expected` and what `found` gives have the same shape."""

    name: str
    title: str
    policy: Policy
    request: Request
    world: World
    expected: dict[str, dict[str, Any]]
    allowed: str = ""
    code: str = ""


def case_of(graph: Graph, node: Any) -> Case:
    policy, request, sotw, report = (
        graph.one(node, EX + name) for name in ("policy", "request", "sotw", "expectedReport")
    )
    return Case(
        node.value,
        graph.text(node, DCT + "title"),
        policy_of(graph, policy),
        request_of(graph, request),
        world_of(graph, sotw),
        {graph.text(one, REPORT + "rule"): _expected(graph, one) for one in graph.all(report, REPORT + "ruleReport")},
        graph.text(report, OWN + "allowed"),
        graph.text(report, OWN + "code"),
    )


def cases_in(folder: Path) -> list[Case]:
    """Read cases of which each file is complete in itself."""
    graphs = [Graph([path.read_text()]) for path in sorted(folder.glob("*.ttl"))]
    return [case_of(graph, node) for graph in graphs for node in graph.subjects(EX + "TestCase")]


def policy_of(graph: Graph, node: Any) -> Policy:
    """Read a policy; an agreement is under our profile, everything else core ODRL."""
    kind = graph.text(node, RDF + "type")
    rules = [_rule(graph, rule, kind) for kind in KINDS for rule in graph.all(node, ODRL + kind)]
    return Policy(node.value, tuple(rules), PROFILE if kind == ODRL + "Agreement" else "")


def _rule(graph: Graph, node: Any, kind: str) -> Rule:
    action = graph.one(node, ODRL + "action")
    refined = graph.one(action, RDF + "value") if action is not None else None
    refinements = [*graph.all(node, ODRL + "refinement"), *graph.all(action, ODRL + "refinement")]
    duties = [
        Duty(duty.value, _name(graph.text(duty, ODRL + "action")), _constraints(graph, duty))
        for duty in graph.all(node, ODRL + "duty")
    ]
    return Rule(
        node.value,
        kind,
        "" if action is None else _name((refined or action).value),
        _constraints(graph, node),
        tuple(duties),
        tuple(_constraint(graph, one) for one in refinements),
        graph.text(node, ODRL + "target"),
        graph.text(node, ODRL + "assignee"),
    )


def _constraints(graph: Graph, node: Any) -> tuple[Constraint, ...]:
    return tuple(_constraint(graph, one) for one in graph.all(node, ODRL + "constraint"))


def _constraint(graph: Graph, node: Any) -> Constraint:
    for kind in ("and", "or", "xone"):
        if parts := graph.all(node, ODRL + kind):
            return Logical(node.value, kind, tuple(_constraint(graph, part) for part in parts))
    left, operator = graph.text(node, ODRL + "leftOperand"), graph.text(node, ODRL + "operator")
    right = tuple(one.value for one in graph.all(node, ODRL + "rightOperand"))
    return Atomic(node.value, _name(left), operator.removeprefix(ODRL), right)


def _name(iri: str) -> str:
    return iri.removeprefix(ODRL).removeprefix(OWN)


def request_of(graph: Graph, node: Any) -> Request:
    asked = graph.one(node, ODRL + "permission")
    claims = {
        CLAIMS[graph.text(one, ODRL + "leftOperand").removeprefix(ODRL)]: graph.text(one, ODRL + "rightOperand")
        for one in graph.all(asked, ODRL + "constraint")
    }
    properties = {
        graph.text(one, EX + "name"): tuple(value.value for value in graph.all(one, EX + "value"))
        for one in graph.all(asked, EX + "property")
    }
    target, party = graph.text(asked, ODRL + "target"), graph.text(asked, ODRL + "assignee")
    action = _name(graph.text(asked, ODRL + "action"))
    return Request(action, target=target, party=party, properties=properties, **claims)


def world_of(graph: Graph, node: Any) -> World:
    included = graph.all(node, EX + "includes")
    now = graph.one(node, EX + "currentTime") or next((graph.one(one, DCT + "issued") for one in included), None)
    now_ms = _ms(now)
    performed = {
        graph.text(one, EX + "duty"): _ms(graph.one(one, EX + "performed")) for one in graph.all(node, EX + "duty")
    }
    violated = {one.value for one in graph.all(node, EX + "violated")}
    for report in (report for one in included for report in graph.all(one, REPORT + "ruleReport")):
        duty, state = graph.text(report, REPORT + "rule"), graph.text(report, REPORT + "deonticState")
        violated |= {duty} if state == REPORT + "Violated" else set()
        performed |= {duty: now_ms} if state == REPORT + "Fulfilled" else {}
    return World(
        now_ms,
        _ms(graph.one(node, EX + "agreedAt")),
        None if graph.text(node, EX + "counts") == "false" else _counts(graph, node),
        performed,
        frozenset(violated),
        _members(graph, node, included),
        None if graph.text(node, EX + "volumes") == "false" else _counts(graph, node, "volume"),
    )


def _counts(graph: Graph, node: Any, what: str = "count") -> dict[str, int]:
    return {graph.text(one, REPORT + "rule"): int(graph.text(one, EX + "value")) for one in graph.all(node, EX + what)}


def _members(graph: Graph, node: Any, included: list[Any]) -> dict[str, frozenset[str]]:
    found = {one.value: {whole.value for whole in graph.all(one, ODRL + "partOf")} for one in included}
    for one in graph.all(node, EX + "member"):
        found.setdefault(graph.text(one, EX + "part"), set()).add(graph.text(one, EX + "whole"))
    return {member: frozenset(wholes) for member, wholes in found.items()}


def _ms(moment: Any) -> int | None:
    if not isinstance(moment, Literal):
        return None
    return round(datetime.fromisoformat(moment.value).timestamp() * 1000)


# ---------------------------------------------------------------- reports


def _expected(graph: Graph, report: Any) -> dict[str, Any]:
    premises: dict[str, str] = {}
    ahead = graph.all(report, REPORT + "premiseReport")
    while ahead:
        one = ahead.pop()
        kind = graph.text(one, RDF + "type").removeprefix(REPORT)
        name = kind if kind in PREMISES else graph.text(one, REPORT + "constraint")
        premises[name] = graph.text(one, REPORT + "satisfactionState")
        ahead += graph.all(one, REPORT + "premiseReport")
    duties = {
        graph.text(one, REPORT + "rule"): graph.text(one, REPORT + "deonticState")
        for one in graph.all(report, REPORT + "conditionReport")
    }
    active = graph.text(report, REPORT + "activationState")
    return {"active": active == REPORT + "Active", "premises": premises, "duties": duties}


def found_by(case: Case) -> dict[str, dict[str, Any]]:
    """Give what our Compliance Report says of each rule."""
    report = compliance_report(case.policy, case.request, case.world)
    return {one["report:rule"]["@id"]: _found(one) for one in report["report:ruleReport"]}


def _found(report: dict[str, Any]) -> dict[str, Any]:
    premises: dict[str, str] = {}
    ahead = list(report.get("report:premiseReport", ()))
    while ahead:
        one = ahead.pop()
        kind = one["@type"].removeprefix("report:")
        name = kind if kind in PREMISES else one["report:constraint"]["@id"]
        premises[name] = _whole(one["report:satisfactionState"]["@id"])
        ahead += one.get("report:premiseReport", ())
    duties = {
        one["report:rule"]["@id"]: _whole(one["report:deonticState"]["@id"])
        for one in report.get("report:conditionReport", ())
    }
    return {
        "active": report["report:activationState"]["@id"] == "report:Active",
        "premises": premises,
        "duties": duties,
    }


def _whole(name: str) -> str:
    return name.replace("report:", REPORT).replace("citynode-odrl:", OWN)
