"""Laws of what waits for a person, in words: every need has its three sentences, one thing is said as one."""

import ast
from pathlib import Path

import pytest

import node
from node.catalog.today import Fact, Need
from node.web.wording.needs import fact, told
from node.web.wording.words import LANGUAGES, known

ROOT = Path(node.__file__).parent
VALUES = {
    "n": 2,
    "run": 1234,
    "source": "hri",
    "city": "London",
    "title": "Noise map",
    "sources": 3,
    "all": 4,
    "since_ms": 1,
    "until_ms": 1,
    "due_ms": 0,
}


def whats(kind: str) -> set[str]:
    """The names that the makers of needs (or facts) give them, as they stand in the code."""
    found = set()
    for path in (ROOT / "catalog/today.py", ROOT / "assembly/today.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == kind:
                found |= {one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant)}
    return {what for what in found if isinstance(what, str)} - {"-more", "agreement-", "what"}


NEEDS = sorted(
    {what for what in whats("Need") if known(f"today.need.{what}.title")}
    | {
        "failed",
        "failed-new",
        "failed-show",
        "failed-idle",
        "shown",
        "statement",
        "peer-key",
        "review",
        "review-late",
        "question",
        "submission",
        "draft",
    }
    | {"correction", "agreement-ends", "agreement-ended", "agreement-review", "agreement-stopped"}
    | {f"{what}-more" for what in ("review", "question", "submission", "draft", "correction")}
)


def test_no_need_is_without_words() -> None:
    assert {what for what in whats("Need") if not known(f"today.need.{what}.title")} == set()
    assert len(NEEDS) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_need_says_what_why_and_one_way_on_in_every_language(language: str) -> None:
    for what in NEEDS:
        said = told(Need(what, "/desk", VALUES), language)
        assert all((said.title, said.text, said.way)), what
        assert "{" not in said.title + said.text + said.way, what


def test_one_thing_is_said_as_one_and_a_run_is_a_name_not_a_number() -> None:
    assert told(Need("held", "/x", {**VALUES, "n": 1}), "en").title == "1 withdrawal is held"
    assert told(Need("held", "/x", {**VALUES, "n": 1000}), "en").title == "1,000 withdrawals are held"
    assert told(Need("held", "/x", VALUES), "en").way == "Look at run 1234"


def test_what_never_happened_has_no_date() -> None:
    assert "on never" in told(Need("stale", "/x", {**VALUES, "since_ms": 0}), "en").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_of_the_week_has_words(language: str) -> None:
    for what in {*whats("Fact"), "added", "changed", "withdrawn", "refused", "search", "download"} - {"name"}:
        assert fact(Fact(what, VALUES), language)
        assert fact(Fact(what, {**VALUES, "n": 1}), language)
