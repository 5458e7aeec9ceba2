"""From records to a collection: our aggregation rule, which `docs/quality.md` and the quality pages publish.

A dataset has the points of its own metrics and of its best distribution. A collection has the mean of its datasets; of
each metric, the share of the datasets that pass among those where it could be told. A few hundred different results are
enough for a million records, so everything is worked out from how many records have which. Pure values: no I/O.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.catalog.quality.metrics import (
    DIMENSIONS,
    MAX_OF,
    MAX_POINTS,
    METRICS,
    RATINGS,
    WITHIN,
    Dimension,
    Rating,
    points_of,
    rating_of,
)


@dataclass(frozen=True, slots=True)
class Share:
    """One metric over many records: how many pass, fail, and are unknown."""

    name: str
    dimension: Dimension
    max: int
    passed: int
    failed: int
    unknown: int

    @property
    def known(self) -> int:
        """Count the records of which it could be told."""
        return self.passed + self.failed

    @property
    def share(self) -> float | None:
        """Give the share that pass among those known, from 0 to 1; None where nothing is known."""
        return self.passed / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do in many records: the metric it is about, how many need it, and the points it may bring them.

    `known` counts the records of which it could be told whether they do; `lost` are the points of all `failed`.
    """

    name: str
    failed: int
    known: int
    lost: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How good many records are: sums over `records`, so that means can be taken of several summaries together."""

    records: int
    points: int
    max_known: int
    dimensions: Mapping[Dimension, int]
    known: Mapping[Dimension, int]
    metrics: tuple[Share, ...]
    ratings: Mapping[Rating, int]

    @property
    def mean(self) -> float:
        """Give the mean of the records' points, of 405."""
        return self.points / self.records if self.records else 0.0

    @property
    def mean_known(self) -> float:
        """Give the mean of the points that could be told."""
        return self.max_known / self.records if self.records else 0.0

    @property
    def proportional(self) -> float:
        """Give the weights of the metrics, each by the share of records that pass it; what is unknown is left out."""
        told = [share for share in self.metrics if share.known]
        weight = sum(share.max for share in told)
        return MAX_POINTS * sum(share.max * (share.share or 0.0) for share in told) / weight if weight else 0.0

    @property
    def rating(self) -> Rating:
        """Say it in a word."""
        return rating_of(self.points, self.max_known)

    @property
    def work(self) -> list[Work]:
        """List what some records need, the costliest first; what is done with another thing is part of that one."""
        found = (_work(share, self.metrics) for share in self.metrics)
        return sorted((work for work in found if work.failed), key=lambda work: (-work.lost, work.name))


def _work(share: Share, shares: Sequence[Share]) -> Work:
    without = sum(other.failed for other in shares if WITHIN.get(share.name) == other.name)
    worth = share.max + sum(other.max for other in shares if WITHIN.get(other.name) == share.name)
    failed = share.failed - without
    return Work(share.name, failed, share.known - without, failed * worth)


def summary_of(counts: Mapping[str, int]) -> Summary:
    """Work out a summary from how many records have which marks (`Assessment.marks`)."""
    ratings = dict.fromkeys(RATINGS, 0)
    for marks, number in counts.items():
        ratings[rating_of(*points_of(marks))] += number
    return _summed(tuple(_share(place, counts) for place in range(len(METRICS))), ratings, sum(counts.values()))


def written(summary: Summary) -> str:
    """Write a summary as JSON, to be kept for a day."""
    told = [[share.passed, share.failed, share.unknown] for share in summary.metrics]
    return json.dumps({"records": summary.records, "metrics": told, "ratings": dict(summary.ratings)})


def read(text: str) -> Summary | None:
    """Read a kept summary back; None if it is of another edition of the metrics."""
    found = json.loads(text)
    told = [tuple(map(int, each)) for each in found["metrics"]]
    if len(told) != len(METRICS):
        return None
    shares = tuple(Share(m.name, m.dimension, m.points, *each) for m, each in zip(METRICS, told, strict=True))
    return _summed(shares, found["ratings"], int(found["records"]))


def _summed(metrics: tuple[Share, ...], ratings: Mapping[Rating, int], records: int) -> Summary:
    won = {each: _sum(metrics, each, known=False) for each in DIMENSIONS}
    known = {each: _sum(metrics, each, known=True) for each in DIMENSIONS}
    return Summary(records, sum(won.values()), sum(known.values()), won, known, metrics, ratings)


def _share(place: int, counts: Mapping[str, int]) -> Share:
    found = {"+": 0, "-": 0, "?": 0}
    for marks, number in counts.items():
        found[marks[place]] += number
    metric = METRICS[place]
    return Share(metric.name, metric.dimension, metric.points, found["+"], found["-"], found["?"])


def _sum(metrics: tuple[Share, ...], dimension: Dimension, *, known: bool) -> int:
    return sum(
        share.max * (share.known if known else share.passed) for share in metrics if share.dimension == dimension
    )


def mean_of(summary: Summary, dimension: Dimension) -> tuple[float, float, int]:
    """Give a dimension's mean points, the mean that could be told, and the most there is."""
    records = summary.records or 1
    return summary.dimensions[dimension] / records, summary.known[dimension] / records, MAX_OF[dimension]
