"""What lint says, for a person at the desk: in the language of the page, with a link to the field.

Lint itself speaks English, to files and programs. A page in English shows its sentence, but not the name of the field
twice; in other languages it says what
the finding's code means under the field's own label, and where it has no words for a code, the English sentence marked
as such. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import Field, KindTable
from node.web.desk.record_form import id_of
from node.web.records.touching import said_in_words
from node.web.wording.words import known, words

_OF_FORM = {"collection": "desk.records.collection"}


@dataclass(frozen=True, slots=True)
class Told:
    """One finding: the field it is about, the sentence and its language, where the field is on the page."""

    label: str
    text: str
    language: str
    anchor: str
    level: str
    texts: str = ""


def told(table: KindTable, problems: Sequence[Problem], reader: str) -> tuple[Told, ...]:
    """Say what was found, in the order of lint."""
    return tuple(_told(table, each, reader) for each in problems)


def _told(table: KindTable, problem: Problem, reader: str) -> Told:
    path, place, language = _place_of(table, problem.pointer)
    if not path and language in _OF_FORM:
        # Not of the description, but of where it stands: a field of the form itself.
        text, spoken = sentence(problem, None, reader)
        return Told(words(reader, _OF_FORM[language]), text, spoken, language, problem.level)
    label = " · ".join(_named(field, number, reader) for field, number in path)
    text, spoken = sentence(problem, path[-1][0] if path else None, reader)
    return Told(label, text, spoken, id_of(place), problem.level, language)


def sentence(problem: Problem, field: Field | None, reader: str) -> tuple[str, str]:
    """Say one finding, and in which language that is."""
    key = f"lint.{problem.code}"
    # What is missing is named before the sentence: lint's own names it again.
    if (reader == "en" and (problem.code != "missing" or field is None)) or not known(key):
        return problem.message, "en"
    # What a value is to look like says more than what the field is for.
    key = f"{key}.{field.form}" if field and known(f"{key}.{field.form}") else key
    hint = said_in_words(field.hint, reader) if field else ""
    return words(reader, key, hint=hint).strip(), reader


def _named(field: Field, number: int, reader: str) -> str:
    label = said_in_words(field.label, reader)
    return f"{label} {number}" if number else label


def _place_of(table: KindTable, place: str) -> tuple[list[tuple[Field, int]], str, str]:
    """Walk a pointer: the fields with their numbers in lists, the place of the input, the language of a text."""
    path: list[tuple[Field, int]] = []
    where, language = "", ""
    for step in place.split("/")[1:]:
        field = (path[-1][0].field(step) if path else table.field(step)) if not step.isdigit() else None
        if field is not None:
            path.append((field, 0))
            where = f"{where}/{step}"
        elif step.isdigit() and path:
            path[-1] = (path[-1][0], int(step) + 1)
            where = f"{where}/{step}" if path[-1][0].form == "group" else where
        else:
            language = step
    return path, where, language
