"""Why nothing was found, as far as the question itself tells: a place that nothing names, quotes, a field that is none.

Said on the page of no results and as `hint` of the JSON, in the reader's language. Values only; whether a place is
named anywhere was found out by whoever asked the search.
"""

import re

from node.catalog.search.reader import FACET_FIELDS, TEXT_FIELDS, read_text
from node.web.search_query import Asked
from node.web.words import words

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


def _no_field(text: str) -> str:
    """Give the first word before a colon that looks like a field and is none, or nothing."""
    names = (match[1] for match in _NAMED.finditer(_QUOTED.sub('""', text)))
    return next((name for name in names if not _is_field(name)), "")


def _is_field(name: str) -> bool:
    """Ask the reader itself, which also knows other portals' spellings."""
    read = read_text(f"{name}:x")
    return bool(read.filters) or any(term.field for clause in read.clauses for term in clause)
