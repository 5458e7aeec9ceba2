"""The profile said five times says one thing: terms.py, profile.ttl, the context, the JSON Schema and the SHACL shapes.

Agreements that use everything the profile has are accepted by reader, schema and shapes; each of a list of faults is
refused by all three.
"""

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pyld import jsonld
from pyoxigraph import RdfFormat, parse, serialize
from rdflib import Graph

from node.errors import Refused
from node.federation.agreements.text import compose, read_text
from node.federation.policy import places, terms
from node.federation.signing.integrity import jcs

AGREEMENTS = files("agreements")
PROFILE = AGREEMENTS.joinpath("profile")
SCHEMA = json.loads(PROFILE.joinpath("schema.json").read_text())
CONTEXT = json.loads(PROFILE.joinpath("context.jsonld").read_text())["@context"]
# What the protocol's context says for every document; its other terms hold inside its messages alone.
PROTOCOL = {
    "@version": 1.1,
    "@protected": True,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "odrl": terms.ODRL,
    "dspace": "https://w3id.org/dspace/2025/1/",
}
IRI, BASE = "https://helsinki.example/agreements/", "https://helsinki.example"
SKOS, RDFS = "http://www.w3.org/2004/02/skos/core#", "http://www.w3.org/2000/01/rdf-schema#"
VALUES = {
    "purpose": [terms.DPV + "AcademicResearch", terms.DPV + "PublicBenefit"],
    "time": ["2027-02-02T00:00:00Z"],
    "place": sorted(places.LABELS)[:2],
    "iri": ["https://london.example", "urn:x:y"],
    "number": ["1000"],
    "bytes": ["5000000000"],
    "duration": ["P1Y2M3W4DT5H6M7S"],
    "channel": sorted(terms.CHANNEL_IRIS)[:2],
}


# ---------------------------------------------------------------- profile.ttl


@pytest.fixture(scope="module")
def profile() -> dict[tuple[str, str], list[str]]:
    said: dict[tuple[str, str], list[str]] = {}
    for quad in parse(PROFILE.joinpath("profile.ttl").read_text(), format=RdfFormat.TURTLE):
        language = f"@{quad.object.language}" if getattr(quad.object, "language", None) else ""
        said.setdefault((quad.subject.value, quad.predicate.value + language), []).append(quad.object.value)
    return said


def of_type(profile: dict[tuple[str, str], list[str]], kind: str) -> set[str]:
    return {s for (s, p), o in profile.items() if p.endswith("#type") and kind in o}


def test_the_profile_lists_exactly_our_terms(profile) -> None:
    for kind, table in {
        terms.ODRL + "Action": terms.ACTIONS,
        terms.ODRL + "LeftOperand": terms.OPERANDS,
        terms.ODRL + "Operator": terms.OPERATORS,
        terms.ODRL + "Operand": terms.LOGIC,
        terms.OWN + "DeliveryChannel": terms.CHANNELS,
    }.items():
        assert of_type(profile, kind) == {entry.iri for entry in table.values()}


def test_every_term_has_a_name_in_every_language_and_one_plain_sentence(profile) -> None:
    for table in (terms.ACTIONS, terms.OPERANDS, terms.OPERATORS, terms.LOGIC, terms.CHANNELS):
        for entry in table.values():
            for lang in ("en", "fi", "sv"):
                assert len(profile[entry.iri, f"{SKOS}prefLabel@{lang}"]) == 1
            [sentence] = profile[entry.iri, f"{SKOS}scopeNote@en"]
            assert sentence.endswith(".")


def test_the_profile_says_of_actions_what_the_table_says(profile) -> None:
    for action in terms.ACTIONS.values():
        kinds = {one.removeprefix(terms.ODRL) for one in profile[action.iri, terms.OWN + "ruleKind"]}
        above = [one.removeprefix(terms.ODRL) for one in profile.get((action.iri, terms.ODRL + "includedIn"), [])]
        assert kinds == action.kinds
        assert above == ([action.included_in] if action.included_in else [])
        if action.included_in:
            assert terms.covers(terms.PROHIBITION, action.included_in, action.name)
            assert not terms.covers(terms.PERMISSION, action.included_in, action.name)


def test_the_profile_says_of_operands_and_operators_what_the_table_says(profile) -> None:
    for operand in terms.OPERANDS.values():
        operators = [one.removeprefix(terms.ODRL) for one in profile[operand.iri, terms.OWN + "operator"]]
        assert sorted(operators) == sorted(operand.operators)
        assert profile[operand.iri, terms.OWN + "values"] == [operand.values]
        assert profile[operand.iri, terms.OWN + "deadline"] == [str(operand.deadline).lower()]
    for operator in terms.OPERATORS.values():
        assert profile[operator.iri, terms.OWN + "many"] == [str(operator.many).lower()]


def test_prohibitions_win_in_the_profile_too(profile) -> None:
    assert profile[terms.PROFILE, terms.OWN + "conflict"] == [terms.ODRL + "prohibit"]


# ---------------------------------------------------------------- the context


def test_every_spelling_expands_to_its_iri() -> None:
    entries = {
        "action": terms.ACTIONS.values(),
        "leftOperand": terms.OPERANDS.values(),
        "operator": terms.OPERATORS.values(),
    }
    for member, table in entries.items():
        for entry in table:
            document = {"@context": [PROTOCOL, CONTEXT], "@id": "urn:x:y", member: entry.spelling}
            [node] = jsonld.expand(document, {"base": "relative:/"})
            assert node[terms.ODRL + member] == [{"@id": entry.iri}]
    for logic in terms.LOGIC.values():
        [node] = jsonld.expand({"@context": [PROTOCOL, CONTEXT], logic.spelling: {"@id": "urn:x:y"}})
        assert node == {logic.iri: [{"@id": "urn:x:y"}]}


def test_no_member_of_an_agreement_is_lost_in_its_graph() -> None:
    document = {**full(), "@context": [PROTOCOL, CONTEXT]}
    document["proof"] = [
        {
            "id": "urn:uuid:1",
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": "2027-02-02T00:00:00Z",
            "expires": "2027-02-16T00:00:00Z",
            "verificationMethod": "did:web:helsinki.example#1",
            "proofPurpose": "assertionMethod",
            "domain": "https://federation.example",
            "previousProof": "urn:uuid:0",
            "proofValue": "z1",
        }
    ]
    [node] = jsonld.expand(document, {"base": "relative:/"})
    assert len(node) == len(document) - 1
    assert len(node["https://w3id.org/security#proof"][0]["@graph"][0]) == len(document["proof"][0])
    assert "relative:" not in json.dumps(node)


# ---------------------------------------------------------------- reader, schema, shapes


def right(operand: terms.Operand, operator: str) -> Any:
    return VALUES[operand.values] if terms.OPERATORS[operator].many else VALUES[operand.values][0]


def full(name: str = "good") -> dict[str, Any]:
    """Make an agreement with every term of the profile in every place where it may stand."""
    pairs = [(operand, operator) for operand in terms.OPERANDS.values() for operator in operand.operators]
    every = [
        {"leftOperand": operand.name, "operator": operator, "rightOperand": right(operand, operator)}
        for operand, operator in pairs
    ]
    due = [one for one in every if one["leftOperand"] in ("dateTime", "elapsedTime") and one["operator"][:2] == "lt"]
    owed = [one.name for one in terms.ACTIONS.values() if terms.DUTY in one.kinds]
    duties = [{"action": action, "constraint": due} for action in owed]
    joined = [{"and": [{"or": [every[0], every[1]]}, {"xone": every[2:4]}]}]
    rules: dict[str, Any] = {
        "permission": [
            {"action": "use", "constraint": every, "duty": duties},
            {"action": "index", "constraint": joined},
        ],
        "prohibition": [{"action": one.name} for one in terms.ACTIONS.values() if terms.PROHIBITION in one.kinds],
        "obligation": [{"action": "reviewPolicy", "constraint": due}, {"action": "attribute"}],
    }
    rules["permission"] += [
        {"action": one.name} for one in terms.ACTIONS.values() if terms.PERMISSION in one.kinds and one.name != "use"
    ]
    about = {
        "title": "All of it",
        "template": "restricted-data/1",
        "covers": [f"{BASE}/collections/maps", f"{BASE}/collections/plans"],
        "partOf": f"{BASE}/declarations/1",
        "replaces": f"{IRI}0",
        "public": True,
        "review": "2027-06-01",
        "contacts": ["data@helsinki.example"],
        "note": "Said beside it.",
        "legalBasis": terms.DPV + "Consent",
        "transferBasis": "adequacy",
    }
    made = compose(
        IRI + name, f"{BASE}/collections/maps", BASE, "https://london.example", 1_800_000_000_000, about, rules
    )
    return json.loads(made.text)


def small(name: str) -> dict[str, Any]:
    rules = {
        "permission": [
            {
                "action": "use",
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": terms.DPV + "AcademicResearch"},
                    {"leftOperand": "dateTime", "operator": "lt", "rightOperand": "2030-01-01T00:00:00Z"},
                ],
                "duty": [
                    {
                        "action": "delete",
                        "constraint": [{"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": "P30D"}],
                    }
                ],
            }
        ],
        "prohibition": [{"action": "sell"}],
    }
    made = compose(IRI + name, f"{BASE}/collections/maps", BASE, "https://london.example", 1_800_000_000_000, {}, rules)
    return json.loads(made.text)


def compared(left: str, operator: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["permission"][0]["constraint"][0] |= {"leftOperand": left, "operator": operator, "rightOperand": value}

    return change


def at(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put a value at a path like `permission.0.action`; None takes it away."""

    def change(document: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        where: Any = document
        for step in way:
            where = where[step]
        if value is None:
            del where[last]
        else:
            where[last] = value

    return change


def leaf(place: str) -> dict[str, Any]:
    return {"@id": place, "leftOperand": "odrl:count", "operator": "lteq", "rightOperand": "3"}


RULE, FIRST = "permission.0", "permission.0.constraint.0"
FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "an action that may only be forbidden": at(f"{RULE}.action", "odrl:sell"),
    "a duty that is permitted": at(f"{RULE}.action", "odrl:delete"),
    "a duty that is forbidden": at("prohibition.0.action", "odrl:delete"),
    "an unknown action": at(f"{RULE}.action", "odrl:print"),
    "no action": at(f"{RULE}.action", None),
    "an action that is no duty": at(f"{RULE}.duty.0.action", "use"),
    "an unknown operand": compared("odrl:payAmount", "eq", "1"),
    "an operator of another operand": compared("odrl:purpose", "isPartOf", terms.DPV + "AcademicResearch"),
    "an unknown operator": compared("odrl:purpose", "odrl:hasPart", terms.DPV + "AcademicResearch"),
    "a count in words": compared("odrl:count", "lteq", "ten"),
    "a count as a number": compared("odrl:count", "lteq", 10),
    "a moment without a zone": compared("odrl:dateTime", "lt", "2030-01-01T00:00:00"),
    "a month that is none": compared("odrl:dateTime", "lt", "2030-13-01T00:00:00Z"),
    "a length that is none": compared("odrl:elapsedTime", "lt", "24h"),
    "a length of nothing": compared("odrl:elapsedTime", "lt", "PT"),
    "a purpose that is no IRI": compared("odrl:purpose", "isA", "research"),
    "a recipient that is no IRI": compared("odrl:recipient", "eq", "the city"),
    "a channel of nobody": compared("odrl:deliveryChannel", "eq", "urn:x:fax"),
    "two values for one": compared("odrl:recipient", "eq", ["https://a.example", "https://b.example"]),
    "no value": compared("odrl:recipient", "isAnyOf", []),
    "too long a value": compared("odrl:recipient", "eq", "urn:x:" + "y" * 2_000),
    "a prohibition with a duty": at("prohibition.0.duty", [{"@id": "urn:x:d", "action": "odrl:inform"}]),
    "a deadline by count": at(f"{RULE}.duty.0.constraint.0", leaf("urn:x:c")),
    "a deadline from when": at(f"{RULE}.duty.0.constraint.0.operator", "gt"),
    "a joined deadline": at(f"{RULE}.duty.0.constraint.0", {"@id": "urn:x:c", "and": [leaf("urn:x:1")]}),
    "four levels": at(
        FIRST,
        {"@id": "urn:x:c", "and": [{"@id": "urn:x:1", "or": [{"@id": "urn:x:2", "xone": [leaf("urn:x:3")]}]}]},
    ),
    "and beside or": at(FIRST, {"@id": "urn:x:c", "and": [leaf("urn:x:1")], "or": [leaf("urn:x:2")]}),
    "joined and compared at once": at(FIRST, {**leaf("urn:x:c"), "and": [leaf("urn:x:1")]}),
    "too many constraints": at(f"{RULE}.constraint", [leaf(f"urn:x:{number}") for number in range(21)]),
    "a remedy": at("prohibition.0.odrl:remedy", {"@id": "urn:x:d"}),
    "a refinement": at(f"{RULE}.odrl:refinement", leaf("urn:x:r")),
    "a target of a rule's own": at(f"{RULE}.target", "urn:x:y"),
    "inheritance": at("odrl:inheritFrom", {"@id": "urn:x:y"}),
    "a rule without a name": at(f"{RULE}.@id", None),
    "a constraint without a name": at(f"{FIRST}.@id", None),
    "a duty without a name": at(f"{RULE}.duty.0.@id", None),
    "no assigner": at("assigner", None),
    "no target": at("target", None),
    "two assignees": at("assignee", ["https://a.example", "https://b.example"]),
    "conflicts settled otherwise": at("conflict", "odrl:perm"),
    "another profile": at("profile", "urn:x:profile"),
    "no profile": at("profile", None),
    "a moment of agreement without a zone": at("timestamp", "2027-01-15T08:00:00"),
    "a member of ours that is no member": at("citynode:secret", "1"),
    "a title that is too long": at("title", "x" * 301),
    "public in words": at("public", "yes"),
}


def faulty(name: str) -> dict[str, Any]:
    document = small(f"bad-{list(FAULTS).index(name)}")
    FAULTS[name](document)
    return document


def examples() -> list[dict[str, Any]]:
    found = sorted(AGREEMENTS.joinpath("examples").iterdir(), key=str)
    texts = [one.joinpath("agreement.json") for one in found if one.is_dir()]
    return [json.loads(one.read_text()) for one in texts if one.is_file()]


def test_good_agreements_are_good_to_reader_and_schema() -> None:
    validator = Draft202012Validator(SCHEMA)
    Draft202012Validator.check_schema(SCHEMA)
    for document in (full(), small("small"), *examples()):
        validator.validate(document)
        read_text(jcs(document))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_refused_by_reader_and_schema(name: str) -> None:
    document = faulty(name)
    assert not Draft202012Validator(SCHEMA).is_valid(document)
    with pytest.raises(Refused):
        read_text(jcs(document))


@pytest.mark.slow
def test_the_shapes_say_of_all_of_them_what_the_reader_says() -> None:
    from pyshacl import validate  # a second to import
    from rdflib.namespace import SH

    good = {full()["@id"]: full(), **{one["@id"]: one for one in (small("small"), *examples())}}
    bad = {name: faulty(name) for name in FAULTS}
    data, shapes = Graph(), Graph().parse(data=PROFILE.joinpath("shapes.ttl").read_text(), format="turtle")
    for document in (*good.values(), *bad.values()):
        data.parse(data=triples(document), format="nt")
    _, report, _ = validate(data, shacl_graph=shapes, advanced=False, inference="none")
    refused = {str(node) for node in report.objects(None, SH.focusNode)}
    assert refused & set(good) == set()
    assert {name for name, document in bad.items() if document["@id"] not in refused} == set()


def triples(document: dict[str, Any]) -> str:
    """Give the graph of an agreement under its contexts; names are its own, but for what lacks one."""
    said = copy.deepcopy(document)
    said["@context"] = [PROTOCOL, CONTEXT]
    said.pop("proof", None)
    quads = parse(json.dumps(said), format=RdfFormat.JSON_LD)
    made = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
    assert made is not None
    return made.decode()
