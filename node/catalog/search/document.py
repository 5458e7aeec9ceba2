"""One document of the index: what a record tells (`told`), written as the terms and numbers of `schema`.

As JSON, which tantivy takes in faster than objects. Of long texts the first words count, so a document is bounded
whatever the record. Pure but for caches.
"""

import re
from functools import lru_cache
from html import unescape

import orjson

from node.catalog.search import analyzers, publishers, schema
from node.catalog.search.told import MAX_VALUES, Mapped, Told, best, labels_of, told_of
from node.catalog.shelf import Held

__all__ = ["Mapped", "Told", "document_of", "told_of"]

MAX_TEXT = 20_000  # characters of descriptions, and of all other text together
_MOST_KEPT = 64 * 1024
_PARTED = 1000  # characters of the stems of titles, or keywords, whose compounds are taken apart
_MORE_AT = schema.WORD_FIELDS.index(schema.MORE)
_COMPOUND_AT = (schema.WORD_FIELDS.index(schema.TITLE), schema.WORD_FIELDS.index(schema.KEYWORDS))
_MARKUP = re.compile(r"<[^<>]{1,300}>")
_SECONDS = (1 << 34) - 1


def document_of(
    held: Held,
    payload: bytes,
    *,
    quality: int | None,
    city: str,
    mapped: Mapped,
    restricted: bool = False,
    route: int = 0,
) -> str:
    """Write the document of a record, for `IndexWriter.add_json`.

    Args:
        held: The record as it stands on the shelf.
        payload: Its bytes.
        quality: Its points, None where nobody has counted them.
        city: What search calls its city.
        mapped: Gives the code of a city's own word, or "".
        restricted: Whether its collection is.
        route: 0 unless the same record is shown from another collection (`schema.ROUTE`).
    """
    told = told_of(held, payload, city=city, mapped=mapped, restricted=restricted)
    key = analyzers.key_of(held.collection, held.iri)
    key_hash = analyzers.hash_of(key)
    fields: dict[str, object] = {
        schema.KEY: key,
        schema.IRI: held.iri,
        schema.COLLECTION: held.collection,
        schema.RECORD: analyzers.hash_of(held.iri),
        schema.ROUTE: route,
        schema.IDENT: _idents(held, told),
        schema.CITY: city,
        schema.KIND: held.kind,
        schema.ENTERED: held.at_ms,
        schema.CHANGED: told.changed_ms,
        schema.BY_CHANGED: (min(max(told.changed_ms // 1000, 0), _SECONDS) << 28) | (key_hash & 0xFFF_FFFF),
        schema.BY_QUALITY: ((0 if quality is None else quality + 1) << 48) | (key_hash & 0xFFFF_FFFF_FFFF),
    }
    if quality is not None:
        fields[schema.QUALITY] = quality
    _write_words(fields, told)
    _write_facets(fields, told)
    if told.period is not None:
        fields[schema.START], fields[schema.END] = told.period
    if told.box is not None:
        fields.update(zip(schema.BOX, told.box, strict=True))
    _write_titles(fields, told, held, key_hash)
    _write_sameness(fields, told)
    return orjson.dumps(fields).decode()


def _idents(held: Held, told: Told) -> list[str]:
    named = (held.iri, held.slug, *told.identifiers, *told.pages)
    return [each.lower()[:500] for each in dict.fromkeys(named) if each]


def _write_words(fields: dict[str, object], told: Told) -> None:
    """Write all text, a language at a time: to look at each text alone costs three times more.

    Keywords thus follow one another as if they were a sentence, which a phrase of two of them would find.
    """
    found: list[list[str]] = [[], [], [], []]
    of_stems: list[list[str]] = [[], [], [], []]
    parts: list[str] = []
    for language, texts in _by_language(told).items():
        made = analyzers.analyzed(texts, language)
        for at, (words, stems) in enumerate(made):
            if not words.isspace() and words:
                found[at].append(words)
                of_stems[at].append(stems)
        if analyzers.base_of(language) in analyzers.COMPOUNDING:
            parts += [analyzers.parts(made[at][1][:_PARTED].split(), language) for at in _COMPOUND_AT]
    for table, code in told.labels:
        words, stems = _labels(table, code)
        found[_MORE_AT].append(words)
        of_stems[_MORE_AT].append(stems)
    fields.update(zip(schema.WORD_FIELDS, found, strict=True))
    stems_of_all = [each for one in of_stems for each in one]
    fields.update(zip(schema.STEM_FIELDS, (*of_stems[:2], stems_of_all), strict=True))
    fields[schema.PARTS] = " ".join(parts)


def _by_language(told: Told) -> dict[str, list[str]]:
    """Join texts by their language, those of each of `WORD_FIELDS` in its place, without marks of HTML."""
    found: dict[str, list[str]] = {}
    for at, texts in enumerate((told.titles, told.keywords, told.descriptions, told.more)):
        room = MAX_TEXT
        for text, tag in texts:
            language, cut = tag or told.spoken, text if len(text) <= room else text[:room]
            room -= len(cut) + 1
            if "<" in cut or "&" in cut:
                cut = unescape(_MARKUP.sub(" ", cut))
            if language not in found:
                found[language] = ["", "", "", ""]
            joined = found[language]
            joined[at] = f"{joined[at]} {cut}" if joined[at] else cut
            if room <= 0:
                break
    return found


@lru_cache(maxsize=1024)
def _labels(table: str, code: str) -> tuple[str, str]:
    made = [analyzers.analyzed([text], tag)[0] for text, tag in labels_of(table, code)]
    return " ".join(words for words, _ in made), " ".join(stems for _, stems in made)


def _write_facets(fields: dict[str, object], told: Told) -> None:
    fields[schema.USE] = told.use
    fields[schema.ACCESS] = told.access
    for name, values in (
        (schema.THEME, told.themes),
        (schema.FORMAT, told.formats),
        (schema.LICENCE, told.licences),
        (schema.LANGUAGE, told.languages),
        (schema.PUBLISHER, list(told.publishers)),
        (schema.PUBLISHER_LABEL, [publishers.term_of(slug, names) for slug, names in told.called.items()]),
        (schema.KEYWORD, [_keyword(text) for text, _ in told.keywords[:MAX_VALUES]]),
        (schema.PLACE, [_place(name) for name in told.places]),
    ):
        if len(values) > 1:
            fields[name] = [value for value in dict.fromkeys(values) if value][:MAX_VALUES]
        elif values and values[0]:
            fields[name] = values


_keyword = lru_cache(maxsize=_MOST_KEPT)(analyzers.keyword_value)


@lru_cache(maxsize=4096)
def _place(name: str) -> str:
    return analyzers.place_value(name)


def _write_titles(fields: dict[str, object], told: Told, held: Held, key_hash: int) -> None:
    for language in schema.TITLE_LANGUAGES:
        title = analyzers.title_key(best(told.titles, language) or held.slug, language, key_hash)
        fields[schema.BY_TITLE[language]] = title
        fields[schema.BY_TITLE_FIRST[language]] = analyzers.title_number(title)


def _write_sameness(fields: dict[str, object], told: Told) -> None:
    title = str(fields[schema.BY_TITLE["en"]]).partition("\x1f")[0]
    fields[schema.SAME_TITLE] = analyzers.hash_of(title)
    for name, values in (
        (schema.SAME_PUBLISHER, told.publishers),
        (schema.SAME_PAGE, told.pages),
        (schema.SAME_IDENT, told.identifiers),
    ):
        first = next(iter(values), "")
        if first:
            # Of one kind: a model that is called like its dataset is not the same thing.
            fields[name] = analyzers.hash_of(f"{fields[schema.KIND]}\x1f{first}")
