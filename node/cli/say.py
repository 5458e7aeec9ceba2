"""How commands answer: plain lines for people and pipes, one JSON document for programs, one line for an error.

Results go to standard output, everything else to standard error, so that `--json` can always be piped. On a terminal
errors carry colour; elsewhere nothing does. Only this module prints.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from node.errors import NodeError

_AT_ONCE = 10_000


def line(text: str = "") -> None:
    """Print one line of the result; control characters of strangers' titles are shown as a blank."""
    sys.stdout.write("".join(c if c.isprintable() else " " for c in text) + "\n")


def lines(texts: Iterable[str]) -> None:
    """Print several lines of the result."""
    for text in texts:
        line(text)


def raw(text: str) -> None:
    """Print a file as it is."""
    sys.stdout.write(text)


def document(value: Any) -> None:  # noqa: ANN401 (anything that JSON can say)
    """Print one JSON document."""
    sys.stdout.buffer.write(orjson.dumps(value, default=_said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _said(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def note(text: str) -> None:
    """Say something beside the result."""
    sys.stderr.write(text + "\n")


def error(problem: NodeError) -> None:
    """Say in one line what is wrong and what to do."""
    words = " ".join(str(problem).split())
    start = "\x1b[31mcitynode:\x1b[0m " if sys.stderr.isatty() else "citynode: "
    note(f"{start}{words} [{problem.code}]")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, none: str = "") -> None:
    """Print rows in columns as wide as their widest cell; if there are none, only the heads, or what `none` says."""
    if none and not rows:
        line(none)
        return
    _columns([[str(cell) for cell in row] for row in (heads, *rows)], heads)


def _columns(texts: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    for row in texts:
        line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def rows(heads: Sequence[str], found: Iterable[Sequence[object]]) -> None:
    """Print rows in columns, however many come: thousands at a time, each as wide as the widest of these."""
    rest, begun = iter(found), False
    while some := list(islice(rest, _AT_ONCE)):
        texts = [[str(cell) for cell in row] for row in some]
        _columns(texts if begun else [list(heads), *texts], heads)
        begun = True
    if not begun:
        _columns([list(heads)], heads)


def listing(name: str, found: Iterable[Any]) -> None:
    """Print one JSON document with a list under a name, however many come; one that breaks off has no end."""
    out, begun = sys.stdout.buffer, False
    for each in found:
        out.write(b"," if begun else b'{"%s": [' % name.encode())
        out.write(b"\n" + orjson.dumps(each, default=_said))
        begun = True
    out.write(b"\n]}\n" if begun else b'{"%s": []}\n' % name.encode())
    sys.stdout.flush()


def short(text: str, most: int = 60) -> str:
    """Cut a title for a column of a table, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def moment(at_ms: int) -> str:
    """Write a time for people: UTC to the second, or a dash for none."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at_ms else "-"


def duration(ms: int) -> str:
    """Write a length of time for people."""
    seconds = max(0, ms) / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
