"""Our compact tables against the EU Publications Office's own files: same codes, same IRIs, same English labels.

The official files are found by `CITYNODE_TEST_DATA` (default: `shared` beside the repository); where they are absent
every test here is skipped and says so. What differs on purpose is written down with its reason.
"""

from pathlib import Path

import pytest

from node.vocab import lists
from node.vocab.official import load_official
from node.vocab.tables import Table

# Concepts that ours has and the stored editions do not: later editions of the same tables have them.
NEWER = {
    "file-type": {"PARQUET"},
}
# Media types where the Office names an unregistered or an outdated one, and ours is the one IANA has registered.
OWN_MEDIA = {"BMP", "PSD", "LAS", "LAZ", "YAML", "PARQUET"}
# Labels that need a word more where they stand among licences of other countries.
OWN_LABEL = {"OGL_ROU_1_0"}


@pytest.fixture(scope="module")
def tables(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "eu-authority-tables"
    if not folder.is_dir():
        pytest.skip(f"the official authority tables are absent: {folder} is no folder")
    return folder


def _official(folder: Path, file: str, ours: Table) -> Table:
    return load_official(folder / file, base=ours.base)


COMPLETE = [
    (lists.DATA_THEMES, "data-theme.rdf"),
    (lists.FILE_TYPES, "file-type.rdf"),
    (lists.FREQUENCIES, "frequency.rdf"),
    (lists.FREQUENCIES, "frequency-nordic-labels.ttl"),
    (lists.ACCESS_RIGHTS, "access-right.ttl"),
    (lists.LICENCES, "licence.ttl"),
    (lists.AVAILABILITIES, "planned-availability.ttl"),
    (lists.DATASET_TYPES, "dataset-type.ttl"),
    (lists.DISTRIBUTION_STATUSES, "distribution-status.rdf"),
    (lists.DISTRIBUTION_TYPES, "distribution-type.ttl"),
    (lists.HVD_CATEGORIES, "high-value-dataset-category.rdf"),
    (lists.PUBLISHER_TYPES, "adms-publisher-type.rdf"),
    (lists.LICENCE_TYPES, "adms-licence-type.rdf"),
    (lists.ADMS_STATUSES, "adms-status.rdf"),
]


@pytest.mark.parametrize(("ours", "file"), COMPLETE, ids=lambda value: getattr(value, "name", value))
def test_every_official_concept_is_in_our_table_with_its_english_label(tables, ours, file):
    missing, differing = [], []
    for concept in _official(tables, file, ours):
        mine = ours.by_code(concept.code)
        if mine is None or mine.iri != concept.iri:
            missing.append(concept.code)
        elif concept.code not in OWN_LABEL and mine.label("en") != " ".join(concept.label("en").split()):
            differing.append((concept.code, mine.label("en"), concept.label("en")))
    assert missing == []
    assert differing == []


@pytest.mark.parametrize(
    ("ours", "files"),
    [
        (lists.FILE_TYPES, ("file-type.rdf", "file-type-media-types.ttl")),
        (lists.FREQUENCIES, ("frequency.rdf", "frequency-nordic-labels.ttl")),
        (lists.ACCESS_RIGHTS, ("access-right.ttl",)),
        (lists.DATA_THEMES, ("data-theme.rdf",)),
        (lists.DATASET_TYPES, ("dataset-type.ttl",)),
        (lists.HVD_CATEGORIES, ("high-value-dataset-category.rdf",)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_our_table_claims_no_concept_that_is_not_official(tables, ours, files):
    official = {concept.code for file in files for concept in _official(tables, file, ours)}
    assert {concept.code for concept in ours} - official == NEWER.get(ours.name, set())


def test_licences_with_an_office_iri_are_official(tables):
    official = {concept.code for concept in _official(tables, "licence.ttl", lists.LICENCES)}
    ours = {concept.code for concept in lists.LICENCES if concept.iri.startswith(lists.LICENCES.base)}
    assert ours == official


def test_languages_are_official_ones_under_their_official_names(tables):
    official = _official(tables, "language.rdf", lists.LANGUAGES)
    for concept in lists.LANGUAGES:
        assert official.label(concept.iri, "en") == concept.label("en")


@pytest.mark.parametrize(
    ("ours", "file"),
    [
        (lists.HVD_CATEGORIES, "high-value-dataset-category.rdf"),
        (lists.DISTRIBUTION_STATUSES, "distribution-status.rdf"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.parametrize("language", ["fi", "sv"])
def test_finnish_and_swedish_labels_are_the_official_ones_where_there_are_any(tables, ours, file, language):
    for concept in _official(tables, file, ours):
        if language in concept.labels:
            assert ours.label(concept.iri, language) == " ".join(concept.label(language).split())


def test_high_value_categories_hang_where_the_regulation_hangs_them(tables):
    for concept in _official(tables, "high-value-dataset-category.rdf", lists.HVD_CATEGORIES):
        assert lists.HVD_CATEGORIES.by_code(concept.code).facts["broader"] == concept.facts["broader"]


def test_media_types_of_file_types_are_official_but_for_those_said(tables):
    official = _official(tables, "file-type-media-types.ttl", lists.FILE_TYPES)
    differing = set()
    for concept in lists.FILE_TYPES:
        theirs = official.by_code(concept.code)
        media = concept.facts["media"]
        if media and (theirs is None or media not in theirs.facts["media"].split("|")):
            differing.add(concept.code)
    assert differing == OWN_MEDIA


def test_official_media_types_lead_to_their_file_type_or_to_none(tables):
    """A media type that several file types share leads to one of them: the plain one.

    The Office has `text/xml` for map services alone; RFC 7303 says that it is the same as `application/xml`.
    """
    official = _official(tables, "file-type-media-types.ttl", lists.FILE_TYPES)
    for concept in official:
        for media in filter(None, concept.facts["media"].split("|")):
            found = lists.FILE_TYPES.by_iri(lists.format_of(media))
            same = "application/xml" if media == "text/xml" else media
            assert found is None or same in official.by_code(found.code).facts["media"].split("|"), media


def test_application_media_types_are_registered(tables):
    # Registered with IANA and not in the stored list, which is older.
    later = {
        "application/city+json",
        "application/city+json-seq",
        "application/geo+json-seq",
        "application/linkset+json",
        "application/sparql-results+json",
        "application/sparql-update",
        "application/vnd.apache.arrow.file",
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.parquet",
        "application/yaml",
    }
    registered = _official(tables, "iana-media-types.ttl", lists.MEDIA_TYPES)
    ours = {concept.code for concept in lists.MEDIA_TYPES if concept.code.startswith("application/")}
    assert {code for code in ours if registered.by_code(code) is None} <= later
