"""The samples of practices, imported whole: cases of a research centre, strategies of cities (`CITYNODE_TEST_DATA`)."""

from pathlib import Path

import pytest

from node.catalog.author import import_files
from node.catalog.author.importing import Importer, batch_of, mapping_of
from node.vocab.kinds import TABLES, mapped_in, mapped_out
from node.vocab.kinds.mapping import builtin
from tests.catalog.author.conftest import Rig, rig  # noqa: F401 - a fixture

PRACTICE, AI = TABLES["practice"], TABLES["ai-system"]


@pytest.fixture(scope="module")
def practices(sample_data: Path) -> Path:
    folder = sample_data / "data" / "practices"
    if not folder.is_dir():
        pytest.skip(f"CITYNODE_TEST_DATA has no practices: {folder} is absent")
    return folder


def test_cases_become_practices(rig: Rig, practices: Path) -> None:  # noqa: F811
    rows = import_files.read(practices / "jrc-ips-local-cases.json")
    declared = mapping_of(PRACTICE, rows)
    assert declared is builtin("ips")
    batch = batch_of(PRACTICE, rows, declared)
    report = Importer(rig.office, PRACTICE).run(batch, declared)
    assert (report.read, len(report.new), report.twice) == (118, 117, {})
    [refusal] = report.refused  # the one case without a lead organisation
    assert (refusal.place, refusal.problems[0].pointer) == ("jrc-ips-local-cases.json/17", "/publisher")
    assert {path: number for path, why, number in report.left if why == "no-field"} == {
        "lead_organisation_category": 118,
        "uptake": 25,
        "cross_border": 25,
        "cross_sector": 25,
    }
    assert [each for each in report.left if each[1] != "no-field"] == [("url", "no-address", 1)]
    said = batch.entries["parking-chatbot"].said
    assert said["place"] == ["http://publications.europa.eu/resource/authority/country/FIN"]
    assert len(said["summary"]["en"]) <= 160 < len(said["approach"]["en"])
    assert (
        "detection-of-crime-and-subversion",
        "detection-of-crime-and-subversion-in-the-municipality-of-dronten",
    ) in (report.alike)
    for entry in batch.entries.values():
        assert mapped_in.take(declared, mapped_out.give(declared, entry.said)).said == entry.said


def test_the_five_entries_of_helsinki_are_found_again_among_the_cases(rig: Rig, practices: Path) -> None:  # noqa: F811
    cases = import_files.read(practices / "jrc-ips-local-cases.json")
    helsinki = import_files.read(practices.parent / "ai-registers" / "ips-explorer" / "helsinki-2021-cases.json")
    declared = builtin("ips-ai")
    importer = Importer(rig.office, AI)
    first = importer.run(batch_of(AI, cases, declared), declared)
    assert (first.read, len(first.new), first.skipped, len(first.refused)) == (118, 92, 25, 1)
    second = importer.run(batch_of(AI, helsinki, declared), declared, dry_run=True)
    alike = {new for old, new in second.alike}
    # Three have the same name here, one after its apostrophe; the other two only look alike.
    assert second.changed == ("parking-chatbot", "health-center-chatbot", "oodi-s-book-recommendation-service-obotti")
    assert alike == {"maternity-clinic-chatbot-nero", "intelligent-material-management-system"}


def test_strategies_become_practices(rig: Rig, practices: Path) -> None:  # noqa: F811
    rows = import_files.read(practices / "city-data-strategies")
    declared = mapping_of(PRACTICE, rows)
    assert declared is builtin("city-strategy")
    batch = batch_of(PRACTICE, rows, declared)
    report = Importer(rig.office, PRACTICE).run(batch, declared)
    assert (report.new, report.refused) == (("amsterdam", "basel", "bonn", "helsinki", "new-york"), ())
    assert report.left == (
        ("country", "no-field", 5),
        ("sidebar.text", "no-field", 2),
        ("sidebar.title", "no-field", 2),
    )
    said = batch.entries["helsinki"].said
    assert said["title"] == {"en": "Helsinki, Finland: The City of Helsinki Data Strategy"}
    assert said["approach"]["en"].startswith("## Introduction and Context")
    assert (said["status"], said["period"]) == ("operational", {"start": "2021-01-01"})


def test_the_list_of_columns_is_an_empty_import(practices: Path) -> None:
    rows = import_files.read(practices / "ips-template" / "cases.csv")
    assert batch_of(PRACTICE, rows, builtin("ips")).read == 0
