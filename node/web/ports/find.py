"""What the web needs of finding: search, the triple stores, quality, vocabularies and sets.

Protocols and not classes, as in `ports`: what the web's own tests stand in for. Each router names here what it reads.
Nothing of it decides who may see what; that comes in with each question, as a `Sight` or a list of collections.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from node.catalog.graph.asking import Bounds, Dataset
from node.catalog.graph.lexer import Question
from node.catalog.quality.book import Failing, Judged
from node.catalog.quality.store import Scored
from node.catalog.quality.summary import Summary
from node.catalog.search.query import Query, Sight
from node.catalog.search.results import Results
from node.catalog.shelf import Held
from node.federation.asking.asking import Heard, Wanted
from node.federation.rights.rights import Who
from node.vocab.mappings import MappingBook
from node.vocab.ntriples import Triple


class Search(Protocol):
    """The search over all records that are held here."""

    def find(self, query: Query, sight: Sight = ..., *, now_ms: int) -> Results:
        """Answer a question. Raises Malformed, or Unavailable while there is no index."""


class Asking(Protocol):
    """The search of other cities, live."""

    def ask(self, caller: Who, wanted: Wanted) -> Heard:
        """Ask every city that may be asked for this caller; blocks for its deadline at most, and raises nothing."""


class Suggestion(Protocol):
    """A guess that records of several cities are comparable."""

    @property
    def members(self) -> Sequence[tuple[str, str]]:
        """Give city and IRI of each record."""

    @property
    def terms(self) -> Sequence[str]:
        """Give the words they share."""

    @property
    def themes(self) -> Sequence[str]:
        """Give the codes of the themes they share."""

    @property
    def columns(self) -> Sequence[str]:
        """Give the names of the columns they share."""


class Suggested(Protocol):
    """What was suggested last."""

    @property
    def suggestions(self) -> Sequence[Suggestion]:
        """Give the suggestions, the likeliest first."""


class Sets(Protocol):
    """The comparable sets that this node suggests."""

    def suggested(self) -> Suggested | None:
        """Give what was suggested last; nothing before the first time."""


class Packages(Protocol):
    """Records under CKAN's names and ids; only of the collections that are given."""

    def find(self, called: str, shown: Collection[str]) -> Held | None:
        """Find a package by id, name or IRI."""

    def count(self, shown: Collection[str], *, since_ms: int = 0) -> int:
        """Count the packages whose newest entry is of that time or later."""

    def page(self, shown: Collection[str], *, offset: int, limit: int, since_ms: int = 0) -> Sequence[Held]:
        """List packages in a lasting order."""


class Vocabularies(Protocol):
    """What the cities' own words mean."""

    def book(self) -> MappingBook:
        """Give the matches of all cities as they are now."""


class Quality(Protocol):
    """What is known of how well records are described."""

    @property
    def checks_links(self) -> bool:
        """Tell whether this node tries links."""

    def points(self, collection: str, iri: str) -> int | None:
        """Give comparable points of a record, 0 to 405; None of one that is not measured, or not yet."""

    def judge(self, kind: str, iri: str, triples: Sequence[Triple]) -> Judged | None:
        """Measure one record; None if it is of a kind that is not measured."""

    def summary(self, collection: str) -> Summary:
        """Sum up a collection."""

    def records(self, collection: str, *, failing: str = "", after: int | None = None, limit: int) -> list[Scored]:
        """List measured records of a collection in order of their key, or those that fail a metric."""

    def failing(self, collection: str, *, limit: int) -> list[Failing]:
        """List links of a collection that fail, by host."""

    def sources(self, collection: str) -> list[str]:
        """Name the sources that feed a collection of ours."""

    def days(self, subject: str, *, since: int = 0) -> list[tuple[int, Summary]]:
        """Give how `collection:NAME` or `source:NAME` was, by day since the epoch, the oldest first."""


class Asked(Protocol):
    """A whole answer of a triple store."""

    @property
    def media_type(self) -> str:
        """Give the media type it came in."""

    @property
    def body(self) -> bytes:
        """Give the bytes."""


class Sparql(Protocol):
    """The triple stores."""

    @property
    def offered(self) -> bool:
        """Tell whether there is anything to ask."""

    @property
    def bounds(self) -> Bounds:
        """Say what one query may take."""

    def read(self, query: str) -> Question:
        """Look through a query. Raises Malformed, TooLarge."""

    def ask(
        self, name: str, query: str, question: Question, dataset: Dataset, *, media_type: str, who: str = ""
    ) -> Asked:
        """Ask one store, in turns with others as `who`; blocks. Raises Malformed, TooLarge, Unavailable."""


class Finders(Protocol):
    """Everything by which records are found."""

    @property
    def packages(self) -> Packages:
        """Give what finds records by CKAN's names."""

    @property
    def vocabularies(self) -> Vocabularies:
        """Give the cities' matches."""

    @property
    def sets(self) -> Sets:
        """Give what suggests comparable sets."""

    @property
    def sparql(self) -> Sparql:
        """Give the triple stores."""

    @property
    def search(self) -> Search:
        """Give the search."""

    @property
    def quality(self) -> Quality:
        """Give what is known of quality."""
