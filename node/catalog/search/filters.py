"""The conditions of a question beside its words: facets, place, box, period, time of change; and what may be seen.

Conditions decide and never score. Values are spelt as the index spells them (`normal`), so that what people and
programs write (`csv`, `Transport`, `CC BY 4.0`) finds what it names; a value that names nothing finds nothing. Pure.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tantivy import FieldType, Occur, Query

from node.catalog.search import analyzers
from node.catalog.search.matching import any_of, free, none, one_of
from node.catalog.search.places import place
from node.catalog.search.query import Allowed, Sight
from node.catalog.search.query import Query as Question
from node.catalog.search.schema import (
    ACCESS,
    CHANGED,
    COLLECTION,
    EAST,
    END,
    ENTERED,
    FORMAT,
    IRI,
    KEYWORD,
    NORTH,
    QUALITY,
    SOUTH,
    START,
    THEME,
    WEST,
    schema,
)
from node.records import PLURALS
from node.vocab import mappings

_DAY_MS = 86_400_000
# Each band of freshness: changed within so many days, so what is of this week is of this month too; and the rest.
FRESHNESS: Mapping[str, int] = {"week": 7, "month": 31, "year": 366}
OLDER = "older"
# The bands of data.europa.eu's assessment: at least, and at most so many of 405 points.
QUALITY_BANDS: Mapping[str, tuple[int, int]] = {
    "excellent": (351, 405),
    "good": (221, 350),
    "sufficient": (121, 220),
    "bad": (0, 120),
}
UNKNOWN = "unknown"


def normal(name: str, value: str) -> str:
    """Spell a facet's value as the index does.

    >>> normal("format", "csv"), normal("theme", "Transport"), normal("kind", "datasets")
    ('CSV', 'TRAN', 'dataset')
    """
    bare = value.strip()
    spell = _SPELT.get(name)
    return spell(bare) if spell else bare.lower()


def _code(table: str) -> Callable[[str], str]:
    def spelt(value: str) -> str:
        known = mappings.TABLES[table].by_code(value.upper())
        return known.code if known else mappings.plain_code(table, value) or value.upper()

    return spelt


def _licence(value: str) -> str:
    """Codes of our table are upper case; `none` and `other` are words of the facet."""
    return value.lower() if value.lower() in {"none", "other"} else _code("licence")(value)


def _access(value: str) -> str:
    return UNKNOWN if value.lower() == UNKNOWN else value.upper().replace("-", "_")


def _language(value: str) -> str:
    return analyzers.base_of(value)


def _as_it_is(value: str) -> str:
    return value


def _kind(value: str) -> str:
    return PLURALS.get(value.lower(), value.lower())


_SPELT: Mapping[str, Callable[[str], str]] = {
    THEME: _code("theme"),
    FORMAT: _code("format"),
    "licence": _licence,
    ACCESS: _access,
    "language": _language,
    "kind": _kind,
    KEYWORD: analyzers.keyword_value,
    COLLECTION: _as_it_is,
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold, by facet name ("" for all that is no facet), so that a facet can be counted without its own."""

    must: Mapping[str, Query]
    must_not: tuple[Query, ...]

    def without(self, facet: str = "-") -> list[tuple[Occur, Query]]:
        """Give the conditions of all but one facet, as parts of a boolean query."""
        kept = [(Occur.Must, query) for name, query in self.must.items() if name != facet]
        return kept + [(Occur.MustNot, query) for query in self.must_not]


def conditions(question: Question, *, now_ms: int, over_180: bool = True) -> Conditions:
    """Give the conditions of a question whose filters are spelt as the index does (see `normal`).

    `over_180` tells that some record crosses the antimeridian, which costs every box a look around the globe.
    """
    must = {name: _facet(name, values, now_ms) for name, values in question.filters.items() if values}
    excluded = [_facet(name, values, now_ms) for name, values in question.excluded.items() if values]
    others = [
        *(box(question.bbox, over_180=over_180) if question.bbox else ()),
        *([place(question.place)] if question.place.strip() else ()),
        *span(START, END, question.period),
        *_between(CHANGED, question.changed_ms),
        *_between(ENTERED, question.entered_ms),
        *([one_of(IRI, question.iris)] if question.iris else ()),
    ]
    if others:
        must[""] = every(others)
    return Conditions({name: free(query) for name, query in must.items()}, tuple(excluded))


def every(queries: Sequence[Query]) -> Query:
    """Give the query that all of several must hold for."""
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Must, each) for each in queries])


def neither(wanted: Query, unwanted: Iterable[Query]) -> Query:
    """Give the query of what is wanted and none of what is not."""
    return Query.boolean_query([(Occur.Must, wanted), *((Occur.MustNot, each) for each in unwanted)])


def _facet(name: str, values: Sequence[str], now_ms: int) -> Query:
    if name == "freshness":
        return any_of([_fresh(value, now_ms) for value in values])
    if name == QUALITY:
        return any_of([_good(value) for value in values])
    return one_of(name, values)


def _fresh(value: str, now_ms: int) -> Query:
    if value in FRESHNESS:
        return ranged(CHANGED, now_ms - FRESHNESS[value] * _DAY_MS, None)
    if value == OLDER:
        return ranged(CHANGED, None, now_ms - FRESHNESS["year"] * _DAY_MS - 1)
    return absent(CHANGED) if value == UNKNOWN else none()


def _good(value: str) -> Query:
    if value in QUALITY_BANDS:
        return ranged(QUALITY, *QUALITY_BANDS[value])
    return absent(QUALITY) if value == UNKNOWN else none()


def absent(field: str) -> Query:
    """Ask for documents without any value of a fast field."""
    return neither(Query.all_query(), [Query.exists_query(field)])


def ranged(field: str, low: int | None, high: int | None) -> Query:
    """Ask for a whole number between two, both within."""
    return Query.range_query(schema(), field, FieldType.Integer, lower_bound=low, upper_bound=high)


def _between(field: str, ends: tuple[int | None, int | None]) -> list[Query]:
    return [] if ends == (None, None) else [ranged(field, *ends)]


def span(start: str, end: str, wanted: tuple[int | None, int | None]) -> list[Query]:
    """Ask for what overlaps a span of days, one of whose ends may be open; nothing to ask if both are."""
    first, last = wanted
    after = [ranged(end, first, None)] if first is not None else []
    return after + ([ranged(start, None, last)] if last is not None else [])


def _degrees(field: str, low: float | None, high: float | None) -> Query:
    return Query.range_query(schema(), field, FieldType.Float, lower_bound=low, upper_bound=high)


def box(wanted: tuple[float, float, float, float], *, over_180: bool = True) -> list[Query]:
    """Ask for boxes that overlap one; west > east crosses the antimeridian.

    Boxes in the index have their east up to 360 degrees beyond their west, so one asked for is also compared moved
    around the globe, either way, where something could lie there.
    """
    west, south, east, north = map(float, wanted)
    east = east + 360 if west > east else east
    here = [_degrees(WEST, None, east), _degrees(EAST, west, None)]
    high = [_degrees(SOUTH, None, north), _degrees(NORTH, south, None)]
    around = [_degrees(EAST, west + 360, None)] if over_180 else []
    around += [_degrees(WEST, None, east - 360)] if east >= 180 else []
    return [*([any_of([every(here), *around])] if around else here), *high]


def over_180() -> Query:
    """Ask for boxes that cross the antimeridian."""
    return _degrees(EAST, 180.000001, None)


def sight_public(sight: Sight, restricted: Collection[str]) -> list[Query]:
    """Say what of the public index may not be seen: mirrors of hidden peers, and collections no longer public."""
    unseen = []
    names = "|".join(sorted(name for name in sight.hidden if analyzers.fold(name).replace("-", "").isalnum()))
    if names:
        unseen.append(Query.regex_query(schema(), COLLECTION, f"({names})/.*"))
    if restricted:
        unseen.append(one_of(COLLECTION, sorted(restricted)))
    return unseen


def sight_restricted(allowed: Allowed) -> tuple[list[Query], list[Query]]:
    """Say what of a restricted index must hold and what may not, for one asker."""
    mine = Query.term_query(schema(), COLLECTION, allowed.collection)
    named = one_of(IRI, sorted(allowed.named))
    if not allowed.but:
        return [mine, named], []
    return [mine], [named] if allowed.named else []
