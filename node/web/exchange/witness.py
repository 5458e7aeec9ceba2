"""What checks a history without trusting its city: cosignatures of witnesses, statements of new epochs and of origins.

`add-checkpoint` is C2SP tlog-witness, status by status, so its answers are plain text and never a problem document. A
mirror shows its origin's own signed statement beside it, so that the origin's keys are at hand while it is silent.
"""

import hashlib
import re
import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from node.errors import NotFound
from node.web.doors.door import Door
from node.web.exchange.identity import STATEMENT_TYPE
from node.web.parts import Parts, json_document
from node.web.ports.history import Watching, Witness
from node.web.wire import answer
from node.web.wire.answer import Document
from node.web.wire.bodies import body_of

MAX_BODY_BYTES = 68 * 1024
NOTE_TYPE = "text/plain; charset=utf-8"
_HASH = re.compile(r"[0-9a-f]{64}\Z")


def router(parts: Parts, watching: Watching) -> APIRouter:
    """Make the router."""
    made = APIRouter(tags=["Federation"], default_response_class=Response)
    _add_witness(made, parts, watching.witness)
    for path in ("/collections/{name}", "/collections/{peer}/{name}"):
        _add_collection(made, path, parts, watching)
    return made


def _add_witness(made: APIRouter, parts: Parts, witness: Witness) -> None:
    @made.post(
        "/witness/add-checkpoint",
        summary="Have a checkpoint cosigned",
        description="C2SP tlog-witness: `old N`, a consistency proof, an empty line, the checkpoint.",
        responses={400: {}, 403: {}, 404: {}, 409: {}, 422: {}},
    )
    async def add_checkpoint(request: Request) -> Response:
        body = await body_of(request, most=MAX_BODY_BYTES)
        now_ms = time.time_ns() // 1_000_000
        status, media_type, told = await parts.thread(lambda: witness.add_checkpoint(body, now_ms))
        document = Document(told, media_type, cache=answer.NOT_KEPT, status=status, vary="")
        return answer.response(request.headers, answer.encode(document, gzipped=False))

    @made.get("/witness/{origin}/checkpoint", summary="The newest checkpoint of an origin that was cosigned here")
    async def held(request: Request, origin: str) -> Response:
        text = await parts.thread(lambda: witness.held(origin)) if _HASH.match(origin) else None
        if text is None:
            raise NotFound("No checkpoint of this origin was cosigned here.", fix="Name its origin line by SHA-256.")
        return answer.reply(request.headers, _tagged(text, NOTE_TYPE))


def _add_collection(made: APIRouter, path: str, parts: Parts, watching: Watching) -> None:
    """Add what stands beside a collection, under one name or two."""
    twice, door = "{peer}" in path, Door(parts)

    async def epochs(request: Request, name: str) -> Response:
        local = _local(request, name)
        opened = await door.open(request, local)
        statements = await parts.thread(lambda: watching.epochs.published(local))
        told = {"collection": opened.info.iri, "epochs": statements}
        return answer.reply(request.headers, json_document(told, cache=opened.cache(answer.REVALIDATE)))

    async def origin(request: Request, name: str) -> Response:
        local = _local(request, name)
        opened = await door.open(request, local)
        now_ms = time.time_ns() // 1_000_000
        statement = await parts.thread(lambda: watching.origins.statement_of(local, now_ms))
        if statement is None:
            raise NotFound("Its city's statement is not held here.", fix="Ask that city itself.")
        cache = opened.cache(answer.REVALIDATE)
        return answer.reply(request.headers, _tagged(statement, STATEMENT_TYPE, cache))

    of = " of a mirror" if twice else ""
    made.get(f"{path}/epochs", summary=f"Where a collection began anew{of}", include_in_schema=not twice)(epochs)
    made.get(f"{path}/origin", summary=f"What a collection's city says{of}", include_in_schema=not twice)(origin)


def _local(request: Request, name: str) -> str:
    peer = request.path_params.get("peer")
    return f"{peer}/{name}" if peer else name


def _tagged(text: str, media_type: str, cache: str = answer.REVALIDATE) -> Document:
    body = text.encode()
    tag = hashlib.sha256(body).hexdigest()[:32]
    return Document(body, media_type, tag=tag, cache=cache, vary=answer.VARY_SUFFIX)
