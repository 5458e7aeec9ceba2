"""Everything the source says, as nested lines: properties by name, values by label, parts inside what they belong to.

A payload has no blank nodes: what had no name got a long minted one. Such parts are shown where they are used and not
by that name. Each part is unfolded once, at most `MAX_DEPTH` deep; what cannot be reached that way follows at the end.
"""

from dataclasses import dataclass

from node.vocab import lists, ntriples
from node.vocab.terms import RDF
from node.web.wording import labels
from node.web.wording.graph import MINTED, Described, compact, href
from node.web.wording.text import Said

MAX_DEPTH = 5
MAX_VALUES = 600
# Of all texts together, as much as of a description: the forms for machines have the rest.
MAX_CHARACTERS = 40_000
# Where the EU's tables are: long enough to drown what follows.
_AUTHORITY = "http://publications.europa.eu/resource/authority/"


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its text (`lang` if it is one), a small mark, where it leads, its lines if it is a part."""

    text: str
    lang: str = ""
    mark: str = ""
    href: str = ""
    term: str = ""
    lines: "tuple[Line, ...]" = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One property with all its values; `label` is empty for a property we have no word for."""

    label: str
    term: str
    values: tuple[Value, ...]


class _Teller:
    """Walks one payload; made anew for each page."""

    def __init__(self, said: Described) -> None:
        self.said = said
        self.reader = said.reader
        self.open = set(said.subjects())
        self.left = MAX_VALUES
        self.room = MAX_CHARACTERS
        self.cut = False

    def lines(self, subject: str, depth: int) -> tuple[Line, ...]:
        self.open.discard(subject)
        found = []
        for predicate, terms in sorted(self.said.properties(subject).items(), key=self._rank):
            values = tuple(self._value(predicate, term, depth) for term in terms[: max(0, self.left)])
            self.left -= len(values)
            if values:
                found.append(Line(labels.property_label(predicate, self.reader), compact(predicate), values))
        return tuple(found)

    def _rank(self, pair: tuple[str, list[str]]) -> tuple[int, str]:
        """Put what we have words for first, in the order of our table, which is that of importance."""
        return (_ORDER.get(pair[0], len(_ORDER)), pair[0])

    def _value(self, predicate: str, term: str, depth: int) -> Value:
        value = ntriples.value_of(term)
        if ntriples.is_literal(term):
            datatype = ntriples.datatype_of(term)
            tag = ntriples.language_of(term)
            return Value(self._kept(value), lang=tag, mark=tag or (compact(datatype) if datatype else ""))
        described = value in self.said
        name = self._name(predicate, term, value, described=described)
        if value in self.open and depth < MAX_DEPTH:
            shown = value if MINTED not in value else ""
            return Value(name.text or shown, lang=name.lang, term=shown, lines=self.lines(value, depth + 1))
        if MINTED in value:
            return Value(name.text or "…", lang=name.lang)
        return Value(
            name.text or value,
            lang=name.lang,
            term=compact(value.removeprefix(_AUTHORITY)),
            href="" if described else href(value),
        )

    def _kept(self, text: str) -> str:
        """Cut a text where there is no room for all of it, and remember that."""
        shown = text[: self.room]
        self.room -= len(shown)
        self.cut = self.cut or len(shown) < len(text)
        return shown if len(shown) == len(text) else f"{shown}…"

    def _name(self, predicate: str, term: str, value: str, *, described: bool) -> Said:
        if predicate == RDF.type:
            return Said(labels.class_label(value, self.reader))
        known = lists.label(value, self.reader)
        return Said(known) if known or not described else self.said.own_name(ntriples.value_of(term))


_ORDER = {predicate: place for place, predicate in enumerate(labels.PROPERTIES)}


def everything(said: Described) -> tuple[tuple[Line, ...], bool]:
    """Tell it all, and whether something was left out for want of room."""
    teller = _Teller(said)
    found = list(teller.lines(said.iri, 0))
    for subject in said.subjects():
        if subject in teller.open and teller.left > 0:
            shown = subject if MINTED not in subject else "…"
            found.append(Line("", shown, (Value(said.own_name(subject).text, lines=teller.lines(subject, 1)),)))
    return tuple(found), teller.left <= 0 or teller.cut
