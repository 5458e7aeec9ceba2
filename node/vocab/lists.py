"""The vocabularies that DCAT-AP asks for, with labels in English, Finnish and Swedish, and what portals write for them.

Codes, IRIs and labels are the EU Publications Office's (`data/README.md` says which, and what is ours). The functions
turn a portal's free text into one of those IRIs by exact look-up after normalisation, or say "" for unknown: a
licence, a format or a theme is never guessed. Nothing is read at import; each table is read once, when first asked.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from node.vocab.tables import LABEL_LANGUAGES, Concept, Table

__all__ = [
    "ACCESS_RIGHTS",
    "ADMS_STATUSES",
    "AVAILABILITIES",
    "COUNTRIES",
    "DATASET_TYPES",
    "DATA_THEMES",
    "DISTRIBUTION_STATUSES",
    "DISTRIBUTION_TYPES",
    "FILE_TYPES",
    "FREQUENCIES",
    "HVD_CATEGORIES",
    "HVD_LEGISLATION",
    "IANA",
    "LABEL_LANGUAGES",
    "LANGUAGES",
    "LICENCES",
    "LICENCE_TYPES",
    "MEDIA_TYPES",
    "PLACES",
    "PUBLISHER_TYPES",
    "TABLES",
    "Concept",
    "LicenceFacts",
    "Table",
    "facts",
    "format_of",
    "frequency_of",
    "grow",
    "label",
    "language_iri",
    "licence_of",
    "media_type_of",
    "package_of",
    "place_of",
    "theme_of",
]

_EU = "http://publications.europa.eu/resource/authority/"
_ADMS = "http://purl.org/adms/"
IANA = "https://www.iana.org/assignments/media-types/"
HVD_LEGISLATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"

DATA_THEMES = Table("data-theme", _EU + "data-theme/")
FILE_TYPES = Table("file-type", _EU + "file-type/")
LANGUAGES = Table("language", _EU + "language/")
FREQUENCIES = Table("frequency", _EU + "frequency/")
ACCESS_RIGHTS = Table("access-right", _EU + "access-right/")
AVAILABILITIES = Table("planned-availability", _EU + "planned-availability/")
DATASET_TYPES = Table("dataset-type", _EU + "dataset-type/")
DISTRIBUTION_STATUSES = Table("distribution-status", _EU + "distribution-status/")
DISTRIBUTION_TYPES = Table("distribution-type", _EU + "distribution-type/")
LICENCES = Table("licence", _EU + "licence/")
HVD_CATEGORIES = Table("high-value-category", "http://data.europa.eu/bna/")
PUBLISHER_TYPES = Table("publisher-type", _ADMS + "publishertype/")
LICENCE_TYPES = Table("licence-type", _ADMS + "licencetype/")
ADMS_STATUSES = Table("adms-status", _ADMS + "status/")
COUNTRIES = Table("country", _EU + "country/")
PLACES = Table("place", _EU + "place/")
MEDIA_TYPES = Table("media-type", IANA)

TABLES: tuple[Table, ...] = (
    DATA_THEMES,
    FILE_TYPES,
    LANGUAGES,
    FREQUENCIES,
    ACCESS_RIGHTS,
    AVAILABILITIES,
    DATASET_TYPES,
    DISTRIBUTION_STATUSES,
    DISTRIBUTION_TYPES,
    LICENCES,
    HVD_CATEGORIES,
    PUBLISHER_TYPES,
    LICENCE_TYPES,
    ADMS_STATUSES,
    COUNTRIES,
    PLACES,
    MEDIA_TYPES,
)


def grow(folder: Path) -> list[str]:
    """Take along the newer editions that stand in a folder; give the names of the tables that grew."""
    found = [table for table in TABLES if (folder / f"{table.name}.tsv").is_file()]
    for table in found:
        table.grow(folder / f"{table.name}.tsv")
    return [table.name for table in found]


Answer = Literal["yes", "no", "unknown"]
_ANSWERS: dict[str, Answer] = {"y": "yes", "n": "no"}


def _iri(concept: Concept | None) -> str:
    return concept.iri if concept else ""


def label(iri: str, language: str) -> str:
    """Give the label of a concept of any table, in English if need be; empty for an IRI that no table has."""
    for table in TABLES:
        if iri.startswith(table.base):
            return table.label(iri, language)
    # Licences and places also have IRIs that are not the Publications Office's.
    return LICENCES.label(iri, language) or PLACES.label(iri, language)


# ---------------------------------------------------------------- licences


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """What a reader wants to know of a licence; every answer is `unknown` for one that our table lacks.

    `title` has the keys `en`, `fi`, `sv` (empty for an unknown licence); `short` is what one writes on a label.
    """

    iri: str
    title: dict[str, str] = field(default_factory=dict)
    short: str = ""
    commercial: Answer = "unknown"
    attribution: Answer = "unknown"
    share_alike: Answer = "unknown"
    changes: Answer = "unknown"

    @property
    def known(self) -> bool:
        """Tell whether the licence is in our table."""
        return bool(self.title)


def _answer(concept: Concept, column: str) -> Answer:
    return _ANSWERS.get(concept.facts[column], "unknown")


def facts(licence_iri: str) -> LicenceFacts:
    """Say whether commercial use is allowed, attribution and share-alike are asked, and changes allowed."""
    concept = LICENCES.by_iri(licence_iri)
    if concept is None:
        return LicenceFacts(licence_iri)
    return LicenceFacts(
        iri=concept.iri,
        title={language: concept.label(language) for language in LABEL_LANGUAGES},
        short=concept.facts["short"] or concept.label("en"),
        commercial=_answer(concept, "commercial"),
        attribution=_answer(concept, "attribution"),
        share_alike=_answer(concept, "share_alike"),
        changes=_answer(concept, "changes"),
    )


_SPDX = re.compile(r"https?://spdx\.org/licenses/([\w.+-]+?)(?:\.html|\.json)?\Z")
_TWICE = re.compile(r"(?P<long>[^()]+)\((?P<short>[^()]+)\)\s*\Z")
_TAIL = re.compile(r"\s+(?:public\s+)?licen[cs]e\Z", re.IGNORECASE)


def _twice(text: str) -> Concept | None:
    """Read `long name (short name)`, if both are known and name the same licence."""
    match = _TWICE.match(text)
    long, short = (_bare(match["long"]), _bare(match["short"])) if match else (None, None)
    return long if long is short else None


def _bare(text: str) -> Concept | None:
    return LICENCES.find(text) or LICENCES.find(_TAIL.sub("", text.strip()))


def licence_of(text: str) -> str:
    """Find the licence that a portal's id, title, SPDX id or address names, or "".

    A name without a version stays without one: `cc-by` and `uk-ogl` have entries of their own.

    >>> licence_of("Creative Commons Attribution 4.0 International (CC BY 4.0)").rsplit("/")[-1]
    'CC_BY_4_0'
    >>> licence_of("Other (Open)")
    ''
    """
    spdx = _SPDX.match(text.strip())
    return _iri(_bare(spdx[1] if spdx else text) or _twice(text))


# ---------------------------------------------------------------- formats


def _essence(text: str) -> str:
    """Cut parameters off a media type, and the address off an IANA IRI."""
    bare = re.sub(r"\Ahttps?://(www\.)?iana\.org/assignments/media-types/", "", text.strip())
    return bare.split(";")[0].strip() if "/" in bare else bare


_PACKED = re.compile(r"(?:(?P<a>[\w ]+?) )?(?:zip|zipped)(?: (?P<b>[\w ]+))?\Z")


def _unpacked(text: str) -> str:
    """Give what is inside for the likes of `zip:csv`, `CSV (zip)` and `zipped shapefile`; else empty."""
    match = _PACKED.match(" ".join(re.findall(r"\w+", text.casefold())))
    inside = (match["a"], match["b"]) if match else (None, None)
    return (inside[0] or inside[1] or "") if not all(inside) else ""


def format_of(text: str) -> str:
    """Find the EU file type for a format's name, extension, media type or IRI, or "". A zipped CSV is a CSV."""
    bare = _essence(text)
    found = FILE_TYPES.find(bare)
    if found is None and "/" not in bare:
        found = FILE_TYPES.find(_unpacked(bare))
    return _iri(found)


def package_of(text: str) -> str:
    """Give the IANA IRI for `dcat:packageFormat` if a format's text says that it is zipped (`zip:csv`), or ""."""
    return IANA + "application/zip" if "/" not in text and FILE_TYPES.find(_unpacked(text)) else ""


def media_type_of(text: str) -> str:
    """Find the registered IANA media type for a media type, a format's name or an extension, or "".

    Only registered types have an IRI: `application/x-shapefile` has none.
    """
    bare = _essence(text)
    registered = MEDIA_TYPES.find(bare)
    if registered is not None:
        return registered.iri
    file_type = FILE_TYPES.by_iri(format_of(text)) if text else None
    media = file_type.facts["media"] if file_type else ""
    return IANA + media if media else ""


# ---------------------------------------------------------------- the rest


def frequency_of(text: str) -> str:
    """Find the EU frequency for words in en, fi, sv, an ISO 8601 repetition (`R/P1D`) or another vocabulary's IRI."""
    return _iri(FREQUENCIES.find(text))


_TAG = re.compile(r"([A-Za-z]{2,3})[-_][A-Za-z0-9_-]+\Z")


def language_iri(tag: str) -> str:
    """Find the EU language for a tag (its first part decides), a three-letter code, a name or an IRI, or ""."""
    found = LANGUAGES.find(tag)
    if found is None and (match := _TAG.match(tag.strip())):
        found = LANGUAGES.find(match.group(1))
    return _iri(found)


def theme_of(text: str) -> str:
    """Find the EU data theme for a portal's group, topic or category, or "" (also when it would be two themes)."""
    return _iri(DATA_THEMES.find(text))


def place_of(name: str) -> str:
    """Find the IRI of a municipality, borough, city, region or country by its name in any of its languages, or ""."""
    return _iri(PLACES.find(name) or COUNTRIES.find(name))
