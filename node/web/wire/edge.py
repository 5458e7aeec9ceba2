"""What every request passes that memory could not answer: request id, HEAD and OPTIONS, safety headers, metrics, logs.

Plain ASGI, no middleware classes that copy bodies. A request is written to the log only if it failed or was slow:
one line per visit would cost more than the visit. Who shows false tokens too often is turned away here, before anyone
looks at the next one.
"""

import secrets
import time
from collections.abc import Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.routing import BaseRoute, Match, Route

from node.web.wire.answer import DATA_SAFETY, DESK_SAFETY, PAGE_SAFETY
from node.web.wire.bodies import Unread, has_body
from node.web.wire.front import REQUEST_ID, App, Front, Message, Receive, Scope, Send
from node.web.wire.limits import Gate

MAX_ADDRESS = 4_096
SLOW_S = 1.0
READING = ("GET", "HEAD", "OPTIONS")
_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PREFLIGHT = [
    (
        b"access-control-allow-headers",
        b"Accept, Accept-Language, Authorization, Content-Type, DPoP, If-None-Match, If-Modified-Since, X-Request-Id",
    ),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
log = structlog.get_logger("node.web")


class Marks:
    """The metrics of the web; `route` is the template of the address, never the address."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "citynode_http_requests", "Requests answered by a router.", ("route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "citynode_http_request_seconds",
            "Time to answer by a router; replies from memory are not timed.",
            ("route",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )


class MemoryMarks(Collector):
    """Replies from memory, read from the front's plain counters: counting there must cost nothing."""

    def __init__(self, front: Front, gate: Gate | None = None) -> None:
        self._front = front
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        """Give both counts, and how many requests were too many, by the rate they fell under."""
        family = CounterMetricFamily("citynode_http_memory_replies", "Replies sent from memory.", labels=("status",))
        family.add_metric(("200",), self._front.hits)
        family.add_metric(("304",), self._front.fresh)
        yield family
        if self._gate:
            away = CounterMetricFamily("citynode_http_turned_away", "Requests past a rate.", labels=("rate",))
            for door, count in self._gate.turned_away.items():
                away.add_metric((door,), count)
            yield away


class Methods:
    """Which methods an address knows, read from the routes that match it."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes = [route for route in routes if isinstance(route, Route)]

    def at(self, path: str) -> tuple[str, ...]:
        """List them in a fixed order; those of reading where nothing matches."""
        scope = {"type": "http", "method": "OPTIONS", "path": path, "root_path": "", "headers": []}
        found = {
            name for route in self._routes if route.matches(scope)[0] is not Match.NONE for name in route.methods or ()
        }
        known = tuple(name for name in _ORDER if name in found or (name == "HEAD" and "GET" in found))
        return (*known, "OPTIONS") if known else READING


class Edge:
    """Wraps the routers."""

    def __init__(self, app: App, marks: Marks, methods: Methods, *, too_long: App, gate: Gate | None = None) -> None:
        """Wrap an app; `too_long` answers addresses past the bound."""
        self._app = app
        self._marks = marks
        self._methods = methods
        self._too_long = too_long
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS here; pass the rest on with a request id and time it."""
        if scope["type"] == "http" and has_body(scope):
            unread = Unread(receive, send)
            receive, send = unread.receive, unread.send
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            allow = ", ".join(self._methods.at(scope["path"])).encode()
            known = [(b"allow", allow), (b"access-control-allow-methods", allow)]
            mark = (b"x-request-id", _request_id(scope).encode())
            headers = [*known, *_PREFLIGHT, *DATA_SAFETY, mark]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        elif self._gate and (refusal := self._gate.guessing(scope)):
            await self._gate.turn_away(refusal, scope, send)
        else:
            is_long = len(scope["path"]) + len(scope["query_string"]) > MAX_ADDRESS
            app = self._too_long if is_long else self._app
            await _Passage(app, scope, send, self._marks, self._gate).run(receive)


class _Passage:
    """One request on its way through the routers."""

    def __init__(self, app: App, scope: Scope, send: Send, marks: Marks, gate: Gate | None) -> None:
        self._app, self._send, self._marks, self._gate = app, send, marks, gate
        self._head = scope["method"] == "HEAD"
        self.request_id = _request_id(scope)
        self._scope: Scope = {
            **scope,
            "state": {**scope.get("state", {}), "request_id": self.request_id, "head": self._head},
        }
        if self._head:
            self._scope["method"] = "GET"
        self._status = 500

    async def run(self, receive: Receive) -> None:
        started = time.perf_counter()
        try:
            await self._app(self._scope, receive, self._out)
        finally:
            self._note(time.perf_counter() - started)

    async def _out(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._headers(message["headers"])}
            if self._gate:
                self._gate.answered(self._scope, self._status)
                message["headers"] += self._gate.limits.told(self._scope)
        elif self._head:
            # The body is made and not sent: its length and validators must be those of GET.
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await self._send(message)

    def _headers(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if self._status == 304:
            # A browser writes the headers of a 304 over those it kept: a policy for data would break a kept page.
            return [*given, (b"x-request-id", self.request_id.encode())]
        names = {name for name, _ in given}
        page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in given)
        desk = self._scope["path"].startswith("/desk")
        known = DESK_SAFETY if desk else PAGE_SAFETY if page else DATA_SAFETY
        safety = [pair for pair in known if pair[0] not in names]
        return [*given, *safety, (b"x-request-id", self.request_id.encode())]

    def _note(self, seconds: float) -> None:
        route = getattr(self._scope.get("route"), "path", "other")
        self._marks.requests.labels(route, str(self._status)).inc()
        self._marks.seconds.labels(route).observe(seconds)
        if self._status >= 500 or seconds > SLOW_S:
            log.info(
                "request",
                request_id=self.request_id,
                path=self._scope["path"][:200],
                status=self._status,
                ms=round(seconds * 1000),
            )


def _request_id(scope: Scope) -> str:
    """Take over a caller's id if it is a plain word, so that a proxy's and our lines meet; else make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.match(value):
            return bytes(value).decode()
    return secrets.token_hex(8)
