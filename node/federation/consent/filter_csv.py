"""CSV by its subject column: blocks of whole rows, the keys read by Arrow, and the rows that pass given as they came.

Where a row ends is found over the bytes of a block at once: a line feed outside quotes. That and Arrow's reading must
agree on how many rows there are, and a quote may stand only where RFC 4180 has one; anything else ends the stream. So
no row is ever given for another's key. The delimiter is the one under which the head names the column.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv

from node.federation.consent.rows import MAX_ROW, blocks, broken, names_under, unnamed

_DELIMITERS = ",;\t|"
_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
_BOM = b"\xef\xbb\xbf"
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Places = np.ndarray[tuple[int], np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class _Head:
    """How the rows are read: the delimiter, how many columns there are, which one names the person."""

    delimiter: str
    columns: int
    subject: int


def csv_rows(read: Callable[[int], bytes], column: str, allowed: Set[str]) -> Iterator[bytes]:
    """Give the head and then the rows whose key is allowed, block by block."""
    head: _Head | None = None
    for block in _blocks(read):
        if head is None:
            first, rows = _split(block)
            head = _head_of(first.removeprefix(_BOM), column)
            yield first
        else:
            rows = block
        if rows and (kept := _kept(rows, head, allowed)):
            yield kept
    if head is None:
        raise broken("it is empty")


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Cut what comes behind the last row that is whole."""
    rest = b""
    for piece in blocks(read):
        rest += piece
        ends = _row_ends(np.frombuffer(rest, np.uint8))
        if len(ends):
            cut = int(ends[-1]) + 1
            yield rest[:cut]
            rest = rest[cut:]
        if len(rest) > MAX_ROW:
            raise broken(f"a row has more than {MAX_ROW} bytes")
    if rest:
        if np.count_nonzero(np.frombuffer(rest, np.uint8) == _QUOTE) % 2:
            raise broken("it ends within quotes")
        yield rest + b"\n"


def _row_ends(data: Bytes) -> Places:
    """Find the line feeds outside quotes."""
    ends = np.flatnonzero(data == _LF)
    quotes = np.flatnonzero(data == _QUOTE)
    # An even number of quotes before it: it stands outside.
    return ends[np.searchsorted(quotes, ends) % 2 == 0] if len(quotes) else ends


def _split(block: bytes) -> tuple[bytes, bytes]:
    cut = int(_row_ends(np.frombuffer(block, np.uint8))[0]) + 1
    return block[:cut], block[cut:]


def _head_of(line: bytes, column: str) -> _Head:
    # It goes out as it came, whoever it is about: so it is one line, and nothing that could be a row stands in it.
    if line.count(b"\n") != 1 or b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
        raise broken("its head is more than one line")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise broken("its head is not UTF-8") from error
    found = {delimiter: names_under(text, delimiter) for delimiter in _DELIMITERS}
    if text.strip() and not any(found.values()):
        raise broken("a name in its head is too long")
    for delimiter, names in found.items():
        if names.count(column) == 1:
            _check_quotes(np.frombuffer(line, np.uint8), delimiter)
            return _Head(delimiter, len(names), names.index(column))
    raise unnamed("the head of the part does not name their column, or names it twice")


def _kept(rows: bytes, head: _Head, allowed: Set[str]) -> bytes:
    """Give the rows of a block that pass, joined."""
    data = np.frombuffer(rows, np.uint8)
    has_quotes = _check_quotes(data, head.delimiter)
    _check_returns(data)
    # Arrow passes over one where it begins to read, which is where a block happens to begin.
    if rows.startswith(_BOM) or b"\n" + _BOM in rows:
        raise broken("a mark of the byte order stands within it")
    ends = _row_ends(data) + 1
    lengths = np.diff(ends, prepend=0)
    filled = ~_empty(data, ends, lengths)
    keys = _keys(rows, head, has_quotes=has_quotes)
    if len(keys) != np.count_nonzero(filled):
        raise broken("its rows cannot be told from one another")
    passes = np.zeros(len(ends), np.bool_)
    passes[filled] = np.fromiter(map(allowed.__contains__, keys), np.bool_, len(keys))
    return data[np.repeat(passes, lengths)].tobytes()


def _empty(data: Bytes, ends: Places, lengths: Places) -> Flags:
    before = data[np.maximum(ends - 2, 0)]
    found: Flags = (lengths == 1) | ((lengths == 2) & (before == _CR))
    return found


def _keys(rows: bytes, head: _Head, *, has_quotes: bool) -> list[str | None]:
    names = [f"c{number}" for number in range(head.columns)]
    subject = names[head.subject]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(rows),
            read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(rows) + 1),
            parse_options=pa.csv.ParseOptions(delimiter=head.delimiter, newlines_in_values=has_quotes),
            convert_options=pa.csv.ConvertOptions(include_columns=[subject], column_types={subject: pa.string()}),
        )
    except pa.ArrowInvalid as error:
        # Its message quotes rows: it goes nowhere.
        raise broken("a row has not as many fields as the head, or is not UTF-8") from error
    found: list[str | None] = table.column(subject).to_pylist()
    return found


def _check_returns(data: Bytes) -> None:
    """Refuse a carriage return that ends no line, outside quotes: for some readers it ends a row, for others not."""
    returns = np.flatnonzero(data == _CR)
    alone = returns[data[np.minimum(returns + 1, len(data) - 1)] != _LF] if len(returns) else returns
    if len(alone) and not (np.searchsorted(np.flatnonzero(data == _QUOTE), alone) % 2).all():
        raise broken("a carriage return stands within a row")


def _check_quotes(data: Bytes, delimiter: str) -> bool:
    """Refuse a quote within a field that is not quoted, or text behind a closing one; tell whether there are any."""
    quotes = np.flatnonzero(data == _QUOTE)
    if not len(quotes):
        return False
    opens, closes = quotes[::2], quotes[1::2]
    outside = np.array([ord(delimiter), _LF, _CR, _QUOTE], np.uint8)
    before = data[np.maximum(opens - 1, 0)]
    after = data[np.minimum(closes + 1, len(data) - 1)]
    starts = (opens == 0) | np.isin(before, outside)
    if len(opens) != len(closes) or not (starts.all() and np.isin(after, outside).all()):
        raise broken("a quote stands within a field")
    return True
