"""What was meant by a word: those of an index a slip of the finger away from one that it does not know.

Only the public index is ever asked, and only words that the asker may see, so nothing of a restricted record is told.
Distance counts letters put in, left out, changed or swapped with their neighbour: one for short words, two for long.
"""

from collections.abc import Callable, Iterable, Sequence

from tantivy import Query, Searcher

from node.catalog.search import analyzers
from node.catalog.search.reader import Parsed
from node.catalog.search.schema import BODY, KEYWORDS, MORE, TITLE

_FIELDS = (TITLE, KEYWORDS, MORE, BODY)
_MOST_LOOKED_AT = 5_000
_SHORTEST = 4
_LONG = 8
_MOST = 5


class Words:
    """The words of one index, as far as one asker may see them."""

    def __init__(self, searcher: Searcher, seen: Query | None = None) -> None:
        """Ask of an index; `seen` tells which documents count, None for all."""
        self._searcher = searcher
        self._seen = seen
        self._near: dict[str, tuple[str, ...]] = {}

    def near(self, word: str) -> tuple[str, ...]:
        """Give up to five words near a folded one, nearest first, then most frequent; none for short ones."""
        known = self._near.get(word)
        if known is None:
            known = self._near[word] = self._looked_up(word) if len(word) >= _SHORTEST else ()
        return known

    def _looked_up(self, word: str) -> tuple[str, ...]:
        most = 2 if len(word) >= _LONG else 1
        # Most slips spare the first two letters; where that finds nothing the first may have been swapped or slipped.
        for beginnings in ((word[:2],), (word[0], word[1])):
            found = ranked(word, self._beginning(beginnings), most)
            if found:
                return found
        return ()

    def _beginning(self, beginnings: Iterable[str]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for beginning in beginnings:
            for field in _FIELDS:
                terms = self._searcher.terms_with_prefix(field, beginning, self._seen, _MOST_LOOKED_AT)
                for term, count in terms:
                    counts[term] = max(counts.get(term, 0), count)
        return counts


def ranked(word: str, counts: dict[str, int], most: int) -> tuple[str, ...]:
    """Give the words within a distance, nearest first, then most frequent."""
    found, letters = [], set(word)
    for each, count in counts.items():
        # Each slip makes at most two letters differ; most words are told apart by that alone.
        if abs(len(each) - len(word)) <= most and each != word and len(letters.symmetric_difference(each)) <= 2 * most:
            away = distance(word, each, most)
            if away <= most:
                found.append((away, -count, each))
    return tuple(each for _, _, each in sorted(found)[:_MOST])


def distance(left: str, right: str, most: int) -> int:
    """Count the slips between two words (optimal string alignment); more than `most` is told as `most + 1`.

    >>> distance("bicyle", "bicycle", 2), distance("pakring", "parking", 2), distance("bus", "tram", 2)
    (1, 1, 3)
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i] + [0] * len(right)
        for j, b in enumerate(right, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def did_you_mean(parsed: Parsed, text: str, knows: Callable[[str], bool], near: Callable[[str], Sequence[str]]) -> str:
    """Give the text with its unknown words put right; empty if none is, or none can be."""
    corrected = text
    for clause in parsed.clauses:
        for term in clause:
            found = analyzers.words(term.text)
            if term.shape != "word" or len(found) != 1 or knows(found[0]):
                continue
            nearest = near(found[0])
            if nearest:
                corrected = corrected.replace(term.text, nearest[0])
    return corrected if corrected != text else ""
