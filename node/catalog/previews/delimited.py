"""CSV and its likes: which encoding, which delimiter, then the rows as text.

Files of cities are UTF-8 with and without a mark, Windows-1252 with semicolons, tabs, now and then UTF-16. What is
guessed is guessed from the beginning. A cell that looks like a formula or like markup is text and stays text.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from node.catalog.previews.cells import Book
from node.catalog.previews.values import Preview, refused

_BEGINNING = 1 << 18
_FIELD = 1 << 20
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",;\t|"
_TRIED = 40
# What spreadsheets write above the names of the columns to say what stands between cells.
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?[^\w\r\n]*\r?\n', re.IGNORECASE)


def encoding_of(beginning: bytes) -> str:
    """Guess the encoding of a text from its first bytes."""
    for mark, encoding in _MARKS:
        if beginning.startswith(mark):
            return encoding
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        # The beginning may end in the middle of a character of up to four bytes.
        if len(beginning) < _BEGINNING or error.start < len(beginning) - 3:
            return "cp1252"
    return "utf-8"


def delimiter_of(beginning: str) -> str:
    """Guess the delimiter: the one that gives most lines the same number of cells, and more than one."""
    lines = beginning.splitlines()[:_TRIED]
    best, found = 0, ""
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not widths or max(widths) < 2:
            continue
        common = max(set(widths), key=widths.count)
        score = widths.count(common) * 1000 // len(widths) * (common > 1) + min(common, 50)
        if score > best:
            best, found = score, delimiter
    return found


def preview(path: Path, *, deadline: float, delimiter: str = "", whole: bool = True) -> Preview:
    """Look inside a delimited text; not `whole` where only the beginning of it lies here. Raises Malformed."""
    csv.field_size_limit(_FIELD)
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    if b"\0" in beginning and not beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused("text", "It is no text.", fix="Name the format that the file has.")
    encoding = encoding_of(beginning)
    plain = beginning.decode(encoding, "replace")
    told = _SEP.match(plain)
    said = delimiter or (told[1] if told else delimiter_of(plain)) or ","
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        if told:
            text.readline()
        rows = csv.reader(text, delimiter=said)
        try:
            book = _book(rows, deadline)
        except csv.Error as error:
            raise refused("csv", f"It cannot be read as rows: {error}.", fix="Close every quotation mark.") from error
    return Preview("table", "TSV" if said == "\t" else "CSV", book.table(whole=whole))


def _book(rows: Iterator[Sequence[str]], deadline: float) -> Book:
    header = next((row for row in rows if any(cell.strip() for cell in row)), None)
    if header is None or not any(_is_name(cell) for cell in header):
        raise refused(
            "names", "It has no line with the names of its columns.", fix="Begin with the names of the columns."
        )
    book = Book(header, deadline=deadline)
    book.read(rows)
    return book


def _is_name(cell: str) -> bool:
    return any(char.isalpha() for char in cell)
