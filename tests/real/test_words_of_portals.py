"""What real portals write for licences, formats, frequencies and themes: which words are known, and which stay unknown.

The unknown ones are written down with the reason, so that a spelling that is lost, or one that is newly claimed,
fails here. Unknown is an answer: none of these may be guessed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.vocab import lists

UNKNOWN = {
    "licence": {
        "notspecified": "says that nothing is said",
        "License Not Specified": "says that nothing is said",
        "other-philadelphia": "a city's own terms, in no table",
        "Other (City of Philadelphia)": "a city's own terms, in no table",
        "other-commercial": "says which kind, not which licence",
        "Other (Commercial)": "says which kind, not which licence",
        "other-nc": "says which kind, not which licence",
        "Other (Non-Commercial)": "says which kind, not which licence",
    },
    "format": {
        "api": "no format: any interface",
        "data lens": "a product of one vendor, no file type",
        "geoservice": "a map service of any kind",
        "grid": "binary or ASCII grid: two file types",
        "imagery": "a subject, not a format",
        "odata": "no EU file type",
        "table": "a shape, not a format",
    },
    "frequency": {
        "Quarterly or As Needed": "two frequencies",
        "joka toinen hetki": "no frequency (a developer's test value)",
    },
    "theme": {
        "parks-recreation-group": "sport or environment",
        "real-estate-land-records-group": "regions or economy",
        "uncategorized-group": "says that nothing is said",
        "vantaan-sivistystoimen-toimiala-perusopetus": "an organisation, not a theme",
        "Environment, Property & Land": "two themes",
        "Infrastructure": "transport, energy or regions",
        "Geospatial": "a type of data, not a theme",
    },
    "media type": {},
}
FIND = {
    "licence": lists.licence_of,
    "format": lists.format_of,
    "frequency": lists.frequency_of,
    "theme": lists.theme_of,
    "media type": lists.media_type_of,
}
KEYS = {
    "license_id": "licence",
    "license_title": "licence",
    "license_url": "licence",
    "license": "licence",
    "licence": "licence",
    "format": "format",
    "update_frequency": "frequency",
    "Update Frequency": "frequency",
    "accrualPeriodicity": "frequency",
    "groups": "theme",
    "topics": "theme",
    "theme": "theme",
    "categories": "theme",
    "mediaType": "media type",
    "mimetype": "media type",
}
FILES = (
    "uk-birmingham-ckan/package_search.json",
    "us-philadelphia-ckan-2016/datasets.jsonl",
    "helsinki-hri/ckan-2016-vantaa-record.json",
    "helsinki-hri/ckan-2017-new-schema-record.json",
    "london-datastore/barnet-data.json",
    "london-datastore/transcribed/v3-export.json",
    "london-datastore/transcribed/dataset-by-id.json",
    "uk-scotland-glasgow/usmart/cycling-scotland.json",
)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        texts = [value.get("name") or value.get("id")] if value.keys() & {"name", "id"} else list(value.values())
        for text in texts:
            yield from _texts(text)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _words(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        pairs = [(value["key"], value.get("value"))] if {"key", "value"} <= value.keys() else list(value.items())
        for key, inner in pairs:
            if key in KEYS:
                yield from ((KEYS[key], text) for text in _texts(inner) if text.strip())
            yield from _words(inner)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)


@pytest.fixture(scope="module")
def words(sample_data: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in FILES:
        path = sample_data / "data" / name
        if not path.is_file():
            pytest.skip(f"the sample portals are absent: {path} is no file")
        text = path.read_text("utf-8")
        documents = text.splitlines() if name.endswith("jsonl") else [text]
        for document in documents:
            found.update(_words(json.loads(document)))
    return found


@pytest.mark.parametrize("kind", sorted(UNKNOWN))
def test_exactly_the_words_written_down_stay_unknown(words, kind):
    texts = {text for of, text in words if of == kind}
    assert texts
    assert {text for text in texts if not FIND[kind](text)} == set(UNKNOWN[kind])
