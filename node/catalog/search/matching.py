"""What the words of a question mean in an index: terms, stems, parts of compounds, phrases; and how much each counts.

The weights are the whole of our ranking beside BM25: records with all words in titles or keywords come first; a word
in a title is worth more than one in a description, as it was typed more than an inflection of it, and an inflection in
the reader's language more than one in another. Nothing is
weighed by record, city or publisher. Terms are made by `analyzers`, as the documents' are. An index is asked which of
the many stems that a word may stand as it has at all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from tantivy import Filter, Occur, Query, Searcher, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

from node.catalog.search import analyzers
from node.catalog.search.reader import Parsed, Term
from node.catalog.search.schema import (
    ALL_STEMS,
    BODY,
    IDENT,
    IRI,
    KEYWORD_STEMS,
    KEYWORDS,
    MORE,
    PARTS,
    PUBLISHER,
    SAME_TITLE,
    TITLE,
    TITLE_STEMS,
    schema,
)
from node.records import slug_of

# Field of words, field of stems, weight: where a word counts for more than that it is there.
Layer = tuple[str, str, float]
_TITLE: Layer = (TITLE, TITLE_STEMS, 4.0)
_KEYWORDS: Layer = (KEYWORDS, KEYWORD_STEMS, 2.5)
_LAYERS: tuple[Layer, ...] = (_TITLE, _KEYWORDS)
# What phrases and beginnings are looked for in: they need words as they are spelt.
_SPELT: Mapping[str, tuple[tuple[str, float], ...]] = {
    "": ((TITLE, 4.0), (KEYWORDS, 2.5), (MORE, 1.0), (BODY, 1.0)),
    "title": ((TITLE, 4.0),),
    "keyword": ((KEYWORDS, 2.5),),
    "description": ((BODY, 1.0),),
}
_AS_TYPED = 1.0
_INFLECTED = 0.85
_ELSEWHERE = 0.5  # an inflection in a language that is not the reader's
_PART = 1.2
_NEARLY = 0.8  # a word that is only near the one typed
_MANY = 64
_LONG_ENOUGH = 8
_ENDING = 3
_IDENT = 10.0
_TOGETHER = 1.5  # all words side by side in the title
_WHOLE_TITLE = 8.0
_TITLE_KEPT = 100  # characters of a title by which it is the same as another
_TIE = 0.2  # how much the weaker fields of a word add to its strongest
_READ_BY_ALL = ("en",)
_STOPPED = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "sv": "swedish",
}
# Words that ask, which are in no list of words that join.
_ASKING = {
    "de": "wo was welche wie viele wer wann gibt",
    "en": "where what which who when how many much can i my do does find there have has from me",
    "es": "donde que cual cuantos como cuando hay",
    "fi": "missa mika mita mitka kuinka paljon miten kuka milloin mista mihin loytyy",
    "fr": "ou quel quelle quels quelles combien comment quand y",
    "it": "dove quale quali quanti quante come quando cosa",
    "nl": "waar wat welke hoeveel hoe wie wanneer kan ik vind",
    "sv": "var vad vilka vilken hur manga mycket nar vem finns",
}

Near = Callable[[str], Sequence[str]]
"""A folded word that the index does not know -> words of the index that it may have been meant as, nearest first."""


def none() -> Query:
    """Give the query that nothing answers."""
    return Query.empty_query()


def free(query: Query) -> Query:
    """Make a condition of a query: it decides, and adds nothing to the score."""
    return Query.const_score_query(query, 0.0)


def any_of(queries: Sequence[Query]) -> Query:
    """Give the query that one of several is enough for."""
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, each) for each in queries])


def one_of(field: str, values: Sequence[object]) -> Query:
    """Ask for one of several values of a field. A set of them is looked through whole, so it pays for many only."""
    if len(values) > _MANY:
        return Query.term_set_query(schema(), field, values)
    return any_of([Query.term_query(schema(), field, value) for value in values]) if values else none()


def _term(field: str, value: object, weight: float) -> Query:
    return Query.boost_query(Query.term_query(schema(), field, value), weight)


def _best(queries: Sequence[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries, tie_breaker=_TIE)


class Literally:
    """A question as it was typed, asked of one index."""

    def __init__(self, searcher: Searcher, language: str, *, scored: bool = True) -> None:
        """Ask of an index for a reader of a language; what is only counted need not be `scored`: that is faster."""
        self._searcher = searcher
        self._language = analyzers.base_of(language)
        self._scored = scored

    def all_words(self, parsed: Parsed) -> Query | None:
        """Give the query that every clause must hold for; None if it asks for no words.

        Words that only join others in English or the reader's language need not be found, unless there is nothing else.
        """
        must, may = self._told_apart(parsed)
        subqueries = [(Occur.Must, self._any(clause)) for clause in must]
        unwanted = self._unwanted(parsed)
        if not subqueries:
            return Query.boolean_query([(Occur.Must, Query.all_query()), *unwanted]) if unwanted else None
        raising = [(Occur.Should, self._any(clause)) for clause in may] + _bonuses(parsed) if self._scored else []
        return Query.boolean_query([*subqueries, *raising, *unwanted])

    def in_titles(self, parsed: Parsed) -> Query | None:
        """Give the query of records that have all words in titles or keywords; None if that cannot be told.

        Those come first, whatever else is weighed: where there are enough of them no others need be weighed at all.
        """
        ways = [[self._in_titles(term) for term in clause] for clause in self._told_apart(parsed)[0]]
        if not ways or not all(each is not None for clause in ways for each in clause):
            return None
        musts = [any_of([each for each in clause if each is not None]) for clause in ways]
        return free(Query.boolean_query([(Occur.Must, each) for each in musts]))

    def _in_titles(self, term: Term) -> Query | None:
        found = analyzers.words(term.text)
        if term.shape != "word" or term.field or len(found) != 1:
            return None
        stems, parts = _stems(found[0], self._language), [(PARTS, part, 1.0) for part in _parts(found[0])]
        ways = [(TITLE_STEMS, stem, 1.0) for stem, _ in stems] + [(KEYWORD_STEMS, stem, 1.0) for stem, _ in stems]
        known = self._known([*ways, *parts])
        return any_of(known) if known else none()

    def meaning(self, term: Term) -> Query:
        """Give the query of one term. One in which there is no word of any script is answered by nothing."""
        if term.shape == "iri":
            return _best([_term(IRI, term.text, _IDENT), _term(IDENT, term.text.lower(), _IDENT)])
        found = analyzers.words(term.text)
        if not found:
            return none()
        if term.field == "publisher":
            return _publisher(term)
        if term.shape == "prefix":
            return _beginning(found, term.field)
        named = [] if term.field else self._known([(IDENT, term.text.lower(), _IDENT)])
        if term.shape == "phrase" or len(found) > 1 or term.field == "description":
            # What is one thing to whoever typed it (`open-data`, `EPSG:3067`) stands side by side in the index.
            return _best([*named, *_phrases(found, term.field)])
        return self._word(found[0], term.field, named) or none()

    def knows(self, token: str) -> bool:
        """Tell whether some document has the word, inflected or in a compound."""
        return self._word(token) is not None

    def _any(self, clause: Sequence[Term]) -> Query:
        return any_of([self.meaning(term) for term in clause])

    def _unwanted(self, parsed: Parsed) -> list[tuple[Occur, Query]]:
        return [(Occur.MustNot, Literally.meaning(self, term)) for term in parsed.unwanted]

    def _word(self, token: str, field: str = "", named: Sequence[Query] = ()) -> Query | None:
        """Give the query of one folded word: as typed, inflected, in a compound; None if the index has none of it."""
        stems = _stems(token, self._language)
        if field:
            layers = [layer for layer in _LAYERS if layer[0] == _SPELT[field][0][0]]
            ways = self._in(token, stems, layers)
            return _best(ways) if ways else None
        parts = [(PARTS, part, _PART) for part in _parts(token)]
        there = [*named, *self._known([*((ALL_STEMS, stem, share) for stem, share in stems), *parts])]
        if not there or not self._scored:
            return any_of(there) if there else None
        weighed = self._in(token, stems, _LAYERS)
        return Query.boolean_query([(Occur.Must, _best(there)), *([(Occur.Should, _best(weighed))] if weighed else [])])

    def _in(self, token: str, stems: Sequence[tuple[str, float]], layers: Sequence[Layer]) -> list[Query]:
        spelt = [(field, token, weight) for field, _, weight in layers]
        return self._known(
            spelt + [(field, stem, weight * share) for _, field, weight in layers for stem, share in stems]
        )

    def _known(self, ways: Sequence[tuple[str, str, float]]) -> list[Query]:
        """Leave out terms that the index does not have: most stems of other languages, and every one costs."""
        has = self._searcher.doc_freq
        return [
            _term(field, each, weight) if self._scored else Query.term_query(schema(), field, each, "basic")
            for field, each, weight in ways
            if has(field, each)
        ]

    def _told_apart(self, parsed: Parsed) -> tuple[list[tuple[Term, ...]], list[tuple[Term, ...]]]:
        joining = [len(clause) == 1 and self._only_joins(clause[0]) for clause in parsed.clauses]
        if all(joining):
            return list(parsed.clauses), []
        must = [clause for clause, joins in zip(parsed.clauses, joining, strict=True) if not joins]
        return must, [clause for clause, joins in zip(parsed.clauses, joining, strict=True) if joins]

    def _only_joins(self, term: Term) -> bool:
        if term.shape != "word" or term.field:
            return False
        found = analyzers.words(term.text)
        return len(found) == 1 and any(_stops(found[0], each) for each in {self._language, *_READ_BY_ALL})


class Loosely(Literally):
    """The same question where nothing has all its words as they were typed: near words, words in parts, most words."""

    def __init__(self, searcher: Searcher, language: str, near: Near) -> None:
        """Ask of one index; `near` corrects words that it does not know."""
        super().__init__(searcher, language)
        self._near = near
        self.taken: list[str] = []  # words of the index that were taken for what was typed

    def most_words(self, parsed: Parsed) -> Query | None:
        """Give the query that half of the words are enough for; None where one word was all."""
        must, may = self._told_apart(parsed)
        if len(must) < 2:
            return None
        subqueries = [(Occur.Should, self._any(clause)) for clause in must]
        some = Query.boolean_query(subqueries, minimum_number_should_match=(len(must) + 1) // 2)
        joining = [(Occur.Should, self._any(clause)) for clause in may]
        return Query.boolean_query([(Occur.Must, some), *joining, *self._unwanted(parsed)])

    def meaning(self, term: Term) -> Query:
        """Give the query of one term, whose unknown words are the nearest known ones, or their two parts."""
        exactly = super().meaning(term)
        found = analyzers.words(term.text)
        if term.shape != "word" or term.field in ("publisher", "description") or not found:
            return exactly
        return _best([exactly, *(query for token in found for query in self._loosely(token, term.field))])

    def _loosely(self, token: str, field: str) -> list[Query]:
        known = self._word(token, field)
        if known is not None:
            return [known]
        nearest = self._near(token)
        self.taken += nearest
        queries = [query for each in nearest if (query := self._word(each, field)) is not None]
        queries += self._halves(token, field)
        if not nearest and len(token) >= _LONG_ENOUGH:
            # Another inflection than the stemmers know of shares all but its end.
            queries.append(_beginning([token[:-_ENDING]], field))
        return [Query.boost_query(query, _NEARLY) for query in queries]

    def _halves(self, token: str, field: str) -> list[Query]:
        """Take an unknown compound apart into two known words, as evenly as possible; at most two ways."""
        cuts = sorted(range(4, len(token) - 3), key=lambda at: abs(at * 2 - len(token)))
        found: list[Query] = []
        for at in cuts:
            # What joins two words in Swedish, German and Dutch (`befolknings|prognos`) belongs to neither.
            for left in dict.fromkeys((token[:at], token[:at].removesuffix("s"))):
                if len(left) < 4 or len(found) == 2:
                    continue
                first, second = self._word(left, field), self._word(token[at:], field)
                if first is not None and second is not None:
                    found.append(Query.boolean_query([(Occur.Must, first), (Occur.Must, second)]))
        return found


@lru_cache(maxsize=4096)
def _stops(word: str, language: str) -> bool:
    analyzer = _stopper(language)
    if analyzer is not None and not analyzer.analyze(word):
        return True
    return word in _ASKING.get(language, "").split()


@lru_cache(maxsize=32)
def _stopper(language: str) -> TextAnalyzer | None:
    name = _STOPPED.get(language)
    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stopword(name)).build() if name else None


def _bonuses(parsed: Parsed) -> list[tuple[Occur, Query]]:
    """Raise records whose title is what was typed, or that have it side by side; nothing is decided by that."""
    typed = [clause[0] for clause in parsed.clauses]
    if any(len(clause) > 1 for clause in parsed.clauses) or any(t.field or t.shape == "iri" for t in typed):
        return []
    found = analyzers.words(" ".join(term.text for term in typed))
    if not found:
        return []
    bonuses = [_term(SAME_TITLE, analyzers.hash_of(" ".join(found)[:_TITLE_KEPT]), _WHOLE_TITLE)]
    if len(found) > 1:
        bonuses.append(Query.boost_query(Query.phrase_query(schema(), TITLE, list(found), slop=1), _TOGETHER))
    return [(Occur.Should, bonus) for bonus in bonuses]


@lru_cache(maxsize=4096)
def _stems(token: str, language: str) -> tuple[tuple[str, float], ...]:
    """Give each stem that the word may stand as, with what it is worth, its highest where languages agree."""
    worth = {token: _AS_TYPED}
    for each in analyzers.STEMMERS:
        share = _INFLECTED if each == language or each in _READ_BY_ALL else _ELSEWHERE
        stem = analyzers.stems([token], each)[0]
        worth[stem] = max(share, worth.get(stem, 0.0))
    return tuple(worth.items())


@lru_cache(maxsize=4096)
def _parts(token: str) -> tuple[str, ...]:
    stems = {analyzers.stems([token], each)[0] for each in analyzers.COMPOUNDING}
    return tuple(dict.fromkeys(part for stem in sorted(stems) for part in analyzers.as_parts(stem)))


def _phrases(found: Sequence[str], field: str) -> list[Query]:
    if len(found) == 1:
        return [_term(spelt, found[0], weight) for spelt, weight in _SPELT[field]]
    return [
        Query.boost_query(Query.phrase_query(schema(), spelt, list(found)), weight) for spelt, weight in _SPELT[field]
    ]


def _beginning(found: Sequence[str], field: str) -> Query:
    """Give the query of a beginning; of several words the last one is begun."""
    queries = []
    for spelt, weight in _SPELT[field]:
        if len(found) > 1:
            query = Query.phrase_prefix_query(schema(), spelt, list(found))
        else:
            query = Query.regex_query(schema(), spelt, re.escape(found[0]) + ".*")
        queries.append(Query.boost_query(query, weight))
    return _best(queries)


def _publisher(term: Term) -> Query:
    """Ask for publishers whose name has these words, at words' beginnings (`publisher:helsin*`) or whole."""
    slug = slug_of(term.text)
    if not slug:
        return none()
    end = ".*" if term.shape == "prefix" else "(-.*)?"
    return Query.regex_query(schema(), PUBLISHER, f"(.*-)?{slug}{end}")
