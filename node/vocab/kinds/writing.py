"""Descriptions on their way into records: loose input made tidy, and tidy input written as a payload.

A payload is canonical N-Triples without blank nodes: groups get IRIs of their own under the record's, numbered so that
their order is kept. Pure: no I/O, no clock, no RDF library.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from node.vocab import lists
from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Codes, Field, KindTable, Said
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import language_tag, literal
from node.vocab.tables import Table
from node.vocab.terms import DCAT, RDF, XSD

_DATES = {4: XSD.gYear, 7: XSD.gYearMonth, 10: XSD.date}
_MAX_DEPTH = 8


def payload_of(table: KindTable, record: str, said: Said) -> bytes:
    """Write a record; only of a description that `check` finds no error in."""
    lines = {_line(record, RDF.type, f"<{cls}>") for cls in classes_of(table)}
    lines |= set(_fields(record, record, table.fields, said))
    return "".join(sorted(lines)).encode()


def classes_of(table: KindTable) -> tuple[str, ...]:
    """Give the classes of each record of a kind; those that DCAT has are resources already."""
    resource = () if table.cls in DCAT else (DCAT.Resource,)
    return (table.cls, *table.more_classes, *resource)


def _line(subject: str, predicate: str, value: str) -> str:
    return f"<{subject}> <{predicate}> {value} .\n"


def _fields(record: str, subject: str, fields: Sequence[Field], said: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        value: Any = said.get(field.name)
        if value is None or is_missing(value):
            continue
        for number, each in enumerate(value if field.many else (value,), 1):
            if field.form == "group":
                name = f"{subject}{'-' if '#' in subject else '#'}{field.name.replace('_', '-')}-{number:03}"
                yield _line(subject, field.term, f"<{name}>")
                if field.cls:
                    yield _line(name, RDF.type, f"<{field.cls}>")
                yield from _fields(record, name, field.fields, each)
            else:
                for term in terms_of(field, each):
                    yield _line(subject, field.term, term)


def terms_of(field: Field, value: Any) -> Iterator[str]:  # noqa: ANN401 (a value of any form)
    """Write one value of a field that is no group as terms: one, or one in each language."""
    if field.by_language:
        for language, text in value.items():
            if not is_missing(text):
                yield literal(text.strip(), language=language_tag(language))
    elif field.form == "flag":
        yield literal("true" if value else "false", datatype=XSD.boolean)
    elif field.form == "date":
        yield literal(value, datatype=_DATES[len(value)])
    elif field.form == "number":
        yield literal(value, datatype=XSD.decimal)
    elif field.form == "plain":
        yield literal(value.strip())
    else:
        yield iri_term(_iri(field, value))


def _iri(field: Field, value: str) -> str:
    if field.form == "email":
        return f"mailto:{value}"
    if field.form == "language":
        return lists.language_iri(value)
    return iri_of_code(field.codes, value) if field.form == "code" else value


def iri_of_code(codes: Codes | Table | None, code: str) -> str:
    """Give the IRI of a code; a full IRI stands for itself."""
    if isinstance(codes, Codes):
        return codes.iri_of(code) or code
    concept = codes.by_code(code) if codes else None
    return concept.iri if concept else code


def tidy(table: KindTable, raw: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Make loose input what `check` expects, as far as there is one way to read it; the rest stays for it to name.

    A plain text becomes a text in `language`, one value of several a list, a date or number of YAML its text, the name
    or address of a licence, theme or language its code. Nothing is dropped but what is empty.
    """
    return _tidy_fields(table.fields, raw, language, 0)


def _tidy_fields(fields: Sequence[Field], raw: Mapping[str, Any], language: str, depth: int) -> dict[str, Any]:
    known = {each.name: each for each in fields}
    made = {}
    for key, value in raw.items():
        field = known.get(key)
        tidied = _tidy(field, value, language, depth) if field and depth < _MAX_DEPTH else value
        if field is None or not is_missing(tidied):
            made[key] = tidied
    return made


def _tidy(field: Field, value: Any, language: str, depth: int) -> Any:  # noqa: ANN401 (any value in, any out)
    if not field.many:
        return _tidy_one(field, value, language, depth)
    values = value if isinstance(value, list | tuple) else [] if is_missing(value) else [value]
    return [_tidy_one(field, each, language, depth) for each in values]


def _tidy_one(field: Field, value: Any, language: str, depth: int) -> Any:  # noqa: ANN401 (as above)
    if field.form == "group":
        if isinstance(value, str) and field.fields and field.fields[0].form in ("text", "plain", "link"):
            value = {field.fields[0].name: value}  # the name alone
        return _tidy_fields(field.fields, value, language, depth + 1) if isinstance(value, Mapping) else value
    if field.by_language:
        return _tidy_text(value, language)
    if field.form == "flag":
        return value
    plain = _plain(value)
    if field.form == "code" and isinstance(plain, str):
        return _tidy_code(field, plain.strip())
    return plain.strip() if isinstance(plain, str) else plain


def _tidy_text(value: Any, language: str) -> Any:  # noqa: ANN401 (as above)
    if isinstance(value, Mapping):
        return {_tag(key): each for key, each in value.items() if not is_missing(each)}
    plain = _plain(value)
    return {language: plain} if isinstance(plain, str) else plain


def _tag(key: Any) -> Any:  # noqa: ANN401 (a key of YAML may be anything)
    if key is False:
        return "no"  # YAML 1.1 reads the tag of Norwegian as "no"
    return language_tag(key) or key if isinstance(key, str) else key


def _plain(value: Any) -> Any:  # noqa: ANN401 (as above)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return value


def _tidy_code(field: Field, value: str) -> str:
    codes = field.codes
    if codes is None or codes.by_code(value):
        return value
    if isinstance(codes, Codes):
        known = codes.by_iri(value)
        spelt = value.lower().replace(" ", "-").replace("_", "-")
        return known.code if known else spelt if codes.by_code(spelt) else value
    found = codes.by_iri(_known_iri(codes, value))
    return found.code if found else value


def _known_iri(codes: Table, value: str) -> str:
    known = {lists.LICENCES: lists.licence_of, lists.DATA_THEMES: lists.theme_of, lists.PLACES: lists.place_of}
    return known[codes](value) or value if codes in known else value
