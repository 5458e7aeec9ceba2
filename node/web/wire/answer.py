"""A document on its way out: validators, coding, caching and safety headers, in one place.

Strong ETags change with the coding (formats.md 5), so a cache never mixes gzip with plain bytes. Headers are prebuilt
lists of bytes, because `front` sends the same list a million times. Pure: no shelf, no clock.
"""

import gzip
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response

from node.web.wire import negotiate

MIN_GZIP = 512
PUBLIC = "public, max-age=60"
REVALIDATE = "public, no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"
NOT_KEPT = "no-store"
VARY = "Accept, Accept-Language, Accept-Encoding"
VARY_SUFFIX = "Accept-Encoding"

RawHeaders = list[tuple[bytes, bytes]]

_COMMON: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link, Content-Location, Last-Modified, X-Request-Id, Retry-After"),
    (b"x-content-type-options", b"nosniff"),
]
# A document that is not a page can do nothing at all in a browser.
DATA_SAFETY: RawHeaders = [*_COMMON, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]
PAGE_SAFETY: RawHeaders = [
    *_COMMON,
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]


# The desk is for its own origin alone: nothing of it is read by another, and no address of it is told to one.
DESK_SAFETY: RawHeaders = [
    *((name, value) for name, value in PAGE_SAFETY if not name.startswith((b"access-control-", b"referrer-"))),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes with what a reply says of them. `tag` is the ETag without quotes and coding; empty means none."""

    body: bytes
    media_type: str
    tag: str = ""
    changed_ms: int = 0
    cache: str = PUBLIC
    vary: str = VARY
    links: str = ""
    location: str = ""
    status: int = 200
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Encoded:
    """A document in one coding with its headers, ready to send; `unchanged` are the headers of its 304.

    Both lists are sent as they are by every reply; whoever adds to one copies it.
    """

    etag: str
    headers: RawHeaders
    unchanged: RawHeaders
    body: bytes
    status: int = 200
    changed_ms: int = 0


def uri(iri: str) -> str:
    """Spell an IRI in ASCII, as headers need it."""
    return quote(iri, safe=":/?#[]@!$&'()*+,;=%~-._")


def link(target: str, rel: str, **attributes: str) -> str:
    """Write one value of a Link header (RFC 8288)."""
    tail = "".join(f'; {name}="{value}"' for name, value in attributes.items())
    return f'<{uri(target)}>; rel="{rel}"{tail}'


def http_date(ms: int) -> str:
    """Write a time as HTTP does; parts of a second are cut off."""
    return formatdate(ms // 1000, usegmt=True)


def encode(document: Document, *, gzipped: bool) -> Encoded:
    """Choose the coding and build every header. Bodies that gzip does not shorten go plain."""
    body, coding = document.body, ""
    if gzipped and len(body) >= MIN_GZIP:
        # mtime 0: equal bytes must give equal bytes under a strong ETag.
        packed = gzip.compress(body, 6, mtime=0)
        body, coding = (packed, "gzip") if len(packed) < len(body) else (body, "")
    etag = f'"{document.tag}{"-gzip" if coding else ""}"' if document.tag else ""
    kept = _validators(document, etag)
    safety = PAGE_SAFETY if document.media_type.startswith("text/html") else DATA_SAFETY
    headers = [(b"content-type", document.media_type.encode()), (b"content-length", b"%d" % len(body)), *kept]
    if coding:
        headers.append((b"content-encoding", b"gzip"))
    headers += [(name.encode(), value.encode("latin-1")) for name, value in document.extra]
    return Encoded(etag, headers + safety, kept + _COMMON, body, document.status, document.changed_ms)


def _validators(document: Document, etag: str) -> RawHeaders:
    """Give the headers that a 304 carries too (RFC 9110, 15.4.5)."""
    pairs = {
        b"etag": etag,
        b"cache-control": document.cache,
        b"vary": document.vary,
        b"last-modified": http_date(document.changed_ms) if document.changed_ms else "",
        b"content-location": uri(document.location),
        b"link": document.links,
    }
    return [(name, value.encode("latin-1")) for name, value in pairs.items() if value]


def _is_fresh(headers: Headers, encoded: Encoded) -> bool:
    """Tell whether the caller's copy is still good; If-None-Match outranks the date."""
    tags = headers.get("if-none-match")
    if tags is not None:
        return bool(encoded.etag) and negotiate.has_copy(tags, encoded.etag)
    since = headers.get("if-modified-since")
    if not since or not encoded.changed_ms:
        return False
    try:
        return encoded.changed_ms // 1000 <= parsedate_to_datetime(since).timestamp()
    except (ValueError, OverflowError):
        return False


def response(headers: Headers, encoded: Encoded) -> Response:
    """Send it, or say that the caller's copy is still good."""
    fresh = encoded.status == 200 and _is_fresh(headers, encoded)
    reply = Response(b"" if fresh else encoded.body, status_code=304 if fresh else encoded.status)
    reply.raw_headers = list(encoded.unchanged if fresh else encoded.headers)
    return reply


def reply(headers: Headers, document: Document) -> Response:
    """Encode for this caller and send."""
    return response(headers, encode(document, gzipped=negotiate.wants_gzip(headers.get("accept-encoding", ""))))
