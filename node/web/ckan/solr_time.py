"""Times as Solr's language writes them: ISO 8601, and NOW with its date maths (`NOW/DAY-7DAYS`).

Harvesters ask for what changed since their last visit in this way. Pure: what NOW is comes in, a time without a zone is
UTC, and months and years are those of the calendar.
"""

import re
from datetime import UTC, datetime, timedelta

from node.errors import Malformed

_MATHS = re.compile(r"([+-]\d{1,6}|/)(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?")
_STEPS = {"WEEK": 7 * 86_400, "DAY": 86_400, "HOUR": 3_600, "MINUTE": 60, "SECOND": 1}


def moment(text: str, now_ms: int) -> int | None:
    """Read one end of a range of times: ISO 8601, or NOW with Solr's date maths; None for an open end.

    Raises:
        Malformed: It is no time.

    >>> moment("NOW/DAY-1DAY", 86_400_000 * 3 + 5), moment("1970-01-02", 0), moment("*", 0)
    (172800000, 86400000, None)
    """
    if text == "*":
        return None
    base, maths = (text[:3], text[3:]) if text.startswith("NOW") else _parted(text)
    try:
        at = datetime.fromtimestamp(now_ms / 1000, UTC) if base == "NOW" else datetime.fromisoformat(base)
        return round(_reckoned(at if at.tzinfo else at.replace(tzinfo=UTC), maths).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Malformed(
            f"{text[:40]!r} is no time.", fix="Write 2026-01-01T00:00:00Z, NOW-7DAYS or * for an open end."
        ) from None


def _parted(text: str) -> tuple[str, str]:
    base, z, maths = text.partition("Z")
    return base + z, maths


def _reckoned(at: datetime, maths: str) -> datetime:
    if _MATHS.sub("", maths):
        raise ValueError(maths)
    for step, unit in _MATHS.findall(maths):
        at = _rounded(at, unit) if step == "/" else _moved(at, int(step), unit)
    return at


def _rounded(at: datetime, unit: str) -> datetime:
    names = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
    if unit not in names:
        raise ValueError(unit)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second)[: names.index(unit) + 1]
    return datetime(*(*parts, *(1, 1, 1)[len(parts) : 3]), tzinfo=at.tzinfo)  # type: ignore[misc, arg-type]


def _moved(at: datetime, count: int, unit: str) -> datetime:
    if unit in _STEPS:
        return at + timedelta(seconds=count * _STEPS[unit])
    months = at.year * 12 + at.month - 1 + count * (12 if unit == "YEAR" else 1)
    first = at.replace(year=months // 12, month=months % 12 + 1, day=1)
    last = ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(at.day, last))
