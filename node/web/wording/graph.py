"""A payload turned so that a page can ask it questions: subject → property → values, with labels.

Labels of shared concepts (themes, licences, file types) come from our own tables, never from payloads; only what a
record describes itself (its publisher, its place) is named by its own words. Links lead out only over http, https and
mailto: a payload may hold any IRI.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from node.vocab import lists, ntriples
from node.vocab.ntriples import Triple
from node.vocab.terms import DCT, FOAF, PREFIXES, RDFS, SCHEMA, SKOS, VCARD
from node.web.wording import text
from node.web.wording.text import Said

_NAMES = (SKOS.prefLabel, FOAF.name, RDFS.label, DCT.title, VCARD.fn, VCARD["organization-name"], SCHEMA.name)
# In IRIs made here for what its source gave none: never shown to people, it says nothing.
MINTED = "/.well-known/genid/"
_LETTERS = re.compile(r"[^\W\d_]{2}")
_BY_LENGTH = sorted(PREFIXES.items(), key=lambda pair: -len(pair[1]))


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
    """Give the last readable part of an IRI, for want of a name; a mere number is no name without its host.

    >>> tail("https://example.org/id/Street%20trees"), tail("https://sws.geonames.org/2803139/")
    ('Street trees', 'sws.geonames.org/2803139')
    """
    parts = urlsplit(iri)
    last = unquote(parts.fragment or parts.path.rstrip("/").rpartition("/")[2])
    if last and not _LETTERS.search(last):
        return f"{parts.netloc}/{last}" if parts.netloc else last
    return last or parts.netloc or iri


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
        """Name what a term stands for: our table's label, the record's own words for it, or what the IRI ends in.

        Nothing for a part without a name, whose IRI was only minted.
        """
        value = ntriples.value_of(term)
        if not ntriples.is_iri(term):
            return Said(value.strip())
        known = lists.label(value, self.reader)
        if known:
            return Said(known)
        return self.own_name(value) or (text.NOTHING if MINTED in value else Said(tail(value)))

    def own_name(self, iri: str) -> Said:
        """Name it by what the payload itself calls it, or nothing."""
        for predicate in _NAMES:
            found = self.text(iri, predicate)
            if found:
                return found
        return text.NOTHING

    def names(self, subject: str, *predicates: str) -> list[Said]:
        """Name every value, each once, in order of name."""
        found = {said.text: said for said in map(self.name, self.terms(subject, *predicates)) if said}
        return [found[key] for key in sorted(found)]

    def __contains__(self, subject: str) -> bool:
        """Tell whether the payload says anything of a subject."""
        return subject in self._said

    def properties(self, subject: str) -> dict[str, list[str]]:
        """Give what is said of a subject: terms by property."""
        return self._said.get(subject, {})

    def subjects(self) -> list[str]:
        """List the subjects, the record first."""
        return sorted(self._said, key=lambda subject: (subject != self.iri, subject))
