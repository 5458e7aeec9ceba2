"""Laws of cells that hold lists, structures and maps: whole or not at all, in memory that does not grow with them."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from node.errors import ConsentUnknown
from node.federation.consent import filter_parquet
from node.federation.consent.arrow_sizes import row_sizes
from tests.federation.consent.rig import parquet_here

MIB = 1024 * 1024


def file_of(columns: Mapping[str, Any], **how: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(dict(columns)), out, **how)
    return out.getvalue()


def left(data: bytes, *allowed: str) -> pa.Table:
    return parquet.read_table(io.BytesIO(b"".join(parquet_here(data, *allowed))))


def held(data: bytes) -> tuple[int, int]:
    """How much memory a stream takes at most, and how long what is left of it is."""
    before, most, got = pa.total_allocated_bytes(), 0, 0
    for piece in parquet_here(data, "r-0", "r-1"):
        got += len(piece)
        most = max(most, pa.total_allocated_bytes() - before)
    return most, got


KINDS: dict[str, tuple[list[Any], pa.DataType]] = {
    "lists": ([["a", None, "a"], None, [], ["b"]], pa.list_(pa.string())),
    "large lists of bytes": ([[b"a"], None, [], [b"b", b"c"]], pa.large_list(pa.large_binary())),
    "lists of lists": ([[[1], []], None, [None], [[2, 3]]], pa.list_(pa.list_(pa.int64()))),
    "structures": ([{"x": "a", "y": [1.5]}, None, {"x": None, "y": None}, {"x": "b", "y": []}],
                   pa.struct([("x", pa.string()), ("y", pa.list_(pa.float64()))])),
    "maps": ([[("k", "v")], None, [], [("k", None), ("l", "w")]], pa.map_(pa.string(), pa.string())),
    "pairs": ([[1, 2], None, [3, 4], [5, 6]], pa.list_(pa.int32(), 2)),
    "truths": ([[True], None, [], [False, True]], pa.list_(pa.bool_())),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [{}, {"use_dictionary": False}, {"row_group_size": 1}])
def test_what_stands_in_a_cell_passes_as_it_is(kind: str, how: dict[str, Any]) -> None:
    values, said = KINDS[kind]
    column = pa.array(values, said)
    data = file_of({"subject": ["r-1", "r-2", "r-1", "r-1"], "said": column}, **how)
    assert left(data, "r-1").column("said").to_pylist() == [column.to_pylist()[at] for at in (0, 2, 3)]
    assert left(data).num_rows == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_rows_size_is_that_of_all_that_is_in_it(kind: str) -> None:
    values, said = KINDS[kind]
    column = pa.array(values, said)
    whole, parts = row_sizes(column), [row_sizes(column.slice(at, 1)) for at in range(len(column))]
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert row_sizes(column.filter(pa.array([False, True, False, True]))).tolist() == whole[[1, 3]].tolist()
    assert whole[3] >= whole[2]


@pytest.mark.slow
def test_a_text_that_a_dictionary_holds_once_is_not_held_once_a_value() -> None:
    values = ["x" * 40_000]
    data = file_of({"subject": [f"r-{n % 2}" for n in range(400)], "said": [values * 5] * 400}, compression="zstd")
    most, got = held(data)
    assert got > 0
    assert most < 24 * MIB, "written out they have 80 MB"


def test_a_cell_with_more_than_a_row_may_have_ends_the_stream_before_it_is_written_out() -> None:
    for cell in (["x" * 40_000] * 200, [1.0] * 600_000, [["y" * 400_000]] * 12):
        data = file_of({"subject": ["r-1", "r-2"], "said": [cell, None]})
        with pytest.raises(ConsentUnknown, match="a row has more"):
            left(data, "r-1")
        assert left(data, "r-2").num_rows == 1, "of who does not pass nothing is written"


def test_a_file_whose_lists_would_not_fit_is_refused_before_anything_of_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filter_parquet, "_MAX_GROUP", 4 * MIB)
    data = file_of({"subject": ["r-1"], "said": [[7] * 1_000_000]})
    assert len(data) < 100_000, "in the file they are next to nothing"
    before = pa.total_allocated_bytes()
    with pytest.raises(ConsentUnknown, match="the lists of a row group"):
        left(data, "r-1")
    assert pa.total_allocated_bytes() - before < MIB


@pytest.mark.slow
def test_texts_that_are_written_as_what_differs_are_read_a_few_at_a_time() -> None:
    said = [f"{'x' * 200_000}{n}" for n in range(300)]
    columns = {"subject": [f"r-{n % 2}" for n in range(300)], "said": said}
    data = file_of(columns, use_dictionary=False, column_encoding={"said": "DELTA_BYTE_ARRAY", "subject": "PLAIN"})
    assert len(data) < MIB
    most, got = held(data)
    assert got > 0
    assert most < 24 * MIB, "written out they have 60 MB"


def test_a_page_with_a_turned_bit_is_found_where_the_file_has_checksums() -> None:
    keys = [f"r-{n % 2}" for n in range(400)]
    columns = {"subject": keys, "said": [f"said-{n:06}" for n in range(400)]}
    data = file_of(columns, use_dictionary=False, compression="none", write_page_checksum=True)
    place = data.index(b"said-000200")
    with pytest.raises(ConsentUnknown):
        left(data[:place] + b"X" + data[place + 1 :], "r-1")
    assert left(data, "r-1").num_rows == 200
