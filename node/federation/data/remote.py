"""Bytes of a part that come from another machine: what https servers and S3 stores have in common.

What a server says of its bytes (type, length, version) is held against what was registered and against what it says
when the last byte has come; the last piece is given only then, so nobody gets all of a mixture. A server that takes no
ranges is read from its beginning and what was not asked for is left out. Goes out through the node's one door.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from node.errors import ForbiddenAddress, NotFound, OriginChanged, SourceUnreachable, TooLarge, Unavailable
from node.federation.data.places import (
    ANY_TYPE,
    PIECE_BYTES,
    Held,
    Registered,
    etag_of,
    is_once,
    media_type_of,
    once,
    time_of,
)
from node.federation.moving import Part
from node.outbound import Outbound, Span, Stream

MAX_BYTES = 1 << 40
OPEN_S = 20.0
STALL_S = 30.0
_OK, _PARTIAL, _UNSATISFIED = 200, 206, 416
_REFUSED = (401, 403)
_GONE = (404, 410)
# What servers say of a file that they do not know: no lie, whatever it is.
_VAGUE = frozenset({"", ANY_TYPE, "binary/octet-stream", "text/plain", "application/x-download"})
_MAX_MARK = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One part at its address. `headers` are made anew for each request, since some are signed with the time."""

    origin: Registered
    name: str
    url: str
    headers: Callable[[], Mapping[str, str]]


class Remote:
    """Opens parts at addresses. Safe to share by threads."""

    def __init__(self, outbound: Outbound, *, new_id: Callable[[], str]) -> None:
        """Go out through this door; `new_id` marks versions that their server does not tell apart."""
        self._outbound = outbound
        self._new_id = new_id

    def look(self, asked: Asked, stop: threading.Event | None = None) -> Part:
        """Give a part as its server tells of it now. Raises what `open` raises."""
        stream = self._stream(asked, 0, stop)
        with stream:
            return self._part(asked, stream)

    def open(self, asked: Asked, *, start: int, stop: threading.Event | None = None) -> "RemoteBytes":
        """Open a part from a byte on.

        Raises:
            NotFound: The server has nothing there.
            SourceUnreachable: It cannot be asked, refuses, or gives something else than was registered.
        """
        stream = self._stream(asked, start, stop)
        try:
            return RemoteBytes(self._part(asked, stream), stream, start, lambda: self.look(asked, stop))
        except BaseException:
            stream.close()
            raise

    def _stream(self, asked: Asked, start: int, stop: threading.Event | None) -> Stream:
        try:
            stream = self._outbound.stream(
                asked.url,
                headers=asked.headers(),
                span=Span(start),
                max_bytes=MAX_BYTES,
                open_s=OPEN_S,
                stall_s=STALL_S,
                stop=stop,
                follow=asked.origin.kind == "https",
            )
        except (ForbiddenAddress, TooLarge) as error:
            raise SourceUnreachable(error.message, fix=error.fix) from error
        if stream.status not in (_OK, _PARTIAL):
            stream.close()
            raise _refusal(asked, stream.status)
        return stream

    def _part(self, asked: Asked, stream: Stream) -> Part:
        origin, size = asked.origin, stream.total
        said = stream.media_type
        if origin.media_type and said not in _VAGUE and said != origin.media_type:
            where = _where(asked)
            raise SourceUnreachable(
                f"{where} answers {said[:80]}, not {origin.media_type}.",
                fix="A page for signing in? Look at it, or register it as what it is.",
            ).on_page("no.origin.signin", field="location", location=where)
        media_type = origin.media_type or (said if said not in _VAGUE else media_type_of(asked.url.partition("?")[0]))
        modified_ms = modified_of(stream.headers.get("last-modified", ""))
        version = _version(stream, size)
        etag = etag_of(asked.url, *version) if version else once(self._new_id())
        return Part(origin.dataset, asked.name, media_type, size, "", etag, modified_ms)


class RemoteBytes(Held):
    """The open answer of a server."""

    def __init__(self, part: Part, stream: Stream, start: int, look: Callable[[], Part]) -> None:
        super().__init__()
        self.part = part
        self._stream = stream
        self._look = look
        self._skip = start - stream.start
        self._left = None if part.size is None else max(0, part.size - start)
        self._ahead: bytes | None = None

    def _read(self, most: int) -> bytes:
        if self._ahead is None:
            self._ahead = self._next()
        if len(self._ahead) > most:
            piece, self._ahead = self._ahead[:most], self._ahead[most:]
            return piece
        piece = self._ahead
        if piece:
            self._ahead = self._next()
            if not self._ahead:
                self._check_end()
        return piece

    def _next(self) -> bytes:
        piece = self._stream.read(PIECE_BYTES)
        while piece and self._skip:
            left_out = min(self._skip, len(piece))
            piece, self._skip = piece[left_out:], self._skip - left_out
            piece = piece or self._stream.read(PIECE_BYTES)
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0 or (not piece and self._left):
                raise self._changed("has another length than it said")
        return piece

    def _check_end(self) -> None:
        """Ask once more which version is there, before the last piece is given."""
        try:
            now = self._look()
        except NotFound as error:
            raise self._changed("is gone") from error
        if now.size != self.part.size or (not is_once(self.part.etag) and now.etag != self.part.etag):
            raise self._changed("was changed")

    def _changed(self, how: str) -> OriginChanged:
        return OriginChanged(
            f"The origin of {self.part.name} {how} while it was read.",
            fix="Ask again.",
        ).on_page("no.origin.moved", name=self.part.name)

    def _wake(self) -> None:
        self._stream.cut()

    def _free(self) -> None:
        self._stream.close()


def _version(stream: Stream, size: int | None) -> tuple[object, ...]:
    """Give what tells this version from any other; nothing if the server tells nothing that does."""
    told, changed = stream.etag, stream.headers.get("last-modified", "")
    if told and not told.startswith("W/") and len(told) <= _MAX_MARK:
        return told, size
    # A time stands for one version if nothing has changed for a while when it is told (RFC 9110, 8.8.2.2).
    if size is not None and _is_settled(changed, stream.headers.get("date", "")):
        return changed, size
    return ()


def modified_of(text: str) -> int:
    """Read a time of HTTP or of ISO 8601 as milliseconds; 0 if it is none that can be said again."""
    with suppress(ValueError, OverflowError, TypeError):
        return time_of(int(parsedate_to_datetime(text).timestamp() * 1000))
    with suppress(ValueError, OverflowError):
        return time_of(int(datetime.fromisoformat(text).timestamp() * 1000))
    return 0


def _is_settled(changed: str, now: str) -> bool:
    changed_ms, now_ms = modified_of(changed), modified_of(now)
    return bool(changed_ms and now_ms) and now_ms - changed_ms >= 1_000


def _where(asked: Asked) -> str:
    """Give an address for the city's own people: what stands in its query may be a secret to them too."""
    return asked.url.partition("?")[0][:200]


def _refusal(asked: Asked, status: int) -> NotFound | Unavailable:
    where = _where(asked)
    if status in _GONE:
        return NotFound(
            f"{where} has nothing there ({status}).", fix="Check the address, or remove the origin."
        ).on_page("no.origin.gone", field="location", where=where, status=status)
    if status in _REFUSED:
        return SourceUnreachable(
            f"{where} refuses us ({status}).",
            fix="Set a credential that it takes.",
        ).on_page("no.origin.refused", field="credential", where=where, status=status)
    if status == _UNSATISFIED:
        return OriginChanged(
            f"{where} has not that many bytes any more.", fix="Ask again, from the beginning."
        ).on_page("no.origin.moved", name=where)
    return SourceUnreachable(
        f"{where} answered {status}.",
        fix="Try again later; look at that server.",
    ).on_page("no.origin.answered", field="location", where=where, status=status)
