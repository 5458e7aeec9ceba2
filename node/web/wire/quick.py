"""The shortest way: uvicorn's protocol, which asks `front` for the bytes of a reply once a request's head is read.

What stands in memory is written to the connection at once, without a scope of its own, a task or a second look at its
headers: that is two thirds of what such a reply costs. Everything else takes uvicorn's own way, in the same order on
each connection. Only callbacks that uvicorn documents are overridden; tests/web/wire/test_quick.py holds
this against the version in use.
"""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from node.web.wire.connection import CONNECTION
from node.web.wire.front import Front

_METHODS = {b"GET": "GET", b"HEAD": "HEAD"}
# Any other address is read by who decodes addresses.
_PLAIN = re.compile(rb"(?:/[A-Za-z0-9._~-]+)+\Z")


def quick_way(front: Front) -> type[HttpToolsProtocol]:
    """Make the protocol that serves an app; pass it to uvicorn as `http`."""
    return type("Quick", (_Quick,), {"front": front})


class _Quick(HttpToolsProtocol):
    """One connection."""

    front: Front
    _answered = False

    def on_message_begin(self) -> None:
        """Begin a request; what streams may end the connection, and see how much of it is still here."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}

    def on_headers_complete(self) -> None:
        """Answer from memory, or go on as uvicorn does."""
        reply = self._reply() if self._is_free() else None
        if reply is None:
            super().on_headers_complete()
            return
        self._answered = True
        self.transport.write(reply)
        self.server_state.total_requests += 1
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_body(self, body: bytes) -> None:
        """Take in a body; a request that was answered from memory has none."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Hear that a request is whole."""
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def _is_free(self) -> bool:
        """Tell whether nothing that came before on this connection is still to be answered, and all can be written."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        idle = (cycle is None or cycle.response_complete) and not self.pipeline
        return idle and not self.flow.write_paused and not self.transport.is_closing()

    def _reply(self) -> bytes | None:
        method = _METHODS.get(self.parser.get_method())
        path, _, query = self.url.partition(b"?")
        if method is None or not _PLAIN.match(path) or self.parser.get_http_version() != "1.1":
            return None
        if self.expect_100_continue or self.parser.should_upgrade() or not self.parser.should_keep_alive():
            return None
        self._unset_keepalive_if_required()
        asked = {"method": method, "path": path.decode(), "query_string": query}
        return self.front.raw({**asked, "headers": self.headers, "client": self.client}, self._more())

    def _more(self) -> bytes:
        return b"".join(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers)
