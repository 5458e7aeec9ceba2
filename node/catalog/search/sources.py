"""The indexes that one asker's question goes to, each with what may be seen of it: the public one, restricted ones.

Whatever is asked of an index is asked through `Source`, which adds what may be seen to every query: hits, counts,
facets, siblings and suggestions alike. An index is read in one state for the whole of an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tantivy import Occur, Query, Searcher

from node.catalog.search import filters
from node.catalog.search.filters import Conditions
from node.catalog.search.matching import free
from node.catalog.search.query import Sight


class Opened(Protocol):
    """An index in one state."""

    @property
    def searcher(self) -> Searcher:
        """Give its reader."""

    @property
    def generation(self) -> str:
        """Name its state; another one after every change."""


class Readers(Protocol):
    """All indexes of this node."""

    def public(self) -> Opened:
        """Give the index of all public collections. Raises Unavailable while there is none."""

    def restricted(self, collection: str) -> Opened | None:
        """Give the index of a restricted collection; None where nothing of it was indexed."""


@dataclass(frozen=True, slots=True)
class Source:
    """One index, as one asker may see it; `number` tells them apart, the public one is 0, with the empty `name`."""

    number: int
    name: str
    searcher: Searcher
    generation: str
    must: tuple[Query, ...] = ()
    must_not: tuple[Query, ...] = ()

    @property
    def public(self) -> bool:
        """Tell whether this is the public index."""
        return self.number == 0

    def seen(self, *queries: Query) -> Query:
        """Ask for what all of some queries hold for, of what may be seen; none of them scores."""
        parts = [(Occur.Must, free(each)) for each in (*queries, *self.must)]
        parts = parts or [(Occur.Must, Query.all_query())]
        return Query.boolean_query([*parts, *((Occur.MustNot, each) for each in self.must_not)])

    def asked(self, text: Query | None, conditions: Conditions, *, without: str = "-") -> Query:
        """Ask a question, scored by its text; the condition of one facet may be left out."""
        parts = [(Occur.Must, text)] if text is not None else []
        parts += [(Occur.Must, free(each)) for each in self.must]
        parts += conditions.without(without)
        if not any(occur == Occur.Must for occur, _ in parts):
            parts.append((Occur.Must, Query.all_query()))
        return Query.boolean_query([*parts, *((Occur.MustNot, each) for each in self.must_not)])

    def count(self, query: Query) -> int:
        """Count the documents of a query."""
        return int(self.searcher.search(query, 1).count)  # type: ignore[attr-defined]


def sources(readers: Readers, sight: Sight, not_public: Sequence[str]) -> list[Source]:
    """Give the indexes an asker may see something of; `not_public` names the collections that are restricted now.

    Raises:
        Unavailable: There is no public index yet.
    """
    opened = readers.public()
    unseen = filters.sight_public(sight, not_public)
    found = [Source(0, "", opened.searcher, opened.generation, must_not=tuple(unseen))]
    for allowed in sight.restricted:
        index = readers.restricted(allowed.collection)
        if index is not None and (allowed.but or allowed.named):
            must, must_not = filters.sight_restricted(allowed)
            found.append(
                Source(len(found), allowed.collection, index.searcher, index.generation, tuple(must), tuple(must_not))
            )
    return found
