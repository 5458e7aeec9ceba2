"""Whether a description can be written as a record: every value of its form, where it is wrong and what to write.

A description (`Said`) is plain values, as JSON has them: text and markdown `{language: text}`; a date `"2026"`,
`"2026-11"` or `"2026-11-22"`; a number the text of a decimal; a link an IRI; a code or a language its code; a flag a
bool; a group an object; several values a list. Problems name their place by a JSON pointer (RFC 6901). Pure.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from node.records import is_unseen
from node.vocab.kinds.field import Code, Codes, Field, Form, KindTable, Said
from node.vocab.lists import language_iri
from node.vocab.ntriples import language_tag, mend_iri

MAX_TEXT, MAX_MARKDOWN, MAX_IRI, MAX_LANGUAGES, MAX_NUMBER = 2_000, 100_000, 2_000, 30, 40
SUMMARY_CHARACTERS = 160
MOST_PROBLEMS = 200
"""How many problems of one description are named."""
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?\Z", re.ASCII)
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?\Z", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\/]{1,190}\.[^\s@<>\"(),:;\\/.]{2,63}\Z")
# What no text may hold: control characters but tab and line ends, and halves of characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend; `line` is 0 and `file` empty where the description came from no file."""

    pointer: str
    code: str
    message: str
    level: Literal["error", "warning"] = "error"
    line: int = 0
    file: str = ""


Found = Iterator[Problem]


def check(table: KindTable, said: Said) -> tuple[Problem, ...]:
    """Say what keeps a description from being written; at most 200 problems."""
    found: list[Problem] = []
    for problem in _fields(table.fields, said, ""):
        found.append(problem)
        if len(found) == MOST_PROBLEMS:
            break
    return tuple(found)


def pointer(parent: str, key: object) -> str:
    """Give the JSON pointer of a member."""
    step = str(key)
    return f"{parent}/{step.replace('~', '~0').replace('/', '~1') if '~' in step or '/' in step else step}"


def _fields(fields: Sequence[Field], said: object, at: str) -> Found:
    if not isinstance(said, Mapping):
        yield _wrong(at, f"an object with the keys {', '.join(each.name for each in fields[:8])}", said)
        return
    known = {each.name: each for each in fields}
    for key in said:
        if key not in known:
            yield Problem(pointer(at, key), "unknown-field", f"There is no field {_shown(key)}.{_near(key, known)}")
    for each in fields:
        value = said.get(each.name)
        if value is None or is_missing(value):
            if each.need == "must":
                yield Problem(pointer(at, each.name), "missing", missing_words(each))
        elif each.many:
            yield from _several(each, value, pointer(at, each.name))
        else:
            yield from _value(each, value, pointer(at, each.name))


def missing_words(field: Field, language: str = "en") -> str:
    """Say that a field says nothing, under the name that it has in a file of that language, and what to write."""
    name = field.called(language)
    return f"Missing: {name}{'' if name.endswith('?') else '.'} {field.hint['en']}"


def is_missing(value: object) -> bool:
    """Tell whether a value says nothing: none, or without a visible character, also in every language."""
    # Asked some thousand times a record: the types that JSON has are told at once.
    if value is None:
        return True
    kind = type(value)
    if kind is str:
        return is_unseen(value)  # type: ignore[arg-type]
    if kind is list:
        return not value
    if kind is dict or isinstance(value, Mapping):
        return all(map(is_missing, value.values()))  # type: ignore[attr-defined]
    return isinstance(value, str | tuple) and not value


def _several(field: Field, value: object, at: str) -> Found:
    if not isinstance(value, list | tuple):
        yield _wrong(at, "a list", value)
        return
    if len(value) > field.most:
        yield Problem(at, "too-many", f"{field.label['en']} has {len(value)} values; at most {field.most} are kept.")
        return
    for number, each in enumerate(value):
        yield from _value(field, each, pointer(at, number))


def _value(field: Field, value: object, at: str) -> Found:
    if field.form == "group":
        yield from _fields(field.fields, value, at)
    elif field.by_language:
        yield from _texts(field, value, at)
    elif field.form == "flag":
        if not isinstance(value, bool):
            yield _wrong(at, "true or false", value)
    elif not isinstance(value, str):
        yield _wrong(at, _FORMS[field.form][1], value)
    elif field.form == "code":
        yield from _code(field, value, at)
    else:
        fits, wanted = _FORMS[field.form]
        if not fits(value):
            yield _wrong(at, wanted, value)


def _texts(field: Field, value: object, at: str) -> Found:
    if not isinstance(value, Mapping):
        yield _wrong(at, "a text by language, such as {en: …, fi: …}", value)
        return
    if len(value) > MAX_LANGUAGES:
        yield Problem(at, "too-many", f"A text may be in at most {MAX_LANGUAGES} languages.")
        return
    limit = MAX_MARKDOWN if field.form == "markdown" else MAX_TEXT
    for language, text in value.items():
        place = pointer(at, language)
        if not isinstance(language, str) or not is_language(language):
            yield Problem(
                place, "unknown-language", f"{_shown(language)} is no language: write a tag such as en or sv."
            )
        if not isinstance(text, str):
            yield _wrong(place, "a text", text)
        elif len(text) > limit:
            yield Problem(place, "too-long", f"{field.label['en']} has {len(text):,} characters; at most {limit:,}.")
        elif _CONTROL.search(text):
            yield Problem(place, "control-character", "The text has control characters: take them out.")


def is_language(tag: str) -> bool:
    """Tell whether a tag names a language that we know, also one that says from which it was translated."""
    clean = language_tag(tag)
    base, translated, source = clean.partition("-t-")
    known = bool(clean) and clean == tag.lower() and _names_one(base)
    return known and (not translated or _names_one(source))


def _names_one(tag: str) -> bool:
    base = tag.split("-")[0]
    return len(base) <= 3 and bool(language_iri(base))


def _code(field: Field, value: str, at: str) -> Found:
    codes = field.codes
    if codes is None or codes.by_code(value):
        return
    if isinstance(codes, Codes):
        known = ", ".join(each.code for each in codes.codes[:30])
        yield Problem(
            at, "unknown-code", f"{_shown(value)} is no value of “{codes.label['en']}”: write one of {known}."
        )
    elif not is_link(value):
        wanted = f"Write a code of the table {codes.name}, or the full IRI of another."
        yield Problem(at, "unknown-code", f"{_shown(value)} is not known. {wanted}")


def code_at(codes: Codes | object, code: str) -> Code | None:
    """Find a value of a list of ours."""
    return codes.by_code(code) if isinstance(codes, Codes) else None


@lru_cache(maxsize=4096)  # a city's own addresses come again in every record
def is_link(value: str) -> bool:
    """Tell whether a text is an absolute web address that may stand in a record as it is."""
    if len(value) > MAX_IRI or not value.startswith(("https://", "http://")) or mend_iri(value) != value:
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def is_email(value: str) -> bool:
    """Tell whether a text is spelt as a mail address."""
    return _EMAIL.match(value) is not None


def is_date(value: str) -> bool:
    """Tell whether a text is a year, a month or a day that there is."""
    if not _DATE.match(value):
        return False
    try:
        date.fromisoformat((value + "-01-01")[:10])
    except ValueError:
        return False
    return value[:4] != "0000"


def _is_plain(value: str) -> bool:
    return len(value) <= MAX_TEXT and not _CONTROL.search(value)


_FORMS: dict[Form, tuple[Callable[[str], bool], str]] = {
    "plain": (_is_plain, f"a text of at most {MAX_TEXT:,} characters"),
    "date": (is_date, "a date, such as 2026, 2026-11 or 2026-11-22"),
    "number": (lambda value: bool(_NUMBER.match(value)), "a number, such as 12 or 2.5"),
    "link": (is_link, "a web address that begins with https://"),
    "email": (is_email, "a mail address, such as data@city.example"),
    "language": (is_language, "the tag of a language, such as en or sv"),
    "code": (bool, "a code"),
}


def fits(form: Form, value: str) -> bool:
    """Tell whether a text is a value of a form that is the same in all languages: a date, a number, a link."""
    return _FORMS[form][0](value)


def _wrong(at: str, wanted: str, value: object) -> Problem:
    return Problem(at, "wrong-value", f"Write {wanted}; this is {_named(value)}.")


def _named(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else _shown(value)


def _shown(value: Any) -> str:  # noqa: ANN401 (whatever a stranger wrote)
    text = _CONTROL.sub("?", " ".join(str(value)[: _SHOWN * 4].split()))
    return f"“{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}”"


def _near(key: object, known: Mapping[str, Field]) -> str:
    import difflib

    near = difflib.get_close_matches(str(key)[:60], known, 1)
    return f" Did you mean {near[0]}?" if near else f" Known are {', '.join(list(known)[:12])} …"
