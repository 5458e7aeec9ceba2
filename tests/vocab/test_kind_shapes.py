"""Laws of the kinds' shapes: the file is what the tables say; an engine takes what we write and finds what is amiss."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib

from node.vocab import kind_shapes
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Codes, Field, KindTable
from node.vocab.kinds.writing import payload_of
from node.vocab.terms import DCAT, RDF, SH

FILE = Path(kind_shapes.__file__).parent / "shapes" / "kinds.ttl"
RECORD = "https://city.example/things/one"
SHAPE = "https://w3id.org/citynode/shapes#"


def test_the_file_is_what_the_tables_say() -> None:
    assert FILE.read_text("utf-8") == kind_shapes.text(), "write it anew: node.vocab.kind_shapes.write"


def test_every_kind_has_a_shape_that_reaches_its_records_unless_they_are_harvested_too() -> None:
    store = ox.Store()
    store.load(FILE.read_bytes(), format=ox.RdfFormat.TURTLE)
    for table in TABLES.values():
        shape = ox.NamedNode(SHAPE + table.kind)
        assert list(store.quads_for_pattern(shape, ox.NamedNode(RDF.type), ox.NamedNode(SH.NodeShape)))
        targets = [quad.object.value for quad in store.quads_for_pattern(shape, ox.NamedNode(SH.targetClass), None)]
        assert targets == ([] if table.cls in DCAT else [table.cls])
    pointed = {quad.object for quad in store.quads_for_pattern(None, ox.NamedNode(SH.node), None)}
    assert all(list(store.quads_for_pattern(each, None, None)) for each in pointed)


@pytest.fixture(scope="module")
def shapes() -> rdflib.Graph:
    graph = rdflib.Graph().parse(FILE)
    for table in TABLES.values():
        # Those that have no target in the file are asked of the one record here.
        graph.add((rdflib.URIRef(SHAPE + table.kind), rdflib.URIRef(SH.targetClass), rdflib.URIRef(table.cls)))
    return graph


def conforms(shapes: rdflib.Graph, table: KindTable, said: dict[str, Any]) -> bool:
    data = rdflib.Graph().parse(data=payload_of(table, RECORD, said), format="nt")
    answer, _, _ = pyshacl.validate(data, shacl_graph=shapes)
    return bool(answer)


def without_a_must(fields: Sequence[Field], said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the description once without each thing that must be there, also within groups."""
    for each in fields:
        if each.name not in said:
            continue
        if each.need == "must":
            yield each.name, {name: value for name, value in said.items() if name != each.name}
        if each.form == "group":
            first = said[each.name][0] if each.many else said[each.name]
            for name, less in without_a_must(each.fields, first):
                if not is_missing(less):  # a group that says nothing is not written
                    yield f"{each.name}.{name}", said | {each.name: [less] if each.many else less}


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.kind)
def test_an_engine_accepts_every_example_and_refuses_it_without_any_must(
    shapes: rdflib.Graph, table: KindTable
) -> None:
    said = example_of(table)
    assert conforms(shapes, table, said)
    found = list(without_a_must(table.fields, said))
    assert {"title", "publisher", "publisher.name"} <= {name for name, _ in found}
    assert [name for name, less in found if conforms(shapes, table, less)] == []


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.kind)
def test_an_engine_refuses_what_is_of_another_form(shapes: rdflib.Graph, table: KindTable) -> None:
    wrong = rdflib.Graph().parse(data=payload_of(table, RECORD, example_of(table)), format="nt")
    for each in table.fields:
        listed = isinstance(each.codes, Codes) or each.by_language or each.form in ("date", "number", "plain", "flag")
        value = rdflib.URIRef("https://other.example/x") if listed else rdflib.Literal("words")
        wrong.add((rdflib.URIRef(RECORD), rdflib.URIRef(each.term), value))
    _, report, _ = pyshacl.validate(wrong, shacl_graph=shapes)
    met = {str(path) for path in report.objects(None, rdflib.URIRef(SH.resultPath))}
    assert [each.name for each in table.fields if each.term not in met] == []
