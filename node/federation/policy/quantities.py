"""Days, times, lengths of time and numbers as words, in English, Finnish and Swedish, and back to the exact text.

A rule holds them as text (`2028-01-01T00:00:00Z`, `PT24H`, `1000`), and the text is what is signed: a spelling that the
words would not give back exactly is declined here, and then stands in angle brackets as it is. Everything is UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from node.federation.policy.phrases import Pattern
from node.federation.policy.values import written_ms

MONTHS: dict[str, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fi": (
        "tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta", "kesäkuuta",
        "heinäkuuta", "elokuuta", "syyskuuta", "lokakuuta", "marraskuuta", "joulukuuta",
    ),
    "sv": (
        "januari", "februari", "mars", "april", "maj", "juni",
        "juli", "augusti", "september", "oktober", "november", "december",
    ),
}  # fmt: skip

# One and many of each part of an ISO 8601 duration. The Finnish words stand in the genitive, before "kuluessa".
_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("year", "years"), ("month", "months"), ("week", "weeks"), ("day", "days"),
        ("hour", "hours"), ("minute", "minutes"), ("second", "seconds"),
    ),
    "fi": (
        ("vuoden", "vuoden"), ("kuukauden", "kuukauden"), ("viikon", "viikon"), ("päivän", "päivän"),
        ("tunnin", "tunnin"), ("minuutin", "minuutin"), ("sekunnin", "sekunnin"),
    ),
    "sv": (
        ("år", "år"), ("månad", "månader"), ("vecka", "veckor"), ("dag", "dagar"),
        ("timme", "timmar"), ("minut", "minuter"), ("sekund", "sekunder"),
    ),
}  # fmt: skip
_DURATION = re.compile(
    r"P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_LETTERS = "YMWDHMS"
INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_DAY = r"(\d{1,2})\.? (\w+) (\d{4})"
_GROUP = {"en": ",", "fi": "\u00a0", "sv": "\u00a0"}
_TIMES: dict[str, tuple[str, str]] = {
    "en": ("once", "{n} times"),
    "fi": ("kerran", "{n} kertaa"),
    "sv": ("en gång", "{n} gånger"),
}
_UNITS: dict[str, tuple[str, ...]] = {
    "en": ("bytes", "kB", "MB", "GB", "TB"),
    "fi": ("tavua", "kt", "Mt", "Gt", "Tt"),
    "sv": ("byte", "kB", "MB", "GB", "TB"),
}
_CLOCK: dict[str, tuple[str, str]] = {
    "en": ("{time} UTC on {day}", r"(\d\d):(\d\d)(?::(\d\d))? UTC on "),
    "fi": ("{day} klo {time} UTC", r" klo (\d\d)[.](\d\d)(?:[.](\d\d))? UTC"),
    "sv": ("{day} kl. {time} UTC", r" kl\. (\d\d)[.](\d\d)(?:[.](\d\d))? UTC"),
}


def _moment(text: str) -> datetime | None:
    """Read the one spelling of an instant that words can give back: UTC, whole seconds."""
    try:
        at = datetime.strptime(text, INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return at if at.strftime(INSTANT) == text and at.year >= 1000 else None


def instant_text(moment_ms: int) -> str:
    """Write a moment as templates do: whole seconds, UTC."""
    return datetime.fromtimestamp(written_ms(moment_ms) // 1000, UTC).strftime(INSTANT)


def said_day(day: date, lang: str) -> str:
    """Say a calendar day in full: `2 February 2028`, `2. helmikuuta 2028`, `2 februari 2028`."""
    dot = "." if lang == "fi" else ""
    return f"{day.day}{dot} {MONTHS[lang][day.month - 1]} {day.year}"


def _read_day(number: str, month: str, year: str, lang: str) -> date | None:
    try:
        return date(int(year), MONTHS[lang].index(month) + 1, int(number))
    except ValueError:
        return None


def day_form(lang: str, *, earlier: int = 0) -> Pattern[str]:
    """Say an instant at midnight as a day; `earlier=1` says the day that has just ended."""

    def write(text: str) -> str | None:
        at = _moment(text)
        if at is None or (at.hour, at.minute, at.second) != (0, 0, 0):
            return None
        return said_day(at.date() - timedelta(days=earlier), lang)

    def parse(found: re.Match[str]) -> str | None:
        day = _read_day(found[1], found[2], found[3], lang)
        later = timedelta(days=earlier)
        return None if day is None or day > date.max - later else f"{day + later}T00:00:00Z"

    return Pattern(re.compile(_DAY), write, parse)


def plain_day_form(lang: str) -> Pattern[str]:
    """Say a date without a time: `2028-02-02`."""

    def write(text: str) -> str | None:
        day = _moment(f"{text}T00:00:00Z")
        return None if day is None else said_day(day.date(), lang)

    def parse(found: re.Match[str]) -> str | None:
        day = _read_day(found[1], found[2], found[3], lang)
        return None if day is None else str(day)

    return Pattern(re.compile(_DAY), write, parse)


def instant_form(lang: str) -> Pattern[str]:
    """Say an instant to the minute, and to the second where it has some: `14:30 UTC on 2 February 2028`."""
    words, clock = _CLOCK[lang]
    colon = ":" if lang == "en" else "."
    first = lang == "en"

    def write(text: str) -> str | None:
        at = _moment(text)
        if at is None:
            return None
        time = at.strftime(f"%H{colon}%M" + (f"{colon}%S" if at.second else ""))
        return words.format(time=time, day=said_day(at.date(), lang))

    def parse(found: re.Match[str]) -> str | None:
        groups = found.groups()
        (hour, minute, second), day = (groups[:3], groups[3:]) if first else (groups[3:], groups[:3])
        number, month, year = day
        read = _read_day(number, month, year, lang)
        return None if read is None else f"{read}T{hour}:{minute}:{second or '00'}Z"

    return Pattern(re.compile(clock + _DAY if first else _DAY + clock), write, parse)


def duration_form(lang: str) -> Pattern[str]:
    """Say an ISO 8601 duration of whole parts: `1 year 6 months`, `24 hours`; hours and days are not changed about."""
    names = _PARTS[lang]
    spoken = re.compile("".join(rf"(?:(\d+) (?:{many}|{one})\b(?: (?=\d))?)?" for one, many in names))

    def write(text: str) -> str | None:
        found = _DURATION.fullmatch(text)
        parts = zip(found.groups(), names, strict=True) if found is not None else ()
        return " ".join(f"{number} {one if number == '1' else many}" for number, (one, many) in parts if number) or None

    def parse(found: re.Match[str]) -> str | None:
        parts = [f"{number}{letter}" if number else "" for number, letter in zip(found.groups(), _LETTERS, strict=True)]
        time = "".join(parts[4:])
        return "P" + "".join(parts[:4]) + (f"T{time}" if time else "") if any(parts) else None

    return Pattern(spoken, write, parse)


def count_form(lang: str) -> Pattern[str]:
    """Say a number of times: `once`, `1,000 times`."""
    once, many = _TIMES[lang]
    return Pattern(
        re.compile(rf"{once}|" + many.replace("{n}", rf"([\d{_GROUP[lang]}]+)")),
        lambda text: once if text == "1" else _grouped(text, many, lang),
        lambda found: found[1].replace(_GROUP[lang], "") if found[1] else "1",
    )


def _grouped(text: str, many: str, lang: str) -> str | None:
    whole = text.isascii() and text.isdigit() and len(text) <= 18
    return many.replace("{n}", f"{int(text):,}".replace(",", _GROUP[lang])) if whole else None


def bytes_form(lang: str) -> Pattern[str]:
    """Say a number of bytes in the largest unit of which it is a whole number: `5 GB`, `1,500 MB`, `12 bytes`."""
    units, group = _UNITS[lang], _GROUP[lang]

    def write(text: str) -> str | None:
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            return None
        number = int(text)
        power = next(power for power in range(len(units) - 1, -1, -1) if number % 1000**power == 0)
        power = power if number else 0
        return f"{number // 1000**power:,}".replace(",", group) + f" {units[power]}"

    def parse(found: re.Match[str]) -> str:
        return str(int(found[1].replace(group, "")) * 1000 ** units.index(found[2]))

    return Pattern(re.compile(rf"([\d{group}]+) ({'|'.join(units)})"), write, parse)


FORMS: dict[str, Callable[[str], Pattern[str]]] = {
    "instant": instant_form,
    "duration": duration_form,
    "count": count_form,
    "bytes": bytes_form,
}

CLAUSE_NUMBERS: Pattern[str] = Pattern(re.compile(r"\d{1,3}\.\d{1,3}"), lambda text: text, lambda found: found[0])
