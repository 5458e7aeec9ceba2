"""The kinds of knowledge: practices and what follows them, AI systems, city models, challenges, reuses and services.

Each kind is a table of fields (`field`) in a module of its own; `checking`, `writing` and `reading` make everything of
the tables. A new kind is a new table here, and a row in `node.records.KINDS`. Pure: no I/O, no clock, no RDF library.
"""

from collections.abc import Mapping
from typing import Any

from node.vocab.kinds import adoption, ai_system, answer, challenge, city_model, data_service, practice, question, reuse
from node.vocab.kinds.field import Field, KindTable

__all__ = ["TABLES", "example_of"]

_ALL: tuple[KindTable, ...] = (
    practice.TABLE,
    adoption.TABLE,
    ai_system.TABLE,
    question.TABLE,
    answer.TABLE,
    challenge.TABLE,
    reuse.TABLE,
    city_model.TABLE,
    data_service.TABLE,
)

TABLES: Mapping[str, KindTable] = {each.kind: each for each in _ALL}
"""The tables by kind."""


def example_of(table: KindTable) -> dict[str, Any]:
    """Make a description of the fields' own examples; whole enough to be published."""
    return _examples(table.fields)


def _examples(fields: tuple[Field, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in fields:
        value = field.example
        if value is None and field.form == "group":
            value = _examples(field.fields)
        if value is not None and value != {}:
            made[field.name] = [value] if field.many and not isinstance(value, list) else value
    return made
