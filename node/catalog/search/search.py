"""The search: one question in, one answer out, over every city's records that the asker may see.

Here the parts meet, in this order: the text is read (`reader`), conditions and what may be seen are made (`filters`,
`sources`), the words are asked as typed and, if nothing has them all, loosely (`matching`, `suggest`); then the page
(`pages`), the count, the facets and the hits (`hits`). Reads indexes and the shelf, writes nothing; safe in every
thread. An answer is of one generation of each index.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tantivy import Occur
from tantivy import Query as TQuery

from node.catalog.search import facets, filters, matching, pages, paging, places, suggest
from node.catalog.search.filters import Conditions
from node.catalog.search.groups import docs_of
from node.catalog.search.hits import Shown, marker_of
from node.catalog.search.matching import free
from node.catalog.search.pages import Asking, Page
from node.catalog.search.paging import Ended
from node.catalog.search.query import FACETS, MAX_VALUES, PUBLIC, Allowed, Query, Sight, Sort
from node.catalog.search.reader import Parsed, read_text
from node.catalog.search.results import Count, Hit, Results, Similar
from node.catalog.search.schema import RECORD, ROUTE
from node.catalog.search.sources import Readers, Source, sources
from node.catalog.shelf import Shelf

__all__ = ["Allowed", "Count", "Hit", "Query", "Results", "Search", "Sight", "Similar", "read_text"]

_MOST_TWICE = 1_000
_MOST_STATES = 64
_NOT_PUBLIC = "SELECT name FROM collection WHERE visibility <> 'public'"


def _no_label(_facet: str, _value: str) -> str:
    return ""


class Search:
    """Answers questions."""

    def __init__(self, readers: Readers, shelf: Shelf, label: Callable[[str, str], str] = _no_label) -> None:
        """Ask these indexes and show what the shelf holds; `label` names cities and collections (facet, value)."""
        self._readers = readers
        self._shelf = shelf
        self._label = label
        self._restricted: tuple[int, tuple[str, ...]] = (-1, ())
        self._rare: dict[tuple[str, str, Callable[[], TQuery]], bool] = {}

    def find(self, query: Query, sight: Sight = PUBLIC, *, now_ms: int) -> Results:
        """Answer a question.

        Args:
            query: The question; what its text says of facets is added to its filters.
            sight: What the asker may see; everything public if nothing else is said.
            now_ms: What freshness is told against.

        Raises:
            Malformed: The cursor is none of this question.
            Unavailable: The index is not there yet; try again.
        """
        parsed = read_text(query.text)
        question = _spelt(query, parsed)
        not_public = self._not_public()
        asked = sources(self._readers, sight, not_public)
        generation = ".".join(source.generation for source in asked)
        ended = paging.read(query, _sort_of(query, parsed))
        if parsed.blank:
            return Results(
                0, exact=True, hits=(), facets=dict.fromkeys(query.facets, ()), generation=generation, cut=parsed.cut
            )
        over_180 = question.bbox is not None and any(self._has(source, filters.over_180) for source in asked)
        conditions = filters.conditions(question, now_ms=now_ms, over_180=over_180)
        found = self._found(_Asked(question, parsed, asked, conditions, _sort_of(query, parsed), generation), ended)
        marker = marker_of(parsed, question.language, found.also) if question.highlight else None
        told, counts = self._facets(found, conditions, now_ms)
        total, exact = self._total(found, counts)
        return Results(
            total,
            exact,
            Shown(self._shelf, asked, sight, not_public).hits(found.page.groups, question, marker),
            facets=told,
            cursor=paging.written(query, found.page.ended) if found.page.ended else "",
            did_you_mean=found.did_you_mean,
            fuzzy=found.fuzzy,
            generation=generation,
            renewed=ended is not None and ended.generation != generation,
            cut=parsed.cut,
        )

    def count(self, query: Query, sight: Sight = PUBLIC, *, now_ms: int) -> int:
        """Count the records of a question, each once, and show none."""
        bare = replace(query, limit=0, offset=0, cursor="", facets=(), highlight=False)
        return self.find(bare, sight, now_ms=now_ms).total

    def places(self, typed: str, sight: Sight = PUBLIC, *, limit: int = 10) -> list[str]:
        """Give names of places that public records have and that begin as typed, folded, commonest first."""
        public = sources(self._readers, replace(sight, restricted=()), self._not_public())[0]
        return places.beginning(public.searcher, typed, public.seen(), limit)

    def _not_public(self) -> tuple[str, ...]:
        """Name the collections that are restricted now, whatever they were when they were indexed."""
        version = self._shelf.version()
        if self._restricted[0] != version:
            self._restricted = (version, tuple(row[0] for row in self._shelf.hot.rows(_NOT_PUBLIC)))
        return self._restricted[1]

    def _found(self, asked: "_Asked", ended: Ended | None) -> "_Found":
        """Ask for the words as typed; if nothing answers, for near ones, then for most of them."""
        parsed, question = asked.parsed, asked.question
        scored = asked.sort == "relevance"
        literally = [matching.Literally(each.searcher, question.language, scored=scored) for each in asked.sources]
        firsts = [each.in_titles(parsed) if scored else None for each in literally]
        strictly = asked.page([each.all_words(parsed) for each in literally], firsts, ended)
        if not strictly.page.empty or not parsed.clauses or not question.loosen:
            return strictly
        near = [suggest.Words(source.searcher, source.seen()) for source in asked.sources]
        loose = [
            matching.Loosely(source.searcher, question.language, words.near)
            for source, words in zip(asked.sources, near, strict=True)
        ]
        nothing = [None] * len(loose)
        found = asked.page([each.all_words(parsed) for each in loose], nothing, ended)
        if found.page.empty:
            found = asked.page([each.most_words(parsed) or matching.none() for each in loose], nothing, ended)
        meant = suggest.did_you_mean(parsed, question.text, loose[0].knows, near[0].near)
        if found.page.empty:
            return replace(strictly, did_you_mean=meant)
        also = tuple(word for each in loose for word in each.taken)
        return replace(found, fuzzy=True, also=also, did_you_mean=meant)

    def _facets(
        self, found: "_Found", conditions: Conditions, now_ms: int
    ) -> tuple[Mapping[str, tuple[Count, ...]], list[int]]:
        """Give the counts of facets, and how many documents each index has."""
        question, counts = found.asking.question, list(found.page.counts)
        again = self._counted_before(found.asking) if question.once else [None] * len(counts)
        parts = []
        for at, (source, text) in enumerate(zip(found.asking.sources, found.unscored(), strict=True)):

            def base(name: str, source: Source = source, text: TQuery | None = text) -> TQuery:
                return source.asked(text, conditions, without=name or "-")

            if question.facets:
                part, every = facets.counted(source.searcher, _but(base, again[at]), question, now_ms=now_ms)
                parts.append(part)
                counts[at] = every if counts[at] is None and again[at] is None else counts[at]
            if counts[at] is None:
                counts[at] = source.count(free(base("")))
        return facets.told(facets.added(parts), question, self._label), [count or 0 for count in counts]

    def _total(self, found: "_Found", counts: Sequence[int]) -> tuple[int, bool]:
        """Count records, each once however many routes it came by; a lower bound where so many came twice."""
        asking, total = found.asking, sum(counts)
        if not asking.question.grouped or not total:
            return total, True
        pairs = list(zip(asking.sources, asking.queries, strict=True))
        twice = [_twice(source, query) if self._has(source, _other_routes) else (0, True) for source, query in pairs]
        total -= sum(number for number, _ in twice)
        exact = all(sure for _, sure in twice)
        for source, query in pairs[1:]:
            both, sure = _also_in(*pairs[0], source, query)
            exact = exact and sure
            total -= len(both)
        return total, exact

    def _counted_before(self, asking: Asking) -> list[TQuery | None]:
        """Ask in each index for what a better route or the public index counts; None where there is nothing of it."""
        public, queries = asking.sources[0], asking.queries
        found = [_by_worse_routes(public, queries[0]) if self._has(public, _other_routes) else None]
        for source, query in zip(asking.sources[1:], queries[1:], strict=True):
            both, _ = _also_in(public, queries[0], source, query)
            found.append(matching.one_of(RECORD, sorted(both)) if both else None)
        return found

    def _has(self, source: Source, rare: Callable[[], TQuery]) -> bool:
        """Tell whether an index has any of what is rare; it is asked once per state of the index."""
        key = source.name, source.generation, rare
        found = self._rare.get(key)
        if found is None:
            if len(self._rare) >= _MOST_STATES:
                self._rare.clear()
            found = self._rare[key] = source.count(rare()) > 0
        return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with all that does not depend on how its words are taken."""

    question: Query
    parsed: Parsed
    sources: Sequence[Source]
    conditions: Conditions
    sort: Sort
    generation: str

    def page(self, texts: Sequence[TQuery | None], firsts: Sequence[TQuery | None], ended: Ended | None) -> "_Found":
        """Ask with the words taken so; None asks for everything. `firsts` tell what comes first."""
        queries = [source.asked(text, self.conditions) for source, text in zip(self.sources, texts, strict=True)]
        asking = Asking(self.question, self.sort, self.sources, queries, firsts, self.generation)
        return _Found(asking, self.parsed, texts, pages.page(asking, ended))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a question came to: its page, whether loosely, which words were taken for others, what was meant instead."""

    asking: Asking
    parsed: Parsed
    texts: Sequence[TQuery | None]
    page: Page
    fuzzy: bool = False
    also: tuple[str, ...] = ()
    did_you_mean: str = ""

    def unscored(self) -> list[TQuery | None]:
        """Give what finds the same without weighing it, for counts."""
        if self.fuzzy:
            return list(self.texts)
        language = self.asking.question.language
        counting = [matching.Literally(each.searcher, language, scored=False) for each in self.asking.sources]
        return [each.all_words(self.parsed) for each in counting]


def _sort_of(query: Query, parsed: Parsed) -> Sort:
    """Without words nothing is more relevant than anything else: the newest come first."""
    return "changed" if query.sort == "relevance" and not parsed.clauses else query.sort


def _spelt(query: Query, parsed: Parsed) -> Query:
    """Add the facets named in the text, and spell all values as the index does."""
    return replace(
        query,
        filters=_joined(query.filters, parsed.filters),
        excluded=_joined(query.excluded, parsed.excluded),
        cursor="",
    )


def _joined(given: Mapping[str, tuple[str, ...]], typed: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    joined: dict[str, tuple[str, ...]] = {}
    for name in FACETS:
        values = [filters.normal(name, value) for value in (*given.get(name, ()), *typed.get(name, ()))]
        if values:
            joined[name] = tuple(dict.fromkeys(values))[:MAX_VALUES]
    return joined


def _other_routes() -> TQuery:
    """Ask for documents of records that have another one, by a better route."""
    return filters.ranged(ROUTE, 1, None)


def _twice(source: Source, query: TQuery) -> tuple[int, bool]:
    """Count the documents of records that are counted already by another route, and tell whether all were looked at."""
    other_routes = TQuery.boolean_query([(Occur.Must, query), (Occur.Must, _other_routes())])
    found = source.searcher.search(other_routes, _MOST_TWICE)
    number = int(found.count)  # type: ignore[attr-defined]
    if not number:
        return 0, True
    if number > _MOST_TWICE:
        return number, False
    values = source.searcher.fast_field_values(RECORD, [address for _, address in found.hits])
    records = sorted({int(value) for value in values if value is not None})
    of_these = TQuery.boolean_query([(Occur.Must, query), (Occur.Must, matching.one_of(RECORD, records))])
    return source.count(of_these) - len(records), True


def _by_worse_routes(source: Source, query: TQuery) -> TQuery | None:
    """Ask for the documents of an answer whose record is in it by a better route, too; None if there is none."""
    other_routes = TQuery.boolean_query([(Occur.Must, query), (Occur.Must, _other_routes())])
    hits = source.searcher.search(other_routes, _MOST_TWICE, count=False).hits
    records = sorted({doc.record for doc in docs_of(source.searcher, 0, hits)})
    if not records:
        return None
    of_these = TQuery.boolean_query([(Occur.Must, query), (Occur.Must, matching.one_of(RECORD, records))])
    docs = docs_of(source.searcher, 0, source.searcher.search(of_these, 2 * _MOST_TWICE, count=False).hits)
    best = {doc.record: doc.route for doc in sorted(docs, key=lambda each: -each.route)}
    worse: dict[int, list[int]] = {}
    for doc in docs:
        if doc.route > best[doc.record]:
            worse.setdefault(doc.route, []).append(doc.record)
    pairs = ((filters.ranged(ROUTE, route, route), matching.one_of(RECORD, of)) for route, of in worse.items())
    made = [TQuery.boolean_query([(Occur.Must, route), (Occur.Must, of)]) for route, of in pairs]
    return TQuery.boolean_query([(Occur.Should, each) for each in made]) if made else None


def _also_in(public: Source, asked: TQuery, source: Source, query: TQuery) -> tuple[set[int], bool]:
    """Give the records of a restricted collection that also stand in public, and tell whether all were looked at."""
    hits = source.searcher.search(query, _MOST_TWICE, count=False).hits
    records = [doc.record for doc in docs_of(source.searcher, 0, hits)]
    if not records:
        return set(), True
    both = TQuery.boolean_query([(Occur.Must, asked), (Occur.Must, matching.one_of(RECORD, records))])
    there = public.searcher.search(both, _MOST_TWICE, count=False).hits
    return {doc.record for doc in docs_of(public.searcher, 0, there)}, len(hits) < _MOST_TWICE


def _but(base: Callable[[str], TQuery], again: TQuery | None) -> Callable[[str], TQuery]:
    """Leave out what is counted already."""
    if again is None:
        return base
    return lambda name: TQuery.boolean_query([(Occur.Must, base(name)), (Occur.MustNot, again)])
