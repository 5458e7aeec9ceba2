"""Which descriptions look like the same thing under two names: a question to a person, never an answer.

Two titles are alike if they have the same words, or share most of those words that few titles have: "parking" and
"chatbot" tell little in a list of parking chatbots. Near linear in the number of titles. Pure.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

MOST = 200
"""How many pairs are named."""
_WORD = re.compile(r"[^\W_]{2,}")
_LEAST_WORDS, _SHARE, _FEW, _PART = 2, 0.6, 3, 20


def pairs(titles: Mapping[str, object], held: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Name the pairs whose titles are alike, of two new ones or of a held and a new one, the earlier first.

    Args:
        titles: Of the new ones, by name: texts by language.
        held: Of those that are here already.
    """
    words = {name: _words(title) for name, title in {**held, **titles}.items()}
    often = Counter(word for each in words.values() for word in each)
    limit = max(_FEW, len(words) // _PART)
    rare = {name: frozenset(word for word in each if often[word] <= limit) for name, each in words.items()}
    found: list[tuple[str, str]] = []
    for pair in _near(words, rare):
        if pair[1] in titles:
            found.append(pair)
        if len(found) == MOST:
            break
    return tuple(found)


def _near(words: Mapping[str, frozenset[str]], rare: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    by_word: dict[str, list[str]] = defaultdict(list)
    by_all: dict[frozenset[str], str] = {}
    for name, own in rare.items():
        shared = Counter(other for word in own for other in by_word[word])
        near = [other for other, number in shared.items() if _alike(own, rare[other], number)]
        same = by_all.setdefault(words[name], name)
        yield from ((other, name) for other in near)
        if same != name and same not in near and words[name]:
            yield (same, name)
        for word in own:
            by_word[word].append(name)


def _words(title: object) -> frozenset[str]:
    texts = title.values() if isinstance(title, Mapping) else ()
    return frozenset(word for text in texts for word in _WORD.findall(str(text).casefold()))


def _alike(one: frozenset[str], other: frozenset[str], shared: int) -> bool:
    least = min(len(one), len(other))
    return least >= _LEAST_WORDS and shared >= _SHARE * least
