"""Publishers as the index counts them: one term for each spelling, with the names that a record gives in our languages.

A publisher is called as the reader calls it where any of its records does. Names are a stranger's text, cut short and
without the characters that divide a term. Pure.
"""

from collections.abc import Mapping, Sequence

from node.catalog.search.results import Count
from node.catalog.search.schema import TITLE_LANGUAGES
from node.catalog.search.told import Text, best_said

MAX_NAME = 200
_BETWEEN, _AFTER_TAG = "\x1f", "\x1e"


def term_of(slug: str, names: Sequence[Text]) -> str:
    """Write the term: the slug, then what each language of the pages would call it."""
    chosen = dict.fromkeys(best_said(names, language) for language in TITLE_LANGUAGES)
    return _BETWEEN.join([slug, *(f"{_plain(tag)}{_AFTER_TAG}{_plain(name)[:MAX_NAME]}" for name, tag in chosen)])


def counts(terms: Mapping[str, int], language: str) -> list[Count]:
    """Join the spellings of each publisher; the commonest that has the reader's language names it, else the commonest.

    Args:
        terms: How many records have each term.
        language: That of the reader.
    """
    spelt: dict[str, list[tuple[int, list[Text]]]] = {}
    for term, count in terms.items():
        slug, *named = term.split(_BETWEEN)
        parts = (each.partition(_AFTER_TAG) for each in named)
        spelt.setdefault(slug, []).append((count, [(name, tag) for tag, _, name in parts]))
    return [_count(slug, spellings, language) for slug, spellings in spelt.items()]


def _count(slug: str, spellings: Sequence[tuple[int, list[Text]]], language: str) -> Count:
    ranked = sorted(spellings, key=lambda each: (-each[0], each[1]))
    chosen = [best_said(names, language) for _, names in ranked]
    name, tag = next((each for each in chosen if each[1][:2] == language), chosen[0])
    return Count(slug, name or slug, sum(count for count, _ in spellings), tag if name else "")


def _plain(text: str) -> str:
    return " ".join(text.replace(_BETWEEN, " ").replace(_AFTER_TAG, " ").split())
