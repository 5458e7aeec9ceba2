"""What a record's page says of its doubles: other collections that hold the same record, and what looks like it.

Asked of the search, which knows both for every record; while it has no index a page says nothing of them. Of a record
that is for everyone only what is for everyone is told, whoever asks, so that its page may be kept by caches.
"""

import time
from dataclasses import dataclass

from node.catalog.search.query import Query
from node.catalog.search.results import Hit
from node.errors import NodeError
from node.federation.rights.rights import Who
from node.web.addresses import At, is_mirror
from node.web.doors.door import ANYBODY
from node.web.doors.sight import sight_for
from node.web.parts import Parts
from node.web.ports.ports import Held
from node.web.wording.text import NOTHING, Said, told


@dataclass(frozen=True, slots=True)
class Double:
    """Another place of the same record, or a record like it with the reason; `city` is empty for our own."""

    city: str
    collection: str
    address: str
    title: Said = NOTHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Doubles:
    """Both."""

    also_via: tuple[Double, ...] = ()
    similar: tuple[Double, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Finds the doubles of records as one caller may see them."""

    parts: Parts
    caller: Who = ANYBODY

    def of(self, held: Held, language: str) -> Doubles:
        """Give the doubles of a record; none while the search cannot answer."""
        finders = self.parts.site.finding
        if finders is None:
            return Doubles()
        query = Query(iris=(held.iri,), limit=1, highlight=False, language=language)
        try:
            sight = sight_for(self.parts, self.caller).sight
            hits = finders.search.find(query, sight, now_ms=int(time.time() * 1000)).hits
        except NodeError:  # a page is not worth less for it
            return Doubles()
        return self._doubles(held, hits[0], language) if hits else Doubles()

    def _doubles(self, held: Held, hit: Hit, language: str) -> Doubles:
        places = [one for one in (hit.held, *hit.also_via) if one.collection != held.collection]
        similar = [one for one in hit.similar if one.held.iri != held.iri]
        return Doubles(
            tuple(self._double(one) for one in places),
            tuple(self._double(one.held, told(one.title, one.tag, language), one.reason) for one in similar),
        )

    def _double(self, held: Held, title: Said = NOTHING, reason: str = "") -> Double:
        mirror = self.parts.mirror(held.collection) if is_mirror(held.collection) else None
        city = mirror.city if mirror else held.collection.partition("/")[0] if is_mirror(held.collection) else ""
        # Both routes of one record have one address here, so a route leads to its collection.
        address = At("", held).page if title else f"/collections/{held.collection}"
        return Double(city, held.collection, address, title, reason)
