"""References and lines of code hold what strangers wrote, and cannot be ended by it."""

import ast
import shlex
from dataclasses import replace
from urllib.parse import unquote

import pytest

from node.web.records.citing import reference, snippets
from node.web.records.view import File, RecordView, look
from node.web.wording.graph import Described
from node.web.wording.text import Said

PAGE = "https://city.example/datasets/trees"


def view(title: str) -> RecordView:
    return replace(look(Described([], PAGE, "en", ("en",))), title=Said(title))


def file(href: str, form: str = "CSV", *, direct: bool = True) -> File:
    return File(form, Said(""), "", None, "", href, direct)


def told(form: str, title: str, publisher: str = "City") -> str:
    return reference(form, view(title), slug="trees", page=PAGE, publisher=publisher, date="2026-05-01")


def test_a_reference_says_what_whose_when_and_where() -> None:
    assert told("bib", "Trees") == (
        "@misc{trees,\n  title = {Trees},\n  author = {City},\n  year = {2026},\n  url = {" + PAGE + "}\n}\n"
    )
    assert told("ris", "Trees").split("\r\n") == [
        "TY  - DATA", "TI  - Trees", "AU  - City", "PB  - City", "PY  - 2026", f"UR  - {PAGE}", "ER  - ", "",
    ]  # fmt: skip


@pytest.mark.parametrize("title", ["a}\n@misc{b", "a\r\nER  - \r\nTY  - BOOK", "\\input{x}", "a\u2028b"])
def test_a_title_cannot_begin_another_reference(title: str) -> None:
    bib, ris = told("bib", title, title), told("ris", title, title)
    assert bib.count("\n") == 6
    assert (bib.count("{"), bib.count("}")) == (5, 5)
    assert "\\" not in bib
    assert len(ris.splitlines()) == 7


def test_code_reads_the_first_file_that_a_program_can_read_by_what_it_was_found_to_be() -> None:
    files = [
        file("https://a.example/page", direct=False),
        file("https://a.example/get?id=1"),
        file("https://a.example/b.csv"),
    ]
    by = {one.name: one.lines for one in snippets(files, {"https://a.example/get?id=1": "XLSX"}, page=PAGE)}
    assert by["curl"] == "curl -L -O 'https://a.example/get?id=1'"
    assert by["Python"].endswith('pandas.read_excel("https://a.example/get?id=1")')
    by = {one.name: one.lines for one in snippets([file("https://a.example/b.geojson")], {}, page=PAGE)}
    assert set(by) == {"curl", "Python", "R", "QGIS", "RDF"}


@pytest.mark.parametrize(
    "href", ["https://a.example/'; rm -rf ~ #.csv", 'https://a.example/");import os#.csv', "https://a.example/\\.csv"]
)
def test_an_address_cannot_end_the_quotation_it_stands_in(href: str) -> None:
    by = {one.name: one.lines for one in snippets([file(href)], {href: "CSV"}, page=PAGE)}
    assert len(shlex.split(by["curl"])) == 4
    assert [type(step) for step in ast.parse(by["Python"]).body] == [ast.Import, ast.Assign]
    assert unquote(shlex.split(by["curl"])[-1]) == href


def test_what_is_no_address_of_the_web_is_in_no_code() -> None:
    assert [one.name for one in snippets([file("javascript:alert(1)")], {}, page=PAGE)] == ["RDF"]
