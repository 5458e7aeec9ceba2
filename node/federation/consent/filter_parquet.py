"""Parquet by its subject column: rows out of a file that is read where it lies, into a new file that streams.

What is written holds values of the rows that passed alone: dictionaries and metadata of the original, which list
values of others, are not taken over. A value that a dictionary holds once is written out once a row, and a cell may
hold a list of any length, so rows are written in slices of bounded bytes. A file whose row groups are larger than
memory allows is refused before the first byte, by what it notes of itself. What it notes may be false, and the library
does not survive every file: this is done by a child process with limits (`parquet_reading`) and nowhere else.
"""

import io
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from node.errors import NodeError
from node.federation.consent.arrow_sizes import check_places, is_bytes, nested_bytes, row_sizes, widest_unfolded
from node.federation.consent.rows import MAX_ROW, broken, unnamed

_BATCH_ROWS, _NESTED_ROWS = 16_384, 256
# Of what is read ahead of each column, and of all columns together.
_BUFFER, _BUFFERS = 256 * 1024, 64 * 1024 * 1024
_AHEAD = 1024 * 1024
# A row group is written whole before it goes out, and its columns are read side by side.
_MAX_GROUP = 512 * 1024 * 1024
_MAX_COLUMNS = 2_000
# What the rows that are held at once have at most, each value written out.
_SLICE_BYTES = 4 * 1024 * 1024


def parquet_rows(origin: io.IOBase, column: str, allowed: Set[str]) -> Iterator[bytes]:
    """Give a Parquet file of the rows whose key is allowed, piece by piece. Raises ConsentUnknown, NotAgreed."""
    sink = _Sink()
    with _told():
        file = _opened(origin)
        _check(file, column)
        schema = _plain_schema(file.schema_arrow)
        rows = _rows_at_once(file)
        file = parquet.ParquetFile(
            pa.PythonFile(origin, mode="r"), metadata=file.metadata, read_dictionary=_of_dictionaries(file),
            buffer_size=min(_BUFFER, _BUFFERS // file.metadata.num_columns), pre_buffer=False,
            page_checksum_verification=True,
        )  # fmt: skip
        with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, store_schema=False) as out:
            for batch in _batches(file, rows):
                for part in _slices(_kept(batch, column, allowed)):
                    out.write_batch(_plain(part, schema))
                    yield sink.taken()
    yield sink.taken()


def keys_in(origin: io.IOBase, column: str) -> Iterator[Sequence[str]]:
    """Give the key of each row, some at once; empty where a row has none. Raises ConsentUnknown, NotAgreed."""
    with _told():
        file = _opened(origin)
        _check_named(file, column)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[column], use_threads=False):
            yield ["" if each is None else str(each) for each in _texts(batch.column(0))]


def names_in(origin: io.IOBase) -> list[str]:
    """Name the columns. Raises ConsentUnknown where it is no Parquet file."""
    with _told():
        return list(_opened(origin).schema_arrow.names)


@contextmanager
def _told() -> Iterator[None]:
    """Say in our words what the libraries say of a file, which is anything where it is damaged."""
    try:
        yield
    except NodeError:
        raise
    except MemoryError as error:
        raise broken("its Parquet takes too much memory to read") from error
    except Exception as error:
        raise broken("it is no Parquet file that can be read") from error


def _opened(origin: io.IOBase) -> Any:  # noqa: ANN401 - the library has no types
    return parquet.ParquetFile(pa.PythonFile(origin, mode="r"), buffer_size=_BUFFER, pre_buffer=False)


def _batches(file: Any, rows: int) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    """Read group by group: the library has no rows with lists out of two dictionaries at once."""
    for group in range(file.metadata.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)


def _check(file: Any, column: str) -> None:  # noqa: ANN401 - the library has no types
    _check_named(file, column)
    if len(file.schema_arrow.names) > _MAX_COLUMNS:
        raise broken(f"it has more than {_MAX_COLUMNS} columns")
    groups = (file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups))
    if max(groups, default=0) > _MAX_GROUP:
        raise broken(f"a row group has more than {_MAX_GROUP} bytes")
    if any(nested_bytes(file, at) > _MAX_GROUP for at in range(file.metadata.num_row_groups)):
        raise broken(f"the lists of a row group have more than {_MAX_GROUP} bytes")
    if any(_has_dictionary(field.type) for field in file.schema_arrow if not pa.types.is_dictionary(field.type)):
        raise broken("a column holds dictionaries within others")


def _check_named(file: Any, column: str) -> None:  # noqa: ANN401
    if file.schema_arrow.names.count(column) != 1:
        raise unnamed("the part does not have their column, or has it twice")


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
        check_places(keys)
        known, at = _passes(keys.dictionary, allowed), keys.indices
        # The last stands for rows without a key.
        passes = np.append(known, False)[pc.fill_null(at, len(known)).to_numpy(zero_copy_only=False)]
    else:
        passes = _passes(keys, allowed)
    return batch.filter(pa.array(passes))


def _passes(keys: Any, allowed: Set[str]) -> Any:  # noqa: ANN401
    said = _texts(keys)
    return np.fromiter(map(allowed.__contains__, said), np.bool_, len(said))


def _texts(keys: Any) -> list[str | None]:  # noqa: ANN401
    """Give keys as texts."""
    if pa.types.is_dictionary(keys.type):
        check_places(keys)
        keys = keys.dictionary_decode()
    if not (pa.types.is_integer(keys.type) or pa.types.is_string(keys.type) or pa.types.is_large_string(keys.type)):
        raise broken("the column of the person holds neither texts nor whole numbers")
    said: list[str | None] = keys.cast(pa.string()).to_pylist()
    return said


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
