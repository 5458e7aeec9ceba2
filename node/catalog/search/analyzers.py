"""How text becomes the terms of the index: words, stems, parts of compounds, and the values facets and orders have.

The searcher must make its terms here too: both sides or neither. Words are folded first and reduced to stems then, so
what is typed without its accents finds the same stems. tantivy's Snowball stemmers do the languages they know; others
keep their words whole. Pure: what is kept between calls is bounded, and can be lost at any moment.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

STEMMERS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
# Languages that write compounds as one word. Others gain nothing from parts but false friends.
COMPOUNDING = frozenset({"da", "de", "et", "fi", "hu", "is", "nb", "nl", "nn", "no", "sv"})
MAX_WORD = 1000
_LONG = 8  # a stem from this length on may be a compound
_LEAST_BEGINNING = 4
_LEAST_END = 3
_MOST_PARTED = 40
_MOST_KEPT = 100_000
# Scripts that write no spaces: each sign is a word, and what belongs together is found as a phrase.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
# Letters with a stroke, which Unicode does not take apart.
_STROKES = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "\u0131": "i"}
)
_STROKED = re.compile("[øæœłđðþħŧ\u0131]")
_LATE = str.maketrans({"å": "{", "ä": "|", "ö": "}"})
_BRACES = str.maketrans(dict.fromkeys("{|}", " "))
_TITLE = 100  # characters of a title that its place among others depends on
_NORDIC = frozenset({"fi", "sv"})
_SORTED = b" 0123456789abcdefghijklmnopqrstuvwxyz{|}"
_BASE = len(_SORTED) + 1
_DIGITS = bytes(_SORTED.find(code) if code in _SORTED else _BASE - 1 for code in range(256))
_FIRST = 11  # characters in a title's number: 41 ** 11 < 2 ** 63


def fold(text: str) -> str:
    """Give text in lower case without accents: `Pysäköinti` and `pysakointi` are the same."""
    low = text.casefold()
    if low.isascii():
        return low
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", low))
    # What compatibility takes apart may be upper case again (such as a sign for a unit).
    plain = plain.casefold()
    return plain.translate(_STROKES) if _STROKED.search(plain) else plain


def _words(text: str) -> list[str]:
    return [word[:MAX_WORD] for word in _WORD.findall(fold(text))]


def _folded_byte(character: str) -> int:
    """Give what a character of a western code page is folded to as a byte; 1 if that is no single ASCII character."""
    found = _words(character)
    if not found:
        return ord(" ")
    return ord(found[0]) if len(found) == 1 and len(found[0]) == 1 and found[0].isascii() else 1


# Divides the texts of one language while they are looked at together (`analyzed`); no word has it in it.
_MARK = "\x02"
_ODD = b"\x01"
_LATIN1 = bytes(2 if code == 2 else _folded_byte(chr(code)) for code in range(256))
_CP1252 = bytes(2 if code == 2 else _folded_byte(bytes([code]).decode("cp1252", "replace")) for code in range(256))


def _western(text: str) -> str | None:
    """Fold western text by tables of bytes, ten times as fast as `_words`, which says the same; None for other text."""
    try:
        plain = text.encode("latin-1").translate(_LATIN1)
    except UnicodeEncodeError:
        try:
            plain = text.encode("cp1252").translate(_CP1252)  # with dashes, quotes and bullets
        except UnicodeEncodeError:
            return None
    return None if _ODD in plain else plain.decode("ascii")


def words(text: str) -> list[str]:
    """Give the folded words of a text in order; each at most 1,000 characters."""
    plain = _western(text)
    if plain is None or _MARK in plain:
        return _words(text)
    found = plain.split()
    return found if len(plain) <= MAX_WORD else [word[:MAX_WORD] for word in found]


class _Stems(dict[str, str]):
    """The stems of one language, made when they are first asked for. Forgets all when there are too many."""

    def __init__(self, language: str) -> None:
        self._analyzer: TextAnalyzer = (
            TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(STEMMERS[language])).build()
        )
        self[_MARK] = _MARK

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST_KEPT:
            self.clear()
            self[_MARK] = _MARK
        found = self._analyzer.analyze(word)
        self[word] = stem = found[0] if found and found[0] else word
        return stem


@lru_cache(maxsize=64)
def _stems_of(language: str) -> _Stems | None:
    return _Stems(language) if language in STEMMERS else None


def analyzed(texts: Sequence[str], language: str) -> list[tuple[str, str]]:
    """Give words and stems of some texts of one language, divided by blanks: what `words` and `stems` give, sooner."""
    plain = _western(f" {_MARK} ".join(texts))
    known = _stems_of(base_of(language))
    if plain is None or plain.count(_MARK) != len(texts) - 1:  # not western, or with the mark in it
        each = [words(text) for text in texts]
        return [(" ".join(found), " ".join(stems(found, language))) for found in each]
    reduced = plain if known is None else " ".join(map(known.__getitem__, plain.split()))
    return list(zip(plain.split(_MARK), reduced.split(_MARK), strict=True))


@lru_cache(maxsize=1024)
def base_of(language: str) -> str:
    """Give the first part of a language tag."""
    return language.partition("-")[0].lower()


def stems(found: Iterable[str], language: str) -> list[str]:
    """Reduce folded words (see `words`) to stems of a language, by its tag; unknown languages keep them whole."""
    known = _stems_of(base_of(language))
    return list(map(known.__getitem__, found)) if known is not None else list(found)


class _Parts(dict[str, str]):
    """The parts of stems, as the tokens of a document."""

    def __missing__(self, stem: str) -> str:
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[stem] = found = " ".join(_parts(stem))
        return found


def _parts(stem: str) -> list[str]:
    size = len(stem)
    if not _LONG <= size <= _MOST_PARTED or not stem.isalpha():
        return []
    beginnings = [stem[:n] + "-" for n in range(_LEAST_BEGINNING, size)]
    return beginnings + ["-" + stem[-n:] for n in range(_LEAST_END, size - _LEAST_BEGINNING + 1)]


_PARTS = _Parts()


def parts(found: Iterable[str], language: str) -> str:
    """Give the beginnings and ends of the long ones among some stems, divided by blanks; "" where none are written."""
    return " ".join(map(_PARTS.__getitem__, found)) if base_of(language) in COMPOUNDING else ""


def as_parts(stem: str) -> tuple[str, ...]:
    """Give the terms under which a stem is found as a part of longer ones: as their beginning, as their end."""
    beginning = (stem + "-",) if len(stem) >= _LEAST_BEGINNING else ()
    return (*beginning, "-" + stem) if len(stem) >= _LEAST_END else beginning


def keyword_value(text: str) -> str:
    """Give a keyword as a facet's value: lower case, blanks collapsed, accents kept; at most 100 characters."""
    return " ".join(unicodedata.normalize("NFC", text).lower().split())[:100]


def place_value(name: str) -> str:
    """Give the name of a place as the index has it: folded words; at most 100 characters."""
    return " ".join(words(name))[:100]


def hash_of(text: str) -> int:
    """Name a text by a number of 63 bits."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


def key_of(collection: str, iri: str) -> str:
    """Name the one document of a record in a collection."""
    return f"{collection}\x1f{iri}"


# å, ä and ö as what comes after z in ASCII.
_NORDIC_LATIN1 = bytes(
    ord(chr(code).lower().translate(_LATE)) if chr(code).lower() in "åäö" else _LATIN1[code] for code in range(256)
)
_TITLE_WORD = re.compile(r"(?:[^\W_]|[{|}])+")


def title_key(title: str, language: str, key_hash: int) -> str:
    """Give what titles are ordered by; Finnish and Swedish readers expect å, ä and ö after z."""
    cut = title[:_TITLE]
    plain = " ".join(_nordic(cut) if language in _NORDIC and not cut.isascii() else words(cut))
    return f"{plain[:_TITLE]}\x1f{key_hash:016x}"


def _nordic(text: str) -> list[str]:
    try:
        plain = text.encode("latin-1").translate(_NORDIC_LATIN1)
    except UnicodeEncodeError:
        plain = _ODD
    if _ODD not in plain:
        return plain.decode("ascii").split()
    low = unicodedata.normalize("NFC", text.casefold().translate(_BRACES)).translate(_LATE)
    return _TITLE_WORD.findall(fold(low))


def title_number(key: str) -> int:
    """Give the first characters of a title's key as a number; of two keys the later never has the smaller one."""
    number, room = 0, _FIRST
    # What is not ASCII is beyond all letters we tell apart, as `?` is in the table.
    for digit in key[:_FIRST].partition("\x1f")[0].encode("ascii", "replace").translate(_DIGITS):
        number = number * _BASE + digit
        room -= 1
        if digit == _BASE - 1:  # and so is whatever follows it
            break
    return number * int(_BASE**room)
