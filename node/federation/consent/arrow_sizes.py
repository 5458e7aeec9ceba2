"""How large the rows of Arrow columns are with every value written out, and how large a Parquet file's could become.

A list in one cell may hold any number of values, and a text that a dictionary holds once any number of times: in the
file both are few bytes. So the counts in a file's own notes are asked before anything of it is read, and each row's
size before it is written. Pure.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Sizes = np.ndarray[tuple[int], np.dtype[np.int64]]
_OFFSET = 4
# What the library holds for a value besides the value: where lists begin, and what is not there.
_LEVELS = 4
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": _OFFSET}


def is_bytes(kind: Any) -> bool:  # noqa: ANN401 - the library has no types
    """Tell whether values of a type are texts or bytes of any length."""
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def check_places(column: Any) -> None:  # noqa: ANN401
    """Refuse a column that names a place which its dictionary does not have. Raises IndexError.

    The library takes what a file says, and reads beside its memory where that is false.
    """
    ends = pc.min_max(column.indices).as_py()
    if ends["max"] is not None and not 0 <= ends["min"] <= ends["max"] < len(column.dictionary):
        raise IndexError("a dictionary has no such place")


def row_sizes(column: Any) -> Sizes:  # noqa: ANN401
    """Give how many bytes each row of a column has, what is in lists and in dictionaries included.

    Raises IndexError where a dictionary does not have what is said to be in it.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        check_places(column)
        known = row_sizes(column.dictionary)
        at = pc.fill_null(column.indices, 0).to_numpy(zero_copy_only=False)
        sizes: Sizes = known[at] if len(known) else np.zeros(len(column), np.int64)
        return sizes
    if is_bytes(kind):
        return _of_numbers(pc.fill_null(pc.binary_length(column), 0)) + _OFFSET
    if pa.types.is_map(kind):
        return _of_lists(column, row_sizes(column.keys) + row_sizes(column.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _of_lists(column, row_sizes(column.values))
    if pa.types.is_fixed_size_list(kind):
        begin, size = column.offset * kind.list_size, len(column) * kind.list_size
        inner = row_sizes(column.values)[begin : begin + size]
        return _between(inner, np.arange(len(column) + 1) * kind.list_size)
    if pa.types.is_struct(kind):
        fields = (row_sizes(column.field(at)) for at in range(kind.num_fields))
        return sum(fields, np.zeros(len(column), np.int64))
    return np.full(len(column), max(kind.bit_width // 8, 1) if not pa.types.is_null(kind) else 0, np.int64)


def _of_lists(column: Any, inner: Sizes) -> Sizes:  # noqa: ANN401
    return _between(inner, _of_numbers(column.offsets)) + _OFFSET


def _between(sizes: Sizes, places: Sizes) -> Sizes:
    """Add up what stands between each two places."""
    found: Sizes = np.diff(np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])[places])
    return found


def _of_numbers(values: Any) -> Sizes:  # noqa: ANN401
    found: Sizes = values.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def nested_bytes(file: Any, group: int) -> int:  # noqa: ANN401
    """Give how much memory the lists and structures of a row group take once they are read, texts but for their values.

    By the counts that the file notes of each column; texts out of a dictionary are held once.
    """
    noted, total = file.metadata.row_group(group), 0
    for at in range(noted.num_columns):
        leaf, column = file.schema.column(at), noted.column(at)
        if leaf.max_repetition_level or "." in leaf.path:
            width = leaf.length if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY" else _WIDTHS[leaf.physical_type]
            total += column.num_values * (width + _LEVELS)
    return total


def widest_unfolded(file: Any) -> int:  # noqa: ANN401
    """Give the bytes of the largest column chunk whose texts are written as what differs from the one before.

    Each value of it may be as long as the whole chunk, however many there are.
    """
    groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
    columns = [each.column(at) for each in groups for at in range(each.num_columns)]
    return max((each.total_uncompressed_size for each in columns if "DELTA_BYTE_ARRAY" in each.encodings), default=0)
