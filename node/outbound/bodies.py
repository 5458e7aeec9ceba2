"""Bodies of strangers, undone piece by piece: bounded as they come, and bounded again as they are decoded.

200 kB of gzip can hold 200 MB and 6 kB of zstd as much, so nothing is decoded in one go. What would surprise: zstd has
no bound of its own for one call, so it is fed in slices that cannot grow to more than 4 MiB. No I/O but the iterator.
"""

import zlib
from collections.abc import Iterator

import zstandard

from node.errors import SourceUnreachable, TooLarge

CHUNK_BYTES = 1 << 16
# The shortest block of a zstd frame takes 4 bytes and gives 128 KiB.
_ZSTD_SLICE = 128
_ZSTD_WINDOW = 8 << 20  # what RFC 9659 lets a Content-Encoding ask for
_AGAIN = "Try again later."


def bounded(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Pass pieces on until they are too many. Raises TooLarge."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield chunk


def decoded(coding: str, chunks: Iterator[bytes], *, codings: tuple[str, ...]) -> Iterator[bytes]:
    """Undo a Content-Encoding that was asked for.

    Raises:
        SourceUnreachable: The coding was not asked for, or the body is broken or ends too early.
    """
    coding = coding.strip().lower().replace("x-gzip", "gzip")
    if coding in ("", "identity"):
        return chunks
    if coding == "gzip" and coding in codings:
        return _gunzipped(chunks)
    if coding == "zstd" and coding in codings:
        return _unzstd(chunks)
    raise SourceUnreachable(f"It answered in the coding {coding[:40]}, which was not asked for.")


def too_large(max_bytes: int) -> TooLarge:
    """Say that a body is longer than was agreed to read."""
    return TooLarge(f"The document has more than {max_bytes} bytes.", fix="Raise the limit, or ask for pages.")


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    begun = False
    for chunk in chunks:
        waiting = chunk
        while waiting:
            if inflate.eof:  # several members, one behind the other, are one body
                inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            begun = True
            try:
                piece = inflate.decompress(waiting, CHUNK_BYTES)
            except zlib.error as error:
                raise SourceUnreachable("Its gzip body is broken.", fix=_AGAIN) from error
            waiting = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if piece:
                yield piece
    if begun and not inflate.eof:
        raise SourceUnreachable("Its gzip body ends too early.", fix=_AGAIN)


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    door = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = door.decompressobj()
    begun = False
    for chunk in chunks:
        for start in range(0, len(chunk), _ZSTD_SLICE):
            waiting = chunk[start : start + _ZSTD_SLICE]
            while waiting:
                if frame.eof:  # several frames, one behind the other, are one body
                    frame = door.decompressobj()
                begun = True
                try:
                    piece = frame.decompress(waiting)
                except zstandard.ZstdError as error:
                    raise SourceUnreachable("Its zstd body is broken.", fix=_AGAIN) from error
                waiting = frame.unused_data if frame.eof else b""
                if piece:
                    yield piece
    if begun and not frame.eof:
        raise SourceUnreachable("Its zstd body ends too early.", fix=_AGAIN)
