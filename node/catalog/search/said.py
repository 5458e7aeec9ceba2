"""What a hit says of itself: title and description, read out of the bytes on the shelf for one reader.

The index stores no texts, so those of the few records of a page are looked up here. Lines of a payload are sorted and a
record's own begin with its IRI, so a few searches for bytes do, and no line is taken apart that is not shown. Pure.
"""

from collections.abc import Iterator
from typing import Literal

from node.catalog.search.knowledge import wanted_of
from node.vocab.ntriples import language_of, unescape
from node.vocab.terms import DCAT, DCT, FOAF, SCHEMA, SKOS

Where = Literal["", "text", "title", "keyword", "publisher", "file"]
Text = tuple[str, str]
"""What is said, and the tag of its language or ""."""
_TITLES = (DCT.title, SKOS.prefLabel, FOAF.name, SCHEMA.name)
_ABOUT = (DCT.description, SCHEMA.description, SKOS.definition)
_MOST = 100
_MOST_NODES = 20


def title_of(payload: bytes, iri: str, language: str) -> Text:
    """Give the title in a language, else in English, else any, machines' translations last; the IRI without one."""
    return (in_order(payload, iri, _TITLES, language) or [(iri, "")])[0]


def others_of(payload: bytes, iri: str, language: str) -> Iterator[tuple[Where, Text]]:
    """Give what else tells why a record was found, and what each is.

    Titles and keywords of every language, the reader's first; then who publishes it, and what its files are called.
    """
    for text in in_order(payload, iri, _TITLES, language):
        yield "title", text
    for text in in_order(payload, iri, (DCAT.keyword,), language):
        yield "keyword", text
    for node in nodes_of(payload, iri, DCT.publisher):
        for text in in_order(payload, node, _TITLES, language):
            yield "publisher", text
    for node in nodes_of(payload, iri, DCAT.distribution):
        for text in in_order(payload, node, (DCT.title,), language):
            yield "file", text


def nodes_of(payload: bytes, iri: str, predicate: str) -> list[str]:
    """Give the nodes that a property of a record names, at most twenty."""
    start, found = f"<{iri}> <{predicate}> <".encode(), list[str]()
    at = 0 if payload.startswith(start) else payload.find(b"\n" + start) + 1
    while len(found) < _MOST_NODES and payload.startswith(start, at):
        end = payload.find(b"\n", at)
        found.append(payload[at + len(start) : end].decode().partition(">")[0])
        at = end + 1
    return found


def texts_of(payload: bytes, iri: str, language: str, kind: str) -> list[Text]:
    """Give every description, the reader's first; of a kind with a table the texts of its fields, in their order."""
    own = wanted_of(kind).own
    if not own:
        return in_order(payload, iri, _ABOUT, language)
    return [text for term in own for text in in_order(payload, iri, (term,), language)]


def in_order(payload: bytes, iri: str, predicates: tuple[str, ...], language: str) -> list[Text]:
    """Give the literals of the first property that has any, as `title_of` orders them."""
    for predicate in predicates:
        found = _literals(payload, f'<{iri}> <{predicate}> "'.encode())
        if found:
            ranked = sorted(enumerate(found), key=lambda pair: (_rank(pair[1], language), pair[0]))
            return [(unescape(term[1 : term.rindex('"')]), language_of(term)) for _, term in ranked]
    return []


def _literals(payload: bytes, start: bytes) -> list[str]:
    found: list[str] = []
    at = 0 if payload.startswith(start) else payload.find(b"\n" + start) + 1
    while len(found) < _MOST and payload.startswith(start, at):
        end = payload.find(b"\n", at)
        # A line ends in ` .`; the quote belongs to the term.
        found.append(payload[at + len(start) - 1 : end - 2].decode())
        at = end + 1
    return found


def _rank(term: str, language: str) -> tuple[bool, int]:
    tag = language_of(term).lower()
    base = tag.partition("-")[0]
    return "-t-" in tag, 0 if base == language[:2].lower() else 1 if base == "en" else 2
