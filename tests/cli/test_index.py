"""`citynode index`: what each reading says of itself, and that one can be made anew by name."""

import pytest

from tests.cli.conftest import Say


@pytest.mark.slow
def test_an_index_is_made_anew_and_tells_how_it_stands(helsinki: Say) -> None:
    before = {one["name"]: one for one in helsinki("index", "status", "--json").json}
    assert before["search"]["state"] == "missing"
    said = helsinki("index", "rebuild", "search", "--json")
    assert said.code == 0
    assert [(one["name"], one["records"]) for one in said.json] == [("search", 0)]
    after = {one["name"]: one for one in helsinki("index", "status", "--json").json}
    assert (after["search"]["state"], after["search"]["records"]) == ("level", 0)
    assert after["search"]["bytes"] > 0
    table = helsinki("index", "status").out
    assert table.startswith("reading")
    assert "level" in table


def test_a_reading_that_does_not_exist_is_refused_by_naming_those_that_do(helsinki: Say) -> None:
    said = helsinki("index", "rebuild", "everything")
    assert said.code == 1
    assert "There is no reading 'everything'" in said.err
    assert "search" in said.err
