"""Numbers of a catalogue: what is in it, how good and how fresh, how it is used, and what comes and goes by city.

A reading of the search's counts, of the counts of use and of what the federation says of its peers; nothing is kept
here. Everything is counted as one asker may see it: for everybody, or for staff, who also sees what is restricted.
Exchange is handed in by whoever knows it, since the two wings do not know each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from node.catalog.search.query import PUBLIC, Query, Sight
from node.catalog.search.results import Count, Results
from node.catalog.usage import DAY_MS, Used, What

FACETS = ("kind", "theme", "quality", "freshness", "use")
DAYS = 30
MOST_USED = 10
MOST_THEMES = 20


class Search(Protocol):
    """The search."""

    def find(self, query: Query, sight: Sight = ..., *, now_ms: int) -> Results:
        """Answer a question."""


class Uses(Protocol):
    """The counts of use."""

    def days(self, what: What, *, since: int) -> Sequence[Used]:
        """Give how often something was used, by day."""

    def most(self, what: What, *, since: int, limit: int = ...) -> Sequence[tuple[str, int]]:
        """Give what was used most."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is exchanged with one city. `away_days` counts days of the last 30 on which it did not answer at all.

    Attributes:
        name: The peer's name here.
        city: As it calls itself.
        state: Of the peer: active, paused …
        collections: How many of its collections are mirrored here.
        entries: How many entries of them are held.
        behind: How many entries are known of and not held yet.
        refused_here: How many of its entries are refused here.
        refused_there: How many of ours it told us that it refuses.
        answered_ms: When it last answered us, 0 for never.
        asked_ms: When it last asked us, 0 for never.
        away_days: Days without an answer.
    """

    name: str
    city: str
    state: str
    collections: int
    entries: int
    behind: int
    refused_here: int
    refused_there: int
    answered_ms: int
    asked_ms: int
    away_days: int


@dataclass(frozen=True, slots=True)
class Told:
    """The numbers at one moment. Days are counted since the epoch; every day of the period is there, used or not."""

    at_ms: int
    records: int
    facets: Mapping[str, Sequence[Count]]
    downloads: Sequence[Used]
    searches: Sequence[Used]
    in_vain: int
    most: Sequence[tuple[str, int]]
    exchange: Sequence[Exchange] = field(default=())

    @property
    def downloaded(self) -> int:
        """Count the downloads of the period."""
        return sum(each.count for each in self.downloads)

    @property
    def searched(self) -> int:
        """Count the searches of the period."""
        return sum(each.count for each in self.searches)


class Numbers:
    """Tells the numbers. Safe to share by threads."""

    def __init__(
        self,
        search: Search,
        uses: Uses,
        *,
        city: str,
        exchange: Callable[[int], Sequence[Exchange]],
        clock_ms: Callable[[], int],
    ) -> None:
        """Count by this search; `city` is our own name in its facet, `exchange` tells of the peers at a time."""
        self._search, self._uses = search, uses
        self._city, self._exchange, self._clock_ms = city, exchange, clock_ms

    def now(self, sight: Sight = PUBLIC, *, language: str = "en", with_exchange: bool = False) -> Told:
        """Give the numbers as this sight shows them; labels that the search has are in this language.

        Raises:
            Unavailable: There is no index yet.
        """
        now_ms = self._clock_ms()
        query = Query(
            filters={"city": (self._city,)},
            facets=FACETS,
            facet_limit=MOST_THEMES,
            once=True,
            limit=0,
            language=language,
            highlight=False,
        )
        found = self._search.find(query, sight, now_ms=now_ms)
        first = now_ms // DAY_MS - DAYS + 1
        return Told(
            at_ms=now_ms,
            records=found.total,
            facets=found.facets,
            downloads=_every_day(self._uses.days("download", since=first), first),
            searches=_every_day(self._uses.days("search", since=first), first),
            in_vain=dict(self._uses.most("search", since=first)).get("none", 0),
            most=[one for one in self._uses.most("download", since=first, limit=MOST_USED) if one[0]],
            exchange=self._exchange(now_ms) if with_exchange else (),
        )


def _every_day(used: Sequence[Used], first: int) -> Sequence[Used]:
    counts = {each.day: each.count for each in used}
    return [Used(day, counts.get(day, 0)) for day in range(first, first + DAYS)]
