"""How people type questions: words, "phrases", beginnings*, -unwanted, OR, and field:value. Read leniently.

Nothing that somebody types is an error: quotes that never close are words, operators that join nothing are dropped,
control and direction characters are blanks, and a long paste is read as far as a question can be long. The result is
a value; what the words mean in an index is for `search.py`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Shape = Literal["word", "phrase", "prefix", "iri"]

MAX_TEXT = 2_000
MAX_WORDS = 32
_MAX_WORD = 200
# In the order in which they are shown.
FACETS = (
    "city",
    "kind",
    "theme",
    "format",
    "licence",
    "use",
    "access",
    "language",
    "publisher",
    "freshness",
    "quality",
    "keyword",
    "collection",
)
# Fields of text, and facets that may be named in the text itself; `keyword` and `publisher` are read as text there.
TEXT_FIELDS = ("title", "keyword", "publisher", "description")
FACET_FIELDS = tuple(name for name in FACETS if name not in TEXT_FIELDS)
_SPELT = {"license": "licence", "keywords": "keyword", "tag": "keyword", "tags": "keyword", "name": "title"}
# Typographic and full-width quotes are quotes; brackets of any width are blanks.
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»\uff02", '"') | dict.fromkeys("()[]{}\uff08\uff09", " "))
# Hyphen, en dash, minus sign; Solr's NOT.
_MINUS = "-\u2010\u2013\u2212!"
_JOINS = {"AND": "AND", "&&": "AND", "+": "AND", "OR": "OR", "||": "OR", "|": "OR", "NOT": "NOT"}
_FIELD = re.compile(r"([A-Za-z]{3,20}):")
_IRI = re.compile(r"(?:https?://|urn:)\S+\Z", re.IGNORECASE)
_EVERYTHING = frozenset({"*", "*:*"})


@dataclass(frozen=True, slots=True)
class Term:
    """One thing typed: its text as it was written, how it is to be found, and in which field ("" = anywhere)."""

    text: str
    shape: Shape = "word"
    field: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A question read: every clause must hold (one of its terms is enough), no unwanted term may.

    `filters` and `excluded` are facets named in the text, values as typed. `cut` tells that the text was longer than
    a question can be; `blank` that there was text, and nothing in it to look for.
    """

    clauses: tuple[tuple[Term, ...], ...] = ()
    unwanted: tuple[Term, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cut: bool = False
    blank: bool = False


def read_text(text: str) -> Parsed:
    """Read what somebody typed; never raises. At most 2,000 characters and 32 terms are looked at.

    >>> read_text('parking -garage "open data" OR bik* format:csv AND')
    ... # doctest: +NORMALIZE_WHITESPACE
    Parsed(clauses=((Term(text='parking', shape='word', field=''),),
                    (Term(text='open data', shape='phrase', field=''), Term(text='bik', shape='prefix', field=''))),
           unwanted=(Term(text='garage', shape='word', field=''),), filters={'format': ('csv',)}, excluded={},
           cut=False, blank=False)
    """
    plain = _plain(text[:MAX_TEXT])
    reading = _Reading()
    for number, piece in enumerate(_pieces(plain)):
        if number >= MAX_WORDS:
            reading.cut = True
            break
        reading.take(piece)
    return reading.parsed(cut=len(text) > MAX_TEXT, typed=not text.isspace() and bool(text))


def _plain(text: str) -> str:
    """Make control, direction and unpaired characters blanks, brackets too, and all double quotes alike."""
    kept = "".join(" " if unicodedata.category(char)[0] == "C" and char != "\u200d" else char for char in text)
    return unicodedata.normalize("NFC", kept).translate(_QUOTES)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run between blanks, or a quoted one, with the minus and the field before it taken off."""

    text: str
    quoted: bool = False
    minus: bool = False
    field: str = ""


def _pieces(text: str) -> Iterator[_Piece]:
    """Cut at blanks and quotes. A quote that never closes is a blank."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = _end_of_run(text, at)
        run = text[at:end]
        minus, name, rest = _heads(run)
        if text[end : end + 1] != '"':
            yield _Piece(rest, minus=minus, field=name)
            at = end
            continue
        close = text.find('"', end + 1)
        if rest:  # a quote in the middle of a word ends the word
            yield _Piece(rest, minus=minus, field=name)
            minus, name = False, ""
        if close < 0:
            at = end + 1
            continue
        yield _Piece(text[end + 1 : close], quoted=True, minus=minus, field=name)
        at = close + 1


def _end_of_run(text: str, at: int) -> int:
    while at < len(text) and not text[at].isspace() and text[at] != '"':
        at += 1
    return at


def _heads(run: str) -> tuple[bool, str, str]:
    """Take minus and field name off a run: `-format:csv` is (True, "format", "csv"). A lone minus says nothing."""
    bare = run.lstrip(_MINUS)
    minus = bare != run and (len(run) - len(bare)) == 1
    found = _FIELD.match(bare)
    if found and not _IRI.match(bare):
        name = found.group(1).lower()
        name = _SPELT.get(name, name)
        rest = bare[found.end() :].lstrip(":")
        if name in TEXT_FIELDS or name in FACET_FIELDS:
            # `format:-csv` is meant as `-format:csv`.
            return minus or rest[:1] == "-", name, rest.lstrip(_MINUS)
    return minus, "", bare


class _Reading:
    """Collects terms in the order typed; operators change what the next term is joined to."""

    def __init__(self) -> None:
        self.clauses: list[list[Term]] = []
        self.unwanted: list[Term] = []
        self.filters: dict[str, list[str]] = {}
        self.excluded: dict[str, list[str]] = {}
        self.cut = False
        self._join = ""
        self._not = False
        self._everything = False

    def take(self, piece: _Piece) -> None:
        join = "" if piece.quoted or piece.field or piece.minus else _JOINS.get(piece.text, "")
        if join == "NOT":
            self._not = True
        elif join:
            self._join = join
        elif piece.text in _EVERYTHING and not piece.quoted:
            self._everything = True
        elif piece.field in FACET_FIELDS:
            self._facet(piece)
        else:
            self._term(piece)

    def _facet(self, piece: _Piece) -> None:
        # `format:csv,json` is two values; a name in quotes may have commas.
        values = [piece.text] if piece.quoted else piece.text.split(",")
        where = self.excluded if piece.minus or self._not else self.filters
        for value in filter(None, (each.strip(" ;")[:_MAX_WORD] for each in values)):
            where.setdefault(piece.field, []).append(value)
        self._join, self._not = "", False

    def _term(self, piece: _Piece) -> None:
        term = _term_of(piece)
        if term is None:
            return
        if piece.minus or self._not:
            self.unwanted.append(term)
        elif self._join == "OR" and self.clauses:
            self.clauses[-1].append(term)
        else:
            self.clauses.append([term])
        self._join, self._not = "", False

    def parsed(self, *, cut: bool, typed: bool) -> Parsed:
        said = bool(self.clauses or self.unwanted or self.filters or self.excluded or self._everything)
        return Parsed(
            clauses=tuple(tuple(each) for each in self.clauses),
            unwanted=tuple(self.unwanted),
            filters={name: tuple(values) for name, values in self.filters.items()},
            excluded={name: tuple(values) for name, values in self.excluded.items()},
            cut=cut or self.cut,
            blank=typed and not said,
        )


def _term_of(piece: _Piece) -> Term | None:
    """Give the term of a piece; None where there is nothing in it that an index could hold."""
    text = piece.text[:_MAX_WORD]
    if piece.quoted:
        words = text.split()
        shape: Shape = "phrase" if len(words) > 1 else "word"
        return Term(" ".join(words), shape, piece.field) if _says(text) else None
    if _IRI.match(text):
        return Term(text.rstrip(",;"), "iri", piece.field)
    bare = text.strip("*")
    if not _says(bare):
        return None
    # A beginning of one letter would be half of the index.
    is_beginning = text.endswith("*") and len(bare) > 1 and "*" not in bare
    return Term(bare.replace("*", " "), "prefix" if is_beginning else "word", piece.field)


def _says(text: str) -> bool:
    return any(char.isalnum() for char in text)
