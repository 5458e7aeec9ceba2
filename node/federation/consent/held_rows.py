"""The keys of a file that this city holds: whom each row is about, so that the rows of somebody can be found in it.

The file is ours and need not be as it came: other columns may be in any encoding and fields of any length that memory
takes. But a row whose key cannot be read is never passed over, since it could be the one that is looked for: then the
file is refused, with what to do.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import orjson

from node.errors import Malformed, NotFound
from node.federation.consent.rows import JSONL, PARQUET, form_of
from node.federation.moving import Part

# One field of a file that came by consent may be a whole row. The library has one bound for all that read in a process.
_MAX_FIELD = 64 * 1024 * 1024
_DELIMITERS = ",;\t|"
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
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        delimiter, at = _head(lines.readline(_MAX_FIELD), file, column)
        rows = csv.reader(lines, delimiter=delimiter)
        number = 0
        try:
            for number, row in enumerate(filter(None, rows), 1):
                key = row[at] if at < len(row) else ""
                if not _is_text(key):
                    raise Malformed(f"Whom row {number} of {file.name} is about is not UTF-8.", fix=_ANEW)
                yield key
        except csv.Error as error:
            raise Malformed(f"{file.name} cannot be read behind row {number}: {error}.", fix=_ANEW) from error


def _bound_fields() -> None:
    csv.field_size_limit(max(_MAX_FIELD, csv.field_size_limit()))


def _head(line: str, file: Path, column: str) -> tuple[str, int]:
    """Give the delimiter under which the head names the column, and where."""
    for delimiter in _DELIMITERS:
        names = next(csv.reader([line], delimiter=delimiter), [])
        if names.count(column) == 1:
            return delimiter, names.index(column)
    raise _no_column(file, column)


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_json(file: Path, column: str) -> Iterator[str]:
    rows, is_named = 0, False
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise Malformed(f"Line {number} of {file.name} is no JSON.", fix=_ANEW) from error
            key = row.get(column) if isinstance(row, dict) else None
            rows, is_named = rows + 1, is_named or key is not None
            yield "" if key is None else str(key)
    if rows and not is_named:
        raise _no_column(file, column)


def _of_parquet(file: Path, column: str) -> Iterator[str]:
    import pyarrow as pa  # 0.2 s to load, and few look through such a file
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            if opened.schema_arrow.names.count(column) != 1:
                raise _no_column(file, column)
            kind = opened.schema_arrow.field(column).type
            kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise Malformed(f"The column {column[:80]!r} of {file.name} holds neither texts nor whole numbers.")
            for batch in opened.iter_batches(columns=[column]):
                yield from (str(each) if each is not None else "" for each in batch.column(0).to_pylist())
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{file.name} is no Parquet file that can be read.", fix=_ANEW) from error


def _no_column(file: Path, column: str) -> NotFound:
    return NotFound(f"{file.name} has no column {column[:80]!r}.", fix="Name the column that says whom a row is about.")
