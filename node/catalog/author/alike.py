"""Which descriptions look like the same thing under two names: a question to a person, never an answer.

Two titles are alike if they have the same words, if one says all of the other and little more, or if they share most of
the words that hardly any title has and a good part of all: "parking" and "chatbot" tell little in a list of parking
chatbots. What titles have in common at their beginning is a family's name and counts for nothing. Which new ones are
alike follows from them alone, whatever is held. Near linear in the number of titles. Pure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

MOST = 200
"""How many pairs are named."""
_WORD = re.compile(r"[^\W_]{2,}")
_LEAST_WORDS, _SHARE, _OF_ALL = 2, 0.6, 1 / 3
_FEW = 3
"""A word of so many titles is rare; a title that more others begin to say is the name of a family."""
_WHOLE, _OF_WHOLE = 3, 1 / 2


@dataclass(frozen=True, slots=True)
class _Title:
    """A title's words by language, in order, and all of them."""

    texts: Mapping[str, tuple[str, ...]]
    words: frozenset[str]


def pairs(titles: Mapping[str, object], held: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Name the pairs whose titles are alike, of two new ones or of a held and a new one, the earlier first.

    Args:
        titles: Of the new ones, by name: texts by language.
        held: Of those that are here already.
    """
    new = {name: _read(title) for name, title in titles.items()}
    old = {name: _read(title) for name, title in held.items() if name not in titles}
    across = (pair for pair in _near({**old, **new}) if pair[0] in old and pair[1] in new)
    return tuple(islice(chain(_near(new), across), MOST))


def _read(title: object) -> _Title:
    said = title.items() if isinstance(title, Mapping) else ()
    texts = {str(tag): tuple(_WORD.findall(str(text).casefold())) for tag, text in said}
    return _Title(texts, frozenset(word for each in texts.values() for word in each))


def _near(titles: Mapping[str, _Title]) -> Iterator[tuple[str, str]]:
    often = Counter(word for each in titles.values() for word in each.words)
    rare = {name: frozenset(word for word in each.words if often[word] <= _FEW) for name, each in titles.items()}
    within = _within(titles, often)
    by_word: dict[str, list[str]] = defaultdict(list)
    by_all: dict[frozenset[str], str] = {}
    for name, own in rare.items():
        shared = {other for word in own for other in by_word[word]}
        near = {other for other in shared if _alike(titles[name], titles[other], own, rare[other])}
        same = by_all.setdefault(titles[name].words, name) if titles[name].words else name
        near |= within[name] | ({same} - {name})
        yield from ((other, name) for other in titles if other in near) if near else ()
        for word in own:
            by_word[word].append(name)


def _within(titles: Mapping[str, _Title], often: Counter[str]) -> dict[str, set[str]]:
    """Give for each the earlier ones of which one says all of the other and little more."""
    order = {name: at for at, name in enumerate(titles)}
    by_rarest: dict[str, list[str]] = defaultdict(list)
    around: dict[str, list[str]] = defaultdict(list)
    seen: set[frozenset[str]] = set()
    for name in sorted(titles, key=lambda each: len(titles[each].words)):
        own = titles[name].words
        if len(own) < _WHOLE or own in seen:
            continue
        seen.add(own)
        for other in (each for word in own for each in by_rarest[word]):
            if titles[other].words <= own and len(titles[other].words) >= _OF_WHOLE * len(own):
                around[other].append(name)
        by_rarest[min(own, key=lambda word: (often[word], word))].append(name)
    found: dict[str, set[str]] = defaultdict(set)
    for inner, outers in around.items():
        for outer in outers if len(outers) <= _FEW else ():
            earlier, later = sorted((inner, outer), key=order.__getitem__)
            found[later].add(earlier)
    return defaultdict(set, found)


def _alike(one: _Title, other: _Title, rare: frozenset[str], rare_too: frozenset[str]) -> bool:
    least = min(len(rare), len(rare_too))
    shared = len((rare & rare_too) - _beginning(one, other))
    both, either = one.words & other.words, one.words | other.words
    return shared >= _LEAST_WORDS and shared >= _SHARE * least and len(both) >= _OF_ALL * len(either)


def _beginning(one: _Title, other: _Title) -> set[str]:
    """Give the words that both begin with, in whichever language."""
    found: set[str] = set()
    for tag in one.texts.keys() & other.texts.keys():
        for mine, its in zip(one.texts[tag], other.texts[tag], strict=False):
            if mine != its:
                break
            found.add(mine)
    return found
