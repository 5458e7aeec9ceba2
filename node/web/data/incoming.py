"""The door through which a provider brings what this city asked it to push: how far a part has come, and its bytes.

`HEAD` tells the offset, `PATCH` appends there. Only peers are heard, by their own token and proof. Bytes go to the disk
piece by piece as they come, so memory does not grow with a part; whoever sends nothing for long, or hardly anything for
a minute, is let go, and a word against the transfer cuts its uploads within a second, also those that wait for the next
byte.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from node.errors import Malformed, NotFound, Unauthenticated, Unavailable
from node.federation.moving import LEAST_BYTES_S, PACE_S
from node.federation.pushes.address import PATH
from node.federation.pushes.fields import fields_of, upload_of
from node.federation.pushes.store import Arrived
from node.web.doors import signed
from node.web.doors.door import PRIVATE, Door
from node.web.parts import Parts
from node.web.ports.dsp import Signing
from node.web.ports.incoming import Arrival, Incoming
from node.web.ports.ports import Federation
from node.web.wire import answer
from node.web.wire.answer import Document

LOOK_S = 0.25
PIECE_BYTES = 1 << 20
AT_ONCE = 4  # threads that write, so that slow disks leave room for the others
MAX_NAME = 500
_GO_ON = "Ask how far it has come, and go on there."
T = TypeVar("T")


class _Pace:
    """Sees that an upload comes at the least pace: waiting for its bytes counts, and not what a slow disk takes."""

    def __init__(self) -> None:
        self._came, self._waited_s = 0, 0.0

    def came(self, many: int, waited_s: float) -> None:
        """Hear of bytes, and how long they were waited for. Raises Unavailable: what came stays."""
        self._came, self._waited_s = self._came + many, self._waited_s + waited_s
        if self._waited_s < PACE_S:
            return
        if self._came < LEAST_BYTES_S * self._waited_s:
            raise Unavailable(
                f"Less than {LEAST_BYTES_S:,} bytes came in a second: others come first.",
                retry_after_s=int(PACE_S),
                fix=_GO_ON,
            )
        self._came, self._waited_s = 0, 0.0


class IncomingDoor:
    """Speaks for the service."""

    def __init__(self, parts: Parts, incoming: Incoming, signing: Signing) -> None:
        self._parts, self._incoming, self._stall_s = parts, incoming, incoming.stall_s
        self._signing = signing
        self._door = Door(parts)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def standing(self, request: Request, pid: str, part: str) -> Response:
        """Tell how far a part has come."""
        peer = await self._peer(request, pid)
        return _told(request, await self._beside(lambda: self._incoming.standing(peer, pid, part)))

    async def take(self, request: Request, pid: str, part: str) -> Response:
        """Take bytes of a part."""
        peer = await self._peer(request, pid)
        upload = upload_of(request.headers)
        arrival = await self._beside(lambda: self._incoming.begin(peer, pid, part, upload))
        try:
            await self._read(request, arrival)
            done = await self._beside(arrival.end)
        finally:
            # Whatever ended it: what has come is kept, and the part is free for the next attempt.
            await asyncio.shield(self._beside(arrival.close))
        return _told(request, done)

    async def _peer(self, request: Request, pid: str) -> str:
        caller = await self._door.caller(request)
        if caller.kind == "public":
            federation = self._parts.site.federation
            challenge = federation.access.challenge() if federation else ""
            raise Unauthenticated("Only a peer may ask this.", challenge=challenge, fix="Ask /oauth/token for a token.")
        if caller.kind != "peer" or not caller.url or len(pid) > MAX_NAME:
            raise NotFound("Nothing of that name is expected from you here.")
        await signed.heard(request, self._parts, self._signing, caller, None)
        return caller.url

    async def _read(self, request: Request, arrival: Arrival) -> None:
        pieces, held, goes_on, written = list[bytes](), 0, True, time.monotonic()
        pace = _Pace()
        while goes_on:
            began = time.monotonic()
            try:
                message = await self._next(request, arrival)
            except Unavailable:
                await self._write(arrival, pieces)
                raise
            waited_s = time.monotonic() - began
            if message["type"] == "http.disconnect":
                await self._write(arrival, pieces)
                raise Malformed("The body ended early.", fix=_GO_ON)
            pieces.append(message.get("body", b""))
            held += len(pieces[-1])
            pace.came(len(pieces[-1]), waited_s)
            goes_on = message.get("more_body", False)
            # What drips is written, and asked whether it may still come, as often as what streams.
            if held >= PIECE_BYTES or time.monotonic() - written >= LOOK_S:
                await self._write(arrival, pieces)
                pieces, held, written = [], 0, time.monotonic()
        await self._write(arrival, pieces)

    async def _write(self, arrival: Arrival, pieces: list[bytes]) -> None:
        whole = b"".join(pieces)
        if whole:
            await self._beside(lambda: arrival.write(whole))

    async def _next(self, request: Request, arrival: Arrival) -> Message:
        """Wait for the next bytes, and look now and then whether they may still come."""
        waiting = asyncio.ensure_future(request.receive())
        until = time.monotonic() + self._stall_s
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=LOOK_S)
                if done:
                    return waiting.result()
                await self._beside(arrival.check)
                if time.monotonic() >= until:
                    raise Unavailable(f"Nothing came for {self._stall_s:g} s.", retry_after_s=1, fix=_GO_ON)
        finally:
            waiting.cancel()

    async def _beside(self, work: Callable[[], T]) -> T:
        async with self._room:
            return await asyncio.to_thread(work)


def router(parts: Parts, federation: Federation) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Data"], default_response_class=Response)
    door = IncomingDoor(parts, federation.incoming, federation.dsp.messages)
    path = f"{PATH}/{{pid}}/{{part:path}}"

    @made.get(path, summary="How far a part that you bring has come")
    async def standing(request: Request, pid: str, part: str) -> Response:
        return await door.standing(request, pid, part)

    @made.patch(path, summary="Bring bytes of a part, from where it has come to")
    async def take(request: Request, pid: str, part: str) -> Response:
        return await door.take(request, pid, part)

    return made


def _told(request: Request, one: Arrived) -> Response:
    extra = tuple((name.lower(), value) for name, value in fields_of(one).items())
    body = orjson.dumps({"part": one.part, "got": one.got, "size": one.size, "whole": one.whole})
    document = Document(body, "application/json", cache=PRIVATE, vary="Authorization, Accept-Encoding", extra=extra)
    return answer.reply(request.headers, document)
