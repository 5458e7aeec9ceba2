"""The numbers of a catalogue as a page and as JSON values: bars that stand beside their number, days in a row.

A bar is an inline drawing beside the number it stands for, so that nothing is told by colour or by a picture alone; the
thirty days have a table twin. Records are named only as whoever looks may see them. Pure: numbers in, values out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.catalog.numbers import Exchange, Told
from node.catalog.search.results import Count
from node.catalog.usage import DAY_MS, Used
from node.web.search.hits import facet_label
from node.web.wording.plain import iso
from node.web.wording.text import Said

# The drawing of the days: thirty bars, 5 wide and 3 apart, as tall as their share of the tallest.
BAR, STEP, TALL = 5, 8, 48
SHOWN = ("kind", "theme", "quality", "freshness", "use")


@dataclass(frozen=True, slots=True)
class Bar:
    """One line: what, how many, and the length of its bar in hundredths of the longest."""

    label: str
    count: int
    length: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One question about the catalogue and its answers in order."""

    name: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day: its beginning, how many, and where its bar stands in the drawing."""

    at_ms: int
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Days:
    """Thirty days of one use, their sum and the most on a day."""

    name: str
    total: int
    most: int
    bars: Sequence[DayBar]

    @property
    def width(self) -> int:
        """Give the width of the drawing."""
        return len(self.bars) * STEP - (STEP - BAR)


@dataclass(frozen=True, slots=True)
class Named:
    """A record that was downloaded: its title, its page, and how often."""

    title: Said
    href: str
    count: int


def charts_of(told: Told, reader: str) -> list[Chart]:
    """Give the catalogue's charts; one without any value is left out."""
    made = (Chart(name, bars_of(name, told.facets.get(name, ()), reader)) for name in SHOWN)
    return [one for one in made if one.bars]


def bars_of(facet: str, counts: Sequence[Count], reader: str) -> list[Bar]:
    """Draw the values of a facet against the largest."""
    most = max((one.count for one in counts), default=0)
    return [
        Bar(facet_label(facet, one.value, one.label, reader, str), one.count, max(1, round(100 * one.count / most)))
        for one in counts
        if one.count
    ]


def days_of(name: str, used: Sequence[Used]) -> Days:
    """Draw the days of a use; a day with any use has a bar that can be seen."""
    most = max((one.count for one in used), default=0)
    heights = [max(2, round(TALL * one.count / most)) if one.count else 0 for one in used]
    bars = [
        DayBar(one.day * DAY_MS, one.count, STEP * at, TALL - tall, tall)
        for at, (one, tall) in enumerate(zip(used, heights, strict=True))
    ]
    return Days(name, sum(one.count for one in used), most, bars)


def share_good(told: Told) -> tuple[int, int]:
    """Give how many records are good or excellent, and how many were measured."""
    counts = {one.value: one.count for one in told.facets.get("quality", ())}
    measured = sum(many for value, many in counts.items() if value != "unknown")
    return counts.get("good", 0) + counts.get("excellent", 0), measured


def json_of(told: Told, reader: str, named: Callable[[str], bool]) -> dict[str, object]:
    """Write the numbers as JSON values; `named` tells whether a record may be named."""
    values: dict[str, object] = {
        "day": (iso(told.at_ms) or "1970-01-01")[:10],  # all is counted by day, and so this is the same all day
        "records": told.records,
        "by": {
            name: [
                {"value": one.value, "label": facet_label(name, one.value, one.label, reader, str), "count": one.count}
                for one in counts
            ]
            for name, counts in told.facets.items()
        },
        "downloads": {"total": told.downloaded, "days": _days_told(told.downloads)},
        "searches": {"total": told.searched, "without_result": told.in_vain, "days": _days_told(told.searches)},
        "downloaded_most": [{"record": iri, "count": many} for iri, many in told.most if named(iri)],
    }
    return values | ({"exchange": [_exchange_told(one) for one in told.exchange]} if told.exchange else {})


def _days_told(used: Sequence[Used]) -> list[dict[str, object]]:
    return [{"day": (iso(one.day * DAY_MS) or "1970-01-01")[:10], "count": one.count} for one in used]


def _exchange_told(one: Exchange) -> dict[str, object]:
    return {
        "peer": one.name,
        "city": one.city,
        "state": one.state,
        "collections": one.collections,
        "entries": one.entries,
        "behind": one.behind,
        "refused_here": one.refused_here,
        "refused_there": one.refused_there,
        "answered_at": iso(one.answered_ms),
        "asked_at": iso(one.asked_ms),
        "days_away": one.away_days,
    }
