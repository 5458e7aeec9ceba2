"""The quick way: replies that were sent before are sent again from memory, ahead of routing and models.

A kept reply is good while `shelf.version()` stands still; after that, while what it shows is equal to what the shelf
holds now (one read of microseconds). Anything else falls through to the routers, which put what they make back here.
Only plain GET and HEAD are looked up, without a query or for a page by its number, so nothing here decides what may be
seen: it repeats what a router decided for the very same request. The event loop is the only user, hence no lock.
"""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from node.web.reading import Reading
from node.web.wire import negotiate
from node.web.wire.answer import Encoded, RawHeaders
from node.web.wire.limits import Gate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Key = tuple[str, str, bool, str]
OFFERED = tuple(negotiate.FORMS)
# A token is looked at by whoever knows what it opens; the others ask for less than a whole reply, or bring something;
# a script may ask for a part of a page.
_NOT_FROM_MEMORY = frozenset(
    {b"authorization", b"hx-request", b"if-modified-since", b"range", b"content-length", b"transfer-encoding"}
)
# What a caller may name its request by, so that its lines and ours meet.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
# The only query of which replies are kept; whatever else is asked is made anew.
_PAGE = re.compile(rb"page=[1-9][0-9]{0,6}\Z")
Still = Callable[[], bool]
_STATUS = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}


@dataclass(slots=True)
class Kept:
    """A reply, whether it is still so (nothing: as long as nothing was committed), and when that was last known.

    `head` and `fresh_head` are its headers and those of its 304 as they go over the wire, status line and all.
    """

    encoded: Encoded
    still: Still | None
    version: int
    message: dict[str, object]
    head: bytes
    fresh_head: bytes


class Keeper:
    """A bounded store of encoded replies, least recently used out first."""

    def __init__(self, reading: Reading, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._reading = reading
        self._room = max_bytes
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._seen: int | None = None
        self.max_bytes = max_bytes

    def put(self, key: Key, encoded: Encoded, *, still: Still | None, version: int) -> None:
        """Keep a reply. `version` must have been read before what it shows was: never stamp old bytes as new.

        `still` tells in microseconds whether it would be the same now.
        """
        size = _size(encoded)
        if size > self.max_bytes // 8 or encoded.status != 200:
            return
        self._forget(key)
        message: dict[str, object] = {"type": "http.response.body", "body": encoded.body}
        heads = _on_the_wire(200, encoded.headers), _on_the_wire(304, encoded.unchanged)
        self._kept[key] = Kept(encoded, still, version, message, *heads)
        self._room -= size
        while self._room < 0:
            self._forget(next(iter(self._kept)))

    def find(self, key: Key) -> Kept | None:
        """Give a reply that is true now, or nothing."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        version = self._seen if self._seen is not None else self._look()
        if kept.version != version:
            if kept.still is None or not kept.still():
                self._forget(key)
                return None
            kept.version = version
        self._kept.move_to_end(key)
        return kept

    def _look(self) -> int:
        """Ask for the version once per turn of the event loop.

        Every request answered in a turn was received before the turn began, so a commit that its caller can know of
        is seen; asking for each would cost more than the reply.
        """
        self._seen = self._reading.version()
        asyncio.get_running_loop().call_soon(self._blink)
        return self._seen

    def _blink(self) -> None:
        self._seen = None

    def _forget(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._room += _size(kept.encoded)

    def __len__(self) -> int:
        """Count the replies kept."""
        return len(self._kept)


def _size(encoded: Encoded) -> int:
    # About 4 KiB of headers and bookkeeping go with each body.
    return len(encoded.body) + 4_096


def _on_the_wire(status: int, headers: RawHeaders) -> bytes:
    lines = [b"%s: %s\r\n" % (name.lower(), value) for name, value in headers]
    if any(line.count(b"\r") + line.count(b"\n") != 2 for line in lines):
        raise ValueError("a header has more than one line")
    return _STATUS[status] + b"".join(lines)


def _is_kept_query(query: bytes) -> bool:
    return not query or _PAGE.match(query) is not None


_SHORT = 300


@lru_cache(maxsize=8_192)
def _key(path: str, query: bytes, accept: bytes, language: bytes, coding: bytes, languages: tuple[str, ...]) -> Key:
    """Name a reply by a request as it came over the wire; the same few thousand come again and again."""
    return key_of(
        path,
        query.decode("latin-1"),
        accept.decode("latin-1"),
        language.decode("latin-1"),
        coding.decode("latin-1"),
        languages,
    )


def key_of(
    path: str, query: str, accept: str, accept_language: str, accept_encoding: str, languages: tuple[str, ...]
) -> Key:
    """Name the reply that a request for a document gets: path and page, form, coding, language (of HTML only)."""
    _, dot, suffix = path.rpartition(".")
    form = suffix if dot and suffix in negotiate.FORMS else negotiate.form(accept, OFFERED)
    spoken = negotiate.language(accept_language, languages) if form == "html" else ""
    return (f"{path}?{query}" if query else path, form, negotiate.wants_gzip(accept_encoding), spoken)


class Front:
    """The outermost ASGI app. `hits` and `fresh` count replies from memory: whole ones and 304s."""

    def __init__(
        self,
        app: App,
        keeper: Keeper,
        languages: tuple[str, ...],
        *,
        prefix: str = "",
        gate: Gate | None = None,
    ) -> None:
        self._app = app
        self._gate = gate
        self._prefix = prefix
        self._keeper = keeper
        self._languages = languages
        self.hits = 0
        self.fresh = 0
        # Ids of replies from memory are this process's mark and a count: a random one for each would cost as much
        # as the reply.
        self._mark = secrets.token_hex(4).encode()
        self._sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory or pass on; who asks too often is turned away before either."""
        scope = self._without_prefix(scope) if self._prefix else scope
        if self._gate and scope["type"] == "http" and (refusal := self._gate.refused(scope)):
            await self._gate.turn_away(refusal, scope, send)
            return
        plain = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if plain and _is_kept_query(scope["query_string"]):
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._found(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        kept, fresh, mark = found
        self._count(fresh=fresh)
        headers = kept.encoded.unchanged if fresh else kept.encoded.headers
        whole = not fresh and scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 304 if fresh else 200, "headers": [*headers, mark]})
        await send(kept.message if whole else {"type": "http.response.body", "body": b""})

    def raw(self, scope: Scope, more: bytes) -> bytes | None:
        """Give the whole reply as it goes over the wire, if it can be given from memory; `more` are further headers.

        For a server that hands out bytes itself (`quick`); nothing was counted where it gives nothing.
        """
        if self._prefix or not _is_kept_query(scope["query_string"]):
            return None
        found = self._found(scope)
        if found is None or (self._gate and self._gate.refused(scope)):
            return None
        kept, fresh, mark = found
        self._count(fresh=fresh)
        body = kept.encoded.body if not fresh and scope["method"] == "GET" else b""
        return b"".join((kept.fresh_head if fresh else kept.head, more, mark[0], b": ", mark[1], b"\r\n\r\n", body))

    def _found(self, scope: Scope) -> tuple[Kept, bool, tuple[bytes, bytes]] | None:
        """Look for the reply to a request: what is kept, whether the caller has it already, the request's id."""
        accept = language = coding = asked = b""
        copy: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = b",".join((accept, value)) if accept else value
            elif name == b"accept-encoding":
                coding = value
            elif name == b"accept-language":
                language = value
            elif name == b"if-none-match":
                copy = value
            elif name == b"x-request-id":
                asked = value
            elif name in _NOT_FROM_MEMORY:
                return None
        query = scope["query_string"]
        path = scope["path"]
        # What is remembered of requests is bounded in bytes too.
        short = len(path) + len(accept) + len(language) + len(coding) < _SHORT
        key = (_key if short else _key.__wrapped__)(path, query, accept, language, coding, self._languages)
        kept = self._keeper.find(key)
        if kept is None:
            return None
        fresh = copy is not None and negotiate.has_copy(copy.decode("latin-1"), kept.encoded.etag)
        return kept, fresh, (b"x-request-id", self._id(asked))

    def _count(self, *, fresh: bool) -> None:
        if fresh:
            self.fresh += 1
        else:
            self.hits += 1

    def _without_prefix(self, scope: Scope) -> Scope:
        """Take the path prefix of the base URL off, if a proxy left it on."""
        if not f"{scope.get('path', '')}/".startswith(f"{self._prefix}/"):
            return scope
        return {**scope, "path": scope["path"][len(self._prefix) :] or "/"}

    def _id(self, asked: bytes) -> bytes:
        """Take over the caller's id, or count one up."""
        if asked and REQUEST_ID.match(asked):
            return asked
        self._sent += 1
        return b"%s-%x" % (self._mark, self._sent)
