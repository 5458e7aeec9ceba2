"""Bodies between nodes, packed: zstd where it is taken, else gzip; and a small store of those just packed.

A page of a thousand entries takes some tens of milliseconds to make and is asked for by every mirror at once, so the
newest ones are kept. What is kept is named by what was asked and good for one tag: an erasure changes the tag, and the
next look drops the old bytes. Nothing stays longer than an hour. The event loop is the only user, hence no lock.
"""

import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import zstandard

from node.web.wire import negotiate

Coding = str  # zstd, gzip, or empty
_LEVEL = 3
_KEPT_S = 3_600.0


def coding_of(accept_encoding: str) -> Coding:
    """Choose a coding: zstd if it is named and liked no less than gzip, else gzip, else none."""
    weights = {wish.name: wish.weight for wish in negotiate.wishes(accept_encoding)}
    zstd = weights.get("zstd", 0.0)
    if zstd > 0 and zstd >= weights.get("gzip", 0.0) and zstd >= weights.get("identity", 0.0):
        return "zstd"
    return "gzip" if negotiate.wants_gzip(accept_encoding) else ""


def packed(pieces: Iterable[bytes], coding: Coding) -> Iterator[bytes]:
    """Pack a body piece by piece; equal bodies give equal bytes."""
    if not coding:
        yield from pieces
        return
    # wbits 31 is gzip with an empty header: no name, no time.
    packer = zstandard.ZstdCompressor(_LEVEL).compressobj() if coding == "zstd" else zlib.compressobj(6, wbits=31)
    for piece in pieces:
        if done := packer.compress(piece):
            yield done
    yield packer.flush()


def packed_whole(body: bytes, coding: Coding) -> bytes:
    """Pack a body at once."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(_LEVEL).compress(body)
    return b"".join(packed([body], coding))


@dataclass(slots=True)
class _Kept:
    tag: str
    body: bytes
    at_s: float


class Store:
    """Packed bodies by what was asked for, least recently used out first."""

    def __init__(self, *, max_bytes: int = 32 * 1024 * 1024, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[object, _Kept] = OrderedDict()
        self._room = max_bytes
        self._max_bytes = max_bytes
        self._clock = clock

    def find(self, key: object, tag: str) -> bytes | None:
        """Give what is kept under a key if it still has this tag; drop it if not."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.tag != tag:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.body

    def put(self, key: object, tag: str, body: bytes) -> None:
        """Keep a body, and let go of what is too old or too much."""
        self._drop(key)
        now = self._clock()
        for old in [name for name, kept in self._kept.items() if now - kept.at_s > _KEPT_S]:
            self._drop(old)
        if len(body) > self._max_bytes // 4:
            return
        self._kept[key] = _Kept(tag, body, now)
        self._room -= len(body)
        while self._room < 0:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: object) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._room += len(kept.body)

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)
