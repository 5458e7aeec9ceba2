"""DCAT-US: data.json as its real writers write it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals.base import Head, Named
from node.catalog.portals.dcat_us import DcatUsPortal, DcatUsWalk
from node.errors import Malformed
from node.vocab.terms import DCAT, DCT, FOAF, LOCN, ORG, RDFS, VCARD, XSD
from tests.catalog.portals.desk import TestDesk, View, harvest, terms_are_canonical

AUTHORITY = "http://publications.europa.eu/resource/authority"

WIDGETS: dict[str, Any] = {
    "@type": "dcat:Dataset",
    "@id": "https://agency.example/id/widgets",
    "identifier": "widgets-1",
    "title": "Widgets",
    "description": "All.",
    "keyword": ["widget", "factory"],
    "modified": "2011-11-19T12:00:00Z",
    "issued": "2011-11-22",
    "accessLevel": "restricted public",
    "publisher": {
        "@type": "org:Organization",
        "name": "Widget Services",
        "mbox": "w@agency.example",
        "subOrganizationOf": {"name": "Office", "subOrganizationOf": {"name": "Government"}},
    },
    "contactPoint": {"@type": "vcard:Contact", "fn": "Jane Doe", "hasEmail": "mailto:jane.doe@agency.example"},
    "bureauCode": ["018:10"],
    "programCode": ["018:001"],
    "dataQuality": True,
    "primaryITInvestmentUII": None,
    "theme": ["Transport"],
    "license": "https://creativecommons.org/publicdomain/zero/1.0/",
    "rights": "None asked",
    "spatial": "United States",
    "temporal": "2009-09-01T12:00:00Z/2010-05-31",
    "accrualPeriodicity": "R/P1Y",
    "language": ["en-US"],
    "conformsTo": None,
    "landingPage": "https://agency.example/widgets",
    "describedBy": "https://agency.example/dictionary",
    "references": ["https://agency.example/r"],
    "distribution": [
        {
            "@type": "dcat:Distribution",
            "downloadURL": "https://agency.example/w.csv",
            "mediaType": "text/csv",
            "format": "CSV",
            "title": "w.csv",
        },
        {
            "@type": "dcat:Distribution",
            "accessURL": "https://agency.example/api",
            "format": "API",
            "title": "API",
            "describedByType": "x/y",
        },
        {
            "@type": "dcat:Distribution",
            "accessURL": "https://agency.example/api",
            "format": "API",
            "title": "API",
            "describedByType": "x/y",
        },
    ],
}


def only(tmp_path: Path, record: dict[str, Any]) -> View:
    file = tmp_path / "data.json"
    file.write_text(
        json.dumps({"@context": "https://x.example/c.jsonld", "@type": "dcat:Catalog", "dataset": [record]})
    )
    desk = TestDesk(tmp_path / "w", "dcat-us", file, language="en")
    view = harvest(DcatUsPortal(), desk).only()
    assert desk.reasons == []
    terms_are_canonical(view.triples)
    return view


def test_a_dataset_becomes_a_record_under_its_own_iri(tmp_path: Path) -> None:
    view = only(tmp_path, WIDGETS)
    assert view.description.iri == "https://agency.example/id/widgets"
    assert view.description.slug == "widgets-1"
    assert view.one(DCT.title) == '"Widgets"@en-us'
    assert view.one(DCT.license) == f"<{AUTHORITY}/licence/CC0>"
    assert view.one(DCT.accessRights) == f"<{AUTHORITY}/access-right/RESTRICTED>"
    assert view.under(DCT.rights, RDFS.label) == ['"None asked"@en-us']
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/ANNUAL>"
    assert view.under(DCT.temporal, DCAT.startDate) == [f'"2009-09-01T12:00:00Z"^^<{XSD.dateTime}>']
    assert view.under(DCT.temporal, DCAT.endDate) == [f'"2010-05-31"^^<{XSD.date}>']
    assert view.one(DCT.language) == f"<{AUTHORITY}/language/ENG>"
    assert view.one(DCAT.landingPage) == "<https://agency.example/widgets>"
    assert view.values(FOAF.page) == ["https://agency.example/dictionary", "https://agency.example/r"]
    assert view.carried() == {
        "bureauCode": ['"018:10"'],
        "programCode": ['"018:001"'],
        "dataQuality": [f'"true"^^<{XSD.boolean}>'],
    }


def test_the_publishers_hierarchy_stands(tmp_path: Path) -> None:
    view = only(tmp_path, WIDGETS)
    names, node = [], view.one(DCT.publisher)
    while True:
        names.append(view.one(FOAF.name, node))
        if not (above := view.all(ORG.subOrganizationOf, node)):
            break
        node = above[0]
    assert names == ['"Widget Services"', '"Office"', '"Government"']
    assert view.under(DCT.publisher, FOAF.mbox) == ["<mailto:w@agency.example>"]


def test_the_contact_is_written_in_full(tmp_path: Path) -> None:
    view = only(tmp_path, WIDGETS)
    assert view.under(DCAT.contactPoint, VCARD.fn) == ['"Jane Doe"']
    assert view.under(DCAT.contactPoint, VCARD.hasEmail) == ["<mailto:jane.doe@agency.example>"]
    bare = only(tmp_path, WIDGETS | {"contactPoint": {"fn": "<Nobody>", "email": "{{orgContactEmail}}"}})
    assert bare.under(DCAT.contactPoint, VCARD.fn) == ['"<Nobody>"']
    assert bare.under(DCAT.contactPoint, VCARD.hasEmail) == []
    assert "placeholder" in bare.codes()


def test_a_distribution_always_has_an_access_address_and_says_nothing_twice(tmp_path: Path) -> None:
    view = only(tmp_path, WIDGETS)
    file, api = view.all(DCAT.distribution)
    assert view.one(DCAT.accessURL, file) == view.one(DCAT.downloadURL, file) == "<https://agency.example/w.csv>"
    assert view.one(DCAT.mediaType, file).endswith("text/csv>")
    assert view.one(DCAT.accessURL, api) == "<https://agency.example/api>"
    assert view.all(DCAT.downloadURL, api) == []
    assert view.carried(api) == {"describedByType": ['"x/y"']}
    both = only(
        tmp_path,
        WIDGETS | {"distribution": {"accessURL": "https://a.example/x", "downloadURL": "https://a.example/x.csv"}},
    )
    node = both.one(DCAT.distribution)
    assert (both.one(DCAT.accessURL, node), both.one(DCAT.downloadURL, node)) == (
        "<https://a.example/x>",
        "<https://a.example/x.csv>",
    )


def test_usmarts_spellings_are_understood(tmp_path: Path) -> None:
    identifier = "https://data.usmart.example/org/1/dataset:view?datasetGUID=f3df"
    record = {
        "identifier": identifier,
        "title": "Counts",
        "description": "Hourly",
        "licence": "https://creativecommons.org/licenses/by/4.0/legalcode",
        "license": None,
        "publisher": {"name": "https://usmart.example/org/cycling"},
        "accessLevel": "public",
        "language": None,
        "boundingBoxWest": -5,
        "boundingBoxSouth": 55,
        "boundingBoxEast": -4,
        "boundingBoxNorth": 56,
        "temporalCoverageStart": "2018",
        "accrualPeriodicity": "Sometimes",
        "coverageArea": "Atlantis",
        "keyword": "one",
        "landingPage": "https://usmart.example/view/f3df8bdf",
        "spatialReferenceSystem": "EPSG:27700",
        "modified": "R/P1D",
    }
    view = only(tmp_path, record)
    assert view.description.slug == "f3df8bdf"
    assert view.one(DCT.license) == f"<{AUTHORITY}/licence/CC_BY_4_0>"
    assert view.one(DCT.publisher) == "<https://usmart.example/org/cycling>"
    assert view.under(DCT.spatial, DCAT.bbox)[0].startswith('"POLYGON((-5 55,')
    assert view.under(DCT.spatial, LOCN.geographicName) == ['"Atlantis"']
    assert view.one(DCT.conformsTo) == "<http://www.opengis.net/def/crs/EPSG/0/27700>"
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/DAILY>"
    assert view.one(DCAT.keyword) == '"one"@en'
    assert view.carried()["accrualPeriodicity"] == ['"Sometimes"']
    assert {"name-is-address", "frequency-unknown"} <= view.codes()


@pytest.mark.parametrize(
    ("spatial", "found"),
    [
        ("-5,55,-4,56", "bbox"),
        ({"type": "Point", "coordinates": [1, 2]}, "geometry"),
        ('{"type":"Point","coordinates":[1,2]}', "geometry"),
        ([-5, 55, -4, 56], "bbox"),
        ({"type": "Oval"}, ""),
        ("https://www.geonames.org/660129", "iri"),
    ],
)
def test_space_is_a_box_a_shape_a_place_or_a_plain_value(tmp_path: Path, spatial: object, found: str) -> None:
    view = only(tmp_path, WIDGETS | {"spatial": spatial})
    assert bool(view.under(DCT.spatial, DCAT.bbox)) == (found == "bbox")
    assert bool(view.under(DCT.spatial, LOCN.geometry)) == (found == "geometry")
    assert (view.all(DCT.spatial) == ["<https://www.geonames.org/660129>"]) == (found == "iri")
    assert ("spatial" in view.carried()) == (found == "")


def test_entries_that_cannot_be_named_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    file.write_text(json.dumps({"dataset": [WIDGETS, WIDGETS, {"identifier": "x"}, {"title": "t"}, None]}))
    found = harvest(DcatUsPortal(), TestDesk(tmp_path / "w", "dcat-us", file))
    assert found.codes() == ["duplicate-key", "title-missing", "nameless", "malformed"]
    assert list(found.descriptions) == ["widgets-1"]


def test_a_sites_root_leads_to_its_document(tmp_path: Path) -> None:
    desk = TestDesk(tmp_path, "dcat-us", "https://agency.example", lambda url: {"dataset": [WIDGETS]})
    assert len(harvest(DcatUsPortal(), desk).descriptions) == 1
    assert desk.fetched == ["https://agency.example/data.json"]


def test_an_empty_list_is_incomplete_and_another_document_malformed(tmp_path: Path) -> None:
    desk = TestDesk(tmp_path, "dcat-us", "https://a.example/data.json", lambda url: {"dataset": []})
    harvest(DcatUsPortal(), desk)
    assert desk.reasons == ["The document holds no dataset."]
    for body in ("<html>", "", {"error": "no"}):
        with pytest.raises(Malformed):
            harvest(
                DcatUsPortal(), TestDesk(tmp_path, "dcat-us", "https://a.example/d.json", lambda url, body=body: body)
            )  # type: ignore[misc]


@pytest.mark.slow  # many examples
@given(
    st.dictionaries(
        st.sampled_from(
            [*WIDGETS, "licence", "lineage", "isPartOf", "coverageArea", "boundingBoxWest", "versionNotes"]
        ),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=8)
            | st.sampled_from(["https://[", "R/", "://", "1,2,3,4"]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from(["name", "@id", "fn", "hasEmail", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=8,
    )
)
def test_no_broken_value_costs_the_record(fields: dict[str, Any]) -> None:
    walk = DcatUsWalk(TestDesk(Path("unused"), "dcat-us", "/x"), [])
    head = Head("k", "dataset", "", "k", "t")
    walk.head_of(fields, 1)
    for record in (WIDGETS | fields, WIDGETS | {"distribution": [fields]}):
        found = walk.description_of(record, head, Named("https://city.example/datasets/k", "k", "dataset"))
        terms_are_canonical(found.triples)
