"""Finding records at the desk: by words among all that staff may see, for lists and for the links of a form.

Staff sees what is restricted too, so nothing found here goes to a page of the portal. Where there is no search, nothing
is found.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.catalog.search.query import Query
from node.catalog.search.results import Hit
from node.errors import NodeError
from node.vocab.kinds.checking import is_link, pointer
from node.vocab.kinds.field import Field, KindTable, Said
from node.web.doors.sight import sight_for
from node.web.parts import Parts

MOST_PICKED = 5
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Clerking:
    """Somebody of the staff, as rights ask."""

    name: str
    kind: str = "staff"
    scopes: frozenset[str] = frozenset()
    url: str = ""
    details: Sequence[Mapping[str, Any]] = field(default=())


@dataclass(frozen=True, slots=True)
class Pick:
    """A record that somebody may have meant."""

    iri: str
    title: str
    kind: str
    city: str


class Finder:
    """Looks for records as a member of staff; blocks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def find(self, text: str, kinds: Sequence[str], by: str, *, language: str, limit: int = 50) -> list[Hit]:
        """Give what has these words, the best first; nothing where the search does not work just now."""
        finding = self._parts.site.finding
        if finding is None or not text.strip():
            return []
        filters = {"kind": tuple(kinds)} if kinds else {}
        query = Query(text=text[:_MOST_WORDS], filters=filters, limit=limit, language=language, highlight=False)
        sight = sight_for(self._parts, Clerking(by)).sight
        try:
            return list(finding.search.find(query, sight, now_ms=time.time_ns() // 1_000_000).hits)
        except NodeError:
            return []

    def picks(self, table: KindTable, said: Said, reader: str, by: str) -> dict[str, list[Pick]]:
        """Give, by the place of each link that is no address, the records that its words may mean."""
        found: dict[str, list[Pick]] = {}
        for place, one, text in _words_in(table.fields, said, ""):
            hits = self.find(text, one.to, by, language=reader, limit=MOST_PICKED)
            found[place] = [self._pick(each) for each in hits]
        return found

    def _pick(self, hit: Hit) -> Pick:
        mirror = self._parts.mirror(hit.held.collection)
        return Pick(hit.held.iri, hit.title, hit.held.kind, mirror.city if mirror else self._parts.site.city)


def _words_in(fields: Sequence[Field], said: object, at: str) -> Iterator[tuple[str, Field, str]]:
    """Give the links to records that hold words instead of an address."""
    if not isinstance(said, Mapping):
        return
    for one in fields:
        value, place = said.get(one.name), pointer(at, one.name)
        values = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
        if one.form == "group":
            for number, each in enumerate(values):
                yield from _words_in(one.fields, each, pointer(place, number) if one.many else place)
        elif one.form == "link" and one.to:
            text = next((each for each in values if isinstance(each, str) and not is_link(each)), "")
            if text:
                yield place, one, text
