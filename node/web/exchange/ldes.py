"""Event streams for everybody: each collection as DCAT-AP Feeds wants it, in TriG or JSON-LD, and its shape.

The view is at `/collections/{name}/feed`, pages and parts below it, single members at `/collections/{name}/entries/…`.
What is full says `immutable` and is kept by caches for an hour, so that an erasure gets through; the rest is asked for
again and mostly answered with 304. Documents are written beside the event loop, member by member.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from node.errors import JournalBusy
from node.vocab import trig
from node.vocab.contexts import CONTEXT_PATH
from node.vocab.shacl import published
from node.web.doors.door import FROZEN, Door, number_of
from node.web.parts import Parts, chosen_of
from node.web.ports.feed import StreamNode
from node.web.wire import answer, negotiate, packing
from node.web.wire.answer import Document

FORMS = (trig.TRIG, trig.JSON_LD)
Name = Annotated[str, Path(description="The collection's name; a mirror's is peer/name.")]
Number = Annotated[str, Path(description="From 1.")]
Ask = Callable[[str], StreamNode]


def router(parts: Parts) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Event streams"], default_response_class=Response)
    desk = _Desk(parts)
    for path in ("/collections/{name}", "/collections/{peer}/{name}"):
        _add(made, path, parts, desk)
    _add_shapes(made)
    return made


class _Desk:
    """Answers for one site."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._door = Door(parts)

    async def give(self, request: Request, name: str, ask: Ask) -> Response:
        peer = request.path_params.get("peer")
        local = f"{peer}/{name}" if peer else name
        # Who may see single records alone is not told where in the stream the others stand.
        opened = await self._door.open(request, local, singly=False)
        form = chosen_of(request, FORMS)
        coding = packing.coding_of(request.headers.get("accept-encoding", ""))
        node = await self._parts.thread(lambda: ask(local))
        document = Document(
            b"",
            form,
            tag="-".join(filter(None, (node.tag(form), coding))),
            cache=opened.cache(FROZEN if node.final else answer.REVALIDATE),
            vary=f"Accept, {opened.vary}",
            extra=(("content-encoding", coding),) if coding else (),
        )
        head = answer.encode(document, gzipped=False)
        if negotiate.has_copy(request.headers.get("if-none-match", ""), head.etag):
            return answer.response(request.headers, head)
        body = await self._parts.thread(lambda: self._written(node, form, coding))
        if body is None:
            raise JournalBusy("An entry of this page was erased in this moment.", fix="Ask again.")
        if node.events:
            await self._door.spend(request, opened)
        return answer.response(request.headers, answer.encode(replace(document, body=body), gzipped=False))

    def _written(self, node: StreamNode, form: str, coding: str) -> bytes | None:
        """Write a document; nothing if a member it announces is gone by now."""
        context, count = self._parts.site.base_url + CONTEXT_PATH, 0

        def counted() -> Iterator[trig.Member]:
            nonlocal count
            for member in self._parts.site.stream.members(node):
                count += 1
                yield member

        body = b"".join(packing.packed(trig.document(node.head, counted(), form, context_url=context), coding))
        return body if count == len(node.events) else None


def _add(made: APIRouter, path: str, parts: Parts, desk: _Desk) -> None:
    stream, listed = parts.site.stream, "{peer}" not in path
    forms: dict[int | str, dict[str, object]] = {200: {"content": {form: {} for form in FORMS}}, 404: {}, 406: {}}

    @made.get(
        path + "/feed",
        summary="A collection as an event stream",
        description="A Linked Data Event Stream as DCAT-AP Feeds has it; its pages are found by `tree:relation`.",
        responses=forms,
        include_in_schema=listed,
    )
    async def root(request: Request, name: Name) -> Response:
        return await desk.give(request, name, stream.root)

    @made.get(path + "/feed/parts/{number}", summary="A part of a feed", responses=forms, include_in_schema=listed)
    async def part(request: Request, name: Name, number: Number) -> Response:
        wanted = number_of("part", number, least=1)
        return await desk.give(request, name, lambda local: stream.part(local, wanted))

    @made.get(path + "/feed/pages/{number}", summary="A page of a feed", responses=forms, include_in_schema=listed)
    async def page(request: Request, name: Name, number: Number) -> Response:
        wanted = number_of("page", number, least=1)
        return await desk.give(request, name, lambda local: stream.page(local, wanted))

    @made.get(path + "/entries/{seq}", summary="A member of a feed", responses=forms, include_in_schema=listed)
    async def member(request: Request, name: Name, seq: Number) -> Response:
        wanted = number_of("entry", seq.lstrip("0") if len(seq) == 10 else seq, least=1)
        return await desk.give(request, name, lambda local: stream.member(local, wanted))


def _add_shapes(made: APIRouter) -> None:
    @made.get("/shapes/{name}.ttl", summary="Our shapes", description="SHACL, for any engine.", responses={404: {}})
    async def shapes(request: Request, name: str) -> Response:
        body = published(name)
        tag = f"{hashlib.sha256(body).hexdigest()[:32]}-ttl1"
        document = Document(
            body, "text/turtle; charset=utf-8", tag=tag, cache="public, max-age=86400", vary=answer.VARY_SUFFIX
        )
        return answer.reply(request.headers, document)
