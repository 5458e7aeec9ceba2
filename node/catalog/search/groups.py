"""Which documents are one hit: the same record by several routes, and near-duplicates with the reason why.

One record is one IRI, in however many collections. Two records of one kind are near-duplicates if their titles are the
same, letters and digits alone, and so is their publisher, landing page or identifier. Documents of different indexes
(public, and one per restricted collection) are the same record at most, never near-duplicates: that would tell of one
in the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tantivy import DocAddress, Query, Searcher

from node.catalog.search.matching import any_of, one_of
from node.catalog.search.results import Reason
from node.catalog.search.schema import (
    RECORD,
    ROUTE,
    SAME_IDENT,
    SAME_PAGE,
    SAME_PUBLISHER,
    SAME_TITLE,
)

_REASONS: tuple[tuple[str, Reason], ...] = (
    (SAME_IDENT, "identifier"),
    (SAME_PAGE, "landing-page"),
    (SAME_PUBLISHER, "publisher"),
)
Order = float | int | str
Alike = tuple[Reason, int, int, int]
"""Why, in which index, hash of the title, hash of what else is the same."""


@dataclass(frozen=True, slots=True)
class Doc:
    """One document found: in which index and where, the value it was ordered by, and what it may share with others."""

    source: int
    address: DocAddress
    order: Order
    record: int
    route: int
    alike: tuple[Alike, ...]

    @property
    def at(self) -> tuple[int, int, int]:
        """Name the document, within one answer."""
        return self.source, self.address.segment_ord, self.address.doc


@dataclass(frozen=True, slots=True)
class Group:
    """One hit: the document that stands for it, and how many had been passed with it (see `folded`)."""

    leader: Doc
    passed: int


def docs_of(searcher: Searcher, source: int, hits: Sequence[tuple[Order, DocAddress]]) -> list[Doc]:
    """Read what documents share, in the order given."""
    if not hits:
        return []
    addresses = [address for _, address in hits]
    columns = {
        name: searcher.fast_field_values(name, addresses)
        for name in (RECORD, ROUTE, SAME_TITLE, SAME_IDENT, SAME_PAGE, SAME_PUBLISHER)
    }
    found = []
    for at, (order, address) in enumerate(hits):
        title = columns[SAME_TITLE][at]
        shared = [(reason, columns[name][at]) for name, reason in _REASONS]
        alike = tuple((reason, source, int(title or 0), int(value)) for reason, value in shared if value is not None)
        found.append(Doc(source, address, order, int(columns[RECORD][at] or 0), int(columns[ROUTE][at] or 0), alike))
    return found


def folded(docs: Iterable[Doc], *, grouped: bool) -> list[Group]:
    """Fold documents, best first, into hits in the order of their best one.

    `passed` counts the documents up to and with the hit's best one. Not `grouped`: every document is a hit.
    """
    groups: list[Group] = []
    known: dict[int | Alike, Group] = {}
    for at, doc in enumerate(docs, 1):
        keys: tuple[int | Alike, ...] = (doc.record, *doc.alike)
        group = next((known[key] for key in keys if key in known), None) if grouped else None
        if group is None:
            group = Group(doc, at)
            groups.append(group)
        for key in keys:
            known.setdefault(key, group)
    return groups


def why(leader: Doc, other: Doc) -> Reason | None:
    """Say why two documents are near-duplicates; None if they are not."""
    mine = set(leader.alike)
    return next((alike[0] for alike in other.alike if alike in mine), None)


def related(docs: Sequence[Doc]) -> Query:
    """Ask for whatever could be one hit with some documents."""
    records = sorted({doc.record for doc in docs})
    titles = sorted({alike[2] for doc in docs for alike in doc.alike})
    return any_of([one_of(RECORD, records), *([one_of(SAME_TITLE, titles)] if titles else [])])
