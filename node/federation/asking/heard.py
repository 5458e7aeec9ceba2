"""What another city's search answered, read as a stranger's word: which hits count, and what of each is shown.

A hit counts if it is of a collection or record that we may ask about and its IRI is that city's to describe. Every text
is cut and made printable, marks of what was found are kept and nothing else of HTML, links lead to that city's node.
Hits come out in the shape of our own `/search`, with the city as it is known here, so that nobody downstream has to
know that they came from elsewhere. Pure: no network, no book.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape
from typing import Any
from urllib.parse import quote

from node.errors import Malformed
from node.federation.asking.askable import Askable
from node.federation.check import Authority
from node.records import KINDS

Json = Mapping[str, Any]
MAX_HITS = 100
MAX_TOTAL = 1 << 40
_MAX_IRI, _MAX_TITLE, _MAX_TEXT, _MAX_CODE = 2_000, 500, 1_000, 80
_MAX_CODES = 30
_MARK = re.compile(r"(</?mark>)")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_COLLECTION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What counts of one city's answer: its hits in its order, and how many there are in all, at least."""

    hits: tuple[Json, ...] = ()
    total: int = 0
    exact: bool = True


def read_answer(said: Json, askable: Askable, authority: Authority) -> Answer:
    """Read the JSON of a peer's `/search`. Raises Malformed if it is none."""
    listed, total = said.get("hits"), said.get("total")
    if not isinstance(listed, list) or len(listed) > MAX_HITS or type(total) is not int:
        raise Malformed(f"{askable.url} answered no list of at most {MAX_HITS} hits.")
    found = [_hit(each, askable, authority) for each in listed]
    kept = tuple(each for each in found if each is not None)
    if len(kept) < len(found):
        return Answer(kept, len(kept), exact=False)
    return Answer(kept, max(len(kept), min(total, MAX_TOTAL)), exact=said.get("total_is") == "exact")


def _hit(said: object, askable: Askable, authority: Authority) -> Json | None:
    if not isinstance(said, dict):
        return None
    iri, kind, collection = said.get("iri"), said.get("kind"), said.get("collection")
    if not (isinstance(iri, str) and len(iri) <= _MAX_IRI and _IRI.fullmatch(iri)):
        return None
    if kind not in KINDS or not (isinstance(collection, str) and _COLLECTION.fullmatch(collection)):
        return None
    if not askable.covers(collection, iri) or authority.forbids(iri):
        return None
    why = said.get("why")
    why = why if isinstance(why, dict) else {}
    return {
        "iri": iri,
        "page": _page(said.get("page"), iri, askable.url),
        "kind": kind,
        "title": _text(said.get("title"), _MAX_TITLE) or iri,
        "title_language": _text(said.get("title_language"), 20),
        "description": _text(said.get("description"), _MAX_TEXT),
        # A node that does not say it yet speaks of a record in one language, mostly.
        "description_language": _text(said.get("description_language", said.get("title_language")), 20),
        "city": askable.peer,
        "city_title": askable.city,
        "publisher": _text(said.get("publisher"), _MAX_TITLE),
        "collection": f"{askable.peer}/{collection}",
        "licence": _licence(said.get("licence")),
        "formats": _codes(said.get("formats")),
        "themes": _codes(said.get("themes")),
        "changed": _moment(said.get("changed")),
        "quality": _points(said.get("quality")),
        "why": {
            "title": marked(why.get("title"), _MAX_TITLE),
            "text": marked(why.get("text"), _MAX_TEXT),
            "language": _text(why.get("language", said.get("title_language")), 20),
        },
        "also_via": [],
        "similar": [],
        "live": True,
    }


def _text(value: object, most: int) -> str:
    """Keep printable letters: a stranger's control and direction characters become blanks."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:most]).strip()


def marked(value: object, most: int) -> str:
    """Give HTML in which `<mark>` is the only element, closed as often as opened.

    >>> marked("<b>x</b> <mark>a &amp; b</mark></mark><mark>", 100)
    '&lt;b&gt;x&lt;/b&gt; <mark>a &amp; b</mark>'
    """
    if not isinstance(value, str):
        return ""
    made, is_open = [], False
    for part in _MARK.split(value[: 2 * most]):
        if part in ("<mark>", "</mark>"):
            if (part == "<mark>") is not is_open:
                made.append(part)
                is_open = not is_open
        else:
            made.append(escape(_kept(unescape(part))))
    text = "".join(made)
    return text.removesuffix("<mark>") if text.endswith("<mark>") else text + ("</mark>" if is_open else "")


def _kept(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _page(value: object, iri: str, url: str) -> str:
    """Give a record's page at its city; any other address is taken for none."""
    if isinstance(value, str) and len(value) <= _MAX_IRI and value.startswith(f"{url}/") and _IRI.fullmatch(value):
        return value
    return f"{url}/records?iri={quote(iri, safe='')}"


def _licence(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    iri = value.get("iri")
    good = isinstance(iri, str) and len(iri) <= _MAX_IRI and iri.lower().startswith(("http://", "https://"))
    return {
        "iri": iri if good and _IRI.fullmatch(str(iri)) else "",
        "name": _text(value.get("name"), _MAX_CODE) or str(iri),
    }


def _codes(value: object) -> list[str]:
    listed: Sequence[object] = value[:_MAX_CODES] if isinstance(value, list) else ()
    return [text for text in (_text(each, _MAX_CODE) for each in listed) if text]


def _moment(value: object) -> str:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        return ""
    return str(value) if at is not None and at.tzinfo is not None else ""


def _points(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= 405 else None
