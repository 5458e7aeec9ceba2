"""`citynode sparql` where no node runs, and what it says of files that are no queries. The rest: `tests/cluster`."""

import os
import socket
from pathlib import Path

import pytest

from node.jobs import claim as claims
from node.outbound import engine
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


def test_a_folder_whose_stores_are_kept_is_not_started_again_and_nothing_of_it_is_touched(
    helsinki: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYNODE_SPARQL", "embedded")
    monkeypatch.setattr(claims, "WAIT_S", 0.0)
    held, graph = claims.claim(tmp_path / "node", "public"), tmp_path / "node" / "graph"
    engine.tell(graph / "public.address", port=1, pid=1, born="x")
    before = {each.name: each.read_bytes() for each in graph.iterdir()}
    for words in (("run", "--port", "1"), ("store", "public")):
        said = helsinki(*words)
        assert (said.code, said.err.count("[already-running]")) == (3, 1)
        assert "A node runs on" in said.err
    assert {each.name: each.read_bytes() for each in graph.iterdir()} == before
    os.close(held)


def test_a_doctor_knocks_at_the_stores_of_a_node_that_runs(
    helsinki: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYNODE_SPARQL", "embedded")
    assert "triple store" not in helsinki("doctor").out  # nobody runs it
    held, graph = claims.claim(tmp_path / "node", "public"), tmp_path / "node" / "graph"
    with socket.create_server(("127.0.0.1", 0)) as door:
        engine.tell(graph / "public.address", port=door.getsockname()[1], pid=1, born="x")
        assert "ok    triple store public" in helsinki("doctor").out
    ill = helsinki("doctor")
    assert (ill.code, "warn  triple store public: It cannot be reached" in ill.out) == (0, True)
    os.close(held)
