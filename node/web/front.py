"""The quick way: replies that were sent before are sent again from memory, ahead of routing and models.

A kept reply is good while `shelf.version()` stands still; after that, while the record it shows is equal to what the
shelf holds now (one read of microseconds). Anything else falls through to the routers, which put what they make back
here. Only plain GET and HEAD without a query are looked up, so nothing here decides what may be seen: it repeats what
a router decided for the very same request. The event loop is the only user, hence no lock.
"""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from node.web import negotiate
from node.web.answer import Encoded
from node.web.limits import Gate
from node.web.ports import Held
from node.web.reading import Reading

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Key = tuple[str, str, bool, str]
OFFERED = tuple(negotiate.FORMS)
# A token is looked at by whoever knows what it opens; the others ask for less than a whole reply, or bring something.
_NOT_FROM_MEMORY = frozenset(
    {b"authorization", b"if-modified-since", b"range", b"content-length", b"transfer-encoding"}
)
# What a caller may name its request by, so that its lines and ours meet.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")


@dataclass(slots=True)
class Kept:
    """A reply, what it shows, and the shelf's version at which that was last known to be so."""

    encoded: Encoded
    held: Held | None
    version: int
    message: dict[str, object]


class Keeper:
    """A bounded store of encoded replies, least recently used out first."""

    def __init__(self, reading: Reading, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._reading = reading
        self._room = max_bytes
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._seen: int | None = None
        self.max_bytes = max_bytes

    def put(self, key: Key, encoded: Encoded, *, held: Held | None, version: int) -> None:
        """Keep a reply. `version` must have been read before the record was: never stamp old bytes as new."""
        size = _size(encoded)
        if size > self.max_bytes // 8 or encoded.status != 200:
            return
        self._forget(key)
        self._kept[key] = Kept(encoded, held, version, {"type": "http.response.body", "body": encoded.body})
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
            if kept.held is None or not self._reading.still(kept.held):
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
    # About 2 KiB of headers and bookkeeping go with each body.
    return len(encoded.body) + 2_048


def key_of(path: str, accept: str, accept_language: str, accept_encoding: str, languages: tuple[str, ...]) -> Key:
    """Name the reply that a request for a record document gets: path, form, coding, language (pages only)."""
    _, dot, suffix = path.rpartition(".")
    form = suffix if dot and suffix in negotiate.FORMS else negotiate.form(accept, OFFERED)
    spoken = negotiate.language(accept_language, languages) if form == "html" else ""
    return (path, form, negotiate.wants_gzip(accept_encoding), spoken)


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
        if scope["type"] != "http" or scope["query_string"] or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
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
                await self._app(scope, receive, send)
                return
        key = key_of(
            scope["path"],
            accept.decode("latin-1"),
            language.decode("latin-1"),
            coding.decode("latin-1"),
            self._languages,
        )
        kept = self._keeper.find(key)
        if kept is None:
            await self._app(scope, receive, send)
        else:
            await self._send(kept, copy, scope["method"], send, (b"x-request-id", self._id(asked)))

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

    async def _send(self, kept: Kept, copy: bytes | None, method: str, send: Send, mark: tuple[bytes, bytes]) -> None:
        encoded = kept.encoded
        if copy is not None and negotiate.has_copy(copy.decode("latin-1"), encoded.etag):
            self.fresh += 1
            await send({"type": "http.response.start", "status": 304, "headers": [*encoded.unchanged, mark]})
            await send({"type": "http.response.body", "body": b""})
            return
        self.hits += 1
        start = {"type": "http.response.start", "status": encoded.status, "headers": [*encoded.headers, mark]}
        await send(start)
        await send(kept.message if method == "GET" else {"type": "http.response.body", "body": b""})
