"""Places by name: what a record says it covers, in the words of its own catalogue, and where our table's places lie.

A place is known by any name that our table of places has for it (`Helsingfors` finds what says `Helsinki`); other names
mean themselves. Found are records that name the place, that lie within it, and those of the city of that name which say
nothing of where they are about.
"""

import re
from functools import lru_cache

from tantivy import FieldType, Occur, Query, Searcher

from node.catalog.search import analyzers
from node.catalog.search.known_places import box_of_place
from node.catalog.search.matching import any_of, none, one_of
from node.catalog.search.schema import CITY, EAST, NORTH, PLACE, SOUTH, WEST, schema
from node.records import slug_of
from node.vocab import lists
from node.vocab.tables import Concept

_MOST_WORDS = 8
_SLACK = 0.02  # degrees: our boxes are rough


def place(name: str) -> Query:
    """Ask for the records of a place; an unknown one finds what names it, if anything does."""
    names, code = _names(name.strip()[:100])
    if not names:
        return none()
    asked = [Query.regex_query(schema(), PLACE, f"(.* )?({'|'.join(map(re.escape, names))})( .*)?")]
    asked += _within(code)
    slugs = [slug for slug in map(slug_of, names) if slug]
    if slugs:
        nowhere = [(Occur.MustNot, Query.exists_query(field)) for field in (PLACE, WEST)]
        of_city = one_of(CITY, slugs)
        asked.append(Query.boolean_query([(Occur.Must, of_city), *nowhere]))
    return any_of(asked)


@lru_cache(maxsize=1024)
def _names(name: str) -> tuple[tuple[str, ...], str]:
    """Give every name of a place, as the index spells them, and its code in our table; of `Kallio` itself alone."""
    iri = lists.place_of(name)
    concept = lists.PLACES.by_iri(iri) if iri else None
    spelt = [name, *_labels(concept)] if concept else [name]
    folded = [" ".join(analyzers.words(each)[:_MOST_WORDS]) for each in spelt]
    return tuple(dict.fromkeys(filter(None, folded))), concept.code if concept else ""


def _labels(concept: Concept) -> list[str]:
    return [*concept.labels.values(), *(each for each in concept.words if "://" not in each and each != "-")]


def _within(code: str) -> list[Query]:
    """Ask for what lies within a place of our table, as roughly as we know it."""
    known = box_of_place(code) if code else None
    if known is None:
        return []
    west, south, east, north = known
    ends = ((WEST, west, None), (SOUTH, south, None), (EAST, None, east), (NORTH, None, north))
    parts = [
        Query.range_query(
            schema(),
            field,
            FieldType.Float,
            lower_bound=None if low is None else low - _SLACK,
            upper_bound=None if high is None else high + _SLACK,
        )
        for field, low, high in ends
    ]
    return [Query.boolean_query([(Occur.Must, each) for each in parts])]


def beginning(searcher: Searcher, typed: str, seen: Query, limit: int) -> list[str]:
    """Give names of places in the index that begin as typed, those of most records first: folded, as they are asked."""
    found = analyzers.words(typed)[:_MOST_WORDS]
    if not found:
        return []
    return [name for name, _ in searcher.terms_with_prefix(PLACE, " ".join(found), filter_query=seen, limit=limit)]
