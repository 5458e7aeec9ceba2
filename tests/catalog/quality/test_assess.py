"""Laws of measuring a record: every metric is won or lost by exactly what it is about, and unknown is neither."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.catalog.quality.assess import Link, assess, measurable
from node.catalog.quality.book import Judged
from node.catalog.quality.formats import MACHINE_INTERPRETABLE, NON_PROPRIETARY, code_of
from node.catalog.quality.metrics import (
    DIMENSIONS,
    MAX_OF,
    MAX_POINTS,
    METRICS,
    PLACES,
    Assessment,
    comparable,
    marks_of,
    points_of,
    rating_of,
)
from node.catalog.quality.summary import read, summary_of, written
from node.vocab import lists
from node.vocab.ntriples import Triple
from node.web.records.quality_view import fixes_of
from tests.catalog.quality.described import ACCESS, ANSWERS, DOWNLOAD, FILE, IRI, triples
from tests.web.cities import EU

IANA = "https://www.iana.org/assignments/media-types/"
# What is taken away or said otherwise -> which metrics that costs; nothing else may change.
LOSSES = [
    ("dcat:keyword", {"keywordAvailability"}),
    ("dcat:theme", {"categoryAvailability"}),
    ("dct:spatial", {"spatialAvailability"}),
    ("dct:temporal", {"temporalAvailability"}),
    ("dct:accessRights", {"accessRightsAvailability", "accessRightsVocabularyAlignment"}),
    ("dcat:contactPoint", {"contactPointAvailability"}),
    ("dct:publisher", {"publisherAvailability"}),
    ("dcat:accessURL", {"accessUrlStatusCode", "dcatApCompliance"}),
    ("dcat:downloadURL", {"downloadUrlAvailability", "downloadUrlStatusCode"}),
    ("dct:format", {"formatAvailability", "formatMediaTypeVocabularyAlignment"}),
    ("dcat:mediaType", {"mediaTypeAvailability", "formatMediaTypeVocabularyAlignment"}),
    ("dct:license", {"licenceAvailability", "knownLicence"}),
    ("dct:rights", {"rightsAvailability"}),
    ("dcat:byteSize", {"byteSizeAvailability"}),
    ("dct:issued", {"dateIssuedAvailability"}),
    ("dct:modified", {"dateModifiedAvailability"}),
    ("dct:title", {"dcatApCompliance"}),
    ("dcat:distribution", {metric.name for metric in METRICS if metric.on == "distribution"}),
]
OTHERWISE = [
    ({"dct:accessRights": "https://data.example/rights/open"}, {"accessRightsVocabularyAlignment"}),
    ({"dct:license": "https://data.example/licence"}, {"knownLicence"}),
    ({"dct:license": '"free"'}, {"knownLicence", "dcatApCompliance"}),
    (
        {"dct:format": EU + "file-type/PDF", "dcat:mediaType": IANA + "application/pdf"},
        {"formatMediaTypeNonProprietary", "formatMediaTypeMachineInterpretable"},
    ),
    (
        {"dct:format": EU + "file-type/XLSX", "dcat:mediaType": IANA + "application/vnd.ms-excel"},
        {"formatMediaTypeNonProprietary"},
    ),
    (
        {"dct:format": EU + "file-type/PNG", "dcat:mediaType": IANA + "image/png"},
        {"formatMediaTypeMachineInterpretable"},
    ),
    ({"dcat:mediaType": "https://data.example/types/text/csv"}, {"formatMediaTypeVocabularyAlignment"}),
    ({"dct:format": '"CSV"'}, {"formatMediaTypeVocabularyAlignment", "dcatApCompliance"}),
]


def measured(said: list[Triple], answers: dict[str, bool | None] = ANSWERS) -> Assessment:
    found = assess("dataset", IRI, said, answers)
    assert found is not None
    return found


def lost(found: Assessment) -> set[str]:
    return {metric.name for metric in found.metrics if metric.passed is False}


def test_the_points_are_those_of_the_european_assessment() -> None:
    assert (len(METRICS), MAX_POINTS) == (23, 405)
    assert [MAX_OF[dimension] for dimension in DIMENSIONS] == [100, 100, 110, 75, 20]
    assert [metric.dimension for metric in METRICS] == sorted(
        (metric.dimension for metric in METRICS), key=DIMENSIONS.index
    )


def test_a_perfect_description_has_every_point() -> None:
    found = measured(triples())
    assert (found.points, found.max_known, found.rating, lost(found)) == (405, 405, "excellent", set())
    assert found.distribution == FILE
    assert {metric.on for metric in found.metrics} == {IRI, FILE}


@pytest.mark.parametrize(("without", "names"), LOSSES, ids=[each[0] for each in LOSSES])
def test_what_is_missing_costs_its_own_metrics(without: str, names: set[str]) -> None:
    found = measured(triples(without=without))
    assert lost(found) == names
    assert found.points == 405 - sum(METRICS[PLACES[name]].points for name in names)
    assert {metric.fix for metric in found.metrics if not metric.passed} == {f"quality.fix.{name}" for name in names}


@pytest.mark.parametrize(("instead", "names"), OTHERWISE, ids=min)
def test_what_is_said_badly_costs_its_own_metrics(instead: dict[str, str], names: set[str]) -> None:
    assert lost(measured(triples(instead=instead))) == names


def test_a_link_that_was_not_tried_is_unknown_and_costs_nothing_that_is_known() -> None:
    found = measured(triples(), {})
    assert (found.points, found.max_known, lost(found)) == (325, 325, set())
    assert [metric.name for metric in found.metrics if metric.passed is None] == [
        "accessUrlStatusCode",
        "downloadUrlStatusCode",
    ]
    assert found.rating == "excellent"
    failed = measured(triples(), {ACCESS: False, DOWNLOAD: None})
    assert (failed.points, failed.max_known, lost(failed)) == (325, 375, {"accessUrlStatusCode"})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [((True, False), True), ((False, None), None), ((False, False), False), ((None, True), True)],
)
def test_of_several_addresses_one_that_answers_is_enough(
    answers: tuple[bool | None, bool | None], expected: bool | None
) -> None:
    said = triples(more=((FILE, "dcat:accessURL", "https://mirror.example/trees"),))
    found = measured(said, ANSWERS | {ACCESS: answers[0], "https://mirror.example/trees": answers[1]})
    assert found.metrics[PLACES["accessUrlStatusCode"]].passed is expected


def test_only_the_best_distribution_counts() -> None:
    page = "https://data.example/datasets/trees/a-page"
    more = (
        (IRI, "dcat:distribution", page),
        (page, "rdf:type", "dcat:Distribution"),
        (page, "dcat:accessURL", "https://files.example/gone"),
        (page, "dct:format", EU + "file-type/PDF"),
    )
    found = measured(triples(more=more), ANSWERS | {"https://files.example/gone": False})
    assert (found.points, found.distribution) == (405, FILE)


def test_dates_of_the_dataset_count_where_its_distribution_has_none() -> None:
    date = '"2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>'
    found = measured(triples(without="dct:modified", more=((IRI, "dct:modified", date),)))
    assert lost(found) == set()


@pytest.mark.parametrize("kind", ["dataset-series", "data-service", "practice", "agreement"])
def test_other_kinds_are_not_measured(kind: str) -> None:
    assert assess(kind, IRI, triples(), ANSWERS) is None
    assert measurable(kind, IRI, triples()) is None


def test_addresses_to_try_are_those_of_the_web_and_bounded() -> None:
    odd = (
        "ftp://files.example/a",
        "mailto:a@example.org",
        "https://files.example/" + "x" * 2_000,
        "file:///etc/passwd",
    )
    many = tuple((FILE, "dcat:downloadURL", f"https://files.example/{n}") for n in range(300))
    found = measurable("dataset", IRI, triples(more=(*((FILE, "dcat:accessURL", url) for url in odd), *many)))
    assert found is not None
    assert Link("accessURL", ACCESS) in found.links
    assert not {link.url for link in found.links} & set(odd)
    assert len(found.links) == 200


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), min_size=23, max_size=23))
def test_marks_say_results_points_and_sums(results: list[bool | None]) -> None:
    marks = marks_of(results)
    won, known = points_of(marks)
    assert won == sum(metric.points for metric, passed in zip(METRICS, results, strict=True) if passed)
    assert won <= known <= MAX_POINTS
    summary = summary_of({marks: 3})
    assert (summary.records, summary.points, summary.max_known) == (3, 3 * won, 3 * known)
    assert summary.rating == rating_of(won, known)
    assert read(written(summary)) == summary
    assert sum(summary.dimensions.values()) == summary.points


def test_a_collection_has_the_mean_of_its_datasets_and_its_work_in_order_of_cost() -> None:
    best, poor = marks_of([True] * 23), marks_of([passed != 0 for passed in range(22, -1, -1)])
    bad = marks_of([False] * 23)
    summary = summary_of({best: 2, bad: 1, poor: 1})
    assert summary.mean == (2 * 405 + 400) / 4
    assert summary.ratings == {"excellent": 3, "good": 0, "sufficient": 0, "bad": 1}
    work = summary.work
    assert (work[0].name, work[0].failed, work[0].lost) == ("accessUrlStatusCode", 1, 50)
    assert [share.lost for share in work] == sorted((share.lost for share in work), reverse=True)
    assert next(share for share in work if share.name == "dateModifiedAvailability").failed == 2
    assert summary_of({}).mean == 0


def test_who_has_no_download_address_is_told_so_once_and_loses_the_points_of_both() -> None:
    without = assess("dataset", IRI, triples(without="dcat:downloadURL"), {})
    assert without is not None
    assert (without.points, without.max_known) == (305, 355)
    fails = marks_of(metric.name != "downloadUrlStatusCode" for metric in METRICS)
    work = summary_of({without.marks: 3, fails: 2}).work
    assert [(one.name, one.failed, one.known, one.lost) for one in work] == [
        ("downloadUrlAvailability", 3, 5, 150),
        ("downloadUrlStatusCode", 2, 2, 60),
    ]
    (fix,) = fixes_of(Judged(without, ()), "en")
    assert (fix.name, fix.points) == ("downloadUrlAvailability", 50)


def test_the_rating_moves_with_what_is_known() -> None:
    assert [rating_of(points, 405) for points in (351, 350, 221, 220, 121, 120, 0)] == [
        "excellent", "good", "good", "sufficient", "sufficient", "bad", "bad",
    ]  # fmt: skip
    assert rating_of(325, 325) == "excellent"
    # What search is given is above an edge exactly if the rating is.
    for points in range(326):
        assert rating_of(points, 325) == rating_of(comparable(points, 325), 405)
    assert rating_of(0, 0) == "bad"


def test_kinds_of_formats_are_told_apart_by_codes_of_the_table() -> None:
    codes = {concept.code for concept in lists.FILE_TYPES}
    assert codes >= NON_PROPRIETARY | MACHINE_INTERPRETABLE
    assert {"PDF", "DOCX", "XLSX", "SHP"}.isdisjoint(NON_PROPRIETARY)
    assert {"PDF", "DOCX", "PNG", "ZIP", "HTML"}.isdisjoint(MACHINE_INTERPRETABLE)
    assert (code_of("text/csv"), code_of(EU + "file-type/CSV"), code_of("nothing of the sort")) == ("CSV", "CSV", "")


def test_the_guide_has_every_metric_as_it_is() -> None:
    text = (Path(__file__).parents[3] / "docs" / "quality.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(tuple(f"| {name} |" for name in DIMENSIONS))]
    assert rows == [f"| {m.dimension} | `{m.name}` | {m.points} | {m.on} | {m.test} |" for m in METRICS]
