"""Records read back into descriptions: what pages, exports and followers ask of a payload, ours or a peer's.

A peer writes what it likes: what does not fit a field's form is passed over, numbers of values, sizes and depth are
bounded, and nothing raises. Pure: no I/O, no clock, no RDF library.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from node.vocab import lists
from node.vocab.kinds.checking import MAX_LANGUAGES, MAX_MARKDOWN, MAX_TEXT, is_date, is_link, is_missing
from node.vocab.kinds.field import Field, KindTable
from node.vocab.ntriples import datatype_of, is_iri, is_literal, language_of, triples_of, value_of

_MAX_DEPTH = 8
_Nodes = Mapping[str, Mapping[str, Sequence[str]]]


def said_in(table: KindTable, record: str, payload: bytes) -> dict[str, Any]:
    """Read a record as plain values; fields without a value that fits are left out."""
    nodes: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in triples_of(payload):
        nodes.setdefault(subject[1:-1], {}).setdefault(predicate[1:-1], []).append(value)
    return _read(nodes, record, table.fields, 0)


def part_of(table: KindTable, wanted: Callable[[Field], bool]) -> KindTable:
    """Give a table of those fields alone that are wanted, and of the groups that have some: to read less, faster."""
    return replace(table, fields=_wanted(table.fields, wanted))


def _wanted(fields: Sequence[Field], wanted: Callable[[Field], bool]) -> tuple[Field, ...]:
    kept = (replace(each, fields=_wanted(each.fields, wanted)) if each.fields else each for each in fields)
    return tuple(each for each in kept if (each.fields if each.form == "group" else wanted(each)))


def links_in(table: KindTable, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the links to records in a description: the field's name (`group.field` within a group), and the IRI."""
    yield from _links(table.fields, said, "")


def _links(fields: Sequence[Field], said: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        if field.form not in ("group", "link") or is_missing(said.get(field.name)):
            continue
        value: Any = said[field.name]
        for each in value if field.many else (value,):
            if field.form == "group":
                yield from _links(field.fields, each, f"{before}{field.name}.")
            elif field.to:
                yield before + field.name, each


def _read(nodes: _Nodes, subject: str, fields: Sequence[Field], depth: int) -> dict[str, Any]:
    node = nodes.get(subject, {})
    said: dict[str, Any] = {}
    for field in fields:
        terms = node.get(field.term)
        value: Any = _field(nodes, terms, field, depth) if terms else None
        if not is_missing(value):
            said[field.name] = value
    return said


def _field(nodes: _Nodes, terms: Sequence[str], field: Field, depth: int) -> Any:  # noqa: ANN401 (any form)
    if field.by_language:
        texts = _texts(terms, field)
        return (
            [{language: text} for language, several in texts.items() for text in several]
            if field.many
            else {language: several[0] for language, several in texts.items()}
        )
    if field.form == "group":
        names = sorted(value_of(term) for term in terms if is_iri(term))[: field.most]
        values: list[Any] = (
            [_read(nodes, name, field.fields, depth + 1) for name in names] if depth < _MAX_DEPTH else []
        )
        values = [each for each in values if each]
    else:
        values = [each for term in sorted(terms) if (each := _value(term, field)) is not None][: field.most]
    return values if field.many else values[0] if values else None


def _texts(terms: Sequence[str], field: Field) -> dict[str, list[str]]:
    limit = MAX_MARKDOWN if field.form == "markdown" else MAX_TEXT
    found: dict[str, list[str]] = {}
    for term in terms[: MAX_LANGUAGES * (field.most if field.many else 1)]:
        if is_literal(term):
            found.setdefault(language_of(term) or "und", []).append(value_of(term)[:limit])
    return found


def _value(term: str, field: Field) -> Any:  # noqa: ANN401 (any form)
    value = value_of(term)
    if is_literal(term):
        return _literal_value(value, datatype_of(term), field)
    if not is_iri(term):
        return None
    if field.form == "link":
        return value if is_link(value) else None
    if field.form == "email":
        return value.removeprefix("mailto:") if value.startswith("mailto:") else None
    if field.form == "language":
        found = lists.LANGUAGES.by_iri(value)
        return (found.facts["tag"] or found.code.lower()) if found else None
    if field.form == "code":
        known = field.codes.by_iri(value) if field.codes else None
        return known.code if known else value if is_link(value) else None
    return None


def _literal_value(value: str, datatype: str, field: Field) -> Any:  # noqa: ANN401 (any form)
    if field.form == "flag":
        return value in ("true", "1") if datatype else None
    if field.form == "date":
        return value[:10] if is_date(value[:10]) else None
    if field.form == "number":
        return value[:40] if datatype else None
    return value[:MAX_TEXT] if field.form == "plain" else None
