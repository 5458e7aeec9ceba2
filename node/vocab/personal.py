"""Personal data: what a payload says of it (DPV), and what in a text tells one person from all others.

What contains personal data is never in a collection that everyone may read; every door asks here. A practice or an AI
system that *speaks of* personal data contains none, so only kinds that carry data can. Identity numbers count only
with a right check character and a date that there is, since reference numbers of offices look much the same. Pure.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

REFUSED = "personal-data"
"""The code under which every door refuses it."""

VERSION = 2
"""Of what counts as personal data. Sources are read again when it grows, since what they hold may count now."""

CARRIERS = frozenset({"dataset", "dataset-series", "data-service", "city-model"})
"""The kinds whose records stand for data; what they are flagged with is in that data."""

# DPV in all places where it was ever published, and its extensions: versions name the same terms.
_DPV = rb"https?://(?i:(?:www\.)?w3\.org/ns|(?:www\.)?w3id\.org)/dpv(?:-[a-z]++)*+(?:/[\w.-]++)*?[#/]"
_OBJECT = rb'(<[^>\n]*+>|"(?:[^"\\\n]|\\.)*+"[^\n]*?) \.$'
# Whole lines of canonical N-Triples, so that nothing inside a literal can look like one.
_FLAG = re.compile(
    rb"^<[^>\n]*+> <(" + _DPV + rb"(?:hasPersonalData(?:Category)?|hasSensitivePersonalData|hasData)"
    rb"|http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type)> " + _OBJECT,
    re.MULTILINE,
)
_TERM = re.compile(_DPV + rb"(\w++)")
_PERSONS = re.compile(_DPV.replace(rb"/dpv(?:", rb"/dpv(?:/pd|/dpv-pd|-pd)(?:") + rb"\w")
_CARRIES = re.compile(
    rb"^<[^>\n]*+> <http://www\.w3\.org/1999/02/22-rdf-syntax-ns#type>"
    rb" <http://www\.w3\.org/ns/dcat#(?:Dataset|DatasetSeries|DataService)> \.$",
    re.MULTILINE,
)
# What DPV 2.3 has below dpv:Data and not below dpv:PersonalData. Whatever else a source names is personal.
_NOBODYS = frozenset({b"AnonymisedData", b"NonPersonalData", b"SyntheticData"})
# The same as text, in the languages of our cities and their neighbours; letters and digits alone, in lower case.
_NO = (
    "false 0 no none nonpersonal nonpersonaldata nopersonaldata anonymised anonymized anonymous anonymiseddata"
    " anonymizeddata anonymousdata synthetic syntheticdata"
    " ei eihenkilötietoja anonymisoitu anonymisoitua anonymisoituja anonymisoitujatietoja"
    " nej inga ingen ingapersonuppgifter anonymiserad anonymiserade anonymiseradeuppgifter"
    " nee geen geenpersoonsgegevens geanonimiseerd nein keine keinepersonenbezogenendaten anonymisiert"
)
_NO_WORDS = frozenset(_NO.split())
_MOST_SAID = 120


def contains(kind: str, payload: bytes) -> str:
    """Give the words by which a record says that personal data is in it; empty if it says none.

    They are the IRI of what it names, or the property's with the text that it gives.

    Args:
        kind: The record's kind; one that only speaks of data counts where its payload describes a dataset as well.
        payload: Canonical N-Triples.
    """
    if b"/dpv" not in payload or (kind not in CARRIERS and not _CARRIES.search(payload)):
        return ""
    return next((said for found in _FLAG.finditer(payload) if (said := _said(*found.groups()))), "")


def _said(predicate: bytes, value: bytes) -> str:
    """Judge one line: what a flag names is personal unless it is clearly not; a class is if DPV says so of it."""
    flags = b"PersonalData" in predicate
    if not value.startswith(b"<"):
        text = value[1 : value.rindex(b'"')].decode()
        return f"{predicate.decode()} {text[:_MOST_SAID]}".rstrip() if flags and not _denies(text) else ""
    named = value[1:-1]
    term = _TERM.fullmatch(named)
    is_nobodys = term is not None and term[1] in _NOBODYS
    return named.decode() if not is_nobodys and (flags or _is_persons(named, term[1] if term else b"")) else ""


def _is_persons(named: bytes, term: bytes) -> bool:
    """Tell whether a class is of personal data by its name in DPV, or because it is one of its extension PD."""
    return term.endswith((b"PersonalData", b"PseudonymisedData")) or _PERSONS.match(named) is not None


def _denies(text: str) -> bool:
    last = re.split(r"[#/:]", text)[-1]
    return "".join(filter(str.isalnum, last.casefold())) in _NO_WORDS


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
