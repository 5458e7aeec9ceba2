"""What waits for a person, in words: the same sentences for the page, the API and the command line.

Each need is a title, a text that says why it stopped and what happens if nothing is done, and the name of the one way
on. Times become dates of the reader's language, ends (`_end_ms`) the last day, numbers its numbers; one thing has its
own sentence where a language wants that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.catalog.today import Fact, Need
from node.web.wording import text
from node.web.wording.words import known, words


@dataclass(frozen=True, slots=True)
class Told:
    """A need in one language."""

    what: str
    title: str
    text: str
    way: str
    path: str
    urgent: bool


def told(need: Need, reader: str) -> Told:
    """Say a need."""
    key, values = f"today.need.{need.what}", _values(need.values, reader)
    return Told(
        need.what,
        _said(reader, f"{key}.title", need.values, values),
        _said(reader, f"{key}.text", need.values, values),
        _said(reader, f"{key}.way", need.values, values),
        need.path,
        need.urgent,
    )


def fact(one: Fact, reader: str) -> str:
    """Say a fact of the week."""
    return _said(reader, f"today.week.{one.what}", one.values, _values(one.values, reader))


def _values(given: Mapping[str, str | int], reader: str) -> dict[str, str]:
    return {name.removesuffix("_ms").removesuffix("_end"): _value(name, value, reader) for name, value in given.items()}


def _value(name: str, value: str | int, reader: str) -> str:
    if isinstance(value, str):
        return value
    if name.endswith("_end_ms"):
        return text.end_of(value, reader)
    if name.endswith("_ms"):
        return text.date_of(value, reader) if value else words(reader, "today.never")
    return str(value) if name == "run" else text.number(value, reader)


def _said(reader: str, key: str, given: Mapping[str, str | int], values: Mapping[str, str]) -> str:
    one = f"{key}_one"
    return words(reader, one if given.get("n") == 1 and known(one) else key, **values)
