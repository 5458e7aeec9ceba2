"""Commands `import` and `export`: reports for people and programs, refusals in one line, drafts, own mappings."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def register(folder: Path, *names: str, **more: Any) -> Path:
    path = folder / "register.json"
    path.write_text(json.dumps([{"standard_version": "0.3.1", "lang": "en", "name": n, **more} for n in names]))
    return path


def test_a_register_is_imported_reported_and_exported(helsinki: Say, tmp_path: Path) -> None:
    file = register(tmp_path, "Parking", "Snow", organization="Helsinki", status="pilot", phone="1")
    dry = helsinki("ai-register", "import", file, "--dry-run")
    assert (
        dry.out.splitlines()[0]
        == "2 records read as eurocities-0.3.1: 2 would be new, 0 would be changed, 0 the same, 0 refused"
    )
    assert helsinki("ai-register", "list", "--json").json == []
    done = helsinki("ai-register", "import", file, "--json").json
    assert (done["new"], done["refused"]) == (["helsinki-parking", "helsinki-snow"], [])
    assert done["left_out"] == [{"field": "phone", "why": "no-field", "records": 2}]
    assert "2 the same" in helsinki("ai-register", "import", file).out

    table = tmp_path / "out.csv"
    assert helsinki("ai-register", "export", "--to", "eurocities-0.3.1", "--format", "csv", "--out", table).code == 0
    assert table.read_text().startswith("lang;standard_version;uuid;")
    assert "2 the same" in helsinki("ai-register", "import", table).out
    assert helsinki("ai-register", "export", "--out", table).code == 1  # it is there already
    own = helsinki("ai-register", "export").json
    assert [each["name"] for each in own] == ["helsinki-parking", "helsinki-snow"]
    assert helsinki("ai-register", "export", "--format", "xml").code == 1


def test_an_export_leaves_out_what_not_everyone_may_read_and_says_so(helsinki: Say, tmp_path: Path) -> None:
    helsinki("collections", "create", "inside", "--title", "Inside", "--visibility", "restricted")
    file = register(tmp_path, "Parking", "Snow", organization="Helsinki")
    assert helsinki("ai-register", "import", file, "--collection", "inside").code == 0
    done = helsinki("ai-register", "export")
    assert (done.json, "2 entries that not everyone may read were left out" in done.err) == ([], True)
    asked = helsinki("ai-register", "export", "--collection", "inside")
    assert (len(asked.json), asked.err) == (2, "")
    assert helsinki("ai-register", "export", "--collection", "outside").code == 1


def test_what_is_refused_is_named_and_the_rest_is_published(helsinki: Say, tmp_path: Path) -> None:
    file = register(tmp_path, "No one's")
    said = helsinki("ai-register", "import", file)
    assert said.code == 1
    assert "register.json/0: error: The record does not say who answers for it" in said.err
    assert said.err.splitlines()[-1].startswith("citynode: Not published: 1 of 1.")
    assert helsinki("ai-register", "import", file, "--publisher", "Helsinki").code == 0
    for words in (["--from", "ips"], ["--from", "none"], ["--translated-from", "klingon"]):
        refused = helsinki("ai-register", "import", file, *words)
        assert (refused.code, len(refused.err.splitlines())) == (1, 1)


def test_what_others_will_miss_is_counted_by_field_with_the_way_to_mend_it(helsinki: Say, tmp_path: Path) -> None:
    file = register(tmp_path, "Parking", "Snow", organization="Helsinki")
    done = helsinki("ai-register", "import", file)
    lines = done.out.splitlines()
    assert "A reader in another city will miss something in 2:" in lines
    assert "  in 2: contact [recommended]" in lines
    assert "--drafts DIR, then citynode ai-register lint --folder DIR" in done.err
    found = helsinki("ai-register", "import", file, "--dry-run", "--json").json["warnings"]
    assert {"field": "contact", "code": "recommended", "records": 2} in found
    assert [each["records"] for each in found] == sorted((each["records"] for each in found), reverse=True)

    folder = tmp_path / "drafts"
    helsinki("ai-register", "import", file, "--drafts", folder)
    assert "contact" in helsinki("ai-register", "lint", "--folder", folder).out.casefold()


def test_kinds_keep_their_capitals_in_sentences(helsinki: Say) -> None:
    assert "Publish AI systems from a file" in helsinki("ai-register", "import", "--help").out
    assert "Publish practices from a file" in helsinki("practices", "import", "--help").out


def test_drafts_are_edited_and_published(helsinki: Say, tmp_path: Path) -> None:
    file = register(tmp_path, "Parking", organization="Helsinki")
    folder = tmp_path / "drafts"
    said = helsinki("ai-register", "import", file, "--drafts", folder)
    assert said.out.split() == [str(folder / "helsinki-parking.md")]
    assert helsinki("ai-register", "list", "--json").json == []
    assert helsinki("ai-register", "publish", "--folder", folder).code == 0
    assert [each["name"] for each in helsinki("ai-register", "list", "--json").json] == ["helsinki-parking"]


def test_a_city_brings_a_mapping_of_its_own(helsinki: Say, tmp_path: Path) -> None:
    mapping = tmp_path / "ours.toml"
    mapping.write_text(
        'name = "ours"\nkind = "practice"\nlanguage = "fi"\nkey = ["id"]\nrecords = "rows"\n[fields]\n'
        'title = "nimi"\napproach = "kuvaus"\npublisher.name = { always = "Helsinki" }\n'
    )
    file = tmp_path / "cases.json"
    file.write_text('{"rows": [{"id": "lumi", "nimi": "Lumi", "kuvaus": "Aurataan."}]}')
    assert "1 new" in helsinki("practices", "import", file, "--mapping", mapping).out
    assert helsinki("practices", "export", "--mapping", mapping).json == {
        "rows": [{"nimi": "Lumi", "kuvaus": "Aurataan."}]
    }
    wrong = helsinki("ai-register", "import", file, "--mapping", mapping)
    assert (wrong.code, "is for practices" in wrong.err) == (1, True)
    mapping.write_text("name = ")
    assert "ours.toml is no TOML" in helsinki("practices", "import", file, "--mapping", mapping).err
