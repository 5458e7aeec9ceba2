"""What the filters share: forms of parts whose rows can be told apart, bounds, and the error that ends a stream.

The form is what the media type says, else the name. A part of any other form is never handed out by consent, since
nobody could say which of its bytes are about whom. Values alone; nothing is read here.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from node.errors import ConsentUnknown, NotAgreed
from node.federation.moving import Part

NO_COLUMN = "residents-column"
CSV, JSONL, PARQUET = "csv", "jsonl", "parquet"
READ_BYTES = 1024 * 1024
MAX_ROW = 4 * 1024 * 1024
MAX_COLUMNS = 10_000
_MAX_NAME = 128 * 1024
# Looking a block through costs much the same however small it is.
BLOCK_BYTES = 256 * 1024
_FORMS = {
    "text/csv": CSV,
    "application/csv": CSV,
    "text/tab-separated-values": CSV,
    "application/x-ndjson": JSONL,
    "application/ndjson": JSONL,
    "application/jsonl": JSONL,
    "application/json-lines": JSONL,
    "application/vnd.apache.parquet": PARQUET,
    "application/x-parquet": PARQUET,
}
_ENDINGS = {".csv": CSV, ".tsv": CSV, ".jsonl": JSONL, ".ndjson": JSONL, ".parquet": PARQUET}
_FIX = "Only CSV, JSON lines and Parquet can be handed out by consent; tell the city that gives the data."


def form_of(part: Part) -> str:
    """Say how the rows of a part are written, by its media type, else by its name; empty if it has no rows we read."""
    said = part.media_type.partition(";")[0].strip().lower()
    return _FORMS.get(said) or _ENDINGS.get(PurePosixPath(part.name).suffix.lower(), "")


def blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Read to the end, in blocks of some size out of however small pieces an origin gives."""
    held, size = [], 0
    while piece := read(READ_BYTES):
        held.append(piece)
        size += len(piece)
        if size >= BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def names_under(text: str, delimiter: str) -> list[str]:
    """Give the names in a head under a delimiter; none where a name is longer than is read.

    A long head may have no such name under the delimiter that it has, and one under each other.

    Raises:
        NotAgreed: It may name more than are read: to tell them apart costs time and memory.
    """
    if text.count(delimiter) >= MAX_COLUMNS:
        raise unnamed(f"the head of the part names more than {MAX_COLUMNS:,} columns")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
    # The library's own limit is one of the whole process, and others raise it.
    return names if all(len(name) <= _MAX_NAME for name in names) else []


def broken(why: str) -> ConsentUnknown:
    """Make the error that ends a stream: what came cannot be told apart by persons."""
    return ConsentUnknown(f"Rows cannot be told apart by persons: {why}.", fix=_FIX)


def unnamed(why: str) -> NotAgreed:
    """Make the lasting "no": of this part nobody will ever tell by the column that its city named, try as one may."""
    return NotAgreed(
        f"Nobody can tell whom the rows are about: {why}. ({NO_COLUMN})",
        operand=NO_COLUMN,
        fix="The city that gives the data has to mend it: citynode data origins test",
    )


def as_filtered(part: Part) -> Part:
    """Give a part as it is announced when rows are left out of it: nobody knows yet how long it will be."""
    return replace(part, size=None, digest="", filtered=True)
