"""The door of data: the parts of a transfer, for the city that it is with, while it is started.

Only glue: who knocks, which bytes are wanted, what is said of them. Whether they may go is asked of `serving` for each
request, and while they flow. Everything that can be refused is refused before the first byte, so that an answer that
begins is the part and one that ends early is visibly not all of it. A HEAD tells what a GET would, and takes nothing.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TypeVar

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from node.federation.data.delivery import Delivery
from node.federation.data.serving import Held
from node.federation.moving import Part, checked_part
from node.federation.signing.signatures import content_digest
from node.web.data import ranges
from node.web.data.ranges import Stretch
from node.web.data.stream import Plain, Stream
from node.web.data.threads import Threads
from node.web.doors.door import as_sent
from node.web.doors.signed import message_of
from node.web.parts import Parts
from node.web.ports.data import DataDoor

PATH = "/data"
CACHE = "private, no-store, no-transform"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Ready:
    """What goes out: the headers, and the bytes unless none are wanted."""

    status: int
    headers: dict[str, str]
    delivery: Delivery | None = None
    first: bytes = b""


class Data:
    """Answers at the door."""

    def __init__(self, door: DataDoor, base_url: str, handed_to: Callable[[Scope], bool]) -> None:
        """Answer with this door; `handed_to` tells whether a request came by a server that sends files by itself."""
        self._door, self._base_url, self._handed_to = door, base_url, handed_to
        self._threads = Threads(door.at_once)

    async def manifest(self, request: Request) -> Response:
        """Tell what can be had."""
        return self._listed(request, await self._in_turn(request, lambda held: held))

    async def only(self, request: Request) -> Response:
        """Give the bytes where there is one part alone, else tell which there are."""

        def looked(held: Held) -> tuple[Held, _Ready | None]:
            return held, self._ready(request, held, held.parts[0]) if len(held.parts) == 1 else None

        held, ready = await self._in_turn(request, looked)
        return self._answer(request, ready) if ready else self._listed(request, held)

    async def part(self, request: Request) -> Response:
        """Give the bytes of a part."""

        def looked(held: Held) -> _Ready:
            return self._ready(request, held, held.part(checked_part(str(request.path_params["name"]))))

        return self._answer(request, await self._in_turn(request, looked))

    # ---------------------------------------------------------------- inside

    async def _in_turn(self, request: Request, work: Callable[[Held], T]) -> T:
        """Find out who knocks, then do this with what they may have, in their turn."""
        pid = str(request.path_params["pid"])
        peer = await self._threads.quick(lambda: self._peer(request, pid))
        return await self._threads.in_turn(peer, pid, lambda: work(self._door.serving.look(pid, peer)))

    def _peer(self, request: Request, pid: str) -> str:
        method = "HEAD" if request.scope["state"].get("head") else request.method
        shown, proofs = request.headers.getlist("authorization"), request.headers.getlist("dpop")
        peer = self._door.tokens.peer(shown, proofs, method=method, path=as_sent(request), pid=pid)
        self._door.messages.check_request(peer, message_of(request, self._base_url), None)
        return peer

    def _ready(self, request: Request, held: Held, part: Part) -> _Ready:
        """Settle everything about the answer, and read its first bytes."""
        asks = request.headers
        ranges.check_match(asks.get("if-match", ""), part)
        headers = _headers_of(part)
        if not part.filtered and ranges.has_it(asks.get("if-none-match", ""), part):
            return _Ready(304, headers)
        wanted = _stretch(request, part)
        if wanted is None and part.size is not None:
            headers["content-length"] = str(part.size)
        if wanted is not None:
            headers["content-length"] = str(wanted.ends - wanted.begins)
            headers["content-range"] = f"bytes {wanted.begins}-{wanted.ends - 1}/{part.size}"
        status = 200 if wanted is None else 206
        if request.scope["state"].get("head"):
            return _Ready(status, headers)
        return self._handed(request, held, part, headers) or self._opened(held, part, wanted, status, headers)

    def _handed(self, request: Request, held: Held, part: Part, headers: dict[str, str]) -> _Ready | None:
        """Let the server in front send the file; not where a stretch depends on a tag that it does not know."""
        if "if-range" in request.headers or not self._handed_to(request.scope):
            return None
        path = self._door.serving.hand_over(held, part)
        if not path:
            return None
        kept = {name: value for name, value in headers.items() if name not in ("content-length", "content-range")}
        return _Ready(200, {**kept, "content-length": "0", "x-accel-redirect": path})

    def _opened(self, held: Held, part: Part, wanted: Stretch | None, status: int, headers: dict[str, str]) -> _Ready:
        serving = self._door.serving
        delivery = serving.open(held, part, wanted.begins, wanted.ends) if wanted else serving.open(held, part)
        # Read before anything is said: an origin that is not there is an error, and no answer that breaks off.
        try:
            return _Ready(status, headers, delivery, delivery.next())
        except BaseException:
            delivery.drop()
            raise

    def _answer(self, request: Request, ready: _Ready) -> Response:
        asked = message_of(request, self._base_url)
        signed = self._door.messages.sign_response(asked, ready.status, ready.headers)
        headers = {**ready.headers, **signed}
        if ready.delivery is None:
            return Plain(ready.status, headers)
        return Stream(
            ready.delivery,
            ready.first,
            status=ready.status,
            headers=headers,
            lanes=self._door.serving.lanes,
            pool=self._threads.reading,
            stall_s=self._door.stall_s,
        )

    def _listed(self, request: Request, held: Held) -> Response:
        told = orjson.dumps(held.manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        about = {"content-type": "application/json", "content-length": str(len(told))}
        headers = {**about, "content-digest": content_digest(told)}
        signed = self._door.messages.sign_response(message_of(request, self._base_url), 200, headers)
        return Response(told, headers={**headers, **signed, "cache-control": CACHE, "vary": "Authorization"})


def router(parts: Parts, door: DataDoor, handed_to: Callable[[Scope], bool]) -> APIRouter:
    """Make the router: plain routes, since of a request for a few bytes all else would be the most.

    A pid of ours is a UUID, so that other addresses below `/data/` are not taken for one.
    """
    data = Data(door, parts.site.base_url, handed_to)
    routes = (("", data.only), ("/", data.manifest), ("/{name:path}", data.part))
    return APIRouter(routes=[Route(f"{PATH}/{{pid:uuid}}{below}", answer, methods=["GET"]) for below, answer in routes])


def _stretch(request: Request, part: Part) -> Stretch | None:
    """Say which bytes are wanted; None for all of them, which is all that is given where rows are left out."""
    asks = request.headers
    if part.filtered or part.size is None or "range" not in asks or not ranges.is_same(asks.get("if-range", ""), part):
        return None
    return ranges.asked(asks["range"], part.size)


def _headers_of(part: Part) -> dict[str, str]:
    """Say what a part is; a part of which rows are left out is another one each time, and has no tag."""
    plain = part.media_type.isascii() and part.media_type.isprintable() and "/" in part.media_type
    said = {
        "content-type": part.media_type if plain else "application/octet-stream",
        "content-disposition": f'attachment; filename="{part.name.rpartition("/")[2]}"',
        "cache-control": CACHE,
        "vary": "Authorization",
        "accept-ranges": "none" if part.filtered or part.size is None else "bytes",
        # A proxy in front that reads ahead of the reader would take what is cut a second later.
        "x-accel-buffering": "no",
    }
    if part.filtered:
        return said
    said |= {"etag": part.etag, "last-modified": formatdate(part.modified_ms / 1000, usegmt=True)}
    if part.digest:
        told = base64.b64encode(bytes.fromhex(part.digest.removeprefix("sha256:"))).decode()
        said["repr-digest"] = f"sha-256=:{told}:"
    return said
