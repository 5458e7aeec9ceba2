"""What is asked of the search, and who asks: values only, so that anything may build a question without an index.

A `Query` has the bounds of the search built in: making one past them is `Malformed` with a sentence that says what is
possible, so that every door (page, API, CKAN, OGC, command) refuses alike. `Sight` says what the asker may see.
Nothing here reads text, index or clock.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from node.catalog.search.reader import FACETS, Parsed, read_text
from node.errors import Malformed

__all__ = ["FACETS", "PUBLIC", "SORTS", "Allowed", "Parsed", "Query", "Sight", "Sort", "read_text"]

Sort = Literal["relevance", "changed", "title", "quality"]
SORTS: tuple[Sort, ...] = get_args(Sort)
MAX_LIMIT = 1000
MAX_DEPTH = 10_000
MAX_VALUES = 100
MAX_IRIS = 1000
_MAX_VALUE = 300
_MAX_FACET = 1000
_BOX_SAID = "refuse.bbox"
_BOX_FIX = "Write bbox=west,south,east,north in degrees."
_NOTHING: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one agreement, or several, show of a restricted collection: all but the named records, or only those."""

    collection: str
    named: frozenset[str] = frozenset()
    but: bool = True

    def shows(self, iri: str) -> bool:
        """Tell whether a record of the collection may be seen."""
        return (iri in self.named) is not self.but


@dataclass(frozen=True, slots=True)
class Sight:
    """What an asker may see: public records, without the mirrors of hidden peers, and of restricted ones the allowed.

    `hidden` are names of peers, whose mirrors are named `peer/collection`.
    """

    hidden: frozenset[str] = frozenset()
    restricted: tuple[Allowed, ...] = ()


PUBLIC = Sight()
"""What anyone sees where no peer is hidden."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question. Filters: OR among the values of one facet, AND across facets; `excluded` values must be absent.

    `bbox` is west, south, east, north in degrees; west > east crosses the antimeridian. `period` counts days since
    1970-01-01, both ends within; `changed_ms` is when the described thing changed, as
    it says itself, `entered_ms` when this node learnt of the record's newest state (what a copy asks for that wants to
    stay level), both ends within. `reverse` turns the
    usual direction of the sort about (newest, A, best first). `loosen` lets near words, or most
    words, do where no record has all of them. `offset + limit` is at most 10,000; `cursor` goes on
    where a page ended, at any depth where the sort is not relevance. `facets` are those to count: a record counts for
    each of its routes, or `once`, so that the counts add up to the total.
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    bbox: tuple[float, float, float, float] | None = None
    place: str = ""
    period: tuple[int | None, int | None] = (None, None)
    changed_ms: tuple[int | None, int | None] = (None, None)
    entered_ms: tuple[int | None, int | None] = (None, None)
    iris: tuple[str, ...] = ()
    sort: Sort = "relevance"
    reverse: bool = False
    limit: int = 20
    offset: int = 0
    cursor: str = ""
    facets: tuple[str, ...] = ()
    facet_limit: int = 20
    once: bool = False
    language: str = "en"
    highlight: bool = True
    grouped: bool = True
    loosen: bool = True

    def __post_init__(self) -> None:
        """Refuse what no answer is possible to.

        Raises:
            Malformed: A bound is passed or a name is unknown; the sentences say which and what there is.
        """
        if self.sort not in SORTS:
            raise Malformed(f"There is no order {self.sort!r}.", fix=f"Sort by one of: {', '.join(SORTS)}.")
        _check_names(self)
        _check_texts(self)
        _check_page(self)
        if self.bbox is not None:
            _check_bbox(self.bbox)
        _check_span("period", self.period)
        _check_span("time of change", self.changed_ms)
        _check_span("time of entry", self.entered_ms)
        if len(self.iris) > MAX_IRIS:
            raise Malformed(f"{len(self.iris)} records are named at once.", fix=f"Name at most {MAX_IRIS}.")


def _check_names(query: Query) -> None:
    unknown = sorted({*query.filters, *query.excluded, *query.facets} - set(FACETS))
    if unknown:
        raise Malformed(f"There is no facet {unknown[0]!r}.", fix=f"The facets are: {', '.join(FACETS)}.")
    for name, values in (*query.filters.items(), *query.excluded.items()):
        if len(values) > MAX_VALUES or any(len(value) > _MAX_VALUE for value in values):
            raise Malformed(
                f"The facet {name} is asked for too many or too long values.",
                fix=f"Ask for at most {MAX_VALUES} values of at most {_MAX_VALUE} characters.",
            )
    if not 0 <= query.facet_limit <= _MAX_FACET:
        raise Malformed("So many values of a facet are not counted.", fix=f"Ask for at most {_MAX_FACET}.")


def _check_texts(query: Query) -> None:
    """Refuse what is no text: lone surrogates, which no index can hold."""
    values = (value for group in (query.filters, query.excluded) for each in group.values() for value in each)
    for text in (query.place, query.language, query.cursor, *query.iris, *values):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Malformed("A value of the question is no text.", fix="Write it in UTF-8.") from error
    if len(query.place) > _MAX_VALUE:
        raise Malformed("The name of the place is too long.", fix=f"Write at most {_MAX_VALUE} characters.")


def _check_page(query: Query) -> None:
    if not 0 <= query.limit <= MAX_LIMIT:
        raise Malformed(f"A page of {query.limit} records is not given.", fix=f"Ask for 0 to {MAX_LIMIT}.")
    if query.offset < 0 or query.offset + query.limit > MAX_DEPTH:
        raise Malformed(
            f"Pages reach {MAX_DEPTH:,} records deep.",
            fix="Narrow the question, or sort by changed, title or quality and follow the link to the next page.",
        )


def _check_bbox(bbox: tuple[float, float, float, float]) -> None:
    if len(bbox) != 4:
        raise Malformed("A bounding box has four numbers.", fix=_BOX_FIX).on_page(_BOX_SAID)
    west, south, east, north = bbox
    if not all(math.isfinite(each) for each in bbox):
        raise Malformed("A bounding box has four numbers.", fix=_BOX_FIX).on_page(_BOX_SAID)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise Malformed(
            "The bounding box leaves the globe.",
            fix="Write west,south,east,north in degrees: longitudes from -180 to 180, latitudes from -90 to 90.",
        ).on_page(_BOX_SAID)
    if south > north:
        raise Malformed(
            "The bounding box has its south above its north.",
            fix="The order is west,south,east,north: longitude first.",
        ).on_page(_BOX_SAID)


def _check_span(name: str, span: tuple[int | None, int | None]) -> None:
    start, end = span
    if start is not None and end is not None and start > end:
        raise Malformed(f"The {name} ends before it starts.", fix="Give the earlier end first, or leave one out.")
