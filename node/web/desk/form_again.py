"""A form of which one field is wrong: what of it is shown again, so that nothing is lost, and how the field is called.

It is for what a browser would not have sent: a text too long for its field, one left empty, a number that is none.
Pages that show their form again themselves never come here. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.web.forms.forms import Form
from node.web.wire.problems import Problem
from node.web.wording.words import known, words

_MENDED = frozenset(
    {"desk.form.long", "desk.form.empty", "desk.form.control", "desk.form.number", "desk.records.wordless"}
)
# What no page says back; and what each page has of its own, or was good for once.
_SECRET = frozenset({"password", "again", "now", "code", "ticket", "session"})
_LEFT_OUT = frozenset({"token", "proof-password", "proof-code"})


@dataclass(frozen=True, slots=True)
class Again:
    """The field to change with what was typed into it, and all others, in their order."""

    name: str
    typed: str
    kept: Sequence[tuple[str, str]]


def label_of(name: str, reader: str) -> str:
    """Call a field of the desk's forms in words; nothing if only pages fill it in."""
    return words(reader, f"desk.field.{name}") if known(f"desk.field.{name}") else ""


def fields_of(form: Form, problem: Problem) -> Again | None:
    """Give what to show again, if a person can mend it there and nothing sent is secret or a file."""
    if problem.said[0] not in _MENDED or not known(f"desk.field.{problem.field}"):
        return None
    if form.files or _SECRET & form.fields.keys():
        return None
    others = (each for each in form.fields.items() if each[0] != problem.field and each[0] not in _LEFT_OUT)
    kept = [(name, value) for name, values in others for value in values]
    return Again(problem.field, form.typed(problem.field), kept)
