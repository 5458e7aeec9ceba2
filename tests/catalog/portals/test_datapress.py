"""DataPress: export v3, the CKAN-like answer and the native form give the same kind of record."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.catalog.portals.base import Head, Named
from node.catalog.portals.datapress import DataPressPortal, DataPressWalk
from node.errors import Malformed
from node.vocab.terms import DCAT, DCT, FOAF, ORG, RDFS, SPDX, VCARD, XSD
from tests.catalog.portals.desk import TestDesk, View, harvest, terms_are_canonical

AUTHORITY = "http://publications.europa.eu/resource/authority"
EXPORT = "https://data.ldn.example/api/v3/datasets/export.json"

V3: dict[str, Any] = {
    "webpage": "https://data.ldn.example/dataset/trees-2xxx0",
    "id": "2xxx0",
    "title": "Trees",
    "description": "<p>Of <b>London</b></p>",
    "createdAt": "2001-01-01T00:00:00.000Z",
    "updatedAt": "2002-01-01T00:00:00.000Z",
    "nextReviewDate": "2027-01-01",
    "sharing": "public",
    "masthead": {"id": "gla", "title": "Greater London Authority"},
    "team": {"id": "53oj7", "title": "City Hall Trees"},
    "topics": [{"id": "transport", "title": "Transport"}, {"id": "odd", "title": "Odd things"}],
    "tags": ["trees", "trees"],
    "licence": None,
    "contact": {"name": "Tree Team", "email": "trees@ldn.example"},
    "shares": [{"who": "x"}],
    "readonly": [],
    "links": [{"url": "https://ldn.example/about", "title": "About"}, "not a link"],
    "custom": {"london_smallest_geography": "Borough", "update_frequency": "Annual", "title": "Shadow"},
    "resources": [
        {
            "dataset": "2xxx0",
            "webpage": "https://data.ldn.example/dataset/trees-2xxx0",
            "id": "u1",
            "title": "trees.csv",
            "url": "https://data.ldn.example/download/trees-2xxx0",
            "description": "",
            "timeframeFrom": "2001",
            "timeframeTo": "2001-12",
            "size": 2000,
            "hash": "2398a191402fb1adaf4816b735e55fd6",
            "timestamp": "2019-07-19T16:00:56",
            "filename": "trees.csv",
            "check_http_status": 200,
            "check_size": 1,
            "order": 1,
        },
    ],
}


def only(tmp_path: Path, document: Any) -> View:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(document))
    desk = TestDesk(tmp_path / "w", "datapress", file)
    view = harvest(DataPressPortal(), desk).only()
    assert desk.reasons == []
    terms_are_canonical(view.triples)
    return view


def test_an_export_dataset_becomes_a_record(tmp_path: Path) -> None:
    view = only(tmp_path, [V3])
    assert view.description.slug == "trees-2xxx0"
    assert view.one(DCT.description) == '"<p>Of <b>London</b></p>"@en'
    assert view.one(DCAT.landingPage) == "<https://data.ldn.example/dataset/trees-2xxx0>"
    assert view.one(DCT.issued) == f'"2001-01-01T00:00:00.000Z"^^<{XSD.dateTime}>'
    assert view.under(DCT.publisher, FOAF.name) == ['"City Hall Trees"']
    above = view.under(ORG.subOrganizationOf, FOAF.name, view.one(DCT.publisher))
    assert above == ['"Greater London Authority"']
    assert view.all(DCAT.keyword) == ['"trees"@en']
    assert f"<{AUTHORITY}/data-theme/TRAN>" in view.all(DCAT.theme)
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/ANNUAL>"
    assert view.under(DCAT.contactPoint, VCARD.hasEmail) == ["<mailto:trees@ldn.example>"]
    assert view.all(DCT.title, "<https://ldn.example/about>") == ['"About"@en']
    assert view.carried() == {
        "nextReviewDate": ['"2027-01-01"'],
        "london_smallest_geography": ['"Borough"'],
        "custom.title": ['"Shadow"'],
        "links": ['"not a link"'],
    }


def test_no_licence_is_unknown_and_never_guessed(tmp_path: Path) -> None:
    view = only(tmp_path, [V3])
    assert view.all(DCT.license) == view.all(DCT.rights) == []
    assert "licence-unknown" in view.codes()
    known = only(tmp_path, [V3 | {"licence": {"id": "uk-ogl", "title": "UK Open Government Licence"}}])
    assert known.under(DCAT.distribution, DCT.license) == known.all(DCT.license) != []
    words = only(tmp_path, [V3 | {"licence": {"title": "Ask us"}}])
    assert words.under(DCT.rights, RDFS.label) == ['"Ask us"@en']


def test_a_resource_becomes_a_distribution(tmp_path: Path) -> None:
    view = only(tmp_path, [V3])
    node = view.one(DCAT.distribution)
    assert view.one(DCAT.downloadURL, node) == view.one(DCAT.accessURL, node)
    assert view.one(DCT.format, node) == f"<{AUTHORITY}/file-type/CSV>"
    assert view.one(DCAT.byteSize, node).startswith('"2000"')
    assert view.under(SPDX.checksum, SPDX.algorithm, node) == [f"<{SPDX.checksumAlgorithm_md5}>"]
    assert view.under(DCT.temporal, DCAT.endDate, node) == [f'"2001-12"^^<{XSD.gYearMonth}>']
    assert view.one(DCT.modified, node) == f'"2019-07-19T16:00:56"^^<{XSD.dateTime}>'
    assert view.carried(node) == {}


def test_resources_are_a_list_or_an_object_or_under_the_organisation(tmp_path: Path) -> None:
    resource = {key: value for key, value in V3["resources"][0].items() if key != "id"}
    keyed = only(tmp_path, V3 | {"resources": {"u1": resource}})
    assert keyed.under(DCAT.distribution, DCT.identifier) == ['"u1"']
    borough = {key: value for key, value in V3.items() if key not in ("resources", "team")}
    inside = only(
        tmp_path, [borough | {"organization": {"name": "barnet", "title": "Barnet", "resources": V3["resources"]}}]
    )
    assert inside.under(DCAT.distribution, DCT.identifier) == ['"u1"']
    assert inside.under(DCT.publisher, FOAF.name) == ['"Barnet"']


def test_the_ckan_like_answer_is_read(tmp_path: Path) -> None:
    package = {
        "id": "abcde",
        "name": "trees",
        "title": "Trees",
        "notes": "Of London",
        "author": "Team",
        "author_email": "t@x.example",
        "maintainer": "Team",
        "maintainer_email": "t@x.example",
        "license_id": "uk-ogl",
        "tags": [{"name": "a"}],
        "state": "active",
        "private": False,
        "groups": [{"name": "transport", "title": "Transport"}],
        "extras": [{"key": "update_frequency", "value": "Daily"}],
        "metadata_created": "2020-01-01T00:00:00",
        "metadata_modified": "x",
        "resources": {"r": {"name": "A", "url": "https://x.example/a.csv"}},
    }
    view = only(tmp_path, {"success": True, "result": [package]})
    assert view.one(DCT.description) == '"Of London"@en'
    assert view.one(DCT.accrualPeriodicity) == f"<{AUTHORITY}/frequency/DAILY>"
    assert len(view.all(DCAT.contactPoint)) == 1
    assert view.carried() == {}


def test_what_is_not_public_or_comes_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(
        json.dumps(
            [
                V3,
                V3 | {"title": "Again"},
                {"id": "p", "title": "P", "sharing": "private"},
                {"id": "q", "title": "Q", "private": True},
                {"id": "r", "title": ""},
                {"title": "no id"},
            ]
        )
    )
    found = harvest(DataPressPortal(), TestDesk(tmp_path / "w", "datapress", file))
    assert found.codes() == ["duplicate-key", "not-public", "not-public", "title-missing", "nameless"]
    assert list(found.descriptions) == ["2xxx0"]


@pytest.mark.parametrize("location", ["https://data.ldn.example", "https://data.ldn.example/", EXPORT])
def test_a_portals_root_leads_to_its_export(tmp_path: Path, location: str) -> None:
    desk = TestDesk(tmp_path, "datapress", location, lambda url: [V3])
    assert len(harvest(DataPressPortal(), desk).descriptions) == 1
    assert desk.fetched == [EXPORT]


def test_an_empty_or_short_export_is_incomplete_and_an_error_is_malformed(tmp_path: Path) -> None:
    desk = TestDesk(tmp_path, "datapress", EXPORT, lambda url: [])
    harvest(DataPressPortal(), desk)
    assert desk.reasons == ["The document holds no dataset."]
    page = {"success": True, "result": {"count": 3, "results": [V3]}}
    short = TestDesk(tmp_path, "datapress", EXPORT, lambda url: page)
    harvest(DataPressPortal(), short)
    assert short.reasons == ["The document says that there are 3 datasets and holds 1."]
    for body in ("<html>", "", {"success": False}, {"message": "no"}):
        with pytest.raises(Malformed):
            harvest(DataPressPortal(), TestDesk(tmp_path, "datapress", EXPORT, lambda url, body=body: body))  # type: ignore[misc]


@pytest.mark.slow  # many examples
@given(
    st.dictionaries(
        st.sampled_from([*V3, "extras", "groups", "organization", "spatial", "timeframe", "license_url", "author"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=8)
            | st.sampled_from(["https://[", "{{x}}", "a@b.c"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["title", "id", "url", "key", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=8,
    )
)
def test_no_broken_value_costs_the_record(fields: dict[str, Any]) -> None:
    walk = DataPressWalk(TestDesk(Path("unused"), "datapress", "/x"), [])
    head = Head("k", "dataset", "", "k", "t")
    walk.head_of(fields, 1)
    for record in (V3 | fields, V3 | {"resources": [fields]}):
        found = walk.description_of(record, head, Named("https://city.example/datasets/k", "k", "dataset"))
        terms_are_canonical(found.triples)


def test_what_is_shared_with_everyone_is_said_to_be_public(tmp_path: Path) -> None:
    assert only(tmp_path, [V3]).all(DCT.accessRights) == [f"<{AUTHORITY}/access-right/PUBLIC>"]


def test_what_says_nothing_of_its_sharing_is_not_said_to_be_public(tmp_path: Path) -> None:
    silent = {key: value for key, value in V3.items() if key != "sharing"}
    assert only(tmp_path, [silent]).all(DCT.accessRights) == []
