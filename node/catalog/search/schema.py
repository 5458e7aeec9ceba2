"""What the index holds: fields, how each is written, and the version of all that. The contract of writer and searcher.

Text is broken into words by us (`analyzers`), not by tantivy: a document brings tokens that are divided by spaces, a
question asks for tokens by term. So both sides must use `analyzers`, and no tokenizer has to be registered. Numbers are
signed 64-bit integers or floats. Nothing but the IRI and the collection is stored: the index knows words, not texts.
Raise VERSION with every change that makes older documents wrong; an index of another version is made anew.
"""

from functools import lru_cache
from typing import Final

from tantivy import Schema, SchemaBuilder

VERSION: Final = 5

# ---- Who it is. KEY is `key_of(collection, iri)`, one document each. IRI and COLLECTION are stored.
KEY: Final = "key"
IRI: Final = "iri"
COLLECTION: Final = "collection"
# hash_of(iri), the same for one record in several collections; indexed and fast.
RECORD: Final = "record"
# 0: the collection whose copy is shown where nothing is hidden (own before mirrored); 1, 2 …: the same record again by
# other routes. So `ROUTE = 0` counts each record once. Within one index only; indexed and fast.
ROUTE: Final = "route"
# What names it whole, lower case: IRI, slug, identifiers, landing page. Raw terms, for questions that are one of these.
IDENT: Final = "ident"

# ---- Words. Each text as it is spelt (`analyzers.words`, folded; with positions, so phrases work on it, and prefixes,
# fuzzy search and "did you mean"), and reduced to stems by its language (`analyzers.stems`; no positions): those of
# titles and keywords to weigh them, those of everything in one field, since one list is walked faster than four.
TITLE: Final = "title"
KEYWORDS: Final = "keywords"
BODY: Final = "body"  # descriptions, bounded (document.MAX_BODY_WORDS)
MORE: Final = "more"  # publishers, labels of themes, formats, kinds and places, titles of distributions, columns
TITLE_STEMS: Final = "title_stems"
KEYWORD_STEMS: Final = "keyword_stems"
ALL_STEMS: Final = "all_stems"
# Beginnings (`pysakoin-`) and ends (`-alue`) of the stems of long words in titles and keywords, of languages that
# write compounds as one word. `analyzers.as_parts(stem)` gives the two terms to ask for.
PARTS: Final = "parts"

WORD_FIELDS: Final = (TITLE, KEYWORDS, BODY, MORE)
STEM_FIELDS: Final = (TITLE_STEMS, KEYWORD_STEMS, ALL_STEMS)

# ---- Facets: raw terms, fast, one or more values. Absent where there is no value, but for USE, ACCESS and LICENCE,
# which say `unknown` and `none`. Freshness is asked by CHANGED.
CITY: Final = "city"
KIND: Final = "kind"
THEME: Final = "theme"
FORMAT: Final = "format"
LICENCE: Final = "licence"
USE: Final = "use"
ACCESS: Final = "access"
LANGUAGE: Final = "language"
PUBLISHER: Final = "publisher"
KEYWORD: Final = "keyword"  # `analyzers.keyword_value`: lower case, accents kept
FACETS: Final = (CITY, KIND, THEME, FORMAT, LICENCE, USE, ACCESS, LANGUAGE, PUBLISHER, KEYWORD, COLLECTION)
# To count publishers by name: `publishers.term_of`, which has the name in each language of the pages. One slug may
# come with several spellings.
PUBLISHER_LABEL: Final = "publisher_label"
# Names of places it covers, as `analyzers.place_value` gives them; raw and fast.
PLACE: Final = "place"

# ---- Numbers, all fast. Absent where unknown.
# Milliseconds since 1970: when the described thing changed, as it says (dct:modified, else dct:issued, else the entry's
# time; what lies in the future is not believed), and when its newest entry was written.
CHANGED: Final = "changed"
ENTERED: Final = "entered"
QUALITY: Final = "quality"  # points, 0 to 405
# Days since 1970-01-01, both ends within; an open end is OPEN_START or OPEN_END. Absent without any period.
START: Final = "start"
END: Final = "end"
OPEN_START: Final = -719_162  # 0001-01-01
OPEN_END: Final = 2_932_896  # 9999-12-31
# Degrees. west in -180 … 180, east in west … west + 360: one that crosses the antimeridian has east > 180, so a
# question must also be asked moved by 360 degrees. One box per record, around all it names.
WEST: Final = "west"
SOUTH: Final = "south"
EAST: Final = "east"
NORTH: Final = "north"
BOX: Final = (WEST, SOUTH, EAST, NORTH)

# ---- Orders. Each is total (ties are broken within the value), so a page may go on after the last value it showed.
# (changed in seconds, clipped) << 28 | 28 bits of hash_of(key); and (points + 1, 0 unknown) << 48 | 48 bits of it.
BY_CHANGED: Final = "by_changed"
BY_QUALITY: Final = "by_quality"
# Titles for a reader of that language (his, else English, else any): the folded title, \x1f, 16 hex digits of the key's
# hash. Raw text, fast, not indexed by range: `BY_TITLE_FIRST[lang]` holds its first eleven characters as a number that
# orders alike (`analyzers.title_number`), to begin a page near its place.
TITLE_LANGUAGES: Final = ("en", "fi", "sv")
BY_TITLE: Final = {language: f"by_title_{language}" for language in TITLE_LANGUAGES}
BY_TITLE_FIRST: Final = {language: f"title_first_{language}" for language in TITLE_LANGUAGES}

# ---- Near duplicates: hash_of() of the folded title; of publisher, landing page and identifier, each with the kind
# (any may be absent).
SAME_TITLE: Final = "same_title"
SAME_PUBLISHER: Final = "same_publisher"
SAME_PAGE: Final = "same_page"
SAME_IDENT: Final = "same_ident"
SAME: Final = (SAME_PUBLISHER, SAME_PAGE, SAME_IDENT)


@lru_cache(maxsize=1)
def schema() -> Schema:
    """Give the one schema of all indexes."""
    fields = SchemaBuilder()
    fields.add_text_field(KEY, tokenizer_name="raw", index_option="basic")
    fields.add_text_field(IRI, stored=True, tokenizer_name="raw", index_option="basic")
    fields.add_text_field(COLLECTION, stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    fields.add_text_field(IDENT, tokenizer_name="raw", index_option="basic")
    _add_words(fields)
    for name in (*FACETS, PUBLISHER_LABEL, PLACE, *BY_TITLE.values()):
        if name != COLLECTION:
            fields.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (RECORD, ROUTE, SAME_TITLE, *SAME):
        fields.add_integer_field(name, fast=True, indexed=True)
    for name in (CHANGED, ENTERED, QUALITY, START, END, BY_CHANGED, BY_QUALITY, *BY_TITLE_FIRST.values()):
        fields.add_integer_field(name, fast=True)
    for name in BOX:
        fields.add_float_field(name, fast=True)
    return fields.build()


def _add_words(fields: SchemaBuilder) -> None:
    for name in WORD_FIELDS:
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in STEM_FIELDS:
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    fields.add_text_field(PARTS, tokenizer_name="whitespace", index_option="basic")
