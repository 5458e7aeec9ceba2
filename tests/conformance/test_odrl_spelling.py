"""Our clauses in the protocol's own dress: its schemas accept them, and its context makes of each term the right IRI.

The protocol's context has no default vocabulary and knows one action alone, so a bare `purpose` or `index` would become
an IRI relative to the document. The spellings in `terms` are what was found here; this keeps them true.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator
from pyld import jsonld
from referencing import Registry, Resource

from node.federation.policy import read_rules, terms, write_rules
from tests.federation.policy.test_profile import CONTEXT, full

DSPACE, BASE = "https://w3id.org/dspace/2025/1/", "relative:/"
NAMED = {"@id": "urn:x:agreement", "target": "urn:x:maps", "assigner": "urn:x:a", "assignee": "urn:x:b"}
AGREEMENT = {
    "@type": "ContractAgreementMessage",
    "providerPid": "urn:x:1",
    "consumerPid": "urn:x:2",
    "agreement": {"@type": "Agreement", **NAMED, "timestamp": "2027-02-02T00:00:00Z"},
}
OFFER = {
    "@type": "ContractOfferMessage",
    "providerPid": "urn:x:1",
    "consumerPid": "urn:x:2",
    "offer": {"@type": "Offer", "@id": "urn:x:agreement", "target": "urn:x:maps"},
}


@pytest.fixture(scope="module")
def folder(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "dataspace-protocol"
    if not folder.is_dir():
        pytest.skip(f"the protocol's files are absent: {folder} is no folder")
    return folder


@pytest.fixture(scope="module")
def official(folder: Path) -> dict[str, Any]:
    """Give the official context with the ODRL part put in where it is imported: PyLD mixes repeated imports up."""
    whole = json.loads((folder / "context" / "dspace.jsonld").read_text())["@context"]
    part = json.loads((folder / "context" / "odrl.jsonld").read_text())["@context"]

    def inlined(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        made = {key: inlined(one) for key, one in value.items() if key != "@import"}
        return {**part, **made} if "@import" in value else made

    return inlined(whole)


def message(shape: dict[str, Any]) -> dict[str, Any]:
    made = deepcopy(shape)
    made["agreement" if "agreement" in made else "offer"] |= rules()
    return made


def rules() -> dict[str, Any]:
    return write_rules(read_rules(full(), policy_id="urn:x:agreement"))


def every(node: Any, key: str) -> set[str]:
    """Gather the names that stand under a key anywhere in an expanded document."""
    if isinstance(node, list):
        return set().union(*(every(one, key) for one in node))
    if not isinstance(node, dict):
        return set()
    found = {one["@id"] for one in node.get(key, []) if "@id" in one}
    return found.union(*(every(one, key) for one in node.values()))


@pytest.mark.parametrize("shape", [AGREEMENT, OFFER], ids=lambda shape: shape["@type"])
def test_every_term_expands_to_its_iri_under_the_official_context(official: dict[str, Any], shape: Any) -> None:
    expanded = jsonld.expand({"@context": official, **message(shape)}, {"base": BASE})
    assert BASE not in json.dumps(expanded)
    assert every(expanded, terms.ODRL + "action") == {one.iri for one in terms.ACTIONS.values()}
    assert every(expanded, terms.ODRL + "leftOperand") == {one.iri for one in terms.OPERANDS.values()}
    assert every(expanded, terms.ODRL + "operator") == {one.iri for one in terms.OPERATORS.values()}
    for logic in terms.LOGIC.values():
        assert every(expanded, logic.iri)


def test_a_bare_term_that_the_context_lacks_would_have_gone_astray(official: dict[str, Any]) -> None:
    """It is why they are prefixed; if the protocol's context learns them, the table may become simpler."""
    bare = deepcopy(OFFER)
    bare["offer"]["permission"] = [{"action": "index"}]
    assert BASE in json.dumps(jsonld.expand({"@context": official, **bare}, {"base": BASE}))


def test_message_and_signed_text_give_the_same_rules(official: dict[str, Any]) -> None:
    """The text is read under both contexts, the message under the protocol's alone."""
    [sent] = jsonld.expand({"@context": official, **message(AGREEMENT)}, {"base": BASE})
    alone = {**AGREEMENT["agreement"], **rules()}
    [text] = jsonld.expand({"@context": [official, CONTEXT], **alone}, {"base": BASE})
    [within] = sent[DSPACE + "agreement"]
    for kind in terms.RULE_KINDS:
        assert within[terms.ODRL + kind] == text[terms.ODRL + kind]


@pytest.mark.parametrize("shape", [AGREEMENT, OFFER], ids=lambda shape: shape["@type"])
def test_the_official_schemas_accept_every_clause(folder: Path, shape: Any) -> None:
    schemas = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/*-schema.json"))]
    registry: Registry[Any] = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in schemas)
    name = "agreement" if shape is AGREEMENT else "offer"
    schema = json.loads((folder / "negotiation" / f"contract-{name}-message-schema.json").read_bytes())
    sent = {"@context": [terms.DSP_CONTEXT], **message(shape)}
    assert [error.message for error in Draft201909Validator(schema, registry=registry).iter_errors(sent)] == []


def test_the_rules_of_the_official_examples_are_read(folder: Path) -> None:
    read = 0
    for path in sorted(folder.glob("*/example/*.json")):
        for policy in policies(json.loads(path.read_bytes())):
            assert read_rules(policy, policy_id=policy["@id"]).rules
            read += 1
    assert read >= 4


def policies(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for one in value for found in policies(one)]
    if not isinstance(value, dict):
        return []
    mine = [value] if "permission" in value or "prohibition" in value else []
    return mine + [found for one in value.values() for found in policies(one)]
