"""Laws of importing: each record of a file is accounted for, nothing is lost unsaid, and an export comes back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.catalog.author import import_files
from node.catalog.author.folder import Folder
from node.catalog.author.import_files import Row
from node.catalog.author.importing import OWN, Batch, Importer, Report, batch_of, mapping_of, text_of
from node.db import Database
from node.errors import Conflict, Malformed, NotFound
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.mapping import Mapping, builtin, read_mapping
from tests.catalog.author.conftest import Rig

pytestmark = pytest.mark.slow  # whole nodes, runs or servers a test: too much for every save

AI, PRACTICE = TABLES["ai-system"], TABLES["practice"]
ATS = builtin("eurocities-0.3.1")


@pytest.fixture(scope="module")
def lasting_db(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Give one database, on SQLite: importing adds no SQL to that of the office, which is tested on both."""
    folder = tmp_path_factory.mktemp("importing")
    shutil.copy(migrated, folder / "node.db")
    database = Database(f"sqlite:///{folder / 'node.db'}")
    yield database
    database.close()


def rows(*records: dict[str, Any]) -> list[Row]:
    return [Row(each, "a.json", f"/{number}") for number, each in enumerate(records)]


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"lang": "en", "name": name, "organization": "City of Made", "status": "pilot", **more}


def run(rig: Rig, records: list[Row], declared: Mapping | None = ATS, **more: Any) -> Report:
    table = declared.table if declared else AI
    return Importer(rig.office, table).run(batch_of(table, records, declared), declared, **more)


def test_every_record_is_new_changed_the_same_or_refused(rig: Rig) -> None:
    first = run(rig, rows(entry("One"), entry("Two"), entry("No one", organization="")))
    assert (first.read, first.new) == (3, ("city-of-made-one", "city-of-made-two"))
    assert [(each.place, [(one.pointer, one.code) for one in each.problems]) for each in first.refused] == [
        ("a.json/2", [("/publisher", "missing")])
    ]
    again = run(rig, rows(entry("One"), entry("Two", status="operational"), {"lang": "en"}))
    assert (again.same, again.changed, again.new) == (("city-of-made-one",), ("city-of-made-two",), ())
    assert [(each.place, each.problems[0].code) for each in again.refused] == [("a.json/2", "no-name")]
    held = rig.held("city-of-made-two", "ai-system")
    assert held
    said = rig.office.said(held)
    assert (said["status"], said["publisher"]) == ("operational", {"name": {"en": "City of Made"}})


def test_names_of_any_script_are_told_apart(rig: Rig) -> None:
    names = ("Деревья", "北京的树木", "上海的树木")
    first = run(rig, rows(*map(entry, names)))
    assert (len(first.new), first.refused) == (3, ())
    assert "city-of-made-derevya" in first.new
    assert set(run(rig, rows(*map(entry, names))).same) == set(first.new)


def test_a_dry_run_says_the_same_and_writes_nothing(rig: Rig) -> None:
    size = rig.size("ai-register")
    report = run(rig, rows(entry("Dry")), dry_run=True)
    assert (report.new, report.dry_run, rig.size("ai-register")) == (("city-of-made-dry",), True, size)


def test_a_publisher_may_be_named_for_those_who_do_not_say(rig: Rig) -> None:
    report = run(rig, rows(entry("Named", organization=""), entry("Own")), publisher="City of Other")
    assert not report.refused
    held = rig.held("named", "ai-system")
    assert held
    assert rig.office.said(held)["publisher"] == {"name": {"en": "City of Other"}}


def test_what_found_no_place_is_counted_with_its_reason(rig: Rig) -> None:
    records = rows(entry("L1", x=1, status="odd"), entry("L2", x=2, contact_phone="1"))
    assert run(rig, records, dry_run=True).left == (
        ("contact_phone", "no-field", 1),
        ("status", "unknown-word", 1),
        ("x", "no-field", 2),
    )


def test_doubles_are_named_and_the_first_is_taken(rig: Rig) -> None:
    report = run(rig, rows(entry("Double", goal="a"), entry("Other"), entry("Double", goal="b")), dry_run=True)
    assert report.twice == {"city-of-made-double": ["a.json/0", "a.json/2"]}
    assert report.new == ("city-of-made-double", "city-of-made-other")


def test_versions_in_several_languages_are_one(rig: Rig) -> None:
    uuid = "5d1f7c9e-0000-4000-8000-000000000001"
    translated = entry("Busy image", uuid=uuid, goal="Why", risks="Risk", keywords="a, b")
    written = entry("Druktebeeld", lang="nl", uuid=uuid, goal="Waarom", risks="Risico", website="https://a.example")
    batch = batch_of(AI, rows(translated, written), ATS, translated_from="nl")
    said = batch.entries[uuid].said
    assert said["title"] == {"nl": "Druktebeeld", "en-t-nl": "Busy image"}
    assert said["risks"] == [{"description": {"nl": "Risico", "en-t-nl": "Risk"}}]
    assert (said["website"], len(said["keywords"])) == ("https://a.example", 2)
    report = Importer(rig.office, AI).run(batch, ATS)
    assert (report.new, report.merged, report.twice) == ((uuid,), (uuid,), {})


def test_what_looks_alike_is_named_with_what_is_here(rig: Rig) -> None:
    run(rig, rows(entry("Snow ploughing prediction model")))
    report = run(rig, rows(entry("Prediction model of snow ploughing, city")), dry_run=True)
    assert ("city-of-made-snow-ploughing-prediction-model", report.new[0]) in report.alike


def test_the_mapping_that_knows_the_file_is_found() -> None:
    assert mapping_of(AI, rows(entry("X", goal="a", domain="defence"))) is ATS
    assert mapping_of(AI, rows(entry("X", standard_version="0.3.1"))) is ATS
    assert mapping_of(AI, rows(entry("X", standard_version="0.1"))) is builtin("nl-0.1")
    parts = {"algemene_informatie": {"name": "A", "organization": "B"}, "toezicht": {"risks": "x"}}
    assert mapping_of(AI, rows(parts)) is builtin("nl-0.1")
    assert mapping_of(PRACTICE, rows(example_of(PRACTICE) | {"name": "x"})) is None
    for odd in ({"x": 1, "name": "a"}, {}, {"name": "A", "goal": "known to two"}):
        with pytest.raises(Malformed, match="--from eurocities"):
            mapping_of(AI, rows(odd))
    with pytest.raises(Malformed, match="--from eurocities"):
        mapping_of(AI, rows())
    with pytest.raises(Malformed, match="is for practices"):
        mapping_of(AI, [], name="ips")
    assert mapping_of(AI, [], name=OWN) is None


def test_drafts_are_files_that_say_the_same(rig: Rig, tmp_path: Path) -> None:
    batch = batch_of(AI, rows(entry("Draft", goal="Because\n\n## of this", risks="A *risk*")), ATS)
    importer = Importer(rig.office, AI)
    assert importer.draft(batch, tmp_path / "new") == [tmp_path / "new" / "city-of-made-draft.md"]
    written = Folder(tmp_path / "new", AI, "fi").read("city-of-made-draft")
    assert not [each for each in written.problems if each.level == "error"]
    assert written.said["title"] == {"en": "Draft"}
    assert written.said["risks"] == [{"description": {"en": "A *risk*"}}]
    with pytest.raises(Conflict, match="there already"):
        importer.draft(batch, tmp_path / "new")


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("kind", [kind for kind in TABLES if kind != "city-model"])
def test_what_was_exported_as_it_is_comes_back_the_same(rig: Rig, tmp_path: Path, kind: str, form: str) -> None:
    table = TABLES[kind]
    rig.publish(f"own-{form}", kind=kind)
    importer = Importer(rig.office, table)
    file = tmp_path / f"a.{form}"
    file.write_text(text_of(importer.export(None)[0], None, form), "utf-8", newline="")
    found = import_files.read(file, records="records")
    assert mapping_of(table, found) is None
    report = importer.run(batch_of(table, found, None, language="fi"), None)
    assert f"own-{form}" in report.same
    assert (report.new, report.changed, report.refused) == ((), (), ())


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("name", ["eurocities-0.3.1", "nl-0.1", "nl-1.0", "uk-atrs"])
def test_what_was_exported_for_others_is_read_alike_from_either_form(
    rig: Rig, tmp_path: Path, name: str, form: str
) -> None:
    declared = builtin(name)
    rig.publish("for-others", kind="ai-system")
    records, _ = Importer(rig.office, AI).export(declared)
    file = tmp_path / f"a.{form}"
    file.write_text(text_of(records, declared, form), "utf-8", newline="")
    found = import_files.read(file, records=declared.records)
    assert mapping_of(AI, found) is declared
    read, wanted = (batch_of(AI, each, declared) for each in (found, rows(*json.loads(json.dumps(records)))))
    assert {slug: each.said for slug, each in read.entries.items()} == {
        slug: each.said for slug, each in wanted.entries.items()
    }


def test_a_city_writes_a_mapping_of_its_own(rig: Rig) -> None:
    declared = read_mapping(
        'name = "old"\nkind = "practice"\nlanguage = "sv"\nkey = ["nr"]\nlanguages = {}\n[fields]\n'
        'title = "namn"\napproach = "text"\npublisher.name = "stad"\ncontact = [{ name = "enhet" }]\n'
    )
    batch = batch_of(PRACTICE, rows({"nr": 7, "namn": "Snö", "text": "Så.", "stad": "Esbo"}), declared)
    assert isinstance(batch, Batch)
    report = Importer(rig.office, PRACTICE).run(batch, declared)
    assert report.new == ("7",)
    document = report.document()
    assert (document["mapping"], document["new"], document["left_out"]) == ("old", ("7",), [])
    json.dumps(document)


def test_an_export_has_what_everyone_may_read_unless_a_collection_is_named(rig: Rig) -> None:
    importer = Importer(rig.office, AI)
    inside = rig.open("ai-inside")
    rig.publish("kept-inside", kind="ai-system", collection=inside)
    rig.publish("kept-open", kind="ai-system")
    records, left = importer.export(None)
    names = {each["name"] for each in records}
    assert ("kept-open" in names, "kept-inside" in names, left) == (True, False, 1)
    mapped, left = importer.export(builtin("nl-1.0"))
    assert (len(mapped), left) == (len(records), 1)
    records, left = importer.export(None, collection=inside)
    assert ([each["name"] for each in records], left) == (["kept-inside"], 0)
    for name in ("nowhere", "london/ai-systems"):
        with pytest.raises(NotFound, match="no collection"):
            importer.export(None, collection=name)
