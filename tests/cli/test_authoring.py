"""Commands on what a city writes itself: the documents' ten minutes, and what each command says when it cannot."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.authoring import GROUPS
from node.records import KINDS
from node.vocab.kinds import TABLES, example_of
from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

PAGE = Path(__file__).parents[2] / "docs" / "practices.md"
BASE = "http://127.0.0.1:8001"


def calls() -> Iterator[list[str]]:
    """Give the commands of the page in their order, but those that do not end by themselves or need another city."""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("citynode ") and not {"watch", "peers"} & set(line.split()):
            yield shlex.split(line, comments=True)[1:]


def test_the_first_practice_is_published_as_the_page_says(
    helsinki: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = re.search(r"^```markdown\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert file
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies" / "practices").mkdir(parents=True)
    (tmp_path / "policies" / "practices" / "snow-yards.md").write_text(file[1], "utf-8")
    path = tmp_path / "node" / "practices" / "snow-yards.md"
    said = []
    for words in calls():
        answer = helsinki(*words)
        assert answer.code == 0, (words, answer.err)
        if words[1] == "new" and words[0] == "practices":
            assert answer.out == f"{path}\n"
            assert helsinki("practices", "lint", "snow-yards").code == 1  # nothing is filled in yet
            path.write_text(file[1], "utf-8")
        said.append((words, answer))
    lint = next(answer for words, answer in said if words == ["practices", "lint", "snow-yards"])
    assert (lint.out, lint.err) == ("", "Nothing to mend in 1 practice.\n")
    published = [answer.out for words, answer in said if words[:2] == ["practices", "publish"]]
    assert published[0] == f"Published {BASE}/practices/snow-yards\n"
    listed = helsinki("practices", "list", "--json").json
    assert [(each["name"], each["state"], each["collection"]) for each in listed] == [
        ("snow-yards", "published", "shared-drafts")
    ]


def test_every_kind_has_its_commands(helsinki: Say, tmp_path: Path) -> None:
    for kind, table in TABLES.items():
        if kind not in GROUPS:
            continue
        assert helsinki(table.command, "new", "first", "--title", "First").code == 0
        folder = tmp_path / "node" / table.command
        assert [path.name for path in folder.iterdir()] == ["first.md"]
        (folder / "first.md").unlink()
        (folder / "first.json").write_text(json.dumps(example_of(table)), "utf-8")
        assert helsinki(table.command, "publish").out == f"Published {BASE}/{KINDS[kind]}/first\n"
        shown = helsinki(table.command, "show", "first", "--json").json
        assert shown["said"].items() >= example_of(table).items()
        assert helsinki(table.command, "withdraw", "first", "--json").json["withdrawn"]
        assert [each["state"] for each in helsinki(table.command, "list", "--json").json] == ["draft"]


def test_what_is_wrong_is_said_with_file_and_line_and_nothing_is_published(helsinki: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    (folder / "good.json").write_text(json.dumps(example_of(TABLES["practice"])), "utf-8")
    bad = folder / "bad.md"
    bad.write_text("---\ntitle: T\nstatus: splendid\n---\n\n## What we did\n\nSee <script>x</script>\n", "utf-8")
    answer = helsinki("practices", "publish", "--folder", folder)
    assert (answer.code, answer.out) == (1, "")
    assert f"{min(os.path.relpath(bad), str(bad), key=len)}:3: error:" in answer.err
    assert answer.err.splitlines()[-1].startswith("citynode: Nothing was published; mend first: bad.")
    found = helsinki("practices", "lint", "--json", bad)
    assert found.code == 1
    assert {(each["line"], each["pointer"], each["code"]) for each in found.json if each["level"] == "error"} == {
        (3, "/status", "unknown-code"),
        (6, "/approach/en", "script"),
    }
    bad.write_text(bad.read_text("utf-8").replace("splendid", "pilot"), "utf-8")
    found = helsinki("practices", "lint", "--json", bad)
    assert {(each["line"], each["code"]) for each in found.json if each["level"] == "error"} == {(6, "script")}
    assert helsinki("practices", "list", "--json").json == []
    dry = helsinki("practices", "publish", "good", "--folder", folder, "--dry-run")
    assert dry.out == f"Would publish {BASE}/practices/good\n"
    assert "citynode practices lint good" in dry.err
    states = {each["name"]: each["state"] for each in helsinki("practices", "list", "--folder", folder, "--json").json}
    assert states == {"good": "draft", "bad": "draft, with errors"}


def test_a_name_is_made_of_the_title_in_any_script(helsinki: Say) -> None:
    titles = ("Деревья", "Δέντρα", "北京的树木", "أشجار", "Деревья")
    made = [Path(helsinki("practices", "new", "--title", title).out.strip()).name for title in titles]
    assert made[:2] == ["derevya.md", "dentra.md"]
    assert made[4] == "derevya-2.md"
    assert len({name for name in made if name.startswith("practice-")}) == 2
    assert "practices new NAME" in helsinki("practices", "new").err
    assert "such as derevya." in helsinki("practices", "new", "Деревья").err


def test_what_is_published_is_edited_as_a_file_and_never_begun_anew(helsinki: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    for name in ("snow", "ice"):
        (folder / f"{name}.json").write_text(json.dumps(example_of(TABLES["practice"])), "utf-8")
    helsinki("collections", "create", "shared")
    assert helsinki("practices", "publish", "snow", "--folder", folder, "--collection", "shared").code == 0
    assert helsinki("practices", "publish", "ice", "--folder", folder).code == 0
    # What has no file is looked at all the same: it came by an import, or the file is elsewhere.
    looked = helsinki("practices", "lint", "--json")
    assert {each["name"] for each in looked.json} == {"snow", "ice"}
    assert {each["name"] for each in helsinki("practices", "lint", "snow", "--json").json} == {"snow"}
    begun = helsinki("practices", "new", "snow")
    assert begun.code == 1
    assert "citynode practices edit snow" in begun.err
    path = tmp_path / "node" / "practices" / "snow.md"
    assert helsinki("practices", "edit", "snow").out == f"{path}\n"
    assert "collection: shared" in path.read_text("utf-8")
    assert "collection:" not in Path(helsinki("practices", "edit", "ice").out.strip()).read_text("utf-8")
    assert helsinki("practices", "publish").out.count("Unchanged") == 2
    assert helsinki("practices", "edit", "snow").code == 1  # there is a file, which may have been edited
    assert helsinki("practices", "edit", "nothing").code == 1


def test_links_that_lead_nowhere_are_named_beside_what_else_is_missed(helsinki: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    said = example_of(TABLES["practice"]) | {"code": "http://127.0.0.1:9/git"}  # the port that discards
    (folder / "snow.json").write_text(json.dumps(said), "utf-8")
    found = helsinki("practices", "lint", "--links", "--json", folder / "snow.json")
    assert found.code == 0, found.err
    codes = {(each["pointer"], each["code"]) for each in found.json}
    assert ("/code", "dead-link") in codes
    assert codes - {("/code", "dead-link")}  # it was judged before, too
    assert "[dead-link]" in helsinki("practices", "lint", "--links", folder / "snow.json").out


def test_many_warnings_are_counted_by_what_they_say_and_written_out_when_asked(helsinki: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    folder.mkdir()
    for number in range(20):
        (folder / f"p{number}.md").write_text(f"---\ntitle: P {number}\n---\n\n## What we did\n\nSnow.\n", "utf-8")
    counted = helsinki("practices", "lint", "--folder", folder)
    head, *rows = counted.out.splitlines()
    assert head.split() == ["warnings", "code", "field", "such", "as"]
    assert ["20", "recommended", "what_failed", "p0"] in [row.split() for row in rows]
    assert len(rows) < 20
    assert "--all" in counted.err
    assert re.search(r"^\d+ warnings in 20 of 20 practices\.$", counted.err, re.MULTILINE)
    whole = helsinki("practices", "lint", "--folder", folder, "--all")
    assert len(whole.out.splitlines()) == sum(int(row.split()[0]) for row in rows) > 40


def test_short_forms_stay_as_they_are_in_sentences(helsinki: Say) -> None:
    assert "No AI system nothing" in helsinki("ai-register", "show", "nothing").err
    assert "No AI system nothing" in helsinki("ai-register", "withdraw", "nothing").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("practices", "new", "Not A Name"), "Write a-z"),
        (("practices", "new", "snow", "--lang", "klingon"), "Write a tag"),
        (("practices", "lint"), "citynode practices new NAME"),
        (("practices", "lint", "nothing"), "citynode practices new nothing"),
        (("practices", "publish", "nothing"), "citynode practices new nothing"),
        (("practices", "withdraw", "nothing"), "is published"),
        (("practices", "show", "nothing"), "is published"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_says_what_to_do(helsinki: Say, words: tuple[str, ...], said: str) -> None:
    answer = helsinki(*words)
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_a_collection_with_personal_data_stays_closed(helsinki: Say, tmp_path: Path) -> None:
    folder = tmp_path / "twins"
    folder.mkdir()
    said = example_of(TABLES["data-service"]) | {"personal_data": ["personal"]}
    (folder / "people.json").write_text(json.dumps(said), "utf-8")
    refused = helsinki("twins", "publish", "--folder", folder)
    assert refused.code == 1
    assert "[personal-data]" in refused.err
    for name in ("evidence", "agreements-london-0123abcd"):
        stowaway = helsinki("twins", "publish", "--folder", folder, "--collection", name)
        assert (stowaway.code, f"{name} is written by the node alone" in stowaway.err) == (1, True)
    helsinki("collections", "create", "closed", "--visibility", "restricted")
    assert helsinki("twins", "publish", "--folder", folder, "--collection", "closed").code == 0
    opened = helsinki("collections", "set", "closed", "--visibility", "public")
    assert opened.code == 1
    assert "contains personal data" in opened.err
    assert [
        each["visibility"] for each in helsinki("collections", "list", "--json").json if each["name"] == "closed"
    ] == ["restricted"]
