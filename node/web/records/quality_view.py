"""What pages and documents of quality show, worked out from what was measured: values for templates, and JSON.

Nothing is decided here about who may see what, and nothing is read. Points of many are means with one decimal; what is
not known is said to be unknown, in every form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from node.catalog.quality.assess import Link
from node.catalog.quality.book import Failing, Judged
from node.catalog.quality.links import Tried
from node.catalog.quality.metrics import DIMENSIONS, MAX_OF, MAX_POINTS, WITHIN, Assessment, Dimension, Metric
from node.catalog.quality.summary import Summary, Work, mean_of
from node.web.wording.words import words

_RESULTS = {True: "passed", False: "failed", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing to do: the metric's label and its sentence, and how many need it.

    `points` is what it may bring a record that needs it, `gain` what it may add to the mean, `lost` to all records.
    """

    name: str
    label: str
    text: str
    points: int
    gain: float
    lost: int
    failed: int
    known: int


@dataclass(frozen=True, slots=True)
class Group:
    """A dimension of one record: its points, those that could be told, the most there are, and its metrics."""

    name: Dimension
    points: int
    known: int
    most: int
    metrics: tuple[Metric, ...]


def fixes_of(judged: Judged, reader: str) -> list[Fix]:
    """Say what to mend at a record, the costliest first; what is done with another thing is not said again."""
    worth = {metric.name: metric.max for metric in judged.assessment.metrics if metric.passed is False}
    for name, whole in WITHIN.items():
        if whole in worth:
            worth[whole] += worth.pop(name, 0)
    return [_fix(name, worth[name], reader) for name in sorted(worth, key=lambda name: -worth[name])]


def _fix(name: str, points: int, reader: str) -> Fix:
    label, text = words(reader, f"quality.metric.{name}"), words(reader, f"quality.fix.{name}")
    return Fix(name, label, text, points, float(points), points, 1, 1)


def work_of(summary: Summary, reader: str) -> list[Fix]:
    """Say what to mend in a collection, the costliest first."""
    return [_work(work, summary.records, reader) for work in summary.work]


def _work(work: Work, records: int, reader: str) -> Fix:
    label, text = words(reader, f"quality.metric.{work.name}"), words(reader, f"quality.fix.{work.name}")
    return Fix(
        work.name, label, text, work.lost // work.failed, work.lost / records, work.lost, work.failed, work.known
    )


def groups_of(found: Assessment) -> list[Group]:
    """Give the metrics of a record by dimension."""
    by_name = {name: tuple(one for one in found.metrics if one.dimension == name) for name in DIMENSIONS}
    return [
        Group(
            name,
            found.dimensions[name],
            sum(metric.max for metric in metrics if metric.passed is not None),
            MAX_OF[name],
            metrics,
        )
        for name, metrics in by_name.items()
    ]


def dimensions_of(summary: Summary) -> list[tuple[str, float, float, int]]:
    """Give name, mean points, mean of what could be told, and maximum of each dimension."""
    return [(name, *mean_of(summary, name)) for name in DIMENSIONS]


def moment(at_ms: int) -> str | None:
    """Write a time as RFC 3339; nothing for never."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at_ms else None


def day_of(day: int) -> str:
    """Write a day since the epoch as a date."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


def record_told(judged: Judged, reader: str) -> dict[str, Any]:
    """Say what was measured of a record as JSON."""
    found = judged.assessment
    return {
        "points": found.points,
        "max_known": found.max_known,
        "max": MAX_POINTS,
        "rating": found.rating,
        "dimensions": {
            each.name: {"points": each.points, "max_known": each.known, "max": each.most} for each in groups_of(found)
        },
        "distribution": found.distribution or None,
        "metrics": [_metric_told(metric, reader) for metric in found.metrics],
        "links": [link_told(link, tried) for link, tried in judged.links],
    }


def _metric_told(metric: Metric, reader: str) -> dict[str, Any]:
    return {
        "name": metric.name,
        "dimension": metric.dimension,
        "points": metric.points,
        "max": metric.max,
        "result": _RESULTS[metric.passed],
        "on": metric.on,
        "fix": words(reader, metric.fix) if metric.fix else None,
    }


def link_told(link: Link, tried: Tried | None) -> dict[str, Any]:
    """Say what is known of a link as JSON."""
    return {"role": link.role, "url": link.url} | (
        {
            "state": tried.state,
            "status": tried.status or None,
            "detail": tried.detail or None,
            "tried": moment(tried.checked_ms),
            "bytes": tried.size,
            "media_type": tried.media_type or None,
        }
        if tried
        else {"state": "unknown", "status": None, "detail": None, "tried": None, "bytes": None, "media_type": None}
    )


def summary_told(summary: Summary) -> dict[str, Any]:
    """Say what a collection is worth as JSON; means have one decimal."""
    return {
        "records": summary.records,
        "points": round(summary.mean, 1),
        "max_known": round(summary.mean_known, 1),
        "max": MAX_POINTS,
        "proportional": round(summary.proportional, 1),
        "rating": summary.rating if summary.records else None,
        "ratings": dict(summary.ratings),
        "dimensions": {
            name: {"points": round(mean, 1), "max_known": round(known, 1), "max": most}
            for name, mean, known, most in dimensions_of(summary)
        },
    }


def shares_told(summary: Summary, reader: str) -> list[dict[str, Any]]:
    """Say how many records pass each metric, as JSON, in the order of the metrics."""
    return [
        {
            "name": share.name,
            "dimension": share.dimension,
            "max": share.max,
            "passed": share.passed,
            "failed": share.failed,
            "unknown": share.unknown,
            "fix": words(reader, f"quality.fix.{share.name}") if share.failed else None,
        }
        for share in summary.metrics
    ]


def days_told(days: Sequence[tuple[int, Summary]]) -> list[dict[str, Any]]:
    """Say how it was day by day, as JSON."""
    return [
        {
            "day": day_of(day),
            "records": summary.records,
            "points": round(summary.mean, 1),
            "max_known": round(summary.mean_known, 1),
            "proportional": round(summary.proportional, 1),
        }
        for day, summary in days
    ]


def failing_told(found: Sequence[Failing]) -> list[dict[str, Any]]:
    """Say which links fail, as JSON."""
    return [{"record": one.record} | link_told(Link(one.role, one.tried.url), one.tried) for one in found]
