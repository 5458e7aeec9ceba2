"""Right operands: which texts are values of which kind, and what they weigh.

Times are RFC 3339 with a zone, so that no clause depends on where it is read (seconds may be missing, as they are in
the protocol's own examples); numbers are written in digits. Everything is compared as whole numbers: milliseconds since
1970, counts. A length of time becomes a moment by the calendar, because a month has no length of its own.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta, timezone

from node.federation.policy import terms

_TIME = re.compile(
    r"([1-9]\d{3})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"0|[1-9]\d{0,11}", re.ASCII)
_BYTES = re.compile(r"0|[1-9]\d{0,15}", re.ASCII)
# An absolute IRI by its looks. A label like `_:EU`, which examples of the protocol have, passes and is never known.
_IRI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*|_):[^\s<>\"{}|\\^`\x00-\x20]+")
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def time_ms(text: str) -> int | None:
    """Read a moment in milliseconds since 1970; None if it is none of the years 1970 to 9999."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(one or 0) for one in match.group(1, 2, 3, 4, 5, 6))
    fraction = int((match.group(7) or "").ljust(3, "0"))
    try:
        at_ms = _since_ms(datetime(year, month, day, hour, minute, second, tzinfo=_zone(match.group(8)))) + fraction
    except ValueError:
        return None
    # In UTC: a zone can carry the last hours of the calendar to a day that nobody can write.
    return at_ms if 0 <= at_ms <= LAST_MS else None


def time_text(moment_ms: int) -> str:
    """Write a moment as a clause would; one beyond the calendar as the last or the first that can be written."""
    at = _EPOCH + timedelta(milliseconds=written_ms(moment_ms))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_ms(moment_ms: int) -> int:
    """Give a moment that a calendar can write: what lies beyond the years 1970 to 9999 is the end of these."""
    return min(max(moment_ms, 0), LAST_MS)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole months, for which only the calendar has a length, and milliseconds."""

    months: int
    ms: int

    def after(self, start_ms: int) -> int:
        """Give the moment that is this much later. The 31st and a month is the last day of a shorter month."""
        if not self.months:
            return start_ms + self.ms
        start = _EPOCH + timedelta(milliseconds=written_ms(start_ms))
        year, month = divmod(start.year * 12 + start.month - 1 + self.months, 12)
        if year > MAXYEAR:
            return LAST_MS
        day = min(start.day, monthrange(year, month + 1)[1])
        return _since_ms(start.replace(year=year, month=month + 1, day=day)) + self.ms


def duration(text: str) -> Duration | None:
    """Read an ISO 8601 length of time in whole parts; None if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(one or 0) for one in match.groups())
    whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return Duration(years * 12 + months, whole // _MS)


def number(text: str) -> int | None:
    """Read a count; None if it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def bytes_in(text: str) -> int | None:
    """Read a number of bytes; None if it is none."""
    return int(text) if _BYTES.fullmatch(text) else None


def is_iri(text: str) -> bool:
    """Tell whether a text looks like an absolute IRI."""
    return _IRI.fullmatch(text) is not None


def wrong(kind: str, text: str) -> str:
    """Say how a value of this kind is written if the text is none; empty if it is one."""
    read = _READ.get(kind)
    if read is not None:
        return "" if read(text) is not None else _HOW[kind]
    if kind == "channel":
        return "" if text in terms.CHANNEL_IRIS else f"Channels are {', '.join(sorted(terms.CHANNEL_IRIS))}."
    return "" if is_iri(text) else _HOW["iri"]


def _since_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


_HOW = {
    "time": "Write a moment of the years 1970 to 9999 with its zone: 2027-02-02T00:00:00Z.",
    "duration": "Write a length of time: P30D, P6M or PT24H.",
    "number": "Write a whole number as a text: 1000.",
    "bytes": "Write a number of bytes as a text: 5000000000.",
    "iri": "Write an absolute IRI.",
}
_READ: Mapping[str, Callable[[str], object]] = {
    "time": time_ms,
    "duration": duration,
    "number": number,
    "bytes": bytes_in,
}
LAST_MS = _since_ms(datetime(MAXYEAR, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))
