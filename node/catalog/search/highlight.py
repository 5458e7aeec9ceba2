"""Why a record was found: its title and the telling part of its description, with the words asked for marked.

Texts come from strangers and leave as HTML, so everything but our own `<mark>` is escaped here, in one place. A word is
marked if it is the one asked for, an inflection of it (the stems agree in one of the index's languages), or a compound
that it begins or ends. Pure: the stems come in as a callable.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape, unescape
from itertools import pairwise

WIDTH = 240
_MAX_TEXT = 6_000
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^<>]{0,300}>")
_SYMBOLS = re.compile(r"[*_`#>|]{2,}|(?<=\s)[#>*](?=\s)|\]\([^)\s]{0,500}\)|!?\[(?=[^\]]{0,300}\]\()")
_MARKUP = re.compile(r"[<&*_`#>|\[\t\n\r]|  ")
_COMPOUND_FROM = 4
_SHARED = 3

Stems = Callable[[str], frozenset[str]]
"""A folded word -> its stems in every language of the index, itself among them."""


class Marker:
    """Marks the words of one question in many texts."""

    def __init__(self, words: Iterable[str], *, fold: Callable[[str], str], stems: Stems) -> None:
        """Take the words asked for, as typed; beginnings (`park*`) are words here."""
        self._fold = fold
        self._stems = stems
        self._words = {fold(word) for text in words for word in _WORD.findall(text)} - {""}
        self._asked = frozenset(stem for word in self._words for stem in stems(word))
        self._parts = tuple(word for word in self._words if len(word) >= _COMPOUND_FROM)
        # Inflections share their beginning with what they are of, so most words of a text need no stemming.
        self._beginnings = frozenset(stem[:_SHARED] for stem in self._asked)
        self._known: dict[str, bool] = {}
        begun = "|".join(map(re.escape, sorted(self._beginnings)))
        ended = "".join(rf"|\w*{re.escape(part)}(?!\w)" for part in sorted(self._parts))
        self._likely = re.compile(rf"(?<!\w)(?:(?:{begun})\w*{ended})")

    def title(self, text: str) -> str:
        """Give the whole text marked; empty if nothing in it was asked for."""
        found = self._found(text)
        return _marked(text, 0, len(text), found) if found else ""

    def excerpt(self, text: str) -> str:
        """Give about 240 characters around what was asked for; empty if nothing was."""
        # Most texts of most records have none of it, and taking markup off costs more than looking.
        flat = text[:_MAX_TEXT]
        found = self._found(flat)
        if found and _MARKUP.search(flat):
            flat = plain(flat)
            found = self._found(flat)
        if not found:
            return ""
        start, end = _window(flat, self._best(flat, found))
        return ("… " if start else "") + _marked(flat, start, end, found) + (" …" if end < len(flat) else "")

    def _found(self, text: str) -> list[tuple[int, int]]:
        """Give where the words asked for stand. Most words are told apart by their letters, before any is stemmed."""
        if not self._words:
            return []
        folded = self._fold(text)
        # Folding keeps places but for ligatures and the like; then every word is looked at by itself.
        likely = self._likely.finditer(folded) if len(folded) == len(text) else _WORD.finditer(text)
        return [match.span() for match in likely if self._is_asked(match.group())]

    def _is_asked(self, word: str) -> bool:
        known = self._known.get(word)
        if known is None:
            folded = self._fold(word)
            known = folded in self._asked or folded.startswith(self._parts) or folded.endswith(self._parts)
            if not known and folded[:_SHARED] in self._beginnings:
                known = not self._asked.isdisjoint(self._stems(folded))
            self._known[word] = known
        return known

    def _best(self, text: str, found: Sequence[tuple[int, int]]) -> int:
        """Give where the stretch with the most different words asked for begins; the first of equals."""
        folded = [(start, self._fold(text[start:end])) for start, end in found]
        best, most = found[0][0], 0
        for start, _ in folded:
            here = len({word for at, word in folded if start <= at < start + WIDTH})
            if here > most:
                best, most = start, here
        return best


def plain(text: str) -> str:
    """Take markup off a description: HTML tags and entities, the commonest marks of Markdown, runs of blanks."""
    bare = unescape(_TAG.sub(" ", text[:_MAX_TEXT]))
    return " ".join(_SYMBOLS.sub(" ", bare).split())


def _window(text: str, best: int) -> tuple[int, int]:
    """Give start and end of the stretch shown, at words' edges where there are some near."""
    start = max(0, min(best - 60, len(text) - WIDTH))
    if start:
        blank = text.find(" ", start, best)
        start = blank + 1 if blank >= 0 else best
    end = min(len(text), start + WIDTH)
    if end < len(text):
        blank = text.rfind(" ", best + 1, end)
        end = blank if blank > best else end
    return start, end


def _marked(text: str, start: int, end: int, found: Sequence[tuple[int, int]]) -> str:
    inside = [(a, min(b, end)) for a, b in found if start <= a < end]
    edges = [start, *(edge for span in inside for edge in span), end]
    pieces = [escape(text[a:b]) for a, b in pairwise(edges)]
    # Every second piece is a word asked for.
    return "".join(f"<mark>{piece}</mark>" if number % 2 else piece for number, piece in enumerate(pieces))
