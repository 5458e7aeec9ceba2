"""Finding, put together: what `node.assembly.build` adds to a node so that its records can be searched and queried.

Only wiring: each part gets what it needs and knows none of the others beyond that. `readings` are what the worker keeps
level, in this order: quality before search, because the index knows the points.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from node.assembly import graphs
from node.assembly.clock import clock_ms
from node.catalog.graph.asking import Sparql
from node.catalog.packages import Packages
from node.catalog.publish import Publisher
from node.catalog.quality.book import QualityBook
from node.catalog.quality.checker import LinkChecker, Pace
from node.catalog.quality.keeper import QualityKeeper
from node.catalog.quality.store import DAY_MS, Qualities
from node.catalog.readings import Reading
from node.catalog.search.index import Indexes
from node.catalog.search.keeper import SearchKeeper
from node.catalog.search.search import Search
from node.catalog.sets import Sets, SetsReading
from node.catalog.shelf import Shelf
from node.catalog.touched import Touched
from node.catalog.vocabularies import Vocabularies, VocabularyReading
from node.db import Database
from node.journal import Follower
from node.journal.journal import Journals
from node.outbound import Outbound
from node.records import slug_of
from node.settings import Settings


@dataclass(slots=True)
class Finding:
    """Everything by which records are found that commands, jobs and the web use."""

    touched: Touched
    vocabularies: Vocabularies
    sets: Sets
    packages: Packages
    quality: QualityBook
    link_checker: LinkChecker | None  # none where links are never tried
    stores: graphs.Graphs
    search: Search
    readings: tuple[Reading, ...] = field(default=())  # one after the other, in this order
    apart: tuple[Reading, ...] = field(default=())  # each in a thread of its own

    @property
    def sparql(self) -> Sparql:
        """Give what asks the triple stores."""
        return self.stores.sparql

    def close(self) -> None:
        """Give back files and connections."""
        self.stores.close()


def build(
    settings: Settings,
    *,
    db: Database,
    journals: Journals,
    shelf: Shelf,
    outbound: Outbound,
    followers: Sequence[Follower] = (),
    hidden: Callable[[], frozenset[str]] = frozenset,
) -> Finding:
    """Put finding together; opens nothing by itself."""
    touched, publisher = Touched(shelf), Publisher(journals, followers, base_url=settings.base_url, clock_ms=clock_ms)
    vocabularies = _vocabularies(settings, shelf, publisher)
    sets = _sets(settings, shelf, vocabularies, publisher)
    search = _search_keeper(settings, db, shelf, touched, vocabularies)
    stores = graphs.build(settings, journals=journals, touched=touched, hidden=hidden)
    return Finding(
        touched=touched,
        vocabularies=vocabularies,
        sets=sets,
        packages=Packages(journals),
        quality=QualityBook(db.hot(), checks_links=settings.link_check_days > 0),
        link_checker=_link_checker(settings, db, outbound),
        stores=stores,
        search=_search(settings, shelf),
        readings=(
            VocabularyReading(vocabularies, shelf, db),
            QualityKeeper(db, shelf, touched, clock_ms=clock_ms, searched=search.searched),
            search,
        ),
        apart=(SetsReading(sets, touched, clock_ms), *stores.keepers),
    )


def _link_checker(settings: Settings, db: Database, outbound: Outbound) -> LinkChecker | None:
    if not settings.link_check_days:
        return None
    pace = Pace(every_ms=settings.link_check_days * DAY_MS)
    return LinkChecker(db, outbound, pace, clock_ms=clock_ms, ticks=time.monotonic, chance=random.random)


def _search_keeper(
    settings: Settings, db: Database, shelf: Shelf, touched: Touched, vocabularies: Vocabularies
) -> SearchKeeper:
    qualities = Qualities(db.hot())

    def points(records: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], int]:
        with db.read() as tx:
            return qualities.points(tx, records)

    return SearchKeeper(
        settings.data / "search",
        db,
        shelf,
        touched,
        city=slug_of(settings.name),
        mapped=lambda: vocabularies.book().code,
        points=points,
    )


def _search(settings: Settings, shelf: Shelf) -> Search:
    own = slug_of(settings.name)
    return Search(
        Indexes(settings.data / "search"),
        shelf,
        lambda facet, value: settings.name if (facet, value) == ("city", own) else "",
    )


def _vocabularies(settings: Settings, shelf: Shelf, publisher: Publisher) -> Vocabularies:
    return Vocabularies(
        shelf,
        publisher,
        file=settings.data / "mappings.csv",
        base_url=settings.base_url,
        city=settings.name,
        slug=slug_of(settings.name),
    )


def _sets(settings: Settings, shelf: Shelf, vocabularies: Vocabularies, publisher: Publisher) -> Sets:
    return Sets(
        shelf,
        vocabularies,
        publisher,
        folder=settings.data / "sets",
        base_url=settings.base_url,
        slug=slug_of(settings.name),
    )
