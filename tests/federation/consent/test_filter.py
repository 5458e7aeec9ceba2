"""Laws of the filter: rows of the allowed pass as they came, nobody else's ever do, and what is broken ends loudly."""

import csv
import io
from collections.abc import Callable, Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ConsentUnknown, Malformed, NotAgreed, OriginChanged, Stopped
from node.federation.consent import rows as how_rows_come
from node.federation.consent.columns import columns_of
from node.federation.consent.filter import Filtered
from node.federation.consent.rows import MAX_COLUMNS, form_of
from tests.federation.consent.rig import Origin, parquet_here, part

FIELDS = st.text(alphabet='ab";,\n\r äé|\t1', max_size=6)
KEYS = st.sampled_from(["r-1", "r-2", "1001", 'a"b', "x,y", "two\nlines", "", " r-1"])


@pytest.fixture(autouse=True, scope="module")
def each_piece_is_a_block() -> Iterator[None]:
    """Let what is looked through end wherever a piece of the origin ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(how_rows_come, "BLOCK_BYTES", 1)
        yield


def test_small_pieces_are_gathered_before_they_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(how_rows_come, "BLOCK_BYTES", 100)
    source = Origin("a.csv", b"x" * 1_050, pieces=(7,)).at(0)
    sizes = [len(each) for each in how_rows_come.blocks(source.read)]
    assert sizes == [105] * 10


def written(rows: list[list[str]], *, delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[call-overload]
    return out.getvalue().encode()


def read(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(FIELDS, KEYS, FIELDS), max_size=12),
    allowed=st.sets(KEYS),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    pieces=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    most=st.integers(1, 64),
)
def test_of_a_table_exactly_the_rows_of_the_allowed_are_left(
    rows: list[tuple[str, str, str]], allowed: set[str], delimiter: str, end: str, quoting: int, pieces: list[int],
    most: int,
) -> None:  # fmt: skip
    table = [["first", "subject", "last"], *([*each] for each in rows)]
    if quoting == csv.QUOTE_MINIMAL:  # this writer leaves a carriage return alone, which is refused
        table = [[each.replace("\r", "") for each in row] for row in table]
    data = written(table, delimiter=delimiter, end=end, quoting=quoting)
    found = Origin("people.csv", data, pieces=pieces).left("subject", allowed, most)
    assert read(found, delimiter) == [table[0], *(each for each in table[1:] if each[1] in allowed)]
    if allowed >= {each[1] for each in rows}:
        assert found == data, "what passes is as it came, byte for byte"


def test_a_table_without_a_last_line_end_and_with_empty_lines_is_read_whole() -> None:
    data = b"\xef\xbb\xbfsubject,n\nr-1,1\n\n\r\nr-2,2\nr-1,3"
    assert Origin("a.csv", data).left("subject", {"r-1"}) == b"\xef\xbb\xbfsubject,n\nr-1,1\nr-1,3\n"


def test_nobody_allowed_leaves_the_head_alone() -> None:
    assert Origin("a.csv", b"subject,n\nr-1,1\n").left("subject", set()) == b"subject,n\n"
    assert Origin("a.jsonl", b'{"subject":"r-1"}\n').left("subject", set()) == b""


UNNAMED = {
    "a.csv": b"name,n\nr-1,1\n",
    "twice.csv": b"subject,subject\nr-1,r-2\n",
    "a.jsonl": b'{"name":"r-1"}\n\n{"n":1}\n',
    "a.zip": b"subject\nr-1\n",
    "csv": b"subject\nr-1\n",
    "a.json": b"subject\nr-1\n",
}


@pytest.mark.parametrize("name", UNNAMED)
def test_where_nothing_names_the_person_it_is_no_for_good_and_not_later(name: str) -> None:
    with pytest.raises(NotAgreed, match="residents-column") as refused:
        Origin(name, UNNAMED[name]).left("subject", {"r-1"})
    assert "r-1" not in str(refused.value)


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_head_of_very_many_columns_is_refused_before_it_is_taken_apart(mark: str) -> None:
    def head(columns: int) -> bytes:
        return mark.join(["subject", *(f"c{number}" for number in range(columns - 1))]).encode() + b"\n"

    most = head(MAX_COLUMNS)
    assert Origin("a.csv", most).left("subject", {"r-1"}) == most
    assert len(columns_of(part("a.csv", len(most)), Origin("a.csv", most).at, "subject")) == MAX_COLUMNS
    for columns in (MAX_COLUMNS + 1, 400_000):
        wide = head(columns)
        with pytest.raises(NotAgreed, match="more than 10,000 columns"):
            Origin("a.csv", wide).left("subject", {"r-1"})
    with pytest.raises(NotAgreed, match="more than 10,000 columns"):
        columns_of(part("a.csv", MAX_COLUMNS), Origin("a.csv", head(MAX_COLUMNS + 1)).at, "subject")


def test_a_name_in_a_head_that_is_longer_than_is_read_is_a_refusal() -> None:
    long = b"subject," + b"x" * 200_000 + b"\nr-1,1\n"
    with pytest.raises(ConsentUnknown, match="a name in its head is too long"):
        Origin("a.csv", long).left("subject", {"r-1"})
    with pytest.raises(Malformed, match=r"head of a\.csv cannot be read"):
        columns_of(part("a.csv", len(long)), Origin("a.csv", long).at, "subject")
    # Under other delimiters than its own a whole head is one name.
    wide = ";".join(["subject", *(f"{number:0100}" for number in range(2_000))]).encode() + b"\n"
    assert Origin("a.csv", wide).left("subject", {"r-1"}) == wide
    assert len(columns_of(part("a.csv", len(wide)), Origin("a.csv", wide).at, "subject")) == 2_001


BROKEN_TABLES = {
    "empty": b"",
    "a field more": b"subject,n\nr-1,1\nr-1,2,3\n",
    "a field less": b"subject,n\nr-1,1\nr-1\n",
    "open quotes": b'subject,n\nr-1,1\nr-1,"2\nr-2,3\n',
    "a quote within": b'subject,n\nr-1,a"b\nr-2,c"d\n',
    "text behind quotes": b'subject,n\n"r-1"x,1\n',
    "a return within": b"subject,n\nr-1,1\rr-2,2\n",
    "a return that hides a row": b"subject,n\nr-1,1\rr-2,2\n\r\r\n",
    "no text": b"subject,n\nr-1\xff,1\n",
    "head no text": b"\xffsubject,n\nr-1,1\n",
    "returns alone": b"subject,n\rr-1,1\rr-2,2\r",
    "a return in the head": b"subject,n\rr-2,2\nr-1,1\n",
    "lines in the head": b'"subject\r\nr-2,2",n,subject\n1,2,r-1\n',
    "an open quote in the head": b'subject,"n\nr-2,2\nr-1,"\nr-1,1\n',
    "a mark of the byte order": b"subject,n\nr-1,1\n\xef\xbb\xbfr-1,2\n",
}


@pytest.mark.parametrize("data", BROKEN_TABLES.values(), ids=BROKEN_TABLES)
@pytest.mark.parametrize("pieces", [(1,), (7,), (1 << 20,)])
def test_a_table_that_cannot_be_read_ends_with_an_error(data: bytes, pieces: tuple[int, ...]) -> None:
    with pytest.raises(ConsentUnknown) as caught:
        Origin("people.csv", data, pieces=pieces).left("subject", {"r-1"})
    assert "r-1" not in str(caught.value), "what is wrong is said without anybody's key"


@pytest.mark.parametrize("name", [name for name in BROKEN_TABLES if "head" in name or name == "returns alone"])
def test_of_a_head_that_holds_rows_not_a_byte_goes_out(name: str) -> None:
    source = Origin("people.csv", BROKEN_TABLES[name]).filtered("subject", {"r-9"})
    found = bytearray()
    with pytest.raises(ConsentUnknown):
        drain(source, found)
    source.close()
    assert found == b""


def test_a_row_without_end_does_not_fill_the_memory() -> None:
    with pytest.raises(ConsentUnknown, match="more than"):
        Origin("a.csv", b'subject,n\nr-1,"' + b"x" * 6_000_000).left("subject", {"r-1"})
    with pytest.raises(ConsentUnknown, match="more than"):
        Origin("a.jsonl", b'{"subject":"' + b"x" * 6_000_000).left("subject", {"r-1"})


def drain(source: Filtered, into: bytearray) -> None:
    while piece := source.read(1 << 20):
        into += piece


def test_what_stood_before_a_broken_row_came_through_and_nothing_after_it() -> None:
    data = b"subject,n\nr-1,1\n" * 1 + b"r-1,keep\n" * 200_000 + b"r-1\n" + b"r-1,after\n"
    source = Origin("a.csv", data).filtered("subject", {"r-1"})
    found = bytearray()
    with pytest.raises(ConsentUnknown):
        drain(source, found)
    source.close()
    assert found.count(b"keep") > 1_000
    assert b"after" not in found


# ---------------------------------------------------------------- JSON lines

VALUES = st.one_of(KEYS, st.integers(0, 2_000), st.none(), st.booleans())
OBJECTS = st.dictionaries(st.sampled_from(["subject", "n"]), VALUES)


@settings(max_examples=40)
@given(
    rows=st.lists(OBJECTS, max_size=10),
    allowed=st.sets(KEYS),
    pieces=st.lists(st.integers(1, 30), min_size=1, max_size=3),
)  # fmt: skip
def test_of_lines_exactly_those_of_the_allowed_are_left(
    rows: list[dict[str, object]], allowed: set[str], pieces: list[int]
) -> None:
    lines = [orjson.dumps(each) + b"\n" for each in [*rows, {"subject": None}]]
    found = Origin("people.jsonl", b"".join(lines), pieces=pieces).left("subject", allowed)

    def passes(row: dict[str, object]) -> bool:
        key = row.get("subject")
        return not isinstance(key, bool) and isinstance(key, str | int) and str(key) in allowed

    assert [orjson.loads(line) for line in found.splitlines()] == [each for each in rows if passes(each)]


@pytest.mark.parametrize("bad", [b"{", b"[]", b"7", b'"r-1"', b'{"subject": "r-1"}{"subject": "r-2"}', b"\xff"])
def test_a_line_that_is_no_object_ends_with_an_error(bad: bytes) -> None:
    with pytest.raises(ConsentUnknown):
        Origin("a.ndjson", b'{"subject":"r-1"}\n' + bad + b"\n").left("subject", {"r-1"})


TWO_PERSONS = [
    ("subject", b'{"subject":"r-2","subject":"r-1"}'),
    ("subject", b'{"subject":"r-2","s\\u0075bject":"r-1"}'),
    ("subject", b'{"\\u0073ubject":"r-1","subject":"r-2"}'),
    ("subject", b'{"subject":"1","subject":1}'),
    ("a/b", b'{"a\\/b":"r-2","a/b":"r-1"}'),
    ("a/b", b'{"a/b":"r-2","a\\/b":"r-1"}'),
]


@pytest.mark.parametrize(("column", "line"), TWO_PERSONS)
def test_a_line_that_two_readers_read_as_two_persons_passes_for_nobody(column: str, line: bytes) -> None:
    assert Origin("a.jsonl", line + b"\n").left(column, {"r-1", "r-2", "1"}) == b""


def test_a_line_that_names_its_person_twice_alike_is_written_anew_and_another_as_it_came() -> None:
    twice, escaped = (
        b'{"subject":"r-1","subject":"r-1"}\n',
        b'{"subject":"r-1", "x":"\\u00e4", "y":{"subject":"r-2"}}\n',
    )
    assert Origin("a.jsonl", twice + escaped).left("subject", {"r-1"}) == b'{"subject":"r-1"}\n' + escaped


@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_line_too_deep_to_be_read_twice_ends_the_stream_as_a_bad_row_does(depth: int) -> None:
    line = b'{"subject":"r-1","subject":"r-1","x":' + b"[" * depth + b"]" * depth + b"}\n"
    with pytest.raises(ConsentUnknown):
        Origin("a.jsonl", line).left("subject", {"r-1"})


# ---------------------------------------------------------------- any form


def test_the_form_is_what_the_media_type_says_and_else_the_name() -> None:
    assert form_of(part("a.bin", 1, "text/csv; charset=utf-8")) == "csv"
    assert form_of(part("a.parquet", 1, "application/octet-stream")) == "parquet"
    assert form_of(part("a.csv.gz", 1, "application/gzip")) == ""


def test_what_is_announced_has_no_size_and_no_digest() -> None:
    source = Origin("a.csv", b"subject\nr-1\n").filtered("subject", {"r-1"})
    assert (source.part.size, source.part.digest, source.part.filtered) == (None, "", True)
    source.close()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_an_origin_that_changes_ends_the_stream_as_itself(name: str) -> None:
    data = b"subject\nr-1\n" if name == "a.csv" else b'{"subject":"r-1"}\n'
    origin = Origin(name, data * 10, pieces=(8,), fails_at=24)
    with pytest.raises(OriginChanged):
        origin.left("subject", {"r-1"})


# ---------------------------------------------------------------- Parquet

Make = Callable[[dict[str, object]], bytes]


def parquet_of(columns: dict[str, object], **how: object) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def rows_of(data: bytes) -> list[dict[str, object]]:
    from pyarrow import parquet

    found: list[dict[str, object]] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


@pytest.mark.parametrize("keys", [["r-1", "r-2", "r-1", None], [1, 2, 1, None]])
@pytest.mark.parametrize("how", [{}, {"row_group_size": 1}, {"compression": "none"}, {"data_page_version": "2.0"}])
@pytest.mark.slow
def test_of_a_parquet_file_exactly_the_rows_of_the_allowed_are_left(keys: list[object], how: dict[str, object]) -> None:
    data = parquet_of({"n": [1, 2, 3, 4], "subject": keys}, **how)
    found = rows_of(Origin("a.parquet", data).left("subject", {"r-1", "1"}))
    assert found == [{"n": 1, "subject": keys[0]}, {"n": 3, "subject": keys[2]}]
    assert rows_of(Origin("a.parquet", data).left("subject", set())) == []


@pytest.mark.slow
def test_values_of_others_are_in_no_corner_of_the_file() -> None:
    import pyarrow as pa

    secret = pa.array(["of-one", "of-two", "of-one"]).dictionary_encode()
    table = pa.table({"subject": pa.array(["r-1", "r-2", "r-1"]).dictionary_encode(), "said": secret})
    table = table.replace_schema_metadata({"made by": "of-two"})
    out = io.BytesIO()
    from pyarrow import parquet

    parquet.write_table(table, out, compression="none")
    assert b"of-two" in out.getvalue()
    found = Origin("a.parquet", out.getvalue()).left("subject", {"r-1"})
    assert b"of-two" not in found
    assert b"r-2" not in found
    assert [each["said"] for each in rows_of(found)] == ["of-one", "of-one"]


@pytest.mark.slow
def test_a_parquet_file_that_cannot_be_read_ends_with_an_error_wherever_it_is_broken() -> None:
    data = parquet_of({"n": list(range(500)), "subject": ["r-1"] * 500}, compression="none", use_dictionary=False)
    for bent in (b"", b"PAR1", data[:-1], data[: len(data) // 2], data[:-200] + b"\0" * 192 + data[-8:]):
        with pytest.raises(ConsentUnknown):
            Origin("a.parquet", bent).left("subject", {"r-1"})
    with pytest.raises(NotAgreed, match="residents-column"):
        Origin("a.parquet", data).left("someone", {"r-1"})
    with pytest.raises(ConsentUnknown, match="neither texts"):
        Origin("a.parquet", parquet_of({"subject": [1.5]})).left("subject", {"1.5"})


@pytest.mark.slow
def test_a_value_that_a_dictionary_holds_once_is_not_held_once_a_row() -> None:
    import pyarrow as pa

    rows, value = 2_000, "x" * 40_000
    data = parquet_of({"subject": [f"r-{n % 2}" for n in range(rows)], "said": [value] * rows}, compression="zstd")
    assert len(data) < 100_000
    before, most, got = pa.total_allocated_bytes(), 0, bytearray()
    for piece in parquet_here(data, "r-1"):
        got += piece
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 16 * 1024 * 1024, "written out they have 40 MB"
    assert len(rows_of(bytes(got))) == rows // 2
    wide = parquet_of({"subject": ["r-1"] * 4, "said": ["x" * 5_000_000] * 4}, dictionary_pagesize_limit=1 << 24)
    with pytest.raises(ConsentUnknown, match="a row has more"):
        Origin("a.parquet", wide).left("subject", {"r-1"})


@pytest.mark.slow
def test_a_parquet_file_with_keys_that_are_no_text_ends_with_an_error() -> None:
    import pyarrow as pa

    ends, text = pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"\xff\xfeab")
    keys = pa.StringArray.from_buffers(2, ends, text)
    with pytest.raises(ConsentUnknown):
        Origin("a.parquet", parquet_of({"subject": keys})).left("subject", {"ab"})


@pytest.mark.slow
def test_an_origin_that_fails_under_a_parquet_file_says_so_itself() -> None:
    origin = Origin("a.parquet", parquet_of({"subject": ["r-1"] * 50}), fails_at=0)
    with pytest.raises(OriginChanged):
        origin.left("subject", {"r-1"})


def test_a_stream_that_was_closed_opens_nothing_more() -> None:
    source = Origin("a.parquet", parquet_of({"subject": ["r-1"] * 50})).filtered("subject", {"r-1"})
    source.close()
    with pytest.raises(Stopped):
        source.read(10)


# ---------------------------------------------------------------- memory


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_the_memory_does_not_grow_with_the_file(form: str) -> None:
    import tracemalloc

    import pyarrow as pa

    if form == "parquet":
        rows = 200_000
        data = parquet_of(
            {"subject": [f"r-{n % 7}" for n in range(rows)], "said": [f"{n:0144d}" for n in range(rows)]},
            compression="none", use_dictionary=False, row_group_size=50_000,
        )  # fmt: skip
    elif form == "csv":
        data = b"subject,said\n" + b"".join(b"r-%d,%0144d\n" % (n % 7, n) for n in range(200_000))
    else:
        data = b"".join(b'{"subject":"r-%d","said":"%0144d"}\n' % (n % 7, n) for n in range(200_000))
    assert len(data) > 25_000_000
    source = Origin(f"a.{form}", data).filtered("subject", {"r-1", "r-2"})
    # A child of the node reads Parquet: what that takes shows where it is done here.
    pieces = parquet_here(data, "r-1", "r-2") if form == "parquet" else iter(lambda: source.read(1 << 18), b"")
    tracemalloc.start()
    arrow = passed = 0
    for piece in pieces:
        passed += len(piece)
        arrow = max(arrow, pa.total_allocated_bytes())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    source.close()
    assert passed > 500_000
    assert peak + arrow < 24 * 1024 * 1024
