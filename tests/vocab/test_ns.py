"""Laws of our published vocabulary: every term of ours is in it, said in three languages, with a reason to exist."""

import re
from collections import Counter
from pathlib import Path

import pyoxigraph as ox
import pytest

from node.vocab import ns
from node.vocab.check import shortened
from node.vocab.kinds import TABLES
from node.vocab.kinds.field import Codes, Field
from node.vocab.terms import CN, DCT, OWL, RDF, RDFS, SKOS, XSD


@pytest.fixture(scope="module")
def graph() -> ox.Store:
    store = ox.Store()
    store.load(ns.payload(), format=ox.RdfFormat.N_TRIPLES)
    return store


def values(graph: ox.Store, subject: str, predicate: str) -> list:
    return [quad.object for quad in graph.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None)]


def iris(graph: ox.Store, subject: str, predicate: str) -> set[str]:
    return {found.value for found in values(graph, subject, predicate)}


def languages(graph: ox.Store, subject: str, predicate: str) -> set[str]:
    return {found.language for found in values(graph, subject, predicate)}


def every_field(fields: tuple[Field, ...]) -> list[Field]:
    return [one for each in fields for one in (each, *every_field(each.fields))]


def test_what_is_published_is_exactly_what_can_be_written() -> None:
    assert {term.iri for term in ns.terms()} == set(CN)


def test_every_term_says_what_it_is_in_three_languages_and_why_it_is_needed() -> None:
    for term in ns.terms():
        for said in (term.label, term.definition):
            assert set(said) == {"en", "fi", "sv"}, term.name
            assert all(text.strip() == text and text for text in said.values()), term.name
        assert len(set(term.definition.values())) == 3, f"the definition of {term.name} was not translated"
        assert re.search(r".{15}[.)”]$", term.reason), term.name


def test_the_vocabulary_is_an_ontology_of_its_own_terms_without_blank_nodes(graph: ox.Store) -> None:
    assert iris(graph, ns.ONTOLOGY, RDF.type) == {OWL.Ontology}
    assert languages(graph, ns.ONTOLOGY, DCT.title) == {"en", "fi", "sv"}
    subjects = {quad.subject for quad in graph}
    assert all(isinstance(subject, ox.NamedNode) for subject in subjects)
    own = {subject.value for subject in subjects} - {ns.ONTOLOGY}
    assert all(iri.startswith(CN.NS) for iri in own)
    assert [iri for iri in own if iris(graph, iri, RDFS.isDefinedBy) != {ns.ONTOLOGY}] == []
    assert not any(isinstance(quad.object, ox.BlankNode) for quad in graph)


def test_what_a_property_takes_is_what_the_tables_write(graph: ox.Store) -> None:
    assert iris(graph, CN.problem, RDFS.range) == {RDF.langString}
    assert iris(graph, CN.costBand, RDFS.range) == {SKOS.Concept}
    assert iris(graph, CN.before, RDFS.range) == {XSD.decimal}
    assert iris(graph, CN.before, RDF.type) == {RDF.Property, OWL.DatatypeProperty}
    assert iris(graph, CN.costBand, RDF.type) == {RDF.Property, OWL.ObjectProperty}
    assert iris(graph, CN.Practice, RDFS.subClassOf) == {"http://www.w3.org/ns/dcat#Resource"}


def test_a_term_of_several_kinds_is_of_one_sort_of_value() -> None:
    forms: dict[str, set[str]] = {}
    for table in TABLES.values():
        for each in every_field(table.fields):
            if each.term in CN:
                forms.setdefault(each.term, set()).add("text" if each.by_language else each.form)
    assert {term: found for term, found in forms.items() if len(found) > 1} == {}


def test_a_term_of_several_kinds_names_all_of_them() -> None:
    (problem,) = [term for term in ns.terms() if term.name == "problem"]
    assert problem.kinds == ("practice", "challenge")


def test_lists_of_one_name_are_one_list_and_no_list_or_code_is_named_like_a_term() -> None:
    found: dict[str, Codes] = {}
    for table in TABLES.values():
        for each in every_field(table.fields):
            if isinstance(each.codes, Codes):
                assert found.setdefault(each.codes.name, each.codes) is each.codes
    named = Counter(codes.iri_of(code.code) for codes in found.values() for code in codes.codes)
    named.update(CN.NS + codes.name for codes in found.values())
    named.update(term.iri for term in ns.terms())
    own = {iri: n for iri, n in named.items() if iri.startswith(CN.NS)}
    assert {iri for iri, n in own.items() if n > 1} == set()


def test_codes_of_others_are_named_and_not_described(graph: ox.Store) -> None:
    assert values(graph, "http://metadata.un.org/sdg/11", SKOS.prefLabel) == []
    assert "sdg" not in {codes.name for codes in ns.lists()}
    own = CN.NS + "practice-status-pilot"
    assert [each.value for each in values(graph, own, SKOS.notation)] == ["pilot"]
    assert languages(graph, own, SKOS.prefLabel) == {"en", "fi", "sv"}


def test_every_list_is_said_in_three_languages() -> None:
    for table in TABLES.values():
        for each in every_field(table.fields):
            if isinstance(each.codes, Codes):
                words = (each.codes.label, *(code.label for code in each.codes.codes))
                assert all(set(said) == {"en", "fi", "sv"} and all(said.values()) for said in words), each.codes.name
                assert len({code.code for code in each.codes.codes}) == len(each.codes.codes), each.codes.name
                assert all(re.fullmatch(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*", code.code) for code in each.codes.codes)


def test_the_guide_lists_every_kind_as_it_is() -> None:
    rows = [
        f"| `{each.kind}` | {each.about['en']} | `{shortened(each.cls)}` | `{each.command}` | `{each.collection}` |"
        for each in TABLES.values()
    ]
    text = (Path(__file__).resolve().parents[2] / "docs" / "kinds.md").read_text("utf-8")
    written = text.partition("| --- | --- | --- | --- | --- |\n")[2].partition("<!-- /kinds -->")[0]
    assert written.splitlines() == rows
