"""The worked examples are what the code says: regenerate them with CITYNODE_TEST_WRITE=1, and read the difference."""

import json
import os
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from node.federation.agreements.text import AgreementText, compose, read_text
from node.federation.policy import wording
from node.federation.policy.reading import read_rules
from node.federation.policy.sentences import Parties, Terms, parse, sections, sentences
from node.federation.policy.templates import fill, templates
from node.federation.policy.terms import DSP_CONTEXT, PROFILE_CONTEXT
from node.vocab.protocol_contexts import PROTOCOL_CONTEXTS

AGREEMENTS = Path(__file__).resolve().parents[3] / "agreements"
EXAMPLES = sorted(path.parent for path in AGREEMENTS.glob("examples/*/filled.json"))
HEADS = {
    "en": "An example, filled from the template `{}`. Its text: [agreement.json](agreement.json), digest\n`{}`.",
    "fi": "Esimerkki, täytetty mallista `{}`. Teksti: [agreement.json](agreement.json), tiiviste\n`{}`.",
    "sv": "Ett exempel, fyllt efter mallen `{}`. Texten: [agreement.json](agreement.json), kondensat\n`{}`.",
}
named = pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)


@lru_cache
def filled(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "filled.json").read_text())


def parties(folder: Path) -> Parties:
    said = filled(folder)
    names = said["names"]
    return Parties(names[said["assigner"]], names[said["assignee"]], names)


@lru_cache
def composed(folder: Path) -> AgreementText:
    said = filled(folder)
    about, rules = fill(said["template"], said["values"], lang=said["lang"])
    at_ms = int(datetime.fromisoformat(said["timestamp"]).timestamp() * 1000)
    return compose(said["iri"], said["target"], said["assigner"], said["assignee"], at_ms, about, rules)


def markdown(folder: Path, lang: str) -> str:
    text = composed(folder)
    lines = [f"# {text.about['title']}", "", HEADS[lang].format(text.about["template"], text.digest)]
    for section in sections(Terms(text.policy, text.about, parties(folder)), lang):
        lines += ["", f"## {section.number}. {section.title}"]
        for one in section.sentences:
            lines += ["", f"**{one.number}** {one.text}"]
    return "\n".join(lines) + "\n"


def same_as_written(path: Path, text: str) -> None:
    if os.environ.get("CITYNODE_TEST_WRITE"):
        path.write_text(text)
    assert path.read_text() == text, (
        "write it anew: CITYNODE_TEST_WRITE=1 pytest tests/federation/policy/test_examples.py"
    )


def test_every_template_has_an_example() -> None:
    assert {filled(folder)["template"] for folder in EXAMPLES} == {template.id for template in templates()}


@named
def test_the_text_is_what_the_filled_template_gives(folder: Path) -> None:
    document = json.loads(composed(folder).text)
    same_as_written(folder / "agreement.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@named
def test_the_text_reads_back_in_its_canonical_form(folder: Path) -> None:
    assert read_text(composed(folder).text) == composed(folder)


@named
@pytest.mark.parametrize("lang", wording.LANGUAGES)
def test_the_sentences_are_those_of_the_text_and_give_its_rules_back(folder: Path, lang: str) -> None:
    same_as_written(folder / f"{lang}.md", markdown(folder, lang))
    text = composed(folder)
    said = sentences(text.policy, text.about, parties(folder), lang)
    assert parse(said, parties(folder), lang, policy_id=text.iri) == text.policy


def test_the_two_directions_of_the_declaration_differ_in_their_parties_alone() -> None:
    one, other = (composed(folder) for folder in EXAMPLES if folder.name.startswith("digital-declaration"))
    assert (one.assigner, one.assignee) == (other.assignee, other.assigner)
    assert one.about["partOf"] == other.about["partOf"]
    assert read_rules(one.rules, policy_id="urn:x").rules != ()
    assert [rule.action for rule in one.policy.rules] == [rule.action for rule in other.policy.rules]


# ------------------------------------------------------------- what others check them by


@lru_cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((AGREEMENTS / "profile" / "schema.json").read_text()))


@named
def test_the_text_follows_the_schema_of_the_profile(folder: Path) -> None:
    assert [error.message for error in schema().iter_errors(json.loads(composed(folder).text))] == []


def loaded(url: str, _options: object) -> dict[str, Any]:
    own = json.loads((AGREEMENTS / "profile" / "context.jsonld").read_text())
    found = {PROFILE_CONTEXT: own, DSP_CONTEXT: {"@context": deepcopy(dict(PROTOCOL_CONTEXTS[DSP_CONTEXT]))}}
    return {"contextUrl": None, "documentUrl": url, "document": found[url]}


@pytest.mark.slow
@named
def test_the_graph_of_the_text_conforms_to_the_closed_shapes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Imported here: they cost the fast suite a second that it does not have.
    import rdflib
    from pyld import jsonld
    from pyshacl import validate
    from rdflib import BNode, Graph

    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # it would rewrite the times
    said = jsonld.to_rdf(json.loads(composed(folder).text), {"format": "application/n-quads", "documentLoader": loaded})
    graph = Graph().parse(data=said, format="nt")
    shapes = Graph().parse(AGREEMENTS / "profile" / "shapes.ttl")
    conforms, _, report = validate(graph, shacl_graph=shapes)
    assert conforms, report
    assert len(graph) > 10
    assert not any(isinstance(one, BNode) for one in graph.all_nodes())
