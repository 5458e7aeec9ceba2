"""Everything that is known of quality, for readers: pages, documents and commands ask here and nowhere else.

A single record is measured when it is asked for, from its payload and what is known of its links, so a page never lags
behind; collections are summed up from what `keeper` wrote. Reads only; decides nothing about who may see what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from node.catalog.quality.assess import Link, measurable
from node.catalog.quality.links import Links, Tried
from node.catalog.quality.metrics import Assessment, comparable, points_of
from node.catalog.quality.store import Qualities, Scored
from node.catalog.quality.summary import Summary
from node.db import HotReader
from node.vocab.ntriples import Triple

_MOST_SUMS = 1_000


class Failing(NamedTuple):
    """A link that fails: whose it is, and what is known of it."""

    record: str
    role: str
    tried: Tried


@dataclass(frozen=True, slots=True)
class Judged:
    """One record: its assessment, and what is known of each link it names (None: it was never noted)."""

    assessment: Assessment
    links: tuple[tuple[Link, Tried | None], ...]

    @property
    def measured_ms(self) -> int:
        """Give when the last of its links was tried; 0 if none was."""
        return max((tried.checked_ms for _, tried in self.links if tried), default=0)


class QualityBook:
    """Reads what is known; safe in every thread."""

    def __init__(self, hot: HotReader, *, checks_links: bool) -> None:
        """Read through a database's hot connection; `checks_links` tells whether this node tries links."""
        self.checks_links = checks_links
        self._qualities = Qualities(hot)
        self._links = Links(hot)
        self._sums: dict[str, tuple[int, Summary]] = {}

    def judge(self, kind: str, iri: str, triples: Sequence[Triple]) -> Judged | None:
        """Measure one record; None if it is of a kind that is not measured."""
        found = measurable(kind, iri, triples)
        if found is None:
            return None
        tried = self._links.tried(link.url for link in found.links)
        answers = {url: one.answers for url, one in tried.items()}
        return Judged(found.assessment(answers), tuple((link, tried.get(link.url)) for link in found.links))

    def points(self, collection: str, iri: str) -> int | None:
        """Give the comparable points that were written last of a record; None of one that was not measured yet."""
        found = self._qualities.of(collection, iri)
        return comparable(*points_of(found.marks)) if found else None

    def summary(self, collection: str) -> Summary:
        """Sum up a collection; one without measured records has zero of them.

        Remembered until something was measured: counting a million records takes half a second.
        """
        at = self._qualities.position()
        kept = self._sums.get(collection)
        if kept is None or kept[0] != at:
            if len(self._sums) >= _MOST_SUMS:
                self._sums = {}
            kept = self._sums[collection] = (at, self._qualities.summary(collection))
        return kept[1]

    def records(self, collection: str, *, failing: str = "", after: int | None = None, limit: int) -> list[Scored]:
        """List measured records of a collection in order of their key, or those that fail a metric."""
        return self._qualities.records(collection, failing=failing, after=after, limit=limit)

    def failing(self, collection: str, *, limit: int) -> list[Failing]:
        """List links of a collection that fail, by host."""
        return [Failing(*row) for row in self._links.failing(collection, limit=limit)]

    def tried_of(self, collection: str) -> tuple[int, int]:
        """Count the links that a collection names, and those of them that were tried."""
        return self._links.tried_of(collection)

    def dead_links(self, tries: int) -> int:
        """Count links of our own records that failed so many times in a row, or more often."""
        return self._links.dead(tries)

    def days(self, subject: str, *, since: int = 0) -> list[tuple[int, Summary]]:
        """Give how `collection:NAME` or `source:NAME` was, by day since the epoch, the oldest first."""
        return self._qualities.days(subject, since=since)

    def sources(self, collection: str) -> list[str]:
        """Name the sources that feed a collection of ours."""
        return self._qualities.sources(collection)

    def subjects(self) -> list[str]:
        """List what there are days of."""
        return self._qualities.subjects()

    def links(self) -> dict[str, int]:
        """Count links by state (`ok`, `failed`, `unknown`), and as `untried` those that nobody tried yet."""
        return self._links.counts()
