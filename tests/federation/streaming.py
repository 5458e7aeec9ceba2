"""Long answers of a city's app to another city in one process: the real stream over the wire instead of a socket.

The app is held back until its last piece was read, as a slow network would, and is told when the reader has gone. The
wire's `snap` can break an answer off after any byte.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx

from node.errors import PeerUnreachable, Stopped
from node.outbound.jobs import Job
from node.outbound.lanes import Lane
from node.outbound.stream import Span, Stream, _checked, _Course

if TYPE_CHECKING:
    from tests.federation.cities import Request, Wire

_PATIENCE_S = 10.0


class _NoLane:
    """Stands where a connection would."""

    def close(self) -> None:
        """There is nothing to close."""


class _Answer(httpx.SyncByteStream):
    """One answer under way: the app's pieces, one at a time."""

    def __init__(self, wire: "Wire", request: "Request", scope: dict[str, Any]) -> None:
        self.head: queue.Queue[dict[str, Any]] = queue.Queue()
        self.stopped = threading.Event()
        self._wire, self._request, self._scope = wire, request, scope
        self._pieces: queue.Queue[bytes | None] = queue.Queue()
        self._whole = False
        self._gone: asyncio.Event | None = None
        self._taken: asyncio.Event | None = None
        self._running = asyncio.run_coroutine_threadsafe(self._run(), wire.loop)

    async def _run(self) -> None:
        self._gone, self._taken = asyncio.Event(), asyncio.Event()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            assert self._gone
            await self._gone.wait()
            return {"type": "http.disconnect"}

        try:
            await self._wire.apps[self._request.origin](self._scope, receive, self._send)
        finally:
            self._pieces.put(None)

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._taken
        assert self._gone
        if self._gone.is_set():
            raise OSError("the reader has gone")
        if message["type"] == "http.response.start":
            self.head.put(message)
            return
        self._whole = not message.get("more_body", False)
        if message.get("body"):
            self._taken.clear()
            self._pieces.put(message["body"])
            waits = [asyncio.ensure_future(each.wait()) for each in (self._taken, self._gone)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waits:
                    each.cancel()

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        while (piece := self._next()) is not None:
            keep = self._wire.snap(self._request, sent, len(piece))
            if keep is not None:
                yield piece[:keep]
                raise httpx.ReadError("the wire was cut")
            sent += len(piece)
            self._wire.sent += len(piece)
            yield piece
            self._wire.loop.call_soon_threadsafe(cast("asyncio.Event", self._taken).set)
        if not self._whole:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    def _next(self) -> bytes | None:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            if self.stopped.is_set():
                raise httpx.ReadError("the socket was shut down")
            try:
                return self._pieces.get(timeout=0.02)
            except queue.Empty:
                continue
        raise httpx.ReadTimeout("nothing came")

    def close(self) -> None:
        """Go away; the app hears of it."""

        def leave() -> None:
            if self._gone is not None:
                self._gone.set()

        self._wire.loop.call_soon_threadsafe(leave)
        with contextlib.suppress(Exception):  # what the app makes of a reader that has gone is its own affair
            self._running.result(_PATIENCE_S)


def opened(
    wire: "Wire", request: "Request", scope: dict[str, Any], span: Span, max_bytes: int, stop: threading.Event | None
) -> Stream:
    """Ask an app and give its answer as soon as it has begun."""
    if stop is not None and stop.is_set():
        raise Stopped("The request was stopped.")
    answer = _Answer(wire, request, scope)
    try:
        head = answer.head.get(timeout=_PATIENCE_S)
    except queue.Empty:
        raise PeerUnreachable("The app did not answer.") from None
    headers: Mapping[str, str] = {name.decode(): value.decode() for name, value in head["headers"]}
    response = httpx.Response(head["status"], headers=headers, stream=answer)
    job: Job[Stream] = Job(0.0, 0.0)
    course = _Course(cast("Lane", _NoLane()), response, job, stop, max_bytes)
    threading.Thread(target=_watch, args=(course, answer, stop), daemon=True).start()
    return _checked(Stream(httpx.URL(request.url), course, span))


def _watch(course: _Course, answer: _Answer, stop: threading.Event | None) -> None:
    while not course.closed.wait(0.02):
        if stop is not None and stop.is_set():
            course.job.abandon()
        if course.job.abandoned.is_set():
            answer.stopped.set()
            return
