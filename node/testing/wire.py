"""HTTP/1.1 messages as bytes, just enough for a proxy that must be able to break them.

A library would mend what the faults are for: it would not send half of a body, or a length that does not fit. So
messages are read whole, kept as they came, and written by hand. Sizes are bounded; what does not fit is a `WireError`
and ends the connection. Only loopback ever speaks to this, but nodes under test also send nonsense.
"""

from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 64 << 10
MAX_BODY_BYTES = 256 << 20
# RFC 9110, 7.6.1: they speak of one connection; ours to the node is another than the caller's to us.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


class WireError(Exception):
    """The bytes are no HTTP message, or a larger one than we carry."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; `headers` in order, names as they were spelt."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        """Give the path without the query."""
        return urlsplit(self.target).path

    @property
    def wants_close(self) -> bool:
        """Tell whether the caller asks for no further request on this connection."""
        return "close" in value_of(self.headers, "connection").lower()

    @property
    def has_body(self) -> bool:
        """Tell whether a body follows the head."""
        return value_of(self.headers, "content-length") not in ("", "0") or bool(
            value_of(self.headers, "transfer-encoding")
        )

    @property
    def head(self) -> bytes:
        """Write the head for a connection that carries nothing else afterwards."""
        kept = [pair for pair in self.headers if pair[0].lower() not in HOP_BY_HOP - {"transfer-encoding"}]
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept)]
        return ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode("latin-1")

    def without(self, name: str) -> "Request":
        """Give the same request without a header."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name)
        return Request(self.method, self.target, kept, self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the node gave it, its body whole and not decoded."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, request: Request) -> bytes:
        """Write the status line and headers, with the length of the whole body."""
        kept = [pair for pair in self.headers if pair[0].lower() not in HOP_BY_HOP]
        # HEAD, 204 and 304 keep the length they came with: it speaks of a body that is not sent (RFC 9110, 8.6).
        if request.method != "HEAD" and self.status not in (204, 304):
            kept = [pair for pair in kept if pair[0].lower() != "content-length"]
            kept.append(("Content-Length", str(len(self.body))))
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in kept)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def saying(self, body: bytes) -> "Answer":
        """Give the same answer with another body."""
        return Answer(self.status, self.reason, self.headers, body)


def value_of(headers: tuple[tuple[str, str], ...], name: str) -> str:
    """Give the first value of a header, or empty."""
    return next((value for key, value in headers if key.lower() == name), "")


def read_head(file: BinaryIO) -> Request | None:
    """Read the next request without its body; None when the caller has closed the connection between two.

    Raises:
        WireError: It is no request.
    """
    line = _line(file, MAX_HEAD_BYTES)
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise WireError("no request line")
    return Request(words[0], words[1], _headers(file), b"")


def read_body(file: BinaryIO, head: Request) -> Request:
    """Read the body of a request whose head was read. Raises WireError for a larger one than we carry."""
    return Request(head.method, head.target, head.headers, _body(file, head.headers))


def _headers(file: BinaryIO) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    left = MAX_HEAD_BYTES
    while (line := _line(file, left)).strip():
        left -= len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise WireError("no header")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _body(file: BinaryIO, headers: tuple[tuple[str, str], ...]) -> bytes:
    if "chunked" in value_of(headers, "transfer-encoding").lower():
        return _chunks(file)
    length = value_of(headers, "content-length") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise WireError("no length, or more than we carry")
    return _exactly(file, int(length))


def _chunks(file: BinaryIO) -> bytes:
    parts, total = [], 0
    while size := _chunk_size(file):
        total += size
        if total > MAX_BODY_BYTES:
            raise WireError("more than we carry")
        parts.append(_exactly(file, size))
        _line(file, 2)
    _headers(file)  # trailers, which nobody here sends
    return b"".join(parts)


def _chunk_size(file: BinaryIO) -> int:
    try:
        return int(_line(file, 1024).split(b";")[0], 16)
    except ValueError:
        raise WireError("no chunk size") from None


def _exactly(file: BinaryIO, size: int) -> bytes:
    body = file.read(size)
    if len(body) != size:
        raise WireError("the body ends too early")
    return body


def _line(file: BinaryIO, limit: int) -> bytes:
    line = file.readline(limit + 1)
    if len(line) > limit:
        raise WireError("a head larger than we carry")
    return line
