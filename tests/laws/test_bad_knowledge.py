"""Bad input to every field of every kind of knowledge: a fault that names the field, its file and its line.

Made of the tables: a field that is added is attacked here without a line. What files themselves may get wrong (YAML,
sections, sizes) is tested where they are read.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.catalog.author.folder import Folder
from node.catalog.author.office import Written
from node.vocab.kinds import TABLES, example_of
from node.vocab.kinds.checking import MAX_MARKDOWN, check
from node.vocab.kinds.field import Field, Form, KindTable

# Values that no field of the form takes.
WRONG: dict[Form, list[Any]] = {
    "text": [
        ["a", "b"], {"klingon": "nuqneH"}, {"en": ["x"]}, {"en": "x" * 2_001}, {"en": "bell \x07"}, {"en": {"en": "x"}},
    ],
    "markdown": [["a"], {"xx-yy-zz": "x"}, {"en": ["x"]}],
    "plain": [{"en": "x"}, ["x", "y"], "x" * 2_001],
    "date": ["2026-13-01", "2026-02-30", "tomorrow", "0000", "26", {"from": "2026"}, "2026-11-22T10:00:00Z"],
    "number": ["many", "1e400", "NaN", "0x10", "9" * 400, "1,5", True, {"value": "1"}],
    "link": [
        "javascript:alert(1)", "ftp://city.example/x", "https://", "//city.example", "city.example", "https://a b/",
        "https://user:word@city.example/", "https://city.example/" + "x" * 3_000, 7, "https://city.example:99999/",
    ],
    "email": ["nobody", "a@b", "a b@city.example", "<a@city.example>", "a@city.example\nbcc: b@city.example"],
    "code": ["no such code", 777, {"code": "x"}],
    "language": ["klingon", "en_US_POSIX_x", 7, ["en", "fi"]],
    "flag": ["yes", 1, "true", {"value": True}],
    "group": [True, [[]], {"no_such_field": "x"}],
}  # fmt: skip

Place = tuple[str | int, ...]


def places(table: KindTable) -> Iterator[tuple[Field, Place]]:
    """Give every field with the way to one value of it, groups' fields too."""

    def walk(fields: tuple[Field, ...], at: Place) -> Iterator[tuple[Field, Place]]:
        for each in fields:
            here = (*at, each.name, 0) if each.many else (*at, each.name)
            yield each, here
            yield from walk(each.fields, here)

    return walk(table.fields, ())


def put(said: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    """Give a copy with a value at a place; what is missing on the way there is made."""
    made = json.loads(json.dumps(said))
    inner: Any = made
    for step, following in zip(place, (*place[1:], None), strict=True):
        empty: Any = value if following is None else [] if following == 0 else {}
        if isinstance(step, int):
            inner[step:] = [empty] if following is None or not inner else inner[:1]
        elif following is None or not isinstance(inner.get(step), type(empty)):
            inner[step] = empty
        inner = inner[step]
    return dict(made)


def line_of(written: Written, at: str) -> int:
    """The line of a place in its file, or of the nearest one around it; 0 if it is nowhere in the file."""
    while at and at not in written.places:
        at = at.rpartition("/")[0]
    return written.places[at][1] if at else 0


def pointer(place: Place) -> str:
    return "".join(f"/{step}" for step in place)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.kind)
def test_every_wrong_value_of_every_field_is_named_with_its_line(table: KindTable, tmp_path: Path) -> None:
    folder, file = Folder(tmp_path, table, "en"), tmp_path / "wrong.yaml"
    missed = []
    for field, place in places(table):
        for wrong in WRONG[field.form]:
            # JSON is YAML; what else is missing is told too, and does not matter here.
            file.write_text(json.dumps(put({}, place, wrong), indent=1), "utf-8")
            written = folder.read("wrong")
            hit = [each for each in check(table, written.said) if each.pointer.startswith(pointer(place))]
            named = [each.level == "error" and each.message and line_of(written, each.pointer) > 1 for each in hit]
            if not named or not all(named):
                missed.append((pointer(place), str(wrong)[:40], hit))
    assert not missed, "\n".join(map(str, missed[:10]))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.kind)
def test_a_markdown_text_past_its_bound_is_named(table: KindTable) -> None:
    for field, place in places(table):
        if field.form == "markdown":
            hit = check(table, put({}, place, {"en": "x" * (MAX_MARKDOWN + 1)}))
            assert (f"{pointer(place)}/en", "too-long") in [(each.pointer, each.code) for each in hit]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.kind)
def test_every_field_that_must_be_said_is_missed_where_it_is_not(table: KindTable) -> None:
    example = example_of(table)
    assert [each for each in check(table, example) if each.level == "error"] == []
    for field in table.fields:
        if field.need == "must":
            without = {name: value for name, value in example.items() if name != field.name}
            (fault,) = check(table, without)
            assert (fault.pointer, fault.code) == (f"/{field.name}", "missing")
            assert field.hint["en"] in fault.message
