"""Laws of a folder: what is written into it is read back, in every kind and language, and faults have their file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.catalog.author.folder import _OWN_WORDS, Folder, _folded, _headings
from node.errors import Conflict, Malformed, NotFound
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.checking import check
from node.vocab.kinds.writing import payload_of

PRACTICE = TABLES["practice"]
RECORD = "https://helsinki.example/practices/x"
HEAD = "---\nlanguage: fi\ntitle: Lumi sulaa pihoilla\n---\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "practices", PRACTICE, "en")


def put(folder: Folder, **files: str) -> None:
    folder.path.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder.path / name.replace("_", ".")).write_text(text, "utf-8")


def codes(folder: Folder, name: str = "x") -> list[tuple[str, int, str]]:
    return [(Path(each.file).name, each.line, each.code) for each in folder.read(name).problems]


@pytest.mark.parametrize("kind", TABLES)
def test_what_is_written_is_read_back_as_the_same_record(kind: str, tmp_path: Path) -> None:
    table, folder = TABLES[kind], Folder(tmp_path, TABLES[kind], "sv")
    said = example_of(table)
    folder.write("x", said, collection="shared")
    written = folder.read("x")
    assert (written.problems, written.collection) == ((), "shared")
    assert payload_of(table, RECORD, written.said) == payload_of(table, RECORD, said)


ODD: dict[str, Any] = {
    "title": {"en-t-nl": "Snow: “yes” # no", "nl": "true"},
    "summary": {"en-t-nl": "- no", "nl": "null"},
    "approach": {"en-t-nl": "## A heading of its own\n\ntext", "nl": "plain"},
    "problem": {"en-t-nl": "<!-- kept -->", "nl": "~~~\nopen"},
    "lessons": {"en-t-nl": "One.\n\n### Two\n\n- three", "fi": "Yksi."},
    "keywords": [{"en-t-nl": "snow, ice"}, {"nl": "[sneeuw]"}],
    "evidence": [{"indicator": {"en-t-nl": "a\u2028b\x85c"}, "value": "007.50"}, {"indicator": {"nl": "b"}}],
}


def test_odd_texts_are_read_back_too(folder: Folder) -> None:
    folder.write("x", ODD)
    assert {path.name for path in folder.path.iterdir()} == {"x.md", "x.fi.md"}
    written = folder.read("x")
    assert written.problems == ()
    assert {name: written.said[name] for name in ODD} == ODD


@pytest.mark.parametrize("kind", TABLES)
def test_a_new_file_can_be_read_and_misses_nothing_but_what_must_be_said(kind: str, tmp_path: Path) -> None:
    table = TABLES[kind]
    for language in ("en", "fi", "sv", "nl"):
        folder = Folder(tmp_path / language, table, language)
        folder.new("x", title="A title", review="2027-11-22")
        written = folder.read("x")
        assert written.problems == ()
        assert written.said["title"] == {language: "A title"}
        assert {each.code for each in check(table, written.said)} <= {"missing"}


def test_a_new_file_names_the_languages_of_the_node_and_the_codes_within_groups(tmp_path: Path) -> None:
    def text(name: str, *others: str, language: str = "") -> str:
        return (
            Folder(tmp_path / name, PRACTICE, "en", others)
            .new("x", title="T", review="", language=language)
            .read_text()
        )

    assert "this file: x.sv.md." in text("a", "sv")
    assert "x.sv.md" not in text("b")
    swedish = text("c", "sv", language="sv")
    assert "language: sv" in swedish
    assert "denna fil: x.en.md." in swedish
    assert "## Problemet" in swedish
    assert "# cost.band: own-work, under-10k, " in swedish
    assert "name: {en: Example Harbour Company}" in swedish  # an example that we have in no other language says so
    with pytest.raises(Malformed, match="no language"):
        text("d", language="klingon")


def test_a_heading_without_a_text_is_where_something_is_missing(folder: Folder) -> None:
    put(folder, x_md="---\ntitle: T\n---\n\n## What we did\n\n<!-- a hint -->\n\n## A note of mine\n")
    written = folder.read("x")
    assert written.problems == ()
    assert written.said == {"title": {"en": "T"}}
    assert written.places["/approach"] == (str(folder.path / "x.md"), 5)


@pytest.mark.parametrize(("language", "heading"), [("sv", "Problemet"), ("fi", "Ongelma"), ("en", "The problem")])
def test_a_heading_that_is_nearly_one_is_answered_in_the_language_of_its_file(
    folder: Folder, language: str, heading: str
) -> None:
    put(folder, x_md=f"---\nlanguage: {language}\ntitle: T\n---\n\n## {heading[:-1]}\n\nx\n")
    (problem,) = folder.read("x").problems
    assert f"Did you mean “{heading}”?" in problem.message


def test_the_examples_of_a_new_file_hold_once_the_marks_are_taken_away(folder: Folder) -> None:
    path = folder.new("x", title="A title", review="2027-11-22")
    lines = path.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("# evidence:"))
    end = next(number for number in range(start + 1, len(lines)) if not lines[number].startswith("#  "))
    lines[start:end] = [line.removeprefix("# ") for line in lines[start:end]]
    path.write_text("\n".join(lines), "utf-8")
    written = folder.read("x")
    assert written.problems == ()
    assert written.said["evidence"][0]["value"] == "0"


@pytest.mark.parametrize("kind", TABLES)
def test_every_heading_names_one_field_and_no_field_is_a_word_of_the_file(kind: str) -> None:
    table = TABLES[kind]
    assert {each.name for each in table.fields} & _OWN_WORDS == set()
    named = [(_folded(label), each.name) for each in table.fields if each.by_language for label in each.label.values()]
    assert {heading: field.name for heading, field in _headings(table).items()} | dict(named) == {
        heading: field.name for heading, field in _headings(table).items()
    }


def test_translations_stand_beside_their_original(folder: Folder) -> None:
    put(
        folder,
        x_md=HEAD.replace("---\n", "---\nevidence:\n- indicator: Kuormia\n  value: 3\n", 1)
        + "\n## Ongelma\n\nLunta.\n",
        x_sv_md="---\ntitle: Snö smälter\nevidence:\n- indicator: Lass\n---\n\n## problemet\n\nSnö.\n",
        x_en_md="---\ntranslated: machine\ntitle: Snow melts\n---\n\n## The problem\n\nSnow.\n",
    )
    written = folder.read("x")
    assert written.problems == ()
    assert written.said["title"] == {"fi": "Lumi sulaa pihoilla", "sv": "Snö smälter", "en-t-fi": "Snow melts"}
    assert written.said["problem"] == {"fi": "Lunta.", "sv": "Snö.", "en-t-fi": "Snow."}
    assert written.said["evidence"] == [{"indicator": {"fi": "Kuormia", "sv": "Lass"}, "value": "3"}]
    assert written.places["/problem/sv"] == (str(folder.path / "x.sv.md"), 7)
    assert written.places["/evidence/0/indicator/sv"] == (str(folder.path / "x.sv.md"), 4)


def test_a_whole_file_may_be_translated_by_a_machine(folder: Folder) -> None:
    put(folder, x_md="---\nlanguage: en\ntranslated_from: nl\ntitle: Snow\n---\n")
    assert folder.read("x").said["title"] == {"en-t-nl": "Snow"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("---\ntitle: T\nlanguage: klingon\n---\n", ("x.md", 3, "unknown-language")),
        ("---\ntitle: T\nlanguage: [en]\n---\n", ("x.md", 3, "unknown-language")),
        ("---\ntitle: T\ncollection: [a]\n---\n", ("x.md", 3, "wrong-value")),
        ("---\ntitle: T\n---\n\n## The weather\n\nGood.\n", ("x.md", 5, "unknown-section")),
        ("---\ntitle: T\n---\n\n## The problem\n\na\n\n## Ongelma\n\nb\n", ("x.md", 9, "twice")),
        ("---\ntitle: T\nproblem: a\n---\n\n## The problem\n\nb\n", ("x.md", 6, "twice")),
        ("title: T\n", ("x.md", 1, "no-front-matter")),
    ],
)
def test_faults_of_a_file_have_its_line(folder: Folder, text: str, fault: tuple[str, int, str]) -> None:
    put(folder, x_md=text)
    assert codes(folder) == [fault]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("x_sv_md", "---\nstatus: pilot\n---\n", ("x.sv.md", 2, "not-a-text")),
        ("x_sv_md", "---\nevidence:\n- indicator: a\n- indicator: b\n---\n", ("x.sv.md", 2, "untranslatable")),
        ("x_sv_md", "---\nsnow: a\n---\n", ("x.sv.md", 2, "unknown-field")),
        ("x_sv_md", "---\ntranslated: by hand\n---\n", ("x.sv.md", 2, "wrong-value")),
        ("x_xx_md", "---\ntitle: T\n---\n", ("x.xx.md", 0, "unknown-language")),
        ("x_old_bak_md", "---\ntitle: T\n---\n", ("x.old.bak.md", 0, "unknown-language")),
        ("x_fi_md", "---\ntitle: T\n---\n", ("x.fi.md", 0, "same-language")),
        ("x_yaml", "title: T\n", ("x.yaml", 0, "twice")),
    ],
)
def test_faults_of_a_translation_have_its_file(
    folder: Folder, name: str, text: str, fault: tuple[str, int, str]
) -> None:
    put(folder, x_md=HEAD, **{name: text})
    assert codes(folder) == [fault]


def test_names_are_those_of_files_and_hidden_ones_are_none(folder: Folder) -> None:
    put(folder, a_md=HEAD, b_yaml="title: T", c_json="{}", README_md="# Read me", d_txt="", a_sv_md="---\n---\n")
    (folder.path / "_old.md").write_text("")
    (folder.path / ".x.md.part").write_text("")
    (folder.path / "e.md").mkdir()
    assert folder.names() == ["a", "b", "c"]


def test_nothing_is_written_over_and_nothing_is_there_by_accident(folder: Folder) -> None:
    with pytest.raises(NotFound, match="practices new"):
        folder.names()
    with pytest.raises(NotFound, match="practices new x"):
        folder.read("x")
    folder.new("x", title="", review="2027-01-01")
    for again in (lambda: folder.new("x", title="", review=""), lambda: folder.write("x", {"title": {"en": "T"}})):
        with pytest.raises(Conflict, match=r"x\.md"):
            again()
    folder.write("x", {"title": {"en": "T"}}, instead=True)
    assert folder.read("x").said == {"title": {"en": "T"}}
    put(folder, y_sv_md="---\n---\n")
    with pytest.raises(NotFound, match="translation"):
        folder.read("y")
    for name in ("../x", "X", "", "a" * 81):
        with pytest.raises(Malformed):
            folder.new(name, title="", review="")


def test_a_file_full_of_unknown_headings_is_told_briefly(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, x_md=HEAD + "".join(f"## Heading {number}\n\ntext\n\n" for number in range(300)))
    guessed: list[str] = []

    def guess(word: str, *_: object) -> list[str]:
        guessed.append(word)
        return []

    monkeypatch.setattr(f"{Folder.__module__}.get_close_matches", guess)
    assert len(folder.read("x").problems) == 200
    assert len(guessed) == 20


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("somebody-elses.md")])
def test_what_is_no_plain_file_is_never_written_over(folder: Folder, make: Callable[[Path], None]) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    make(folder.path / "trees.md")
    with pytest.raises(Conflict, match="no plain file"):
        folder.write("trees", {"title": {"en": "Trees"}}, instead=True)
    assert [path.name for path in folder.path.iterdir()] == ["trees.md"]
