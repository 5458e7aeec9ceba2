"""Comments and drafts written anew from the command line: what the desk does, with the same words."""

import getpass
from pathlib import Path

import pytest

from node.cli.common import opened
from tests.cli.conftest import Say
from tests.federation.agreed import agree_alone, peer

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

LONDON = "https://london.example"


@pytest.fixture
def iri(helsinki: Say, tmp_path: Path) -> str:
    with opened(tmp_path / "node") as node:
        peer(node, "london", LONDON)
        return agree_alone(node, LONDON, "secrets", mirror=True)


def test_a_comment_is_written_listed_settled_and_opened_again(helsinki: Say, iri: str) -> None:
    assert helsinki("agreements", "comments", "list", iri).out == "No comments.\n"
    said = helsinki("agreements", "comments", "add", iri, "Ask legal", "--json")
    assert said.code == 0, said.err
    (made,) = said.json
    assert (made["who"], made["said"], made["settled"]) == (getpass.getuser(), "Ask legal", False)
    assert "settled" in helsinki("agreements", "comments", "settle", iri, made["id"]).out
    assert helsinki("agreements", "comments", "list", iri, "--json").json[0]["settled"]
    helsinki("agreements", "comments", "settle", iri, made["id"], "--open")
    assert not helsinki("agreements", "comments", "list", iri, "--json").json[0]["settled"]
    assert helsinki("agreements", "comments", "settle", iri, 999).code == 1
    assert helsinki("agreements", "comments", "add", iri, "").code == 1


def test_a_comment_is_said_by_the_person_whose_token_is_shown(helsinki: Say, iri: str) -> None:
    token = helsinki("tokens", "issue", "aino", "--staff").out.strip()
    said = helsinki("agreements", "comments", "add", iri, "I have read it", "--token", token, "--json")
    assert said.json[0]["who"] == "aino"


def test_a_draft_is_written_anew_and_an_agreement_is_not(helsinki: Say, iri: str) -> None:
    made = helsinki("agreements", "draft", "--replaces", iri, "--until", "2090-12-31", "--json")
    assert made.code == 0, made.err
    name = made.json["drafts"][0]["id"]
    anew = helsinki("agreements", "rewrite", name[:8], "--title", "Widened", "--until", "2091-12-31")
    assert anew.code == 0, anew.err
    assert "Widened" in anew.out
    assert "2091" in helsinki("agreements", "explain", name).out
    assert helsinki("agreements", "rewrite", iri, "--title", "Too late").code == 1


def test_what_changes_something_stands_in_the_trail(helsinki: Say, iri: str) -> None:
    helsinki("agreements", "comments", "add", iri, "Nobody keeps this")
    helsinki("agreements", "comments", "list", iri)
    trail = helsinki("audit", "list", "--json").out
    assert "agreements comments add" in trail
    assert "agreements comments list" not in trail
    assert "Nobody keeps" not in trail
