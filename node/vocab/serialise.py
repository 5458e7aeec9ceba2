"""A payload in the forms the web asks for: Turtle, JSON-LD, RDF/XML, N-Triples.

A record's document holds exactly the payload's triples, and the same payload always gives the same bytes, so a strong
ETag is the digest and the serialiser's version. Change what a writer writes and its number in `VERSIONS` must rise.
Nothing is read from a triple store and nothing goes through rdflib, which rewrites literals. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from node.errors import NotAcceptable
from node.vocab import jsonld, rdfxml, turtle
from node.vocab.ntriples import Triple
from node.vocab.subjects import subjects_of

Suffix = Literal["ttl", "jsonld", "rdf", "nt"]

MEDIA_TYPES: dict[Suffix, str] = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "nt": "application/n-triples",
}
VERSIONS: dict[Suffix, str] = {"ttl": "ttl2", "jsonld": "jsonld1", "rdf": "rdf2", "nt": "nt1"}
"""What stands in an ETag after the digest: the suffix and the number of its serialiser."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that a page could not hold: its place among the parts given, and why in one sentence."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page's bytes, and the records that are not in them."""

    body: bytes
    left_out: tuple[LeftOut, ...] = ()


def document(payload: bytes, suffix: Suffix, *, context_url: str = "") -> bytes:
    """Write one record's payload in the form of a suffix.

    Args:
        payload: Canonical N-Quads without blank nodes, as in the journal; not checked again.
        suffix: Which form.
        context_url: Where our JSON-LD context is; used by `jsonld` only.

    Raises:
        NotAcceptable: RDF/XML cannot hold this record; the message names the property or the character.
    """
    match suffix:
        case "nt":
            return payload
        case "ttl":
            text, used = turtle.body(subjects_of(payload))
            return (turtle.header(used) + text).encode()
        case "rdf":
            return rdfxml.wrap(*rdfxml.body(subjects_of(payload))).encode()
        case "jsonld":
            unset = jsonld.clashes(payload)
            return jsonld.document(subjects_of(payload), jsonld.context(context_url, unset), unset)


def page(parts: Sequence[bytes], extra: Iterable[Triple], suffix: Suffix, *, context_url: str = "") -> Page:
    """Write many payloads and some loose triples (the catalogue's, the paging's) as one document.

    The loose triples come first. Only RDF/XML leaves records out; the caller links those from the page's head.

    Args:
        parts: Payloads, in the order the page shows them.
        extra: Triples without blank nodes; in any order, written sorted and each once.
        suffix: Which form.
        context_url: Where our JSON-LD context is; used by `jsonld` only.

    Raises:
        NotAcceptable: RDF/XML cannot hold the extra triples themselves.
    """
    head = "".join([f"{s} {p} {o} .\n" for s, p, o in sorted(set(extra))]).encode()
    match suffix:
        case "nt":
            return Page(b"".join(sorted({line for part in (head, *parts) for line in part.splitlines(keepends=True)})))
        case "ttl":
            return _turtle_page([head, *parts])
        case "rdf":
            return _rdfxml_page(head, parts)
        case "jsonld":
            return _jsonld_page([head, *parts], context_url)


def _turtle_page(payloads: list[bytes]) -> Page:
    bodies, used = [], set()
    for payload in payloads:
        text, more = turtle.body(subjects_of(payload))
        bodies.append(text)
        used |= more
    return Page((turtle.header(used) + "\n".join(bodies)).encode())


def _rdfxml_page(head: bytes, parts: Sequence[bytes]) -> Page:
    text, used = rdfxml.body(subjects_of(head))
    bodies, left_out = [text], []
    for index, part in enumerate(parts):
        try:
            text, more = rdfxml.body(subjects_of(part))
        except NotAcceptable as refusal:
            left_out.append(LeftOut(index, refusal.message))
        else:
            bodies.append(text)
            used |= more
    return Page(rdfxml.wrap("".join(bodies), used).encode(), tuple(left_out))


def _jsonld_page(payloads: list[bytes], context_url: str) -> Page:
    unset = jsonld.clashes(b"".join(payloads))
    graph = [tree for payload in payloads for tree in jsonld.trees(subjects_of(payload), unset)]
    return Page(orjson.dumps({"@context": jsonld.context(context_url, unset), "@graph": graph}))
