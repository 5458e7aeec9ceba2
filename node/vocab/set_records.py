"""Comparable sets as records: which records of several cities are about the same thing, and which columns match.

A set names its records, says in sentences what they share, and maps their columns: for each meaning the column's name
in each record, and whether the values are the same, need a conversion, or cannot be matched. Written for the journal
and read back, also a peer's; what does not fit is passed over. Pure: no I/O, no clock, no RDF library.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from node.records import KINDS
from node.vocab.lists import DATA_THEMES
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import is_iri, is_literal, language_of, language_tag, literal, triples_of, value_of
from node.vocab.terms import CN, DCAT, DCT, RDF

KIND = "set"
Matching = Literal["same", "convert", "none"]
MATCHINGS: tuple[Matching, ...] = ("same", "convert", "none")
MAX_MEMBERS, MAX_COLUMNS, MAX_TEXT, MAX_IRI = 50, 100, 2_000, 2_000
_LANGUAGES = 30


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """One meaning: what it is called, by language; its column's name in each record, by IRI; how values match."""

    meaning: Mapping[str, str]
    names: Mapping[str, str]
    match: Matching
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComparableSet:
    """A set: texts by language tag, the IRIs of its records, the code of its theme or "", its columns in order.

    Records of a set have no order: read back they are sorted by IRI.
    """

    title: Mapping[str, str]
    members: tuple[str, ...]
    description: Mapping[str, str] = field(default_factory=dict)
    theme: str = ""
    columns: tuple[ColumnMap, ...] = ()


def record_of(slug: str, base_url: str) -> str:
    """Give the IRI of the set of that name."""
    return f"{base_url}/{KINDS[KIND]}/{slug}"


def payload_of(record: str, said: ComparableSet) -> bytes:
    """Write the record: sorted canonical N-Quads without blank nodes."""
    lines = {_line(record, RDF.type, f"<{CN.ComparableSet}>")}
    lines |= _texts(record, DCT.title, said.title) | _texts(record, DCT.description, said.description)
    lines |= {_line(record, DCT.hasPart, iri_term(member)) for member in said.members}
    theme = DATA_THEMES.by_code(said.theme)
    lines |= {_line(record, DCAT.theme, f"<{theme.iri}>")} if theme else set()
    for number, column in enumerate(said.columns, 1):
        lines |= set(_column(record, f"{record}#column-{number:03}", column))
    return "".join(sorted(lines)).encode()


def _line(subject: str, predicate: str, value: str) -> str:
    return f"<{subject}> <{predicate}> {value} .\n"


def _texts(subject: str, predicate: str, texts: Mapping[str, str]) -> set[str]:
    return {_line(subject, predicate, literal(text, language=language)) for language, text in texts.items()}


def _column(record: str, name: str, column: ColumnMap) -> Iterator[str]:
    yield _line(record, CN.column, f"<{name}>")
    yield _line(name, RDF.type, f"<{CN.Column}>")
    yield _line(name, CN.match, literal(column.match))
    yield from _texts(name, DCT.title, column.meaning)
    yield from _texts(name, DCT.description, column.note)
    for number, (member, called) in enumerate(column.names.items(), 1):
        here = f"{name}-{number}"
        yield _line(name, CN.here, f"<{here}>")
        yield _line(here, RDF.type, f"<{CN.ColumnHere}>")
        yield _line(here, CN.about, iri_term(member))
        yield _line(here, CN.name, literal(called))


def set_in(record: str, payload: bytes) -> ComparableSet:
    """Read a set; texts, records and columns beyond our bounds are left out, and columns of records not in it."""
    said: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in triples_of(payload):
        said.setdefault(subject[1:-1], {}).setdefault(predicate[1:-1], []).append(value)
    own = said.get(record, {})
    members = tuple(_iris(own.get(DCT.hasPart, [])))[:MAX_MEMBERS]
    themes = [concept.code for iri in _iris(own.get(DCAT.theme, [])) if (concept := DATA_THEMES.by_iri(iri))]
    names = sorted(_iris(own.get(CN.column, [])))[:MAX_COLUMNS]
    return ComparableSet(
        title=_read(own.get(DCT.title, [])),
        description=_read(own.get(DCT.description, [])),
        members=members,
        theme=themes[0] if themes else "",
        columns=tuple(_column_in(said, said.get(name, {}), members) for name in names),
    )


def _column_in(
    said: Mapping[str, Mapping[str, Sequence[str]]], own: Mapping[str, Sequence[str]], members: Sequence[str]
) -> ColumnMap:
    names: dict[str, str] = {}
    for iri in sorted(_iris(own.get(CN.here, []))):
        here = said.get(iri, {})
        about, called = _iris(here.get(CN.about, [])), _plain(here.get(CN.name, []))
        if about and called and about[0] in members:
            names.setdefault(about[0], called)
    told = _plain(own.get(CN.match, []))
    match: Matching = next((each for each in MATCHINGS if each == told), "none")
    return ColumnMap(_read(own.get(DCT.title, [])), names, match, _read(own.get(DCT.description, [])))


def _iris(terms: Sequence[str]) -> list[str]:
    return [value_of(term) for term in terms if is_iri(term) and len(term) <= MAX_IRI]


def _plain(terms: Sequence[str]) -> str:
    return next((value_of(term)[:MAX_TEXT] for term in terms if is_literal(term)), "")


def _read(terms: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for term in terms[:_LANGUAGES]:
        if is_literal(term):
            found.setdefault(language_tag(language_of(term)), value_of(term)[:MAX_TEXT])
    return found
