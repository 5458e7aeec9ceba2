"""What a stranger may send: plain words and web addresses within bounds, and nothing a page could run.

Stricter than what the city's own staff may write: no HTML at all, few links, no host of an inner network, and none of
the fields that the city fills in itself. Whether the values fit the kind is asked elsewhere, with the same words for
everybody. Each fault names its place by a JSON pointer. Pure: no I/O, no clock.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from node.records import slug_of
from node.vocab.kinds.checking import Problem, is_missing, pointer
from node.vocab.kinds.field import Field, KindTable, Said
from node.vocab.kinds.naming import name_for, readable
from node.vocab.terms import DCAT

MAX_LINKS, MAX_VALUES, MAX_CHARACTERS, MAX_DEPTH = 30, 300, 20_000, 6
# Readers of Markdown need a second for every twenty thousand of them.
MAX_BRACKETS = 200
# Who publishes it, when, and when it is looked at again is for the city to say.
CITY_SAYS = frozenset({"publisher", "issued", "modified", "review"})
# Without who made it and where it is, nobody could tell whose it is or look at it, though a city's own may do without.
THEY_SAY = frozenset({"maker", "link"})
# `<` before a letter, a slash or a mark begins a tag, a comment or a declaration in every browser.
_HTML = re.compile(r"<\s{0,20}[/!?A-Za-z]")
_ADDRESS = re.compile(r"https?://[^\s<>\"'\])}]{1,2000}", re.IGNORECASE)
# Links and images of Markdown, and what a browser runs when an address begins with it.
_OTHER_SCHEME = re.compile(r"\]\(\s{0,20}(?!https?:|mailto:|#)[^)\s]|\b(?:javascript|vbscript|data):\S", re.IGNORECASE)
# Joiners stay: words of some languages and many emoji are written with them.
# The rest nobody sees: signs of direction, soft hyphens, fillers of Hangul and the blank of Braille.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2800\u3164\uffa0\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
)
# No script stacks more signs on one letter; more of them cover the lines around.
_MOST_MARKS = 6
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")

Text = tuple[str, str]


def faults_in(table: KindTable, said: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Say what keeps a description from being taken of a stranger, whatever it describes; at most 20 faults.

    Args:
        table: The kind that it is of.
        said: Any JSON object, tidied or not.
    """
    found = [
        Problem(pointer("", name), "city-says", f"The city fills in {name}: leave it out.")
        for name in said
        if name in CITY_SAYS and table.field(name)
    ]
    found += [
        Problem(pointer("", each.name), "missing", f"{each.label['en']} is missing: {each.hint['en']}")
        for each in table.fields
        if is_needed(each) and is_missing(said.get(each.name))
    ]
    try:
        texts = list(_texts(said, "", 0))
    except ValueError:
        wanted = f"at most {MAX_VALUES} values, {MAX_DEPTH} levels deep"
        return (Problem("", "too-much", f"A submission has {wanted}: say less."),)
    if sum(len(text) for _, text in texts) > MAX_CHARACTERS:
        return (Problem("", "too-much", f"A submission has at most {MAX_CHARACTERS:,} characters: say it shorter."),)
    for at, text in texts:
        found += _faults_of(at, text)
    links = [link for _, text in texts for link in _ADDRESS.findall(text)]
    if sum(text.count("[") + text.count("<") for _, text in texts) > MAX_BRACKETS:
        found.append(Problem("", "too-much", f"It has more than {MAX_BRACKETS} brackets: say it in plain words."))
    if len(links) > MAX_LINKS:
        found.append(Problem("", "too-many-links", f"It has {len(links)} links; at most {MAX_LINKS} are taken."))
    return tuple(found[:20])


def is_needed(field: Field) -> bool:
    """Tell whether a submission must have a field."""
    return field.name in THEY_SAY or (field.need == "must" and field.name not in CITY_SAYS)


def _faults_of(at: str, text: str) -> Iterator[Problem]:
    if _HTML.search(text):
        yield Problem(at, "html", "HTML is not taken: write plain text or Markdown, and &lt; for the sign itself.")
    if _OTHER_SCHEME.search(text):
        yield Problem(at, "bad-link", "A link may begin with https://, http:// or mailto: only.")
    if _HIDDEN.search(text):
        yield Problem(at, "hidden-character", "The text has characters that nobody sees: take them out.")
    if _is_stacked(text):
        wanted = f"at most {_MOST_MARKS} marks stand on one letter"
        yield Problem(at, "stacked-marks", f"The text has letters with too many marks: {wanted}.")


def _is_stacked(text: str) -> bool:
    many = 0
    for sign in "" if text.isascii() else text:
        many = many + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if many > _MOST_MARKS:
            return True
    return False


def _texts(value: object, at: str, depth: int, left: list[int] | None = None) -> Iterator[Text]:
    """Walk every text, also those in places that no field has. Raises ValueError past the bounds."""
    left = left if left is not None else [MAX_VALUES]
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise ValueError
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, pointer(at, key), depth + 1, left)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _texts(each, pointer(at, number), depth + 1, left)


def name_of(said: Said, kind: str) -> str:
    """Give the slug of a title, English before others, and one that can be read before a mark; empty without title."""
    title = said.get("title")
    if not isinstance(title, Mapping):
        return ""
    texts = [text for text in (title.get("en", ""), *title.values()) if isinstance(text, str) and text.strip()]
    named = next((slug for text in texts if (slug := readable(text))), "") or (
        name_for(texts[0], kind) if texts else ""
    )
    return named[:60].strip("-")


def likeness_of(table: KindTable, said: Said) -> tuple[str, str]:
    """Give two short keys by which the same thing is known when it comes again: of its title, and of its own address.

    Letters' case, marks and spaces do not count in titles, nor do scheme, `www.`, usual port,
    fragment, last slash, empty query and needless `%` in addresses.
    The second is empty if nothing says where the thing is.
    """
    title = said.get("title")
    words = str(next(iter(title.values()), "")) if isinstance(title, Mapping) else ""
    address = next((said.get(each.name) for each in table.fields if each.term == DCAT.landingPage), "")
    return _key(slug_of(words) or words.strip().casefold()), _key(
        _plain_address(address) if isinstance(address, str) else ""
    )


def _plain_address(address: str) -> str:
    bare = re.sub(r"^https?://(?:www\.)?", "", address.strip(), flags=re.IGNORECASE).partition("#")[0]
    path, _, query = _ESCAPED.sub(_unescaped, bare).partition("?")
    host, slash, rest = path.partition("/")
    host = re.sub(r"(?::(?:80|443)?)?\.?\Z", "", host.lower())
    return (host + slash + rest).rstrip("/") + (f"?{query}" if query else "")


def _unescaped(match: re.Match[str]) -> str:
    """Write a letter, digit, `-`, `.`, `_` or `~` as itself, and any other escape in capitals (RFC 3986, 6.2.2)."""
    sign = chr(int(match[1], 16))
    return sign if sign.isascii() and (sign.isalnum() or sign in "-._~") else match[0].upper()


def _key(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32] if text else ""
