"""A comparable set as the file in which people write it: TOML, read with every fault named, and written to begin with.

    title = { en = "Kerbside parking", fi = "Kadunvarsipysäköinti" }
    theme = "TRAN"
    members = ["https://…", "https://…"]

    [[columns]]
    meaning = { en = "Longest stay" }
    match = "convert"                     # same, convert or none
    note = { en = "minutes; “2 hours” is 120" }
    names = { "https://…" = "max_min", "https://…" = "maximum_stay" }

Pure: text in, a set out.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from node.errors import Malformed
from node.vocab.lists import DATA_THEMES
from node.vocab.ntriples import iri as iri_term
from node.vocab.ntriples import language_tag
from node.vocab.set_records import (
    MATCHINGS,
    MAX_COLUMNS,
    MAX_IRI,
    MAX_MEMBERS,
    MAX_TEXT,
    ColumnMap,
    ComparableSet,
)

MAX_BYTES = 1 << 20
_KEYS = {"title", "description", "theme", "members", "columns"}
_COLUMN_KEYS = {"meaning", "match", "note", "names"}


def read_set(text: str) -> ComparableSet:
    """Read the file of a set.

    Raises:
        Malformed: It is no TOML, or no set; the message says what to write.
    """
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Malformed(f"The file is no TOML: {error}.") from error
    _only(said, _KEYS, "A set")
    members = said.get("members")
    if not isinstance(members, list) or not 2 <= len(members) <= MAX_MEMBERS or not all(map(_is_iri, members)):
        raise Malformed(f"members are the IRIs of 2 to {MAX_MEMBERS} records, each in quotes.")
    if len(set(members)) < len(members):
        raise Malformed("A record stands in members twice.")
    theme, columns = said.get("theme", ""), said.get("columns", [])
    if theme and (not isinstance(theme, str) or DATA_THEMES.by_code(theme) is None):
        raise Malformed(f"theme is no code of the EU's data themes: {', '.join(each.code for each in DATA_THEMES)}.")
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
        raise Malformed(f"columns are at most {MAX_COLUMNS} parts that begin with [[columns]].")
    return ComparableSet(
        title=_texts(said, "title", needed=True),
        description=_texts(said, "description"),
        members=tuple(members),
        theme=theme,
        columns=tuple(_column(each, frozenset(members)) for each in columns),
    )


def _column(said: object, members: frozenset[str]) -> ColumnMap:
    if not isinstance(said, dict):
        raise Malformed("Each of the columns begins with [[columns]].")
    _only(said, _COLUMN_KEYS, "A column")
    match, names = said.get("match", "same"), said.get("names", {})
    if match not in MATCHINGS:
        raise Malformed(f"match is one of {', '.join(MATCHINGS)}, not {str(match)[:40]!r}.")
    if not isinstance(names, dict) or not all(
        isinstance(each, str) and 0 < len(each) <= 200 for each in names.values()
    ):
        raise Malformed("names say for each record what its column is called: names = { “IRI” = “column” }.")
    stray = next((iri for iri in names if iri not in members), None)
    if stray is not None:
        raise Malformed(f"A column is named for {stray[:200]}, which is no member of the set.")
    return ColumnMap(_texts(said, "meaning", needed=True), dict(names), match, _texts(said, "note"))


def _only(said: Mapping[str, Any], known: set[str], what: str) -> None:
    strange = sorted(set(said) - known)
    if strange:
        raise Malformed(f"{what} has no {strange[0][:40]!r}; it has {', '.join(sorted(known))}.")


def _is_iri(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_IRI and "://" in value and iri_term(value) == f"<{value}>"


def _texts(said: Mapping[str, Any], key: str, *, needed: bool = False) -> dict[str, str]:
    texts = said.get(key, {})
    good = isinstance(texts, dict) and all(
        isinstance(text, str) and text.strip() and len(text) <= MAX_TEXT and language_tag(tag)
        for tag, text in texts.items()
    )
    if not good or (needed and not texts):
        raise Malformed(f'{key} is written by language: {key} = {{ en = "…", fi = "…" }}.')
    return {language_tag(tag): text.strip() for tag, text in texts.items()}


def write_set(said: ComparableSet) -> str:
    """Write the file of a set, which `read_set` reads back."""
    lines = [f"title = {_table(said.title)}"]
    lines += [f"description = {_table(said.description)}"] if said.description else []
    lines += [f"theme = {_text(said.theme)}"] if said.theme else []
    lines += ["members = [", *(f"    {_text(member)}," for member in said.members), "]"]
    for column in said.columns:
        lines += ["", "[[columns]]", f"meaning = {_table(column.meaning)}", f"match = {_text(column.match)}"]
        lines += [f"note = {_table(column.note)}"] if column.note else []
        lines += ["[columns.names]", *(f"{_text(iri)} = {_text(name)}" for iri, name in column.names.items())]
    return "\n".join(lines) + "\n"


def column_stub(members: Sequence[str]) -> str:
    """Write the part of a column as a comment, for people to fill in."""
    lines = [
        "Which columns match: take the # away, fill in, repeat for each column.",
        "[[columns]]",
        'meaning = { en = "What the column says" }',
        f'match = "same"  # {", ".join(MATCHINGS)}',
        'note = { en = "How to convert it" }',
        "[columns.names]",
        *(f'{_text(iri)} = "name of the column there"' for iri in members),
    ]
    return "".join(f"# {line}\n" for line in ["", *lines]).replace("# \n", "\n", 1)


def _table(texts: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{tag or 'en'} = {_text(text)}" for tag, text in texts.items()) + " }"


def _text(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL and halves of surrogates, which no text of ours needs.
    return json.dumps("".join(c if c.isprintable() or c == "\n" else " " for c in text), ensure_ascii=False)
