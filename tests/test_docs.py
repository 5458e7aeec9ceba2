"""The pages that people read: their links lead somewhere, and what they tell people to type exists."""

import re
from pathlib import Path

import pytest

from tests.said import calls_in, code_in, unknown_in

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_of_ours_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_code_block_exists_with_its_options(page: Path) -> None:
    assert unknown_in(code_in(page.read_text())) == []


def test_the_readme_begins_with_the_demo_and_has_the_federation_in_ten_lines() -> None:
    text = (ROOT / "README.md").read_text()
    first, second = re.search(r"```\n(make demo) .*\n(make test) ", text).groups()  # type: ignore[union-attr]
    assert (first, second) == ("make demo", "make test")
    block = re.search(r"in ten lines\n.*?```\n(.*?)```", text, re.DOTALL)
    assert block
    assert len(block.group(1).splitlines()) == 10
    assert len(list(calls_in(block.group(1)))) == 9


def test_what_does_not_exist_is_found() -> None:
    assert unknown_in("citynode nothing at-all\n") == ["nothing at-all"]
    assert unknown_in("citynode run --prot 80\n") == ["run --prot 80"]
    assert unknown_in("citynode init --name X --base-url Y --lang en\ncitynode run --port 8000   # words") == []
