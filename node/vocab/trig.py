"""Named graphs out: TriG, and JSON-LD with `@graph`, for feeds whose members hold a description each.

A document is some loose triples (the feed and its pages), then the members: what is said of one, and its payload in the
graph that has the member's name. It is written member by member, so that a page of large ones costs little memory; a
prefix is declared where it is first needed. JSON-LD is one object per member. Pure: no I/O, no RDF library.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from node.vocab import jsonld, turtle
from node.vocab.ntriples import Triple
from node.vocab.subjects import Subjects, subjects_of
from node.vocab.terms import PREFIXES

TRIG, JSON_LD = "application/trig", "application/ld+json"
VERSIONS = {TRIG: "trig1", JSON_LD: "jsonld1"}
"""What stands in an ETag: the form and the number of its writer. Change what is written and it must rise."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its IRI, the loose triples that are about it, and its payload (None: it has no graph)."""

    iri: str
    about: tuple[Triple, ...]
    payload: bytes | None = None


def document(head: Iterable[Triple], members: Iterable[Member], form: str, *, context_url: str) -> Iterator[bytes]:
    """Write a document piece by piece.

    Args:
        head: Triples of the feed itself, without blank nodes; in any order, written sorted and each once.
        members: In the order they are to stand in; payloads canonical, as in the journal.
        form: `TRIG` or `JSON_LD`.
        context_url: Where our JSON-LD context is; used by `JSON_LD` only.
    """
    return _trig(head, members) if form == TRIG else _json_ld(head, members, context_url)


def _grouped(triples: Iterable[Triple]) -> Subjects:
    return subjects_of("".join([f"{s} {p} {o} .\n" for s, p, o in sorted(set(triples))]).encode())


def _trig(head: Iterable[Triple], members: Iterable[Member]) -> Iterator[bytes]:
    declared: set[str] = set()
    text, used = turtle.body(_grouped(head))
    yield _with_prefixes(text, used, declared)
    for member in members:
        text, used = turtle.body(_grouped(member.about))
        if member.payload is not None:
            inner, more = turtle.body(subjects_of(member.payload))
            text, used = f"{text}\n<{member.iri}> {{\n{inner}}}\n", used | more
        yield b"\n" + _with_prefixes(text, used, declared)


def _with_prefixes(text: str, used: set[str], declared: set[str]) -> bytes:
    fresh = used - declared
    declared |= fresh
    return ("".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in sorted(fresh)) + text).encode()


def _json_ld(head: Iterable[Triple], members: Iterable[Member], context_url: str) -> Iterator[bytes]:
    none: frozenset[str] = frozenset()
    yield b'{"@context":' + orjson.dumps(context_url) + b',"@graph":['
    yield b",\n".join(orjson.dumps(node) for node in jsonld.trees(_grouped(head), none))
    for member in members:
        yield b",\n" + orjson.dumps(_json_member(member))
    yield b"]}\n"


def _json_member(member: Member) -> jsonld.Json:
    about = "".join([f"{s} {p} {o} .\n" for s, p, o in member.about])
    unset = jsonld.clashes(about.encode() + (member.payload or b""))
    (said,) = jsonld.trees(_grouped(member.about), unset)
    if unset:
        # Only this member does without the terms that its IRIs would be taken for.
        said = {"@context": dict.fromkeys(sorted(unset)), **said}
    if member.payload is not None:
        said["@graph"] = jsonld.trees(subjects_of(member.payload), unset)
    return said
