"""`citynode sparql` where no node runs, and what it says of files that are no queries. The rest: `tests/cluster`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # a node is made for each: seconds, not milliseconds


def test_without_a_running_node_it_says_how_to_start_one(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "all.rq"
    file.write_text("SELECT * { ?s ?p ?o }")
    said = helsinki("sparql", str(file))
    assert said.code == 3
    assert "citynode run" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("body", "told"),
    [(b"SELECT * {", "not closed"), (b"\xff\xfe", "not in UTF-8"), (b"ASK {}" + b" " * 70_000, "65536 bytes")],
    ids=["no query", "no text", "too long"],
)
def test_a_file_that_is_no_query_is_refused_before_anything_is_asked(
    helsinki: Say, tmp_path: Path, body: bytes, told: str
) -> None:
    file = tmp_path / "bad.rq"
    file.write_bytes(body)
    said = helsinki("sparql", str(file))
    assert said.code == 1
    assert told in said.err


def test_a_missing_file_and_an_unknown_form_are_told(helsinki: Say, tmp_path: Path) -> None:
    assert "cannot be read" in helsinki("sparql", str(tmp_path / "none.rq")).err
    file = tmp_path / "ask.rq"
    file.write_text("ASK {}")
    said = helsinki("sparql", str(file), "--form", "ttl")
    assert said.code == 1
    assert "json|xml|csv|tsv" in said.err
