"""Tables and the words that name their concepts: exact after normalisation, never a guess."""

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Malformed, NotFound
from node.vocab import lists
from node.vocab.lists import TABLES
from node.vocab.official import load_official
from node.vocab.tables import Concept, Table, key_of

EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"


# ---------------------------------------------------------------- every table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_whole(table):
    concepts = list(table)
    assert len({concept.code for concept in concepts}) == len(concepts)
    assert len({concept.iri for concept in concepts}) == len(concepts)
    for concept in concepts:
        assert table.by_code(concept.code) is concept
        assert table.by_iri(concept.iri) is concept
        assert concept.iri in table
        assert table.find(concept.iri) is concept
        for language in ("en", "fi", "sv"):
            text = concept.label(language)
            assert text
            assert text == " ".join(text.split())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_spelling_names_two_concepts(table):
    assert table.ambiguous == frozenset()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_loads_in_less_than_20_ms(table):
    best = min(_load_s(table) for _ in range(5))
    assert best < 0.020


def _load_s(table):
    fresh = Table(table.name, table.base)
    start = time.thread_time()  # not the wall clock: other tests run beside this one
    fresh.find("x")
    return time.thread_time() - start


def test_nothing_is_read_and_no_rdf_library_is_loaded_at_import():
    code = (
        "import sys; from node.vocab import lists;"
        "assert not any('concepts' in vars(t) for t in lists.TABLES);"
        "assert not {'rdflib', 'pyoxigraph', 'pyld'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_word_that_two_concepts_share_names_neither():
    rows = (Concept("A", "x:a", {"en": "One"}, ("same",)), Concept("B", "x:b", {"en": "Two"}, ("same",)))
    table = Table("two", "x:", lambda: rows)
    assert table.find("same") is None
    assert table.ambiguous == {"same"}
    assert table.find("one").code == "A"


def test_labels_fall_back_to_english_and_unknown_ones_are_empty():
    assert lists.label(EU + "data-theme/TRAN", "fi") == "Liikenne"
    assert lists.label(EU + "data-theme/TRAN", "sv-FI") == "Transport"
    assert lists.label(EU + "data-theme/TRAN", "de") == "Transport"
    assert lists.label(EU + "data-theme/NOPE", "en") == ""
    assert lists.label("http://example.org/", "en") == ""
    assert lists.label("http://www.opendefinition.org/licenses/cc-by", "en").startswith("Creative Commons Attribution")


def test_the_small_tables_are_complete():
    sizes = {table.name: len(table) for table in TABLES}
    assert sizes["data-theme"] == 14
    assert sizes["frequency"] == 39
    assert sizes["access-right"] == 6
    assert sizes["planned-availability"] == 4
    assert sizes["distribution-status"] == 5
    assert sizes["dataset-type"] == 24
    assert sizes["high-value-category"] == 96
    assert sizes["file-type"] >= 197
    assert sizes["licence"] >= 173
    assert sizes["language"] >= 84


def test_high_value_categories_form_a_tree_under_six():
    tops = [concept for concept in lists.HVD_CATEGORIES if not concept.facts["broader"]]
    assert len(tops) == 6
    for concept in lists.HVD_CATEGORIES:
        for above in concept.facts["broader"].split("|"):
            assert above == "" or lists.HVD_CATEGORIES.by_code(above)


def test_media_types_of_file_types_are_in_the_table_of_media_types():
    for concept in lists.FILE_TYPES:
        assert not concept.facts["media"] or IANA + concept.facts["media"] in lists.MEDIA_TYPES


# ---------------------------------------------------------------- words


@given(st.text())
def test_any_text_is_answered_and_unknown_is_empty(text):
    functions = (
        lists.licence_of,
        lists.format_of,
        lists.media_type_of,
        lists.package_of,
        lists.frequency_of,
        lists.language_iri,
        lists.theme_of,
        lists.place_of,
    )
    for function in functions:
        assert function(text) == "" or "://" in function(text)


@given(st.text())
def test_a_normalised_word_stays_as_it_is(text):
    word = key_of(text)
    assert word.startswith("//") or key_of(word) == word


CC_BY_4 = EU + "licence/CC_BY_4_0"
OGL_3 = EU + "licence/OGL_3_0"
NA = "nationalarchives.gov.uk/doc/open-government-licence/version/3"


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("CC-BY-4.0", CC_BY_4),
        ("cc by 4.0", CC_BY_4),
        ("cc-by-4-fi", CC_BY_4),
        ("Creative Commons Attribution 4.0", CC_BY_4),
        ("Creative Commons Attribution 4.0 International", CC_BY_4),
        ("Creative Commons Attribution 4.0 International (CC BY 4.0)", CC_BY_4),
        ("Creative Commons Attribution 4.0 International Public License", CC_BY_4),
        ("Creative Commons Nimeä 4.0 Kansainvälinen (CC BY 4.0)", CC_BY_4),
        ("Creative Commons Erkännande 4.0 Internationell", CC_BY_4),
        ("https://creativecommons.org/licenses/by/4.0/", CC_BY_4),
        ("http://creativecommons.org/licenses/by/4.0", CC_BY_4),
        ("https://creativecommons.org/licenses/by/4.0/deed.fi", CC_BY_4),
        ("https://creativecommons.org/licenses/by/4.0/legalcode", CC_BY_4),
        ("https://spdx.org/licenses/CC-BY-4.0.html", CC_BY_4),
        (CC_BY_4, CC_BY_4),
        ("https://publications.europa.eu/resource/authority/licence/CC_BY_4_0", CC_BY_4),
        ("Creative Commons Attribution-Non Commercial-Share Alike 3.0 Unported", EU + "licence/CC_BYNCSA_3_0"),
        ("https://creativecommons.org/licenses/by/3.0/de/", "https://creativecommons.org/licenses/by/3.0/de/"),
        ("cc-zero", EU + "licence/CC0"),
        ("CC0 1.0", EU + "licence/CC0"),
        ("Creative Commons CCZero", EU + "licence/CC0"),
        ("OGL3", OGL_3),
        ("OGL v3", OGL_3),
        ("UK Open Government Licence (OGL v3)", OGL_3),
        (f"http://www.{NA}/", OGL_3),
        (f"https://www.{NA}", OGL_3),
        (f"https://{NA}/", OGL_3),
        ("odc-by", EU + "licence/ODC_BY"),
        ("odbl", EU + "licence/ODC_BL"),
        ("http://opendatacommons.org/licenses/odbl/1-0/", EU + "licence/ODC_BL"),
        ("odc-pddl", EU + "licence/ODC_PDDL"),
        ("Licence Ouverte Version 2.0", EU + "licence/ETALAB_2_0"),
        ("dl-de/by-2-0", EU + "licence/DLDE_BY_2_0"),
        ("NLOD 2.0", EU + "licence/NLOD_2_0"),
        ("GPL-3.0", EU + "licence/GPL_3_0"),
        ("GPL-3.0+", EU + "licence/GPL_3_0_OR_LATER"),
        # Without a version there is no version.
        ("cc-by", "http://www.opendefinition.org/licenses/cc-by"),
        ("Creative Commons Attribution", "http://www.opendefinition.org/licenses/cc-by"),
        ("uk-ogl", "http://reference.data.gov.uk/id/open-government-licence"),
        ("UK Open Government Licence (OGL)", "http://reference.data.gov.uk/id/open-government-licence"),
    ],
)
def test_licences_are_found_by_what_portals_write(text, iri):
    assert lists.licence_of(text) == iri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "notspecified",
        "License Not Specified",
        "other-open",
        "other-pd",
        "other-at",
        "Other (Open)",
        "other-nc",
        "No licence",
        "custom",
        "open",
        "Public domain",
        "open government licence",
        "cc",
        "cc-nc",
        "CC BY 5.0",
        "not CC BY 4.0",
        "CC BY 4.0 or later",
        "Creative Commons Attribution 3.0 (CC BY 4.0)",
        "Our own terms (CC BY 4.0)",
        "https://creativecommons.org/",
        "https://creativecommons.org/licenses/by/4.0/?x=1",
        "https://creativecommons.org.example/licenses/by/4.0/",
    ],
)
def test_a_licence_is_never_guessed(text):
    assert lists.licence_of(text) == ""


def test_facts_of_a_licence_are_the_same_by_any_of_its_addresses():
    by_eu = lists.facts(CC_BY_4)
    assert lists.facts("https://creativecommons.org/licenses/by/4.0/") == by_eu
    assert (by_eu.commercial, by_eu.attribution, by_eu.share_alike, by_eu.changes) == ("yes", "yes", "no", "yes")
    assert by_eu.short == "CC BY 4.0"
    assert by_eu.title["fi"] == "Creative Commons Nimeä 4.0 Kansainvälinen"
    assert by_eu.known


@pytest.mark.parametrize(
    ("code", "answers"),
    [
        ("CC0", ("yes", "no", "no", "yes")),
        ("CC_BYNCND_4_0", ("no", "yes", "no", "no")),
        ("CC_BYSA_4_0", ("yes", "yes", "yes", "yes")),
        ("ODC_BL", ("yes", "yes", "yes", "yes")),
        ("ODC_PDDL", ("yes", "no", "no", "yes")),
        ("OGL_3_0", ("yes", "yes", "no", "yes")),
        ("OGL_NC_2_0", ("no", "yes", "no", "yes")),
        ("DLDE_ZERO_2_0", ("yes", "no", "no", "yes")),
        ("PSEUL", ("unknown", "unknown", "unknown", "unknown")),
    ],
)
def test_facts_of_licences_that_cities_use(code, answers):
    found = lists.facts(EU + "licence/" + code)
    assert (found.commercial, found.attribution, found.share_alike, found.changes) == answers


def test_an_unknown_licence_has_unknown_answers():
    found = lists.facts("https://city.example/terms")
    assert not found.known
    assert {found.commercial, found.attribution, found.share_alike, found.changes} == {"unknown"}
    assert found.title == {}
    assert found.short == ""


def test_the_facts_of_creative_commons_follow_from_their_names():
    for concept in lists.LICENCES:
        if not concept.code.startswith("CC_BY"):
            continue
        found = lists.facts(concept.iri)
        assert (found.commercial == "no") == ("NC" in concept.code.split("_")[1])
        assert (found.share_alike == "yes") == concept.code.split("_")[1].endswith("SA")
        assert (found.changes == "no") == concept.code.split("_")[1].endswith("ND")


@pytest.mark.parametrize(
    ("text", "code", "media", "packed"),
    [
        ("csv", "CSV", "text/csv", False),
        (".csv", "CSV", "text/csv", False),
        ("CSV", "CSV", "text/csv", False),
        ("text/csv", "CSV", "text/csv", False),
        ("text/csv; charset=utf-8", "CSV", "text/csv", False),
        ("zip:csv", "CSV", "text/csv", True),
        ("CSV (zip)", "CSV", "text/csv", True),
        ("zipped shapefile", "SHP", "", True),
        ("zip", "ZIP", "application/zip", False),
        ("shp", "SHP", "", False),
        ("GeoJSON", "GEOJSON", "application/geo+json", False),
        ("wms", "WMS_SRVC", "", False),
        ("OGC WFS", "WFS_SRVC", "", False),
        ("xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", False),
        ("excel", "XLS", "application/vnd.ms-excel", False),
        ("application/vnd.geo+json", "GEOJSON", "application/geo+json", False),
        ("application/x-zip-compressed", "ZIP", "application/zip", False),
        ("http://www.iana.org/assignments/media-types/text/csv", "CSV", "text/csv", False),
        (EU + "file-type/CSV", "CSV", "text/csv", False),
        ("turtle", "RDF_TURTLE", "text/turtle", False),
        ("JSON-LD", "JSON_LD", "application/ld+json", False),
        ("gtfs", "GTFS", "application/zip", False),
        ("citygml", "GML", "application/gml+xml", False),
        ("parquet", "PARQUET", "application/vnd.apache.parquet", False),
        # Known to IANA and not to the Publications Office.
        ("cityjson", "", "application/city+json", False),
        ("glb", "", "model/gltf-binary", False),
        ("model/obj", "", "model/obj", False),
        # Registered nowhere, or more than one thing.
        ("application/x-shapefile", "SHP", "", False),
        ("api", "", "", False),
        ("rest", "", "", False),
        ("CSV, XLS", "", "", False),
        ("csv/xls", "", "", False),
        ("text/nonsense", "", "", False),
        ("", "", "", False),
    ],
)
def test_formats_media_types_and_packages(text, code, media, packed):
    assert lists.format_of(text) == (EU + "file-type/" + code if code else "")
    assert lists.media_type_of(text) == (IANA + media if media else "")
    assert bool(lists.package_of(text)) is packed


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("daily", "DAILY"),
        ("päivittäin", "DAILY"),
        ("dagligen", "DAILY"),
        ("R/P1D", "DAILY"),
        ("R/P3.5D", "WEEKLY_2"),
        ("R/P0.5W", "WEEKLY_2"),
        ("R/P1Y", "ANNUAL"),
        ("vuosi", "ANNUAL"),
        ("vuosittain", "ANNUAL"),
        ("Årligen", "ANNUAL"),
        ("neljännesvuosittain", "QUARTERLY"),
        ("asNeeded", "AS_NEEDED"),
        ("tarvittaessa", "AS_NEEDED"),
        ("Continous", "CONT"),
        ("http://purl.org/cld/freq/daily", "DAILY"),
        (EU + "frequency/MONTHLY", "MONTHLY"),
        ("Quarterly or As Needed", ""),
        ("joka toinen hetki", ""),
        ("R/P35D", ""),
        ("", ""),
    ],
)
def test_frequencies(text, code):
    assert lists.frequency_of(text) == (EU + "frequency/" + code if code else "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "ENG"),
        ("en-GB", "ENG"),
        ("sv_FI", "SWE"),
        ("en-t-nl", "ENG"),
        ("fre", "FRA"),
        ("fra", "FRA"),
        ("suomi", "FIN"),
        ("se", "SME"),
        (EU + "language/NLD", "NLD"),
        ("http://id.loc.gov/vocabulary/iso639-1/sv", "SWE"),
        ("xx", ""),
        ("english-ish", ""),
        ("", ""),
    ],
)
def test_languages(text, code):
    assert lists.language_iri(text) == (EU + "language/" + code if code else "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Helsinki's groups of today and of before, by name and by slug
        ("asuminen", "SOCI"),
        ("liikenne", "TRAN"),
        ("Ympäristö ja luonto", "ENVI"),
        ("ymparisto-ja-luonto", "ENVI"),
        ("alueet-ja-kaupungit", "REGI"),
        ("rakennettu-ymparisto-ja-infrastruktuuri", "REGI"),
        ("hallinto-ja-julkinen-sektori", "GOVE"),
        ("kulttuuri-taide-ja-vapaa-aika", "EDUC"),
        ("maatalous-kalastus-metsatalous-ja-elintarvikkeet", "AGRI"),
        ("matkailu-ja-turismi", "ECON"),
        ("oikeus-oikeusjarjestelma-ja-yleinen-turvallisuus", "JUST"),
        ("Opetus ja koulutus", "EDUC"),
        ("Population & Society", "SOCI"),
        # London's topics
        ("art-and-culture", "EDUC"),
        ("crime-and-community-safety", "JUST"),
        ("income-poverty-and-welfare", "SOCI"),
        ("transport", "TRAN"),
        (EU + "data-theme/HEAL", "HEAL"),
        # Two themes or none
        ("Food and Environment", ""),
        ("Environment, Property & Land", ""),
        ("kartat", ""),
        ("championing-london", ""),
        ("", ""),
    ],
)
def test_themes(text, code):
    assert lists.theme_of(text) == (EU + "data-theme/" + code if code else "")


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("Helsinki", "place/FIN_HEL"),
        ("helsingfors", "place/FIN_HEL"),
        ("Espoo", "place/FIN_ESP"),
        ("vantaa", "place/FIN_VAT"),
        ("Kauniainen", "kunta_1_20240101/code/235"),
        ("Grankulla", "kunta_1_20240101/code/235"),
        ("London", "place/GBR_LON"),
        ("Greater London", "statistical-geography/E12000007"),
        ("London Borough of Tower Hamlets", "statistical-geography/E09000030"),
        ("Birmingham", "place/GBR_BHM"),
        ("Glasgow City", "place/GBR_GLW"),
        ("Suomi", "country/FIN"),
        ("pääkaupunkiseutu", ""),
        ("National", ""),
        ("", ""),
    ],
)
def test_places(text, tail):
    found = lists.place_of(text)
    assert found.endswith(tail)
    assert bool(found) is bool(tail)


# ---------------------------------------------------------------- official files

SKOS = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<http://example.org/table> a skos:ConceptScheme ; skos:prefLabel "A table"@en .
<http://example.org/table/ONE> skos:inScheme <http://example.org/table> ; skos:prefLabel "one"@en, "yksi"@fi, "un"@fr .
<http://example.org/table/TWO> skos:inScheme <http://example.org/table> ; skos:prefLabel "two"@en .
"""


def test_an_official_file_becomes_a_table(tmp_path):
    path = tmp_path / "numbers.ttl"
    path.write_text(SKOS)
    table = load_official(path)
    assert (table.name, table.base, len(table)) == ("numbers", "http://example.org/table/", 2)
    assert table.label("http://example.org/table/ONE", "fi") == "yksi"
    assert table.by_code("ONE").labels == {"en": "one", "fi": "yksi"}
    assert table.find("two").code == "TWO"


@pytest.mark.parametrize("name", ["broken.ttl", "broken.rdf"])
def test_an_official_file_that_is_none_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text("<this is not RDF")
    with pytest.raises(Malformed):
        load_official(path)
    path.write_text(
        "" if name.endswith("ttl") else '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    )
    with pytest.raises(Malformed, match="no concepts"):
        load_official(path)
    with pytest.raises(NotFound):
        load_official(tmp_path / "absent.rdf")
