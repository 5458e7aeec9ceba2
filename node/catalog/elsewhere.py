"""Records of other cities, found for somebody who wants their data: by IRI, by the name in their address, by title.

Only mirrors are looked at, restricted ones too: whoever asks is of this city's staff. By title first what is called
exactly so, then what has all the words, so that a slip is told as a choice and never taken for an answer. Reads the
shelf and the search index.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.catalog.search.query import Allowed, Query, Sight
from node.catalog.search.search import Search
from node.catalog.shelf import Shelf
from node.errors import Unavailable

KINDS = ("dataset", "city-model", "ai-system", "dataset-series", "data-service")
MOST = 20
_MARKS = ", ".join("?" * len(KINDS))
_BY_SLUG = (
    "SELECT s.iri, c.name FROM shelf s JOIN collection c ON c.id = s.collection_id"  # noqa: S608 - marks
    f" WHERE s.kind IN ({_MARKS}) AND s.slug = ? AND s.digest IS NOT NULL AND c.name LIKE '%/%' ORDER BY c.name LIMIT ?"
)
_COLLECTIONS = "SELECT name, iri, visibility FROM collection WHERE name LIKE '%/%'"


@dataclass(frozen=True, slots=True)
class There:
    """A record of another city: its IRI and title, the peer's name here, the IRI of its collection."""

    iri: str
    title: str
    peer: str
    collection: str


class Elsewhere:
    """Finds records of other cities. Safe to share by threads."""

    def __init__(self, shelf: Shelf, search: Search, *, clock_ms: Callable[[], int]) -> None:
        """Look on this shelf, and by words in this search."""
        self._shelf, self._search, self._clock_ms = shelf, search, clock_ms

    def by_iri(self, iri: str) -> Sequence[There]:
        """Give where a record with this IRI stands, in any mirror."""
        return self._there([(held.iri, held.collection, "") for held in self._shelf.all_by_iri(iri)])

    def by_words(self, words: str) -> Sequence[There]:
        """Give the records whose name in addresses this is, or else their title, or else those with all the words."""
        rows = self._shelf.hot.rows(_BY_SLUG, (*KINDS, words, MOST))
        if rows:
            return self._there([(str(iri), str(name), "") for iri, name in rows])
        found = self._there(self._searched(words))
        called = [each for each in found if each.title.casefold() == words.casefold()]
        return called or found

    def _searched(self, words: str) -> list[tuple[str, str, str]]:
        restricted = [
            Allowed(str(name)) for name, _, seen in self._shelf.hot.rows(_COLLECTIONS) if seen == "restricted"
        ]
        query = Query(text=words, filters={"kind": KINDS}, limit=MOST, highlight=False, loosen=False)
        try:
            found = self._search.find(query, Sight(restricted=tuple(restricted)), now_ms=self._clock_ms())
        except Unavailable:  # no index yet: peers are asked instead
            return []
        helds = [(hit.title, held) for hit in found.hits for held in (hit.held, *hit.also_via)]
        return [(held.iri, held.collection, title) for title, held in helds]

    def _there(self, found: Sequence[tuple[str, str, str]]) -> list[There]:
        iris = {str(name): str(iri) for name, iri, _ in self._shelf.hot.rows(_COLLECTIONS)}
        return [There(iri, title, name.partition("/")[0], iris[name]) for iri, name, title in found if name in iris]
