"""A payload turned so that a page can ask it questions: subject → property → values, with labels.

Labels of shared concepts (themes, licences, file types) come from our own tables, never from payloads; only what a
record describes itself (its publisher, its place) is named by its own words. Links lead out only over http, https and
mailto: a payload may hold any IRI.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from node.vocab import lists, ntriples
from node.vocab.ntriples import Triple
from node.vocab.terms import DCT, FOAF, PREFIXES, RDFS, SCHEMA, SKOS, VCARD
from node.web import text
from node.web.text import Said

_NAMES = (SKOS.prefLabel, FOAF.name, RDFS.label, DCT.title, VCARD.fn, VCARD["organization-name"], SCHEMA.name)
_BY_LENGTH = sorted(PREFIXES.items(), key=lambda pair: -len(pair[1]))


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of "Everything the source says"."""

    subject: str
    property: str
    value: str
    href: str
    mark: str


def href(iri: str) -> str:
    """Give an IRI as a link target, or nothing if following it could do anything but read or write a letter."""
    return iri if iri.lower().startswith(("http://", "https://", "mailto:")) else ""


def compact(iri: str) -> str:
    """Write an IRI with a well-known prefix, else in full."""
    for prefix, namespace in _BY_LENGTH:
        if iri.startswith(namespace) and "/" not in iri[len(namespace) :]:
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def tail(iri: str) -> str:
    """Give the last readable part of an IRI, for want of a name."""
    parts = urlsplit(iri)
    return unquote(parts.fragment or parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc or iri


class Described:
    """What one payload says, for one reader. Values come in the payload's order, which is that of their text."""

    def __init__(self, triples: Iterable[Triple], iri: str, reader: str, languages: Sequence[str]) -> None:
        self.iri = iri
        self.reader = reader
        self._languages = languages
        self._said: dict[str, dict[str, list[str]]] = {}
        for subject, predicate, value in triples:
            properties = self._said.setdefault(ntriples.value_of(subject), {})
            properties.setdefault(ntriples.value_of(predicate), []).append(value)

    def terms(self, subject: str, *predicates: str) -> list[str]:
        """Give the values of the first property that has any, as terms."""
        properties = self._said.get(subject, {})
        return next((properties[predicate] for predicate in predicates if predicate in properties), [])

    def values(self, subject: str, *predicates: str) -> list[str]:
        """Give them as plain text: IRIs and literals alike."""
        return [ntriples.value_of(term) for term in self.terms(subject, *predicates)]

    def value(self, subject: str, *predicates: str) -> str:
        """Give the first of them, or nothing."""
        return next(iter(self.values(subject, *predicates)), "")

    def links(self, subject: str, *predicates: str) -> list[str]:
        """Give those that may be followed."""
        return [link for link in map(href, self.values(subject, *predicates)) if link]

    def text(self, subject: str, *predicates: str) -> Said:
        """Choose the text for this reader."""
        return text.choose(self.terms(subject, *predicates), self.reader, self._languages)

    def texts(self, subject: str, *predicates: str) -> list[Said]:
        """Choose the list of texts for this reader."""
        return text.every(self.terms(subject, *predicates), self.reader, self._languages)

    def machine(self, subject: str, predicate: str) -> Said:
        """Give a machine translation into the reader's language, if the source brought one."""
        tags = [
            term
            for term in self.terms(subject, predicate)
            if text.is_machine(tag := ntriples.language_of(term)) and tag.split("-")[0] == self.reader
        ]
        return text.choose(tags, self.reader)

    def name(self, term: str) -> Said:
        """Name what a term stands for: our table's label, the record's own words for it, or what the IRI ends in."""
        value = ntriples.value_of(term)
        if not ntriples.is_iri(term):
            return Said(value.strip())
        known = lists.label(value, self.reader)
        return Said(known) if known else (self._own_name(value) or Said(tail(value)))

    def _own_name(self, iri: str) -> Said:
        for predicate in _NAMES:
            found = self.text(iri, predicate)
            if found:
                return found
        return text.NOTHING

    def names(self, subject: str, *predicates: str) -> list[Said]:
        """Name every value, each once, in order of name."""
        found = {said.text: said for said in map(self.name, self.terms(subject, *predicates)) if said}
        return [found[key] for key in sorted(found)]

    def subjects(self) -> list[str]:
        """List the subjects, the record first."""
        return sorted(self._said, key=lambda subject: (subject != self.iri, subject))

    def statements(self) -> list[Statement]:
        """List everything, the record's own first. What is described further down may be minted: no link to it."""
        found = [
            _statement(subject, predicate, term)
            for subject in self.subjects()
            for predicate, terms in sorted(self._said[subject].items())
            for term in terms
        ]
        return [replace(one, href="") if one.value in self._said else one for one in found]


def _statement(subject: str, predicate: str, term: str) -> Statement:
    value = ntriples.value_of(term)
    if ntriples.is_iri(term):
        return Statement(subject, compact(predicate), value, href(value), "")
    datatype = ntriples.datatype_of(term)
    mark = ntriples.language_of(term) or (compact(datatype) if datatype else "")
    return Statement(subject, compact(predicate), value, "", mark)
