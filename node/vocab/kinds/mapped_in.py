"""Records of others read into descriptions of ours, as a mapping says; and what of them found no place.

Nothing is guessed: a word that no code has, a text that is no address, a date that is none are left out, and named with
their place and the reason. Texts get the language that the record or the mapping says; one translated by a machine is
tagged so (`en-t-nl`). Pure.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from node.vocab import lists
from node.vocab.kinds.checking import MAX_MARKDOWN, MAX_TEXT, fits, is_missing
from node.vocab.kinds.field import Codes, Field
from node.vocab.kinds.mapping import Each, Leaf, Rule
from node.vocab.kinds.mapping import Mapping as Declared
from node.vocab.kinds.naming import name_of_key
from node.vocab.kinds.plain_text import cut, markdown_of, straight
from node.vocab.ntriples import language_tag, mend_iri
from node.vocab.tables import key_of

MAX_VALUES = 2_000
"""How many values of one record are looked at."""
Why = Literal[
    "no-field", "unknown-word", "no-address", "no-mail", "no-date", "no-number", "no-truth", "no-text", "shortened"
]
_MAX_DIGITS = 9
_PLACE = re.compile(r"\{([^{}]+)\}")
_OPTION = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_NUMBER = re.compile(r"\.\d+(?=\.|\Z)")
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[T ].*|\.0)?\Z", re.ASCII | re.DOTALL)
_OTHER_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})\Z", re.ASCII)
_BARE = ("true", "false")
_TRUE, _FALSE = {"true", "yes", "1", "ja", "kyllä", "y"}, {"false", "no", "0", "nee", "ei", "nej", "n"}


@dataclass(frozen=True, slots=True)
class Left:
    """A value that was left out or shortened: its place in their record, and why."""

    path: str
    why: Why


@dataclass(slots=True)
class Taken:
    """What one record says in our words: `slug` names it, `language` is the tag of its texts."""

    slug: str
    said: dict[str, Any]
    language: str
    left: list[Left] = field(default_factory=list)


def take(mapping: Declared, raw: Mapping[str, Any], *, translated_from: str = "", name: str = "") -> Taken:
    """Read one record.

    Args:
        mapping: How.
        raw: The record, as JSON or a row of CSV has it.
        translated_from: A language: texts in any other one are a machine's translation of it.
        name: What names the record where its own key does not; a file's name, say.
    """
    record = _Record(mapping, _whole(mapping, raw))
    record.language = _translated(record.language, translated_from)
    said = record.read(mapping.rules, record.raw)
    slug = name_of_key(record.key(), mapping.table.kind) or name_of_key(name, mapping.table.kind)
    return Taken(slug, said, record.language, record.left())


def is_for(mapping: Declared, raw: Mapping[str, Any]) -> bool:
    """Tell whether a record is of the kind that the mapping is for."""
    return all(
        any(str(value).strip() in words for _, value in _values(raw, path)) for path, words in mapping.where.items()
    )


def language_of(mapping: Declared, raw: Mapping[str, Any]) -> str:
    """Give the tag of a record's language; the mapping's own where the record names none that we know."""
    for path in mapping.language_from:
        for _, value in _values(raw, path):
            tag = _tag_of(mapping, str(value))
            if tag:
                return tag
    return mapping.language


def _tag_of(mapping: Declared, word: str) -> str:
    declared = next((tag for tag, words in mapping.languages.items() if word.strip() in words), "")
    found = lists.LANGUAGES.find(word)
    return declared or (found.facts["tag"] or found.code.lower() if found else "")


def _translated(language: str, source: str) -> str:
    return f"{language}-t-{source}" if source and language_tag(source) != language else language


def _whole(mapping: Declared, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Read a record that stands in parts as one; what an earlier part said stays."""
    whole = {key: value for key, value in raw.items() if key not in mapping.parts}
    for part in mapping.parts:
        inside = raw.get(part)
        for key, value in inside.items() if isinstance(inside, Mapping) else ():
            whole.setdefault(key, value)
    return whole


class _Record:
    """Reads one record; remembers which places were read, and what did not fit."""

    def __init__(self, mapping: Declared, raw: Mapping[str, Any]) -> None:
        self._mapping = mapping
        self.raw = raw
        self.language = language_of(mapping, raw)
        self._taken: set[str] = set()
        self._amiss: dict[str, Why] = {}
        self._shortened: set[str] = set()

    def read(self, rules: Sequence[Rule], raw: Mapping[str, Any], at: str = "") -> dict[str, Any]:
        made: dict[str, Any] = {}
        for rule in rules:
            if isinstance(rule, Leaf):
                self._leaf(rule, raw, at, made)
            elif isinstance(rule, Each):
                self._put(rule.field, self._each(rule, raw, at), made)
            else:
                # One of several things is there only if the record says something of it.
                read = self._part if rule.field.many else self.read
                inside = (read(part, raw, at) for part in rule.parts)
                self._put(rule.field, [each for each in inside if each], made)
        return made

    def _part(self, rules: Sequence[Rule], raw: Mapping[str, Any], at: str) -> dict[str, Any]:
        """Read a thing of a group; what is always said of it says nothing alone."""
        made = self.read(rules, raw, at)
        fixed = {each.field.name for each in rules if isinstance(each, Leaf) and each.always is not None}
        return made if set(made) - fixed else {}

    def _each(self, rule: Each, raw: Mapping[str, Any], at: str) -> list[dict[str, Any]]:
        value = _at(raw, rule.path)
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = _loaded(value)  # as a cell of CSV has it
        self._taken.add(f"{at}{rule.path}")
        things = value if isinstance(value, list) else [value]
        found = [
            self._part(rule.rules, each, f"{at}{rule.path}.{number}.")
            for number, each in enumerate(things[: rule.field.most])
            if isinstance(each, Mapping)
        ]
        return [each for each in found if each]

    def _put(self, field: Field, values: list[dict[str, Any]], made: dict[str, Any]) -> None:
        if values:
            made[field.name] = [*made.get(field.name, []), *values] if field.many else values[0]

    # ---------------------------------------------------------------- one value

    def _leaf(self, rule: Leaf, raw: Mapping[str, Any], at: str, made: dict[str, Any]) -> None:
        name, field = rule.field.name, rule.field
        for value in self._found(rule, raw, at):
            if field.many:
                if value not in made.setdefault(name, []):
                    made[name].append(value)
            elif field.by_language:
                made[name] = value | made.get(name, {})
            else:
                made.setdefault(name, value)

    def _found(self, rule: Leaf, raw: Mapping[str, Any], at: str) -> Iterator[Any]:
        if rule.always is not None:
            yield {rule.language or self.language: rule.always} if rule.field.by_language else rule.always
        elif rule.template:
            text = self._filled(rule.template, raw, at)
            if text:
                yield from self._fit(rule, text, at)
        else:
            for path in rule.paths:
                for place, value in _values(raw, path):
                    if not self._says_nothing(value):
                        for each in _parted(rule, value):
                            yield from self._fit(rule, each, f"{at}{place}")

    def _says_nothing(self, value: object) -> bool:
        return is_missing(value) or (isinstance(value, str) and value.strip().casefold() in self._mapping.unknown)

    def _filled(self, template: str, raw: Mapping[str, Any], at: str) -> str:
        def option(found: re.Match[str]) -> str:
            return found[1] if any(self._one(raw, each, at) for each in _PLACE.findall(found[1])) else ""

        return _PLACE.sub(lambda found: self._one(raw, found[1], at), _OPTION.sub(option, template)).strip()

    def _one(self, raw: Mapping[str, Any], path: str, at: str) -> str:
        texts = []
        for place, value in _values(raw, path):
            self._taken.add(f"{at}{place}")
            if not self._says_nothing(value):
                texts.append(self._text(value))
        return ", ".join(texts)

    def _text(self, value: object) -> str:
        text = value if isinstance(value, str) else str(value)
        return markdown_of(text) if self._mapping.html else straight(text)

    def _fit(self, rule: Leaf, value: Any, place: str) -> Iterator[Any]:  # noqa: ANN401 (JSON)
        """Give a value as the field has it, or remember why there is none."""
        text, field = self._text(value), rule.field
        if field.form != "flag" and (isinstance(value, bool) or (not field.codes and text.lower() in _BARE)):
            self._amiss[place] = "no-text"
            return  # a yes to a question that only their form knows
        if rule.only and rule.only != _looks(text):
            self._amiss[place] = "no-mail" if rule.only == "email" else "no-address"
            return
        if field.by_language:
            made: Any = {rule.language or self.language: self._short(rule, text, place)}
        else:
            made, self._amiss[place] = _fitted(rule, self._mapping, value, text)
        if made is not None:
            self._taken.add(place)
            yield made

    def _short(self, rule: Leaf, text: str, place: str) -> str:
        """Shorten what is too long: unsaid where the mapping asks for it, since another field has it whole."""
        limit = MAX_MARKDOWN if rule.field.form == "markdown" else MAX_TEXT
        if len(text) > limit and not rule.cut:
            self._shortened.add(place)
        return cut(text, min(limit, rule.cut or limit))

    # ---------------------------------------------------------------- the record as a whole

    def key(self) -> str:
        for key in self._mapping.key:
            places = _PLACE.findall(key)
            values = [self._plain(each) for each in places or [key]]
            if all(values):
                self._taken.update(() if places else (key,))
                return _PLACE.sub(lambda found: self._plain(found[1]), key) if places else _last(values[0])
        return ""

    def _plain(self, path: str) -> str:
        value = next((value for _, value in _values(self.raw, path) if not self._says_nothing(value)), "")
        return straight(str(value))

    def said(self) -> Iterator[tuple[str, str]]:
        """Give each place that says something to a reader, as it is and without numbers: a list is one to a reader."""
        ignored = {*self._mapping.ignore, *self._mapping.language_from}
        for place, value in _leaves(self.raw):
            shown = _NUMBER.sub("", place) if "." in place else place
            if not self._says_nothing(value) and not _within(shown, ignored):
                yield place, shown

    def left(self) -> list[Left]:
        """Name the places whose value went nowhere, and those whose value did not fit, in the order of the record."""
        found = []
        for place, shown in self.said():
            if place in self._shortened:
                found.append(Left(shown, "shortened"))
            elif place not in self._taken:
                found.append(Left(shown, self._amiss.get(place, "no-field")))
        return list(dict.fromkeys(found))


def _within(place: str, places: set[str]) -> bool:
    return place in places or ("." in place and any(place.startswith(f"{each}.") for each in places))


# ---------------------------------------------------------------- places


def _at(raw: Any, path: str) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(raw, Mapping) and path in raw:
        return raw[path]
    head, _, rest = path.partition(".")
    inside: Any = None
    if isinstance(raw, Mapping):
        inside = raw.get(head)
    elif isinstance(raw, list) and len(head) <= _MAX_DIGITS and head.isascii() and head.isdecimal():
        inside = raw[int(head)] if int(head) < len(raw) else None
    return _at(inside, rest) if rest and inside is not None else inside


def _values(raw: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Give the value at a place, or each value of the list there; a thing there is no value."""
    value = _at(raw, path)
    if isinstance(value, list):
        yield from (
            (f"{path}.{number}", each) for number, each in enumerate(value) if not isinstance(each, dict | list)
        )
    elif not isinstance(value, Mapping) and value is not None:
        yield path, value


def _leaves(raw: Any, at: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (JSON)
    """Give every value with its place; at most `MAX_VALUES`."""
    stack: list[tuple[str, Any]] = [(at, raw)]
    for _ in range(MAX_VALUES):
        if not stack:
            return
        place, value = stack.pop()
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
        if pairs is None:
            yield place, value
        else:
            stack += [(f"{place}.{key}" if place else str(key), each) for key, each in reversed(list(pairs))]


def _loaded(text: str) -> Any:  # noqa: ANN401 (JSON)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _last(key: str) -> str:
    """Take the last step of a web address for a name."""
    return key.split("?")[0].rstrip("/").rsplit("/", 1)[-1] if "://" in key else key


def _parted(rule: Leaf, value: Any) -> list[Any]:  # noqa: ANN401 (JSON)
    if not rule.split or not isinstance(value, str):
        return [value]
    return [each for each in (part.strip() for part in value.split(rule.split)) if each]


# ---------------------------------------------------------------- forms


def _looks(text: str) -> str:
    return "email" if fits("email", text) else "link" if fits("link", _link(text)) else "text"


def _link(text: str) -> str:
    plain = text.strip().strip("<>")
    return mend_iri(f"https://{plain}" if plain.lower().startswith("www.") else plain)


def _fitted(rule: Leaf, mapping: Declared, value: object, text: str) -> tuple[Any, Why]:
    field = rule.field
    if field.form == "code":
        return _code(rule, text), "unknown-word"
    if field.form == "language":
        return _tag_of(mapping, text) or None, "unknown-word"
    if field.form == "flag":
        truth = value if isinstance(value, bool) else _truth(text)
        return truth, "no-truth"
    made = _link(text) if field.form == "link" else _date(text, mapping.dates) if field.form == "date" else text
    why: dict[str, Why] = {"link": "no-address", "email": "no-mail", "date": "no-date", "number": "no-number"}
    if field.form == "plain":
        return made[:MAX_TEXT], "no-field"
    return made if fits(field.form, made) else None, why[field.form]


def _truth(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def _code(rule: Leaf, text: str) -> str | None:
    codes = rule.field.codes
    declared = rule.codes.get(key_of(text))
    if declared or codes is None:
        return declared
    if not isinstance(codes, Codes):
        known = {
            lists.LICENCES: lists.licence_of,
            lists.DATA_THEMES: lists.theme_of,
            lists.PLACES: lists.place_of,
        }.get(codes)
        iri = known(text) if known else ""
        found = codes.by_code(text) or (codes.by_iri(iri) if iri else codes.find(text))
        return found.code if found else iri or rule.otherwise or None
    word = key_of(text)
    known_as = ((each, {key_of(each.code), *map(key_of, each.label.values())}) for each in codes.codes)
    ours = codes.by_iri(text) or next((each for each, words in known_as if word in words), None)
    return ours.code if ours else rule.otherwise or None


def _date(text: str, order: str) -> str:
    day = _DAY.match(text)
    if day:
        return "-".join(filter(None, day.groups()))
    other = _OTHER_DAY.match(text) if order else None
    if other is None:
        return text
    first, second, year = other.groups()
    date, month = (first, second) if order == "dmy" else (second, first)
    return f"{year}-{int(month):02}-{int(date):02}"


def size_of(mapping: Declared, raw: Mapping[str, Any]) -> int:
    """Count the places of a record that say something, lists as one."""
    record = _Record(mapping, _whole(mapping, raw))
    return len({shown for _, shown in record.said()})
