"""Personal data: what a payload says of it (DPV), and what in a text tells one person from all others.

What contains personal data is never in a collection that everyone may read; every door asks here. A practice or an AI
system that *speaks of* personal data contains none, so only kinds that carry data can. Identity numbers count only
with a right check character and a date that there is, since reference numbers of offices look much the same. Pure.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from node.vocab.terms import DPV

REFUSED = "personal-data"
"""The code under which every door refuses it."""

CARRIERS = frozenset({"dataset", "dataset-series", "data-service", "city-model"})
"""The kinds whose records stand for data; what they are flagged with is in that data."""

_SAYS = f"> <{DPV.hasPersonalData}> <".encode()
# What DPV 2.3 has below dpv:Data and not below dpv:PersonalData. Whatever else a source names is personal.
_NOT_PERSONAL = frozenset({DPV.AnonymisedData, DPV.NonPersonalData, f"{DPV.NS}SyntheticData"})


def contains(kind: str, payload: bytes) -> str:
    """Give the IRI by which a record says that personal data is in it; empty if it says none.

    Args:
        kind: The record's kind.
        payload: Canonical N-Triples, so that nothing inside a literal can look like the line that is searched for.
    """
    if kind not in CARRIERS or _SAYS not in payload:
        return ""
    for part in payload.split(_SAYS)[1:]:
        said = part[: part.find(b"> .\n")].decode()
        if said not in _NOT_PERSONAL:
            return said
    return ""


class Trace(NamedTuple):
    """Something in a text that belongs to one person: where it begins, and what it is, in words."""

    at: int
    what: str


def numbers_in(text: str) -> Iterator[Trace]:
    """Find national identity numbers of Finland, Sweden, the United Kingdom, Norway and Estonia, in no order."""
    if not _DIGITS.search(text):
        return
    for pattern, is_one, what in _NUMBERS:
        for found in pattern.finditer(text):
            if is_one(found):
                yield Trace(found.start(), what)


def mobiles_in(text: str) -> Iterator[Trace]:
    """Find mobile telephone numbers, which are mostly one person's: +358 4, 04x, +44 7, +46 7, +47 4 and 9, 07xx."""
    if _DIGITS.search(text):
        yield from (Trace(found.start(), "a mobile telephone number") for found in _MOBILE.finditer(text))


_DIGITS = re.compile(r"\d.{0,3}\d.{0,3}\d.{0,3}\d")
_NO_MORE = r"(?![\w-])"
_FINNISH = re.compile(r"(?<![\w-])(\d\d)(\d\d)(\d\d)([-+ABCDEFUVWXY])(\d{3})([0-9A-FHJ-NPR-Y])" + _NO_MORE)
_SWEDISH = re.compile(r"(?<![\w+-])((?:19|20)?)(\d\d)(\d\d)(\d\d)[-+](\d{4})" + _NO_MORE)
_BRITISH = re.compile(
    r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]( ?)\d\d\1\d\d\1\d\d\1[A-D]" + _NO_MORE
)
_NORWEGIAN = re.compile(r"(?<![\w+.,/-])(\d\d)(\d\d)(\d\d) ?(\d{3})(\d\d)" + _NO_MORE)
_ESTONIAN = re.compile(r"(?<![\w+.,/-])[1-8](\d\d)(\d\d)(\d\d)\d{4}" + _NO_MORE)
_MOBILE = re.compile(
    r"(?<![\w+/.=-])(?:(?:\+|00)358[ -]?\(?0?\)?[45]\d?|(?:\+|00)44[ -]?\(?0?\)?7\d|(?:\+|00)46[ -]?\(?0?\)?7\d"
    r"|(?:\+|00)47[ -]?[49]\d|0(?:4\d|50|7\d{2}))(?:[ -]?\d){6,8}(?![\w-]|[.,]\d)"
)
_FINNISH_CHECK = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CENTURIES = {"+": 1800, "-": 1900} | dict.fromkeys("UVWXY", 1900) | dict.fromkeys("ABCDEF", 2000)


def _is_finnish(found: re.Match[str]) -> bool:
    day, month, year, sign, number, check = found.groups()
    # From 900 on they are for tests and for those who have none yet.
    return (
        _is_day(_CENTURIES[sign] + int(year), month, day)
        and 2 <= int(number) < 900
        and _FINNISH_CHECK[int(day + month + year + number) % 31] == check
    )


def _is_swedish(found: re.Match[str]) -> bool:
    century, year, month, day, number = found.groups()
    # A co-ordination number has 60 added to its day.
    born = f"{int(day) - 60 if int(day) > 60 else int(day):02}"
    digits = year + month + day + number
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    right = sum(sum(divmod(each, 10)) for each in doubled) % 10 == 0
    return right and (_is_day(int(century + year), month, born) if century else _was_day(year, month, born))


def _is_british(found: re.Match[str]) -> bool:  # noqa: ARG001 (it has no check character: its form is all there is)
    return True


def _is_norwegian(found: re.Match[str]) -> bool:
    day, month, year, number, checks = found.groups()
    digits = [int(each) for each in day + month + year + number + checks]
    first = sum(map(int.__mul__, digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)))
    second = sum(map(int.__mul__, digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)))
    # Who is not a citizen has 40 added to the day.
    born = f"{int(day) - 40 if int(day) > 40 else int(day):02}"
    return first % 11 == 0 and second % 11 == 0 and _was_day(year, month, born)


def _is_estonian(found: re.Match[str]) -> bool:
    digits = [int(each) for each in found.group()]
    check = sum(map(int.__mul__, digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1))) % 11
    if check == 10:
        check = sum(map(int.__mul__, digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3))) % 11 % 10
    year, month, day = found.groups()
    century = 1800 + 100 * ((digits[0] - 1) // 2)
    return _is_day(century + int(year), month, day) and check == digits[10]


def _is_day(year: int, month: str, day: str) -> bool:
    try:
        date(year, int(month), int(day))
    except ValueError:
        return False
    return True


def _was_day(year: str, month: str, day: str) -> bool:
    """Tell whether there was such a day in either of the last two centuries, where the number does not say which."""
    return _is_day(1900 + int(year), month, day) or _is_day(2000 + int(year), month, day)


_NUMBERS = (
    (_FINNISH, _is_finnish, "a Finnish personal identity code"),
    (_SWEDISH, _is_swedish, "a Swedish personal identity number"),
    (_BRITISH, _is_british, "a UK National Insurance number"),
    (_NORWEGIAN, _is_norwegian, "a Norwegian national identity number"),
    (_ESTONIAN, _is_estonian, "an Estonian personal identification code"),
)
