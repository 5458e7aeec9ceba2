"""What the front page says: how much there is, what changed this week, open challenges, agreements, cities.

Asked of the same search, register and view as the pages it leads to, as everybody may see them, so nothing stands here
that does not stand there. Worked out once for each language and version of the shelf, a minute at most: the clock moves
on, and so does the index behind the shelf. Where a node has no search, or none that answers, the shelf alone is read.
"""

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from node.catalog.search.query import Query
from node.catalog.search.results import Hit, Results
from node.errors import Unavailable
from node.records import KINDS, slug_of
from node.web.agreements.found import every_public, view_in
from node.web.agreements.view import AgreementView
from node.web.doors.door import ANYBODY
from node.web.doors.sight import sight_for
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.cities import Standing
from node.web.ports.ports import CollectionInfo, Held
from node.web.records.catalog import rows_of
from node.web.search.facts import value_of
from node.web.search.hits import Row
from node.web.search.search import Searching

WEEK_MS = 7 * 24 * 3600 * 1000
KEPT_MS = 60_000
NEW_SHOWN, NEW_LOOKED_AT = 6, 60
SHELF_LOOKED_AT = 500
# Of one city and kind, so that a harvest of a thousand datasets does not hide the one practice.
SAME_SHOWN = 2
OPEN_SHOWN, OPEN_LOOKED_AT = 3, 50
AGREED_SHOWN = 3
# What is counted in the sentence, besides datasets; in this order.
COUNTED = ("practice", "ai-system", "city-model", "challenge", "reuse")


@dataclass(frozen=True, slots=True)
class Tally:
    """One number of the sentence: the key of its words, how many, and where they are listed."""

    key: str
    count: int
    path: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """One agreement in force: its record's page, and what it says."""

    held: Held
    view: AgreementView


@dataclass(frozen=True, slots=True)
class Front:
    """All of it. Where the search did not answer (`searched`), collections are counted and `shelved` are newest."""

    searched: bool = False
    tallies: tuple[Tally, ...] = ()
    newest: tuple[Row, ...] = ()
    shelved: tuple[tuple[Held, object], ...] = ()
    open: tuple[Row, ...] = ()
    agreed: tuple[Agreed, ...] = ()
    agreed_more: int = 0
    cities: tuple[Standing, ...] = ()
    collections: tuple[tuple[CollectionInfo, int], ...] = ()
    place: tuple[float, float] | None = None

    @property
    def empty(self) -> bool:
        """Tell whether there is no record at all, here or of another city."""
        return not any(count for _, count in self.collections)

    @property
    def placed(self) -> bool:
        """Tell whether there is a map to draw."""
        return any(one.place for one in self.cities)


def newest(parts: Parts, now_ms: int) -> list[Held]:
    """Find by the shelf alone what changed within a week, newest first: five hundred of each collection are seen."""
    found: list[Held] = []
    for name in parts.reading.collections():
        found += parts.reading.page(name, offset=0, limit=SHELF_LOOKED_AT, modified_since_ms=now_ms - WEEK_MS)
    return sorted(found, key=lambda held: (-held.at_ms, -held.seq, held.slug))[:NEW_SHOWN]


class Home:
    """Works out the front page; safe in every thread."""

    def __init__(self, parts: Parts) -> None:
        finders = parts.site.finding
        self._parts = parts
        self._searching = Searching(parts, finders) if finders else None
        self._kept: dict[str, tuple[tuple[object, ...], Front]] = {}
        self._lock = threading.Lock()

    def front(self, visitor: Visitor, now_ms: int) -> Front:
        """Give it for a reader."""
        federation = self._parts.site.federation
        hidden = federation.view.hidden() if federation else frozenset[str]()
        state = (self._parts.reading.version(), hidden, now_ms // KEPT_MS)
        with self._lock:
            known = self._kept.get(visitor.language)
        if known is not None and known[0] == state:
            return known[1]
        made = self._made(visitor, now_ms)
        with self._lock:
            self._kept[visitor.language] = (state, made)
        return made

    def _made(self, visitor: Visitor, now_ms: int) -> Front:
        federation, reading = self._parts.site.federation, self._parts.reading
        agreed = [each for each in every_public(self._parts, now_ms) if each.state == "in-force"]
        front = Front(
            agreed=tuple(self._agreed([each.held for each in agreed], visitor, now_ms)),
            agreed_more=max(0, len(agreed) - AGREED_SHOWN),
            cities=tuple(federation.view.standings()) if federation else (),
            place=federation.view.place if federation else None,
            collections=tuple((info, reading.count(name)) for name, info in reading.collections().items()),
        )
        try:
            if self._searching is not None:
                return _Asking(self._parts, self._searching, visitor.language, now_ms).filled(front)
        except Unavailable:
            pass
        return replace(front, shelved=tuple(rows_of(self._parts, newest(self._parts, now_ms), visitor)))

    def _agreed(self, helds: Sequence[Held], visitor: Visitor, now_ms: int) -> list[Agreed]:
        views = ((held, view_in(self._parts, held, visitor.language, now_ms)) for held in helds[:AGREED_SHOWN])
        return [Agreed(held, view) for held, view in views if view is not None]


class _Asking:
    """Puts the front page's questions to the search, as everybody may ask them."""

    def __init__(self, parts: Parts, searching: Searching, language: str, now_ms: int) -> None:
        self._searching = searching
        self._own = slug_of(parts.site.city)
        self._parts = parts
        self._sight = sight_for(parts, ANYBODY).sight
        self._now_ms = now_ms
        self._plain = Query(language=language, limit=0, highlight=False)

    def filled(self, front: Front) -> Front:
        """Add what the search knows. Raises Unavailable while there is no index."""
        taking = self._open()
        shown = {row.json["iri"] for row in taking}
        return replace(front, searched=True, tallies=self._tallies(), newest=self._newest(shown), open=taking)

    def _find(self, query: Query) -> Results:
        return self._searching.finders.search.find(query, self._sight, now_ms=self._now_ms)

    def _tallies(self) -> tuple[Tally, ...]:
        kinds = replace(self._plain, facets=("kind",), facet_limit=len(KINDS))
        every = _counted(self._find(kinds))
        own = _counted(self._find(replace(kinds, filters={"city": (self._own,)})))
        datasets = [
            Tally("own", own.get("dataset", 0), f"/search?kind=dataset&city={self._own}"),
            Tally(
                "mirrored",
                every.get("dataset", 0) - own.get("dataset", 0),
                f"/search?kind=dataset&city=-{self._own}",
            ),
        ]
        others = [Tally(kind, every.get(kind, 0), f"/{KINDS[kind]}") for kind in COUNTED]
        return tuple(each for each in (*datasets, *others) if each.count > 0)

    def _newest(self, shown: Collection[object]) -> tuple[Row, ...]:
        """Give what changed this week in any city, without what stands elsewhere on the page."""
        since = (self._now_ms - WEEK_MS, None)
        # Agreements have a place of their own.
        others = {"kind": ("agreement",)}
        query = replace(self._plain, excluded=others, sort="changed", limit=NEW_LOOKED_AT, facets=(), entered_ms=since)
        results = self._find(query)
        hits = [hit for hit in results.hits if hit.held.iri not in shown]
        return self._searching.rows(replace(results, hits=_mixed(hits, NEW_SHOWN)), query)

    def _open(self) -> tuple[Row, ...]:
        """Give the challenges that take answers, the newest first."""
        chosen = {"kind": ("challenge",)}
        query = replace(self._plain, filters=chosen, sort="changed", limit=OPEN_LOOKED_AT, facets=())
        results = self._find(query)
        helds = [hit.held for hit in results.hits]
        payloads = dict(zip(helds, self._parts.reading.payloads(helds), strict=True))
        taken = (hit for hit in results.hits if self._is_open(hit.held, payloads[hit.held]))
        return self._searching.rows(replace(results, hits=tuple(islice(taken, OPEN_SHOWN))), query)

    @staticmethod
    def _is_open(held: Held, payload: bytes) -> bool:
        return bool(payload) and value_of(held.kind, held.iri, payload, "status") == "open"


def _counted(results: Results) -> Mapping[str, int]:
    return {one.value: one.count for one in results.facets["kind"]}


def _mixed(hits: Sequence[Hit], most: int) -> tuple[Hit, ...]:
    """Take hits in their order, few of one city and kind; where that is not enough, the others after all."""
    seen, first, rest = Counter[tuple[str, str]](), list[Hit](), list[Hit]()
    for hit in hits:
        key = (hit.held.collection.partition("/")[0] if "/" in hit.held.collection else "", hit.held.kind)
        seen[key] += 1
        (first if seen[key] <= SAME_SHOWN else rest).append(hit)
    chosen = {id(hit) for hit in [*first, *rest][:most]}
    return tuple(hit for hit in hits if id(hit) in chosen)
