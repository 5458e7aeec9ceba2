"""What a city's own words mean in the EU's tables: its themes, formats, licences and keywords, matched by people.

A city writes its matches as a file (`mapping_file.py`), publishes them as SKOS records (`mapping_records.py`), and
reads those of its peers; here they are looked up. A city's word is asked of its own matches first, then of our tables
(`lists.py`), and is never guessed. Pure: no I/O but the tables of this package, no clock, no database.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from node.vocab import lists
from node.vocab.tables import Table, key_of

Mapped = Callable[[str, str, str], str]
"""(table, value, city) -> the EU's code, or "": what `MappingBook.code` is; `plain_code` is one without any city."""

TABLES: Mapping[str, Table] = {
    "theme": lists.DATA_THEMES,
    "format": lists.FILE_TYPES,
    "licence": lists.LICENCES,
    # A keyword says what something is about, so what it can mean in the EU's words is a theme.
    "keyword": lists.DATA_THEMES,
}
MAX_VALUE = 300
_FOUND: Mapping[str, Callable[[str], str]] = {
    "theme": lists.theme_of,
    "format": lists.format_of,
    "licence": lists.licence_of,
    "keyword": lists.theme_of,
}


@dataclass(frozen=True, slots=True)
class Match:
    """One match: a city's `value` (text or IRI, as its records say it) and the concept it is, or is nearly.

    `language` is the tag of a text, empty if it has none; `exact` tells `skos:exactMatch` from `skos:closeMatch`;
    `code` is one of `TABLES[table]`.
    """

    table: str
    value: str
    exact: bool
    code: str
    language: str = ""
    note: str = ""


class MappingBook:
    """The matches of all cities, to be asked a million times; unchangeable, so safe in every thread."""

    def __init__(self, cities: Mapping[str, Iterable[Match]] | None = None) -> None:
        """Take the matches by city, as search names it; without any, our tables alone answer."""
        self._cities = {city: _by_key(matches) for city, matches in (cities or {}).items()}

    def code(self, table: str, value: str, city: str) -> str:
        """Give the code of the concept that a value means, the surest one if it means several; "" for unknown.

        Args:
            table: A key of `TABLES`.
            value: An IRI, or the text of a literal.
            city: Whose value it is: a peer's name, or our own city's slug.
        """
        codes = self.codes(table, value, city)
        return codes[0] if codes else ""

    def codes(self, table: str, value: str, city: str) -> tuple[str, ...]:
        """Give the codes of all concepts that a value means: exact matches first, then as the city orders them.

        A concept of the table itself is that concept, whatever a city says. A licence is only ever exactly one:
        what resembles a licence grants nothing.
        """
        own = self._cities.get(city)
        if own is None or not value or len(value) > MAX_VALUE or value in TABLES[table]:
            return _plain(table, value)
        return own.get((table, key_of(value))) or _plain(table, value)

    def cities(self) -> frozenset[str]:
        """Give the cities whose matches are held."""
        return frozenset(self._cities)


def _by_key(matches: Iterable[Match]) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    usable = [each for each in matches if each.exact or each.table != "licence"]
    for each in sorted(usable, key=lambda match: not match.exact):
        key = each.table, key_of(each.value)
        codes = found.get(key, ())
        if each.code not in codes:
            found[key] = (*codes, each.code)
    return found


def plain_code(table: str, value: str, city: str = "") -> str:  # noqa: ARG001  (the shape of `Mapped`)
    """Give the code that our own tables know for a value; no city's matches are asked."""
    codes = _plain(table, value)
    return codes[0] if codes else ""


@lru_cache(maxsize=65_536)
def _plain(table: str, value: str) -> tuple[str, ...]:
    iri = _FOUND[table](value) if 0 < len(value) <= MAX_VALUE else ""
    concept = TABLES[table].by_iri(iri) if iri else None
    return (concept.code,) if concept else ()
