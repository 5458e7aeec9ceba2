"""Sources out of bytes for tests of the filter: they give pieces of any size, count what is open, and can fail."""

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from node.errors import OriginChanged
from node.federation.consent.filter import Filtered
from node.federation.moving import Part


def parquet_here(data: bytes, *allowed: str) -> Iterator[bytes]:
    """What is left of a Parquet file, made in this process: for files of our own, and to see what it takes."""
    from node.federation.consent.filter_parquet import parquet_rows

    return parquet_rows(io.BytesIO(data), "subject", set(allowed))


def part(name: str, size: int | None, media_type: str = "") -> Part:
    return Part("https://h.example/datasets/1", name, media_type, size, "sha256:ab", '"1"', 1)


@dataclass
class Bytes:
    """The bytes of a part, open from a position on."""

    part: Part
    data: bytes
    pieces: Sequence[int] = (1 << 20,)
    fails_at: int = -1
    closed: threading.Event = field(default_factory=threading.Event)
    at: int = 0
    reads: int = 0

    def read(self, most: int) -> bytes:
        size = min(most, self.pieces[self.reads % len(self.pieces)])
        self.reads += 1
        if 0 <= self.fails_at <= self.at:
            raise OriginChanged("It is another file now.")
        given = self.data[self.at : self.at + size]
        self.at += len(given)
        return given

    def close(self) -> None:
        self.closed.set()


@dataclass
class Origin:
    """A part that can be opened anywhere."""

    name: str
    data: bytes
    media_type: str = ""
    pieces: Sequence[int] = (1 << 20,)
    fails_at: int = -1
    opened: list[Bytes] = field(default_factory=list)

    def at(self, start: int) -> Bytes:
        named = part(self.name, len(self.data), self.media_type)
        made = Bytes(named, self.data, self.pieces, self.fails_at, at=start)
        self.opened.append(made)
        return made

    @contextmanager
    def opens(self, start: int) -> Iterator[Bytes]:
        made = self.at(start)
        try:
            yield made
        finally:
            made.close()

    def filtered(self, column: str, allowed: set[str]) -> Filtered:
        return Filtered(self.at(0), column, allowed, self.opens)

    def left(self, column: str, allowed: set[str], most: int = 1 << 20) -> bytes:
        """What passes, read to its end."""
        source = self.filtered(column, allowed)
        try:
            found = bytearray()
            while piece := source.read(most):
                assert len(piece) <= most
                found += piece
            return bytes(found)
        finally:
            source.close()
            assert all(each.closed.is_set() for each in self.opened)
