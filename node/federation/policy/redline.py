"""What changed between two versions, as a diff of sentences: clause by clause, and word by word within a clause.

People compare what they read; JSON is never shown. Sentences are paired within their section: equal ones first, then
those that have most of their words in common, in order. A clause that only moved to another number is the same.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from node.federation.policy.sentences import Sentence, Terms, sections

_WORDS = re.compile(r"<[^<>]*>\s*|\w+\s*|[^\w\s]\s*|\s+")
# A longer sentence, which may be a stranger's, is marked as a whole: finding what is common takes the square of it.
_MAX_WORDS = 2_000
# Below this share of common words two sentences are one removed and one added.
_ALIKE = 0.5

Kind = Literal["same", "added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One clause in both versions; `old` or `new` is missing where there is none.

    `marks` are the words of a changed clause in order, each stretch marked same, added or removed.
    """

    kind: Kind
    old: Sentence | None
    new: Sentence | None
    marks: tuple[tuple[Kind, str], ...] = ()


def redline(old: Terms, new: Terms, lang: str) -> list[Change]:
    """Compare two versions in the sentences of one language, in order of the clauses; the title comes first.

    Raises:
        Malformed: As `sentences` does.
    """
    before, after = _by_section(old, lang), _by_section(new, lang)
    return [
        change
        for number in sorted(before.keys() | after.keys())
        for change in _section(before.get(number, []), after.get(number, []))
    ]


def plain_redline(changes: Sequence[Change]) -> str:
    """Write the changes as text, one clause a line: `+` added, `-` removed, `~` changed with [-words-] {+words+}."""
    return "".join(f"{line}\n" for change in changes if (line := _line(change)))


def _line(change: Change) -> str:
    if change.kind == "changed" and change.new is not None:
        marked = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
        return f"~ {change.new.number} " + "".join(marked[kind].format(words) for kind, words in change.marks)
    one = change.new or change.old
    return f"{ {'same': ' ', 'added': '+', 'removed': '-'}[change.kind] } {one.number} {one.text}" if one else ""


def _by_section(said: Terms, lang: str) -> dict[str, list[Sentence]]:
    found = {section.number: list(section.sentences) for section in sections(said, lang)}
    title = str(said.about.get("title") or "")
    return ({"0": [Sentence("about-title", "0", title)]} if title else {}) | found


def _section(old: list[Sentence], new: list[Sentence]) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [one.text for one in old], [one.text for one in new], autojunk=False)
    for tag, start, end, begun, done in matcher.get_opcodes():
        if tag == "equal":
            yield from (Change("same", *pair) for pair in zip(old[start:end], new[begun:done], strict=True))
        else:
            yield from _replaced(old[start:end], new[begun:done])


def _replaced(old: Sequence[Sentence], new: Sequence[Sentence]) -> Iterator[Change]:
    """Pair what is alike, in order; what is left over is removed, then added, before the next pair."""
    begun = done = 0
    for before, after in [*_pairs(old, new), (len(old), len(new))]:
        yield from (Change("removed", one, None) for one in old[begun:before])
        yield from (Change("added", None, one) for one in new[done:after])
        if before < len(old) and after < len(new):
            yield Change("changed", old[before], new[after], tuple(_marks(old[before].text, new[after].text)))
        begun, done = before + 1, after + 1


def _pairs(old: Sequence[Sentence], new: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """Give each new sentence the likest of the old ones that still stand behind the last pair."""
    before, words = _bags(old), _bags(new)
    at = 0
    for after in range(len(new)):
        alike = ((_alike(before[number], words[after]), -number) for number in range(at, len(old)))
        likeness, place = max(alike, default=(0.0, 0))
        if likeness >= _ALIKE:
            yield -place, after
            at = -place + 1


def _bags(said: Sequence[Sentence]) -> list[tuple[str, Counter[str]]]:
    return [(one.clause, Counter(_WORDS.findall(one.text))) for one in said]


def _alike(old: tuple[str, Counter[str]], new: tuple[str, Counter[str]]) -> float:
    """Give the share of words that two sentences have in common; what stands beside the rules is known by its name."""
    if old[0].startswith("about-") and old[0] == new[0]:
        return 1.0
    return 2 * (old[1] & new[1]).total() / max(1, old[1].total() + new[1].total())


def _marks(old: str, new: str) -> Iterator[tuple[Kind, str]]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > _MAX_WORDS:
        before, after = [old], [new]
    for tag, start, end, begun, done in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(before[start:end])
            continue
        if start < end:
            yield "removed", "".join(before[start:end])
        if begun < done:
            yield "added", "".join(after[begun:done])
