"""Texts of records for the eyes of a reader: which language, how dates and numbers are written, what HTML may stay.

Originals come before machine translations (`xx-t-yy`), always; a text in another language than the reader's is marked
where it stands. Descriptions keep their source form in the payload and are cleaned here, at the last moment, because
what is safe to show changes with browsers and what a source said does not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

import nh3
from babel import Locale
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from node.ends import closes_a_day, last_ms
from node.records import is_unseen
from node.vocab import ntriples
from node.web.wording.words import LANGUAGE_NAMES, MONTHS, words

MIN_LEAD = 60
_TAGS = {
    "p",
    "br",
    "a",
    "ul",
    "ol",
    "li",
    "b",
    "strong",
    "em",
    "i",
    "code",
    "pre",
    "blockquote",
    "h3",
    "hr",
    "sup",
    "sub",
}
_INLINE = {"a", "b", "strong", "em", "i", "code", "sup", "sub"}
_DROP = {"script", "style", "iframe", "object", "embed", "svg", "math", "template", "noscript", "form", "title"}
# A tag ends before the next begins, or each of many open ones would be read to the end of the text.
_LOOKS_HTML = re.compile(
    r"<\s*(?:p|br|a|ul|ol|li|b|i|em|strong|div|span|h[1-6]|table|img|script|u|font)\b[^<>]*>", re.IGNORECASE
)
_HEADING = re.compile(r"<(/?)h[1-6]\b[^<>]*>", re.IGNORECASE)
_BOX = re.compile(r"<(/?)(?:div|section|article|center|dt|dd)\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_ROW = re.compile(r"</tr\s*>", re.IGNORECASE)
_EMPTY = re.compile(r"<p>(?:\s|&nbsp;|<br>)*</p>")
_PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
_BARE = re.compile(r"(.+?)(?=<(?:p|ul|ol|h3|pre|blockquote|hr)\b|\Z)", re.DOTALL)
# An element's mark, or the end of a sentence: a full stop after a word of some length, not after "e.g." or "St.".
_PIECE = re.compile(r"<[^>]*>|(?<=[\w)\"”»]{3})[.!?…](?=\s+[A-ZÅÄÖÉ0-9\"“«]|\s*\Z|\s*<)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
_ANY_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
# What could be HTML or Markdown; a text without any of it is what it looks like.
_MARKUP = re.compile(r"[<>&*_`#\[\]\\~|]|^[ \t]*(?:[-+=]|\d+[.)])", re.MULTILINE)
# A lead is cut from so much of a long description: marks and addresses take room.
_LEAD_FROM = 6_000
# A page shows so much of a description: what is longer is a book, or made to keep a node busy.
MOST_CHARACTERS = 40_000
# A reader of Markdown tries each bracket as the beginning of a link; a text with more, by its length, has none to show.
_FREE_BRACKETS, _CHARACTERS_PER_BRACKET = 20, 20
# A title is as long as a sentence may be: what is longer would push all else from a list and from its own page.
MOST_NAME = 300
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Codes of ISO 639 that stand for none, for several or for an unknown language.
_NO_ONE_LANGUAGE = frozenset({"mis", "mul", "und", "zxx"})
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")


@dataclass(frozen=True, slots=True)
class Said:
    """A chosen text: its language tag (empty: unknown), whether it is the reader's, whether a machine wrote it.

    `is_name` tells of a proper name, which is what it is in any language: it is not marked. `own_word` tells of a word
    of the source's for what our tables have no name for, in a language that it does not tell.
    """

    text: str
    tag: str = ""
    foreign: bool = False
    machine: bool = False
    is_name: bool = False
    own_word: bool = False

    def __bool__(self) -> bool:
        """Tell whether there is anything to show."""
        return bool(self.text)

    def clipped(self) -> "Said":
        """Give it as a name of one line has room for it; a record's page shows the whole of it among all that it says.

        Signs that turn the reading direction go: a name stands in titles of pages and in attributes, too.
        """
        text = plain_name(self.text)
        return self if text == self.text else replace(self, text=text)

    @property
    def lang(self) -> str:
        """Give the tag for a `lang` attribute; only where it differs from the page's."""
        return self.tag if self.foreign or self.machine else ""

    def mark(self, reader: str) -> str:
        """Give the words that stand beside it, or nothing."""
        if self.is_name:
            return ""
        marks = [in_language(self.tag, reader)] if self.foreign else []
        marks += [words(reader, "lang.machine")] if self.machine else []
        return " · ".join(marks or ([words(reader, "lang.own_word")] if self.own_word else []))


NOTHING = Said("")


def plain_name(text: str) -> str:
    """Cut a name after 300 characters, and take out what would turn the reading direction of what follows it."""
    shown = _TURNING.sub("", text[: 2 * MOST_NAME])
    return shown if len(shown) <= MOST_NAME else f"{shown[: MOST_NAME - 1].rstrip()}…"


def told(text: str, tag: str, reader: str) -> Said:
    """Give a text that was chosen elsewhere with what its tag says to a reader."""
    foreign = bool(tag) and tag.split("-")[0].lower() != reader
    return Said(text, tag, foreign, machine=is_machine(tag))


def is_machine(tag: str) -> bool:
    """Tell whether a tag says that a machine translated (BCP 47 extension t)."""
    return "-t-" in f"{tag}-" and "-t-" in tag


def source_of(tag: str) -> str:
    """Give the language that a machine's translation says it was made from, or nothing."""
    return tag.partition("-t-")[2].split("-")[0]


def _order(tag: str, reader: str, others: Sequence[str]) -> tuple[int, int, str]:
    primary = tag.split("-")[0]
    if tag == reader:
        place = 0
    elif primary == reader:
        place = 1
    elif not tag:
        place = 2
    else:
        place = 3 + (list(others).index(primary) if primary in others else len(others))
    return (1 if is_machine(tag) else 0, place, tag)


def choose(terms: Iterable[str], reader: str, others: Sequence[str] = ()) -> Said:
    """Choose the literal for a reader: originals first, then the reader's language, untagged, English, any.

    English is what most can read who have no text of their own; then comes what translations were made from, which is
    what the author wrote, and then the city's languages in their order.
    """
    literals = [(ntriples.language_of(term), ntriples.value_of(term)) for term in terms if ntriples.is_literal(term)]
    found = [(tag, text) for tag, text in literals if not is_unseen(text)]
    if not found:
        return NOTHING
    sources = sorted({source_of(tag) for tag, _ in found} - {""})
    tag, text = min(found, key=lambda pair: (_order(pair[0], reader, ["en", *sources, *others]), pair[1]))
    return told(text.strip(), tag, reader)


def every(terms: Iterable[str], reader: str, others: Sequence[str] = ()) -> list[Said]:
    """Choose among many-valued texts (keywords): all of the best language there is, in order of text."""
    listed = [term for term in terms if ntriples.is_literal(term)]
    best = choose(listed, reader, others)
    chosen = sorted(ntriples.value_of(term) for term in listed if ntriples.language_of(term) == best.tag)
    return [Said(text, best.tag, best.foreign, best.machine) for text in chosen if not is_unseen(text)]


def in_language(tag: str, reader: str) -> str:
    """Say that a text is in a language, which the reader's own names; one that nobody names by its code."""
    primary = tag.split("-")[0].lower()
    if bent := LANGUAGE_NAMES.get(reader, {}).get(primary):
        return words(reader, "lang.in", language=bent)
    name = "" if primary in _NO_ONE_LANGUAGE else Locale(reader).languages.get(primary)
    return words(reader, "lang.in_other", language=name or primary)


def clean(text: str) -> Markup:
    """Turn a description, HTML or Markdown, into HTML that can do no harm: no script, style, picture or odd link.

    Of a longer one the first 40,000 characters, and `…` after them.
    """
    # What is kept in memory is cut, too.
    return _cleaned(text) if len(text) <= MOST_CHARACTERS else _cleaned(_cut(text)) + Markup("\n<p>…</p>")


def _cut(text: str) -> str:
    """Cut a long text before a tag that would be left open, if it ends in one."""
    begun = text[:MOST_CHARACTERS]
    tag = begun.rfind("<")
    return begun[:tag] if tag > MOST_CHARACTERS - 2_000 and ">" not in begun[tag:] else begun


@lru_cache(maxsize=256)
def _cleaned(text: str) -> Markup:
    rough = text if _LOOKS_HTML.search(text) else _marked(text)
    # Boxes become paragraphs, cells and rows of a table keep apart: what they hold is text to read.
    rough = _ROW.sub("<br>", _CELL.sub(" ", _BOX.sub(r"<\1p>", _HEADING.sub(r"<\1h3>", rough))))
    # nh3 closes and escapes; what leaves it is the only unescaped text on our pages.
    safe = nh3.clean(
        rough,
        tags=_TAGS,
        clean_content_tags=_DROP,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener ugc",
    )
    return Markup(_EMPTY.sub("", safe).strip())  # noqa: S704


def _marked(text: str) -> str:
    """Read Markdown; of a text full of brackets only the paragraphs."""
    if text.count("[") > _FREE_BRACKETS + len(text) // _CHARACTERS_PER_BRACKET:
        return "".join(f"<p>{escape(each)}</p>" for each in text.split("\n\n"))
    return str(_MARKDOWN.render(text))


def parted(text: str, limit: int) -> tuple[Markup, Markup]:
    """Part a description into a lead of whole sentences, as inline HTML, and the rest; neither repeats the other.

    Without a paragraph to begin with, or with one that cannot be parted, there is no lead and the rest is all.
    """
    return _parted(clean(text), limit)


@lru_cache(maxsize=256)
def _parted(cleaned: Markup, limit: int) -> tuple[Markup, Markup]:
    whole = str(cleaned)
    opening = _PARAGRAPH.match(whole) or (_BARE.match(whole) if whole[:1] != "<" else None)
    if opening is None:
        return Markup(), Markup(whole)  # noqa: S704
    first, rest = opening.group(1), whole[opening.end() :].strip()
    at = len(first) if _length(first) <= limit else _sentence_end(first, limit)
    if not at:
        return Markup(), Markup(whole)  # noqa: S704
    left, lead = _without_breaks(first[at:]), _without_breaks(first[:at])
    return Markup(lead), Markup(f"<p>{left}</p>\n{rest}" if left else rest)  # noqa: S704


def _without_breaks(markup: str) -> str:
    """Take spaces and breaks from both ends, in time that grows with their number alone."""
    start, end = 0, len(markup)
    while start < end and (markup[start].isspace() or markup.startswith("<br>", start)):
        start += 1 if markup[start].isspace() else 4
    while start < end and (markup[end - 1].isspace() or markup.endswith("<br>", start, end)):
        end -= 1 if markup[end - 1].isspace() else 4
    return markup[start:end]


def _length(markup: str) -> int:
    return len(_unescape(_ANY_TAG.sub("", markup)))


def _sentence_end(first: str, limit: int) -> int:
    """Find where the last sentence within the limit ends, outside of any element; 0 for nowhere."""
    depth, best, length, counted = 0, 0, 0, 0
    for piece in _PIECE.finditer(first):
        found = piece.group()
        if found.startswith("<br"):
            end = piece.start()
        elif found.startswith("<"):
            depth += -1 if found.startswith("</") else 1
            continue
        else:
            end = piece.end()
        length, counted = length + _length(first[counted:end]), end
        if length > limit:
            return best
        if depth == 0 and length >= MIN_LEAD:
            best = end
    return best


def plain(text: str, limit: int = 0) -> str:
    """Give a description as running text without marks, cut at a word near `limit` characters."""
    text = text[:_LEAD_FROM] if limit else text
    bare = _unescape(nh3.clean(_ANY_TAG.sub(_gap, str(clean(text))), tags=set())) if _MARKUP.search(text) else text
    whole = _SPACE.sub(" ", bare).strip()
    if not limit or len(whole) <= limit:
        return whole
    return whole[:limit].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def _gap(match: re.Match[str]) -> str:
    """Leave a space where a block ends, so that words of two paragraphs do not run together."""
    return "" if match.group().strip("</>").split(" ")[0] in _INLINE else " "


def _unescape(text: str) -> str:
    return Markup(text).unescape()  # noqa: S704


def day(at: datetime, reader: str) -> str:
    """Write a date: 21 Nov 2026, 21.11.2026, 21 nov. 2026."""
    if reader == "fi":
        return f"{at.day}.{at.month}.{at.year}"
    return f"{at.day} {MONTHS.get(reader, MONTHS['en'])[at.month - 1]} {at.year}"


def moment(ms: int, reader: str) -> str:
    """Write a time of ours, to the minute, in UTC and saying so."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    if reader == "fi":
        return f"{day(at, reader)} klo {at.hour}.{at.minute:02d} UTC"
    return f"{day(at, reader)}, {at.hour:02d}:{at.minute:02d} UTC"


def date_of(ms: int, reader: str) -> str:
    """Write the day of a time of ours, in UTC."""
    return day(datetime.fromtimestamp(ms / 1000, UTC), reader)


def end_of(ms: int, reader: str) -> str:
    """Write an end that does not count itself: as the day that closes at it, or with its time if it is no midnight."""
    return date_of(last_ms(ms), reader) if closes_a_day(ms) else moment(ms, reader)


def clock(ms: int, reader: str) -> str:
    """Write the time of day alone, where the day stands beside it."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at.hour}.{at.minute:02d} UTC" if reader == "fi" else f"{at.hour:02d}:{at.minute:02d} UTC"


def date_text(value: str, reader: str) -> str:
    """Write an xsd date, year or time of a source with the precision it has; what is none stays as it is."""
    if _DATE.match(value):
        try:
            return day(datetime.fromisoformat(value[:10]), reader)
        except ValueError:
            return value
    return value


def is_open_end(value: str) -> bool:
    """Tell whether a date stands for "no end yet", as 9999-12-31 does."""
    return value.startswith("9999")


def number(value: int, reader: str) -> str:
    """Write a count: 9,814 in English, with a narrow space elsewhere."""
    return f"{value:,}" if reader == "en" else f"{value:,}".replace(",", "\u202f")


def decimal(value: float, reader: str) -> str:
    """Write a number with one decimal: 1,019.7 in English, 1 019,7 elsewhere."""
    whole, _, tenth = f"{value:,.1f}".partition(".")
    return f"{whole}.{tenth}" if reader == "en" else whole.replace(",", "\u202f") + f",{tenth}"


def size(octets: int, reader: str) -> str:
    """Write a file size in decimal units."""
    for unit, step in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if octets >= step * 0.99995:  # what would be rounded to 1000 of a unit is 1 of the next
            amount = f"{octets / step:.1f}".rstrip("0").rstrip(".")
            return f"{amount if reader == 'en' else amount.replace('.', ',')} {unit}{'t' if reader == 'fi' else 'B'}"
    return f"{octets} {'tavua' if reader == 'fi' else 'B'}"
