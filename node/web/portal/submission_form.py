"""The form by which a person submits something, made of the table of its kind: what it asks, and what was sent in it.

Fields that the city fills in are left out, those that a stranger must give come first. A value is one line of text, or
several lines where a field may have several; nothing here knows a kind by name. Pure: a table and a form in, plain
values out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.catalog.submission_rules import CITY_SAYS, is_needed
from node.vocab.kinds.field import Codes, Field, KindTable
from node.web.forms.forms import Form
from node.web.wording.words import known

MOST_OPTIONS = 20
_CODES_SAID = "submit.wrong."


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a field: the key of our words for it, and the node's own where it has no key of its own."""

    key: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing a form asks. `look` is line, lines, text, choice, choices or yes; `options` are codes with labels."""

    name: str
    look: str
    label: str
    hint: str
    needed: bool
    options: Sequence[tuple[str, str]] = ()
    value: str = ""
    values: frozenset[str] = frozenset()
    addresses: bool = False
    wrong: Wrong | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Things that belong together: one alone without a title, or the fields of a group under its title."""

    title: str
    hint: str
    asked: Sequence[Asked]
    first: bool

    @property
    def flawed(self) -> bool:
        """Tell whether something in it is wrong."""
        return any(one.wrong for one in self.asked)


def groups_of(
    table: KindTable, reader: str, *, sent: Form | None = None, wrong: Mapping[str, Wrong] | None = None
) -> list[Group]:
    """Give what the form asks, in the table's order; what must be said or should be is `first`."""
    return [_group(field, reader, sent, wrong or {}) for field in _fields(table)]


def described_in(table: KindTable, sent: Form) -> dict[str, Any]:
    """Give what was sent as a description; what was left empty is left out. Raises Malformed for too many values."""
    made = {}
    for field in _fields(table):
        if field.form == "group":
            value: Any = {each.name: said for each in field.fields if (said := _sent(each, sent, field.name))}
        else:
            value = _sent(field, sent, "")
        if value not in ("", [], {}, None):
            made[field.name] = value
    return made


def wrong_in(table: KindTable, places: Sequence[tuple[str, str]], codes: Sequence[str]) -> dict[str, Wrong]:
    """Give what is wrong by the name of the field on the form; what concerns no field stands under the empty name."""
    named = {one.name for group in groups_of(table, "en") for one in group.asked}
    found: dict[str, Wrong] = {}
    for (pointer, said), code in zip(places, codes, strict=False):
        path = pointer.removeprefix("/described").strip("/").split("/")
        name = next((each for each in (".".join(path[:2]), path[0], f"{path[0]}.name") if each in named), "")
        key = f"{_CODES_SAID}{code}"
        found.setdefault(name, Wrong(key) if known(key) else Wrong(f"{_CODES_SAID}other", said))
    return found


def _fields(table: KindTable) -> list[Field]:
    return [each for each in table.fields if each.name not in CITY_SAYS]


def _group(field: Field, reader: str, sent: Form | None, wrong: Mapping[str, Wrong]) -> Group:
    needed = is_needed(field)
    # A code that nobody can choose from a list is for those who know it.
    known_by_heart = field.form == "code" and not any(_options(field, reader))
    first = needed or (field.need == "should" and field.form != "group" and not known_by_heart)
    if field.form != "group":
        return Group("", "", [_asked(field, reader, "", sent, wrong, needed=needed)], first)
    asked = [
        _asked(each, reader, field.name, sent, wrong, needed=needed and each.need == "must") for each in field.fields
    ]
    return Group(field.label[reader], field.hint[reader], asked, first)


def _asked(
    field: Field, reader: str, within: str, sent: Form | None, wrong: Mapping[str, Wrong], *, needed: bool
) -> Asked:
    name = f"{within}.{field.name}" if within else field.name
    options = tuple(_options(field, reader))
    look = _look(field, bool(options))
    return Asked(
        name=name,
        look=look,
        label=field.label[reader],
        hint=field.hint[reader],
        needed=needed,
        options=options,
        value=sent.typed(name) if sent and look != "choices" else "",
        values=frozenset(sent.chosen(name)) if sent and look == "choices" else frozenset(),
        addresses=bool(field.to),
        wrong=wrong.get(name),
    )


def _options(field: Field, reader: str) -> Iterator[tuple[str, str]]:
    if isinstance(field.codes, Codes) and len(field.codes.codes) <= MOST_OPTIONS:
        for code in field.codes.codes:
            yield code.code, code.label.get(reader) or code.label["en"]
    elif field.codes is not None and not isinstance(field.codes, Codes):
        listed = field.codes.concepts
        if len(listed) <= MOST_OPTIONS:
            for concept in listed:
                yield concept.code, concept.label(reader)


def _look(field: Field, has_options: bool) -> str:  # noqa: FBT001 - the only thing besides the field that counts
    if field.form == "flag":
        return "yes"
    if has_options:
        return "choices" if field.many else "choice"
    if field.form == "markdown":
        return "text"
    return "lines" if field.many else "line"


def _sent(field: Field, sent: Form, within: str) -> Any:  # noqa: ANN401 (a value of any form)
    name = f"{within}.{field.name}" if within else field.name
    if field.form == "flag":
        return {"yes": True, "no": False}.get(sent.typed(name))
    if _look(field, any(_options(field, "en"))) == "choices":
        return sent.chosen(name)
    text = sent.typed(name)
    return [line.strip() for line in text.splitlines() if line.strip()] if field.many else text
