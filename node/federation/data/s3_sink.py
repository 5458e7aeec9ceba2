"""Data put into an S3-compatible store while they come: in pieces, and there whole or not at all.

What is smaller than a piece is one signed object; anything else a multipart upload, which the store puts together when
the last piece has come and forgets when it was given up. Each piece is signed with its own digest, so none is changed
on the way. Memory holds one piece.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from node.errors import Malformed, NodeError, SourceUnreachable, TooLarge
from node.federation.data.credentials import Credentials, Keys
from node.federation.data.s3 import Location, answered, element, location_in
from node.federation.data.sigv4 import Request, signed
from node.outbound import Outbound

PIECE = 6 << 20  # a store takes none below 5 MiB but the last
MOST_PIECES = 10_000
_SILENCE_S = 60.0
_DEADLINE_S = 120.0
_MAX_ANSWER = 64 * 1024


class Reading(Protocol):
    """What is put: read piece after piece."""

    def read(self, most: int, /) -> bytes:
        """Give the next bytes, at most so many; empty at the end."""


class S3Sink:
    """Puts objects. Safe to share by threads."""

    def __init__(self, outbound: Outbound, credentials: Credentials, *, clock_ms: Callable[[], int]) -> None:
        """Go out through this door, with these credentials."""
        self._outbound = outbound
        self._credentials = credentials
        self._clock_ms = clock_ms

    def check(self, location: str, credential: str = "") -> None:
        """Refuse a place that nothing can be put at. Raises Malformed, NotFound, ForbiddenAddress."""
        keys = self._credentials.keys(credential)
        self._outbound.check(Request("PUT", _object(location, keys).path, {}).url(keys))

    def put(
        self,
        location: str,
        source: Reading,
        *,
        size: int | None = None,
        media_type: str = "",
        credential: str = "",
        stop: threading.Event | None = None,
    ) -> int:
        """Put everything that a source gives at `s3://bucket/key`; what was there is replaced when all of it is there.

        Args:
            location: Of one object.
            source: Read to its end; what it raises is raised here, and nothing is left in the store.
            size: How many bytes are coming, if that is known: larger pieces for what is very large.
            media_type: Kept with the object.
            credential: Whose store; empty for the only one.
            stop: Looked at between pieces, and wakes what blocks.

        Returns:
            How many bytes were put.

        Raises:
            Malformed, NotFound: There is no such place.
            SourceUnreachable: The store refuses or does not answer. Safe to retry from the beginning.
            TooLarge: More than 10,000 pieces.
            Stopped: `stop` was set.
        """
        keys = self._credentials.keys(credential)
        place = _object(location, keys)
        piece_bytes = max(PIECE, -(-(size or 0) // MOST_PIECES))
        held = {"Content-Type": media_type} if media_type else {}
        pieces = _Pieces(source, piece_bytes)
        if pieces.is_last:
            return self._send(keys, Request("PUT", place.path, {}), pieces.take(), held, stop)[0]
        upload = self._begin(keys, place, held, stop)
        try:
            return self._all(keys, place, upload, pieces, stop)
        except BaseException:
            self._give_up(keys, place, upload)
            raise

    def _all(self, keys: Keys, place: Location, upload: str, pieces: "_Pieces", stop: threading.Event | None) -> int:
        marks: list[str] = []
        size = 0
        while piece := pieces.take():
            if len(marks) == MOST_PIECES:
                raise TooLarge(f"More than {MOST_PIECES} pieces.", fix="Say beforehand how large it is.")
            request = Request("PUT", place.path, {"partNumber": str(len(marks) + 1), "uploadId": upload})
            sent, mark = self._send(keys, request, piece, {}, stop)
            marks.append(mark)
            size += sent
            del piece  # before the next is read: memory holds one
        told = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{mark}</ETag></Part>" for n, mark in enumerate(marks, 1)
        )
        body = f"<CompleteMultipartUpload>{told}</CompleteMultipartUpload>".encode()
        request = Request("POST", place.path, {"uploadId": upload}, hashlib.sha256(body).hexdigest())
        self._ask(keys, request, body, {}, stop)
        return size

    def _begin(self, keys: Keys, place: Location, held: Mapping[str, str], stop: threading.Event | None) -> str:
        upload = element(self._ask(keys, Request("POST", place.path, {"uploads": ""}), b"", held, stop), "UploadId")
        if not upload:
            raise SourceUnreachable("The store began no upload.", fix="Look at that store.")
        return upload

    def _give_up(self, keys: Keys, place: Location, upload: str) -> None:
        # A store that cannot be told now keeps the pieces until its own rules for them end; nobody sees an object.
        with contextlib.suppress(NodeError):
            self._ask(keys, Request("DELETE", place.path, {"uploadId": upload}), b"", {}, None)

    def _send(
        self, keys: Keys, request: Request, body: bytearray, held: Mapping[str, str], stop: threading.Event | None
    ) -> tuple[int, str]:
        """Put bytes; give how many they were and the mark that the store made of them."""
        request = replace(request, body=hashlib.sha256(body).hexdigest())
        reply = self._outbound.send(
            request.url(keys),
            _Slices(body),
            method=request.method,
            length=len(body),
            headers={**held, **self._signed(request, keys)},
            silence_s=_SILENCE_S,
            stop=stop,
        )
        answered(reply.status, reply.body, f"s3:/{request.path}")
        if reply.is_early:
            raise SourceUnreachable("The store answered before it had taken all bytes.", fix="Look at that store.")
        return len(body), reply.etag.replace("&", "").replace("<", "")

    def _ask(
        self, keys: Keys, request: Request, body: bytes, held: Mapping[str, str], stop: threading.Event | None
    ) -> str:
        reply = self._outbound.ask(
            request.url(keys),
            method=request.method,
            body=body,
            headers={**held, **self._signed(request, keys)},
            max_bytes=_MAX_ANSWER,
            deadline_s=_DEADLINE_S,
            stop=stop,
        )
        return answered(reply.status, reply.body, f"s3:/{request.path}")

    def _signed(self, request: Request, keys: Keys) -> dict[str, str]:
        return signed(request, keys, now_ms=self._clock_ms())


def _object(location: str, keys: Keys) -> Location:
    place = location_in(location, keys)
    if not place.key or place.key.endswith("/"):
        raise Malformed(f"{location[:200]} names no object.", fix="Write s3://BUCKET/KEY.")
    return place


class _Pieces:
    """What a source gives, in pieces of one size but the last; each is given away and not kept."""

    def __init__(self, source: Reading, size: int) -> None:
        self._source = source
        self._size = size
        self._next = self._read()
        self.is_last = len(self._next) < size

    def take(self) -> bytearray:
        """Give the next piece; an empty one at the end."""
        if self._next:
            piece, self._next = self._next, bytearray()
            return piece
        return bytearray() if self.is_last else self._read()

    def _read(self) -> bytearray:
        made = bytearray()
        while len(made) < self._size and (piece := self._source.read(self._size - len(made))):
            made += piece
        return made


class _Slices:
    """The bytes of a piece as they are sent, without a copy of it."""

    def __init__(self, body: bytearray) -> None:
        self._body = memoryview(body)
        self._at = 0

    def read(self, most: int, /) -> bytes:
        piece = bytes(self._body[self._at : self._at + most])
        self._at += len(piece)
        return piece
