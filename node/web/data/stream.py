"""A part on its way to a reader: a chunk ahead in a thread, one with the reader, and an end that everybody can see.

Whatever ends a stream before its end resets the connection at once: what was not sent yet is dropped with it, also what
the kernel held, so that a cut holds within a second also where nobody reads. The reader sees fewer bytes than were
announced, or chunks without the last one; neither can be taken for a whole part. Memory is a few chunks, whatever the
size.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from concurrent.futures import Executor

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from node.errors import NodeError, NotAgreed
from node.federation.data.delivery import Delivery
from node.federation.data.limits import Lanes
from node.federation.data.streams import How
from node.web.wire.connection import Connection

_LOOK_S = 0.5
_FLUSH_S = 0.02
# The head of an answer and the frames of its chunks, of what a connection holds at most.
_FRAMING_BYTES = 4_096
_logger = logging.getLogger("citynode.data")


class Plain(Response):
    """An answer with these headers and no others; its length is not said unless they say it."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, {"content-length": "0", **headers})
        if "content-length" not in headers:
            del self.headers["content-length"]


class Stream(Plain):
    """An answer with the bytes of a delivery, which has given its first chunk already."""

    def __init__(
        self,
        delivery: Delivery,
        first: bytes,
        *,
        status: int,
        headers: Mapping[str, str],
        lanes: Lanes,
        pool: Executor,
        stall_s: float,
    ) -> None:
        """Take an open delivery; it is ended here, however this goes."""
        super().__init__(status, headers)
        self._delivery, self._chunk, self._lanes, self._pool = delivery, first, lanes, pool
        self._stall_s, self._passed, self._waits = stall_s, 0, False
        self._seen, self._moved_at = -1, time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        connection = Connection(scope)
        how: How = "gone"
        try:
            connection.narrow()
            how = await self._run(receive, send, connection)
        finally:
            try:
                if how != "done":
                    self._passed = _passed(self._passed, connection.unsent)
                    connection.drop()
            finally:  # whatever the connection says: a delivery that is not ended holds its place and its quota
                await self._close(how)
            if how != "done" and connection.is_known:
                await _disconnected(receive)

    async def _run(self, receive: Receive, send: Send, connection: Connection) -> How:
        """Pump until all is sent or something ends it; say what."""
        loop = asyncio.get_running_loop()
        cut: asyncio.Future[None] = loop.create_future()
        self._delivery.when_cut(lambda: _tell(loop, cut))
        gone = asyncio.create_task(_disconnected(receive))
        pump = asyncio.create_task(self._pump(send, connection))
        try:
            while not pump.done():
                done, _ = await asyncio.wait({pump, gone, cut}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                if cut in done:
                    return "cut"
                if gone in done and not pump.done():
                    return "gone"
                if not done and self._is_stalled(connection):
                    return "stalled"
            return self._ended(pump)
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)

    async def _pump(self, send: Send, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunk = self._chunk
        self._chunk = b""
        while chunk:
            ahead = None if self._delivery.finished else loop.run_in_executor(self._pool, self._delivery.next)
            try:
                await self._give(send, chunk)
                chunk = b"" if ahead is None else await ahead
            except BaseException:
                if ahead is not None:
                    ahead.cancel()
                raise
        await self._flushed(connection)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _give(self, send: Send, chunk: bytes) -> None:
        wait_s = self._lanes.wait_s(self._delivery.asked.peer, len(chunk))
        if wait_s:
            await asyncio.sleep(wait_s)
        self._waits = True
        self._passed += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self._waits = False

    async def _flushed(self, connection: Connection) -> None:
        """Wait until nothing of it is here any more: until then it can stall, and can be cut."""
        await asyncio.sleep(0)
        # Neither a transport nor a kernel says when what it holds is gone.
        while connection.unsent:  # noqa: ASYNC110
            await asyncio.sleep(_FLUSH_S)

    def _is_stalled(self, connection: Connection) -> bool:
        """Tell whether the reader took nothing for too long, although there was something to take."""
        held = connection.unsent
        taken = self._passed - held
        now = time.monotonic()
        if taken != self._seen or not (held or self._waits):
            self._seen, self._moved_at = taken, now
        return now - self._moved_at >= self._stall_s

    def _ended(self, pump: "asyncio.Task[None]") -> How:
        error = pump.exception()
        if error is None:
            return "done"
        if not isinstance(error, NodeError):
            _logger.error("transfer %s broke", self._delivery.transfer, exc_info=error)
        else:
            _logger.warning("transfer %s ended early: %s", self._delivery.transfer, error)
        return "cut" if self._delivery.why or isinstance(error, NotAgreed) else "broken"

    async def _close(self, how: How) -> None:
        passed = self._passed
        if how == "done":  # the books were closed before the last chunk went, and nothing else blocks
            self._delivery.end(how, sent=passed)
            return
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(self._pool, lambda: self._delivery.end(how, sent=passed)))


def _passed(given: int, unsent: int) -> int:
    """Say how many bytes may have gone, of those that were given to the connection: in doubt, one that frames them."""
    return max(0, min(given - 1, given - unsent + _FRAMING_BYTES)) if unsent else given


def _tell(loop: asyncio.AbstractEventLoop, cut: "asyncio.Future[None]") -> None:
    def done() -> None:
        if not cut.done():
            cut.set_result(None)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
        loop.call_soon_threadsafe(done)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
