"""The child process that reads Parquet: `python -m node.federation.consent.parquet_child`, by `parquet_reading` only.

One process per file, which it never sees but through the pipe: it says which bytes it wants and is given them, so it
opens nothing. The limit of memory is set when the libraries and the keys are there, and before anything of the file is
read; it dies when the node does, and of whatever the library does not survive. It gives way to the node's own work.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa

from node.children import bound_growth, die_with_parent
from node.errors import NodeError, NotAgreed
from node.federation.consent.filter_parquet import keys_in, names_in, parquet_rows
from node.federation.consent.parquet_reading import ENDS, GIVES, HEAD, MAX_PIECE, MAX_WANTED, REFUSES, WANTS

_NICE = 5
_WHO_GOES_FIRST = Path("/proc/self/oom_score_adj")
_SAID = 2_000


class _Asked(io.RawIOBase):
    """The file, as far as the node gives it."""

    def __init__(self, size: int, given: BinaryIO, answers: BinaryIO) -> None:
        super().__init__()
        self._size, self._given, self._answers = size, given, answers
        self._at = 0

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
        """Read here; shorter only where the file ends."""
        wanted = self._size - self._at if size < 0 else min(size, self._size - self._at)
        found: list[bytes] = []
        while wanted > 0 and (piece := self._piece(min(wanted, MAX_WANTED))):
            found.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
        return found[0] if len(found) == 1 else b"".join(found)

    def _piece(self, length: int) -> bytes:
        self._answers.write(HEAD.pack(WANTS, self._at, length))
        self._answers.flush()
        return self._given.read(int.from_bytes(self._given.read(4)))


def _made(asked: dict[str, Any], file: _Asked, allowed: set[str]) -> Iterator[bytes]:
    if asked["work"] == "rows":
        return parquet_rows(file, asked["column"], allowed)
    if asked["work"] == "keys":
        return (b"".join(orjson.dumps(each) + b"\n" for each in some) for some in keys_in(file, asked["column"]))
    return (orjson.dumps(each) for each in (names_in(file),))


def _give(pieces: Iterator[bytes], answers: BinaryIO) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            answers.write(HEAD.pack(GIVES, 0, len(rest[:MAX_PIECE])))
            answers.write(rest[:MAX_PIECE])
            rest = rest[MAX_PIECE:]
        answers.flush()


def _refuse(error: NodeError, answers: BinaryIO) -> None:
    operand = error.operand if isinstance(error, NotAgreed) else ""
    if error.__cause__ is not None:
        # It may be a fault of ours: the error output of the node has it, and the other city does not.
        sys.stderr.write(f"Parquet that cannot be read: {ascii(error.__cause__)[:500]}\n")
    told = orjson.dumps([error.message[:_SAID], error.fix, operand])
    answers.write(HEAD.pack(REFUSES, 0, len(told)) + told)


def _give_way() -> None:
    """Have the node's own work go before this, and this go first where a machine has no memory left."""
    os.nice(_NICE)
    with suppress(OSError):  # not Linux
        _WHO_GOES_FIRST.write_text("1000")


def main() -> None:
    """Answer one request. The argument is the lifeline's descriptor."""
    die_with_parent(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    given = sys.stdin.buffer
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    _give_way()
    asked = orjson.loads(given.readline())
    allowed: set[str] = set()
    while (line := given.readline()) != b"\n":
        allowed.update(orjson.loads(line))
    bound_growth(asked["memory_bytes"])
    try:
        _give(_made(asked, _Asked(asked["size"], given, answers), allowed), answers)
        answers.write(HEAD.pack(ENDS, 0, 0))
    except NodeError as error:
        _refuse(error, answers)
    answers.flush()


if __name__ == "__main__":
    main()
