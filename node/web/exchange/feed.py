"""The feed between nodes: heads, checkpoints, pages of entries, snapshots and tiles at stable addresses; reports in.

Every address of a collection takes its own name or `peer/name` for a mirror. Public answers can be kept by any cache:
pages of a given size for an hour, so that an erasure gets through, full tiles for good. Bodies are made beside the
event loop, after the caller's copy was found to be old. What peers report back is small, bounded and idempotent.
"""

import hashlib
import re
import time
from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from node.errors import Malformed, NotFound
from node.federation.feed.feed_pages import MAX_ENTRIES, MAX_STUBS, MEDIA_TYPE
from node.web.doors.door import HOUR, PRIVATE, Door, Opened, body_of, number_of, numbers_of
from node.web.parts import Parts, chosen_of, json_document
from node.web.wire import answer, negotiate, packing
from node.web.wire.answer import Document

NOTE_TYPE = "text/plain; charset=utf-8"
TILE_TYPE = "application/octet-stream"
MAX_REPORTED = 1_000
_TILE = re.compile(
    r"(?P<level>0|[1-9]\d?)/(?P<index>(?!x000)(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?\Z", re.ASCII
)
Name = Annotated[str, Path(description="The collection's name; a mirror's is peer/name.")]
After = Annotated[str, Query(description="Give entries after this seq; 0 begins at the first.")]
Size = Annotated[str, Query(description="A signed size; the newest if it is left out.")]
Limit = Annotated[str, Query(description=f"At most so many entries, up to {MAX_ENTRIES}.")]
Seqs = Annotated[str, Query(description=f"Just these entries, parted by commas, up to {MAX_STUBS}.")]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Feed"], default_response_class=Response)
    desk = _Desk(parts)
    _add_heads(made, parts)
    for path in ("/collections/{name}", "/collections/{peer}/{name}"):
        _add_collection(made, path, desk)
    if parts.site.federation is not None:
        _add_reports(made, parts, desk)
    return made


class _Desk:
    """Answers for one site."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.door = Door(parts)
        self._feed = parts.site.feed
        self._kept = packing.Store()

    async def note(self, request: Request, name: str, size: str) -> Response:
        opened = await self.door.open(request, name)
        wanted = number_of("size", size) if size else None
        body = (await self.parts.thread(lambda: self._feed.note(name, wanted))).encode()
        tag = hashlib.sha256(body).hexdigest()[:32]
        document = Document(body, NOTE_TYPE, tag=tag, cache=opened.cache(answer.REVALIDATE), vary=opened.vary)
        return answer.reply(request.headers, document)

    async def page(self, request: Request, name: str, asked: tuple[int, int | None, int]) -> Response:
        opened = await self.door.open(request, name)
        after, size, limit = asked
        only = opened.only
        coding = packing.coding_of(request.headers.get("accept-encoding", ""))
        tag = await self.parts.thread(lambda: self._feed.tag(name, after=after, size=size, limit=limit, only=only))
        fresh = self._unchanged(request, opened, tag, coding, sized=size is not None)
        if fresh is not None:
            return fresh
        key = (name, asked, coding)
        body, given = self._kept.find(key, tag), None
        if body is None:
            page = await self.parts.thread(
                lambda: self._feed.paged(name, after=after, size=size, limit=limit, only=only)
            )
            tag, given = page.tag, page.given
            body = await self.parts.thread(lambda: packing.packed_whole(page.body, coding))
            if not opened.private:
                self._kept.put(key, tag, body)
        await self.door.spend(request, opened, given)
        return _sent(request, self._document(opened, body, tag, coding, sized=size is not None))

    async def stubs(self, request: Request, name: str, seqs: list[int], size: int | None) -> Response:
        opened = await self.door.open(request, name)
        coding = packing.coding_of(request.headers.get("accept-encoding", ""))
        page = await self.parts.thread(lambda: self._feed.stubs_paged(name, seqs, size, only=opened.only))
        body = await self.parts.thread(lambda: packing.packed_whole(page.body, coding))
        await self.door.spend(request, opened, page.given)
        # Asked for when a right was gained or a fault mended: what a cache holds may be from before.
        return _sent(request, self._document(opened, body, page.tag, coding, sized=False))

    async def snapshot(self, request: Request, name: str, size: str) -> Response:
        opened = await self.door.open(request, name)
        wanted = number_of("size", size) if size else None
        coding = packing.coding_of(request.headers.get("accept-encoding", ""))
        pages = await self.parts.thread(lambda: self._feed.snapshot(name, wanted, only=opened.only))
        await self.door.spend(request, opened)
        headers = {"cache-control": opened.cache(HOUR if size else answer.REVALIDATE), "vary": opened.vary}
        headers |= {"content-encoding": coding} if coding else {}
        body = iter(()) if request.scope["state"].get("head") else packing.packed(pages, coding)
        return StreamingResponse(body, media_type=MEDIA_TYPE, headers=headers)

    async def tile(self, request: Request, name: str, rest: str) -> Response:
        opened = await self.door.open(request, name)
        match = _TILE.match(rest)
        if match is None:
            raise NotFound("There is no such tile.", fix="Tiles are named as C2SP tlog-tiles says: /tile/0/x001/067.")
        index = int(match["index"].replace("x", "").replace("/", ""))
        level, width = int(match["level"]), int(match["width"] or 256)
        if match["width"] and width == 256:
            raise NotFound("A full tile has no width in its name.")
        body = await self.parts.thread(lambda: self._feed.tile(name, level, index, width))
        cache = opened.cache(HOUR if match["width"] else answer.IMMUTABLE)
        tag = hashlib.sha256(body).hexdigest()[:32]
        return _sent(request, Document(body, TILE_TYPE, tag=tag, cache=cache, vary=opened.vary))

    def _unchanged(self, request: Request, opened: Opened, tag: str, coding: str, *, sized: bool) -> Response | None:
        """Say that the caller's copy is good, without making another."""
        document = self._document(opened, b"", tag, coding, sized=sized)
        encoded = answer.encode(document, gzipped=False)
        if not negotiate.has_copy(request.headers.get("if-none-match", ""), encoded.etag):
            return None
        return answer.response(request.headers, encoded)

    @staticmethod
    def _document(opened: Opened, body: bytes, tag: str, coding: str, *, sized: bool) -> Document:
        cache = opened.cache(HOUR if sized else answer.REVALIDATE)
        extra = (("content-encoding", coding),) if coding else ()
        named = f"{tag}-{coding}" if coding else tag
        return Document(body, MEDIA_TYPE, tag=named, cache=cache, vary=opened.vary, extra=extra)


def _sent(request: Request, document: Document) -> Response:
    """Send what is packed already, or does not shrink, as it is."""
    return answer.response(request.headers, answer.encode(document, gzipped=False))


def _add_heads(made: APIRouter, parts: Parts) -> None:
    known: list[tuple[tuple[object, ...], Document]] = []

    @made.get(
        "/checkpoints",
        summary="All public checkpoints",
        description="The newest signed state of every public collection, own and mirrored, with its cosignatures.",
    )
    async def checkpoints(request: Request) -> Response:
        chosen_of(request, ("application/json",))
        # Asked for by every peer every few minutes, mostly to hear that nothing changed: made once per change.
        heads, shown = await parts.thread(parts.site.feed.heads), parts.reading.collections()
        if not known or known[0][0][0] is not heads or known[0][0][1] is not shown:
            told = [head.document() for head in heads if head.name in shown]
            known[:] = [((heads, shown), json_document({"checkpoints": told}))]
        return answer.reply(request.headers, known[0][1])


def _add_collection(made: APIRouter, path: str, desk: _Desk) -> None:
    """Add the addresses of a collection, under one name or two."""
    twice = "{peer}" in path

    def add(tail: str, summary: str, answers: Callable[..., object], description: str = "") -> None:
        made.get(
            path + tail,
            summary=summary + (" of a mirror" if twice else ""),
            description=description,
            responses={404: {}},
            include_in_schema=not twice,
        )(answers)

    async def checkpoint(request: Request, name: Name, size: Size = "") -> Response:
        return await desk.note(request, _named(request, name), size)

    async def entries(
        request: Request, name: Name, after: After = "", size: Size = "", limit: Limit = "", seqs: Seqs = ""
    ) -> Response:
        here, signed = _named(request, name), number_of("size", size) if size else None
        if seqs:
            if after or limit:
                raise Malformed("Entries are named by seqs or by after and limit, not by both.")
            return await desk.stubs(request, here, list(numbers_of("seqs", seqs, most=MAX_STUBS)), signed)
        begin, most = number_of("after", after or "0"), number_of("limit", limit or str(MAX_ENTRIES), least=1)
        return await desk.page(request, here, (begin, signed, most))

    async def snapshot(request: Request, name: Name, size: Size = "") -> Response:
        return await desk.snapshot(request, _named(request, name), size)

    async def tile(request: Request, name: Name, rest: str) -> Response:
        return await desk.tile(request, _named(request, name), rest)

    add("/checkpoint", "A journal's newest checkpoint", checkpoint, "A C2SP signed note; `size` gives an older one.")
    add("/entries", "Entries, a page at a time", entries, "JSON Lines: an envelope with proofs, then the entries.")
    add("/snapshot", "A whole journal", snapshot, "All pages up to a signed size, one after the other.")
    add("/tile/{rest:path}", "A tile of the journal's tree", tile, "Hashes, as C2SP tlog-tiles names them.")


def _named(request: Request, name: str) -> str:
    peer = request.path_params.get("peer")
    return f"{peer}/{name}" if peer else name


def _add_reports(made: APIRouter, parts: Parts, desk: _Desk) -> None:
    federation = parts.site.federation
    assert federation is not None  # noqa: S101  (the caller looked)

    @made.get(
        "/federation/held",
        summary="What is held here of the peer that asks",
        description="Like `/checkpoints`, of its own collections alone, and those of them that are not for everybody.",
        responses={401: {}, 403: {}},
    )
    async def held(request: Request) -> Response:
        caller = await desk.door.peer(request)
        heads = await parts.thread(lambda: parts.site.feed.held(caller.name))
        document = json_document({"checkpoints": [head.document() for head in heads]}, cache=PRIVATE)
        return answer.reply(request.headers, document)

    done: dict[int | str, dict[str, object]] = {204: {"description": "Kept"}, 401: {}, 403: {}, 404: {}}

    @made.post("/federation/erasures", summary="Confirm erasures", status_code=204, responses=done)
    async def erasures(request: Request) -> Response:
        caller = await desk.door.peer(request)
        said = _report(await body_of(request), "seqs")
        info = await desk.door.own(caller, said[0])
        seqs = [_seq(one) for one in said[1]]
        await parts.thread(lambda: federation.erasures.hear(info.name, caller.name, seqs, at_ms=_now_ms()))
        return Response(status_code=204)

    @made.post("/federation/refusals", summary="Tell what was refused", status_code=204, responses=done)
    async def refusals(request: Request) -> Response:
        caller = await desk.door.peer(request)
        said = _report(await body_of(request), "refusals")
        info = await desk.door.own(caller, said[0])
        told = [_refusal(one) for one in said[1]]
        await parts.thread(lambda: federation.refusals.hear(info.name, caller.name, told, at_ms=_now_ms()))
        return Response(status_code=204)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _report(body: bytes, member: str) -> tuple[str, list[object]]:
    """Read a collection's IRI and a list. Raises Malformed."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed("This is no JSON.") from error
    if not isinstance(said, dict) or said.keys() != {"collection", member}:
        raise Malformed(f"A report has a collection and {member}, and nothing else.")
    iri, listed = said["collection"], said[member]
    if not isinstance(iri, str) or not isinstance(listed, list) or len(listed) > MAX_REPORTED:
        raise Malformed(f"A report names a collection and at most {MAX_REPORTED} {member}.")
    return iri, listed


def _seq(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 53:
        raise Malformed("A seq is a whole number from 1.")
    return value


def _refusal(value: object) -> tuple[int, str]:
    if not isinstance(value, dict) or value.keys() != {"seq", "code"} or not isinstance(value["code"], str):
        raise Malformed("A refusal has a seq and a code, and nothing else.")
    return _seq(value["seq"]), value["code"]
