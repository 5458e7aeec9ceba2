"""Which records of several cities seem to be about the same thing: from their words, themes and columns.

A guess and never more: each suggestion says what it rests on, and a person decides. Two records belong together when
each is the other city's best match; words count by how rare they are, as in search. Pure: signatures in, suggestions
out, the same for the same records in any order.
"""

import math
import re
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from node.vocab.mappings import MappingBook
from node.vocab.ntriples import is_literal, language_of, split, value_of
from node.vocab.terms import DCAT, DCT, SCHEMA

CSVW_NAME = "http://www.w3.org/ns/csvw#name"
MOST_OF_A_WORD = 60  # records: a word of more says too little to begin with
_BEGIN_WITH = 6  # the rarest words of a record
_LIKE_ENOUGH = 0.42
_MOST_WORDS, _MOST_COLUMNS = 40, 200
_WORD = re.compile(r"[^\W\d_]{3,}")
# Weights that add up: a word of both title and keywords is what the record is about.
_IN_TITLE, _IN_KEYWORD = 2, 1
# Words that say what data is and not what it is about, and the commonest small words of the cities' languages.
_SAYS_NOTHING = """
and are con das data datos dataset datasets dati del della delle den der des dei det die else en for from gli het ilman
info information into ja les med och oder open over par per por pour rekisteri register sur the their tieto tiedot
tietoaineisto und uit van von voor with year annual statistics tilastot avoin kaupungin kaupunki city council municipal
map maps kartta kartat list lista service services palvelut api wfs wms csv
"""
_SILENT = frozenset(_SAYS_NOTHING.split())


@dataclass(frozen=True, slots=True)
class Signature:
    """What is compared of a record: words with their weight, codes of themes, names of columns, and its titles."""

    city: str
    iri: str
    titles: Mapping[str, str]
    words: Mapping[str, int]
    shown: Mapping[str, str]
    themes: frozenset[str]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A guess that records are comparable: their IRIs by city, and what it rests on. `name` stays while they do."""

    name: str
    title: Mapping[str, str]
    members: tuple[tuple[str, str], ...]
    terms: tuple[str, ...]
    themes: tuple[str, ...]
    columns: tuple[str, ...]
    score: float


def signature_of(city: str, iri: str, payload: bytes, book: MappingBook) -> Signature:
    """Read what is compared of a record, by its own statements and its columns'."""
    own = f"<{iri}> "
    titles: dict[str, str] = {}
    words: dict[str, int] = {}
    shown: dict[str, str] = {}
    themes: set[str] = set()
    columns: set[str] = set()
    for line in payload.decode().split("\n"):
        if line.startswith(own):
            _own(line, city, book, titles=titles, words=words, shown=shown, themes=themes, columns=columns)
        elif CSVW_NAME in line and len(columns) < _MOST_COLUMNS:
            columns |= _column(line)
    return Signature(city, iri, titles, words, shown, frozenset(themes), frozenset(columns))


def _own(
    line: str,
    city: str,
    book: MappingBook,
    *,
    titles: dict[str, str],
    words: dict[str, int],
    shown: dict[str, str],
    themes: set[str],
    columns: set[str],
) -> None:
    _, predicate, term = split(line)
    named = predicate[1:-1]
    if named == DCT.title and is_literal(term):
        titles.setdefault(language_of(term), value_of(term).strip()[:300])
        _take(value_of(term), _IN_TITLE, words, shown)
    elif named == DCAT.keyword:
        _take(value_of(term), _IN_KEYWORD, words, shown)
        themes.update(book.codes("keyword", value_of(term), city))
    elif named == DCAT.theme:
        themes.update(book.codes("theme", value_of(term), city))
    elif named == SCHEMA.variableMeasured and is_literal(term) and len(columns) < _MOST_COLUMNS:
        columns.add(_folded(value_of(term)[:200]))


def _column(line: str) -> set[str]:
    _, predicate, term = split(line)
    return {_folded(value_of(term)[:200])} if predicate == f"<{CSVW_NAME}>" else set()


def _take(text: str, weight: int, words: dict[str, int], shown: dict[str, str]) -> None:
    for word in _WORD.findall(text[:500].casefold()):
        stem = stem_of(word)
        if stem and (stem in words or len(words) < _MOST_WORDS):
            words[stem] = words.get(stem, 0) | weight
            shown.setdefault(stem, word)


@lru_cache(maxsize=65_536)
def stem_of(word: str) -> str:
    """Cut a word to what its forms share in most of the cities' languages; "" for words that say nothing.

    >>> stem_of("libraries") == stem_of("library"), stem_of("pysäköinti") == stem_of("pysäköintialueet")
    (True, True)
    """
    folded = _folded(word)
    if folded in _SILENT or len(folded) < 3:
        return ""
    stem = folded[:7]
    for _ in range(2):
        if len(stem) > 4 and stem[-1] in "aeiouys":
            stem = stem[:-1]
    return stem


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)).strip()


def suggest(signatures: Iterable[Signature], stop: threading.Event, *, limit: int) -> list[Suggestion]:
    """Group records of different cities, the likeliest first, at most one record of a city in each.

    Args:
        signatures: Of all records; 100,000 take some ten seconds and 350 MiB.
        stop: Once it is set nothing is found any more.
        limit: How many groups at most.
    """
    # In one order, so that ties fall the same way whatever order the shelf gives.
    known = sorted(signatures, key=lambda each: (each.city, each.iri))
    weights = _weights(known)
    lengths = [_length(each, weights) for each in known]
    best: dict[tuple[int, str], tuple[float, int]] = {}
    for one, other, score in _pairs(known, weights, lengths, stop):
        for mine, its in ((one, other), (other, one)):
            place = mine, known[its].city
            if (score, -its) > best.get(place, (0.0, 0)):
                best[place] = score, -its
    mutual = sorted(
        (-score, mine, -its)
        for (mine, _), (score, its) in best.items()
        if mine < -its and best.get((-its, known[mine].city), (0.0, 0))[1] == -mine
    )
    groups = _grouped(known, [(mine, its, -score) for score, mine, its in mutual])
    solid = [(places, score) for places, score in groups if _is_solid([known[place] for place in places])]
    found = [_suggestion([known[place] for place in places], score, weights) for places, score in solid]
    return sorted(found, key=lambda each: (-each.score * math.sqrt(len(each.members)), each.name))[:limit]


def _weights(known: Sequence[Signature]) -> dict[str, float]:
    often = Counter(word for each in known for word in each.words)
    return {word: math.log(1 + len(known) / count) for word, count in often.items()}


def _length(one: Signature, weights: Mapping[str, float]) -> float:
    return math.sqrt(sum((weights[word] * weight) ** 2 for word, weight in one.words.items())) or 1.0


def _pairs(
    known: Sequence[Signature], weights: Mapping[str, float], lengths: Sequence[float], stop: threading.Event
) -> Iterator[tuple[int, int, float]]:
    """Score the pairs that share one of their rarest words."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(known):
        for word in each.words:
            holders[word].append(place)
    for place, each in enumerate(known):
        if place % 500 == 0 and stop.is_set():
            return
        usable = [word for word in each.words if len(holders[word]) <= MOST_OF_A_WORD]
        rarest = sorted(usable, key=lambda word: (-weights[word] * each.words[word], word))[:_BEGIN_WITH]
        others = {other for word in rarest for other in holders[word] if known[other].city != each.city}
        for other in others:
            # A record in three languages is longer than the same in one, so the shorter one's length counts more.
            short, long = sorted((lengths[place], lengths[other]))
            score = _score(each, known[other], weights) / (short * math.sqrt(short * long))
            score = _with_themes(each, known[other], score)
            if score >= _LIKE_ENOUGH:
                yield place, other, score


def _score(one: Signature, other: Signature, weights: Mapping[str, float]) -> float:
    shared = one.words.keys() & other.words.keys()
    return sum(weights[word] ** 2 * one.words[word] * other.words[word] for word in shared)


def _with_themes(one: Signature, other: Signature, score: float) -> float:
    if one.themes and other.themes:
        score *= 1.15 if one.themes & other.themes else 0.6
    if one.columns and other.columns:
        score += 0.5 * len(one.columns & other.columns) / len(one.columns | other.columns)
    return score


def _grouped(known: Sequence[Signature], edges: Sequence[tuple[int, int, float]]) -> list[tuple[list[int], float]]:
    """Join the surest pairs first; a group never holds two records of one city."""
    group: dict[int, list[int]] = {}
    scores: dict[int, float] = {}
    for one, other, score in edges:
        mine, its = group.get(one, [one]), group.get(other, [other])
        if mine is its or {known[place].city for place in mine} & {known[place].city for place in its}:
            continue
        joined = sorted([*mine, *its])
        # A group is as sure as its weakest pair.
        scores[joined[0]] = min([score, *(scores[places[0]] for places in (mine, its) if len(places) > 1)])
        for place in joined:
            group[place] = joined
    unique = {tuple(places) for places in group.values()}
    return [(list(places), scores[places[0]]) for places in sorted(unique)]


def _is_solid(members: Sequence[Signature]) -> bool:
    """Tell whether there is more to a group than one shared word, or if that word is all that a title says."""
    shared = _often(each.words for each in members)
    if len(shared) > 1 or _often(each.themes for each in members) or _often(each.columns for each in members):
        return True
    titles = [{word for word, weight in each.words.items() if weight & _IN_TITLE} for each in members]
    return any(words and words <= shared for words in titles)


def _often(values: Iterable[Iterable[str]]) -> set[str]:
    """Give what at least two of them hold."""
    return {value for value, count in Counter(one for each in values for one in each).items() if count > 1}


def _suggestion(members: Sequence[Signature], score: float, weights: Mapping[str, float]) -> Suggestion:
    shared = sorted(_often(each.words for each in members), key=lambda word: (-weights[word], word))[:6]
    shown = [next(each.shown[word] for each in members if word in each.shown) for word in shared]
    shortest = min(members, key=lambda each: (len(_any(each.titles)), each.iri))
    name = sha256("\n".join(sorted(each.iri for each in members)).encode()).hexdigest()[:12]
    return Suggestion(
        name=name,
        title=dict(shortest.titles),
        members=tuple((each.city, each.iri) for each in members),
        terms=tuple(shown),
        themes=tuple(sorted(_often(each.themes for each in members))),
        columns=tuple(sorted(_often(each.columns for each in members)))[:20],
        score=round(score, 3),
    )


def _any(titles: Mapping[str, str]) -> str:
    return titles.get("en") or next(iter(titles.values()), "")
