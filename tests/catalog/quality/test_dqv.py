"""Laws of quality as linked data: every measurement is of a metric that the vocabulary describes."""

from collections import Counter

import pytest

from node.catalog.quality import dqv
from node.catalog.quality.assess import assess
from node.catalog.quality.metrics import DIMENSIONS, METRICS, marks_of
from node.catalog.quality.summary import summary_of
from node.vocab import serialise
from node.vocab.ntriples import Triple, is_iri, value_of
from node.vocab.terms import DQV, PROV, RDF, SKOS
from tests.catalog.quality.described import ANSWERS, FILE, IRI, triples

HERE = "https://city.example/datasets/trees/quality"
KNOWN = {(value_of(s), value_of(p)): value_of(o) for s, p, o in dqv.vocabulary()}


def said(found: list[Triple], predicate: str) -> dict[str, str]:
    return {value_of(s): o for s, p, o in found if p == f"<{predicate}>"}


def of_record(answers: dict[str, bool | None]) -> list[Triple]:
    assessment = assess("dataset", IRI, triples(without="dcat:keyword"), answers)
    assert assessment is not None
    return dqv.of_record(HERE, IRI, assessment, at_ms=1_790_000_000_999)


def test_every_metric_has_its_dimension_its_test_and_its_counterpart() -> None:
    for metric in METRICS:
        name = dqv.NS + metric.name
        assert KNOWN[name, RDF.type] == DQV.Metric
        assert KNOWN[name, DQV.inDimension] == dqv.NS + metric.dimension
        assert KNOWN[dqv.NS + metric.dimension, RDF.type] == DQV.Dimension
        assert KNOWN[name, SKOS.closeMatch] == dqv.PIVEAU + metric.name
        assert KNOWN[name, SKOS.definition] == metric.test
    assert sum(1 for (name, _), kind in KNOWN.items() if kind == DQV.Dimension) == len(DIMENSIONS)


def test_a_record_has_a_measurement_for_each_metric_that_is_known() -> None:
    found = of_record(ANSWERS)
    values, kinds, on = said(found, DQV.value), said(found, DQV.isMeasurementOf), said(found, DQV.computedOn)
    assert len(kinds) == 25
    assert all((value_of(kind), RDF.type) in KNOWN for kind in kinds.values())
    assert Counter(value_of(one) for one in on.values()) == {IRI: 11, FILE: 14}
    assert values[f"{HERE}#keywordAvailability"] == '"false"^^<http://www.w3.org/2001/XMLSchema#boolean>'
    assert values[f"{HERE}#score"] == '"375"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert value_of(said(found, PROV.generatedAtTime)[f"{HERE}#score"]) == "2026-09-21T14:13:20Z"


def test_what_is_unknown_has_no_measurement() -> None:
    kinds = {value_of(kind).removeprefix(dqv.NS) for kind in said(of_record({}), DQV.isMeasurementOf).values()}
    assert {"accessUrlStatusCode", "downloadUrlStatusCode"}.isdisjoint(kinds)
    assert len(kinds) == 23


def test_a_collection_has_shares_and_means_and_an_empty_one_nothing() -> None:
    marks = [marks_of([True] * 23), marks_of([False] + [True] * 22), marks_of([None] * 23)]
    found = dqv.of_collection(HERE, IRI, summary_of(dict.fromkeys(marks, 1)), at_ms=0)
    values = {name.partition("#")[2]: value_of(value) for name, value in said(found, DQV.value).items()}
    assert values["keywordAvailabilityShare"] == "0.5000"
    assert values["measuredDatasets"] == "3"
    assert values["meanScore"] == f"{(405 + 375) / 3:.1f}"
    assert all((value_of(kind), RDF.type) in KNOWN for kind in said(found, DQV.isMeasurementOf).values())
    assert dqv.of_collection(HERE, IRI, summary_of({}), at_ms=0) == []


@pytest.mark.parametrize("form", ["ttl", "jsonld", "rdf", "nt"])
def test_it_can_be_written_in_every_form(form: serialise.Suffix) -> None:
    extra = [*dqv.vocabulary(), *of_record(ANSWERS)]
    assert all(is_iri(s) and is_iri(p) for s, p, _ in extra)
    assert b"keywordAvailability" in serialise.page([], extra, form, context_url="https://city.example/context").body
