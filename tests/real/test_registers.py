"""The samples of AI registers, imported whole: numbers counted by hand in the files (`CITYNODE_TEST_DATA`)."""

from pathlib import Path

import pytest

from node.catalog.author import import_files
from node.catalog.author.importing import Batch, Importer, batch_of, mapping_of
from node.vocab.kinds import TABLES, mapped_in, mapped_out
from node.vocab.kinds.mapping import Mapping, builtin
from tests.catalog.author.conftest import Rig, rig  # noqa: F401 - a fixture

AI = TABLES["ai-system"]


@pytest.fixture(scope="module")
def registers(sample_data: Path) -> Path:
    folder = sample_data / "data" / "ai-registers"
    if not folder.is_dir():
        pytest.skip(f"CITYNODE_TEST_DATA has no AI registers: {folder} is absent")
    return folder


def read(path: Path, *, name: str = "", translated_from: str = "") -> tuple[Batch, Mapping]:
    rows = import_files.read(path, records="records")
    declared = mapping_of(AI, rows, name=name)
    assert declared is not None
    return batch_of(AI, rows, declared, translated_from=translated_from), declared


def test_the_dutch_register_in_five_parts(rig: Rig, registers: Path) -> None:  # noqa: F811
    batch, declared = read(registers / "nl-standard-v0.1-rotterdam-utrecht-szw.json")
    report = Importer(rig.office, AI).run(batch, declared)
    assert (declared.name, report.read, len(report.new), report.refused, report.twice) == ("nl-0.1", 52, 52, (), {})
    # "14 010" is a telephone number, "True" is no text; everything else that is said has found a field.
    assert report.left == (("contact_email", "no-address", 3), ("mprd", "no-text", 52))
    assert "data_sources" not in {name for each in batch.entries.values() for name in each.said}
    assert not [pair for pair in report.alike if all("toezicht-en-handhaving" in name for name in pair)]
    said = batch.entries["gemeente-rotterdam-parkeercontrole"].said
    assert (said["status"], said["algorithm_type"], said["domain"]) == ("operational", "self-learning", ["safety"])
    assert said["purpose"]["nl"].startswith("De gemeente gebruikt algoritmen om:\n\n* de kentekenplaat te lokaliseren")
    assert "<https://nationaalparkeerregister.nl/" in said["purpose"]["nl"]
    again = Importer(rig.office, AI).run(batch, declared)
    assert (len(again.same), again.new, again.changed) == (52, (), ())


def test_one_algorithm_in_two_languages_is_one_entry_and_its_translation_is_marked(
    rig: Rig,  # noqa: F811
    registers: Path,
) -> None:
    batch, declared = read(registers / "nl-bilingual-amsterdam.json", translated_from="nl")
    report = Importer(rig.office, AI).run(batch, declared)
    assert (declared.name, report.read, report.new, report.merged) == ("nl-0.1", 2, ("16268148",), ("16268148",))
    held = rig.held("16268148", "ai-system")
    assert held
    said = rig.office.said(held)
    assert said["title"] == {"nl": "Druktebeeld (NL)", "en-t-nl": "Print image (NL)"}
    assert set(said["risks"][0]["description"]) == {"nl", "en-t-nl"}
    assert said["identifier"] == ["16268148"]


@pytest.mark.parametrize(("folder", "read_"), [("nl-templates-v1.0", 2), ("ips-explorer", 11)])
def test_a_folder_is_read_whole(registers: Path, folder: str, read_: int) -> None:
    batch, _ = read(registers / folder)
    assert batch.read == read_


@pytest.mark.parametrize("city", ["Amsterdam", "Tilburg"])
def test_templates_of_the_standard_1_0_name_no_organisation(rig: Rig, registers: Path, city: str) -> None:  # noqa: F811
    path = registers / "nl-templates-v1.0" / f"Gemeente-{city}.json"
    batch, declared = read(path)
    importer = Importer(rig.office, AI)
    refused = importer.run(batch, declared, dry_run=True)
    assert [(each.place, each.problems[0].pointer) for each in refused.refused] == [(f"{path.name}/0", "/publisher")]
    report = importer.run(batch, declared, publisher=f"Gemeente {city}")
    assert (declared.name, len(report.new), report.refused, report.left) == ("nl-1.0", 1, (), ())
    [entry] = batch.entries.values()
    assert entry.said["significance"] == "impactful"
    assert not [text for text in entry.said.values() if "<p>" in str(text) or "&amp;" in str(text)]


def test_the_register_of_the_united_kingdom(rig: Rig, registers: Path) -> None:  # noqa: F811
    batch, declared = read(registers / "uk-atrs-records.json")
    report = Importer(rig.office, AI).run(batch, declared)
    assert (declared.name, report.read, len(report.new), report.refused) == ("uk-atrs", 89, 89, ())
    assert report.left == (("listed_organisations", "no-field", 89),)
    assert not [pair for pair in report.alike if "dsit-gov-dot-uk-chat" in pair]
    said = batch.entries["hmrc-ask-hmrc-online"].said
    assert (said["issued"], said["license"], said["publisher"]) == ("2025-06-26", "OGL_3_0", {"name": {"en": "HMRC"}})


def test_registers_that_a_research_centre_wrote_again(rig: Rig, registers: Path) -> None:  # noqa: F811
    for city, read_, new, passed in (("helsinki", 5, 5, 0), ("amsterdam", 4, 3, 1)):
        batch, declared = read(registers / "ips-explorer" / f"{city}-2021-cases.json")
        report = Importer(rig.office, AI).run(batch, declared)
        assert (declared.name, report.read, len(report.new), report.skipped) == ("ips-ai", read_, new, passed)
        assert {why for _, why, _ in report.left} == {"no-field"}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("nl-standard-v0.1-rotterdam-utrecht-szw.json", "nl-0.1"),
        ("nl-templates-v1.0/Gemeente-Tilburg.json", "nl-1.0"),
        ("uk-atrs-records.json", "uk-atrs"),
        ("ips-explorer/helsinki-2021-cases.json", "ips-ai"),
    ],
)
def test_what_was_read_is_written_and_read_alike(registers: Path, file: str, name: str) -> None:
    declared = builtin(name)
    batch, _ = read(registers / file, name=name)
    for entry in batch.entries.values():
        again = mapped_in.take(declared, mapped_out.give(declared, entry.said))
        # "Diagnostisch" stood where the type of algorithm belongs; it is read, and written nowhere.
        assert again.said == {key: each for key, each in entry.said.items() if key != "use_type"}
