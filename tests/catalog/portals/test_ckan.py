"""CKAN: what its fields say, in the dialects of its portals, and how a walk over its pages stays honest."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals import ckanrecord
from node.catalog.portals.base import Head, Named
from node.catalog.portals.ckan import CkanPortal
from node.errors import Malformed
from node.vocab.terms import ADMS, DCAT, DCT, FOAF, LOCN, RDF, RDFS, SKOS, SPDX, VCARD, XSD
from tests.catalog.portals.desk import TestDesk, View, harvest, terms_are_canonical

AUTHORITY = "http://publications.europa.eu/resource/authority"

HELSINKI: dict[str, Any] = {
    "id": "6f1c-1",
    "name": "puut",
    "type": "dataset",
    "state": "active",
    "private": False,
    "title": "Puut",
    "title_translated": {"fi": "Puut", "en": "Trees", "sv": ""},
    "notes": "Kaupungin puut.",
    "notes_translated": {"fi": "Kaupungin puut.", "en": "The <b>city</b>'s trees.", "sv": ""},
    "keywords": {"fi": ["puut", "kasvit"], "en": ["trees"]},
    "tags": [{"name": "puut", "display_name": "puut"}],
    "groups": [{"name": "ymparisto", "title": "Ympäristö"}],
    "geographical_coverage": ["Helsinki", "Atlantis"],
    "update_frequency": {"fi": ["päivittäin"]},
    "collection_type": "Open Data",
    "date_released": "2020-05",
    "date_updated": "24.02.2021",
    "metadata_created": "2019-01-01T10:00:00.1",
    "metadata_modified": "2026-01-01T00:00:00",
    "license_id": "CC-BY-4.0",
    "license_title": "Creative Commons Attribution 4.0",
    "license_url": "https://creativecommons.org/licenses/by/4.0/",
    "maintainer": "Kaupunkiympäristön toimiala",
    "maintainer_email": "kymp@hel.example ",
    "maintainer_website": "https://hel.example",
    "author": None,
    "author_email": "",
    "external_urls": ["https://hel.example/doc", ""],
    "global_id": "",
    "num_resources": 1,
    "tracking_summary": {"total": 3},
    "organization": {"id": "o1", "name": "helsinki", "title": "Helsinki", "revision_id": "x"},
    "owner_org": "o1",
    "resources": [
        {
            "id": "r1",
            "name": "CityGML-aineisto",
            "name_translated": {"fi": "CityGML-aineisto", "en": "CityGML data", "sv": ""},
            "description": "",
            "url": "https://kartta.hel.example/puut.csv",
            "format": "CSV",
            "mimetype": "text/csv",
            "size": 1234,
            "hash": "d41d8cd98f00b204e9800998ecf8427e",
            "created": "2020-05-01T00:00:00",
            "last_modified": None,
            "time_series_start": "2019",
            "time_series_end": "2020-12",
            "position_info": "ETRS-GK25 (EPSG:3879)",
            "package_id": "6f1c-1",
            "state": "active",
            "position": 0,
        },
        {"id": "r2", "url": "https://x.example", "state": "deleted"},
    ],
}

VANTAA: dict[str, Any] = {
    "id": "88d2",
    "name": "kielet",
    "title": "Kielet",
    "notes": "Kuvaus",
    "notes_rendered": "<p>Kuvaus</p>",
    "state": "active",
    "extras": {
        "title_en": "Languages",
        "title_se": "Språk",
        "notes_se": "",
        "date_released": "03/31/2014",
        "date_updated": "08/09/2016",
        "categories": "Opetus ja koulutus",
        "geographic_coverage": "{helsinki,espoo}",
        "temporal_coverage-from": "2012",
        "temporal_coverage-to": "",
        "update_frequency": "vuosi",
        "agency": "Sivistystoimi",
        "source": "Sivistysvirasto",
        "geographic_granularity": "Piste",
        "taxonomy_url": "",
    },
    "license_id": "cc-by-4-fi",
    "tags": ["kielet"],
    "groups": ["perusopetus"],
    "resources": [],
    "url": "http://www.vantaa.example/#Varhaiskasvatus ja koulutus",
    "author": "Perusopetus",
    "author_email": "tilasto@vantaa.example",
}

STOCK: dict[str, Any] = {
    "id": "s1",
    "name": "cards",
    "title": "Cards",
    "notes": "Spend",
    "url": "Accounts Payable",
    "version": "1.0",
    "maintainer": "Ian Martin",
    "maintainer_email": "ian.martin@b.example ",
    "author": "Ian Martin",
    "author_email": "ian.martin@b.example",
    "license_id": "other-city",
    "license_title": "Other (City)",
    "private": False,
    "organization": {"name": "bcc", "title": "City Council"},
    "metadata_created": "2014-12-01T10:29:19.414595",
    "extras": [
        {"key": "Department", "value": "Finance"},
        {"key": "department", "value": "Audit"},
        {"key": "Time Period", "value": "2001 - 2010"},
        {"key": "spatial", "value": '{"type":"Polygon","coordinates":[[[1,2],[3,2],[3,4],[1,4],[1,2]]]}'},
        {"key": "Update Frequency", "value": "when the moon is full"},
        {"key": "Usage", "value": "Public; \u0001free"},
        {"key": "harvest_object_id", "value": "abc"},
        {"key": "Data steward", "value": "Jane Doe jane.doe@b.example"},
        {"key": "nested", "value": {"b": [1, {"a": True}]}},
        {"key": "flags", "value": [True, 3, 0.5]},
    ],
    "resources": [
        {"id": "a", "name": "Cards ", "url": "www.b.example/cards.xls", "format": "", "size": "12 kB"},
        {"id": "b", "name": "Imagery", "url": "not an address", "format": "imagery", "hash": "zzz"},
        {"id": "c", "url": "https://b.example/x y.zip", "format": "zip:csv", "url_type": "upload"},
        {"id": "d", "name": "Mesh", "url": "https://b.example/t", "format": "3D Tiles"},
        {
            "id": "e",
            "name": "Model",
            "url": "https://b.example/m.city.json",
            "format": "CityJSON 2.0",
            "license_id": "cc-zero",
        },
    ],
}


def described(tmp_path: Path, package: dict[str, Any], language: str = "en") -> View:
    file = tmp_path / "package.json"
    file.write_text(json.dumps([package]))
    desk = TestDesk(tmp_path / "work", "ckan", file, language=language)
    view = harvest(CkanPortal(), desk).only()
    assert desk.reasons == []
    terms_are_canonical(view.triples)
    return view


def test_helsinkis_language_maps_keep_every_language_and_drop_empty_ones(tmp_path: Path) -> None:
    view = described(tmp_path, HELSINKI, "fi")
    assert sorted(view.all(DCT.title)) == ['"Puut"@fi', '"Trees"@en']
    assert sorted(view.all(DCT.description)) == ['"Kaupungin puut."@fi', '"The <b>city</b>\'s trees."@en']
    assert sorted(view.all(DCAT.keyword)) == ['"kasvit"@fi', '"puut"@fi', '"trees"@en']


def test_helsinkis_fields_find_their_properties(tmp_path: Path) -> None:
    view = described(tmp_path, HELSINKI, "fi")
    assert view.one(RDF.type) == f"<{DCAT.Dataset}>"
    assert view.values(DCT.identifier) == ["6f1c-1", "puut"]
    assert f"<{AUTHORITY}/data-theme/ENVI>" in view.all(DCAT.theme)
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/DAILY>"
    assert view.one(DCT.issued) == f'"2020-05"^^<{XSD.gYearMonth}>'
    assert view.one(DCT.modified) == f'"2021-02-24"^^<{XSD.date}>'
    assert view.one(DCT.license) == f"<{AUTHORITY}/licence/CC_BY_4_0>"
    assert f"<{AUTHORITY}/place/FIN_HEL>" in view.all(DCT.spatial)
    assert view.under(DCT.spatial, LOCN.geographicName) == ['"Atlantis"']
    assert view.under(DCT.type, SKOS.prefLabel) == ['"Open Data"@fi']
    assert view.one(FOAF.page) == "<https://hel.example/doc>"
    assert view.under(DCT.publisher, FOAF.name) == ['"Helsinki"']
    assert view.under(DCT.publisher, DCT.identifier) == ['"helsinki"']
    assert view.under(DCAT.contactPoint, VCARD.hasEmail) == ["<mailto:kymp@hel.example>"]
    assert view.carried() == {}
    assert view.description.owner == "Helsinki"


def test_a_resource_becomes_a_distribution(tmp_path: Path) -> None:
    view = described(tmp_path, HELSINKI, "fi")
    node = view.one(DCAT.distribution)
    assert sorted(view.all(DCT.title, node)) == ['"CityGML data"@en', '"CityGML-aineisto"@fi']
    assert view.one(DCAT.accessURL, node) == view.one(DCAT.downloadURL, node) == "<https://kartta.hel.example/puut.csv>"
    assert view.one(DCT.format, node) == f"<{AUTHORITY}/file-type/CSV>"
    assert view.one(DCAT.mediaType, node).endswith("media-types/text/csv>")
    assert view.one(DCAT.byteSize, node) == f'"1234"^^<{XSD.nonNegativeInteger}>'
    assert view.under(SPDX.checksum, SPDX.algorithm, node) == [f"<{SPDX.checksumAlgorithm_md5}>"]
    assert view.under(SPDX.checksum, SPDX.checksumValue, node)[0].endswith(f"^^<{XSD.hexBinary}>")
    assert view.under(DCT.temporal, DCAT.startDate, node) == [f'"2019"^^<{XSD.gYear}>']
    assert view.under(DCT.temporal, DCAT.endDate, node) == [f'"2020-12"^^<{XSD.gYearMonth}>']
    assert view.one(DCT.license, node) == view.one(DCT.license)
    assert set(view.all(DCT.conformsTo, node)) == {
        "<https://www.ogc.org/standards/citygml>",
        "<http://www.opengis.net/def/crs/EPSG/0/3879>",
    }


def test_the_old_schema_of_helsinki_reads_se_as_swedish_and_months_first(tmp_path: Path) -> None:
    view = described(tmp_path, VANTAA, "fi")
    assert sorted(view.all(DCT.title)) == ['"Kielet"@fi', '"Languages"@en', '"Språk"@sv']
    assert view.one(DCT.modified) == f'"2016-08-09"^^<{XSD.date}>'
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/ANNUAL>"
    assert set(view.all(DCT.spatial)) == {f"<{AUTHORITY}/place/FIN_HEL>", f"<{AUTHORITY}/place/FIN_ESP>"}
    assert f"<{AUTHORITY}/data-theme/EDUC>" in view.all(DCAT.theme)
    assert view.one(DCT.license) == f"<{AUTHORITY}/licence/CC_BY_4_0>"
    assert view.under(DCT.temporal, DCAT.startDate) == [f'"2012"^^<{XSD.gYear}>']
    assert view.under(DCT.creator, FOAF.name) == ['"Sivistystoimi"']
    assert view.under(DCT.provenance, RDFS.label) == ['"Sivistysvirasto"@fi']
    assert view.under(DCAT.contactPoint, VCARD.role) == ['"author"']
    assert view.one(FOAF.page) == "<http://www.vantaa.example/#Varhaiskasvatus%20ja%20koulutus>"
    assert view.carried() == {"geographic_granularity": ['"Piste"']}
    assert "iri-mended" in view.codes()


def test_an_unknown_licence_is_words_and_a_finding_never_a_guess(tmp_path: Path) -> None:
    view = described(tmp_path, STOCK)
    assert view.all(DCT.license) == []
    assert view.under(DCT.rights, RDFS.label) == ['"Other (City)"@en']
    assert "licence-unknown" in view.codes()
    own = [view.all(DCT.license, node) for node in view.all(DCAT.distribution)]
    assert own == [[], [], [], [], [f"<{AUTHORITY}/licence/CC0>"]]


def test_a_licence_that_is_only_an_address_is_kept_as_that_address(tmp_path: Path) -> None:
    package = STOCK | {"license_id": None, "license_title": None, "license_url": "https://city.example/terms"}
    view = described(tmp_path, package)
    assert view.one(DCT.license) == "<https://city.example/terms>"
    assert "licence-unknown" in view.codes()


def test_unknown_fields_travel_along_and_volatile_ones_do_not(tmp_path: Path) -> None:
    view = described(tmp_path, STOCK)
    assert view.carried() == {
        "Usage": ['"Public; \ufffdfree"'],
        "url": ['"Accounts Payable"'],
        "department": ['"Audit"'],
        "update_frequency": ['"when the moon is full"'],
        "nested": ['"{\\"b\\":[1,{\\"a\\":true}]}"'],
        "flags": ['"0.5"', f'"3"^^<{XSD.integer}>', f'"true"^^<{XSD.boolean}>'],
    }
    assert {"characters-mended", "frequency-unknown"} <= view.codes()
    assert view.under(DCT.temporal, DCAT.endDate) == [f'"2010"^^<{XSD.gYear}>']
    assert view.under(DCT.spatial, DCAT.bbox)[0].startswith('"POLYGON((1 2,3 2,3 4,1 4,1 2))"')
    assert view.one(DCT.issued).endswith(f"^^<{XSD.dateTime}>")
    assert view.all(DCT.modified) == []


def test_contacts_are_written_in_full_and_once(tmp_path: Path) -> None:
    view = described(tmp_path, STOCK)
    assert sorted(view.under(DCAT.contactPoint, VCARD.hasEmail)) == [
        "<mailto:ian.martin@b.example>",
        "<mailto:jane.doe@b.example>",
    ]
    assert view.under(DCAT.contactPoint, VCARD.fn) == ['"Ian Martin"']


def test_formats_and_addresses_are_mended_or_kept_as_words(tmp_path: Path) -> None:
    view = described(tmp_path, STOCK)
    first, second, third, fourth, fifth = view.all(DCAT.distribution)
    assert view.one(DCAT.downloadURL, first) == "<http://www.b.example/cards.xls>"
    assert view.one(DCT.format, first) == f"<{AUTHORITY}/file-type/XLS>"
    assert view.carried(first) == {"size": ['"12 kB"']}
    assert view.one(DCAT.accessURL, second) == '"not an address"'
    assert view.under(DCT.format, RDFS.label, second) == ['"imagery"']
    assert view.carried(second) == {"hash": ['"zzz"']}
    assert view.one(DCAT.downloadURL, third) == "<https://b.example/x%20y.zip>"
    assert view.one(DCT.format, third) == f"<{AUTHORITY}/file-type/CSV>"
    assert view.one(DCAT.packageFormat, third).endswith("application/zip>")
    assert view.one(DCT.conformsTo, fourth) == "<https://www.ogc.org/standards/3dtiles>"
    assert view.one(DCT.conformsTo, fifth) == "<https://www.cityjson.org/specs/2.0/>"
    assert {"iri-mended", "iri-not-absolute", "format-unknown", "format-from-address"} <= view.codes()


def test_states_and_high_value_fields_use_the_tables(tmp_path: Path) -> None:
    package = STOCK | {
        "highvalue_category": ["http://data.europa.eu/bna/c_ac64a52d", "other"],
        "language": ["fi", "klingon"],
        "applicable_legislation": "http://data.europa.eu/eli/reg_impl/2023/138/oj",
        "access_rights": ["PUBLIC", "ask"],
        "resources": [{"id": "x", "url": "https://b.example/x.csv", "maturity": "COMPLETED", "availability": "soon"}],
    }
    view = described(tmp_path, package)
    assert view.one(DCT.language) == f"<{AUTHORITY}/language/FIN>"
    assert f"<{AUTHORITY}/access-right/PUBLIC>" in view.all(DCT.accessRights)
    assert {"hvd_category", "language"} <= view.carried().keys()
    node = view.one(DCAT.distribution)
    assert view.one(ADMS.status, node) == f"<{AUTHORITY}/distribution-status/COMPLETED>"
    assert view.carried(node) == {"availability": ['"soon"']}


def test_private_draft_deleted_and_nameless_packages_are_refused_with_what_to_mend(tmp_path: Path) -> None:
    packages = [
        {"id": "1", "title": "a", "private": True},
        {"id": "2", "title": "b", "state": "draft"},
        {"id": "3", "title": "c", "state": "deleted"},
        {"id": "4", "title": " \u200b\u202e"},
        {"title": "no key"},
        {"id": "5", "title": "e"},
        {"id": "5", "title": "again"},
        "words",
        {"id": "6", "title": "s", "type": "showcase"},
        {"id": "7", "title": "kept", "type": "dataset_series"},
    ]
    file = tmp_path / "dump.json"
    file.write_text(json.dumps(packages))
    found = harvest(CkanPortal(), TestDesk(tmp_path / "w", "ckan", file))
    assert sorted(found.heads) == ["5", "7"]
    assert found.heads["7"].kind == "dataset-series"
    assert found.codes() == [
        "not-public",
        "not-public",
        "not-public",
        "title-missing",
        "nameless",
        "duplicate-key",
        "malformed",
        "not-a-dataset",
    ]
    assert all(refusal.message.endswith((".", "done.")) for refusal in found.refusals)
    assert found["5"].values(DCT.title) == ["e"]


def test_a_package_keeps_the_iri_it_was_published_under(tmp_path: Path) -> None:
    extra = [{"key": "uri", "value": "https://data.example/id/trees"}]
    assert described(tmp_path, STOCK | {"extras": extra}).description.iri == "https://data.example/id/trees"


@pytest.mark.parametrize(
    "dump",
    [
        json.dumps([STOCK, HELSINKI]),
        json.dumps(STOCK) + "\n" + json.dumps(HELSINKI) + "\n",
        json.dumps({"success": True, "result": [STOCK, HELSINKI]}),
        json.dumps({"success": True, "result": {"count": 2, "results": [STOCK, HELSINKI]}}),
    ],
)
def test_every_kind_of_dump_gives_the_same_records(tmp_path: Path, dump: str) -> None:
    file = tmp_path / "dump.json"
    file.write_text(dump)
    desk = TestDesk(tmp_path / "w", "ckan", file)
    assert sorted(harvest(CkanPortal(), desk).descriptions) == ["6f1c-1", "s1"]
    assert desk.reasons == []


def test_a_dump_that_is_only_a_page_says_so(tmp_path: Path) -> None:
    file = tmp_path / "page.json"
    help_ = "https://data.b.example/api/3/action/help_show?name=package_search"
    file.write_text(json.dumps({"help": help_, "success": True, "result": {"count": 38, "results": [STOCK]}}))
    desk = TestDesk(tmp_path / "w", "ckan", file)
    found = harvest(CkanPortal(), desk)
    assert desk.reasons == ["The document says that there are 38 datasets and holds 1."]
    assert found["s1"].one(DCAT.landingPage) == "<https://data.b.example/dataset/cards>"


@pytest.mark.parametrize(
    "body", ["", "<html><body>Down</body></html>", '{"success": false, "error": {"message": "no"}}', "{", '{"a": 1}']
)
def test_a_file_that_is_no_answer_is_malformed(tmp_path: Path, body: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(body)
    with pytest.raises(Malformed):
        harvest(CkanPortal(), TestDesk(tmp_path / "w", "ckan", file))


def test_an_empty_catalogue_is_never_a_whole_one(tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text("[]")
    desk = TestDesk(tmp_path / "w", "ckan", file)
    assert harvest(CkanPortal(), desk).descriptions == {}
    assert desk.reasons


@pytest.mark.slow  # many examples
@given(
    st.dictionaries(
        st.sampled_from([*HELSINKI, *VANTAA["extras"], "extras", "spatial", "temporal", "publisher_uri", "language"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=8)
            | st.sampled_from(["{", "[", "a@b.c", "//", "2012/"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=8,
    )
)
def test_no_broken_value_costs_the_record(fields: dict[str, Any]) -> None:
    head = Head("k", "dataset", "", "k", "t")
    named = Named("https://city.example/datasets/k", "k", "dataset")
    package = HELSINKI | {"resources": [fields, *HELSINKI["resources"]]} | fields
    found = ckanrecord.describe(package, head, named, language="fi", portal="")
    terms_are_canonical(found.triples)
    assert ckanrecord.title_of(fields) is not None
    assert ckanrecord.owner_of(fields) is not None


def test_what_is_said_twice_becomes_one_node(tmp_path: Path) -> None:
    group = {"name": "odd", "title": "Odd things"}
    package = STOCK | {"groups": [group, group], "geographical_coverage": ["Atlantis", "Atlantis"]}
    view = described(tmp_path, package)
    assert view.under(DCAT.theme, SKOS.prefLabel) == ['"Odd things"@en']
    assert view.under(DCT.spatial, LOCN.geographicName) == ['"Atlantis"']


def test_what_helsinki_calls_open_data_is_public_unless_it_says_otherwise(tmp_path: Path) -> None:
    rights = "http://publications.europa.eu/resource/authority/access-right/"
    assert described(tmp_path, HELSINKI).all(DCT.accessRights) == [f"<{rights}PUBLIC>"]
    (tmp_path / "other").mkdir()
    (tmp_path / "silent").mkdir()
    told = described(tmp_path / "other", {**HELSINKI, "access_rights": "RESTRICTED"})
    assert told.all(DCT.accessRights) == [f"<{rights}RESTRICTED>"]
    silent = {key: value for key, value in HELSINKI.items() if key != "collection_type"}
    assert described(tmp_path / "silent", silent).all(DCT.accessRights) == []
