"""Laws of files of records: what is wrong is named with its line, and what was written is read back."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.catalog.author import import_files
from node.catalog.author.import_files import csv_text, flattened, json_text, read, thickened
from node.cells import harmless
from node.errors import Malformed, NotFound, TooLarge

Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, body: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return path

    return made


def test_records_of_json_have_their_pointer(write: Write) -> None:
    path = write("a.json", '\ufeff{"meta": 1, "records": [{"a": 1}, {"a": 2}]}')
    rows = read(path, records="records")
    assert [(row.raw, row.file, row.place) for row in rows] == [
        ({"a": 1}, "a.json", "/records/0"),
        ({"a": 2}, "a.json", "/records/1"),
    ]
    assert [row.raw for row in read(write("b.json", '{"a": 1}'), records="records")] == [{"a": 1}]


def test_rows_of_a_table_have_their_line(write: Write) -> None:
    path = write("a.csv", "\ufeffa;b.c;d\r\n1;\"two\nlines; one\";\r\n;;\r\n'=x;'plain;3\r\n")
    assert [(row.raw, row.line) for row in read(path)] == [
        ({"a": "1", "b.c": "two\nlines; one", "d": ""}, 2),
        ({"a": "=x", "b.c": "'plain", "d": "3"}, 5),
    ]


def test_markdown_has_its_front_matter_and_its_body(write: Write, tmp_path: Path) -> None:
    write("b.md", "---\r\ntitle: B\r\n---\r\n\r\nLoose.\r\n\r\n---\r\n\r\n## Goals\r\nText\r\n")
    write("a.md", "---\ntitle: A\n---\n")
    rows = read(tmp_path)
    assert [(row.name, row.raw) for row in rows] == [
        ("a", {"title": "A", "body": ""}),
        ("b", {"title": "B", "body": "Loose.\n\n---\n\n## Goals\nText"}),
    ]


def test_a_folder_is_read_file_by_file_in_every_form(write: Write, tmp_path: Path) -> None:
    write("c.json", '{"rows": [{"a": 1}]}')
    write("b.CSV", "a\n2\n")
    write("a.md", "---\na: 3\n---\n")
    write("picture.png", b"\x89PNG")
    (tmp_path / "d.json").mkdir()
    rows = read(tmp_path, records="rows")
    assert [(row.file, row.raw["a"]) for row in rows] == [("a.md", "3"), ("b.CSV", "2"), ("c.json", 1)]
    write("e.json", "[")
    with pytest.raises(Malformed, match=r"e\.json:1: this is no JSON"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.json", '[{"a": 1},\n {"a": }]', "a.json:2: this is no JSON"),
        ("a.json", "[" * 5_000, "this is no JSON"),
        ("a.json", '{"records": 3}', "/records is no list of records"),
        ("a.json", '{"records": [{}, 3]}', "/records/1 is no record"),
        ("a.json", "[1]", "a.json/0 is no record"),
        ("a.csv", b"a,b\n1,\xff\n", "a.csv:2: this is not written in UTF-8"),
        ("a.csv", "a,b,a\n", "two columns 'a'"),
        ("a.csv", "", "has no head"),
        ("a.csv", "a,b\n1,2,3\n", "a.csv:2: there are more values"),
        ("a.csv", 'a,b\n1,"x\n', "this is no CSV"),
        ("a.csv", "a,b\n1," + "x" * 200_000, "this is no CSV"),
        ("a.md", "no front", "a.md:1:"),
        ("a.md", "---\na: 1\na: 2\n---\n", "a.md:3:"),
        ("a.xlsx", "PK", "ends in no format"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(write: Write, name: str, body: bytes | str, words: str) -> None:
    with pytest.raises(Malformed) as found:
        read(write(name, body), records="records")
    assert words in str(found.value)


def test_files_are_bounded(write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write("a.json", json.dumps([{}] * 5))
    monkeypatch.setattr(import_files, "MAX_RECORDS", 4)
    with pytest.raises(TooLarge, match="at most 4"):
        read(path)
    monkeypatch.setattr(import_files, "MAX_BYTES", 4)
    with pytest.raises(TooLarge, match="in parts"):
        read(path)
    with pytest.raises(NotFound):
        read(tmp_path / "none.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound):
        read(tmp_path / "empty")


RECORDS: list[dict[str, Any]] = [
    {"title": {"en": "=1+1", "fi": "-5"}, "tags": ["a", {"b": "c"}], "yes": True, "x": "'@x"},
    {"title": {"en": 'line\nend "q", ;'}, "none": None, "x": "-not a number"},
]


def test_a_table_is_read_back_and_no_cell_is_a_formula(write: Write) -> None:
    text = csv_text(RECORDS, ["title.en", "empty"], delimiter=";")
    assert text.startswith("title.en;empty;title.fi;tags;")
    assert "'=1+1" in text
    assert ";-5;" in text
    rows = [thickened(row.raw) for row in read(write("a.csv", text))]
    assert rows == [
        {"title": {"en": "=1+1", "fi": "-5"}, "tags": ["a", {"b": "c"}], "yes": "true", "x": "'@x"},
        {"title": {"en": 'line\nend "q", ;'}, "x": "-not a number"},
    ]
    assert flattened(thickened(flattened(RECORDS[0]))) == flattened(RECORDS[0])


FORMULAS = [
    "=1",
    "+1",
    "-x",
    "@x",
    "|calc",
    "%x",
    " =1",
    "\u00a0=1",
    "\uff1d1",
    "a;=1+1",
    "a; -1",
    "a\t@x",
    "a\n+1",
    "'=1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_is_guarded_as_in_every_other_table_and_read_back(write: Write, cell: str) -> None:
    text = csv_text([{"a": cell, "=head": "x"}], [])
    (row,) = csv.reader(io.StringIO(text.partition("\r\n")[2], newline=""))
    assert row == [harmless(cell), "x"]
    assert row[0] != cell
    assert text.startswith("a,'=head\r\n")
    assert [each.raw for each in read(write("a.csv", text))] == [{"a": cell, "=head": "x"}]


def test_a_document_is_read_back(write: Write) -> None:
    path = write("a.json", json_text(RECORDS, place="data.records"))
    assert [row.raw for row in read(path, records="data.records")] == RECORDS


def test_a_table_has_at_most_a_thousand_columns(write: Write) -> None:
    assert (
        len(read(write("a.csv", ",".join(f"c{n}" for n in range(1_000)) + "\n" + "1," * 999 + "1\n"))[0].raw) == 1_000
    )
    with pytest.raises(TooLarge, match="100,000 columns"):
        read(write("b.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n"))


def test_what_is_no_plain_file_is_not_read(write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(NotFound, match="no plain file"):
        read(tmp_path / "pipe.json")
    write("a.json", '[{"a": 1}]')
    assert [row.raw for row in read(tmp_path)] == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('[{"a": 1}, {"b": {"\\u0061b": 1, "c": 2, "ab": 3}}]', "The key “ab” stands twice"),
        ('[{"a": NaN}]', "no JSON"),
        ("[" * 2_000 + "]" * 2_000, "JSON"),
        ('{"a":' * 990 + "1" + "}" * 990, "nested too deep"),
    ],
)
def test_json_that_parsers_read_differently_is_refused(write: Write, body: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read(write("a.json", body))
