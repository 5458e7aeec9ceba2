"""Counts beside an answer: how many records there would be with one more value of a facet chosen.

A facet's own filter does not narrow its own counts, else nothing could ever be added; all other conditions do. So the
facets without filter share one pass over the answer, and each one with a filter has its own. Values that were chosen
are always told, even with none left. A record that came by several routes counts once for each of them, unless the
question says `once`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

from tantivy import Query, Searcher

from node.catalog.search import publishers
from node.catalog.search.filters import FRESHNESS, OLDER, QUALITY_BANDS, UNKNOWN
from node.catalog.search.query import Query as Question
from node.catalog.search.results import Count
from node.catalog.search.schema import (
    ACCESS,
    CHANGED,
    CITY,
    COLLECTION,
    FORMAT,
    KIND,
    LANGUAGE,
    LICENCE,
    PUBLISHER,
    PUBLISHER_LABEL,
    QUALITY,
    RECORD,
    THEME,
    USE,
)
from node.vocab import lists
from node.vocab.tables import Table

_DAY_MS = 86_400_000
_ALL = "every document"
_TABLES: Mapping[str, Table] = {
    THEME: lists.DATA_THEMES,
    FORMAT: lists.FILE_TYPES,
    LICENCE: lists.LICENCES,
    ACCESS: lists.ACCESS_RIGHTS,
}
# Few values each, and all of them are asked for again and again.
_SMALL = frozenset({CITY, KIND, USE, LANGUAGE, COLLECTION})

Counts = dict[str, dict[str, int]]
"""Facet -> value -> count; a publisher's value is still `publishers.term_of`."""


def counted(
    searcher: Searcher, base: Callable[[str], Query], question: Question, *, now_ms: int
) -> tuple[Counts, int | None]:
    """Count the facets that a question names, in one index; and all documents, if a pass over them was needed anyway.

    Args:
        searcher: The index.
        base: Gives the query without the filter of a facet; "" keeps them all.
        question: Which facets, and how many values of each.
        now_ms: What freshness is told against.
    """
    shared = [name for name in question.facets if name not in question.filters]
    passes = [(base(""), shared)] if shared else []
    passes += [(base(name), [name]) for name in question.facets if name in question.filters]
    found: Counts = {}
    total: int | None = None
    for query, names in passes:
        asked = {name: _aggregation(name, question.facet_limit, now_ms) for name in names}
        answers = searcher.aggregate(query, asked | {_ALL: {"value_count": {"field": RECORD}}})
        every = int(answers[_ALL]["value"])
        total = every if names is shared else total
        for name in names:
            found[name] = _read(name, answers[name], every)
    return found, total


def _aggregation(name: str, limit: int, now_ms: int) -> dict[str, object]:
    if name == "freshness":
        # The engine wants ranges that do not overlap; `_read` adds them up.
        edges = [float(now_ms - days * _DAY_MS) for days in FRESHNESS.values()]
        ranges = [{"key": band, "from": edge} for band, edge in zip(FRESHNESS, edges, strict=True)]
        for younger, older in pairwise(ranges):
            older["to"] = younger["from"]
        return {"range": {"field": CHANGED, "ranges": [*ranges, {"key": OLDER, "to": edges[-1]}]}}
    if name == QUALITY:
        bands = [{"key": band, "from": float(a), "to": float(b + 1)} for band, (a, b) in QUALITY_BANDS.items()]
        return {"range": {"field": QUALITY, "ranges": bands}}
    field = PUBLISHER_LABEL if name == PUBLISHER else name
    return {"terms": {"field": field, "size": max(1, 200 if name in _SMALL else 2 * limit)}}


def _read(name: str, answer: Mapping[str, Any], every: int) -> dict[str, int]:
    """Give value and count; `every` is how many documents there are, with or without a value."""
    buckets = answer["buckets"]
    counts = {
        str(row["key"]): int(row["doc_count"]) for row in (buckets.values() if isinstance(buckets, dict) else buckets)
    }
    if name == "freshness":
        sums = accumulate(counts.get(band, 0) for band in FRESHNESS)
        counts = {**dict(zip(FRESHNESS, sums, strict=True)), OLDER: counts.get(OLDER, 0)}
    elif name == QUALITY:
        counts = {band: counts.get(band, 0) for band in QUALITY_BANDS}
        counts[UNKNOWN] = every - sum(counts.values())
    return {value: count for value, count in counts.items() if count}


def added(parts: Sequence[Counts]) -> Counts:
    """Add up the counts of several indexes."""
    total: Counts = {}
    for part in parts:
        for name, values in part.items():
            sums = total.setdefault(name, {})
            for value, count in values.items():
                sums[value] = sums.get(value, 0) + count
    return total


def told(counts: Counts, question: Question, label: Callable[[str, str], str]) -> dict[str, tuple[Count, ...]]:
    """Order and name the counts, most records first; bands keep their own order. `label` gives "" where it has none."""
    answer: dict[str, tuple[Count, ...]] = {}
    for name in question.facets:
        rows = _named(name, counts.get(name, {}), question.language, label)
        chosen = {*question.filters.get(name, ()), *question.excluded.get(name, ())}
        rows += [
            Count(value, _label(name, value, question.language, label), 0)
            for value in sorted(chosen - {row.value for row in rows})
        ]
        ranked = rows if name in ("freshness", QUALITY) else sorted(rows, key=lambda row: (-row.count, row.label))
        kept = [
            *ranked[: question.facet_limit],
            *(row for row in ranked[question.facet_limit :] if row.value in chosen),
        ]
        answer[name] = tuple(kept)
    return answer


def _named(name: str, values: Mapping[str, int], language: str, label: Callable[[str, str], str]) -> list[Count]:
    if name == PUBLISHER:
        return publishers.counts(values, language)
    if name in ("freshness", QUALITY):
        order = [*FRESHNESS, OLDER, UNKNOWN] if name == "freshness" else [*QUALITY_BANDS, UNKNOWN]
        values = {band: values[band] for band in order if band in values}
    return [Count(value, _label(name, value, language, label), count) for value, count in values.items()]


def _label(name: str, value: str, language: str, label: Callable[[str, str], str]) -> str:
    return _of_table(name, value, language) or label(name, value) or value


@lru_cache(maxsize=4096)
def _of_table(name: str, value: str, language: str) -> str:
    table = _TABLES.get(name)
    concept = table.by_code(value) if table else None
    if concept is None and name == LANGUAGE:
        concept = lists.LANGUAGES.by_iri(lists.language_iri(value))
    return concept.label(language) if concept else ""
