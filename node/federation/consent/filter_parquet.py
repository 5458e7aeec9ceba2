"""Parquet by its subject column: rows out of a file that is read where it lies, into a new file that streams.

Parquet is read from its end, so the origin is opened anew at each place that is wanted. What is written holds values of
the rows that passed alone: dictionaries and metadata of the original, which list values of others, are not taken over.
A value that a dictionary holds once is written out once a row, and a cell may hold a list of any length, so rows are
written in slices of bounded bytes. A file whose row groups are larger than memory allows is refused before the first
byte, by what it notes of itself.
"""

import io
from collections.abc import Callable, Iterator, Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from node.errors import NodeError
from node.federation.consent.arrow_sizes import is_bytes, nested_bytes, row_sizes, widest_unfolded
from node.federation.consent.rows import MAX_ROW, broken, unnamed
from node.federation.moving import Source

_BATCH_ROWS, _NESTED_ROWS = 16_384, 256
_BUFFER = 256 * 1024
_AHEAD = 1024 * 1024
# A row group is written whole before it goes out, and its columns are read side by side.
_MAX_GROUP = 512 * 1024 * 1024
_MAX_COLUMNS = 2_000
# What the rows that are held at once have at most, each value written out.
_SLICE_BYTES = 4 * 1024 * 1024
# Texts that are no UTF-8 are found when they become Python's.
_Lacks = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError)


def parquet_rows(opens: Callable[[int], Source], size: int, column: str, allowed: Set[str]) -> Iterator[bytes]:
    """Give a Parquet file of the rows whose key is allowed, piece by piece."""
    origin = _Seekable(opens, size)
    sink = _Sink()
    try:
        file = parquet.ParquetFile(pa.PythonFile(origin, mode="r"), buffer_size=_BUFFER, pre_buffer=False)
        _check(file, column)
        schema = _plain_schema(file.schema_arrow)
        rows = _rows_at_once(file)
        file = parquet.ParquetFile(
            pa.PythonFile(origin, mode="r"), metadata=file.metadata, read_dictionary=_of_dictionaries(file),
            buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True,
        )  # fmt: skip
        with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, store_schema=False) as out:
            for batch in _batches(file, rows):
                for part in _slices(_kept(batch, column, allowed)):
                    out.write_batch(_plain(part, schema))
                    yield sink.taken()
    except _Lacks as error:
        # Errors of the origin come through the library dressed as its own.
        raise origin.failed or broken("it is no Parquet file that can be read") from error
    yield sink.taken()


def _batches(file: Any, rows: int) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    """Read group by group: the library has no rows with lists out of two dictionaries at once."""
    for group in range(file.metadata.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)


def names_in(opens: Callable[[int], Source], size: int) -> list[str]:
    """Name the columns. Raises ConsentUnknown where it is no Parquet file, and what opening raises."""
    origin = _Seekable(opens, size)
    try:
        file = parquet.ParquetFile(pa.PythonFile(origin, mode="r"), buffer_size=_BUFFER, pre_buffer=False)
        return list(file.schema_arrow.names)
    except _Lacks as error:
        raise origin.failed or broken("it is no Parquet file that can be read") from error
    finally:
        origin.let_go()


def _check(file: Any, column: str) -> None:  # noqa: ANN401 - the library has no types
    names = file.schema_arrow.names
    if names.count(column) != 1:
        raise unnamed("the part does not have their column, or has it twice")
    if len(names) > _MAX_COLUMNS:
        raise broken(f"it has more than {_MAX_COLUMNS} columns")
    groups = (file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups))
    if max(groups, default=0) > _MAX_GROUP:
        raise broken(f"a row group has more than {_MAX_GROUP} bytes")
    if any(nested_bytes(file, at) > _MAX_GROUP for at in range(file.metadata.num_row_groups)):
        raise broken(f"the lists of a row group have more than {_MAX_GROUP} bytes")
    if any(_has_dictionary(field.type) for field in file.schema_arrow if not pa.types.is_dictionary(field.type)):
        raise broken("a column holds dictionaries within others")


def _has_dictionary(kind: Any) -> bool:  # noqa: ANN401
    if pa.types.is_dictionary(kind):
        return True
    return any(_has_dictionary(kind.field(at).type) for at in range(kind.num_fields))


def _plain_schema(schema: Any) -> Any:  # noqa: ANN401
    """Give the schema without dictionaries and without what others noted in it."""
    fields = [
        pa.field(each.name, each.type.value_type if pa.types.is_dictionary(each.type) else each.type, each.nullable)
        for each in schema
    ]
    return pa.schema(fields)


def _of_dictionaries(file: Any) -> list[str]:  # noqa: ANN401
    """Name the columns of texts or bytes that hold dictionaries: they are read as such, and not written out."""
    texts = {each.name for each in file.schema_arrow if is_bytes(each.type)}
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    paths = [file.schema.column(at).path for at in range(file.metadata.num_columns)]
    return [
        path
        for at, path in enumerate(paths)
        if (path in texts or _is_nested_text(file, at)) and any(each.column(at).has_dictionary_page for each in groups)
    ]


def _is_nested_text(file: Any, at: int) -> bool:  # noqa: ANN401
    leaf = file.schema.column(at)
    return leaf.physical_type == "BYTE_ARRAY" and (leaf.max_repetition_level > 0 or "." in leaf.path)


def _rows_at_once(file: Any) -> int:  # noqa: ANN401
    """Give how many rows are read at once: fewer where they are wide, few where one can hold any number of values."""
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    sizes = [(max(each.total_byte_size, nested_bytes(file, at)), each.num_rows) for at, each in enumerate(groups)]
    width = max((*(size // max(rows, 1) for size, rows in sizes), widest_unfolded(file)), default=0)
    fixed = sum(each.type.byte_width for each in file.schema_arrow if pa.types.is_fixed_size_binary(each.type))
    most = _NESTED_ROWS if any(each.type.num_fields for each in file.schema_arrow) else _BATCH_ROWS
    return max(min(most, int(_SLICE_BYTES // max(width, fixed, 1))), 1)


def _slices(batch: Any) -> Iterator[Any]:  # noqa: ANN401
    """Cut rows so that each slice has bounded bytes with its values written out."""
    sizes = np.zeros(batch.num_rows, np.int64)
    for each in batch.columns:
        sizes += row_sizes(each)
    if batch.num_rows and sizes.max() > MAX_ROW:
        raise broken(f"a row has more than {MAX_ROW} bytes")
    ends = np.cumsum(sizes)
    begin = 0
    while begin < batch.num_rows:
        before = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, before + _SLICE_BYTES, side="right")), begin + 1)
        yield batch.slice(begin, end - begin)
        begin = end


def _plain(part: Any, schema: Any) -> Any:  # noqa: ANN401
    columns = zip(part.columns, schema, strict=True)
    return pa.record_batch([_decoded(each, said.type) for each, said in columns], schema=schema)


def _decoded(column: Any, kind: Any) -> Any:  # noqa: ANN401
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    return column if column.type == kind else column.cast(kind)


def _kept(batch: Any, column: str, allowed: Set[str]) -> Any:  # noqa: ANN401
    keys = batch.column(batch.schema.names.index(column))
    if pa.types.is_dictionary(keys.type):
        known, at = _passes(keys.dictionary, allowed), keys.indices
        # The last stands for rows without a key.
        passes = np.append(known, False)[pc.fill_null(at, len(known)).to_numpy(zero_copy_only=False)]
    else:
        passes = _passes(keys, allowed)
    return batch.filter(pa.array(passes))


def _passes(keys: Any, allowed: Set[str]) -> Any:  # noqa: ANN401
    if not (pa.types.is_integer(keys.type) or pa.types.is_string(keys.type) or pa.types.is_large_string(keys.type)):
        raise broken("the column of the person holds neither texts nor whole numbers")
    said = keys.cast(pa.string()).to_pylist()
    return np.fromiter(map(allowed.__contains__, said), np.bool_, len(said))


class _Sink(io.RawIOBase):
    """Takes what the writer gives and hands it on."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        """Say so."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever gives bytes
        """Keep it until it is taken."""
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held


class _Seekable(io.RawIOBase):
    """An origin as a file that can be read anywhere. `failed` is why it could not be."""

    def __init__(self, opens: Callable[[int], Source], size: int) -> None:
        super().__init__()
        self._opens = opens
        self._size = size
        self._at = 0
        self._source: Source | None = None
        self._source_at = 0
        self.failed: NodeError | None = None

    def readable(self) -> bool:
        """Say so."""
        return True

    def seekable(self) -> bool:
        """Say so."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = min(max(base + offset, 0), self._size)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read here. Raises OSError, and keeps the reason, when the origin fails."""
        wanted = self._size - self._at if size < 0 else min(size, self._size - self._at)
        try:
            found = self._read(wanted)
        except NodeError as error:
            self.failed = error
            raise OSError("the origin failed") from error
        self._at += len(found)
        return found

    def _read(self, wanted: int) -> bytes:
        if not wanted:
            return b""
        source = self._placed()
        found = bytearray()
        while len(found) < wanted and (piece := source.read(wanted - len(found))):
            found += piece
        self._source_at += len(found)
        return bytes(found)

    def _placed(self) -> Source:
        """Give a source that stands where we do: a short way ahead is read over, any other is opened anew."""
        if self._source is None or not 0 <= self._at - self._source_at <= _AHEAD:
            self.let_go()
            self._source, self._source_at = self._opens(self._at), self._at
        while self._source_at < self._at:
            skipped = self._source.read(self._at - self._source_at)
            if not skipped:
                break
            self._source_at += len(skipped)
        return self._source

    def let_go(self) -> None:
        """Close what is open; repeatable."""
        if self._source is not None:
            self._source.close()
            self._source = None
