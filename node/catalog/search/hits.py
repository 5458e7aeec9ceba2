"""Hits from documents: the records as the shelf holds them, their titles, what was found in them, and their doubles.

The index is a moment behind the shelf, so whatever left the shelf meanwhile is left out here. Also left out is what the
asker may not see, once more: a fault in a query must not show a record. Reads the shelf, writes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from node.catalog.search import analyzers, said
from node.catalog.search.groups import Doc, Group, docs_of, related, why
from node.catalog.search.highlight import Marker
from node.catalog.search.query import Query, Sight
from node.catalog.search.reader import Parsed
from node.catalog.search.results import Hit, Reason, Similar
from node.catalog.search.said import Where
from node.catalog.search.schema import COLLECTION, IRI
from node.catalog.search.sources import Source
from node.catalog.shelf import Held, Shelf

_MOST_SIBLINGS = 500
_MOST_SIMILAR = 5
_MOST_ROUTES = 10
# Stems that highlighting compares, beside the reader's language.
_LANGUAGES = ("en", "fi", "sv")

_Place = tuple[str, str]  # collection, IRI


@dataclass(slots=True)
class _Doubles:
    """Where else one hit stands, and what looks like it."""

    routes: list[_Place] = field(default_factory=list)
    similar: dict[_Place, Reason] = field(default_factory=dict)


class Shown:
    """Makes the hits of one page."""

    def __init__(self, shelf: Shelf, sources: Sequence[Source], sight: Sight, not_public: Collection[str]) -> None:
        """Read a shelf for one asker, in the sources that were asked."""
        self._shelf = shelf
        self._sources = sources
        self._sight = sight
        self._not_public = frozenset(not_public)
        self._allowed = {each.collection: each for each in sight.restricted}

    def hits(self, groups: Sequence[Group], question: Query, marker: Marker | None) -> tuple[Hit, ...]:
        """Give the hits of documents, in their order."""
        places = [self._place(group.leader) for group in groups]
        doubles = self._doubles(groups, places) if question.grouped and groups else [_Doubles() for _ in groups]
        held = self._held([*places, *(p for each in doubles for p in (*each.routes, *each.similar))])
        shown = [(held[place], each) for place, each in zip(places, doubles, strict=True) if place in held]
        told = [record for record, _ in shown] + [held[p] for _, each in shown for p in each.similar if p in held]
        payloads = dict(zip(told, self._shelf.payloads(told), strict=True))
        return tuple(_hit(record, each, held, payloads, question.language, marker) for record, each in shown)

    def _place(self, doc: Doc) -> _Place:
        stored = self._sources[doc.source].searcher.doc(doc.address)
        return str(stored.get_first(COLLECTION)), str(stored.get_first(IRI))

    def _held(self, places: Iterable[_Place]) -> dict[_Place, Held]:
        seen = [place for place in dict.fromkeys(places) if self._may_see(place)]
        return {place: held for place, held in zip(seen, self._shelf.some(seen), strict=True) if held is not None}

    def _may_see(self, place: _Place) -> bool:
        collection, iri = place
        peer, slash, _ = collection.partition("/")
        if slash and peer in self._sight.hidden:
            return False
        allowed = self._allowed.get(collection)
        return collection not in self._not_public or (allowed is not None and allowed.shows(iri))

    def _doubles(self, groups: Sequence[Group], places: Sequence[_Place]) -> list[_Doubles]:
        """Find other routes of each hit, and what looks like it, wherever the asker may see them."""
        wanted = related([group.leader for group in groups])
        found = [_Doubles() for _ in groups]
        shown, leaders = set(places), {group.leader.at for group in groups}
        for source in self._sources:
            hits = source.searcher.search(source.seen(wanted), _MOST_SIBLINGS, count=False).hits
            # Mostly these are the hits themselves, and nothing else.
            others = [hit for hit in hits if (source.number, hit[1].segment_ord, hit[1].doc) not in leaders]
            for doc in sorted(docs_of(source.searcher, source.number, others), key=lambda each: each.route):
                self._sort_in(doc, groups, found, shown)
        return found

    def _sort_in(self, doc: Doc, groups: Sequence[Group], found: Sequence[_Doubles], shown: set[_Place]) -> None:
        for group, doubles in zip(groups, found, strict=True):
            leader = group.leader
            same = doc.record == leader.record
            reason = None if same else why(leader, doc)
            if not same and reason is None:
                continue
            place = self._place(doc)
            if place in shown:
                continue
            if same and len(doubles.routes) < _MOST_ROUTES:
                doubles.routes.append(place)
            # A double that came by two routes is one double.
            elif reason and len(doubles.similar) < _MOST_SIMILAR and place[1] not in {i for _, i in doubles.similar}:
                doubles.similar[place] = reason
            return


def _hit(
    held: Held,
    doubles: _Doubles,
    known: Mapping[_Place, Held],
    payloads: Mapping[Held, bytes],
    language: str,
    marker: Marker | None,
) -> Hit:
    payload = payloads[held]
    title, _ = said.title_of(payload, held.iri, language)
    why_in, (why_text, why_tag) = _why(payload, held, language, title, marker)
    return Hit(
        held,
        title,
        why_title=marker.title(title) if marker else "",
        why_text=why_text,
        why_in=why_in,
        why_tag=why_tag,
        also_via=tuple(known[place] for place in doubles.routes if place in known),
        similar=tuple(
            _similar(known[place], payloads[known[place]], language, reason)
            for place, reason in doubles.similar.items()
            if place in known
        ),
    )


def _similar(held: Held, payload: bytes, language: str, reason: Reason) -> Similar:
    title, tag = said.title_of(payload, held.iri, language)
    return Similar(held, title, reason, tag)


def _why(payload: bytes, held: Held, language: str, title: str, marker: Marker | None) -> tuple[Where, said.Text]:
    """Give the part of a description that has what was asked for, else of whatever else is known of the record."""
    nothing: said.Text = ("", "")
    if marker is None:
        return "", nothing
    for text, tag in said.texts_of(payload, held.iri, language, held.kind):
        excerpt = marker.excerpt(text)
        if excerpt:
            return "text", (excerpt, tag)
    if marker.title(title):
        return "", nothing
    for where, (text, tag) in said.others_of(payload, held.iri, language):
        if excerpt := marker.excerpt(text):
            return where, (excerpt, tag)
    return "", nothing


def marker_of(parsed: Parsed, language: str, also: Iterable[str] = ()) -> Marker | None:
    """Give what marks the words of a question, and others that were taken for them; None if it has none."""
    typed = [term.text for clause in parsed.clauses for term in clause if term.shape != "iri"]
    words = [*typed, *also]
    if not words:
        return None
    languages = tuple(dict.fromkeys((analyzers.base_of(language), *_LANGUAGES)))

    def stems(word: str) -> frozenset[str]:
        return frozenset([word, *(analyzers.stems([word], each)[0] for each in languages)])

    return Marker(words, fold=analyzers.fold, stems=stems)
