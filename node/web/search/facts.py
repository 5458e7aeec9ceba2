"""What a row of a list says of a practice, an AI system, a challenge …: the short fields of its table, in few words.

What DCAT describes has a row of its own (licence, forms, age); of everything else the table says what comes first, and
that is all there is to know here: no kind is known by name. Values only, read from the payload; links and long texts
are left to the record's page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from node.vocab.kinds import TABLES
from node.vocab.kinds.field import KindTable
from node.vocab.kinds.reading import part_of, said_in
from node.vocab.terms import DCAT
from node.web.records.knowledge_values import Cell, Values
from node.web.records.touching import said_in_words
from node.web.wording.text import NOTHING, Said

MOST = 4
_LONG = 60
_FORMS = ("code", "date", "text", "plain", "number", "flag")
# These stand in every row already.
_HEAD = ("title", "summary", "publisher", "contact")


@dataclass(frozen=True, slots=True)
class RowFact:
    """One short field: its name in the table, its label, and what it says."""

    name: str
    label: str
    said: Said


def row_facts(kind: str, iri: str, payload: bytes, reader: str, languages: Sequence[str]) -> tuple[RowFact, ...]:
    """Give at most four; none of a kind without a table, and of those that DCAT has words for."""
    table = _short(kind)
    if table is None:
        return ()
    return tuple(_facts(table, said_in(table, iri, payload), Values(reader, languages, {})))[:MOST]


def is_knowledge(kind: str) -> bool:
    """Tell whether the records of a kind say what a city has learnt, and have no files."""
    return _short(kind) is not None


def value_of(kind: str, iri: str, payload: bytes, name: str) -> Any:  # noqa: ANN401 (a value of any form)
    """Give the value of one short field as the table reads it; None where there is none."""
    table = _short(kind)
    return said_in(table, iri, payload).get(name) if table else None


@cache
def _short(kind: str) -> KindTable | None:
    table = TABLES.get(kind)
    if table is None or table.cls in DCAT:
        return None
    fields = {each.name for each in table.fields if each.short and each.form in _FORMS and each.name not in _HEAD}
    return part_of(table, lambda field: field.name in fields)


def _facts(table: KindTable, said: Mapping[str, Any], values: Values) -> Iterator[RowFact]:
    for field in table.fields:
        if field.name in said and field.short and field.form in _FORMS:
            told = _told(values.cells(field, said[field.name]))
            if told:
                yield RowFact(field.name, said_in_words(field.label, values.reader), told)


def _told(cells: Sequence[Cell]) -> Said:
    """Join the values of a field; nothing where they are no short words."""
    texts = [cell.said.text for cell in cells if cell.said]
    joined = ", ".join(texts)
    if not texts or len(joined) > _LONG:
        return NOTHING
    return replace(cells[0].said, text=joined)
