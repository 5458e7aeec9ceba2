"""Why nothing was found: nothing is published, a value that nothing has, a place that nothing names, quotes, no field.

Said on the page of no results and as `hint` of the JSON, in the reader's language. What there is, is asked by the
search that is handed in, so that it is said as this caller may see it.
"""

import re
from collections.abc import Callable

from node.catalog.search.query import Query
from node.catalog.search.reader import FACET_FIELDS, TEXT_FIELDS, read_text
from node.catalog.search.results import Results
from node.records import KINDS
from node.web.search.hits import facet_label
from node.web.search.query import Asked
from node.web.wording.words import words

# Facets of few values, which can be named; a publisher or a keyword may be any text.
_CLOSED = (
    "city",
    "kind",
    "use",
    "access",
    "freshness",
    "quality",
    "theme",
    "format",
    "licence",
    "language",
    "collection",
)
_NAMED_MOST = 12
_FIELDS = (*TEXT_FIELDS, *FACET_FIELDS)
_NAMED = re.compile(r"(?<![^\s(])[-!+]?([^\W\d]\w{0,39}):(?!//)[^\s:]")
_QUOTED = re.compile(r'"[^"]*"')


def hints(asked: Asked, *, nowhere: bool) -> tuple[str, ...]:
    """Give sentences on a question that nothing answers; `nowhere` tells that no record has the place by name."""
    reader, parsed, found = asked.query.language, asked.parsed(), list[str]()
    if nowhere:
        found.append(words(reader, "hint.place", place=asked.query.place))
    if any(term.shape == "phrase" for clause in parsed.clauses for term in clause):
        found.append(words(reader, "hint.phrase"))
    if field := _no_field(asked.query.text):
        known = ", ".join(f"{name}:" for name in _FIELDS)
        found.append(words(reader, "hint.field", field=field, fields=known))
    return tuple(found)


def absent(asked: Asked, find: Callable[[Query], Results], city: Callable[[str], str]) -> tuple[str, ...]:
    """Give a sentence on each facet of which nothing at all has the values that were asked for; name those there are.

    `find` asks the search as this caller may; `city` names a city by its name here.
    """
    reader, said = asked.query.language, list[str]()
    for name in _CLOSED:
        wanted = sorted(asked.named(name)[0])
        if not wanted:
            continue
        bare = Query(filters={name: tuple(wanted)}, facets=(name,), limit=0, highlight=False, language=reader)
        results = find(bare)
        if not results.total:
            labels = [
                (one.value, facet_label(name, one.value, one.label, reader, city))
                for one in results.facets[name]
                if one.count
            ]
            known = [label if label.casefold() == value.casefold() else f"{label} ({value})" for value, label in labels]
            values = {"facet": words(reader, f"facet.{name}"), "value": ", ".join(wanted)}
            more = ", …" if len(known) > _NAMED_MOST else ""
            there = ", ".join(known[:_NAMED_MOST]) + more
            said.append(words(reader, "hint.value" if there else "hint.no_value", **values, known=there))
    return tuple(said)


def unpublished(asked: Asked, find: Callable[[Query], Results]) -> str:
    """Tell whether there is nothing at all that this caller may find (`all`), or nothing of the one `kind` asked."""
    kinds = asked.named("kind")[0] & KINDS.keys()
    counts = find(Query(limit=0, facets=("kind",), highlight=False)).facets["kind"]
    there = {one.value for one in counts if one.count}
    return "all" if not there else "kind" if len(kinds) == 1 and not kinds & there else ""


def nowhere(place: str, find: Callable[[Query], Results]) -> bool:
    """Tell whether a place was asked for that no record has which this caller may see."""
    return bool(place) and not find(Query(place=place, limit=0, highlight=False)).total


def without_filters(asked: Asked, find: Callable[[Query], Results]) -> int:
    """Count what the words alone would find, for whoever narrowed them down to nothing."""
    text = asked.query.text
    if not (asked.narrowing and text.strip()):
        return 0
    bare = Query(text=text, limit=0, facets=(), highlight=False, loosen=False, language=asked.query.language)
    return find(bare).total


def _no_field(text: str) -> str:
    """Give the first word before a colon that looks like a field and is none, or nothing."""
    names = (match[1] for match in _NAMED.finditer(_QUOTED.sub('""', text)))
    return next((name for name in names if not _is_field(name)), "")


def _is_field(name: str) -> bool:
    """Ask the reader itself, which also knows other portals' spellings."""
    read = read_text(f"{name}:x")
    return bool(read.filters) or any(term.field for clause in read.clauses for term in clause)
