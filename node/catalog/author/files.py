"""Files written for people to edit: a template of a kind with hints, and a description as the file that says it.

What is written is read back as the same description (`folder`). Long texts become sections where nothing in them could
be taken for a heading or a comment; all else is front matter. Texts in several languages become a file each, if they
are sections, and `{en: …, fi: …}` within the front matter if they are short. Pure: no I/O, no clock.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from node.vocab.kinds.checking import is_missing
from node.vocab.kinds.field import Codes, Field, KindTable, Said

_PLAIN = re.compile(r"[^\W\d_](?:[\w /()+.-]*[\w/()+.])?\Z|\d[\d.-]*\Z|https?://[\w./%~+=&?@:-]+(?:#[\w.-]*)?\Z")
_SPOKEN = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
# What would be read as something else than the text of a section.
_NO_SECTION = re.compile(r"^ {0,3}(?:#{1,2}[ \t]|`{3}|~{3})|<!--|\r|\A\s|\s\Z", re.MULTILINE)
_MOST_CODES = 20
# What a new file begins with: how to fill it in, where translations stand (if there are any), another collection.
_WORDS = {
    "en": (
        "What stands behind # is a hint. Fill in what you can; citynode lint says what is missing.",
        "Translations stand beside this file:",
        "Add `collection: NAME` for another collection.",
    ),
    "fi": (
        "Merkin # jälkeen tuleva teksti on ohje. Täytä mitä voit; komento lint kertoo, mitä puuttuu.",
        "Käännökset ovat tämän tiedoston vieressä:",
        "Muu kokoelma: `collection: NIMI`.",
    ),
    "sv": (
        "Det som står efter # är en anvisning. Fyll i det du kan; kommandot lint säger vad som saknas.",
        "Översättningar står bredvid denna fil:",
        "En annan samling: `collection: NAMN`.",
    ),
}
_KEPT_OUT = frozenset({"languages", "issued", "modified"})
"""What is said without being written: see `office`."""


def template(table: KindTable, name: str, *, title: str, language: str, others: Sequence[str], review: str) -> str:
    """Write the file of something new: what must be said open, what may be said as comments.

    Args:
        table: Its kind.
        name: The file's, without its ending.
        title: Its title; empty to be written.
        language: Of the texts; hints and headings are in it where we have them, else in English.
        others: The languages that it may be translated into.
        review: The date of the next review.
    """
    words = words_of(language)
    known = {"title": title, "review": review}
    how, beside, elsewhere = _WORDS[words]
    beside = f"# {beside} {', '.join(f'{name}.{tag}.md' for tag in others if tag != language)}."
    lines = ["---", f"# {how}", *([beside] if set(others) - {language} else []), f"# {elsewhere}"]
    lines.append(f"language: {language}")
    for each in table.fields:
        if not is_section(each) and each.name not in _KEPT_OUT:
            lines += _asked(each, words, known.get(each.name, ""))
    lines.append("---")
    for each in table.fields:
        if is_section(each):
            lines += ["", f"## {each.label[words]}", "", f"<!-- {each.hint[words]} -->"]
    return "\n".join(lines) + "\n"


def words_of(language: str) -> str:
    """Give the language of headings and hints in a file of that language."""
    base = language.partition("-")[0]
    return base if base in _WORDS else "en"


def is_section(field: Field) -> bool:
    """Tell whether a field is a section of the body: a long text that stands once."""
    return field.form == "markdown" and not field.many


def _asked(field: Field, words: str, value: str) -> Iterator[str]:
    codes = _listed(field)
    yield f"# {field.label[words]}: {field.hint[words]}{f' ({codes})' if codes else ''}"
    yield from (f"# {name}: {listed}" for name, listed in _listed_within(field))
    if field.form == "group" or (field.need == "may" and not value):
        example = _example(field, words)
        yield from (f"# {line}" for line in _entry(field, example, words, ""))
    elif field.name == "license":
        yield f"license: {field.example}"
    else:
        yield f"{field.name}: {_text(value)}".rstrip() if value else f"{field.name}:"


def _listed(field: Field) -> str:
    codes = field.codes.codes if isinstance(field.codes, Codes) else ()
    return ", ".join(each.code for each in codes) if len(codes) <= _MOST_CODES else ""


def _listed_within(field: Field) -> Iterator[tuple[str, str]]:
    """Give the codes of the fields of a group by their names: `cost.band`."""
    for each in field.fields:
        if codes := _listed(each):
            yield f"{field.name}.{each.name}", codes
        yield from ((f"{field.name}.{name}", listed) for name, listed in _listed_within(each))


def _example(field: Field, words: str) -> Any:  # noqa: ANN401 (of any form)
    """Give a value to show, with texts in one language."""
    if field.form == "group":
        one = {
            each.name: _example(each, words) for each in field.fields if each.example is not None or each.need != "may"
        }
        return [one] if field.many else one
    value = field.example
    if field.many:
        value = value if isinstance(value, list) else [value] if value is not None else []
        return [_in_words(each, words) for each in value] or ["…"]
    return "…" if value is None else _in_words(value, words)


def _in_words(value: Any, words: str) -> Any:  # noqa: ANN401 (of any form)
    """Give an example in one language; one that we have in another alone says in which."""
    if not isinstance(value, Mapping):
        return value
    return value[words] if words in value else dict(list(value.items())[:1]) or "…"


def written(table: KindTable, said: Said, *, collection: str = "") -> dict[str, str]:
    """Write a description as files: the text by language, the main one under the empty language.

    The main language is that of the title's first text. A description without sections has one file.
    """
    main = next(iter(_texts(said.get("title"))), "en")
    files = {"": _main(table, said, main, collection)}
    languages: dict[str, None] = {}
    for each in table.fields:
        if is_section(each) and _fits_sections(said.get(each.name)):
            languages |= dict.fromkeys(_texts(said.get(each.name)))
    for language in languages:
        if language != main:
            files[language] = "\n".join(["---", "---", *_sections(table, said, language)]) + "\n"
    return files


def _main(table: KindTable, said: Said, main: str, collection: str) -> str:
    lines = ["---", f"language: {main}"]
    if collection:
        lines.append(f"collection: {collection}")
    for each in table.fields:
        value = said.get(each.name)
        if not is_missing(value) and not (is_section(each) and _fits_sections(value)):
            lines += _entry(each, value, main, "")
    return "\n".join([*lines, "---", *_sections(table, said, main)]) + "\n"


def _sections(table: KindTable, said: Said, language: str) -> list[str]:
    words = words_of(language)
    lines: list[str] = []
    for each in table.fields:
        text = _texts(said.get(each.name)).get(language, "") if is_section(each) else ""
        if text and _fits_sections(said.get(each.name)):
            lines += ["", f"## {each.label[words]}", "", text]
    return lines


def _texts(value: object) -> Mapping[str, str]:
    return value if isinstance(value, Mapping) else {}


def _fits_sections(value: object) -> bool:
    texts = _texts(value)
    return bool(texts) and not any(_NO_SECTION.search(each) for each in texts.values())


# ---------------------------------------------------------------- YAML


def _entry(field: Field, value: Any, main: str, indent: str) -> Iterator[str]:  # noqa: ANN401 (of any form)
    """Write one key with its value; groups as blocks, everything else on one line."""
    if field.form != "group":
        values = [_flat(each, main) for each in value] if field.many else []
        yield f"{indent}{field.name}: {'[' + ', '.join(values) + ']' if field.many else _flat(value, main)}"
        return
    yield f"{indent}{field.name}:"
    groups: Sequence[Mapping[str, Any]] = value if field.many else [value]
    for each in groups:
        lines = _group(field, each, main, indent + ("    " if field.many else "  "))
        for number, line in enumerate(lines):
            yield f"{indent}  - {line.lstrip()}" if field.many and number == 0 else line


def _group(field: Field, said: Mapping[str, Any], main: str, indent: str) -> Iterator[str]:
    for each in field.fields:
        value = said.get(each.name)
        if not is_missing(value):
            yield from _entry(each, value, main, indent)


def _flat(value: Any, main: str) -> str:  # noqa: ANN401 (of any form)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        if list(value) == [main]:
            return _text(value[main])
        return "{" + ", ".join(f"{tag}: {_text(text)}" for tag, text in value.items()) + "}"
    return _text(str(value))


def _text(text: str) -> str:
    """Write a text as one line of YAML, plain where nothing in it means something else."""
    if _PLAIN.match(text) and text.lower() not in _SPOKEN:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else _escaped(each) for each in quoted)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
