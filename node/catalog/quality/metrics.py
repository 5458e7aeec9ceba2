"""What is measured: 23 metrics in five dimensions, 405 points in all, and what comes out for one record.

Names, weights and tests are those of the metadata quality assessment of data.europa.eu. A metric is passed, failed, or
unknown (a link that nobody has tried says nothing): unknown is neither, so beside the points stands how many could be
told. The order of `METRICS` is stored and must never change. Pure values: no I/O, no clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Dimension = Literal["findability", "accessibility", "interoperability", "reusability", "contextuality"]
Rating = Literal["excellent", "good", "sufficient", "bad"]
DIMENSIONS: tuple[Dimension, ...] = (
    "findability",
    "accessibility",
    "interoperability",
    "reusability",
    "contextuality",
)
# What fails wherever another fails (no address, so none that answers): points are lost for both, as in Europe, but
# there is one thing to do, and it brings both.
WITHIN: Mapping[str, str] = {"downloadUrlStatusCode": "downloadUrlAvailability"}


@dataclass(frozen=True, slots=True)
class Defined:
    """One metric: `on` is what it is measured at, `test` when it is passed (in English)."""

    name: str
    dimension: Dimension
    points: int
    on: Literal["dataset", "distribution"]
    test: str


METRICS: tuple[Defined, ...] = (
    Defined("keywordAvailability", "findability", 30, "dataset", "The dataset has a dcat:keyword."),
    Defined("categoryAvailability", "findability", 30, "dataset", "The dataset has a dcat:theme."),
    Defined("spatialAvailability", "findability", 20, "dataset", "The dataset has a dct:spatial."),
    Defined("temporalAvailability", "findability", 20, "dataset", "The dataset has a dct:temporal."),
    Defined(
        "accessUrlStatusCode", "accessibility", 50, "distribution", "Its dcat:accessURL answers with a status of 2xx."
    ),
    Defined("downloadUrlAvailability", "accessibility", 20, "distribution", "The distribution has a dcat:downloadURL."),
    Defined(
        "downloadUrlStatusCode",
        "accessibility",
        30,
        "distribution",
        "Its dcat:downloadURL answers with a status of 2xx.",
    ),
    Defined("formatAvailability", "interoperability", 20, "distribution", "The distribution has a dct:format."),
    Defined("mediaTypeAvailability", "interoperability", 10, "distribution", "The distribution has a dcat:mediaType."),
    Defined(
        "formatMediaTypeVocabularyAlignment",
        "interoperability",
        10,
        "distribution",
        "Its dct:format is from the EU table of file types and its dcat:mediaType from the IANA registry.",
    ),
    Defined("formatMediaTypeNonProprietary", "interoperability", 20, "distribution", "Its format is not proprietary."),
    Defined(
        "formatMediaTypeMachineInterpretable", "interoperability", 20, "distribution", "Programs can read its format."
    ),
    Defined(
        "dcatApCompliance", "interoperability", 30, "dataset", "The description follows the shapes of DCAT-AP 3.0.1."
    ),
    Defined("licenceAvailability", "reusability", 20, "distribution", "The distribution has a dct:license."),
    Defined("knownLicence", "reusability", 10, "distribution", "Its dct:license is from the table of licences."),
    Defined("accessRightsAvailability", "reusability", 10, "dataset", "The dataset has dct:accessRights."),
    Defined(
        "accessRightsVocabularyAlignment",
        "reusability",
        5,
        "dataset",
        "Its dct:accessRights are from the EU table of access rights.",
    ),
    Defined("contactPointAvailability", "reusability", 20, "dataset", "The dataset has a dcat:contactPoint."),
    Defined("publisherAvailability", "reusability", 10, "dataset", "The dataset has a dct:publisher."),
    Defined("rightsAvailability", "contextuality", 5, "distribution", "The distribution has dct:rights."),
    Defined("byteSizeAvailability", "contextuality", 5, "distribution", "The distribution has a dcat:byteSize."),
    Defined(
        "dateIssuedAvailability",
        "contextuality",
        5,
        "distribution",
        "The dataset or the distribution has a dct:issued.",
    ),
    Defined(
        "dateModifiedAvailability",
        "contextuality",
        5,
        "distribution",
        "The dataset or the distribution has a dct:modified.",
    ),
)
PLACES: Mapping[str, int] = {metric.name: place for place, metric in enumerate(METRICS)}
MAX_POINTS = sum(metric.points for metric in METRICS)
MAX_OF: Mapping[Dimension, int] = {
    dimension: sum(metric.points for metric in METRICS if metric.dimension == dimension) for dimension in DIMENSIONS
}

_MARKS: Mapping[bool | None, str] = {True: "+", False: "-", None: "?"}
# At least so many of 405 points; the edges are the European assessment's.
_EDGES: tuple[tuple[int, Rating], ...] = ((351, "excellent"), (221, "good"), (121, "sufficient"), (0, "bad"))
RATINGS: tuple[Rating, ...] = tuple(word for _, word in _EDGES)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one record: `points` won of `max`; `passed` is None where it is not known.

    `on` is the IRI it was measured at; `fix` the key of the sentence that says what to do, empty where nothing is.
    """

    name: str
    dimension: Dimension
    points: int
    max: int
    passed: bool | None
    on: str
    fix: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a record was found to be worth, metric by metric in the order of `METRICS`.

    `max_known` are the points of the metrics that could be told; `distribution` is the IRI of the one that counted,
    empty if there is none.
    """

    points: int
    max_known: int
    dimensions: Mapping[Dimension, int]
    metrics: tuple[Metric, ...]
    distribution: str

    @property
    def marks(self) -> str:
        """Write the results as one character each: `+` passed, `-` failed, `?` unknown."""
        return marks_of(metric.passed for metric in self.metrics)

    @property
    def rating(self) -> Rating:
        """Say it in a word; see `rating_of`."""
        return rating_of(self.points, self.max_known)


def comparable(points: float, max_known: float) -> int:
    """Give points of 405 as if what is not known were like what is; for what compares records, such as search.

    Rounded down, so that it is above an edge exactly if the rating is.
    """
    return int(points * MAX_POINTS // max_known) if max_known else 0


def rating_of(points: float, max_known: float) -> Rating:
    """Say in a word what points are worth, as if what is not known were like what is.

    The European edges are for 405 points; with links untried fewer can be told, so they move with what is known.
    """
    scaled = comparable(points, max_known)
    return next(word for least, word in _EDGES if scaled >= least)


def marks_of(results: Iterable[bool | None]) -> str:
    """Write results in the order of `METRICS` as one character each: `+` passed, `-` failed, `?` unknown."""
    return "".join([_MARKS[passed] for passed in results])


def points_of(marks: str) -> tuple[int, int]:
    """Give the points and the known maximum that marks stand for."""
    results = list(zip(METRICS, marks, strict=True))
    won = sum(metric.points for metric, mark in results if mark == "+")
    return won, won + sum(metric.points for metric, mark in results if mark == "-")


def assessment_of(results: Sequence[bool | None], on: Sequence[str], distribution: str) -> Assessment:
    """Make an assessment of results and of what each was measured at, both in the order of `METRICS`."""
    metrics = tuple(_metric(one, at, passed=passed) for one, passed, at in zip(METRICS, results, on, strict=True))
    return Assessment(
        points=sum(metric.points for metric in metrics),
        max_known=sum(metric.max for metric in metrics if metric.passed is not None),
        dimensions=_by_dimension(metrics),
        metrics=metrics,
        distribution=distribution,
    )


def _metric(defined: Defined, on: str, *, passed: bool | None) -> Metric:
    won = defined.points if passed else 0
    fix = f"quality.fix.{defined.name}" if passed is False else ""
    return Metric(defined.name, defined.dimension, won, defined.points, passed, on, fix)


def _by_dimension(metrics: Iterable[Metric]) -> dict[Dimension, int]:
    found: dict[Dimension, int] = dict.fromkeys(DIMENSIONS, 0)
    for metric in metrics:
        found[metric.dimension] += metric.points
    return found
