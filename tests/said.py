"""Finds what scripts and pages tell people to say to `citynode`, and what of it no such command would understand."""

import re
from collections.abc import Iterator

from tests.cli.test_contract import commands

_CONTINUED = re.compile(r"\\\n\s*(#\s*)?")
# The command itself, or the function `at CITY` of the scripts in deploy/.
_CALL = re.compile(r"(?:(?<![\w./-])(?:\.venv/bin/)?citynode|\bat \"?\$?\w+\"?) ((?:--)?[a-z][^\n|;&)#]*)")
_OPTION = re.compile(r"(?<!\S)--[a-z-]+")


def calls_in(text: str) -> Iterator[str]:
    """Give the words of every call, without the command's name."""
    for call in _CALL.findall(_CONTINUED.sub(" ", text)):
        if call.split()[0].isalpha():
            yield call.strip()


def unknown_in(text: str) -> list[str]:
    """Give the calls whose command or option does not exist."""
    known = dict(commands())
    return [call for call in calls_in(text) if not _is_known(call, known)]


def _is_known(call: str, known: dict[str, set[str]]) -> bool:
    words = call.replace('"', " ").split()
    name = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in known), None)
    return name is not None and set(_OPTION.findall(call)) <= known[name] | {"--data", "--help"}


def code_in(page: str) -> str:
    """Give the lines of a Markdown page's code blocks, but of those in another language than the shell's."""
    found: list[str] = []
    language: str | None = None
    for line in page.splitlines():
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
        elif language in ("", "sh", "console"):
            found.append(line)
    return "\n".join(found)
