"""Quality as linked data: the W3C's DQV with metrics of our own, which follow those of the European assessment.

The metrics have IRIs of ours although piveau, the software behind that assessment, has a vocabulary of the same names:
what we measure differs where it must (the best distribution counts, what was never tried is unknown and not zero), its
terms have no document behind them, and it misspells the dimension of two. `skos:closeMatch` leads from ours to theirs.
A metric that is not known has no measurement. Pure: triples out, no I/O.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from node.catalog.quality.metrics import DIMENSIONS, MAX_OF, MAX_POINTS, METRICS, Assessment, Defined
from node.catalog.quality.summary import Summary
from node.vocab.ntriples import XSD, Triple, iri, literal
from node.vocab.terms import DCT, DQV, PROV, RDF, SKOS

NS = "https://w3id.org/citynode/quality#"
PIVEAU = "https://piveau.eu/ns/voc#"
_ABOUT = {
    "findability": "How well people and programs find the data.",
    "accessibility": "Whether the data can be reached.",
    "interoperability": "Whether programs can read the data and its description.",
    "reusability": "Whether it is clear what may be done with the data, and whom to ask.",
    "contextuality": "What else helps to choose: rights, size, dates.",
}
_SHARE = "Share"
# Beside the metrics of single datasets: what they are together, and what is said of many. Name, test, datatype.
_TOTALS = (
    ("score", f"The points of all metrics, of {MAX_POINTS}.", "integer"),
    ("knownMaximum", "The points of the metrics that could be told.", "integer"),
    ("meanScore", "The mean of the points of the measured datasets.", "decimal"),
    ("meanKnownMaximum", "The mean of the points that could be told of the measured datasets.", "decimal"),
    ("proportionalScore", "Each metric's points by the share of datasets passing it, the unknown left out.", "decimal"),
    ("measuredDatasets", "How many datasets were measured.", "integer"),
)  # fmt: skip


def vocabulary() -> list[Triple]:
    """Describe dimensions and metrics."""
    said: list[Triple] = []
    for dimension in DIMENSIONS:
        said += _thing(NS + dimension, DQV.Dimension, dimension.capitalize(), _ABOUT[dimension])
        said += _said(NS + dimension, (SKOS.closeMatch, iri(PIVEAU + dimension)))
        said += _said(NS + dimension, (NS + "maximum", _whole(MAX_OF[dimension])))
    for metric in METRICS:
        said += _metric(metric)
    for name, test, datatype in _TOTALS:
        said += _thing(NS + name, DQV.Metric, _title(name), test)
        said += _said(NS + name, (DQV.expectedDataType, iri(XSD + datatype)))
    return said


def _metric(metric: Defined) -> list[Triple]:
    name, share = NS + metric.name, NS + metric.name + _SHARE
    passing = f"The share of the measured datasets that pass, among those known: {metric.test}"
    return [
        *_thing(name, DQV.Metric, _title(metric.name), metric.test),
        *_said(
            name,
            (DQV.expectedDataType, iri(XSD + "boolean")),
            (DQV.inDimension, iri(NS + metric.dimension)),
            (NS + "maximum", _whole(metric.points)),
            (SKOS.closeMatch, iri(PIVEAU + metric.name)),
        ),
        *_thing(share, DQV.Metric, _title(metric.name + _SHARE), passing),
        *_said(share, (DQV.expectedDataType, iri(XSD + "decimal")), (DQV.inDimension, iri(NS + metric.dimension))),
    ]


def of_record(document: str, record: str, found: Assessment, *, at_ms: int) -> list[Triple]:
    """Say what was measured of a record.

    Args:
        document: The address of what says so; measurements are parts of it.
        record: The record's IRI; metrics of distributions are of the one that counted.
        found: What was measured.
        at_ms: When what it was measured from last changed.
    """
    told = [(metric.name, metric.on, _truth(metric.passed)) for metric in found.metrics if metric.passed is not None]
    told += [("score", record, _whole(found.points)), ("knownMaximum", record, _whole(found.max_known))]
    return _measured(document, record, told, at_ms)


def of_collection(document: str, collection: str, found: Summary, *, at_ms: int) -> list[Triple]:
    """Say what the records of a collection are together; nothing where none was measured."""
    if not found.records:
        return []
    told = [
        (share.name + _SHARE, collection, _decimal(share.share, 4))
        for share in found.metrics
        if share.share is not None
    ]
    told += [
        ("meanScore", collection, _decimal(found.mean, 1)),
        ("meanKnownMaximum", collection, _decimal(found.mean_known, 1)),
        ("proportionalScore", collection, _decimal(found.proportional, 1)),
        ("measuredDatasets", collection, _whole(found.records)),
    ]
    return _measured(document, collection, told, at_ms)


def _measured(document: str, of: str, told: Iterable[tuple[str, str, str]], at_ms: int) -> list[Triple]:
    when = literal(
        datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z"), datatype=XSD + "dateTime"
    )
    said: list[Triple] = []
    for name, on, value in told:
        measurement = f"{document}#{name}"
        said += _said(of, (DQV.hasQualityMeasurement, iri(measurement)))
        said += _said(
            measurement,
            (RDF.type, iri(DQV.QualityMeasurement)),
            (DQV.isMeasurementOf, iri(NS + name)),
            (DQV.computedOn, iri(on)),
            (DQV.value, value),
            (PROV.generatedAtTime, when),
        )
    return said


def _thing(name: str, kind: str, title: str, about: str) -> list[Triple]:
    return _said(
        name,
        (RDF.type, iri(kind)),
        (SKOS.prefLabel, literal(title, language="en")),
        (SKOS.definition, literal(about, language="en")),
        (DCT.identifier, literal(name.removeprefix(NS))),
    )


def _said(subject: str, *pairs: tuple[str, str]) -> list[Triple]:
    return [(iri(subject), iri(predicate), term) for predicate, term in pairs]


def _title(name: str) -> str:
    """Part a metric's name into words.

    >>> _title("accessUrlStatusCode")
    'Access url status code'
    """
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip().capitalize()


def _whole(number: int) -> str:
    return literal(str(number), datatype=XSD + "integer")


def _decimal(number: float, places: int) -> str:
    return literal(f"{number:.{places}f}", datatype=XSD + "decimal")


def _truth(passed: bool) -> str:  # noqa: FBT001  (the value that is written)
    return literal("true" if passed else "false", datatype=XSD + "boolean")
