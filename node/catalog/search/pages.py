"""One page of an answer out of one or more indexes: in which order, from where, and where the next one begins.

By relevance, change, title or quality; a page goes on after the last document of the one before. Ordered by relevance,
a page is read from the top each time, at most 10,000 documents deep; otherwise from the last sort key, at any depth.
The scores of several indexes are compared only after each was measured against its own best, since they share no
statistics.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tantivy import DocAddress, FieldType, Occur, Order, Query

from node.catalog.search import analyzers
from node.catalog.search.groups import Doc, Group, docs_of, folded, related, why
from node.catalog.search.groups import Order as Key
from node.catalog.search.paging import Ended
from node.catalog.search.query import MAX_DEPTH, Sort
from node.catalog.search.query import Query as Question
from node.catalog.search.schema import (
    BY_CHANGED,
    BY_QUALITY,
    BY_TITLE,
    BY_TITLE_FIRST,
    schema,
)
from node.catalog.search.sources import Source

_SLACK = 10
_MOST_RELATED = 2_000


@dataclass(frozen=True, slots=True)
class Asking:
    """A question as it is asked of each index; `sort` is the order that it comes to.

    `queries` score where the order is relevance; `firsts` hold for what comes first then, and may be none.
    """

    question: Question
    sort: Sort
    sources: Sequence[Source]
    queries: Sequence[Query]
    firsts: Sequence[Query | None]
    generation: str

    @property
    def rising(self) -> bool:
        """Tell whether the sort's values rise from page to page."""
        return (self.sort == "title") is not self.question.reverse

    @property
    def order(self) -> Order:
        """Give the direction, as the index calls it."""
        return Order.Asc if self.rising else Order.Desc

    @property
    def field(self) -> str:
        """Name the field that it is ordered by."""
        return {"changed": BY_CHANGED, "quality": BY_QUALITY, "title": BY_TITLE[self.language]}[self.sort]

    @property
    def language(self) -> str:
        """Name the language whose titles are ordered."""
        base = analyzers.base_of(self.question.language)
        return base if base in BY_TITLE else "en"


@dataclass(frozen=True, slots=True)
class Page:
    """The hits of a page, where it ended (None at the end of the answer), and how many documents each index has.

    A count is None where more than enough was found without looking at all; then there is one, at least.
    """

    groups: Sequence[Group]
    ended: Ended | None
    counts: Sequence[int | None]

    @property
    def empty(self) -> bool:
        """Tell that nothing answers, on this page or another."""
        return all(count == 0 for count in self.counts)


def page(asking: Asking, ended: Ended | None) -> Page:
    """Give a page of an answer."""
    limit = asking.question.limit
    after = ended if ended is not None and ended.key is not None and asking.sort != "relevance" else None
    passed = ended.passed if ended is not None and after is None else 0
    skip = asking.question.offset if ended is None else 0
    reach = max(passed, skip) + limit + 1 + _SLACK
    while True:
        docs, whole, counts = _docs(asking, reach, after)
        groups = folded(docs, grouped=asking.question.grouped)
        left = _not_shown_before(asking, [g for g in groups if g.passed > passed], docs, after)[skip:]
        if len(left) > limit or whole or reach >= MAX_DEPTH:
            break
        reach = min(2 * reach, MAX_DEPTH)
    shown = left[:limit]
    if len(left) <= limit or not shown:
        return Page(shown, None, counts)
    return Page(shown, _ended(asking, docs, shown[-1], after), counts)


def _ended(asking: Asking, docs: Sequence[Doc], last: Group, after: Ended | None) -> Ended | None:
    if asking.sort == "relevance":
        return Ended(asking.generation, last.passed) if last.passed < MAX_DEPTH else None
    key = last.leader.order
    same = sum(doc.order == key for doc in docs[: last.passed])
    if after is not None and after.key == key:
        same += after.passed
    return Ended(asking.generation, same, key if isinstance(key, str) else int(key))


def _docs(asking: Asking, reach: int, after: Ended | None) -> tuple[list[Doc], bool, list[int | None]]:
    """Give the first documents of all indexes in order, whether these are all there are, and how many each has."""
    dropped = after.passed if after is not None else 0
    found = [
        _by_relevance(source, query, first, reach)
        if asking.sort == "relevance"
        else _by_key(asking, source, query, reach + dropped, after)
        for source, query, first in zip(asking.sources, asking.queries, asking.firsts, strict=True)
    ]
    each = [docs for docs, _ in found]
    whole = all(len(docs) < reach + dropped for docs in each)
    docs = [doc for docs in each for doc in docs]
    if len(each) > 1:
        # Stable, also reversed: of equals the public one comes first.
        docs.sort(key=lambda doc: doc.order, reverse=asking.sort != "relevance" and not asking.rising)
    if after is not None:
        # What the page before showed of the very same key; hardly ever any.
        same = sum(doc.order == after.key for doc in docs)
        docs = docs[min(dropped, same) :]
    return docs[:reach], whole, [count for _, count in found]


def _by_relevance(source: Source, query: Query, first: Query | None, reach: int) -> tuple[list[Doc], int | None]:
    """Give the best documents, those that `first` holds for before all others."""
    if first is None:
        found = source.searcher.search(query, reach)
        return _measured(source, found.hits, first=False), int(found.count)  # type: ignore[attr-defined]
    both = Query.boolean_query([(Occur.Must, query), (Occur.Must, first)])
    best = source.searcher.search(both, reach, count=False).hits
    if len(best) == reach:
        return _measured(source, best, first=True), None
    others = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, first)])
    found = source.searcher.search(others, reach - len(best))
    docs = _measured(source, best, first=True) + _measured(source, found.hits, first=False)
    return docs, len(best) + int(found.count)  # type: ignore[attr-defined]


def _measured(source: Source, hits: Sequence[tuple[float, DocAddress]], *, first: bool) -> list[Doc]:
    """Compare scores with the best of their index: from -2 to -1 for what comes first, from -1 to 0 for the rest."""
    best = max(hits[0][0], 1e-9) if hits else 1.0
    return docs_of(source.searcher, source.number, [(-score / best - first, address) for score, address in hits])


def _by_key(
    asking: Asking, source: Source, query: Query, reach: int, after: Ended | None
) -> tuple[list[Doc], int | None]:
    if after is None:
        found = source.searcher.search(query, reach, order_by_field=asking.field, order=asking.order)
        return docs_of(source.searcher, source.number, found.hits), int(found.count)  # type: ignore[attr-defined]
    docs = _after(asking, source, query, reach, after)
    # Nothing more here may be nothing at all, which has to be known: then the words are taken loosely.
    return docs, None if docs else source.count(query)


def _after(asking: Asking, source: Source, query: Query, reach: int, after: Ended) -> list[Doc]:
    assert after.key is not None  # noqa: S101  (see `page`)
    query = Query.boolean_query([(Occur.Must, query), (Occur.Must, _from(asking, after.key))])
    wanted, field, order = reach, asking.field, asking.order
    while True:
        hits = source.searcher.search(query, wanted, count=False, order_by_field=field, order=order).hits
        # Titles begin near their place only, so those before it are read and left out.
        kept = [hit for hit in hits if _is_from(asking, hit[0], after.key)]
        if len(kept) >= reach or len(hits) < wanted:
            return docs_of(source.searcher, source.number, kept[:reach])
        wanted *= 4


def _is_from(asking: Asking, value: Key, key: Key | None) -> bool:
    """Tell whether a sort key comes after another, or is the same."""
    first, last = (key, value) if asking.rising else (value, key)
    if isinstance(first, str) or isinstance(last, str):
        return str(first) <= str(last)
    return int(first or 0) <= int(last or 0)


def _from(asking: Asking, key: Key) -> Query:
    """Ask for documents from a sort key on, it among them."""
    field, value = asking.field, key
    if asking.sort == "title":
        field, value = BY_TITLE_FIRST[asking.language], analyzers.title_number(str(key))
    low, high = (value, None) if asking.rising else (None, value)
    return Query.range_query(schema(), field, FieldType.Integer, lower_bound=low, upper_bound=high)


def _not_shown_before(asking: Asking, groups: list[Group], docs: Sequence[Doc], after: Ended | None) -> list[Group]:
    """Leave out hits that an earlier page showed by another of their documents; `docs` are what comes after it."""
    if after is None or after.key is None or not asking.question.grouped or not groups:
        return groups
    leaders = [group.leader for group in groups]
    wanted, coming = related(leaders), {doc.at for doc in docs}
    earlier: list[Doc] = []
    for source, query in zip(asking.sources, asking.queries, strict=True):
        both = Query.boolean_query([(Occur.Must, query), (Occur.Must, wanted)])
        hits = source.searcher.search(both, _MOST_RELATED, count=False, order_by_field=asking.field).hits
        before = [hit for hit in hits if hit[0] == after.key or not _is_from(asking, hit[0], after.key)]
        earlier += [doc for doc in docs_of(source.searcher, source.number, before) if doc.at not in coming]
    return [group for group in groups if not any(_same_hit(group.leader, doc) for doc in earlier)]


def _same_hit(leader: Doc, other: Doc) -> bool:
    return leader.record == other.record or why(leader, other) is not None
