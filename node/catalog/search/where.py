"""Where and when a record is about: boxes around shapes in WKT or GeoJSON, and days of dates as portals write them.

Text in, numbers out; what is no shape in degrees, or no date, is None. Coordinates of other systems than longitude and
latitude are not guessed. Work is bounded whatever the text: long shapes are coastlines, whose first points do.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

from node.catalog.search.schema import OPEN_END, OPEN_START

Box = tuple[float, float, float, float]

_MOST = 20_000
_NUMBER = r"([-+]?\d{1,15}(?:\.\d{0,20})?(?:[eE][-+]?\d{1,2})?)"
_WKT_PAIR = re.compile(rf"[(,]\s*{_NUMBER}\s+{_NUMBER}")
_JSON_PAIR = re.compile(rf"\[\s*{_NUMBER}\s*,\s*{_NUMBER}")
_ENVELOPE = re.compile(r"ENVELOPE\s*\(\s*" + r"\s*,\s*".join([_NUMBER] * 4) + r"\s*\)", re.IGNORECASE)
_SYSTEM = re.compile(r"\s*<([^<>\s]{1,200})>")
# This system says latitude first (OGC 11-052r4, 8.5.1); CRS84, which no prefix means, longitude.
_LATITUDE_FIRST = re.compile(r"EPSG[/:]+(?:[\d.]+[/:]|:)?4326\Z", re.IGNORECASE)
_DATE = re.compile(r"\s*(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d])")
_EPOCH = date(1970, 1, 1).toordinal()
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=4096)
def box_of(geometry: str) -> Box | None:
    """Give west, south, east, north around a shape; east is beyond 180 where it crosses the antimeridian."""
    text = geometry[:_MOST]
    envelope = _ENVELOPE.search(text)
    if envelope:
        west, east, north, south = map(float, envelope.groups())
        return _checked(west, south, east if east >= west else east + 360, north)
    system = _SYSTEM.match(text)
    pairs = (_JSON_PAIR if text.lstrip()[:1] == "{" else _WKT_PAIR).findall(text)
    if not pairs:
        return None
    xs, ys = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    if system and _LATITUDE_FIRST.search(system[1]):
        xs, ys = ys, xs
    return _checked(min(xs), min(ys), max(xs), max(ys))


def _checked(west: float, south: float, east: float, north: float) -> Box | None:
    right = -180 <= west <= 180 and west <= east <= west + 360 and -90 <= south <= north <= 90
    # What does not cross the line ends at it; a shape in other units than degrees is mostly far beyond.
    return (west, south, east, north) if right and east <= 540 else None


def around(boxes: Sequence[Box]) -> Box | None:
    """Give the box around boxes; None for none."""
    if len(boxes) < 2:
        return boxes[0] if boxes else None
    wests, souths, easts, norths = zip(*boxes, strict=True)
    west = min(wests)
    return west, min(souths), min(max(easts), west + 360), max(norths)


@lru_cache(maxsize=16384)
def first_day(text: str) -> int | None:
    """Give the day, since 1970-01-01, on which a date, month or year begins; None for what is none of these."""
    return _day(text, last=False)


@lru_cache(maxsize=16384)
def last_day(text: str) -> int | None:
    """Give the day on which a date, month or year ends."""
    return _day(text, last=True)


def _day(text: str, *, last: bool) -> int | None:
    match = _DATE.match(text)
    if match is None:
        return None
    year, month = int(match[1]), int(match[2] or (12 if last else 1))
    if not (year and 1 <= month <= 12):
        return None
    day = int(match[3] or (_MONTH_DAYS[month - 1] if last else 1))
    for each in (day, day - 1):  # the 29th of February is the last guess that may be one too many
        try:
            return date(year, month, each).toordinal() - _EPOCH
        except ValueError:
            continue
    return None


def span(starts: Iterable[str], ends: Iterable[str]) -> tuple[int, int] | None:
    """Give the days from the first start to the last end; an end that nobody names is open; None for no date at all."""
    first = [day for day in map(first_day, starts) if day is not None]
    last = [day for day in map(last_day, ends) if day is not None]
    if not first and not last:
        return None
    start, end = min(first, default=OPEN_START), max(last, default=OPEN_END)
    return (start, end) if start <= end else (end, start)


def moment_ms(text: str) -> int | None:
    """Give the milliseconds since 1970 of a date or time; one without a zone is UTC; None for what is none."""
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        day = first_day(text)
        return None if day is None else day * 86_400_000
    try:
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
