"""Every text of a description with its place, and what stands in Markdown: links, pictures, HTML, plain words.

Markdown is read with the parser that shows it, so that what lint says of a text is what a page will do with it; a text
that holds no mark of it is not parsed at all. Pure: no I/O, no clock.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from node.vocab.kinds.checking import is_missing, pointer
from node.vocab.kinds.field import Field, KindTable, Said

# With HTML on, what would be dropped or shown as text is told apart from text; links are found also without brackets.
_READER = MarkdownIt("commonmark", {"html": True})
# A link that would run something is to be told, while on a page it is no link.
_READER.validateLink = lambda _: True  # type: ignore[method-assign, assignment]
_BARE = re.compile(r"https?://(?:\[[\w:.%]{2,60}\]|[^\s<>()\[\]\"'`])[^\s<>()\[\]\"'`]*", re.IGNORECASE)
_LINK_TEXT = frozenset({"link_open", "image"})
_WORD = re.compile(r"\w+")


class Leaf(NamedTuple):
    """One value that is a text: its place, its field, its language (empty for values that have none)."""

    pointer: str
    field: Field
    language: str
    text: str


def leaves(table: KindTable, said: Said) -> list[Leaf]:
    """List the texts of a description, in the order of its fields; what does not fit its field is passed over."""
    found: list[Leaf] = []
    _fields(table.fields, said, "", found)
    return found


def _fields(fields: Sequence[Field], said: object, at: str, found: list[Leaf]) -> None:
    if not isinstance(said, Mapping):
        return
    for field in fields:
        value: Any = said.get(field.name)
        if value is None or is_missing(value) or (field.many and not isinstance(value, list | tuple)):
            continue
        place = pointer(at, field.name)
        for here, each in [(pointer(place, n), one) for n, one in enumerate(value)] if field.many else [(place, value)]:
            if field.form == "group":
                _fields(field.fields, each, here, found)
            elif field.by_language:
                found += _texts(field, each, here)
            elif isinstance(each, str):
                found.append(Leaf(here, field, "", each))


def _texts(field: Field, value: object, at: str) -> list[Leaf]:
    texts = value.items() if isinstance(value, Mapping) else ()
    return [
        Leaf(pointer(at, tag), field, tag, text)
        for tag, text in texts
        if isinstance(tag, str) and isinstance(text, str)
    ]


@dataclass(frozen=True, slots=True)
class Markdown:
    """What stands in a text: addresses of links and pictures, pictures without a description, HTML, and its words."""

    links: tuple[str, ...]
    silent: tuple[str, ...]
    html: tuple[str, ...]
    words: int


def read(text: str) -> Markdown:
    """Read a Markdown text; `words` are those that are neither an address nor the text of a link."""
    if "<" not in text and "[" not in text and "http" not in text.lower():  # nearly every text, and quicker so
        return Markdown((), (), (), len(text.split()))
    tokens = list(_flat(_READER.parse(text)))
    links = [str(each.attrs["src" if each.type == "image" else "href"]) for each in tokens if each.type in _LINK_TEXT]
    silent = [str(each.attrs["src"]) for each in tokens if each.type == "image" and not each.content.strip()]
    html = [each.content.strip() for each in tokens if each.type in ("html_block", "html_inline")]
    prose = _prose(tokens)
    links += _BARE.findall(prose)
    return Markdown(tuple(links), tuple(silent), tuple(html), len(_WORD.findall(_BARE.sub(" ", prose))))


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from token.children or ()
        else:
            yield token


def _prose(tokens: Sequence[Token]) -> str:
    """Give the text that is no link."""
    parts, depth = [], 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if not depth and token.type in ("text", "code_inline", "softbreak", "fence", "code_block"):
            parts.append(token.content or " ")
    return " ".join(parts)
