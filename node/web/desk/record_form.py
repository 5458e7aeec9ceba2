"""A description as a form and back: what every page that writes records shows and reads.

The form follows the table of its kind, so a new field is in it without a line here. Names of inputs are the JSON
pointers of their values, which is what lint speaks in. One language of the texts is shown at a time; what stands in the
others, and whatever the form does not show, stays as it was. Groups and further values come and go by buttons that
send the form, so nothing needs a script. Pure: values in, values out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from node.vocab.kinds.checking import Problem, is_link, is_missing, pointer
from node.vocab.kinds.field import Codes, Field, KindTable, Said
from node.vocab.tables import Table
from node.web.records.touching import said_in_words
from node.web.wording.words import words

Shape = Literal["line", "area", "radio", "select", "ticks", "list", "lines", "group", "groups"]
FEW, SOME = 7, 60
"""How many codes are shown as radio buttons or boxes to tick, and how many as a list to choose from."""
MOST_GROUPS = 50
MAX_FIELD = 100_000
_CODE = re.compile(r"[A-Z][A-Z_]{2,}")
_SPACE = re.compile("[\\s\u00a0\u202f]+")
_ROWS = {"markdown": 5, "text": 2}
YES, NO = "yes", "no"
_FILLED_IN = "publisher"  # by the node, with the name of the city


@dataclass(frozen=True, slots=True)
class Option:
    """One value to choose."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form, with all that a template needs to write it.

    Attributes:
        shape: How it is written.
        name: Of the input: the JSON pointer of its value.
        id: Of the element, for labels and links.
        label: What it is called.
        hint: What to write.
        values: What stands there; one for a line, several for a list.
        options: What may be chosen.
        problems: What lint says of it, for this place alone.
        need: must, should or may; `if` where it must once its group says anything, `city` where we are named if empty.
        language: Of the text; empty for values that are the same in all languages.
        other: The text of the first other language that has one: tag and text.
        parts: Of a group: its fields. Of groups: one group each.
        mode: What keyboard a telephone shows.
        rows: How high an area is.
    """

    shape: Shape
    name: str
    id: str
    label: str
    hint: str
    values: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    problems: tuple[Problem, ...] = ()
    need: str = "may"
    language: str = ""
    other: tuple[str, str] = ("", "")
    parts: tuple["Input", ...] = ()
    mode: str = ""
    rows: int = 2

    @property
    def value(self) -> str:
        """Give the first value."""
        return self.values[0] if self.values else ""

    @property
    def level(self) -> str:
        """Give the gravest of its problems: `flawed`, `advised` or nothing."""
        return "flawed" if any(each.level == "error" for each in self.problems) else "advised" if self.problems else ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the form."""

    key: str
    title: str
    inputs: tuple[Input, ...]

    @property
    def flawed(self) -> bool:
        """Tell whether something in it keeps the description from being published."""
        return any(_is_flawed(each) for each in self.inputs)


@dataclass(frozen=True, slots=True)
class Look:
    """In which language the page speaks, in which the texts are shown, and what lint found."""

    reader: str
    language: str
    problems: tuple[Problem, ...] = ()


def _is_flawed(one: Input) -> bool:
    return one.level == "flawed" or any(map(_is_flawed, one.parts))


def id_of(place: str) -> str:
    """Give the id of the element for a place."""
    return "f" + place.replace("/", "-").replace("~", "_")


# ---------------------------------------------------------------- out


def parts_of(table: KindTable, said: Said, look: Look, *, without: Sequence[str] = ()) -> tuple[Part, ...]:
    """Write a description as the sections of a form, in the order of its table."""
    made: dict[str, list[Input]] = {key: [] for key in ("", *table.sections)}
    for field in table.fields:
        if field.name not in without:
            made.setdefault(field.section, []).append(_input(field, said.get(field.name), "", look))
    titles = {key: said_in_words(label, look.reader) for key, label in table.sections.items()}
    return tuple(Part(key, titles.get(key, ""), tuple(inputs)) for key, inputs in made.items() if inputs)


def input_at(parts: Sequence[Part], name: str) -> Input | None:
    """Find the input of a name."""
    waiting = [one for part in parts for one in part.inputs]
    while waiting:
        one = waiting.pop()
        if one.name == name:
            return one
        waiting += one.parts
    return None


def _input(field: Field, value: Any, at: str, look: Look) -> Input:  # noqa: ANN401 (a value of any form)
    place = pointer(at, field.name)
    if field.form == "group":
        return _groups(field, value, place, look) if field.many else _group(field, value, place, look)
    if field.by_language:
        return _texts(field, value, place, look)
    shape, values, options = _plain(field, value, look)
    mode = {"number": "decimal", "link": "url", "email": "email"}.get(field.form, "")
    return _made(field, place, look, shape=shape, values=values, options=options, mode=mode)


def _made(field: Field, place: str, look: Look, **more: Any) -> Input:  # noqa: ANN401 (of an Input)
    problems = more.pop("problems", None)
    found = _at(place, look) if problems is None else problems
    return Input(
        name=more.pop("name", place),
        id=id_of(place),
        label=said_in_words(field.label, look.reader),
        hint=_hint(field, look.reader, more.get("shape", "")),
        problems=found,
        need=more.pop("need", field.need),
        **more,
    )


def _hint(field: Field, reader: str, shape: str) -> str:
    """Say what to write; where values are ticked by their names, codes are for files and programs alone."""
    said = said_in_words(field.hint, reader)
    if shape not in ("ticks", "radio", "select") or field.codes is None:
        return said
    named = any(field.codes.by_code(each) for each in _CODE.findall(said))
    return words(reader, "desk.records.tick" if shape == "ticks" else "desk.records.pick") if named else said


def _at(place: str, look: Look) -> tuple[Problem, ...]:
    """Give what was found at a place or within it, and in no other language than the one that is shown."""
    return tuple(each for each in look.problems if f"{each.pointer}/".startswith(f"{place}/"))


def _of_text(place: str, look: Look) -> tuple[Problem, ...]:
    shown = (place, pointer(place, look.language))
    return tuple(each for each in look.problems if each.pointer in shown or _is_row(each.pointer, place, look.language))


def _is_row(found: str, place: str, language: str) -> bool:
    """Tell whether something was found in one of several texts of a language, or in one of them as a whole."""
    rest = found.removeprefix(f"{place}/") if found.startswith(f"{place}/") else ""
    number, _, tag = rest.partition("/")
    return number.isdigit() and tag in ("", language)


def _texts(field: Field, value: Any, place: str, look: Look) -> Input:  # noqa: ANN401 (texts, or several)
    problems = _of_text(place, look)
    more = {"name": pointer(place, look.language), "language": look.language, "problems": problems}
    if field.many:
        lines = [text for each in _list(value) if isinstance(each, Mapping) for text in _in(each, look.language)]
        return _made(field, place, look, shape="lines", values=("\n".join(lines),), rows=max(3, len(lines) + 1), **more)
    texts = value if isinstance(value, Mapping) else {look.language: value} if isinstance(value, str) else {}
    text = next(iter(_in(texts, look.language)), str(texts.get("und", "")))
    rows = min(30, max(_ROWS[field.form], text.count("\n") + len(text) // 90 + 1))
    shape: Shape = "area" if field.form == "markdown" or field.name == "summary" else "line"
    other = next(((tag, str(each)) for tag, each in texts.items() if tag != look.language and each), ("", ""))
    return _made(field, place, look, shape=shape, values=(text,), rows=rows, other=other, **more)


def _in(texts: Mapping[str, Any], language: str) -> Iterator[str]:
    found = texts.get(language, "")
    if isinstance(found, str) and found:
        yield found


def _plain(field: Field, value: Any, look: Look) -> tuple[Shape, tuple[str, ...], tuple[Option, ...]]:  # noqa: ANN401
    values = tuple(_spelt(each) for each in (_list(value) if field.many else [value]) if each is not None)
    if field.form == "flag":
        return "radio", values, ()
    options = _options(field.codes, values, look.reader) if field.form == "code" else ()
    if field.form != "code" or (field.codes is not None and len(options) > SOME):
        return ("list" if field.many else "line"), values, options
    if field.many:
        return ("ticks" if len(options) <= 20 else "list"), values, options
    return ("radio" if len(options) <= FEW else "select"), values, options


def _options(codes: Codes | Table | None, chosen: Sequence[str], reader: str) -> tuple[Option, ...]:
    if isinstance(codes, Codes):
        found = [(each.code, said_in_words(each.label, reader)) for each in codes.codes]
    else:
        found = [(each.code, each.label(reader) or each.code) for each in codes] if codes else []
    known = {code for code, _ in found}
    # What is no code of the table (an address of something else, a mistake) is kept until somebody takes it out.
    found += [(value, value) for value in chosen if value not in known]
    return tuple(Option(code, label, code in chosen) for code, label in found)


def _spelt(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    return value if isinstance(value, str) else str(value)


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _group(field: Field, value: Any, place: str, look: Look) -> Input:  # noqa: ANN401 (a group)
    said = value if isinstance(value, Mapping) else {}
    own = tuple(each for each in look.problems if each.pointer == place)
    parts = tuple(_input(each, said.get(each.name), place, look) for each in field.fields)
    # Who publishes is filled in where nobody says it, so neither it nor its parts have to be.
    need = "city" if place == f"/{_FILLED_IN}" else field.need
    if need != "must":
        parts = tuple(replace(one, need="if") if one.need == "must" else one for one in parts)
    return _made(field, place, look, shape="group", parts=parts, problems=own, need=need)


def _groups(field: Field, value: Any, place: str, look: Look) -> Input:  # noqa: ANN401 (several groups)
    own = tuple(each for each in look.problems if each.pointer == place)
    groups = [each for each in _list(value) if isinstance(each, Mapping)]
    parts = tuple(_group(field, each, pointer(place, number), look) for number, each in enumerate(groups))
    return _made(field, place, look, shape="groups", parts=parts, problems=own)


# ---------------------------------------------------------------- in


@dataclass(frozen=True, slots=True)
class Sent:
    """What came in: the fields, in which language the texts were shown, and which button sent it."""

    fields: Mapping[str, Sequence[str]]
    language: str
    reader: str
    do: str = ""

    def one(self, name: str) -> str:
        """Give a value without the spaces around it."""
        return self.fields[name][0].replace("\r\n", "\n").strip()[:MAX_FIELD] if name in self.fields else ""

    def many(self, name: str) -> list[str]:
        """Give all values of a name, each once."""
        values = [each.strip()[:MAX_FIELD] for each in self.fields.get(name, ())]
        return list(dict.fromkeys(each for each in values if each))


def read(table: KindTable, sent: Sent, before: Said) -> dict[str, Any]:
    """Read a description from a form; what the form did not show is taken from `before`."""
    return _read(table.fields, sent, before, "")


def _read(fields: Sequence[Field], sent: Sent, before: Mapping[str, Any], at: str) -> dict[str, Any]:
    known = {each.name for each in fields}
    made = {name: value for name, value in before.items() if name not in known}
    for field in fields:
        place, earlier = pointer(at, field.name), before.get(field.name)
        if not _was_shown(field, sent, place):
            value = earlier
        elif field.form == "group":
            value = _read_groups(field, sent, earlier, place)
        elif field.by_language:
            value = _read_texts(field, sent, earlier, place)
        else:
            value = _read_plain(field, sent, place)
        if not is_missing(value) or (field.form == "group" and field.many and value):
            made[field.name] = value
    return made


def _was_shown(field: Field, sent: Sent, place: str) -> bool:
    """Tell whether the form had this field: boxes that nobody ticked are not sent, but their mark is."""
    if field.by_language:
        return pointer(place, sent.language) in sent.fields
    return f"{place}?" in sent.fields


def _read_texts(field: Field, sent: Sent, before: Any, place: str) -> Any:  # noqa: ANN401 (texts, or several)
    text = sent.one(pointer(place, sent.language))
    if not field.many:
        texts = dict(before) if isinstance(before, Mapping) else {}
        # A text whose language nobody said is shown in the first one that has none, and is in that from now on.
        gone = {sent.language, "und"} if sent.language not in texts else {sent.language}
        kept = {tag: each for tag, each in texts.items() if tag not in gone}
        return {**kept, sent.language: text} if text else kept
    others = [
        left
        for each in _list(before)
        if isinstance(each, Mapping) and (left := {tag: one for tag, one in each.items() if tag != sent.language})
    ]
    lines = dict.fromkeys(line.strip() for line in text.split("\n"))
    return [*others, *({sent.language: line} for line in lines if line)]


def _read_plain(field: Field, sent: Sent, place: str) -> Any:  # noqa: ANN401 (of any form)
    values = [_value(field, each, sent.reader) for each in sent.many(place)]
    what, _, iri = sent.do.partition(" ")
    if what == f"take:{place}":  # a record was picked for the words that stand in place of an address
        words_at = next((number for number, each in enumerate(values) if not is_link(each)), len(values))
        values[words_at : words_at + 1] = [iri]
    return values if field.many else next(iter(values), None)


def _value(field: Field, text: str, reader: str) -> Any:  # noqa: ANN401 (of any form)
    if field.form == "flag":
        return text == YES if text in (YES, NO) else text
    if field.form == "number":
        return number_in(text, reader)
    if field.form == "code" and field.codes is not None and not field.codes.by_code(text):
        return _code_of(field.codes, text)
    return text


def number_in(text: str, reader: str) -> str:
    """Read a number as people of a language write it: 3,400.5 in English, 3 400,5 in Finnish and Swedish.

    >>> number_in("3,400.5", "en"), number_in("3 400,5", "fi"), number_in("many", "en")
    ('3400.5', '3400.5', 'many')
    """
    bare = _SPACE.sub("", text).replace("\u2212", "-")
    bare = bare.replace(",", "") if reader == "en" else bare.replace(",", ".")
    return bare if re.fullmatch(r"-?\d+(?:\.\d+)?", bare, re.ASCII) else text


def _code_of(codes: Codes | Table, text: str) -> str:
    """Find the code that somebody wrote as its label; what is none stays, for lint to name."""
    if isinstance(codes, Table):
        found = codes.find(text)
        return found.code if found else text
    wanted = text.casefold()
    return next((each.code for each in codes.codes if wanted in (s.casefold() for s in each.label.values())), text)


def _read_groups(field: Field, sent: Sent, before: Any, place: str) -> Any:  # noqa: ANN401 (a group or several)
    if not field.many:
        return _read(field.fields, sent, before if isinstance(before, Mapping) else {}, place)
    count = sent.one(f"{place}?")
    earlier = [each for each in _list(before) if isinstance(each, Mapping)]
    groups = [
        _read(field.fields, sent, earlier[number] if number < len(earlier) else {}, pointer(place, number))
        for number in range(min(int(count), MOST_GROUPS) if count.isascii() and count.isdigit() else 0)
        if sent.do != f"remove:{pointer(place, number)}"
    ]
    if sent.do == f"add:{place}" and len(groups) < field.most:
        return [*groups, {}]
    return groups


# ---------------------------------------------------------------- languages


def languages_of(said: Said, offered: Sequence[str]) -> list[str]:
    """List the languages that a description can be written in here: those offered, then others that it has."""
    title = said.get("title")
    spoken = [tag for tag in title if tag != "und" and "-t-" not in tag] if isinstance(title, Mapping) else []
    return list(dict.fromkeys([*offered, *spoken]))


def gaps_in(table: KindTable, said: Said, language: str, first: str) -> int:
    """Count the texts that stand in the first language and not in this one; of the first those that it must have."""
    if language == first:
        needed = [field for field in table.fields if field.by_language and field.need == "must"]
        return sum(is_missing(said.get(field.name)) for field in needed)
    return sum(1 for has, wanted in _pairs(table.fields, said, language, first) if wanted and not has)


def has_any(table: KindTable, said: Said, language: str) -> bool:
    """Tell whether anything is written in a language."""
    return any(has for has, _ in _pairs(table.fields, said, language, language))


def _pairs(fields: Sequence[Field], said: object, language: str, first: str) -> Iterator[tuple[bool, bool]]:
    """Give of each text whether it stands in a language, and whether in the first one."""
    if not isinstance(said, Mapping):
        return
    for field in fields:
        value = said.get(field.name)
        if field.form == "group":
            for each in _list(value):
                yield from _pairs(field.fields, each, language, first)
        elif field.by_language and not field.many and isinstance(value, Mapping):
            yield not is_missing(value.get(language)), not is_missing(value.get(first))
