"""Commands on submissions: list, show, accept, refuse."""

from pathlib import Path

import pytest

from node.assembly import build
from node.catalog.submission_rules import CITY_SAYS
from node.settings import load
from node.vocab.kinds import TABLES, example_of
from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def submit(folder: Path, title: str) -> str:
    """Submit a reuse as the web would; give its id."""
    said = {name: value for name, value in example_of(TABLES["reuse"]).items() if name not in CITY_SAYS}
    described = said | {"title": title, "link": f"https://app.example.org/{title.replace(' ', '-')}"}
    node = build(load(environ={}, data=folder))
    try:
        body = {"kind": "reuse", "described": described, "email": "ada@app.example.org"}
        return node.knowledge.submissions.submit(body, caller="203.0.113.9").id
    finally:
        node.close()


def test_a_submission_is_listed_shown_and_decided(helsinki: Say, tmp_path: Path) -> None:
    assert helsinki("submissions", "list").out == "Nothing waits.\n"
    trees, spam = (submit(tmp_path / "node", title) for title in ("Tree map", "Cheap pills"))
    listed = helsinki("submissions", "list", "--json").json
    assert [(each["id"], each["title"]) for each in listed] == [(trees, "Tree map"), (spam, "Cheap pills")]
    assert "Tree map" in helsinki("submissions", "list").out
    shown = helsinki("submissions", "show", trees).out
    assert "ada@app.example.org" in shown
    assert "datasets[0]: https://" in shown

    assert helsinki("submissions", "accept", "ffff").code == 1
    assert helsinki("submissions", "refuse", spam).code == 2  # a reason is needed
    accepted = helsinki("submissions", "accept", trees[:8])
    assert accepted.out == "Published http://127.0.0.1:8001/reuses/tree-map\n"
    assert "ada@app.example.org" in accepted.err
    refused = helsinki("submissions", "refuse", spam, "--reason", "No data of ours.", "--json").json
    assert (refused["state"], refused["reason"]) == ("refused", "No data of ours.")
    assert helsinki("submissions", "list", "--json").json == []
    decided = helsinki("submissions", "list", "--decided", "--json").json
    assert {each["id"]: each["contact"] for each in decided} == {trees: "", spam: ""}
    assert helsinki("submissions", "accept", spam).code == 1
    assert "No data of ours." in helsinki("submissions", "show", spam).out
