"""The JSON portals' real samples, every dialect, through their adapters (`CITYNODE_TEST_DATA`, else `../shared`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from node.catalog.portals.base import Portal
from node.catalog.portals.ckan import CkanPortal
from node.catalog.portals.datapress import DataPressPortal
from node.catalog.portals.dcat_us import DcatUsPortal
from node.errors import Malformed
from node.vocab.contacts import reduce
from node.vocab.terms import DCAT, DCT
from tests.catalog.portals.desk import Harvested, TestDesk, harvest, terms_are_canonical


@pytest.fixture
def data(sample_data: Path) -> Path:
    folder = sample_data / "data"
    if not folder.is_dir():
        pytest.skip(f"the sample portals are absent: {folder} is no folder (set CITYNODE_TEST_DATA)")
    return folder


def read(portal: Portal, file: Path, tmp_path: Path, language: str = "en") -> tuple[Harvested, TestDesk]:
    desk = TestDesk(tmp_path, portal.kind, file, language=language)
    found = harvest(portal, desk)
    for description in found.descriptions.values():
        assert len(description.triples) < 10_000
        terms_are_canonical(description.triples)
    return found, desk


def records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_philadelphias_whole_dump_is_published_and_no_licence_guessed(data: Path, tmp_path: Path) -> None:
    file = data / "us-philadelphia-ckan-2016" / "datasets.jsonl"
    found, desk = read(CkanPortal(), file, tmp_path)
    assert len(found.descriptions) == 329
    assert (desk.reasons, found.refusals) == ([], [])
    for package in records(file):
        view = found[package["id"]]
        assert view.all(DCT.license) == []
        assert "licence-unknown" in view.codes()
        assert len(view.all(DCAT.distribution)) == len(package["resources"])
        assert {r["id"] for r in package["resources"]} == {
            v[1:-1] for v in view.under(DCAT.distribution, DCT.identifier)
        }


def test_nothing_of_philadelphia_is_lost_but_what_the_table_names(data: Path, tmp_path: Path) -> None:
    file = data / "us-philadelphia-ckan-2016" / "datasets.jsonl"
    found, _ = read(CkanPortal(), file, tmp_path)
    for package in records(file):
        text = " ".join(o for _, _, o in found[package["id"]].triples)
        for extra in package["extras"]:
            value = extra["value"].strip()
            if extra["key"] in ("Department", "Usage", "Area of Interest") and '"' not in value and value.isprintable():
                # A place that the table knows is its IRI.
                assert value in text or extra["key"] == "Area of Interest", (extra, text)


def test_birminghams_page_is_seen_to_be_a_page(data: Path, tmp_path: Path) -> None:
    found, desk = read(CkanPortal(), data / "uk-birmingham-ckan" / "package_search.json", tmp_path)
    assert len(found.descriptions) == 10
    assert desk.reasons == ["The document says that there are 38 datasets and holds 10."]
    for key in found.descriptions:
        # The portal names no version of the licence, and none is guessed.
        assert found[key].one(DCT.license) == "<http://reference.data.gov.uk/id/open-government-licence>"
        assert found[key].one(DCAT.landingPage).startswith("<https://data.birmingham.gov.uk/dataset/")


def test_birminghams_officers_are_reduced_away(data: Path, tmp_path: Path) -> None:
    found, _ = read(CkanPortal(), data / "uk-birmingham-ckan" / "package_search.json", tmp_path)
    for key in found.descriptions:
        kept, _ = reduce(found[key].root, found[key].triples)
        assert not any("ian.martin" in o.lower() for _, _, o in kept)


def test_helsinkis_two_schemas_are_read(data: Path, tmp_path: Path) -> None:
    old, _ = read(CkanPortal(), data / "helsinki-hri" / "ckan-2016-vantaa-record.json", tmp_path / "1", "fi")
    view = old.only()
    assert {o.rsplit("@")[-1] for o in view.all(DCT.title)} == {"fi", "en"}
    assert view.one(DCT.license).endswith("licence/CC_BY_4_0>")
    assert view.one(DCT.modified).startswith('"2016-08-09"')
    new, _ = read(CkanPortal(), data / "helsinki-hri" / "ckan-2017-new-schema-record.json", tmp_path / "2", "fi")
    view = new.only()
    assert sorted(view.all(DCAT.keyword)) == ['"hienotagi"@fi', '"toinehienotagi"@fi']
    assert view.one(DCT.spatial).endswith("place/FIN_HEL>")
    assert view.carried()["update_frequency"] == ['"joka toinen hetki"']


def test_helsinkis_transcribed_pages_are_refused_by_row_where_they_are_no_packages(data: Path, tmp_path: Path) -> None:
    found, _ = read(CkanPortal(), data / "helsinki-hri" / "portal-pages-transcribed.json", tmp_path, "fi")
    assert len(found.descriptions) + len(found.refusals) == 3
    assert all(refusal.message for refusal in found.refusals)


def test_londons_two_forms_are_read(data: Path, tmp_path: Path) -> None:
    export, desk = read(DataPressPortal(), data / "london-datastore" / "transcribed" / "v3-export.json", tmp_path / "1")
    assert (len(export.descriptions), desk.reasons) == (1, [])
    assert "licence-unknown" in export.only().codes()
    native, _ = read(
        DataPressPortal(), data / "london-datastore" / "transcribed" / "dataset-by-id.json", tmp_path / "2"
    )
    assert len(native.only().all(DCAT.distribution)) == 2


def test_barnet_and_cycling_scotland_are_read(data: Path, tmp_path: Path) -> None:
    barnet, _ = read(DcatUsPortal(), data / "london-datastore" / "barnet-data.json", tmp_path / "1")
    assert barnet.only().one(DCT.license).endswith("licence/OGL_3_0>")
    file = data / "uk-scotland-glasgow" / "usmart" / "cycling-scotland.json"
    cycling, desk = read(DcatUsPortal(), file, tmp_path / "2")
    assert (len(cycling.descriptions), cycling.refusals, desk.reasons) == (91, [], [])
    assert len({description.slug for description in cycling.descriptions.values()}) == 91
    for key in cycling.descriptions:
        kept, _ = reduce(cycling[key].root, cycling[key].triples)
        assert not any("ontgomery" in o for _, _, o in kept)


def test_the_federal_example_keeps_its_iri(data: Path, tmp_path: Path) -> None:
    found, _ = read(DcatUsPortal(), data / "dcat-fixtures" / "ckanext-dcat" / "catalog_pod.jsonld", tmp_path)
    assert found.only().description.iri == "http://www.agency.gov/datasets/widgets-data"


def test_a_private_dkan_package_stays_private(data: Path, tmp_path: Path) -> None:
    found, _ = read(CkanPortal(), data / "dcat-fixtures" / "udata" / "dkan-french-w-license.json", tmp_path, "fr")
    assert found.codes() == ["not-public"]


def test_the_ugly_answers_withdraw_nothing(data: Path, tmp_path: Path) -> None:
    ugly = data / "london-datastore" / "ugly" / "govuk-mock-ssi"
    for name in ("package_search-start0.json", "package_search-start100.json"):
        with pytest.raises(Malformed):
            read(CkanPortal(), ugly / name, tmp_path)


@pytest.mark.parametrize("portal", [CkanPortal(), DataPressPortal(), DcatUsPortal()])
def test_what_is_no_catalogue_at_all_is_malformed_or_refused(data: Path, tmp_path: Path, portal: Portal) -> None:
    for name in (
        "city-models/cityjson/minimal.json",
        "uk-birmingham-ckan/SOURCE.md",
        "dcat-fixtures/ugly/sig.oreme.rdf",
    ):
        try:
            found, _ = read(portal, data / name, tmp_path)
        except Malformed:
            continue
        assert found.descriptions == {}
