"""Templates: agreements with places to fill in, and the one strict way to fill them.

A template is a file in `agreements/templates`: places with titles and help in three languages, what stands beside the
rules, and rules in which `{place}` stands for a value and `<name>` for a list of clauses that several rules share. What
carries `if` is left out when its place is empty; nothing else ever is. Values that do not fit are refused, all at once,
each by its place and with what to write instead; what comes out has been read as rules once. A choice is a statement of
law, so none has a default: whoever leaves it out is asked.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from node.errors import Malformed, NotFound
from node.federation.policy import bases, purposes, quantities, terms, values
from node.federation.policy.reading import read_rules

__all__ = ["Place", "Template", "agreement_title", "fill", "template_named", "templates"]

_SHARED = "places.json"
_PLACE = re.compile(r"\{([a-z_]+)(?::(start|end)(?:\+([a-z_]+))?)?\}")
_CLAUSES = re.compile(r"<([a-z ]+)>")
MAX_TEXT = 4_000
_MAX_VALUES = terms.MAX_RIGHT
# The calendar of the clauses: four digits, and a day after each to end with.
YEARS = (1970, date.max.year - 1)
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Place:
    """One place to fill in. Kinds: text, texts, iri, iris, purposes, day, duration, count, choice, flag.

    `default` is written as a value would be; empty where there is none. `choices` are the texts that a choice stands
    for, by their names; `writes` is what stands in the agreement instead, where that is no text (a basis). `example` is
    a value as commands and programs write it; `help` names none, since forms write values in other ways.
    """

    name: str
    kind: str
    needed: bool
    default: str
    title: Mapping[str, str]
    help: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    not_before: str = ""
    writes: Mapping[str, str] = field(default_factory=dict)
    example: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """An agreement with places to fill in; `id` ends in its version, and a version never changes once it is used."""

    id: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    places: tuple[Place, ...]
    about: Mapping[str, Any] = field(repr=False)
    rules: Mapping[str, Any] = field(repr=False)
    clauses: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)


def templates() -> list[Template]:
    """Give all templates, by id."""
    return list(_templates().values())


def agreement_title(title: str, lang: str) -> str:
    """Give an agreement's title; one that a template gave it is said in the language asked for."""
    return next((each.title.get(lang, title) for each in templates() if title in each.title.values()), title)


def template_named(template_id: str) -> Template:
    """Give a template by its id. Raises NotFound with the ids that there are."""
    found = _templates().get(template_id)
    if found is None:
        raise NotFound(
            f'There is no template "{template_id[:80]}".', fix=f"There are {', '.join(_templates())}."
        ).on_page("no.agreement.template", field="template")
    return found


def fill(
    template: Template | str, given: Mapping[str, Any], *, lang: str = "en"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fill a template: give what stands beside the rules, and the rules without ids.

    Args:
        template: The template or its id.
        given: Values by place, as texts; lists may also be one text with commas, flags also true and false.
        lang: The language of what the template itself writes: title and notes. Rules have none.

    Raises:
        NotFound: There is no such template.
        Malformed: A place that there is not, needed ones without a value, or values of another kind; `fix` says what
            to write, `places` has each as a member of `values`, and `place_codes` a word for what is wrong there.
    """
    template = template_named(template) if isinstance(template, str) else template
    filled = _values(template, given, lang)
    writer = _Writer(template, filled, lang)
    rules = writer.written(template.rules)
    read_rules(rules, policy_id="urn:template")
    about = writer.written(template.about)
    about["title"] = about.get("title") or _in(template.title, lang)
    about["note"] = " ".join(about.get("note") or ())
    about["template"] = template.id
    return {key: value for key, value in about.items() if value not in ("", [], False)}, rules


# ------------------------------------------------------------- the files


@lru_cache(maxsize=1)
def _templates() -> Mapping[str, Template]:
    folder = files("agreements").joinpath("templates")
    shared = json.loads(folder.joinpath(_SHARED).read_text(encoding="utf-8"))
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".json") and one.name != _SHARED)
    read = (json.loads(folder.joinpath(name).read_text(encoding="utf-8")) for name in names)
    return {one.id: one for one in (_template(document, shared) for document in read)}


def _template(document: Mapping[str, Any], shared: Mapping[str, Any]) -> Template:
    return Template(
        id=document["id"],
        title=document["title"],
        summary=document["summary"],
        places=tuple(_place({**shared.get(one.get("use", ""), {}), **one}) for one in document["places"]),
        about=document["about"],
        rules=document["rules"],
        clauses=document["clauses"],
    )


def _place(said: Mapping[str, Any]) -> Place:
    table = bases.NAMED[said["basis"]] if "basis" in said else {}
    return Place(
        name=said.get("name") or said["use"],
        kind=said["kind"],
        needed=said.get("needed", False),
        default=said.get("default", ""),
        title=said["title"],
        help=said["help"],
        choices={name: basis.labels for name, basis in table.items()} or said.get("choices", {}),
        not_before=said.get("not_before", ""),
        writes={name: basis.value for name, basis in table.items()},
        example=said.get("example", ""),
    )


# ------------------------------------------------------------- values


def _values(template: Template, given: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Read every value; a place without one holds an empty text or list."""
    known = {place.name: place for place in template.places}
    for name in given:
        if name not in known:
            fix = f"Its places are {', '.join(known)}."
            raise Malformed(
                f'The template {template.id} has no place "{str(name)[:80]}".',
                fix=fix,
            ).on_page("no.agreement.place", name=str(name)[:80])
    filled: dict[str, Any] = {}
    wrong: list[Malformed] = []
    for place in template.places:
        value = given.get(place.name)
        try:
            filled[place.name] = _read(place, place.default if _empty(value) else value, lang)
        except Malformed as error:
            wrong.append(error)
    for place in template.places:
        first, last = filled.get(place.not_before, ""), filled.get(place.name)
        if first and last and last < first:
            wrong.append(_wrong(place, lang, "before", f"{last} is before {place.not_before}, {first}"))
    if wrong:
        raise _all_of(wrong)
    return filled


def _all_of(wrong: Sequence[Malformed]) -> Malformed:
    """Put what is wrong with several places into one error, in the order of the places."""
    if len(wrong) == 1:
        return wrong[0]
    made = Malformed(
        " ".join(each.message for each in wrong), fix=" ".join(dict.fromkeys(each.fix for each in wrong))
    ).on_page("no.agreement.places", count=len(wrong))
    made.faults = tuple(str(each) for each in wrong)
    made.places = tuple(place for each in wrong for place in each.places)
    made.place_codes = tuple(code for each in wrong for code in each.place_codes)
    return made


def _empty(value: object) -> bool:
    return value is None or value in ("", [], ())


def _read(place: Place, value: object, lang: str) -> Any:  # noqa: ANN401 - a text or a list, as the kind has it
    if _empty(value):
        if place.needed:
            raise _wrong(place, lang, "empty", f"it has no value{_such(place)}")
        return ""
    if isinstance(value, bool) and place.kind == "flag":
        return value
    many = place.kind in ("texts", "iris", "purposes")
    if many and isinstance(value, str):
        value = value.split(",")
    given = list(value) if isinstance(value, list | tuple) else [value]
    if not many and len(given) != 1:
        raise _wrong(place, lang, "one", "it takes one value")
    if len(given) > _MAX_VALUES:
        raise _wrong(place, lang, "many", f"it takes at most {_MAX_VALUES} values")
    read = [_READERS[place.kind](place, _text(place, one, lang), lang) for one in given]
    return list(dict.fromkeys(read)) if many else read[0]


def _text(place: Place, value: object, lang: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= MAX_TEXT or not text.isprintable():
        raise _wrong(place, lang, "text", f"a text of 1 to {MAX_TEXT} characters in one line is needed")
    return text


def _wrong(place: Place, lang: str, code: str, why: str) -> Malformed:
    made = Malformed(
        f"{place.name}: {why}.",
        fix=_in(place.help, lang),
    ).on_page("no.agreement.places", field=place.name, count=1)
    made.places = ((f"/values/{place.name}", f"{why}."),)
    made.place_codes = (code,)
    return made


def _such(place: Place) -> str:
    """Say what is written at a place that has no value: its names, where it has names."""
    if place.choices:
        return f"; choose one of {', '.join(place.choices)}"
    return f"; write such as {place.example}" if place.example else ""


def _in(said: Mapping[str, str], lang: str) -> str:
    return said.get(lang) or said["en"]


def _as_it_is(_place: Place, text: str, _lang: str) -> str:
    return text


def _iri(place: Place, text: str, lang: str) -> str:
    if not values.is_iri(text) or text.startswith("_:") or len(text) > terms.MAX_ID:
        raise _wrong(place, lang, "iri", f'"{text[:80]}" is no address such as https://london.example')
    return text


def _purpose(place: Place, text: str, lang: str) -> str:
    """Take a purpose by its name or its IRI. What is not of the frozen choice would never be satisfied."""
    try:
        return purposes.purpose_named(text)
    except Malformed as error:
        raise _wrong(place, lang, "purpose", error.message.rstrip(".")) from error


def _day(place: Place, text: str, lang: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise _wrong(place, lang, "day", f'"{text[:80]}" is no day such as 2028-12-31')
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise _wrong(place, lang, "years", f"{text} is outside the years {YEARS[0]} to {YEARS[1]}")
    return text


def _duration(place: Place, text: str, lang: str) -> str:
    if values.duration(text) is None:
        raise _wrong(place, lang, "duration", f'"{text[:80]}" is no length of time such as P30D')
    return text


def _count(place: Place, text: str, lang: str) -> str:
    if not values.number(text):
        raise _wrong(place, lang, "count", f'"{text[:80]}" is no whole number from 1 on')
    return text


def _choice(place: Place, text: str, lang: str) -> str:
    if text not in place.choices:
        raise _wrong(place, lang, "choice", f'"{text[:80]}" is none of {", ".join(place.choices)}')
    return place.writes.get(text) or _in(place.choices[text], lang)


def _flag(place: Place, text: str, lang: str) -> bool:
    known = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() not in known:
        raise _wrong(place, lang, "flag", f'"{text[:80]}" is neither yes nor no')
    return known[text.lower()]


_READERS: Mapping[str, Callable[[Place, str, str], Any]] = {
    "text": _as_it_is,
    "texts": _as_it_is,
    "iri": _iri,
    "iris": _iri,
    "purposes": _purpose,
    "day": _day,
    "duration": _duration,
    "count": _count,
    "choice": _choice,
    "flag": _flag,
}


# ------------------------------------------------------------- filling


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes a part of a template with its values in their places."""

    template: Template
    filled: Mapping[str, Any]
    lang: str

    def written(self, part: Any) -> Any:  # noqa: ANN401 - JSON
        """Write a part; what is left out is nothing."""
        if isinstance(part, str):
            return self._of_text(part)
        if isinstance(part, Mapping):
            if part.keys() <= {"en", "fi", "sv"}:
                return _in(part, self.lang)
            if "if" in part and not self.filled[part["if"]]:
                return _NOTHING
            members = ((key, self.written(one)) for key, one in part.items() if key != "if")
            return {key: one for key, one in members if one is not _NOTHING}
        return [one for one in (self.written(one) for one in part) if one is not _NOTHING and one != ""]

    def _of_text(self, text: str) -> Any:  # noqa: ANN401 - JSON
        place = _PLACE.fullmatch(text)
        if place is not None:
            name, edge, later = place.groups()
            return self._moment(self.filled[name], edge, later) if edge else self.filled[name]
        if text.startswith("<"):
            return [one for name in _CLAUSES.findall(text) for one in self.written(self.template.clauses[name])]
        return text

    def _moment(self, day: str, edge: str, later: str | None) -> str:
        """Give the moment at which a day starts or ends, or a length of time after that."""
        at = date.fromisoformat(day) + timedelta(days=int(edge == "end"))
        text = f"{at}T00:00:00Z"
        length = values.duration(self.filled[later]) if later else None
        start = values.time_ms(text)
        if length is None or start is None:
            return text
        return quantities.instant_text(length.after(start))
