"""The keys of a file that this city holds: whom each row is about, so that the rows of somebody can be found in it.

The file is ours and need not be as it came: other columns may be in any encoding and fields of any length that memory
takes. But a row whose key cannot be read, or could be read in two ways, is never passed over, since it could be the one
that is looked for: then the file is refused, with the line and what to do. What ends a stream in the filters is refused
here alike.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from node.errors import ConsentUnknown, Malformed, NotAgreed, NotFound
from node.federation.consent.parquet_reading import Reading
from node.federation.consent.rows import JSONL, PARQUET, form_of
from node.federation.moving import Part

# One field of a file that came by consent may be a whole row. The library has one bound for all that read in a process.
_MAX_FIELD = 64 * 1024 * 1024
_DELIMITERS = ",;\t|"
_BOM = "\ufeff"
_FIELD = r'(?:"[^"]*+(?:""[^"]*+)*+"|[^"%s\r\n]*+)'
# A row in which each quote stands at an edge of a field, or is doubled within.
_QUOTED = {
    each: re.compile(rf"{_FIELD}(?:{{0}}{_FIELD})*+\r?\n?".replace("%s", each).replace("{0}", re.escape(each)))
    for each in _DELIMITERS
}
_ANEW = "Export it anew as UTF-8, as CSV, JSON lines or Parquet."


def keys_of(file: Path, column: str) -> Iterator[str]:
    """Give the keys of a file's rows, in order; empty where a row has none.

    Raises:
        NotFound: There is no such file, or no such column.
        Malformed: It is of another form, or the key of a row cannot be read.
    """
    if not file.is_file():
        raise NotFound(f"There is no file {file.name}.")
    form = form_of(Part("", file.name, "", None, "", "", 0))
    if not form:
        raise Malformed(f"{file.name} is neither CSV nor JSON lines nor Parquet.", fix="Export it as one of these.")
    if form == PARQUET:
        return _of_parquet(file, column)
    return _of_json(file, column) if form == JSONL else _of_csv(file, column)


def _of_csv(file: Path, column: str) -> Iterator[str]:
    _bound_fields()
    # What is no UTF-8 is kept as it is: only in a key does it matter.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as opened:
        lines = _Lines(opened, file)
        try:
            yield from _keys(lines, file, column)
        except csv.Error as error:
            raise lines.broken(f"cannot be read: {error}") from error


def _keys(lines: "_Lines", file: Path, column: str) -> Iterator[str]:
    head = lines.head()
    delimiter, at, width = _head(head, file, column)
    lines.check(head, delimiter)
    for row in csv.reader(lines, delimiter=delimiter, strict=True):
        written = lines.taken()
        if not row:
            continue
        lines.check(written, delimiter)
        if len(row) != width:
            raise lines.broken("has not as many fields as the head")
        if not _is_text(row[at]):
            raise lines.broken("names somebody in a key that is not UTF-8")
        yield row[at]


class _Lines:
    """The lines of a file as they are read, so that a row can be looked at as it is written."""

    def __init__(self, lines: Iterator[str], file: Path) -> None:
        self._lines, self._name = lines, file.name
        self._written, self._at, self._begins = list[str](), 0, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._at += 1
        if not self._written:
            self._begins = self._at
        self._written.append(line)
        # For some readers it belongs to the first field, for others not.
        if line.startswith(_BOM):
            raise self.broken("begins with a mark of the byte order")
        return line

    def head(self) -> str:
        """Give the first line."""
        next(self, "")
        return self.taken()

    def taken(self) -> str:
        """Give what was read since it was asked last: a row, of one line or several."""
        written, self._written = self._written, []
        return "".join(written)

    def check(self, row: str, delimiter: str) -> None:
        """Refuse quotes that stand where RFC 4180 has none: what another reader takes for a row may be within them."""
        if '"' in row and not _QUOTED[delimiter].fullmatch(row):
            raise self.broken("has a quote within a field")

    def broken(self, why: str) -> Malformed:
        """Say what is wrong with the row that was read last."""
        return _at_line(self._begins, self._name, why)


def _at_line(number: int, name: str, why: str) -> Malformed:
    return Malformed(f"Line {number} of {name} {why}: whom it is about cannot be told.", fix=_ANEW)


def _bound_fields() -> None:
    csv.field_size_limit(max(_MAX_FIELD, csv.field_size_limit()))


def _head(line: str, file: Path, column: str) -> tuple[str, int, int]:
    """Give the delimiter under which the head names the column, where, and how many columns there are."""
    for delimiter in _DELIMITERS:
        names = next(csv.reader([line], delimiter=delimiter), [])
        if names.count(column) == 1:
            return delimiter, names.index(column), len(names)
    raise _no_column(file, column)


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_json(file: Path, column: str) -> Iterator[str]:
    name = json.dumps(column, ensure_ascii=False).encode()
    rows, is_named = 0, False
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                # A name may stand there twice, or be spelt with escapes.
                is_plain = line.count(name) <= 1 and b"\\" not in line
                why = _doubt(row, column) or ("" if is_plain else _named_twice(line, column))
            except (orjson.JSONDecodeError, RecursionError) as error:
                raise _at_line(number, file.name, "is no JSON that can be read") from error
            if why:
                raise _at_line(number, file.name, why)
            key = row.get(column)
            rows, is_named = rows + 1, is_named or key is not None
            yield "" if key is None else str(key)
    if rows and not is_named:
        raise _no_column(file, column)


def _doubt(row: object, column: str) -> str:
    """Say why nobody can tell whom a line is about; empty if one can, or it is about nobody."""
    if not isinstance(row, dict):
        return "is no JSON object"
    key = row.get(column)
    if isinstance(key, bool) or not isinstance(key, str | int | None):
        return "has a key that is neither a text nor a whole number"
    return "names the member otherwise" if key is None and _is_near(row, column) else ""


def _is_near(row: Mapping[str, Any], column: str) -> bool:
    plain = _plain(column)
    return any(name != column and _plain(name) == plain for name in row)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name)).casefold()


def _named_twice(line: bytes, column: str) -> str:
    """Say that a line names its member twice and otherwise: some readers take the first, some the last."""
    members: list[tuple[str, object]] = json.loads(line, object_pairs_hook=list)
    said = {json.dumps(value) for name, value in members if name == column}
    return "names the member twice" if len(said) > 1 else ""


def _of_parquet(file: Path, column: str) -> Iterator[str]:
    def opens(start: int) -> io.FileIO:
        opened = io.FileIO(file)
        opened.seek(start)
        return opened

    try:
        with Reading("keys", opens, file.stat().st_size, column=column) as reading:
            rest = b""
            for piece in reading:
                whole, _, rest = (rest + piece).rpartition(b"\n")
                yield from map(orjson.loads, whole.splitlines())
    except NotAgreed as error:
        raise _no_column(file, column) from error
    except ConsentUnknown as error:
        raise Malformed(f"{file.name} cannot be looked through. {error.message}", fix=_ANEW) from error
    except OSError as error:
        raise Malformed(f"{file.name} cannot be read: {error.strerror}.", fix="Look at the disk.") from error


def _no_column(file: Path, column: str) -> NotFound:
    return NotFound(f"{file.name} has no column {column[:80]!r}.", fix="Name the column that says whom a row is about.")
