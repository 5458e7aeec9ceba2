"""Parquet: types and counts as the file states them, and its first rows.

Only the footer and the beginning are read, whatever the size. One thread and the system's own allocator, so that the
limits of the child process mean what they say.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from node.catalog.previews.cells import Book
from node.catalog.previews.values import CELL, COLUMNS, Preview, Type, refused

_LOOKED_AT = 2_000
_FRACTION = re.compile(r"(\.\d*?)0+(?=[Z+-]|\Z)", re.ASCII)


def preview(path: Path, *, deadline: float) -> Preview:
    """Look inside a Parquet file. Raises Malformed."""
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            names = schema.names
            book = Book(names, deadline=deadline)
            first = file.iter_batches(batch_size=500, columns=names[:COLUMNS], use_threads=False)
            book.read(itertools.islice(_rows(first), _LOOKED_AT), blank=True)
            types = [_type(field.type) for field in schema][:COLUMNS]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise refused("parquet", "It cannot be read as Parquet.", fix="Write the file anew.") from error
    table = book.table(rows=rows)
    columns = tuple(replace(one, type=kind or one.type) for one, kind in zip(table.columns, types, strict=True))
    return Preview("table", "Parquet", replace(table, columns=columns))


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[list[str]]:
    for batch in batches:
        yield from map(list, zip(*map(_cells, batch.columns), strict=True))


def _cells(column: "pa.Array[Any]") -> list[str]:
    """Write a column as text. Times are written by the format itself: ours know no nanoseconds and no year 10000."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
            return [_whole(value) for value in column.cast(pa.string()).to_pylist()]
        return [_text(value) for value in column.to_pylist()]
    except (pa.ArrowException, OverflowError, ValueError):
        return [_as_written(column.slice(n, 1)) for n in range(len(column))]


def _whole(value: str | None) -> str:
    """Take the noughts from the end of a fraction."""
    return _FRACTION.sub(lambda found: found[1].rstrip("."), value or "")


def _as_written(one: "pa.Array[Any]") -> str:
    """Write the one value of a column as the format shows it: the other ways on are none for some of its values."""
    if one.null_count:
        return ""
    try:
        return " ".join(one.to_string(window=5).split())[1:-1].strip()[: 2 * CELL]
    except (pa.ArrowException, ValueError):
        return "…"  # bytes that are no text


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return f"({len(value)} B)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _type(given: pa.DataType) -> Type | None:
    """Say what a column is by its schema; None where its values say more."""
    asked: tuple[tuple[Type, bool], ...] = (
        ("truth", pa.types.is_boolean(given)),
        ("whole", pa.types.is_integer(given)),
        ("number", pa.types.is_floating(given) or pa.types.is_decimal(given)),
        ("date", pa.types.is_date(given)),
        ("moment", pa.types.is_timestamp(given)),
        ("list", pa.types.is_nested(given)),
    )
    return next((name for name, holds in asked if holds), None)
