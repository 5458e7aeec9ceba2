"""Laws of one file: what is read is what a reviewer sees, and everything wrong has its line."""

import pytest

from node.catalog.author.front import MAX_BYTES, MAX_YAML, Section, read

HEAD = """---
language: fi
title: Lunta
evidence:
  - value: 0123
    unit: kuormaa
  - value: 2.50
review: 2027-11-01
flag: true
words: [no, "true", ~]
empty:
---
"""


def markdown(text: str) -> bytes:
    return text.encode()


def faults(text: str | bytes, form: str = "md") -> list[tuple[int, str]]:
    front = read(text if isinstance(text, bytes) else text.encode(), form)
    return [(each.line, each.code) for each in front.faults]


def test_values_stay_as_they_are_written() -> None:
    front = read(HEAD.encode(), "md")
    assert front.faults == []
    assert front.values == {
        "language": "fi",
        "title": "Lunta",
        "evidence": [{"value": "0123", "unit": "kuormaa"}, {"value": "2.50"}],
        "review": "2027-11-01",
        "flag": True,
        "words": ["no", "true", None],
        "empty": None,
    }


def test_every_value_knows_its_line() -> None:
    lines = read(HEAD.encode(), "md").lines
    assert (lines["/title"], lines["/evidence"], lines["/evidence/0/unit"], lines["/evidence/1"]) == (3, 4, 6, 7)


def test_a_byte_order_mark_and_any_line_ends_will_do() -> None:
    text = HEAD + "\n## Ongelma\n\nLunta.\n"
    plain = read(text.encode(), "md")
    for other in (text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text):
        assert read(other.encode(), "md") == plain


def test_sections_are_parted_at_their_headings_and_keep_everything_else() -> None:
    body = """---
title: T
---

<!-- a hint
of two lines -->
## The problem ##

First.

### A smaller heading

```
## no heading, but code
```
~~~~
```
## nor this
~~~~

## What we did
<!-- fill in -->

## Costs
"""
    front = read(body.encode(), "md")
    assert front.faults == []
    first, *empty = front.sections
    assert empty == [
        Section("What we did", "", 21),
        Section("Costs", "", 24),
    ]  # places where something is to be written
    assert first == Section(
        "The problem",
        "First.\n\n### A smaller heading\n\n```\n## no heading, but code\n```\n~~~~\n```\n## nor this\n~~~~",
        7,
    )


def test_a_heading_of_the_first_order_is_the_title_unless_there_is_one() -> None:
    front = read(b"---\nlanguage: en\n---\n\n# Snow\n\n## P\n\nx\n", "md")
    assert (front.values["title"], front.lines["/title"]) == ("Snow", 5)
    assert faults("---\ntitle: S\n---\n# Snow\n") == [(4, "second-title")]


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("Snow\n", 1, "no-front-matter"),
        ("", 1, "no-front-matter"),
        ("---\ntitle: T\n", 1, "no-front-matter"),
        ("---\ntitle: T\ntitle: U\n---\n", 3, "duplicate-key"),
        ("---\na:\n  b: 1\n  b: 2\n---\n", 4, "duplicate-key"),
        ("---\ntitle: &x T\nother: *x\n---\n", 2, "bad-yaml"),
        ("---\na: *x\n---\n", 2, "bad-yaml"),
        ("---\na: !!python/object:os.system x\n---\n", 2, "bad-yaml"),
        ("---\na: 1\n\tb: 2\n---\n", 3, "bad-yaml"),
        ("---\ntitle: Snow: a story\n---\n", 2, "bad-yaml"),
        ("---\n- a\n- b\n---\n", 2, "bad-yaml"),
        ("---\n? [a, b]\n: c\n---\n", 2, "bad-yaml"),
        ("---\na: " + "[" * 40 + "]" * 40 + "\n---\n", 2, "bad-yaml"),
        ("---\ntitle: a\x07b\n---\n", 2, "control-character"),
        ("---\nx: " + "y" * MAX_YAML + "\n---\n", 2, "too-large"),
        ("---\ntitle: T\n---\n\nLoose words.\n\n## P\n", 5, "loose-text"),
        ("---\ntitle: T\n---\n\n## \n\nx\n", 5, "no-heading"),
    ],
)
def test_what_is_wrong_with_a_file_has_its_line(text: str, line: int, code: str) -> None:
    assert (line, code) in faults(text)


def test_a_tab_is_called_a_tab() -> None:
    (fault,) = read(b"---\na: 1\n\tb: 2\n---\n", "md").faults
    assert "tab" in fault.message


def test_bytes_that_are_no_text_or_too_many_are_not_read() -> None:
    assert faults(b"---\ntitle: \xff\n---\n") == [(2, "not-utf-8")]
    assert faults("x" * (MAX_BYTES + 1)) == [(0, "too-large")]
    assert faults("---\ntitle: S\n---\n".encode("utf-16")) != []


def test_yaml_and_json_alone_say_the_same() -> None:
    yaml = read(b"title: T\nevidence:\n- value: 2.50\n", "yaml")
    said = read(b'{"title": "T", "evidence": [{"value": 2.50}]}', "json")
    assert yaml.values == said.values == {"title": "T", "evidence": [{"value": "2.50"}]}
    assert yaml.lines["/evidence/0/value"] == 3


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ('{"a": 1,\n}', 2, "bad-json"),
        ('{"a": 1, "a": 2}', 0, "duplicate-key"),
        ("[1]", 1, "bad-json"),
        ("[" * 100_000, 0, "bad-json"),
    ],
)
def test_what_is_wrong_with_json_is_said(text: str, line: int, code: str) -> None:
    assert faults(text, "json") == [(line, code)]


def test_a_number_of_json_loses_no_digit() -> None:
    assert read(b'{"n": 12345678901234567890.10}', "json").values == {"n": "12345678901234567890.10"}
