"""One file as its author wrote it: YAML front matter and Markdown sections, or YAML or JSON alone, with line numbers.

Values stay as they are written: a date is its text, `0123` no octal number, `no` the tag of Norwegian and not false.
Anchors, aliases, tags of YAML and keys that stand twice are refused, and size and depth are bounded, so that what is
read is what a reviewer sees. Whatever is wrong becomes a fault with its line and never an exception. Pure: no I/O.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import AliasEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from node.vocab.kinds.checking import pointer

MAX_BYTES = 1024 * 1024
MAX_YAML = 256 * 1024
"""The longest YAML, in characters: its reader needs a second for every 100,000 or so."""
MAX_DEPTH = 12
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,2})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
# What YAML gives to values that have no tag written beside them.
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value")
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Fault(NamedTuple):
    """Something wrong with a file; `line` counts from 1, 0 where there is none."""

    line: int
    code: str
    message: str


class Section(NamedTuple):
    """A part of the body: its heading as written, its text without comments (may be empty), and the heading's line."""

    heading: str
    text: str
    line: int


@dataclass(slots=True)
class Front:
    """What a file says: `values` of its front matter, the line of each by JSON pointer, and the sections below."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(body: bytes, form: str) -> Front:
    """Read a file.

    Args:
        body: Its bytes; a byte order mark and any line ends will do.
        form: `md`, `yaml` or `json`.
    """
    front = Front()
    if len(body) > MAX_BYTES:
        front.faults.append(Fault(0, "too-large", f"The file has more than {MAX_BYTES:,} bytes: shorten it."))
        return front
    try:
        text = body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        front.faults.append(Fault(line, "not-utf-8", "The file is not written in UTF-8: save it so."))
        return front
    if form == "json":
        _read_json(front, text)
    elif form == "yaml":
        _read_yaml(front, text, 0)
    else:
        _read_markdown(front, text)
    return front


# ---------------------------------------------------------------- Markdown


def _read_markdown(front: Front, text: str) -> None:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        message = "The file begins with ---, then what it says of itself as `key: value`, then --- again."
        front.faults.append(Fault(1, "no-front-matter", message))
        return
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        front.faults.append(Fault(1, "no-front-matter", "The front matter has no end: write --- on a line of its own."))
        return
    _read_yaml(front, "\n".join(lines[1:end]), 1)
    _read_sections(front, lines[end + 1 :], end + 1)


def _read_sections(front: Front, lines: list[str], before: int) -> None:
    """Part the body at its headings of the second order; what stands above the first of them belongs to none."""
    # A comment keeps its line ends, so that the lines after it keep their numbers.
    plain = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), "\n".join(lines)).split("\n")
    heading, start, kept, fence = "", before + 1, [], ""
    for number, line in enumerate(plain, before + 1):
        fenced = _FENCE.match(line)
        if fenced and (not fence or (fenced[1].startswith(fence) and not line.strip().strip(fence[0]))):
            fence = "" if fence else fenced[1]
        found = None if fence else _HEADING.match(line)
        if found is None:
            kept.append(line)
        elif found[1] == "#":
            _take_title(front, found[2], number)
        else:
            _close(front, heading, kept, start)
            heading, start, kept = found[2].strip(), number, []
            if not heading:
                front.faults.append(Fault(number, "no-heading", "The heading is empty: write the name of a section."))
    _close(front, heading, kept, start)


def _take_title(front: Front, text: str, line: int) -> None:
    """Let a heading of the first order be the title, where the front matter has none."""
    if "title" in front.values:
        message = "The title stands in the front matter: take this heading out, or make it ## and a section's name."
        front.faults.append(Fault(line, "second-title", message))
    else:
        front.values["title"], front.lines["/title"] = text.strip(), line


def _close(front: Front, heading: str, kept: list[str], line: int) -> None:
    text = "\n".join(kept).strip("\n").rstrip()
    if heading:
        front.sections.append(Section(heading, text, line))
    elif text.strip():
        at = line + next(number for number, each in enumerate(kept) if each.strip())
        message = "This text stands under no heading: write ## and the name of a section above it."
        front.faults.append(Fault(at, "loose-text", message))


# ---------------------------------------------------------------- YAML


class _UnreadError(MarkedYAMLError):
    """Something that YAML has and these files have not."""


class _Loader(yaml.SafeLoader):
    """Makes nodes and no values; without anchors, aliases and depth."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 (as yaml has it)
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _UnreadError(
                problem="anchors (&) and aliases (*) are not read: write it out", problem_mark=event.start_mark
            )
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _UnreadError(problem=f"it is nested more than {MAX_DEPTH} deep", problem_mark=event.start_mark)
        made = super().compose_node(parent, index)
        self.depth -= 1
        return made


def _read_yaml(front: Front, text: str, before: int) -> None:
    """Read a mapping; its first line is line `before` + 1 of the file."""
    if len(text) > MAX_YAML:
        message = f"The front matter has more than {MAX_YAML:,} characters: move long texts into sections."
        front.faults.append(Fault(before + 1, "too-large", message))
        return
    try:
        node = _composed(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        front.faults.append(Fault(before + 1 + line, "bad-yaml", _said_of(error, text)))
        return
    except YAMLError as error:  # a character that YAML never has
        place = getattr(error, "position", 0)
        line = text[:place].count("\n") if isinstance(place, int) else 0
        message = "The front matter holds a control character: take it out."
        front.faults.append(Fault(before + 1 + line, "control-character", message))
        return
    if node is None:
        return
    if not isinstance(node, MappingNode):
        message = "Write one `key: value` on each line."
        front.faults.append(Fault(before + 1 + node.start_mark.line, "bad-yaml", message))
        return
    front.values = _mapping(front, node, "", before)


def _composed(text: str) -> Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _said_of(error: MarkedYAMLError, text: str) -> str:
    at = error.problem_mark.line if error.problem_mark else -1
    line = ([*text.split("\n"), ""])[at]
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in str(error.problem):
        return "There is a tab: indent with spaces."
    if "mapping values are not allowed" in str(error.problem):
        return "A value with a colon in it stands in quotes, and keys begin where those above them begin."
    return f"This is no YAML: {error.problem or error.context or 'it cannot be read'}."


def _mapping(front: Front, node: MappingNode, at: str, before: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in node.value:
        line = before + 1 + key.start_mark.line
        if not isinstance(key, ScalarNode):
            front.faults.append(Fault(line, "bad-yaml", "A key is one word."))
            continue
        name = str(key.value)
        if name in made:
            message = f"The key {name[:60]} stands twice: keep one, and make it a list if it has several values."
            front.faults.append(Fault(line, "duplicate-key", message))
            continue
        front.lines[pointer(at, name)] = line
        made[name] = _value(front, value, pointer(at, name), before)
    return made


def _value(front: Front, node: Node, at: str, before: int) -> Any:  # noqa: ANN401 (whatever somebody wrote)
    line = before + 1 + node.start_mark.line
    if node.tag not in _TAGS:
        message = f"The tag {node.tag[:60]} of YAML is not read: write the value alone."
        front.faults.append(Fault(line, "bad-yaml", message))
        return None
    if isinstance(node, MappingNode):
        return _mapping(front, node, at, before)
    if isinstance(node, SequenceNode):
        for number, each in enumerate(node.value):
            front.lines[pointer(at, number)] = before + 1 + each.start_mark.line
        return [_value(front, each, pointer(at, number), before) for number, each in enumerate(node.value)]
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _scalar(node: ScalarNode) -> str | bool | None:
    text = str(node.value)
    if node.style is None:  # plain, neither quoted nor a block
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if text in ("", "~", "null"):
            return None
    return text


# ---------------------------------------------------------------- JSON


def _read_json(front: Front, text: str) -> None:
    # Numbers stay the text they are, as in YAML: neither 2.50 nor a long one loses a digit.
    doubled: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.extend(_twice(found))
        return dict(found)

    try:
        said = json.loads(text, object_pairs_hook=pairs, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        front.faults.append(Fault(error.lineno, "bad-json", f"This is no JSON: {error.msg}."))
        return
    except RecursionError:
        front.faults.append(Fault(0, "bad-json", "It is nested too deeply."))
        return
    if not isinstance(said, dict):
        front.faults.append(Fault(1, "bad-json", "Write one JSON object."))
        return
    for name in doubled[:20]:
        front.faults.append(Fault(0, "duplicate-key", f"The key {name[:60]} stands twice: keep one."))
    front.values = said


def _twice(found: list[tuple[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in found:
        if name in seen:
            yield name
        seen.add(name)
