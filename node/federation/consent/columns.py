"""Whether a part names whom its rows are about, as far as its beginning tells: asked when a column is named.

The filters find it at the door, when another city waits; this finds it where the column was spelt. The head of a CSV,
the first lines of JSON lines, the schema of Parquet. A part of another form has no rows, so nothing is said of it.
"""

from collections.abc import Callable, Sequence

import orjson

from node.errors import ConsentUnknown, Malformed
from node.federation.consent.parquet_reading import names_in
from node.federation.consent.rows import CSV, JSONL, form_of, names_under
from node.federation.moving import Part, Source

_HEAD_BYTES = 1024 * 1024
_LINES_BYTES = 256 * 1024
_DELIMITERS = ",;\t|"


def columns_of(part: Part, opens: Callable[[int], Source], column: str) -> Sequence[str]:
    """Name the columns that a part has; none where it has no rows, or nobody can tell.

    Args:
        part: What it is.
        opens: Opens it from a byte on; what is opened is closed here.
        column: The column that is to name the person: in a head that two delimiters fit, the one with it counts.

    Raises:
        Unavailable: The part cannot be read.
        Malformed: The head of a CSV cannot.
        NotAgreed: It names more columns than are read.
    """
    form = form_of(part)
    if not form:
        return []
    return _of_head(part, opens, column) if form == CSV else _of(form, part, opens)


def _of(form: str, part: Part, opens: Callable[[int], Source]) -> list[str]:
    if form == JSONL:
        return _of_lines(_beginning(opens, _LINES_BYTES))
    if part.size is None:
        return []
    try:
        return names_in(opens, part.size)
    except ConsentUnknown:
        return []  # no Parquet file: that is for who reads it


def _of_head(part: Part, opens: Callable[[int], Source], column: str) -> list[str]:
    """Give the names in the head under the delimiter that fits the column, else under the one that makes most."""
    line, newline, _ = _beginning(opens, _HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if not newline and len(line) != part.size:
        return []
    text = line.decode(errors="replace").removesuffix("\r")
    found = [names_under(text, each) for each in _DELIMITERS]
    if text and not any(found):
        raise Malformed(
            f"The head of {part.name} cannot be read: a name in it is too long.", fix="Put a file with a head there."
        ).on_page("no.origin.head", field="column", name=part.name)
    return next((names for names in found if column in names), max(found, key=len))


def _of_lines(head: bytes) -> list[str]:
    names: dict[str, None] = {}
    for line in head.splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # cut short, or no JSON: that is for who reads it
        names |= dict.fromkeys(row) if isinstance(row, dict) else {}
    return list(names)


def _beginning(opens: Callable[[int], Source], most: int) -> bytes:
    source, held = opens(0), b""
    try:
        while len(held) < most and (piece := source.read(most - len(held))):
            held += piece
    finally:
        source.close()
    return held
