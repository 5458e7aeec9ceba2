"""What the client gives: records found, records read, changes, solutions of SPARQL, as frozen values with types.

Read from the node's JSON with care and without complaint: a member that is missing or of another shape is empty, so
that a client of today reads a node of tomorrow. `raw` is what was read, for members that have no name here yet.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from node.client.noes import BadAnswer

Raw = Mapping[str, object]
Operation = Literal["put", "withdraw", "erase", "withheld"]
_OPERATIONS: dict[str, Operation] = {"put": "put", "withdraw": "withdraw", "erase": "erase"}


def text(raw: Raw, name: str) -> str:
    """Give a text, or an empty one."""
    found = raw.get(name)
    return found if isinstance(found, str) else ""


def number(raw: Raw, name: str) -> int | None:
    """Give a whole number, or nothing."""
    found = raw.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def texts(raw: Raw, name: str) -> tuple[str, ...]:
    """Give the texts of a list."""
    return tuple(each for each in _list(raw, name) if isinstance(each, str))


def objects(raw: Raw, name: str) -> tuple[Raw, ...]:
    """Give the objects of a list."""
    return tuple(each for each in _list(raw, name) if isinstance(each, dict))


def object_(raw: Raw, name: str) -> Raw:
    """Give an object, or an empty one."""
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def time_(raw: Raw, name: str) -> datetime | None:
    """Give a time with its zone, or nothing."""
    try:
        found = datetime.fromisoformat(text(raw, name))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _list(raw: Raw, name: str) -> Sequence[object]:
    found = raw.get(name)
    return found if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found. `page` is where the asked node shows it, `also_via` pairs of city and collection.

    `live` tells that a partner city was asked for it just now; `quality` has 0 to 405 points, or is unknown.
    """

    iri: str
    page: str
    kind: str
    title: str
    title_language: str
    description: str
    city: str
    city_title: str
    publisher: str
    collection: str
    licence: str
    licence_name: str
    formats: tuple[str, ...]
    themes: tuple[str, ...]
    changed: datetime | None
    quality: int | None
    also_via: tuple[tuple[str, str], ...]
    live: bool
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Raw) -> "Hit":
        """Read one."""
        licence, routes = object_(raw, "licence"), objects(raw, "also_via")
        return cls(
            iri=text(raw, "iri"),
            page=text(raw, "page"),
            kind=text(raw, "kind"),
            title=text(raw, "title"),
            title_language=text(raw, "title_language"),
            description=text(raw, "description"),
            city=text(raw, "city"),
            city_title=text(raw, "city_title"),
            publisher=text(raw, "publisher"),
            collection=text(raw, "collection"),
            licence=text(licence, "iri"),
            licence_name=text(licence, "name"),
            formats=texts(raw, "formats"),
            themes=texts(raw, "themes"),
            changed=time_(raw, "changed"),
            quality=number(raw, "quality"),
            also_via=tuple((text(route, "city"), text(route, "collection")) for route in routes),
            live=raw.get("live") is True,
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Count:
    """How many records a search would have with this value of a facet added."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search. `exact` is false where there are at least `total`; `next` is empty on the last page.

    `asked` says of each city that was asked live how it answered: `city`, `state`, `hits`, `ms`.
    """

    total: int
    exact: bool
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[Count, ...]]
    next: str
    did_you_mean: str
    fuzzy: bool
    asked: tuple[Raw, ...]

    @classmethod
    def of(cls, raw: Raw) -> "Page":
        """Read one. Raises BadAnswer for what is none."""
        if not isinstance(raw.get("hits"), list):
            raise BadAnswer("The answer to a search has no hits.", fix="Is this the address of a city node?")
        facets = object_(raw, "facets")
        return cls(
            total=number(raw, "total") or 0,
            exact=raw.get("total_is") != "at-least",
            hits=tuple(Hit.of(each) for each in objects(raw, "hits")),
            facets={name: tuple(_count(each) for each in objects(facets, name)) for name in facets},
            next=text(raw, "next"),
            did_you_mean=text(raw, "did_you_mean"),
            fuzzy=raw.get("fuzzy") is True,
            asked=objects(raw, "asked"),
        )


def _count(raw: Raw) -> Count:
    return Count(text(raw, "value"), text(raw, "label"), number(raw, "count") or 0)


@dataclass(frozen=True, slots=True)
class Record:
    """A record's description in one form, byte for byte as the node gave it. `canonical` is its page at its origin."""

    iri: str
    media_type: str
    content: bytes = field(repr=False)
    canonical: str = ""
    etag: str = ""

    @property
    def text(self) -> str:
        """Give the description as text."""
        return self.content.decode()

    def json(self) -> Raw:
        """Read it, if it is JSON-LD. Raises BadAnswer."""
        try:
            found = json.loads(self.content)
        except ValueError as error:
            raise BadAnswer(f"This is {self.media_type}, not JSON.", fix="Ask for the form jsonld.") from error
        return found if isinstance(found, dict) else {"@graph": found}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a collection's journal. `payload` is the whole description as N-Quads, of the newest state at most.

    `withheld` is an entry whose content is not for this caller, or was erased since: the number alone remains. An
    `erase` names no record.
    """

    seq: int
    at: datetime | None
    operation: Operation
    record: str = ""
    kind: str = ""
    slug: str = ""
    digest: str = ""
    payload: str = field(default="", repr=False)

    @classmethod
    def of(cls, raw: Raw) -> "Change":
        """Read a line of a page of entries. Raises BadAnswer for what is none."""
        entry, opening = object_(raw, "entry"), object_(raw, "opening")
        seq, said = number(entry, "seq"), text(opening, "op")
        if seq is None:
            raise BadAnswer("A line of the feed is no entry.")
        return cls(
            seq=seq,
            at=time_(entry, "at"),
            operation=_OPERATIONS.get(said, "withheld"),
            record=text(opening, "record"),
            kind=text(opening, "kind"),
            slug=text(opening, "slug"),
            digest=text(opening, "digest"),
            payload=text(raw, "payload"),
        )


@dataclass(frozen=True, slots=True)
class Term:
    """One value of a solution: an IRI, a literal with its language or datatype, or a label of a nameless node."""

    kind: Literal["uri", "literal", "bnode"]
    value: str
    language: str = ""
    datatype: str = ""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Solutions:
    """The answer to a SELECT: its variables in order, and one mapping for each row; unbound ones are left out."""

    variables: tuple[str, ...]
    rows: tuple[Mapping[str, Term], ...]

    def __iter__(self) -> Iterator[Mapping[str, Term]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, raw: Raw) -> "Solutions":
        """Read SPARQL 1.1 results in JSON. Raises BadAnswer."""
        if "results" not in raw:
            raise BadAnswer("This is no answer to a SELECT.", fix="Use ask() or construct() for other questions.")
        rows = tuple(_row(each) for each in objects(object_(raw, "results"), "bindings"))
        return cls(texts(object_(raw, "head"), "vars"), rows)


def _row(raw: Raw) -> dict[str, Term]:
    return {name: _term(value) for name, value in raw.items() if isinstance(value, dict)}


def _term(raw: Raw) -> Term:
    said = text(raw, "type")
    kind: Literal["uri", "literal", "bnode"] = "uri" if said == "uri" else "bnode" if said == "bnode" else "literal"
    return Term(kind, text(raw, "value"), text(raw, "xml:lang"), text(raw, "datatype"))


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection that can be searched and followed. `name` is the one in addresses: `peer/name` for a mirror."""

    name: str
    title: str
    description: str
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Peer:
    """Another city that the asked node exchanges with, and how many of its records are held there."""

    name: str
    city: str
    url: str
    state: str
    records: int
    answered_at: datetime | None
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Raw) -> "Peer":
        """Read one."""
        return cls(
            name=text(raw, "name"),
            city=text(raw, "city"),
            url=text(raw, "url"),
            state=text(raw, "state"),
            records=sum(number(mirror, "records") or 0 for mirror in objects(raw, "mirrors")),
            answered_at=time_(raw, "answered_at"),
            raw=raw,
        )
